//! Third pass: the lines of all buckets come back in the order of the input rows.

use std::ops::Range;

use comptoir_types::decimal::mul_div;
use rayon::prelude::*;

use super::bucket::{BucketResult, REJECTED};
use super::columns::{Columns, Units};
use super::plan::Plan;
use crate::engine::{ABSENT, Context, Line};
use crate::reject::Fault;

/// The lines of consecutive input rows, as columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct RangePostings {
    /// Input rows.
    pub rows: Range<usize>,
    /// Chunk of the input in which they lie.
    pub chunk: usize,
    pub quantity: Units,
    pub value: Units,
    /// [`REJECTED`] for a row without a line.
    pub on_hand: Units,
    pub on_hand_value: Units,
    /// Value on hand by quantity on hand, `ABSENT` for an empty stock.
    pub unit_cost: Units,
    pub variance: Units,
    /// Whether any row has no line.
    pub has_rejected: bool,
    /// Whether any unit cost is absent.
    pub has_empty: bool,
}

/// Collects the lines of all rows. `lengths[bucket][range]` tells how many records each range sent to each bucket.
pub(crate) fn merge(
    columns: &Columns,
    plan: &Plan,
    context: &Context,
    results: &[BucketResult],
    lengths: &[Vec<usize>],
    excluded: &[(u32, Fault)],
) -> Vec<RangePostings> {
    let scale = UnitCost { numerator: context.price_down, denominator: context.price_up, context };
    let starts: Vec<Vec<usize>> = starts(lengths, plan.ranges.len());
    plan.ranges
        .par_iter()
        .zip(starts)
        .map(|((chunk, rows), next)| {
            let first = columns.chunks.get(*chunk).map_or(0, |chunk| chunk.start) + rows.start;
            merge_range(columns, plan, &scale, results, next, excluded, *chunk, first..first + rows.len())
        })
        .collect()
}

/// For each range the place in every bucket where its lines begin.
fn starts(lengths: &[Vec<usize>], ranges: usize) -> Vec<Vec<usize>> {
    let mut next = vec![0_usize; lengths.len()];
    (0..ranges)
        .map(|range| {
            let start = next.clone();
            for (place, lengths) in next.iter_mut().zip(lengths) {
                *place += lengths.get(range).copied().unwrap_or(0);
            }
            start
        })
        .collect()
}

#[expect(clippy::too_many_arguments, reason = "one call, and a struct for it would only be unpacked again")]
fn merge_range(
    columns: &Columns,
    plan: &Plan,
    scale: &UnitCost<'_>,
    results: &[BucketResult],
    mut next: Vec<usize>,
    excluded: &[(u32, Fault)],
    chunk: usize,
    rows: Range<usize>,
) -> RangePostings {
    let mut lines = Lines::with_capacity(rows.len());
    let first = rows.start;
    let mut skip = excluded.iter().skip_while(|(row, _)| (*row as usize) < first).peekable();
    let items = columns.item.get(rows.clone()).unwrap_or_default();
    for (row, item) in rows.clone().zip(items) {
        if skip.peek().is_some_and(|(excluded, _)| *excluded as usize == row) {
            while skip.next_if(|(excluded, _)| *excluded as usize == row).is_some() {}
            lines.push(&NO_LINE, scale);
            continue;
        }
        let bucket = plan.bucket(plan.component(*item));
        let Some((result, place)) = results.get(bucket).zip(next.get_mut(bucket)) else { continue };
        lines.push(result.lines.get(*place).unwrap_or(&NO_LINE), scale);
        *place += 1;
    }
    lines.finish(chunk, rows)
}

const NO_LINE: Line = Line { quantity: 0, value: 0, on_hand: REJECTED, on_hand_value: 0, variance: 0 };

/// The columns of a range while they grow.
#[derive(Default)]
struct Lines {
    quantity: Vec<i64>,
    value: Vec<i64>,
    on_hand: Vec<i64>,
    on_hand_value: Vec<i64>,
    unit_cost: Vec<i64>,
    variance: Vec<i64>,
    has_rejected: bool,
    has_empty: bool,
}

impl Lines {
    fn with_capacity(rows: usize) -> Self {
        let column = || Vec::with_capacity(rows);
        Self {
            quantity: column(),
            value: column(),
            on_hand: column(),
            on_hand_value: column(),
            unit_cost: column(),
            variance: column(),
            ..Self::default()
        }
    }

    #[inline]
    fn push(&mut self, line: &Line, scale: &UnitCost<'_>) {
        let rejected = line.on_hand == REJECTED;
        let cost = if rejected { ABSENT } else { scale.of(line.on_hand, line.on_hand_value) };
        self.has_rejected |= rejected;
        self.has_empty |= cost == ABSENT;
        self.quantity.push(line.quantity);
        self.value.push(line.value);
        self.on_hand.push(line.on_hand);
        self.on_hand_value.push(line.on_hand_value);
        self.unit_cost.push(cost);
        self.variance.push(line.variance);
    }

    fn finish(self, chunk: usize, rows: Range<usize>) -> RangePostings {
        RangePostings {
            rows,
            chunk,
            quantity: self.quantity.into(),
            value: self.value.into(),
            on_hand: self.on_hand.into(),
            on_hand_value: self.on_hand_value.into(),
            unit_cost: self.unit_cost.into(),
            variance: self.variance.into(),
            has_rejected: self.has_rejected,
            has_empty: self.has_empty,
        }
    }
}

/// Unit cost for display: value * 10^(quantity scale + cost scale - money scale) / quantity.
pub(crate) struct UnitCost<'a> {
    pub numerator: i64,
    pub denominator: i64,
    pub context: &'a Context,
}

impl UnitCost<'_> {
    /// The unit cost of a stock, `ABSENT` when there is none or it does not fit.
    #[inline]
    pub fn of(&self, qty: i64, value: i64) -> i64 {
        if qty == 0 {
            return ABSENT;
        }
        let divisor = if self.denominator == 1 { Some(qty) } else { qty.checked_mul(self.denominator) };
        let cost = divisor.and_then(|divisor| mul_div(value, self.numerator, divisor, self.context.rounding));
        cost.filter(|cost| cost.unsigned_abs() < crate::engine::LIMIT.unsigned_abs()).unwrap_or(ABSENT)
    }
}
