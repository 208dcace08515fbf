use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::build::{ItemKind, text};
use super::error::SnapshotError;
use super::format::{
    BoardRecord, EntryRecord, FORMAT, Header, Kind, MAGIC, START_BITS, Section, bucket, bucket_bits,
    checksum, key, name_parts,
};
use super::map::map;

/// A published version, mapped and verified. It never changes; any number of threads may read it.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    header: Header,
    bytes: Mmap,
    sections: [Range<usize>; Kind::ALL.len()],
    bucket_bits: u32,
}

impl Snapshot {
    /// Maps a file and verifies all of it: checksums, and that every number in it points to where it should.
    ///
    /// # Errors
    /// [`SnapshotError::Io`], [`SnapshotError::Foreign`] for another kind of file, [`SnapshotError::NewerFormat`],
    /// [`SnapshotError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let file = File::open(path).map_err(SnapshotError::io("open", path))?;
        let bytes = map(&file).map_err(SnapshotError::io("map", path))?;
        let (header, table) = read_header(path, &bytes)?;
        let sections = read_table(path, &bytes, &table)?;
        let boards = sections.get(Kind::Boards as usize - 1).map_or(0, Range::len) / size_of::<BoardRecord>();
        let snapshot =
            Self { path: path.to_owned(), header, bytes, sections, bucket_bits: bucket_bits(boards) };
        match snapshot.fault() {
            None => Ok(snapshot),
            Some(reason) => Err(SnapshotError::damaged(path, reason)),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.header.version.get()
    }

    /// When it was published, in microseconds since 1970.
    #[must_use]
    pub const fn created(&self) -> i64 {
        self.header.created.get()
    }

    /// Up to which moment of the input it is made, in microseconds since 1970.
    #[must_use]
    pub const fn watermark(&self) -> i64 {
        self.header.watermark.get()
    }

    /// The hash of the spec by which it is made.
    #[must_use]
    pub const fn spec_hash(&self) -> [u8; 32] {
        self.header.spec_hash
    }

    /// The hash of the rules by which it is made.
    #[must_use]
    pub const fn rules_hash(&self) -> [u8; 32] {
        self.header.rules_hash
    }

    /// How many places were asked of each board; 0 where that was not said.
    #[must_use]
    pub const fn k(&self) -> u32 {
        self.header.k.get()
    }

    /// What its items are.
    #[must_use]
    pub const fn item_kind(&self) -> ItemKind {
        if self.header.item_kind.get() == 0 { ItemKind::Int } else { ItemKind::Text }
    }

    pub(super) const fn bucket_bits(&self) -> u32 {
        self.bucket_bits
    }

    #[inline]
    pub(super) fn buckets(&self) -> &[U32] {
        self.records(Kind::Buckets)
    }

    #[inline]
    pub(super) fn boards(&self) -> &[BoardRecord] {
        self.records(Kind::Boards)
    }

    pub(super) fn sequence(&self) -> &[U32] {
        self.records(Kind::Sequence)
    }

    #[inline]
    pub(super) fn entries(&self) -> &[EntryRecord] {
        self.records(Kind::Entries)
    }

    #[inline]
    pub(super) fn order(&self) -> &[U32] {
        self.records(Kind::Order)
    }

    #[inline]
    pub(super) fn heap(&self) -> &[u8] {
        self.section(Kind::Heap)
    }

    #[inline]
    fn section(&self, kind: Kind) -> &[u8] {
        let range = self.sections.get(kind as usize - 1).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }

    /// The records of a section; `fault` has found that there is a whole number of them.
    #[inline]
    fn records<T: FromBytes + Immutable + zerocopy::KnownLayout>(&self, kind: Kind) -> &[T] {
        <[T]>::ref_from_bytes(self.section(kind)).unwrap_or_default()
    }

