//! Results of blocks as one array.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::arrays::Target;
use super::bits::{BLOCK, Bits, WORDS};
use super::rare::Rare;
use super::vector::Vector;
use crate::types::{Env, Type};
use crate::value::Value;

/// Results of consecutive blocks.
#[derive(Debug)]
pub(super) struct Piece {
    rows: usize,
    /// Rows that are errors, a bit for each.
    fault: Marks,
    null: Marks,
    data: Data,
}

/// A bit for each row of consecutive blocks; no words as long as none is set, and zeros behind the last of them.
#[derive(Debug, Default)]
struct Marks(Vec<u64>);

impl Marks {
    /// Adds a block that begins at word `start`.
    fn push(&mut self, start: usize, rows: &Rare, count: usize) {
        if let Some(words) = rows.words() {
            self.0.resize(start, 0);
            let all = Bits::first(count);
            self.0.extend(words.iter().zip(all.words()).map(|(own, all)| own & all));
        }
    }

    /// Adds those of blocks that begin at word `start`.
    fn append(&mut self, start: usize, other: Self) {
        if !other.0.is_empty() {
            self.0.resize(start, 0);
            self.0.extend(other.0);
        }
    }

    fn word(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn set(&mut self, row: usize) {
        if self.0.len() <= row / 64 {
            self.0.resize(row / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }
}

#[derive(Debug)]
enum Data {
    Bool(Vec<u64>),
    Int(Vec<i64>),
    Double(Vec<f64>),
    Values(Vec<Value<'static>>),
}

impl Data {
    /// Adds the values of a block one by one; gives the rows that are errors, and those that are null.
    fn push_each(&mut self, vector: &Vector<'_>, count: usize) -> (Rare, Rare) {
        let (mut fault, mut null) = (Bits::NONE, Bits::NONE);
        let mut read = |row: usize| match vector.get(row) {
            None => {
                fault.set(row);
                Value::Null
            }
            Some(Value::Null) => {
                null.set(row);
                Value::Null
            }
            Some(value) => value,
        };
        match self {
            Self::Bool(words) => {
                let mut other = Bits::NONE;
                let is = Bits::first(count).filter(|row| match read(row) {
                    Value::Bool(truth) => truth,
                    Value::Null => false,
                    _ => {
                        other.set(row);
                        false
                    }
                });
                words.extend(is.words());
                fault = fault.or(other);
            }
            Self::Int(values) => values.extend((0..count).map(|row| match read(row) {
                Value::Int(value) => value,
                _ => 0,
            })),
            Self::Double(values) => values.extend((0..count).map(|row| match read(row) {
                Value::Double(value) => value,
                _ => 0.0,
            })),
            Self::Values(values) => values.extend((0..count).map(|row| read(row).into_owned())),
        }
        (fault.into(), null.into())
    }
}

impl Piece {
    pub(super) fn of(ty: &Type, rows: usize) -> Self {
        let words = rows.div_ceil(BLOCK) * WORDS;
        let data = match ty.without_null() {
            Type::Bool => Data::Bool(Vec::with_capacity(words)),
            Type::Int => Data::Int(Vec::with_capacity(rows)),
            Type::Double => Data::Double(Vec::with_capacity(rows)),
            _ => Data::Values(Vec::new()),
        };
        Self { rows: 0, fault: Marks::default(), null: Marks::default(), data }
    }

    /// Adds a block.
    pub(super) fn push(&mut self, vector: &Vector<'_>, count: usize) {
        let (fault, null) = match (&mut self.data, vector) {
            (Data::Bool(words), Vector::Bool(truth, null)) => {
                words.extend(truth.is.words());
                (truth.fault.clone(), null.clone())
            }
            (Data::Int(values), Vector::Int(lanes)) => {
                extend(values, &lanes.values, count, 0);
                (lanes.fault.clone(), lanes.null.clone())
            }
            (Data::Double(values), Vector::Double(lanes)) => {
                extend(values, &lanes.values, count, 0.0);
                (lanes.fault.clone(), lanes.null.clone())
            }
            (data, _) => data.push_each(vector, count),
        };
        let start = self.words();
        self.fault.push(start, &fault, count);
        self.null.push(start, &null, count);
        self.rows += count;
    }

    /// Adds the piece that follows; the rows of all but the last are whole blocks.
    pub(super) fn append(&mut self, other: Self) {
        let start = self.words();
        self.rows += other.rows;
        self.fault.append(start, other.fault);
        self.null.append(start, other.null);
        match (&mut self.data, other.data) {
            (Data::Bool(own), Data::Bool(more)) => own.extend(more),
            (Data::Int(own), Data::Int(more)) => own.extend(more),
            (Data::Double(own), Data::Double(more)) => own.extend(more),
            (Data::Values(own), Data::Values(more)) => own.extend(more),
            _ => {}
        }
    }

    /// Words of all blocks.
    const fn words(&self) -> usize {
        self.rows.div_ceil(BLOCK) * WORDS
    }

    /// The array, and the rows that are errors: also those whose value has no place in the array.
    pub(super) fn finish(mut self, ty: &Type, env: &Env, unit: TimeUnit) -> (ArrayRef, Vec<u64>) {
        let rows = self.rows;
        if let Data::Values(values) = self.data {
            let shape = Target { env, unit };
            let mut lost = Vec::new();
            let array = shape.build(&values, ty, 0, &mut |row| lost.push(row));
            let array = without(array, &lost);
            lost.into_iter().for_each(|row| self.fault.set(row));
            return (array, self.fault.0);
        }
        let invalid = self.untrue();
        let valid = |words: Vec<u64>| NullBuffer::new(bitmap(words.iter().map(|word| !word).collect(), rows));
        let nulls = (!invalid.is_empty()).then(|| valid(invalid)).filter(|valid| valid.null_count() > 0);
        let array: ArrayRef = match self.data {
            Data::Bool(words) => Arc::new(BooleanArray::new(bitmap(words, rows), nulls)),
            Data::Int(values) => Arc::new(Int64Array::new(values.into(), nulls)),
            Data::Double(values) => Arc::new(Float64Array::new(values.into(), nulls)),
            Data::Values(_) => Arc::new(NullArray::new(rows)),
        };
        (array, self.fault.0)
    }

    /// The rows that are errors or null, in words; none where there are no such rows.
    pub(super) fn untrue(&self) -> Vec<u64> {
        if self.fault.0.is_empty() && self.null.0.is_empty() {
            return Vec::new();
        }
        (0..self.words()).map(|index| self.fault.word(index) | self.null.word(index)).collect()
    }

    /// The rows that are true, for an expression of type bool.
    pub(super) fn true_rows(&self) -> Vec<u64> {
        let Data::Bool(words) = &self.data else { return Vec::new() };
        let mut rows = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let mut left = word & !self.fault.word(index) & !self.null.word(index);
            while left != 0 {
                rows.push(index as u64 * 64 + u64::from(left.trailing_zeros()));
                left &= left - 1;
            }
        }
        rows
    }
}

/// An array with these rows null, ascending: of a value that has no place a part may be lost only.
fn without(array: ArrayRef, lost: &[usize]) -> ArrayRef {
    if lost.is_empty() || array.data_type() == &DataType::Null {
        return array;
    }
    let mut lost = lost.iter().copied().peekable();
    let is_there = |row: usize| {
        while lost.next_if(|next| *next < row).is_some() {}
        lost.peek() != Some(&row) && array.is_valid(row)
    };
    let valid: NullBuffer = (0..array.len()).map(is_there).collect();
    let data = array.to_data().into_builder().nulls(Some(valid)).build();
    data.map_or(array, arrow_array::make_array)
}

/// Words of whole blocks as a bitmap of so many rows.
fn bitmap(words: Vec<u64>, rows: usize) -> BooleanBuffer {
    BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
}

fn extend<T: Copy>(values: &mut Vec<T>, more: &[T], count: usize, filler: T) {
    let more = more.get(..count).unwrap_or(more);
    values.extend_from_slice(more);
    values.extend(std::iter::repeat_n(filler, count - more.len()));
}

/// Rows of one block.
pub(super) const fn block_at(start: usize, rows: usize) -> usize {
    if rows - start < BLOCK { rows - start } else { BLOCK }
}
