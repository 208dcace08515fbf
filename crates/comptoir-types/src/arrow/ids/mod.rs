//! Columns that name rows, and columns that refer to them.

mod duplicates;
mod resolve;

use std::cmp::Ordering;

use arrow_array::ArrayRef;

use super::intern::split;
use super::keys::{Form, KeyColumn, NULL_KEY, is_long};
use crate::error::Error;

/// A reference that is null.
pub const NONE: u32 = u32::MAX;

/// A reference to an id that no row has.
pub const MISSING: u32 = u32::MAX - 1;

/// The ids of a table: are they unique, which row has an id, which of two comes first.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, StringArray};
/// use comptoir_types::arrow::{IdIndex, MISSING, NONE};
///
/// let ids: ArrayRef = Arc::new(StringArray::from(vec!["r1", "s1", "r1"]));
/// let refs: ArrayRef = Arc::new(StringArray::from(vec![None, Some("r1"), Some("r9")]));
/// let index = IdIndex::new(&[ids], "movement_id")?;
/// assert_eq!(index.duplicates(), [(2, 0)]);
/// assert_eq!(index.resolve(&[refs], "ref")?, [NONE, 0, MISSING]);
/// # Ok::<(), comptoir_types::Error>(())
/// ```
#[derive(Debug)]
pub struct IdIndex {
    column: KeyColumn,
    rises: bool,
}

impl IdIndex {
    /// A view of a column of text, integers or dictionaries of either; nothing is copied.
    ///
    /// # Errors
    /// `TYPES_COLUMN_TYPE` for any other type and for chunks that mix text and integers; `TYPES_TOO_MANY_ROWS` above
    /// 2^32 - 3 rows.
    pub fn new(chunks: &[ArrayRef], column: &str) -> Result<Self, Error> {
        let column = KeyColumn::new(chunks, column)?;
        let rises = duplicates::rises(&column, &split(column.rows(), rayon::current_num_threads()));
        Ok(Self { column, rises })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.column.rows()
    }

    /// Whether every row has an id, each greater than the one before it.
    #[must_use]
    pub const fn rises(&self) -> bool {
        self.rises
    }

    /// The rows without an id, ascending.
    #[must_use]
    pub fn null_rows(&self) -> Vec<u64> {
        let mut rows = Vec::new();
        if self.column.has_nulls() || self.column.has_dictionary() {
            self.column.for_each(0..self.column.rows(), |row, key| {
                if key == NULL_KEY {
                    rows.push(row as u64);
                }
            });
        }
        rows
    }

    /// The rows whose id occurred before, ascending, each with the row where it occurred first. Null is no id.
    #[must_use]
    pub fn duplicates(&self) -> Vec<(u64, u64)> {
        duplicates::duplicates(&self.column, self.rises)
    }

    /// For every row of `refs` the first row that has this id, [`NONE`] for null and [`MISSING`] where no row has it.
    /// The two columns may differ in layout and width, but not in text against integers.
    ///
    /// # Errors
    /// As [`IdIndex::new`], for the column of references `column`.
    pub fn resolve(&self, refs: &[ArrayRef], column: &str) -> Result<Vec<u32>, Error> {
        let refs = KeyColumn::new(refs, column)?;
        if refs.form != self.column.form && refs.form != Form::Null && self.column.form != Form::Null {
            return Err(Error::ColumnType {
                column: column.to_owned(),
                expected: "the form of the ids it refers to",
                found: if refs.form == Form::Text { "text" } else { "integers" }.to_owned(),
                advice: ": text and integers are never equal, so cast one of the two columns".to_owned(),
            });
        }
        Ok(resolve::resolve(&self.column, &refs))
    }

    /// The order of the ids of two rows: integers by value, text by its bytes, null last.
    #[must_use]
    pub fn compare(&self, row: usize, other: usize) -> Ordering {
        compare(&self.column, self.column.key(row), row, self.column.key(other), other)
    }
}

/// The order of two cells whose keys are at hand.
#[inline]
fn compare(column: &KeyColumn, key: u128, row: usize, other_key: u128, other: usize) -> Ordering {
    if column.form == Form::Integer || key == NULL_KEY || other_key == NULL_KEY {
        return key.cmp(&other_key);
    }
    if is_long(key) || is_long(other_key) {
        return column.bytes(row).cmp(column.bytes(other));
    }
    // The first byte of the text is the lowest of the key, and the length is the last to decide.
    key.swap_bytes().cmp(&other_key.swap_bytes())
}

/// Whether two cells are equal, whichever columns they are in.
#[inline]
fn equal(left: (&KeyColumn, u128, usize), right: (&KeyColumn, u128, usize)) -> bool {
    left.1 == right.1 && (!is_long(left.1) || left.0.bytes(left.2) == right.0.bytes(right.2))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
