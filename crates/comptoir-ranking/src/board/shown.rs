//! The table of a result.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::Field;

use super::error::BoardError;
use super::rank::{Ranked, Span, table, taken};
use super::result::columns_of;
use super::spec::{BoardSpec, ScoreSpec};
use super::terms::Scored;

/// The places of all groups, with what the spec shows beside. `boards` has the kept rows of each group in the order of
/// their places, `base` the scores before boosts.
pub fn shown(
    spec: &BoardSpec,
    ranked: &Ranked,
    kept: &RecordBatch,
    base: Option<&Scored>,
    boards: &[Vec<usize>],
) -> Result<RecordBatch, BoardError> {
    let rows = boards.iter().flatten().map(|row| u32::try_from(*row).map_err(BoardError::internal));
    let rows = UInt32Array::from(rows.collect::<Result<Vec<_>, _>>()?);
    let groups: Vec<u32> =
        (0_u32..).zip(boards).flat_map(|(group, board)| std::iter::repeat_n(group, board.len())).collect();
    let mut columns = columns_of(&taken(&ranked.groups, &groups)?);
    if kept.num_columns() > 0 {
        columns.push(column(&spec.item, &chosen(kept, &spec.item, &rows)?));
    }
    let positions = boards.iter().flat_map(|board| (1_u32..).take(board.len()));
    columns.push(column("position", &(Arc::new(UInt32Array::from_iter_values(positions)) as ArrayRef)));
    if let Some(scores) = &ranked.scores {
        columns.push(column("score", &take(scores, &rows)?));
    }
    columns.extend(beside(spec, &ranked.spans, kept, base, &rows)?);
    table(columns, rows.len())
}

/// What is shown on request.
fn beside(
    spec: &BoardSpec,
    spans: &[Span],
    kept: &RecordBatch,
    base: Option<&Scored>,
    rows: &UInt32Array,
) -> Result<Vec<(Field, ArrayRef)>, BoardError> {
    let mut columns = Vec::new();
    if spec.show.organic {
        columns.push(nullable("organic_position", organic_positions(spans, rows)));
        if let Some(base) = base {
            columns.push(nullable("organic_score", take(&base.scores, rows)?));
        }
    }
    let metrics = spec.metrics.keys().filter(|name| spec.show.metrics && !spec.show.columns.contains(name));
    for name in spec.show.columns.iter().chain(metrics) {
        columns.push(column(name, &chosen(kept, name, rows)?));
    }
    if let (true, ScoreSpec::Terms(terms), Some(base)) = (spec.show.terms, &spec.score, base) {
        for (term, values) in terms.iter().zip(&base.terms) {
            let values = values.normalised.iter().map(|value| term.weight * value);
            let values: ArrayRef = Arc::new(Float64Array::from_iter_values(values));
            columns.push(column(&format!("term.{}", term.name), &take(&values, rows)?));
        }
    }
    Ok(columns)
}

/// The place of each row among the best of its group; null for one that was only pinned.
fn organic_positions(spans: &[Span], rows: &UInt32Array) -> ArrayRef {
    let place = |row: &u32| {
        let row = *row as usize;
        let span = spans.get(spans.partition_point(|span| span.end <= row))?;
        (row < span.best).then(|| u32::try_from(row - span.start + 1).ok()).flatten()
    };
    Arc::new(rows.values().iter().map(place).collect::<UInt32Array>())
}

fn chosen(kept: &RecordBatch, name: &str, rows: &UInt32Array) -> Result<ArrayRef, BoardError> {
    take(kept.column_by_name(name).ok_or_else(|| BoardError::internal(name))?, rows)
}

fn take(array: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef, BoardError> {
    arrow_select::take::take(array, rows, None).map_err(BoardError::internal)
}

/// A column that may be null where it is.
fn column(name: &str, array: &ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, array.data_type().clone(), array.null_count() > 0), Arc::clone(array))
}

fn nullable(name: &str, array: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, array.data_type().clone(), true), array)
}
