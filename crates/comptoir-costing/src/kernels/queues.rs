//! The queues of many items, first in, first out, and the valuation of rows against them, block by block.
//!
//! Per item, layers are kept as running totals of quantity and value received. An issue moves the item's total issued
//! forward: the layers passed on the way are gone with all their value, whatever it was, and only the layer in which the
//! issue ends is divided. So an issue costs one division however many layers it takes, and a receipt can be computed as
//! an issue of nothing: no branch depends on the data but the search for the layer.
//!
//! A block takes four steps. [`touch`] reads what the rows will need, so that cache misses overlap; [`advance`] moves the
//! quantities, row after row; [`estimate`] divides for all rows in vector registers, as if no item occurred twice in the
//! block; [`settle`] accepts a row whose layer is still worth what the estimate took it for, and divides again for any
//! other. A share depends on the layer's rest and on the quantities alone, hence an accepted one is exact.
#![expect(clippy::indexing_slicing, reason = "places and layers are within the counts taken from the same rows")]

use std::hint::{black_box, select_unpredictable};

use comptoir_types::decimal::mul_div::{SMALL_VALUE, estimate_share, mul_div_half_even_small};

use super::partition::Row;

/// Rows of a block: enough that a loop's end is rare, few enough that an item seldom occurs twice.
const BLOCK: usize = 64;

/// Bound on the running total of quantity of an item.
const RECEIVED_LIMIT: i64 = 1 << 50;

/// Bound on the magnitude of the running total of value of an item.
const TOTAL_LIMIT: i64 = 1 << 61;

/// Running total of quantity that ends each queue: no item reaches it.
const END: i64 = RECEIVED_LIMIT;

/// The queues of the items of a bucket.
pub(super) struct Queues {
    queues: Vec<Queue>,
    /// Each item's layers in a run: running totals of quantity and value, before its first layer and after each, and
    /// `END` instead of a quantity after the last.
    layers: Vec<[i64; 2]>,
}

/// An item's place in its layers. Two share a cache line and none lies across two.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Queue {
    /// Total quantity issued.
    issued: i64,
    /// Total value issued.
    issued_value: i64,
    /// The layer from which the next issue takes.
    head: u32,
    /// The layer that the next receipt becomes.
    tail: u32,
}

/// What the rows of a block take from which rest of a layer.
struct Shares {
    /// Quantity taken.
    taken: [i64; BLOCK],
    /// Quantity of the rest before.
    rest: [i64; BLOCK],
    /// Total value received up to the end of the layer.
    to_value: [i64; BLOCK],
    /// Total value issued when the rest was what it is: up to the layer's beginning, or by issues before.
    from_value: [i64; BLOCK],
    /// All ones where `from_value` is by issues before, so that another row of the block may have changed it.
    is_begun: [i64; BLOCK],
    /// Total value received.
    received_value: [i64; BLOCK],
    /// Total value issued after the row, as estimated.
    issued_value: [i64; BLOCK],
    /// All ones where the estimate is not proven.
    doubt: [i64; BLOCK],
}

impl Queues {
    /// Empty queues with room for a number of receipts each.
    pub(super) fn new(receipts: impl Iterator<Item = u32>) -> Self {
        let mut next = 0;
        let queue = |receipts: u32| {
            let head = next + 1;
            next = head + receipts + 1;
            Queue { issued: 0, issued_value: 0, head, tail: head }
        };
        let queues: Vec<Queue> = receipts.map(queue).collect();
        let mut layers = vec![[0, 0]; next as usize];
        for queue in &queues {
            layers[queue.head as usize] = [END, 0];
        }
        Self { queues, layers }
    }

    /// Values rows in place. Returns false at a movement that is wrong or not of ordinary size.
    pub(super) fn value_rows(&mut self, rows: &mut [Row]) -> bool {
        let none = [0; BLOCK];
        let mut shares = Shares {
            taken: none,
            rest: [1; BLOCK],
            to_value: none,
            from_value: none,
            is_begun: none,
            received_value: none,
            issued_value: none,
            doubt: none,
        };
        rows.chunks_mut(BLOCK).all(|rows| {
            touch(self, rows);
            let is_small = advance(self, rows, &mut shares);
            if is_small {
                estimate(&mut shares);
                settle(&mut self.queues, rows, &shares);
            }
            is_small
        })
    }
}

/// Reads the queues of a block's rows, and then their layers.
#[inline(always)]
fn touch(queues: &Queues, rows: &[Row]) {
    let Queues { queues, layers } = queues;
    let mut ends = [(0, 0); BLOCK];
    for (row, ends) in rows.iter().zip(&mut ends) {
        let queue = &queues[row.place as usize];
        *ends = (queue.head, queue.tail);
    }
    let touched = ends.iter().fold(0, |all, &(head, tail)| all ^ layers[head as usize][0] ^ layers[tail as usize][0]);
    black_box(touched);
}

