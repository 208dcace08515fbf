//! Arrays and tables from units and codes.

use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, DictionaryArray, Int8Array, RecordBatch, RecordBatchOptions,
    StringArray, UInt32Array, new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::Table;
use super::read::row_indices;
use crate::engine::ABSENT;
use crate::error::Error;
use crate::movement::REASONS;
use crate::posting::NONE;
use crate::valuation::columns::{Numbers, WideUnits};

/// Precision of all decimal results: 18 digits, which fit 64 bits; their type has 128 bits, the one width that every consumer reads.
const PRECISION: u8 = 18;

/// The first row of every code.
pub(super) fn first_rows(codes: &[u32]) -> Vec<u32> {
    let mut first = Vec::new();
    for (row, code) in (0u32..).zip(codes) {
        if *code as usize == first.len() {
            first.push(row);
        }
    }
    first
}

/// Rows of a chunked column; `NONE` gives null.
pub(super) fn take(chunks: &[ArrayRef], rows: &[u32]) -> Result<ArrayRef, Error> {
    if let [chunk] = chunks {
        let indices: UInt32Array = row_indices(rows.iter().copied());
        return arrow_select::take::take(chunk, &indices, None).map_err(Error::arrow);
    }
    let Some(data_type) = chunks.first().map(|chunk| chunk.data_type().clone()) else {
        return Err(Error::Internal { message: "no chunk to take rows from".to_owned() });
    };
    let null = new_null_array(&data_type, 1);
    let mut arrays: Vec<&dyn Array> = vec![&null];
    arrays.extend(chunks.iter().map(|chunk| chunk as &dyn Array));
    let starts: Vec<usize> = chunks
        .iter()
        .scan(0, |sum, chunk| {
            let start = *sum;
            *sum += chunk.len();
            Some(start)
        })
        .collect();
    let places: Vec<(usize, usize)> = rows.iter().map(|row| place_of(&starts, *row)).collect();
    arrow_select::interleave::interleave(&arrays, &places).map_err(Error::arrow)
}

/// Array (the first is the null) and place of a row.
fn place_of(starts: &[usize], row: u32) -> (usize, usize) {
    if row == NONE {
        return (0, 0);
    }
    let chunk = starts.partition_point(|start| *start <= row as usize);
    let start = starts.get(chunk.saturating_sub(1)).copied().unwrap_or(0);
    (chunk, row as usize - start)
}

pub(super) fn decimal_field(name: &str, scale: u8, nullable: bool) -> Field {
    Field::new(name, DataType::Decimal128(PRECISION, scale.cast_signed()), nullable)
}

/// Units as a decimal column; absent ones are null.
pub(super) fn decimals(units: Vec<i64>, scale: u8) -> Result<ArrayRef, Error> {
    let nulls = if units.contains(&ABSENT) {
        Some(units.iter().map(|unit| *unit != ABSENT).collect::<NullBuffer>())
    } else {
        None
    };
    let wide: Vec<i128> = units.into_iter().map(i128::from).collect();
    let array = Decimal128Array::new(wide.into(), nulls);
    let array = array.with_precision_and_scale(PRECISION, scale.cast_signed()).map_err(Error::arrow)?;
    Ok(Arc::new(array))
}

/// Units that the valuation keeps as a decimal column, without a copy.
pub(super) fn shared_decimals(
    units: &WideUnits,
    nulls: Option<NullBuffer>,
    scale: u8,
) -> Result<ArrayRef, Error> {
    let values = match units {
        Numbers::Owned(values) => values.clone().into(),
        Numbers::Shared(values) => values.clone(),
    };
    let array = Decimal128Array::new(values, nulls);
    Ok(Arc::new(array.with_precision_and_scale(PRECISION, scale.cast_signed()).map_err(Error::arrow)?))
}

/// A null mask from bits, lowest first, that are set where a row has a value; no bits stand for values in all rows.
pub(super) fn validity(given: &[u64], rows: usize) -> Option<NullBuffer> {
    // Arrow's masks are bytes.
    let words: Vec<u64> = given.iter().map(|word| word.to_le()).collect();
    (!given.is_empty()).then(|| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, rows)))
}

pub(super) fn reason_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))
}

pub(super) fn reasons_array(codes: Int8Array) -> Result<ArrayRef, Error> {
    let names: StringArray = REASONS.iter().map(|reason| Some(reason.name())).collect();
    Ok(Arc::new(DictionaryArray::<Int8Type>::try_new(codes, Arc::new(names)).map_err(Error::arrow)?))
}

/// A table of one batch.
pub(super) fn table(fields: Vec<Field>, arrays: Vec<ArrayRef>, rows: usize) -> Result<Table, Error> {
    let schema = Arc::new(Schema::new(fields));
    let batch = batch(&schema, arrays, rows)?;
    Ok((schema, vec![batch]))
}

pub(super) fn batch(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Error> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options).map_err(Error::arrow)
}
