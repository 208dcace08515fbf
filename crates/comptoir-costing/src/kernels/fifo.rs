//! First in, first out: every issue takes the oldest layers on hand.
//!
//! Per item, layers are kept as running totals of quantity and value received. An issue moves the item's total issued
//! forward; the layers passed on the way are gone with all their value, whatever it was, and only the layer in which the
//! issue ends is divided. So an issue costs one division however many layers it takes, and a receipt can be computed as
//! an issue of nothing: no branch depends on the data but the search for the layer.
#![expect(clippy::indexing_slicing, reason = "places and layers are within the counts taken from the same rows")]

use std::hint::select_unpredictable;

use comptoir_types::decimal::mul_div::{SMALL_VALUE, mul_div_half_even_small};
use rayon::prelude::*;

use super::fifo_checked::fifo_checked;
use super::partition::{BUCKETS, Dealt, Row, bucket_of, buckets, collect, deal, place_of, places};
use super::{KernelError, Movements, same_length};

/// Rows that are dealt, valued and collected together: their working space stays in the shared cache.
const CHUNK: usize = 1 << 20;

/// Bound on the running total of quantity of an item.
const RECEIVED_LIMIT: i64 = 1 << 50;

/// Bound on the magnitude of the running total of value of an item.
const TOTAL_LIMIT: i64 = 1 << 61;

/// Running total of quantity that ends each queue: no item reaches it.
const END: i64 = RECEIVED_LIMIT;

/// Values movements first in, first out.
///
/// Writes the signed value of each movement to `value` and the item's value after it to `balance`. An issue takes whole
/// layers at their whole value and, of the last one, `value of the layer * taken / quantity of the layer`, rounded half
/// to even; the layer keeps the rest (IAS 2.25, CAS 1 art. 14). Values in less values out are the value on hand to the
/// last minor unit.
///
/// Runs in the current rayon pool; the result does not depend on its number of threads. Fails with the first row, in
/// order, whose item code is unknown, whose quantity is zero, whose issue exceeds the stock, or whose amounts or
/// balances reach [`AMOUNT_LIMIT`](super::AMOUNT_LIMIT).
///
/// ```
/// use comptoir_costing::kernels::{Movements, fifo};
///
/// // 10 pieces for 100.00 and 20 for 260.00, then 15 are issued: 10 at 10.00 and 5 at 13.00.
/// let movements = Movements::new(&[0; 3], &[10, 20, -15], &[10_000, 26_000, 0], 1)?;
/// let (mut value, mut balance) = ([0; 3], [0; 3]);
/// fifo(movements, &mut value, &mut balance)?;
/// assert_eq!(value, [10_000, 26_000, -16_500]);
/// assert_eq!(balance, [10_000, 36_000, 19_500]);
/// # Ok::<(), comptoir_costing::kernels::KernelError>(())
/// ```
pub fn fifo(movements: Movements<'_>, value: &mut [i64], balance: &mut [i64]) -> Result<(), KernelError> {
    same_length("value", value.len(), movements.len())?;
    same_length("balance", balance.len(), movements.len())?;
    if fifo_small(movements, value, balance).is_some() {
        return Ok(());
    }
    fifo_checked(movements, value, balance).map(|_| ())
}

/// Values movements of ordinary size, or stops with `None` at any that is not or is wrong.
fn fifo_small(movements: Movements<'_>, value: &mut [i64], balance: &mut [i64]) -> Option<()> {
    let mut queues = empty_queues(movements)?;
    let chunks = value.chunks_mut(CHUNK).zip(balance.chunks_mut(CHUNK));
    let threads = rayon::current_num_threads();
    let mut dealt: Vec<Dealt> = (0..threads).map(|_| Dealt::default()).collect();
    for (chunk, (value, balance)) in chunks.enumerate() {
        let rows = value.len();
        let part = rows.div_ceil(threads);
        let movements = movements.slice(chunk * CHUNK, rows);
        let used = rows.div_ceil(part);
        let dealt = &mut dealt[..used];
        dealt.par_iter_mut().enumerate().for_each(|(index, dealt)| {
            deal(movements.slice(index * part, part.min(rows - index * part)), dealt);
        });
        value_buckets(&mut queues, dealt)?;
        let outputs = value.par_chunks_mut(part).zip(balance.par_chunks_mut(part));
        dealt.par_iter().zip(movements.item.par_chunks(part)).zip(outputs).for_each(|((dealt, item), (value, balance))| {
            collect(item, dealt, value, balance);
        });
    }
    Some(())
}

