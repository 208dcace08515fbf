//! Items of candidates: numbers where their column is of integers, bytes elsewhere.

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field};

use super::candidate::Candidate;
use super::error::BoardError;
use super::keys::{KeyColumns, KeyRows, named, schema_change};
use super::words::{self, Words};

/// The column of items.
#[derive(Debug)]
pub struct Items {
    name: String,
    bytes: KeyColumns,
    /// The type of a column of integers, once it is known to be one.
    integer: Option<DataType>,
}

/// The items of some rows.
#[derive(Debug)]
pub enum ItemRows {
    Words(Vec<u64>),
    Bytes(KeyRows),
}

impl Items {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), bytes: KeyColumns::names(&[name.to_owned()]), integer: None }
    }

    /// The items of some rows, none of which is null.
    pub fn read(&mut self, batch: &RecordBatch, rows: &UInt32Array) -> Result<ItemRows, BoardError> {
        let array = named(batch, &self.name)?;
        if let Some(known) = &self.integer {
            if let DataType::Dictionary(..) = array.data_type() {
                let some = arrow_select::take::take(&array, rows, None).map_err(BoardError::internal)?;
                return self.words(&super::keys::unpacked(&some)?, None);
            }
            if known != array.data_type() {
                return Err(schema_change(&self.name, known, array.data_type()));
            }
            return self.words(&array, Some(rows));
        }
        let plain = match array.data_type() {
            DataType::Dictionary(_, values) => values,
            other => other,
        };
        if !self.bytes.is_known() && Words::of(&*arrow_array::new_empty_array(plain)).is_some() {
            super::keys::check_name(&self.name, plain)?;
            self.integer = Some(plain.clone());
            return self.read(batch, rows);
        }
        self.bytes.encode_rows(batch, rows).map(ItemRows::Bytes)
    }

    fn words(&self, array: &ArrayRef, rows: Option<&UInt32Array>) -> Result<ItemRows, BoardError> {
        let words = Words::of(array).ok_or_else(|| BoardError::internal("items that are no integers"))?;
        Ok(ItemRows::Words(match rows {
            Some(rows) => words.words(rows.values()),
            None => (0..array.len()).map(|row| words.word(row)).collect(),
        }))
    }

    /// What is known of the column, from another collector.
    pub fn learn(&mut self, other: &Self) -> Result<(), BoardError> {
        if let (Some(known), Some(found)) = (&self.integer, &other.integer)
            && known != found
        {
            return Err(schema_change(&self.name, known, found));
        }
        self.integer = self.integer.take().or_else(|| other.integer.clone());
        self.bytes.learn(&other.bytes)
    }

    /// The items of so many candidates as a column. Nothing before the first batch.
    pub fn column<'c>(
        &self,
        candidates: impl Iterator<Item = Candidate<'c>>,
        count: usize,
    ) -> Result<Option<(Field, ArrayRef)>, BoardError> {
        let Some(data_type) = &self.integer else {
            return Ok(self.bytes.decode(candidates.map(|candidate| candidate.item()))?.pop());
        };
        let mut words = Vec::with_capacity(count);
        words.extend(candidates.map(|candidate| match candidate.item().first_chunk() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => candidate.word,
        }));
        let array = words::column(data_type, &words, None)?;
        Ok(Some((Field::new(&self.name, data_type.clone(), false), array)))
    }
}
