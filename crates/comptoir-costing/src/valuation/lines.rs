//! The lines of consecutive input rows, as columns in the width in which they are handed out.

use std::ops::Range;

use super::columns::{Chunk, WideUnits};
use super::unit_cost::{self, UnitCost};
use crate::engine::{ABSENT, Line};
use crate::movement::Kind;

/// Quantity on hand of a row without a line.
pub(crate) const REJECTED: i64 = i64::MIN;

/// The lines of a range of input rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct RangePostings {
    /// Input rows.
    pub rows: Range<usize>,
    /// Chunk of the input in which they lie.
    pub chunk: usize,
    pub quantity: WideUnits,
    pub value: WideUnits,
    /// [`REJECTED`] for a row without a line.
    pub on_hand: WideUnits,
    pub on_hand_value: WideUnits,
    /// Value on hand by quantity on hand, [`ABSENT`] for an empty stock.
    #[cfg_attr(not(feature = "arrow"), expect(dead_code, reason = "only tables read it"))]
    pub unit_cost: WideUnits,
    /// Empty where no line has any.
    pub variance: WideUnits,
    /// Whether any row has no line.
    #[cfg_attr(not(feature = "arrow"), expect(dead_code, reason = "only tables read it"))]
    pub has_rejected: bool,
    /// Bit by bit from the lowest of the first word on, whether a row has a unit cost; empty where all have.
    #[cfg_attr(not(feature = "arrow"), expect(dead_code, reason = "only tables read it"))]
    pub priced: Vec<u64>,
}

/// Value of a movement, quantity and value on hand after it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub value: i64,
    pub on_hand: i64,
    pub on_hand_value: i64,
}

impl Moved {
    /// The line of a row that has none, or not yet.
    pub const NONE: Self = Self { value: 0, on_hand: REJECTED, on_hand_value: 0 };
}

/// The lines of a range while they are made.
#[derive(Debug, Default)]
pub(super) struct Lines {
    quantity: Vec<i128>,
    value: Vec<i128>,
    on_hand: Vec<i128>,
    on_hand_value: Vec<i128>,
    unit_cost: Vec<i128>,
    variance: Vec<i128>,
    has_rejected: bool,
    /// Bit by bit, whether a row has a unit cost.
    priced: Vec<u64>,
    /// Whether lines were written over, so that the two above no longer hold.
    is_changed: bool,
}

impl Lines {
    /// No lines yet, with room for `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        let column = || Vec::with_capacity(rows);
        Self {
            quantity: column(),
            value: column(),
            on_hand: column(),
            on_hand_value: column(),
            unit_cost: column(),
            priced: Vec::with_capacity(rows.div_ceil(64)),
            ..Self::default()
        }
    }

    /// Rows that have no line yet.
    pub fn blank(rows: usize) -> Self {
        let column = |fill: i64| vec![i128::from(fill); rows];
        Self {
            quantity: column(0),
            value: column(0),
            on_hand: column(REJECTED),
            on_hand_value: column(0),
            unit_cost: column(ABSENT),
            is_changed: true,
            ..Self::default()
        }
    }

    /// Appends the lines of receipts and issues: the rows of `chunk` from `start` on. Only the last block may end within a word of 64
    /// rows.
    pub fn extend(&mut self, chunk: &Chunk, start: usize, block: &[Moved], scale: &UnitCost<'_>) {
        let rows = start..start + block.len();
        let kinds = chunk.kind.get(rows.clone()).unwrap_or_default();
        let quantities = chunk.quantity.get(rows).unwrap_or_default();
        self.quantity.extend(kinds.iter().zip(quantities).map(|(kind, quantity)| {
            let quantity = i128::from(*quantity);
            if *kind == Kind::Receipt as u8 { quantity } else { -quantity }
        }));
        self.value.extend(block.iter().map(|moved| i128::from(moved.value)));
        self.on_hand.extend(block.iter().map(|moved| i128::from(moved.on_hand)));
        self.on_hand_value.extend(block.iter().map(|moved| i128::from(moved.on_hand_value)));
        self.has_rejected |= block.iter().fold(false, |any, moved| any | (moved.on_hand == REJECTED));
        for block in block.chunks(unit_cost::BLOCK) {
            let costs = scale.of_block(block);
            let costs = costs.get(..block.len()).unwrap_or_default();
            let priced = costs
                .iter()
                .zip(0u32..)
                .fold(0, |priced, (cost, place)| priced | u64::from(*cost != ABSENT).wrapping_shl(place));
            self.unit_cost.extend(costs.iter().map(|cost| i128::from(*cost)));
            self.priced.push(priced);
        }
    }

    /// Writes the line of one row, which has one already.
    pub fn put(&mut self, place: usize, line: &Line, scale: &UnitCost<'_>) {
        self.is_changed = true;
        let set = |column: &mut Vec<i128>, number: i64| {
            column.get_mut(place).into_iter().for_each(|slot| *slot = i128::from(number));
        };
        set(&mut self.quantity, line.quantity);
        set(&mut self.value, line.value);
        set(&mut self.on_hand, line.on_hand);
        set(&mut self.on_hand_value, line.on_hand_value);
        set(&mut self.unit_cost, scale.of(line.on_hand, line.on_hand_value));
        if line.variance != 0 {
            self.variance.resize(self.value.len(), 0);
            set(&mut self.variance, line.variance);
        }
    }

    /// The finished columns of `rows`.
    pub fn finish(mut self, chunk: usize, rows: Range<usize>) -> RangePostings {
        if self.is_changed {
            self.has_rejected = self.on_hand.contains(&i128::from(REJECTED));
            self.priced = priced(&self.unit_cost);
        }
        let given: u32 = self.priced.iter().map(|word| word.count_ones()).sum();
        if given as usize == self.unit_cost.len() {
            self.priced = Vec::new();
        }
        RangePostings {
            rows,
            chunk,
            has_rejected: self.has_rejected,
            priced: self.priced,
            quantity: self.quantity.into(),
            value: self.value.into(),
            on_hand: self.on_hand.into(),
            on_hand_value: self.on_hand_value.into(),
            unit_cost: self.unit_cost.into(),
            variance: self.variance.into(),
        }
    }
}

/// Bit by bit, which unit costs are given.
fn priced(unit_cost: &[i128]) -> Vec<u64> {
    let bit = |(place, cost): (usize, &i128)| u64::from(*cost != i128::from(ABSENT)) << place;
    unit_cost
        .chunks(64)
        .map(|costs| costs.iter().enumerate().map(bit).fold(0, |word, bit| word | bit))
        .collect()
}