/// Values the rows of each bucket, part after part.
fn value_buckets(queues: &mut [Queues], dealt: &mut [Dealt]) -> Option<()> {
    let mut rows: Vec<Vec<&mut [Row]>> = (0..BUCKETS).map(|_| Vec::with_capacity(dealt.len())).collect();
    for part in dealt {
        rows.iter_mut().zip(buckets(part)).for_each(|(rows, part)| rows.push(part));
    }
    let is_done = |(queues, rows): (&mut Queues, Vec<&mut [Row]>)| rows.into_iter().all(|rows| value_rows(queues, rows));
    queues.par_iter_mut().zip(rows).all(is_done).then_some(())
}

/// The queues of a bucket's items.
struct Queues {
    queues: Vec<Queue>,
    /// Each item's layers in a run: running totals of quantity and value, before its first layer and after each, and
    /// `END` instead of a quantity after the last.
    layers: Vec<[i64; 2]>,
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

/// Values the rows of a bucket in place. Returns false at a movement that is wrong or not of ordinary size.
fn value_rows(queues: &mut Queues, rows: &mut [Row]) -> bool {
    let Queues { queues, layers } = queues;
    for row in rows {
        let Some(queue) = queues.get_mut(row.place as usize) else { return false };
        // All ones for an issue, zero for a receipt.
        let is_issue = row.first >> 63;
        let amount = row.second & !is_issue;
        let received = queue.received.wrapping_add(row.first & !is_issue);
        let received_value = queue.received_value.wrapping_add(amount);
        let issued = queue.issued.wrapping_sub(row.first & is_issue);
        if row.first == 0 || !is_small(received, issued, amount, received_value) {
            return false;
        }
        let tail = queue.tail.wrapping_add(1).wrapping_add_signed(is_issue as i32);
        layers[queue.tail as usize] = [received, received_value];
        layers[tail as usize] = [END, received_value];
        let head = layer_at(layers, queue.head, issued);
        // The rest of the layer before the movement: all of the layer, unless the queue stood in it already.
        let [from, from_value] = layers[head.wrapping_sub(1) as usize];
        let [to, to_value] = layers[head as usize];
        let from = from.max(queue.issued);
        let from_value = select_unpredictable(head == queue.head, queue.issued_value, from_value);
        let rest_value = to_value.wrapping_sub(from_value);
        let taken = mul_div_half_even_small(rest_value, issued.wrapping_sub(from), to.wrapping_sub(from));
        let issued_value = from_value.wrapping_add(taken);
        row.first = amount.wrapping_add(queue.issued_value).wrapping_sub(issued_value);
        row.second = received_value.wrapping_sub(issued_value);
        *queue = Queue { received, received_value, issued, issued_value, head, tail };
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
    (received.cast_unsigned() | left) / RECEIVED_LIMIT.cast_unsigned() | amount | value == 0
}

/// The layer, from `head` on, that ends after `issued`.
#[inline(always)]
fn layer_at(layers: &[[i64; 2]], head: u32, issued: i64) -> u32 {
    // Most issues end in this layer or one of the next two: counted without a branch that could be mispredicted.
    let mut head = head as usize;
    head += usize::from(layers[head][0] <= issued);
    head += usize::from(layers[head][0] <= issued);
    while layers[head][0] <= issued {
        head += 1;
    }
    head as u32
}

/// Queues with room for all receipts, by bucket; `None` where an item code is unknown or there are too many rows.
fn empty_queues(movements: Movements<'_>) -> Option<Vec<Queues>> {
    let Movements { item, qty, items, .. } = movements;
    u32::try_from(item.len().checked_add(2 * items)?).ok()?;
    let part = item.len().div_ceil(rayon::current_num_threads()).max(1);
    let counts: Vec<Vec<u32>> = item.par_chunks(part).zip(qty.par_chunks(part)).map(|(item, qty)| {
        let mut counts = vec![0_u32; places(items) * BUCKETS];
        let mut is_known = true;
        for (&item, &qty) in item.iter().zip(qty) {
            is_known &= (item as usize) < items;
            let at = bucket_of(item) * places(items) + place_of(item) as usize;
            if let Some(count) = counts.get_mut(at) {
                *count += u32::from(qty > 0);
            }
        }
        is_known.then_some(counts)
    }).collect::<Option<_>>()?;
    Some((0..BUCKETS).into_par_iter().map(|bucket| {
        let range = bucket * places(items)..(bucket + 1) * places(items);
        let mut next = 0;
        let queues: Vec<Queue> = range.map(|at| {
            let head = next + 1;
            next += 2 + counts.iter().map(|counts| counts[at]).sum::<u32>();
            Queue { head, tail: head, ..Queue::default() }
        }).collect();
        let mut layers = vec![[0, 0]; next as usize];
        for queue in &queues {
            layers[queue.head as usize] = [END, 0];
        }
        Queues { queues, layers }
    }).collect())
}
