//! Columns of kinds and of numbers as the batch engine reads them, slice by slice in parallel.

use std::hint::select_unpredictable;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use comptoir_types::Error as ColumnError;
use comptoir_types::arrow as columns;
use rayon::prelude::*;

use crate::engine::ABSENT;
use crate::error::Error;
use crate::movement::Kind;
use crate::reject::{Fault, NumberColumn, RejectCode};
use crate::valuation::columns::Units;

/// Rows of a slice of kinds that one task reads.
const SLICE_ROWS: usize = 1 << 16;

/// Rows of a slice of numbers: as read they still lie in the second-level cache when they are copied.
const NUMBER_ROWS: usize = 1 << 13;

/// A column, and what is wrong with single rows of it.
pub(super) type WithFaults<T> = (T, Vec<(u32, Fault)>);

/// Decimal places of a quantity column: those of its type, none for integers, six for text.
pub(super) fn scale_of(chunks: &[ArrayRef]) -> u8 {
    match chunks.first().map(|chunk| chunk.data_type()) {
        Some(
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale),
        ) => u8::try_from(*scale).unwrap_or(0).min(9),
        Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => 6,
        _ => 0,
    }
}

/// Codes of a column of kinds, and what is wrong with single rows of it.
pub(super) fn kinds(array: &ArrayRef, start: usize) -> Result<WithFaults<Vec<u8>>, Error> {
    let lookup = |name: &str| Kind::from_name(name).map(|kind| kind as u8);
    // The type is checked without rows too.
    columns::read_kinds(&array.slice(0, 0), "kind", lookup)?;
    let mut codes = vec![0; array.len()];
    let parts: Result<Vec<_>, ColumnError> = codes
        .par_chunks_mut(SLICE_ROWS)
        .enumerate()
        .map(|(number, codes)| {
            let offset = number * SLICE_ROWS;
            let kinds = columns::read_kinds(&array.slice(offset, codes.len()), "kind", lookup)?;
            codes.copy_from_slice(&kinds.codes);
            Ok((offset, kinds.nulls, kinds.unknown))
        })
        .collect();
    let mut faults = Vec::new();
    for (offset, nulls, unknown) in parts? {
        note_nulls(nulls.as_ref(), start + offset, &mut faults);
        let unknown = unknown.iter().filter_map(|(place, _)| u32::try_from(start + offset + place).ok());
        faults.extend(unknown.map(|row| (row, Fault::new(RejectCode::UnknownKind))));
    }
    Ok((codes, faults))
}

/// A column of decimals, shared when it needs no conversion and nothing is null, else copied with the absent ones marked; and what is
/// wrong with single rows of it.
pub(super) fn units(
    array: Option<ArrayRef>,
    column: NumberColumn,
    scale: u8,
    start: usize,
) -> Result<WithFaults<Units>, Error> {
    let name = column.name();
    let mut faults = Vec::new();
    let Some(array) = array.filter(|array| *array.data_type() != DataType::Null) else {
        return Ok((Units::Owned(Vec::new()), faults));
    };
    if array.null_count() == 0 && matches!(array.data_type(), DataType::Int64 | DataType::Decimal64(..)) {
        let units = columns::read_units(&array, name, scale)?;
        note_bad_units(&units.faults, column, start, &mut faults);
        return Ok((Units::Shared(units.values), faults));
    }
    // The type is checked without rows too.
    columns::read_units(&array.slice(0, 0), name, scale)?;
    let mut values = vec![0; array.len()];
    let parts: Result<Vec<_>, ColumnError> = values
        .par_chunks_mut(NUMBER_ROWS)
        .enumerate()
        .map(|(number, values)| {
            let offset = number * NUMBER_ROWS;
            let units = columns::read_units(&array.slice(offset, values.len()), name, scale)?;
            fill(values, &units.values, units.nulls.as_ref());
            Ok((offset, units.faults))
        })
        .collect();
    parts?.iter().for_each(|(offset, bad)| note_bad_units(bad, column, start + offset, &mut faults));
    Ok((Units::from(values), faults))
}

fn note_bad_units(
    bad: &[(usize, ColumnError)],
    column: NumberColumn,
    start: usize,
    faults: &mut Vec<(u32, Fault)>,
) {
    for (place, error) in bad {
        let code = reject_code(error);
        if let Ok(row) = u32::try_from(start + place) {
            faults.push((row, Fault::of_number(code, column)));
        }
    }
}

/// Copies units and marks those that are null.
fn fill(to: &mut [i64], from: &[i64], nulls: Option<&NullBuffer>) {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        to.copy_from_slice(from);
        return;
    };
    // Word by word of the mask, without a branch on its bits: receipts and issues alternate at random.
    let words = nulls.inner().bit_chunks().iter_padded();
    for ((to, from), mut valid) in to.chunks_mut(64).zip(from.chunks(64)).zip(words) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = select_unpredictable(valid & 1 == 1, *from, ABSENT);
            valid >>= 1;
        }
    }
}

/// The code of a number that cannot be read.
fn reject_code(error: &ColumnError) -> RejectCode {
    match error {
        ColumnError::ExcessScale { .. } => RejectCode::ExcessScale,
        ColumnError::DecimalSyntax { .. } => RejectCode::NumberSyntax,
        ColumnError::At { source, .. } => reject_code(source),
        _ => RejectCode::Overflow,
    }
}

pub(super) fn note_nulls(nulls: Option<&NullBuffer>, start: usize, faults: &mut Vec<(u32, Fault)>) {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        return;
    };
    let places = (start..).zip(nulls.iter()).filter(|(_, valid)| !valid);
    let rows = places.filter_map(|(row, _)| u32::try_from(row).ok());
    faults.extend(rows.map(|row| (row, Fault::new(RejectCode::NullValue))));
}