/// Books the quantities of a block and lists the shares to be taken. Returns false at a movement that is wrong or not of
/// ordinary size.
#[inline(never)]
fn advance(queues: &mut Queues, rows: &[Row], shares: &mut Shares) -> bool {
    let Queues { queues, layers } = queues;
    let rows = &rows[..rows.len().min(BLOCK)];
    for (at, row) in rows.iter().enumerate() {
        let queue = &mut queues[row.place as usize];
        // All ones for an issue, zero for a receipt.
        let is_issue = row.first >> 63;
        let amount = row.second & !is_issue;
        let [received, received_value] = layers[queue.tail.wrapping_sub(1) as usize];
        let received = received.wrapping_add(row.first & !is_issue);
        let received_value = received_value.wrapping_add(amount);
        let issued = queue.issued.wrapping_sub(row.first & is_issue);
        if row.first == 0 || !is_small(received, issued, amount, received_value) {
            return false;
        }
        layers[queue.tail as usize] = [received, received_value];
        queue.tail = queue.tail.wrapping_add(1).wrapping_add_signed(is_issue as i32);
        layers[queue.tail as usize] = [END, received_value];
        let head = layer_at(layers, queue.head, issued);
        let [from, from_value] = layers[head.wrapping_sub(1)];
        let [to, to_value] = layers[head];
        let is_begun = head == queue.head as usize;
        let from = from.max(queue.issued);
        shares.taken[at] = issued.wrapping_sub(from);
        shares.rest[at] = to.wrapping_sub(from);
        shares.to_value[at] = to_value;
        shares.from_value[at] = select_unpredictable(is_begun, queue.issued_value, from_value);
        shares.is_begun[at] = i64::from(is_begun).wrapping_neg();
        shares.received_value[at] = received_value;
        queue.issued = issued;
        queue.head = head as u32;
    }
    true
}

/// Whether a movement leaves no more issued than received, and all amounts within the bounds of [`estimate_share`] and
/// of 64 bits.
#[inline(always)]
fn is_small(received: i64, issued: i64, amount: i64, received_value: i64) -> bool {
    let amount = amount.wrapping_add(SMALL_VALUE).cast_unsigned() / (2 * SMALL_VALUE.cast_unsigned());
    let value = received_value.wrapping_add(TOTAL_LIMIT).cast_unsigned() / (2 * TOTAL_LIMIT.cast_unsigned());
    // A negative quantity left is above the bound too.
    let left = received.wrapping_sub(issued).cast_unsigned();
    (received.cast_unsigned() | left) / RECEIVED_LIMIT.cast_unsigned() | amount | value == 0
}

/// The layer, from `head` on, that ends after `issued`.
#[inline(always)]
fn layer_at(layers: &[[i64; 2]], head: u32, issued: i64) -> usize {
    // Most issues end in this layer or one of the next two: counted without a branch that could be mispredicted.
    let mut head = head as usize;
    head += usize::from(layers[head][0] <= issued);
    head += usize::from(layers[head][0] <= issued);
    while layers[head][0] <= issued {
        head += 1;
    }
    head
}

/// Divides for all rows of a block. A short block computes the rest of the arrays too, in vain.
#[inline(never)]
fn estimate(shares: &mut Shares) {
    for at in 0..BLOCK {
        let value = shares.to_value[at].wrapping_sub(shares.from_value[at]);
        let (share, bound) = estimate_share(value, shares.taken[at], shares.rest[at]);
        shares.issued_value[at] = shares.from_value[at].wrapping_add(share);
        shares.doubt[at] = if bound < 0.5 { 0 } else { -1 };
    }
}

/// Books the values of a block: rows in order, as estimated or, where that is in doubt or the rest has changed, anew.
#[inline(never)]
fn settle(queues: &mut [Queue], rows: &mut [Row], shares: &Shares) {
    let rows = rows.iter_mut().take(BLOCK);
    for (at, row) in rows.enumerate() {
        let queue = &mut queues[row.place as usize];
        let from_value = shares.from_value[at];
        let changed = (queue.issued_value ^ from_value) & shares.is_begun[at];
        let mut issued_value = shares.issued_value[at];
        if changed | shares.doubt[at] != 0 {
            let from_value = if changed == 0 { from_value } else { queue.issued_value };
            let value = shares.to_value[at].wrapping_sub(from_value);
            let share = mul_div_half_even_small(value, shares.taken[at], shares.rest[at]);
            issued_value = from_value.wrapping_add(share);
        }
        let amount = row.second & !(row.first >> 63);
        row.first = amount.wrapping_add(queue.issued_value).wrapping_sub(issued_value);
        row.second = shares.received_value[at].wrapping_sub(issued_value);
        queue.issued_value = issued_value;
    }
}
