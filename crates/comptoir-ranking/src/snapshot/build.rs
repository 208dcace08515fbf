use std::collections::HashMap;
use std::io::{self, Write};

use zerocopy::IntoBytes;
use zerocopy::little_endian::{F64, U32, U64};

use super::error::SnapshotError;
use super::format::{
    ALIGNMENT, BoardRecord, EntryRecord, FORMAT, Header, Kind, MAGIC, SECTIONS, START_BITS, Section, bucket,
    bucket_bits, checksum, is_name, key,
};
use crate::Score;

/// What items are in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// Integers.
    Int,
    /// Texts.
    Text,
}

/// An item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item<'i> {
    /// An integer.
    Int(i64),
    /// A text.
    Text(&'i str),
}

impl std::fmt::Display for Item<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(item) => item.fmt(formatter),
            Self::Text(item) => item.fmt(formatter),
        }
    }
}

/// Collects boards for a snapshot.
///
/// ```
/// use comptoir_ranking::Score;
/// use comptoir_ranking::snapshot::{Item, ItemKind, SnapshotBuilder};
///
/// let mut builder = SnapshotBuilder::new(ItemKind::Text);
/// let score = |number| Score::new(number).unwrap();
/// builder.board("best sellers", &["FR"], [(Item::Text("mug"), score(9.0)), (Item::Text("bag"), score(7.0))])?;
/// let builder = builder.watermark(1_700_000_000_000_000);
/// # Ok::<(), comptoir_ranking::snapshot::SnapshotError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SnapshotBuilder {
    item_kind: ItemKind,
    watermark: i64,
    spec_hash: [u8; 32],
    rules_hash: [u8; 32],
    k: u32,
    boards: Vec<BoardRecord>,
    /// The boards of each key; more than one where keys collide.
    by_key: HashMap<u64, Vec<u32>>,
    entries: Vec<EntryRecord>,
    order: Vec<U32>,
    heap: Vec<u8>,
}

impl SnapshotBuilder {
    /// Without boards.
    #[must_use]
    pub fn new(item_kind: ItemKind) -> Self {
        Self {
            item_kind,
            watermark: 0,
            spec_hash: [0; 32],
            rules_hash: [0; 32],
            k: 0,
            boards: Vec::new(),
            by_key: HashMap::new(),
            entries: Vec::new(),
            order: Vec::new(),
            heap: Vec::new(),
        }
    }

    /// Up to which moment of the input it is made, in microseconds since 1970.
    #[must_use]
    pub const fn watermark(mut self, micros: i64) -> Self {
        self.watermark = micros;
        self
    }

    /// The hashes of the spec and of the rules by which it is made.
    #[must_use]
    pub const fn hashes(mut self, spec: [u8; 32], rules: [u8; 32]) -> Self {
        self.spec_hash = spec;
        self.rules_hash = rules;
        self
    }

    /// The hashes so far, of the spec and of the rules.
    #[must_use]
    pub const fn known_hashes(&self) -> ([u8; 32], [u8; 32]) {
        (self.spec_hash, self.rules_hash)
    }

    /// How many places were asked of each board; 0, as in a new builder, says nothing about it.
    #[must_use]
    pub const fn k(mut self, places: u32) -> Self {
        self.k = places;
        self
    }

    /// Adds the board `board` of the group with these values, the first item on position 1.
    ///
    /// # Errors
    /// [`SnapshotError::BoardTwice`], [`SnapshotError::ItemTwice`], [`SnapshotError::ItemKind`], and
    /// [`SnapshotError::TooLarge`] beyond 2^32 - 1 boards, entries of a board or bytes of a name, 2^40 bytes of text, or
    /// 16 MB for one item. Nothing is added then.
    pub fn board<'i>(
        &mut self,
        board: &str,
        group: &[&str],
        entries: impl IntoIterator<Item = (Item<'i>, Score)>,
    ) -> Result<(), SnapshotError> {
        let kept = (self.entries.len(), self.heap.len());
        let added = self.add(board, group, entries);
        if added.is_err() {
            self.entries.truncate(kept.0);
            self.heap.truncate(kept.1);
        }
        added
    }

