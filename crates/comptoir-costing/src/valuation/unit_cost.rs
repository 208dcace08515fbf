//! Unit costs for display.

use std::hint::select_unpredictable;

use comptoir_types::Rounding;
use comptoir_types::decimal::{SMALL_VALUE, estimate_mul_div, mul_div, mul_div_half_even};
use comptoir_types::simd::wide;

use super::lines::{Moved, REJECTED};
use crate::engine::{ABSENT, Context, LIMIT};

/// Rows that are priced at a time: as many as a word has bits.
pub(super) const BLOCK: usize = 64;

/// Unit cost for display: value * 10^(quantity scale + cost scale - money scale) / quantity.
pub(crate) struct UnitCost<'a> {
    pub numerator: i64,
    pub denominator: i64,
    pub context: &'a Context,
}

impl<'a> UnitCost<'a> {
    /// Unit costs at the scale of a call.
    pub const fn new(context: &'a Context) -> Self {
        Self { numerator: context.price_down, denominator: context.price_up, context }
    }

    /// The unit costs after at most [`BLOCK`] movements; those behind the last one mean nothing.
    pub(super) fn of_block(&self, block: &[Moved]) -> [i64; BLOCK] {
        let (mut costs, mut doubt) = ([ABSENT; BLOCK], [u64::MAX; BLOCK]);
        let is_quick =
            self.denominator == 1 && self.context.rounding == Rounding::HalfEven && is_small(self.numerator);
        if is_quick {
            estimate(self.numerator, block, &mut costs, &mut doubt);
        }
        if doubt.iter().fold(0, |any, doubt| any | doubt) != 0 {
            for ((moved, cost), doubt) in block.iter().zip(&mut costs).zip(doubt) {
                if doubt != 0 {
                    *cost = self.of(moved.on_hand, moved.on_hand_value);
                }
            }
        }
        costs
    }

    /// The unit cost of a stock, [`ABSENT`] when there is none, the row has no line, or it does not fit.
    #[inline(never)]
    pub fn of(&self, qty: i64, value: i64) -> i64 {
        if qty == 0 || qty == REJECTED {
            return ABSENT;
        }
        let divisor = if self.denominator == 1 { Some(qty) } else { qty.checked_mul(self.denominator) };
        let cost = divisor.and_then(|divisor| match self.context.rounding {
            Rounding::HalfEven => mul_div_half_even(value, self.numerator, divisor),
            rounding => mul_div(value, self.numerator, divisor, rounding),
        });
        cost.filter(|cost| cost.unsigned_abs() < LIMIT.unsigned_abs()).unwrap_or(ABSENT)
    }
}

/// Estimates the unit costs after a block of movements, and raises `doubt` where one is not proven.
#[inline(never)]
fn estimate(numerator: i64, block: &[Moved], costs: &mut [i64; BLOCK], doubt: &mut [u64; BLOCK]) {
    let (mut qty, mut value) = ([0; BLOCK], [0; BLOCK]);
    for ((qty, value), moved) in qty.iter_mut().zip(&mut value).zip(block) {
        (*qty, *value) = (moved.on_hand, moved.on_hand_value);
    }
    wide(
        #[inline(always)]
        || {
            for (((qty, value), cost), doubt) in qty.iter().zip(&value).zip(costs).zip(doubt) {
                let (nearest, bound) = estimate_mul_div(*value, numerator, *qty);
                let is_proven = is_small(*value) & is_small(*qty) & (*qty > 0) & (bound < 0.5);
                *doubt = u64::from(!(is_proven | (*qty == 0)));
                *cost = select_unpredictable(*qty == 0, ABSENT, nearest);
            }
        },
    );
}

/// Whether an operand is within the bounds of [`estimate_mul_div`].
#[inline(always)]
const fn is_small(operand: i64) -> bool {
    operand.wrapping_add(SMALL_VALUE).cast_unsigned() < 2 * SMALL_VALUE.cast_unsigned()
}
