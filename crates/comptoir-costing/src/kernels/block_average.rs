//! The moving average of the rows of a block, as if no item occurred twice in it.
//!
//! A value depends on the stock before the movement and on the movement alone. So all rows of a block are valued at once
//! on stocks read beforehand, without a branch and in vector registers; whoever books the rows in order accepts one whose
//! stock still is what was read and whose value is proven, and values any other again.
#![expect(clippy::indexing_slicing, reason = "rows run over arrays of one length")]

use comptoir_types::decimal::mul_div::{SMALL_DENOMINATOR, SMALL_VALUE, estimate_mul_div};
use comptoir_types::simd::wide;

/// Rows of a block: many enough that a loop's end is rare, few enough that an item seldom occurs twice and
/// that the stocks of all rows are still in the nearest cache when they are settled.
pub(crate) const BLOCK: usize = 64;

/// Below this number of items too many rows of a block share one: rows are better valued one by one.
pub(crate) const FEW_ITEMS: usize = 512;

/// What the rows of a block found on hand, and where `doubt` is not zero, that the estimate for the row is
/// not proven.
pub(crate) struct Seen {
    pub qty: [i64; BLOCK],
    pub value: [i64; BLOCK],
    pub doubt: [u64; BLOCK],
}

impl Default for Seen {
    fn default() -> Self {
        Self { qty: [0; BLOCK], value: [0; BLOCK], doubt: [0; BLOCK] }
    }
}

/// Values each row on the stock as gathered, and raises `doubt` where the result is not proven.
///
/// Receipts and issues alternate at random, so that a branch between them would be mispredicted at every
/// third row: a receipt is valued as an issue of nothing and its amount chosen by a mask.
#[inline(never)]
pub(crate) fn estimate(
    seen: &mut Seen,
    qty: &[i64; BLOCK],
    amount: &[i64; BLOCK],
    value: &mut [i64; BLOCK],
    balance: &mut [i64; BLOCK],
) {
    wide(
        #[inline(always)]
        || estimate_rows(seen, qty, amount, value, balance),
    );
}

#[inline(always)]
fn estimate_rows(
    seen: &mut Seen,
    qty: &[i64; BLOCK],
    amount: &[i64; BLOCK],
    value: &mut [i64; BLOCK],
    balance: &mut [i64; BLOCK],
) {
    for row in 0..BLOCK {
        let is_issue = qty[row] >> 63;
        // An issue of all that is on hand is estimated as `value * qty / qty`: all the value, no case of its
        // own.
        let (share, bound) = estimate_mul_div(seen.value[row], qty[row] & is_issue, seen.qty[row]);
        let moved = amount[row] ^ ((amount[row] ^ share) & is_issue);
        let after = seen.value[row].wrapping_add(moved);
        let left = seen.qty[row].wrapping_add(qty[row]);
        value[row] = moved;
        balance[row] = after;
        let unproven = if bound < 0.5 { 0 } else { is_issue.cast_unsigned() };
        let is_zero = u64::from(qty[row] == 0);
        // The amount of a receipt is small enough if both balances are.
        seen.doubt[row] =
            excess(seen.value[row]) | excess(after) | excess_qty(seen.qty[row] | left) | unproven | is_zero;
    }
}

/// Zero if `value` is within the bound of [`estimate_mul_div`].
#[inline(always)]
pub(crate) fn excess(value: i64) -> u64 {
    value.wrapping_add(SMALL_VALUE).cast_unsigned() / (2 * SMALL_VALUE.cast_unsigned())
}

/// Zero if quantities, joined bit by bit, are within the bound of [`estimate_mul_div`]; a negative one is not.
#[inline(always)]
pub(crate) fn excess_qty(qty: i64) -> u64 {
    qty.cast_unsigned() / SMALL_DENOMINATOR.cast_unsigned()
}