    fn add<'i>(
        &mut self,
        board: &str,
        group: &[&str],
        entries: impl IntoIterator<Item = (Item<'i>, Score)>,
    ) -> Result<(), SnapshotError> {
        let key = self.new_key(board, group)?;
        let name = self.heap.len();
        for part in [board].iter().chain(group) {
            self.heap.extend(to_u32(part.len(), "a name")?.to_le_bytes());
            self.heap.extend(part.as_bytes());
        }
        let name_length = self.heap.len() - name;
        let first = self.entries.len();
        for (item, score) in entries {
            let item = U64::new(self.item(item)?);
            self.entries.push(EntryRecord { item, score: F64::new(score.get()) });
        }
        let order = self.in_item_order(first, board, group)?;
        let number = to_u32(self.boards.len(), "the number of boards")?;
        let record = BoardRecord {
            key: key.into(),
            entries: U64::new(first as u64),
            name: U64::new(name as u64),
            count: to_u32(self.entries.len() - first, "a board")?.into(),
            name_length: to_u32(name_length, "a name")?.into(),
        };
        self.order.extend(order);
        self.boards.push(record);
        self.by_key.entry(key).or_default().push(number);
        Ok(())
    }

    /// The key of a board that is not there yet.
    fn new_key(&self, board: &str, group: &[&str]) -> Result<u64, SnapshotError> {
        let parts = || [board].into_iter().chain(group.iter().copied()).map(str::as_bytes);
        let key = key(parts());
        let others = self.by_key.get(&key).map_or(&[][..], Vec::as_slice);
        let is_same = |number: &&u32| {
            let name = self.boards.get(**number as usize).and_then(|board| {
                let start = usize::try_from(board.name.get()).ok()?;
                self.heap.get(start..start + board.name_length.get() as usize)
            });
            name.is_some_and(|name| is_name(name, parts()))
        };
        if others.iter().any(|number| is_same(&number)) {
            return Err(SnapshotError::BoardTwice { board: board.to_owned(), group: owned(group) });
        }
        Ok(key)
    }

    /// An item as 64 bits; a text goes to the heap.
    fn item(&mut self, item: Item<'_>) -> Result<u64, SnapshotError> {
        match (self.item_kind, item) {
            (ItemKind::Int, Item::Int(item)) => Ok(item.cast_unsigned()),
            (ItemKind::Text, Item::Text(text)) => {
                let start = self.heap.len() as u64;
                let length = text.len() as u64;
                if start >> START_BITS != 0 || length >> (u64::BITS - START_BITS) != 0 {
                    return Err(SnapshotError::TooLarge { what: "texts of items" });
                }
                self.heap.extend(text.as_bytes());
                Ok(length << START_BITS | start)
            }
            (kind, item) => {
                let expected = if kind == ItemKind::Int { "integers" } else { "texts" };
                Err(SnapshotError::ItemKind { item: item.to_string(), expected })
            }
        }
    }

    /// The places of the entries from `first` on, by item.
    fn in_item_order(&self, first: usize, board: &str, group: &[&str]) -> Result<Vec<U32>, SnapshotError> {
        let entries = self.entries.get(first..).unwrap_or_default();
        let mut places: Vec<u32> = (0..to_u32(entries.len(), "a board")?).collect();
        let item = |place: &u32| entries.get(*place as usize).map_or(0, |entry| entry.item.get());
        match self.item_kind {
            ItemKind::Int => places.sort_unstable_by_key(|place| item(place).cast_signed()),
            ItemKind::Text => places.sort_unstable_by_key(|place| text(&self.heap, item(place))),
        }
        let is_same = |left: &u32, right: &u32| match self.item_kind {
            ItemKind::Int => item(left) == item(right),
            ItemKind::Text => text(&self.heap, item(left)) == text(&self.heap, item(right)),
        };
        let twice = places.windows(2).find(|pair| matches!(pair, [left, right] if is_same(left, right)));
        if let Some([place, ..]) = twice {
            let item = match self.item_kind {
                ItemKind::Int => item(place).cast_signed().to_string(),
                ItemKind::Text => String::from_utf8_lossy(text(&self.heap, item(place))).into_owned(),
            };
            return Err(SnapshotError::ItemTwice { item, board: board.to_owned(), group: owned(group) });
        }
        Ok(places.into_iter().map(U32::new).collect())
    }

