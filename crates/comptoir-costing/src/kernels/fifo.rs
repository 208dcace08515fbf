//! First in, first out: every issue takes the oldest layers on hand.
//!
//! Rows are dealt into buckets by item, so that threads work on items of their own, in chunks that stay in
//! the cache.
#![expect(clippy::indexing_slicing, reason = "positions are within the counts taken from the same rows")]

use rayon::prelude::*;

use super::fifo_checked::fifo_checked;
use super::partition::{
    BUCKETS, Dealt, ITEM_LIMIT, QTY_LIMIT, Row, bucket_of, buckets, collect, deal, place_of, places,
};
use super::queues::{Queues, empty_queues, value_rows};
use super::{KernelError, Movements, same_length};

/// Rows that are dealt, valued and collected together: their working space stays in the shared cache.
const CHUNK: usize = 1 << 21;

/// Values movements first in, first out.
///
/// Writes the signed value of each movement to `value` and the item's value after it to `balance`. An issue
/// takes whole layers at their whole value and, of the last one, `value of the layer * taken / quantity of
/// the layer`, rounded half to even; the layer keeps the rest (IAS 2.25, CAS 1 art. 14). Values in less
/// values out are the value on hand to the last minor unit.
///
/// Runs in the current rayon pool; the result does not depend on its number of threads. Fails with the first
/// row, in order, whose item code is unknown, whose quantity is zero, whose issue exceeds the stock, or whose
/// amounts or balances reach [`AMOUNT_LIMIT`](super::AMOUNT_LIMIT).
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
    let mut queues = queues_of(movements)?;
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
        dealt.par_iter().zip(movements.item.par_chunks(part)).zip(outputs).for_each(
            |((dealt, item), (value, balance))| {
                collect(item, dealt, value, balance);
            },
        );
    }
    Some(())
}

/// Values the rows of each bucket, part after part.
fn value_buckets(queues: &mut [Queues], dealt: &mut [Dealt]) -> Option<()> {
    let mut rows: Vec<Vec<&mut [Row]>> = (0..BUCKETS).map(|_| Vec::with_capacity(dealt.len())).collect();
    for part in dealt {
        rows.iter_mut().zip(buckets(part)).for_each(|(rows, part)| rows.push(part));
    }
    let is_done = |(queues, rows): (&mut Queues, Vec<&mut [Row]>)| {
        rows.into_iter().all(|rows| value_rows(queues, rows))
    };
    queues.par_iter_mut().zip(rows).all(is_done).then_some(())
}

/// Queues with room for all receipts, by bucket; `None` where an item code is unknown or there are too many
/// rows.
fn queues_of(movements: Movements<'_>) -> Option<Vec<Queues>> {
    let Movements { item, qty, items, .. } = movements;
    u32::try_from(item.len().checked_add(2 * items)?).ok().filter(|_| items <= ITEM_LIMIT)?;
    let part = item.len().div_ceil(rayon::current_num_threads()).max(1);
    let counts: Vec<Vec<u32>> = item
        .par_chunks(part)
        .zip(qty.par_chunks(part))
        .map(|(item, qty)| {
            let mut counts = vec![0_u32; places(items) * BUCKETS];
            let mut is_packable = true;
            for (&item, &qty) in item.iter().zip(qty) {
                is_packable &= (item as usize) < items && (-QTY_LIMIT..QTY_LIMIT).contains(&qty);
                let at = bucket_of(item) * places(items) + place_of(item) as usize;
                if let Some(count) = counts.get_mut(at) {
                    *count += u32::from(qty > 0);
                }
            }
            is_packable.then_some(counts)
        })
        .collect::<Option<_>>()?;
    let queues = |bucket: usize| {
        let range = bucket * places(items)..(bucket + 1) * places(items);
        empty_queues(range.map(|at| counts.iter().map(|counts| counts[at]).sum()))
    };
    Some((0..BUCKETS).into_par_iter().map(queues).collect())
}
