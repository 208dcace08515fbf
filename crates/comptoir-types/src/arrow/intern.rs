//! Dense codes for text and integer columns.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, downcast_integer_array};
use rayon::prelude::*;

use super::keys::{Form, KeyColumn, shifted};
use super::local::Local;
use crate::error::Error;

/// The code of null.
pub const NULL_CODE: u32 = u32::MAX;

/// A column as dense codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interned {
    /// The code of every row over all chunks; [`NULL_CODE`] for null.
    pub codes: Vec<u32>,
    /// The row where each code appears first, ascending.
    pub first: Vec<u64>,
}

/// Gives equal cells equal codes, numbered from 0 in the order of their first appearance.
///
/// Text of any layout, integers of any width and dictionaries of either are accepted; the codes do not depend on the
/// layout, on the chunks or on the number of threads.
///
/// # Errors
/// `TYPES_COLUMN_TYPE` for any other type and for chunks that mix text and integers; `TYPES_TOO_MANY_ROWS` above
/// 2^32 - 3 rows.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, StringArray};
/// use comptoir_types::arrow::{NULL_CODE, intern};
///
/// let items: ArrayRef = Arc::new(StringArray::from(vec![Some("tea"), Some("cup"), None, Some("tea")]));
/// let interned = intern(&[items], "item")?;
/// assert_eq!(interned.codes, [0, 1, NULL_CODE, 0]);
/// assert_eq!(interned.first, [0, 1]);
/// # Ok::<(), comptoir_types::Error>(())
/// ```
pub fn intern(chunks: &[ArrayRef], column: &str) -> Result<Interned, Error> {
    let column = KeyColumn::new(chunks, column)?;
    let ranges = split(column.rows(), rayon::current_num_threads());
    Ok(intern_ranges(&column, &ranges))
}

/// Fewer rows than this are not worth a thread of their own.
const MIN_RANGE: usize = 1 << 16;

/// `rows` in at most `parts` ranges of about equal length.
pub(super) fn split(rows: usize, parts: usize) -> Vec<Range<usize>> {
    let length = rows.div_ceil(parts.max(1)).max(MIN_RANGE);
    (0..rows).step_by(length).map(|start| start..rows.min(start + length)).collect()
}

/// Every range by itself, in parallel; then the tables are merged in the order of the ranges, which keeps codes in
/// the order of first appearance; then the codes of all ranges but the first are replaced, in parallel.
pub(super) fn intern_ranges(column: &KeyColumn, ranges: &[Range<usize>]) -> Interned {
    let dense = dense_span(column, ranges);
    let mut codes = vec![0; column.rows()];
    let mut parts = slices(&mut codes, ranges);
    let locals: Vec<Local> = ranges
        .par_iter()
        .zip(parts.par_iter_mut())
        .map(|(range, codes)| Local::new(column, range.clone(), codes, dense))
        .collect();
    let (first, maps) = merge(locals);
    parts.into_par_iter().skip(1).zip(maps).for_each(|(codes, map)| replace(codes, &map));
    Interned { codes, first }
}

fn slices<'a>(mut codes: &'a mut [u32], ranges: &[Range<usize>]) -> Vec<&'a mut [u32]> {
    let mut parts = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (part, rest) = codes.split_at_mut(range.len());
        parts.push(part);
        codes = rest;
    }
    parts
}

/// One table for all ranges, and for every range but the first the new codes by the old ones.
fn merge(locals: Vec<Local>) -> (Vec<u64>, Vec<Vec<u32>>) {
    let mut locals = locals.into_iter();
    let Some(mut merged) = locals.next() else {
        return (Vec::new(), Vec::new());
    };
    let maps = locals.map(|local| merged.absorb(&local)).collect();
    (merged.into_first(), maps)
}

fn replace(codes: &mut [u32], map: &[u32]) {
    for code in codes {
        // Null has no entry and stays what it is.
        *code = map.get(*code as usize).copied().unwrap_or(NULL_CODE);
    }
}

/// The smallest key of a column of plain integers and how many there are up to the largest one, if that is at most
/// about four times the rows of a range.
fn dense_span(column: &KeyColumn, ranges: &[Range<usize>]) -> Option<(u128, usize)> {
    let plain = column.chunks.iter().all(|chunk| chunk.dictionary.is_none());
    if column.form != Form::Integer || !plain {
        return None;
    }
    let (low, high) = integer_bounds(column, ranges)?;
    let span = usize::try_from(high - low).ok()?.checked_add(1)?;
    let rows = ranges.iter().map(Range::len).max().unwrap_or_default();
    (span <= rows.saturating_mul(4).saturating_add(1024)).then_some((low, span))
}

/// The smallest and the largest key of a column of integers; `None` where all are null.
pub(super) fn integer_bounds(column: &KeyColumn, ranges: &[Range<usize>]) -> Option<(u128, u128)> {
    let bounds = |range: &Range<usize>| {
        let parts = column.parts(range.clone());
        parts
            .filter_map(|(chunk, _, part)| chunk_bounds(chunk.array(), chunk.nulls().is_some(), part))
            .reduce(outer)
    };
    ranges.par_iter().filter_map(bounds).reduce_with(outer)
}

fn outer(left: (u128, u128), right: (u128, u128)) -> (u128, u128) {
    (left.0.min(right.0), left.1.max(right.1))
}

fn chunk_bounds(array: &dyn Array, has_nulls: bool, rows: Range<usize>) -> Option<(u128, u128)> {
    let (low, high) = downcast_integer_array!(
        array => {
            let values = array.values().get(rows.clone()).unwrap_or_default();
            if has_nulls {
                let valid = || rows.clone().zip(values).filter(|(row, _)| array.is_valid(*row)).map(|(_, value)| *value);
                (i128::from(valid().min()?), i128::from(valid().max()?))
            } else {
                (i128::from(values.iter().copied().min()?), i128::from(values.iter().copied().max()?))
            }
        },
        _ => return None
    );
    Some((shifted(low), shifted(high)))
}

/// Rows are counted in memory, so that they fit.
pub(super) fn to_usize(row: u64) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "intern_tests.rs"]
pub(super) mod tests;
