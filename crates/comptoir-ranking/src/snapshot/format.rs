//! The records of a snapshot file, as they lie in it.

use zerocopy::little_endian::{F64, I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

pub const MAGIC: [u8; 8] = *b"CMPTBRD1";
/// The format that this code writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// Sections start at multiples of this.
pub const ALIGNMENT: usize = 64;

/// Bits of a text's start in an item; the others are its length.
pub const START_BITS: u32 = 40;

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    pub magic: [u8; 8],
    pub format: U32,
    pub sections: U32,
    pub length: U64,
    pub version: U64,
    pub created: I64,
    pub watermark: I64,
    pub spec_hash: [u8; 32],
    pub rules_hash: [u8; 32],
    pub item_kind: U32,
    pub k: U32,
    pub checksum: U64,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Section {
    pub kind: U32,
    pub reserved: U32,
    pub offset: U64,
    pub length: U64,
    pub checksum: U64,
}

/// Kinds of sections, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Buckets = 1,
    Boards = 2,
    Sequence = 3,
    Entries = 4,
    Order = 5,
    Heap = 6,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Buckets, Self::Boards, Self::Sequence, Self::Entries, Self::Order, Self::Heap];
}

/// How many there are.
pub const SECTIONS: u32 = Kind::Heap as u32;

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
/// All that a look-up needs, in half a line of the cache.
pub struct BoardRecord {
    pub key: U64,
    pub entries: U64,
    pub name: U64,
    pub count: U32,
    pub name_length: U32,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct EntryRecord {
    pub item: U64,
    pub score: F64,
}

/// The key of a board.
pub fn key<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> u64 {
    parts.into_iter().fold(0, |hash, part| xxhash_rust::xxh3::xxh3_64_with_seed(part, hash))
}

/// How many of the highest bits of a key choose the bucket, for this many keys: about one key in each.
pub fn bucket_bits(keys: usize) -> u32 {
    keys.next_power_of_two().trailing_zeros()
}

/// The bucket of a key.
pub const fn bucket(key: u64, bits: u32) -> u64 {
    if bits == 0 { 0 } else { key >> (u64::BITS - bits) }
}

/// The parts of a name as they lie in the heap; `None` where a length lies.
pub fn name_parts(mut name: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if name.is_empty() {
            return None;
        }
        let part = name.split_first_chunk().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        let (part, rest) = part.unzip();
        name = rest.unwrap_or_default();
        Some(part)
    })
}

/// Whether a name as it lies in the heap has these parts.
pub fn is_name<'p>(name: &[u8], parts: impl IntoIterator<Item = &'p [u8]>) -> bool {
    let rest = parts.into_iter().try_fold(name, |name, part| {
        let (length, rest) = name.split_first_chunk()?;
        let is_length = usize::try_from(u32::from_le_bytes(*length)) == Ok(part.len());
        if is_length { rest.strip_prefix(part) } else { None }
    });
    rest.is_some_and(<[u8]>::is_empty)
}

pub fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}
