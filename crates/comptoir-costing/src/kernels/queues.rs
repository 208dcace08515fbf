//! The queues of the items of a bucket, first in, first out.
//!
//! Per item, layers are kept as running totals of quantity and value received. An issue moves the item's
//! total issued forward: the layers passed on the way are gone with all their value, whatever it was, and
//! only the layer in which the issue ends is divided. So an issue costs one division however many layers it
//! takes, and a receipt can be computed as an issue of nothing: no branch depends on the data but the search
//! for the layer.
//!
//! Quantities never wait for a division: [`book`] finds the layer of each row of a block and what is taken of
//! it. Values do, from one issue of a layer to the next, so [`estimate`] values all rows on the value issued
//! as it was before the block, in vector registers, and [`settle`] accepts a row if that still is the value
//! issued, and values any other again.
#![expect(clippy::indexing_slicing, reason = "layers are within the counts taken from the same rows")]

use comptoir_types::decimal::mul_div::{SMALL_VALUE, estimate_mul_div, mul_div_half_even_small};
use comptoir_types::simd::wide;

use super::partition::{Row, place, qty};

/// Rows of a block: many enough to fill the vector loop, few enough that an item seldom occurs twice.
const BLOCK: usize = 64;

/// Bound on the running total of quantity of an item.
const RECEIVED_LIMIT: i64 = 1 << 50;

/// Bound on the magnitude of the running total of value of an item. Values and balances are differences of
/// two such totals: below 2^59 and a layer, which is below 10^18.
const TOTAL_LIMIT: i64 = 1 << 58;

/// Running total of quantity that ends each queue: no item reaches it.
const END: i64 = RECEIVED_LIMIT;

/// The queues of the items of one bucket after another: the memory of one serves the next.
pub(super) struct Queues {
    queues: Vec<Queue>,
    /// Each item's layers in a run: running totals of quantity and value, before its first layer and after
    /// each, and `END` instead of a quantity after the last.
    layers: Vec<[i64; 2]>,
    block: Block,
}

/// An item's place in its layers.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    /// Total quantity received.
    received: i64,
    /// Total value received.
    received_value: i64,
    /// Total quantity issued.
    issued: i64,
    /// Total value issued.
    issued_value: i64,
    /// The layer from which the next issue takes.
    head: u32,
    /// The layer that the next receipt becomes.
    tail: u32,
}

/// A movement whose quantity is booked, and what its value follows from.
struct Step {
    /// Value of a receipt, or zero.
    amount: i64,
    /// Total value received after the movement.
    received_value: i64,
    /// Total value issued before the movement, where the movements of the block are all valued up to it.
    issued_value: i64,
    /// All ones if the layer in which the movement ends was begun by an earlier issue, else zero.
    is_begun: i64,
    /// Total value received before that layer and after it.
    layer: [i64; 2],
    /// Quantity that the movement takes of it.
    taken: i64,
    /// Quantity left of it before.
    left: i64,
}

/// The steps of a block, a column a field, and the total value issued after each.
struct Block {
    amount: [i64; BLOCK],
    received_value: [i64; BLOCK],
    issued_value: [i64; BLOCK],
    is_begun: [i64; BLOCK],
    layer_from: [i64; BLOCK],
    layer_to: [i64; BLOCK],
    taken: [i64; BLOCK],
    left: [i64; BLOCK],
    issued_after: [i64; BLOCK],
    /// Not zero where the estimate is not proven.
    doubt: [u64; BLOCK],
}

impl Queues {
    pub(super) fn new() -> Self {
        let zero = [0; BLOCK];
        let block = Block {
            amount: zero,
            received_value: zero,
            issued_value: zero,
            is_begun: zero,
            layer_from: zero,
            layer_to: zero,
            taken: zero,
            left: zero,
            issued_after: zero,
            doubt: [0; BLOCK],
        };
        Self { queues: Vec::new(), layers: Vec::new(), block }
    }
}

/// Values the rows of a bucket in place, part after part. Returns false at a movement that is wrong or not of
/// ordinary size.
pub(super) fn value_bucket(queues: &mut Queues, places: usize, parts: &mut [&mut [Row]]) -> bool {
    lay_out(queues, places, parts);
    parts.iter_mut().all(|rows| value_rows(queues, rows))
}

