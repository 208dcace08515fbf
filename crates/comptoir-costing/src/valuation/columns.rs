//! Movements as coded columns: what the Arrow reader and the row interface both make, and the batch engine reads.

use std::cmp::Ordering;
use std::ops::Deref;

use comptoir_types::Clock;

use super::partition::follows_reference;
use crate::movement::Kind;
use crate::policy::Rules;
use crate::reject::Fault;

/// A column of numbers: its own memory, or that of an Arrow buffer without a copy.
#[derive(Clone, Debug)]
pub(crate) enum Numbers<T: Number> {
    Owned(Vec<T>),
    #[cfg(feature = "arrow")]
    Shared(arrow_buffer::ScalarBuffer<T>),
}

/// Units in 64 bits: what is computed with.
pub(crate) type Units = Numbers<i64>;

/// Units in 128 bits: what is handed out, since this is the width of a decimal that every Arrow consumer reads.
pub(crate) type WideUnits = Numbers<i128>;

/// What a column may hold.
#[cfg(feature = "arrow")]
pub(crate) trait Number: arrow_buffer::ArrowNativeType {}
#[cfg(not(feature = "arrow"))]
pub(crate) trait Number {}

impl Number for i64 {}
impl Number for i128 {}

impl<T: Number> From<Vec<T>> for Numbers<T> {
    /// Takes the memory over, in the form in which results are handed out without a copy.
    fn from(values: Vec<T>) -> Self {
        #[cfg(feature = "arrow")]
        return Self::Shared(values.into());
        #[cfg(not(feature = "arrow"))]
        return Self::Owned(values);
    }
}

impl<T: Number> Default for Numbers<T> {
    fn default() -> Self {
        Self::Owned(Vec::new())
    }
}

impl<T: Number> Deref for Numbers<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Owned(values) => values,
            #[cfg(feature = "arrow")]
            Self::Shared(values) => values,
        }
    }
}

/// The numbers of consecutive rows. Absent numbers are `ABSENT`; a column that the input lacks is empty.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// First row.
    pub start: usize,
    /// Codes of the kinds; unknown ones are among the faults.
    pub kind: Vec<u8>,
    pub at: Units,
    pub quantity: Units,
    pub amount: Units,
    pub unit_cost: Units,
}

/// Identity of movements, kept where it came from.
pub(crate) trait Ids: Send + Sync + std::fmt::Debug {
    /// Order of two rows by movement id.
    fn compare(&self, one: u32, other: u32) -> Ordering;
    /// Whether ids ascend strictly with the rows.
    fn ascending(&self) -> bool;
    /// The id of a row as text.
    fn text(&self, row: u32) -> String;
}

/// A whole history, coded. Coded columns that the input lacks are empty; `NONE` stands for null.
#[derive(Debug)]
pub(crate) struct Columns {
    pub rows: usize,
    pub chunks: Vec<Chunk>,
    /// Item codes, numbered by first appearance.
    pub item: Vec<u32>,
    pub items: usize,
    pub pool: Vec<u32>,
    pub lot: Vec<u32>,
    pub group: Vec<u32>,
    /// Row of the movement referred to, `NONE`, or [`MISSING`].
    pub reference: Vec<u32>,
    pub ids: Box<dyn Ids>,
    pub clock: Clock,
    pub utc_offset: i64,
    pub quantity_scale: u8,
    /// The distinct choices, and which of them each item has; empty when all have the first.
    pub rules: Vec<Rules>,
    pub item_rules: Vec<u32>,
    /// Whether times were moved out of a closed period, so that they are no longer those of the input.
    #[cfg_attr(not(feature = "arrow"), expect(dead_code, reason = "only tables read it"))]
    pub moved: bool,
    /// Rows that cannot be read, or are not to be, ascending by row.
    pub faults: Vec<(u32, Fault)>,
}

/// A reference that names no movement.
pub(crate) const MISSING: u32 = u32::MAX - 1;

impl Columns {
    /// The chunk that holds a row, and the row's place in it.
    pub fn locate(&self, row: u32) -> Option<(&Chunk, usize)> {
        let row = row as usize;
        let place = self.chunks.partition_point(|chunk| chunk.start <= row).checked_sub(1)?;
        let chunk = self.chunks.get(place)?;
        Some((chunk, row - chunk.start))
    }

    /// A coded value of a row, `NONE` where the input lacks the column.
    pub fn code(column: &[u32], row: u32) -> u32 {
        column.get(row as usize).copied().unwrap_or(crate::posting::NONE)
    }

    /// The row whose stock a movement changes: its own, or that of the movement which it follows.
    ///
    /// A reversal may follow a cost adjustment, and that a receipt: no way is longer. Rows that are not checked yet may refer to each
    /// other in a circle.
    pub fn stands_at(&self, row: u32) -> u32 {
        let mut row = row;
        for _ in 0..2 {
            let kind = self
                .locate(row)
                .and_then(|(chunk, place)| chunk.kind.get(place))
                .copied()
                .and_then(Kind::from_code);
            let reference = Self::code(&self.reference, row);
            if !kind.is_some_and(follows_reference) || reference >= MISSING || reference == row {
                return row;
            }
            row = reference;
        }
        row
    }

    /// The choices that hold for an item.
    pub fn rules_of(&self, item: u32) -> usize {
        self.item_rules.get(item as usize).map_or(0, |index| *index as usize)
    }
}