    /// Writes the file.
    pub(super) fn write(&self, version: u64, created: i64, file: &mut impl Write) -> io::Result<()> {
        let (buckets, boards, sequence) = self.by_key();
        let contents = [
            buckets.as_bytes(),
            boards.as_bytes(),
            sequence.as_bytes(),
            self.entries.as_bytes(),
            self.order.as_bytes(),
            &self.heap,
        ];
        let mut end = size_of::<Header>() + Kind::ALL.len() * size_of::<Section>();
        let sections = Kind::ALL.into_iter().zip(contents).map(|(kind, bytes)| {
            let offset = end.next_multiple_of(ALIGNMENT);
            end = offset + bytes.len();
            Section {
                kind: U32::new(kind as u32),
                reserved: U32::ZERO,
                offset: U64::new(offset as u64),
                length: U64::new(bytes.len() as u64),
                checksum: U64::new(checksum(bytes)),
            }
        });
        let sections: Vec<_> = sections.collect();
        let header = self.header(version, created, end as u64, &sections);

        file.write_all(header.as_bytes())?;
        file.write_all(sections.as_bytes())?;
        let mut written = size_of::<Header>() + sections.as_bytes().len();
        for bytes in contents {
            let padding = written.next_multiple_of(ALIGNMENT) - written;
            file.write_all([0; ALIGNMENT].get(..padding).unwrap_or_default())?;
            file.write_all(bytes)?;
            written += padding + bytes.len();
        }
        Ok(())
    }

    fn header(&self, version: u64, created: i64, length: u64, sections: &[Section]) -> Header {
        let mut header = Header {
            magic: MAGIC,
            format: FORMAT.into(),
            sections: SECTIONS.into(),
            length: length.into(),
            version: version.into(),
            created: created.into(),
            watermark: self.watermark.into(),
            spec_hash: self.spec_hash,
            rules_hash: self.rules_hash,
            item_kind: U32::new(u32::from(self.item_kind == ItemKind::Text)),
            k: self.k.into(),
            checksum: U64::ZERO,
        };
        header.checksum = checksum(&[header.as_bytes(), sections.as_bytes()].concat()).into();
        header
    }

    /// Where each bucket starts, the boards by key, and where each given board stands among them.
    fn by_key(&self) -> (Vec<U32>, Vec<BoardRecord>, Vec<U32>) {
        let key = |number: &u32| self.boards.get(*number as usize).map_or(0, |board| board.key.get());
        #[expect(clippy::cast_possible_truncation, reason = "there are at most 2^32 - 1 boards")]
        let count = self.boards.len() as u32;
        let mut numbers: Vec<u32> = (0..count).collect();
        numbers.sort_unstable_by_key(|number| (key(number), *number));
        let bits = bucket_bits(numbers.len());
        let start =
            |bucket_number: u64| numbers.partition_point(|board| bucket(key(board), bits) < bucket_number);
        #[expect(clippy::cast_possible_truncation, reason = "there are at most 2^32 - 1 boards")]
        let starts = (0..=1_u64 << bits).map(|number| U32::new(start(number) as u32)).collect();
        let boards = numbers.iter().filter_map(|number| self.boards.get(*number as usize).copied()).collect();
        let mut sequence = vec![U32::ZERO; numbers.len()];
        for (place, number) in (0_u32..).zip(&numbers) {
            if let Some(of_board) = sequence.get_mut(*number as usize) {
                *of_board = place.into();
            }
        }
        (starts, boards, sequence)
    }
}

/// The text that an item of texts stands for.
#[inline]
pub(super) fn text(heap: &[u8], item: u64) -> &[u8] {
    let (start, length) = (item & ((1 << START_BITS) - 1), item >> START_BITS);
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    start.checked_add(length).and_then(|end| heap.get(start..end)).unwrap_or_default()
}

fn owned(group: &[&str]) -> Vec<String> {
    group.iter().map(|&value| value.to_owned()).collect()
}

fn to_u32(number: usize, what: &'static str) -> Result<u32, SnapshotError> {
    u32::try_from(number).ok().filter(|number| *number != u32::MAX).ok_or(SnapshotError::TooLarge { what })
}