/// Empties the queues and gives each room for its receipts.
fn lay_out(Queues { queues, layers, .. }: &mut Queues, places: usize, parts: &[&mut [Row]]) {
    queues.clear();
    queues.resize(places, Queue::default());
    for &row in parts.iter().flat_map(|rows| rows.iter()) {
        if let Some(queue) = queues.get_mut(place(row)) {
            queue.tail += u32::from(qty(row) > 0);
        }
    }
    let mut next = 0;
    for queue in queues.iter_mut() {
        let receipts = queue.tail;
        (queue.head, queue.tail) = (next + 1, next + 1);
        next += receipts + 2;
    }
    if layers.len() < next as usize {
        layers.resize(next as usize, [0, 0]);
    }
    for queue in queues {
        layers[queue.head as usize - 1] = [0, 0];
        layers[queue.head as usize] = [END, 0];
    }
}

fn value_rows(Queues { queues, layers, block }: &mut Queues, rows: &mut [Row]) -> bool {
    let (blocks, rest) = rows.as_chunks_mut();
    for rows in blocks {
        if !book_block(queues, layers, block, rows) {
            return false;
        }
        estimate(block);
        settle(queues, block, rows);
    }
    rest.iter_mut().all(|row| {
        let Some(queue) = queues.get_mut(place(*row)) else {
            return false;
        };
        let step = book(queue, layers, *row);
        if let Some(step) = &step {
            (queue.issued_value, *row) = value(step, queue.issued_value);
        }
        step.is_some()
    })
}

/// Books the quantities of a block. Returns false at a movement that is wrong or not of ordinary size.
#[inline(never)]
fn book_block(queues: &mut [Queue], layers: &mut [[i64; 2]], block: &mut Block, rows: &[Row; BLOCK]) -> bool {
    for (at, &row) in rows.iter().enumerate() {
        let Some(step) = queues.get_mut(place(row)).and_then(|queue| book(queue, layers, row)) else {
            return false;
        };
        block.amount[at] = step.amount;
        block.received_value[at] = step.received_value;
        block.issued_value[at] = step.issued_value;
        block.is_begun[at] = step.is_begun;
        [block.layer_from[at], block.layer_to[at]] = step.layer;
        block.taken[at] = step.taken;
        block.left[at] = step.left;
    }
    true
}

/// Books the quantity of a movement, or returns `None` if it is wrong or not of ordinary size.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the layers of a bucket are counted in 32 bits")]
fn book(queue: &mut Queue, layers: &mut [[i64; 2]], row: Row) -> Option<Step> {
    let qty = qty(row);
    // All ones for an issue, zero for a receipt.
    let is_issue = qty >> 63;
    let amount = row[1] & !is_issue;
    let received = queue.received.wrapping_add(qty & !is_issue);
    let received_value = queue.received_value.wrapping_add(amount);
    let issued = queue.issued.wrapping_sub(qty & is_issue);
    if qty == 0 || !is_small(received, issued, amount, received_value) {
        return None;
    }
    let tail = queue.tail.wrapping_add(u32::from(qty > 0));
    layers[queue.tail as usize] = [received, received_value];
    layers[tail as usize] = [END, received_value];
    let (head, is_passed) = layer_at(layers, queue.head as usize, issued);
    let [before, layer_from] = layers[head.wrapping_sub(1)];
    let [after, layer_to] = layers[head];
    // All of the layer is left, unless an issue ended in it already.
    let before = before.max(queue.issued);
    let step = Step {
        amount,
        received_value,
        issued_value: queue.issued_value,
        is_begun: i64::from(is_passed).wrapping_sub(1),
        layer: [layer_from, layer_to],
        taken: issued.wrapping_sub(before),
        left: after.wrapping_sub(before),
    };
    *queue =
        Queue { received, received_value, issued, issued_value: queue.issued_value, head: head as u32, tail };
    Some(step)
}

