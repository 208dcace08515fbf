//! First in, first out: every issue takes the oldest layers on hand.
//!
//! Rows are dealt into buckets by item, so that threads work on items of their own, whose queues stay in the
//! cache; see [`partition`](super::partition).

use rayon::prelude::*;

use super::fifo_checked::fifo_checked;
use super::partition::{BUCKETS, Dealt, ITEM_LIMIT, Row, buckets, collect, deal, places};
use super::queues::{Queues, value_bucket};
use super::{KernelError, Movements, same_length};

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
    let (rows, items) = (movements.len(), movements.items);
    // Layers are numbered in 32 bits: one per receipt and two per item.
    u32::try_from(rows.checked_add(items.checked_mul(2)?)?).ok().filter(|_| items <= ITEM_LIMIT)?;
    let part = rows.div_ceil(rayon::current_num_threads()).max(1);
    let parts = (0..rows.div_ceil(part)).into_par_iter();
    let mut dealt: Vec<Dealt> =
        parts.map(|index| deal(movements.slice(index * part, part))).collect::<Option<_>>()?;
    value_buckets(places(items), &mut dealt)?;
    let outputs = value.par_chunks_mut(part).zip(balance.par_chunks_mut(part));
    dealt.par_iter().zip(movements.item.par_chunks(part)).zip(outputs).for_each(
        |((dealt, item), (value, balance))| {
            collect(item, dealt, value, balance);
        },
    );
    Some(())
}

/// Values the rows of each bucket, part after part.
fn value_buckets(places: usize, dealt: &mut [Dealt]) -> Option<()> {
    let mut rows: Vec<Vec<&mut [Row]>> = (0..BUCKETS).map(|_| Vec::with_capacity(dealt.len())).collect();
    for part in dealt {
        rows.iter_mut().zip(buckets(part)).for_each(|(rows, part)| rows.push(part));
    }
    let is_done = |queues: &mut Queues, rows: &mut Vec<&mut [Row]>| value_bucket(queues, places, rows);
    rows.par_iter_mut().map_init(Queues::new, is_done).all(|is_done| is_done).then_some(())
}
