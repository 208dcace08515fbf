//! The queues of many items, first in, first out.
//!
//! Per item, layers are kept as running totals of quantity and value received. An issue moves the item's
//! total issued forward: the layers passed on the way are gone with all their value, whatever it was, and
//! only the layer in which the issue ends is divided. So an issue costs one division however many layers it
//! takes, and a receipt can be computed as an issue of nothing: no branch depends on the data but the search
//! for the layer.
#![expect(clippy::indexing_slicing, reason = "layers are within the counts taken from the same rows")]

use std::hint::select_unpredictable;

use comptoir_types::decimal::mul_div::{SMALL_VALUE, mul_div_half_even_small};

use super::partition::Row;

/// Bound on the running total of quantity of an item.
const RECEIVED_LIMIT: i64 = 1 << 50;

/// Bound on the magnitude of the running total of value of an item.
const TOTAL_LIMIT: i64 = 1 << 61;

/// Running total of quantity that ends each queue: no item reaches it.
const END: i64 = RECEIVED_LIMIT;

/// The queues of the items of a bucket.
pub(super) struct Queues {
    queues: Vec<Queue>,
    /// Each item's layers in a run: running totals of quantity and value, before its first layer and after
    /// each, and `END` instead of a quantity after the last.
    layers: Vec<[i64; 2]>,
}

/// An item's place in its layers.
#[derive(Clone, Copy, Debug)]
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

/// Empty queues with room for a number of receipts each.
pub(super) fn empty_queues(receipts: impl Iterator<Item = u32>) -> Queues {
    let mut next = 0;
    let queue = |receipts: u32| {
        let head = next + 1;
        next = head + receipts + 1;
        Queue { received: 0, received_value: 0, issued: 0, issued_value: 0, head, tail: head }
    };
    let queues: Vec<Queue> = receipts.map(queue).collect();
    let mut layers = vec![[0, 0]; next as usize];
    for queue in &queues {
        layers[queue.head as usize] = [END, 0];
    }
    Queues { queues, layers }
}

/// Values the rows of a bucket in place. Returns false at a movement that is wrong or not of ordinary size.
#[expect(clippy::cast_possible_truncation, reason = "the layers of a bucket are counted in 32 bits")]
pub(super) fn value_rows(queues: &mut Queues, rows: &mut [Row]) -> bool {
    let Queues { queues, layers } = queues;
    for row in rows {
        let Some(queue) = queues.get_mut(row.place()) else {
            return false;
        };
        let qty = row.qty();
        // All ones for an issue, zero for a receipt.
        let is_issue = qty >> 63;
        let amount = row.second & !is_issue;
        let received = queue.received.wrapping_add(qty & !is_issue);
        let received_value = queue.received_value.wrapping_add(amount);
        let issued = queue.issued.wrapping_sub(qty & is_issue);
        if qty == 0 || !is_small(received, issued, amount, received_value) {
            return false;
        }
        let tail = queue.tail.wrapping_add(u32::from(qty > 0));
        layers[queue.tail as usize] = [received, received_value];
        layers[tail as usize] = [END, received_value];
        let (head, is_begun) = layer_at(layers, queue.head as usize, issued);
        // The rest of the layer before the movement: all of the layer, unless the queue stood in it already.
        let [from, from_value] = layers[head.wrapping_sub(1)];
        let [to, to_value] = layers[head];
        let from = from.max(queue.issued);
        let from_value = select_unpredictable(is_begun, queue.issued_value, from_value);
        let rest_value = to_value.wrapping_sub(from_value);
        let taken = mul_div_half_even_small(rest_value, issued.wrapping_sub(from), to.wrapping_sub(from));
        let issued_value = from_value.wrapping_add(taken);
        row.first = amount.wrapping_add(queue.issued_value).wrapping_sub(issued_value);
        row.second = received_value.wrapping_sub(issued_value);
        *queue = Queue { received, received_value, issued, issued_value, head: head as u32, tail };
    }
    true
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

/// The layer, from `head` on, that ends after `issued`, and whether it is `head` itself.
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
    (head, !is_passed)
}
