use zerocopy::little_endian::U32;

use super::build::{Item, ItemKind, text};
use super::format::{BoardRecord, EntryRecord, bucket, is_name, key, name_parts};
use super::open::Snapshot;

/// So many integers are sooner read from first to last than found by halves: memory that is read in order comes by
/// itself, while each half waits for its own.
const SCANNED: usize = 256;

/// A board of a snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Board<'s> {
    kind: ItemKind,
    heap: &'s [u8],
    entries: &'s [EntryRecord],
    order: &'s [U32],
    name: &'s [u8],
}

/// An item as it lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemRef<'s> {
    /// An integer.
    Int(i64),
    /// The bytes of a text.
    Text(&'s [u8]),
}

/// A place on a board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry<'s> {
    /// From 1.
    pub position: usize,
    /// What stands there.
    pub item: ItemRef<'s>,
    /// Its score.
    pub score: f64,
}

impl Snapshot {
    /// How many boards there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.boards().len()
    }

    /// Whether there are no boards.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.boards().is_empty()
    }

    /// The board `board` of the group with these values.
    #[must_use]
    pub fn board(&self, board: &str, group: &[&str]) -> Option<Board<'_>> {
        let (number, _) = self.number(board, group)?;
        self.view(self.boards().get(number)?)
    }

    /// The number and the key of a board.
    pub(super) fn number(&self, board: &str, group: &[&str]) -> Option<(usize, u64)> {
        let parts = || [board].into_iter().chain(group.iter().copied()).map(str::as_bytes);
        let key = key(parts());
        let bucket = usize::try_from(bucket(key, self.bucket_bits())).ok()?;
        let [start, end] = self.buckets().get(bucket..bucket + 2)? else { return None };
        let numbers = start.get() as usize..end.get() as usize;
        let candidates = self.boards().get(numbers.clone())?.iter().zip(numbers);
        // Two names may have one key.
        let is_asked = |record: &BoardRecord| {
            record.key.get() == key && self.name(record).is_some_and(|name| is_name(name, parts()))
        };
        let found = candidates.into_iter().find(|(record, _)| is_asked(record))?;
        Some((found.1, key))
    }

    #[inline]
    fn name(&self, record: &BoardRecord) -> Option<&[u8]> {
        let start = usize::try_from(record.name.get()).ok()?;
        self.heap().get(start..start.checked_add(record.name_length.get() as usize)?)
    }

    /// All boards, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = Board<'_>> {
        self.sequence().iter().filter_map(|number| self.view(self.boards().get(number.get() as usize)?))
    }

    #[inline]
    pub(super) fn view(&self, record: &BoardRecord) -> Option<Board<'_>> {
        let start = usize::try_from(record.entries.get()).ok()?;
        let places = start..start.checked_add(record.count.get() as usize)?;
        Some(Board {
            kind: self.item_kind(),
            heap: self.heap(),
            entries: self.entries().get(places.clone())?,
            order: self.order().get(places)?,
            name: self.name(record)?,
        })
    }
}

impl<'s> Board<'s> {
    pub(super) const EMPTY: Self =
        Self { kind: ItemKind::Int, heap: &[], entries: &[], order: &[], name: &[] };

    /// Its name, then its group values.
    pub fn name(&self) -> impl Iterator<Item = &'s str> {
        name_parts(self.name).map(|part| part.and_then(|part| str::from_utf8(part).ok()).unwrap_or_default())
    }

    /// How many places it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing stands on it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Up to `limit` places after the first `offset`; fewer at the end, none after it.
    #[inline]
    pub fn page(&self, offset: usize, limit: usize) -> impl ExactSizeIterator<Item = Entry<'s>> + use<'s> {
        let board = *self;
        let start = offset.min(self.entries.len());
        let end = start.saturating_add(limit).min(self.entries.len());
        let entries = self.entries.get(start..end).unwrap_or_default();
        entries.iter().enumerate().map(move |(nth, entry)| Entry {
            position: start + nth + 1,
            item: board.item(entry),
            score: entry.score.get(),
        })
    }

    /// The position of an item, from 1; `None` when it is not on the board.
    #[must_use]
    pub fn rank_of(&self, item: Item<'_>) -> Option<usize> {
        let found = match (self.kind, item) {
            (ItemKind::Int, Item::Int(item)) if self.entries.len() <= SCANNED => {
                let item = item.cast_unsigned();
                return Some(self.entries.iter().position(|entry| entry.item.get() == item)? + 1);
            }
            (ItemKind::Int, Item::Int(item)) => {
                self.order.binary_search_by_key(&Some(item), |place| match self.at(*place) {
                    Some(ItemRef::Int(other)) => Some(other),
                    _ => None,
                })
            }
            (ItemKind::Text, Item::Text(item)) => {
                self.order.binary_search_by_key(&Some(item.as_bytes()), |place| match self.at(*place) {
                    Some(ItemRef::Text(other)) => Some(other),
                    _ => None,
                })
            }
            _ => return None,
        };
        Some(self.order.get(found.ok()?)?.get() as usize + 1)
    }

    fn at(&self, place: U32) -> Option<ItemRef<'s>> {
        self.entries.get(place.get() as usize).map(|entry| self.item(entry))
    }

    #[inline]
    fn item(&self, entry: &EntryRecord) -> ItemRef<'s> {
        match self.kind {
            ItemKind::Int => ItemRef::Int(entry.item.get().cast_signed()),
            ItemKind::Text => ItemRef::Text(text(self.heap, entry.item.get())),
        }
    }
}

impl std::fmt::Display for ItemRef<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(item) => item.fmt(formatter),
            Self::Text(item) => String::from_utf8_lossy(item).fmt(formatter),
        }
    }
}