    /// What is wrong with the content, if anything is.
    fn fault(&self) -> Option<&'static str> {
        let is_whole = |kind, size| self.section(kind).len().is_multiple_of(size);
        let records = [
            (Kind::Buckets, size_of::<U32>()),
            (Kind::Boards, size_of::<BoardRecord>()),
            (Kind::Sequence, size_of::<U32>()),
            (Kind::Entries, size_of::<EntryRecord>()),
            (Kind::Order, size_of::<U32>()),
        ];
        if !records.into_iter().all(|(kind, size)| is_whole(kind, size)) {
            return Some("a section ends within a record");
        }
        if self.order().len() != self.entries().len() || self.sequence().len() != self.boards().len() {
            return Some("sections that belong together differ in length");
        }
        if !self.buckets_fit() {
            return Some("the boards do not stand in their buckets");
        }
        if !self.sequence_fits() {
            return Some("the sequence does not name each board once");
        }
        if !self.boards().iter().all(|board| self.key_fits(board)) {
            return Some("a key is not that of its board");
        }
        if !self.boards().iter().all(|board| self.board_fits(board)) {
            return Some("a board points outside its section");
        }
        None
    }

    fn buckets_fit(&self) -> bool {
        let (boards, bits) = (self.boards(), self.bucket_bits);
        let buckets = self.buckets();
        let of = |number: usize| boards.get(number).map_or(u64::MAX, |board| bucket(board.key.get(), bits));
        let is_start = |(number, start): (u64, &U32)| {
            let start = start.get() as usize;
            let follows = start == boards.len() || (start < boards.len() && of(start) >= number);
            follows && start.checked_sub(1).is_none_or(|last| of(last) < number)
        };
        buckets.len() as u64 == (1_u64 << bits) + 1
            && boards.is_sorted_by_key(|board| board.key.get())
            && (0..).zip(buckets).all(is_start)
    }

    /// Names lie in the heap in the sequence of the boards.
    fn sequence_fits(&self) -> bool {
        let name = |place: &U32| self.boards().get(place.get() as usize).map(|board| board.name.get());
        let names: Option<Vec<_>> = self.sequence().iter().map(name).collect();
        names.is_some_and(|names| names.is_sorted_by(|left, right| left < right))
    }

    fn key_fits(&self, board: &BoardRecord) -> bool {
        let name = range(board.name.get(), board.name_length.get().into());
        let Some(name) = name.and_then(|range| self.heap().get(range)) else { return false };
        let is_text = |part: Option<&[u8]>| part.is_some_and(|part| str::from_utf8(part).is_ok());
        let mut parts = name_parts(name);
        !name.is_empty() && parts.all(is_text) && key(name_parts(name).flatten()) == board.key.get()
    }

    fn board_fits(&self, board: &BoardRecord) -> bool {
        let Some(places) = range(board.entries.get(), board.count.get().into()) else { return false };
        let (Some(entries), Some(order)) = (self.entries().get(places.clone()), self.order().get(places))
        else {
            return false;
        };
        let is_item = |entry: &EntryRecord| match self.item_kind() {
            ItemKind::Int => true,
            ItemKind::Text => {
                let item = entry.item.get();
                text(self.heap(), item).len() as u64 == item >> START_BITS
            }
        };
        entries.iter().all(is_item) && order.iter().all(|place| place.get() < board.count.get())
    }
}

/// The header and the table, if they are what was written.
fn read_header(path: &Path, bytes: &[u8]) -> Result<(Header, Vec<Section>), SnapshotError> {
    let foreign = |reason: &str| SnapshotError::Foreign { path: path.to_owned(), reason: reason.to_owned() };
    if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
        return Err(foreign("it does not begin as one"));
    }
    let (header, rest) =
        Header::read_from_prefix(bytes).map_err(|_| foreign("it is shorter than a header"))?;
    // Before anything else is believed: a later format may have another header.
    let format = header.format.get();
    if format != FORMAT {
        return Err(SnapshotError::NewerFormat { path: path.to_owned(), format, known: FORMAT });
    }
    let damaged = |reason: String| SnapshotError::damaged(path, reason);
    if header.length.get() != bytes.len() as u64 {
        return Err(damaged(format!("it has {} bytes and was written with {}", bytes.len(), header.length)));
    }
    let table = (header.sections.get() as usize == Kind::ALL.len())
        .then(|| rest.get(..Kind::ALL.len() * size_of::<Section>()))
        .flatten()
        .ok_or_else(|| damaged("it has no table of sections".to_owned()))?;
    let mut unsigned = header;
    unsigned.checksum = 0.into();
    if checksum(&[unsigned.as_bytes(), table].concat()) != header.checksum.get() {
        return Err(damaged("the checksum of its header differs".to_owned()));
    }
    let table = <[Section]>::ref_from_bytes(table).unwrap_or_default().to_vec();
    Ok((header, table))
}

/// Where the sections lie, if their content is what was written.
fn read_table(
    path: &Path,
    bytes: &[u8],
    table: &[Section],
) -> Result<[Range<usize>; Kind::ALL.len()], SnapshotError> {
    let mut ranges: [Range<usize>; Kind::ALL.len()] = Default::default();
    let mut end = size_of::<Header>() + size_of_val(table);
    for ((kind, section), place) in Kind::ALL.into_iter().zip(table).zip(&mut ranges) {
        let range = range(section.offset.get(), section.length.get());
        let content = range.clone().and_then(|range| bytes.get(range));
        let (Some(range), Some(content)) = (range, content) else {
            return Err(SnapshotError::damaged(path, format!("section {kind:?} lies outside the file")));
        };
        if section.kind.get() != kind as u32 || checksum(content) != section.checksum.get() {
            return Err(SnapshotError::damaged(path, format!("the checksum of section {kind:?} differs")));
        }
        check_gap(path, bytes, end..range.start)?;
        end = range.end;
        *place = range;
    }
    check_gap(path, bytes, end..bytes.len())?;
    Ok(ranges)
}

/// No checksum covers what lies between sections: it is zeros.
fn check_gap(path: &Path, bytes: &[u8], gap: Range<usize>) -> Result<(), SnapshotError> {
    match bytes.get(gap).is_some_and(|gap| gap.iter().all(|byte| *byte == 0)) {
        true => Ok(()),
        false => Err(SnapshotError::damaged(path, "there is something between its sections".to_owned())),
    }
}

fn range(start: u64, length: u64) -> Option<Range<usize>> {
    let end = usize::try_from(start.checked_add(length)?).ok()?;
    Some(usize::try_from(start).ok()?..end)
}
