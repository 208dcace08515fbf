//! Third pass: the lines of all buckets come back in the order of the input rows.

use std::ops::Range;

use comptoir_types::decimal::mul_div;
use rayon::prelude::*;

use super::bucket::REJECTED;
use super::columns::{Columns, Units};
use super::partition::{Dealt, Slot};
use super::plan::Plan;
use crate::engine::{ABSENT, Context};
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

/// Collects the lines of all rows from the slots in which the buckets left them.
pub(crate) fn merge(
    columns: &Columns,
    plan: &Plan,
    context: &Context,
    dealt: Vec<Dealt>,
    excluded: &[(u32, Fault)],
) -> Vec<RangePostings> {
    let scale = UnitCost { numerator: context.price_down, denominator: context.price_up, context };
    plan.ranges
        .par_iter()
        .zip(dealt)
        .map(|((chunk, rows), dealt)| {
            let first = columns.chunks.get(*chunk).map_or(0, |chunk| chunk.start) + rows.start;
            let rows = first..first + rows.len();
            let mut lines = Lines::with_capacity(rows.len());
            in_row_order(columns, plan, dealt, excluded, rows.clone(), |block| lines.extend(block, &scale));
            lines.finish(*chunk, rows)
        })
        .collect()
}

/// Rows handed over at a time: a block of lines stays in the first-level cache while its columns are written.
const BLOCK: usize = 256;

/// Reads the lines of a range in row order and hands them over in blocks.
fn in_row_order(
    columns: &Columns,
    plan: &Plan,
    dealt: Dealt,
    excluded: &[(u32, Fault)],
    rows: Range<usize>,
    mut take: impl FnMut(&[Slot]),
) {
    let Dealt { slots, starts: mut next, .. } = dealt;
    let mut block: Vec<Slot> = Vec::with_capacity(BLOCK);
    let first = excluded.partition_point(|(row, _)| (*row as usize) < rows.start);
    let mut skip = excluded.iter().skip(first).map(|(row, _)| *row as usize).peekable();
    let items = columns.item.get(rows.clone()).unwrap_or_default();
    for (row, item) in rows.zip(items) {
        if skip.peek() == Some(&row) {
            while skip.next_if_eq(&row).is_some() {}
            block.push(NO_LINE);
        } else if let Some(next) = next.get_mut(plan.bucket(plan.component(*item))) {
            block.push(slots.get(*next).copied().unwrap_or(NO_LINE));
            *next += 1;
        }
        if block.len() == BLOCK {
            take(&block);
            block.clear();
        }
    }
    take(&block);
}

const NO_LINE: Slot = [0, 0, REJECTED, 0, 0];

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

    fn extend(&mut self, block: &[Slot], scale: &UnitCost<'_>) {
        self.quantity.extend(block.iter().map(|[quantity, ..]| quantity));
        self.value.extend(block.iter().map(|[_, value, ..]| value));
        self.on_hand.extend(block.iter().map(|[_, _, on_hand, ..]| on_hand));
        self.on_hand_value.extend(block.iter().map(|[_, _, _, value, _]| value));
        self.variance.extend(block.iter().map(|[.., variance]| variance));
        let costs = block.iter().map(|[_, _, on_hand, value, _]| match *on_hand {
            REJECTED => ABSENT,
            on_hand => scale.of(on_hand, *value),
        });
        let start = self.unit_cost.len();
        self.unit_cost.extend(costs);
        self.has_rejected |= block.iter().any(|[_, _, on_hand, ..]| *on_hand == REJECTED);
        self.has_empty |= self.unit_cost.iter().skip(start).any(|cost| *cost == ABSENT);
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