/// Whether a movement leaves no more issued than received, and all amounts within the bounds of
/// [`mul_div_half_even_small`] and of 64 bits.
#[inline(always)]
fn is_small(received: i64, issued: i64, amount: i64, received_value: i64) -> bool {
    let amount = amount.wrapping_add(SMALL_VALUE).cast_unsigned() / (2 * SMALL_VALUE.cast_unsigned());
    let value = received_value.wrapping_add(TOTAL_LIMIT).cast_unsigned() / (2 * TOTAL_LIMIT.cast_unsigned());
    // A negative quantity left is above the bound too.
    let left = received.wrapping_sub(issued).cast_unsigned();
    let qty = (received.cast_unsigned() | left) / RECEIVED_LIMIT.cast_unsigned();
    qty | amount | value == 0
}

/// The layer, from `head` on, that ends after `issued`, and whether it is another than `head`.
#[inline(always)]
fn layer_at(layers: &[[i64; 2]], mut head: usize, issued: i64) -> (usize, bool) {
    // Most issues end in this layer or one of the next two: counted without a branch that could be
    // mispredicted.
    let is_passed = layers[head][0] <= issued;
    head += usize::from(is_passed);
    head += usize::from(layers[head][0] <= issued);
    while layers[head][0] <= issued {
        head += 1;
    }
    (head, is_passed)
}

/// Finds the total value issued after each row, on the value issued as booked, and raises `doubt` where the
/// result is not proven.
#[inline(never)]
fn estimate(block: &mut Block) {
    wide(
        #[inline(always)]
        || estimate_rows(block),
    );
}

#[inline(always)]
fn estimate_rows(block: &mut Block) {
    for at in 0..BLOCK {
        let from = chosen(block.is_begun[at], block.issued_value[at], block.layer_from[at]);
        let rest = block.layer_to[at].wrapping_sub(from);
        let (share, bound) = estimate_mul_div(rest, block.taken[at], block.left[at]);
        block.issued_after[at] = from.wrapping_add(share);
        block.doubt[at] = if bound < 0.5 { 0 } else { 1 };
    }
}

/// Writes the results of a block: rows in order, as estimated or, where that is in doubt or another row has
/// changed the value issued since, anew.
#[inline(never)]
fn settle(queues: &mut [Queue], block: &Block, rows: &mut [Row; BLOCK]) {
    for (at, row) in rows.iter_mut().enumerate() {
        let issued_value = &mut queues[place(*row)].issued_value;
        let changed = (*issued_value ^ block.issued_value[at]).cast_unsigned();
        if changed | block.doubt[at] == 0 {
            *row = result(block.amount[at], block.received_value[at], *issued_value, block.issued_after[at]);
            *issued_value = block.issued_after[at];
        } else {
            (*issued_value, *row) = value(&block.step(at), *issued_value);
        }
    }
}

impl Block {
    fn step(&self, at: usize) -> Step {
        Step {
            amount: self.amount[at],
            received_value: self.received_value[at],
            issued_value: self.issued_value[at],
            is_begun: self.is_begun[at],
            layer: [self.layer_from[at], self.layer_to[at]],
            taken: self.taken[at],
            left: self.left[at],
        }
    }
}

/// The total value issued after a movement, from the one before it, and the movement's result.
#[inline(always)]
fn value(step: &Step, issued_value: i64) -> (i64, Row) {
    let [from, to] = step.layer;
    let from = chosen(step.is_begun, issued_value, from);
    let taken = mul_div_half_even_small(to.wrapping_sub(from), step.taken, step.left);
    let issued_after = from.wrapping_add(taken);
    (issued_after, result(step.amount, step.received_value, issued_value, issued_after))
}

/// Value of a movement and balance after it.
#[inline(always)]
fn result(amount: i64, received_value: i64, issued_value: i64, issued_after: i64) -> Row {
    [amount.wrapping_add(issued_value).wrapping_sub(issued_after), received_value.wrapping_sub(issued_after)]
}

/// `one` where the mask is all ones, `other` where it is zero.
#[inline(always)]
fn chosen(mask: i64, one: i64, other: i64) -> i64 {
    other ^ ((other ^ one) & mask)
}
