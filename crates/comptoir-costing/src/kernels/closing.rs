//! What is open at the end of a history, first in, first out, without valuing each movement on the way.
//!
//! First in, first out leaves the latest receipts that make up the quantity on hand. So the totals per item
//! and a walk back over the rows give all open layers, and only the oldest of an item, in which issues may
//! have ended, needs its issues replayed for its value. Threads share the walks: each first adds up the
//! changes of a range of rows. On the way back they select, of one stretch after another, the rows that the
//! items still lack; these are few, and one thread takes them in order.
#![expect(
    clippy::indexing_slicing,
    reason = "item codes are checked in the first walk, before any is used as an index"
)]

use comptoir_types::decimal::mul_div::{SMALL_VALUE, mul_div_half_even_small};
use rayon::prelude::*;

use super::fifo_checked::{Layer, fifo_checked};
use super::{KernelError, Movements, Stock, same_length};

/// A receipt that is not, or not wholly, issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLayer {
    /// Item code.
    pub item: u32,
    /// Day of the receipt.
    pub day: i32,
    /// Quantity left.
    pub qty: i64,
    /// Value left.
    pub value: i64,
}

/// Bound on quantities in the walks: running totals below it fit the division without remainder.
const QTY_LIMIT: u64 = 1 << 50;

/// Returns the layers that are open after all movements, first in, first out: by item, the oldest first.
///
/// `day` holds the day of each movement, in any count of days. Quantities and values are those that
/// [`fifo`](super::fifo) leaves, to the last minor unit. Runs in the current rayon pool; the result does not
/// depend on its number of threads. Fails as [`fifo`](super::fifo) does, except that balances of value beyond
/// 10^18 go unnoticed.
///
/// ```
/// use comptoir_costing::kernels::{Movements, OpenLayer, closing_layers};
///
/// let movements = Movements::new(&[0; 3], &[10, 20, -15], &[10_000, 26_000, 0], 1)?;
/// let layers = closing_layers(movements, &[1, 2, 3])?;
/// assert_eq!(layers, [OpenLayer { item: 0, day: 2, qty: 15, value: 19_500 }]);
/// # Ok::<(), comptoir_costing::kernels::KernelError>(())
/// ```
pub fn closing_layers(movements: Movements<'_>, day: &[i32]) -> Result<Vec<OpenLayer>, KernelError> {
    same_length("day", day.len(), movements.len())?;
    match on_hand(movements) {
        Some(on_hand) => Ok(open_layers(movements, day, on_hand)),
        None => checked_layers(movements, day),
    }
}

/// The open layers as the general form finds them, or the error in the first wrong row.
fn checked_layers(movements: Movements<'_>, day: &[i32]) -> Result<Vec<OpenLayer>, KernelError> {
    let (mut value, mut balance) = (vec![0; movements.len()], vec![0; movements.len()]);
    let queues = fifo_checked(movements, &mut value, &mut balance)?;
    let open = |Layer { row, rest: Stock { qty, value } }: Layer| {
        let item = movements.item[row];
        OpenLayer { item, day: day[row], qty, value }
    };
    Ok(queues.into_iter().flatten().map(open).collect())
}

/// The open layers, from quantities on hand that are known to be right.
fn open_layers(movements: Movements<'_>, day: &[i32], on_hand: Vec<i64>) -> Vec<OpenLayer> {
    let Movements { item, qty, amount, items } = movements;
    let parts = list_back(movements, on_hand, |qty| qty > 0);
    let mut place = ends_by_item(&parts, item, items);
    let mut consumed = vec![0; items];
    let mut layers = vec![OpenLayer { item: 0, day: 0, qty: 0, value: 0 }; parts.len()];
    // From the latest receipt to the oldest: each item's place ends at its oldest layer.
    for part in &parts {
        let (item, whole) = (item[part.row], qty[part.row]);
        let place = &mut place[item as usize];
        *place -= 1;
        layers[*place] = OpenLayer { item, day: day[part.row], qty: whole, value: amount[part.row] };
        if part.qty != whole {
            consumed[item as usize] = whole - part.qty;
        }
    }
    let issues = list_back(movements, consumed, |qty| qty < 0);
    for issue in issues.iter().rev() {
        let layer = &mut layers[place[item[issue.row] as usize]];
        layer.value -= mul_div_half_even_small(layer.value, issue.qty, layer.qty);
        layer.qty -= issue.qty;
    }
    layers
}

/// Where the parts of each item end if they are laid out item after item.
fn ends_by_item(parts: &[Part], item: &[u32], items: usize) -> Vec<usize> {
    let mut ends = vec![0; items];
    for part in parts {
        ends[item[part.row] as usize] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        total += *end;
        *end = total;
    }
    ends
}

/// A part of the quantity of a movement, in magnitude.
#[derive(Clone, Copy, Debug)]
struct Part {
    row: usize,
    qty: i64,
}

/// What the walk over a range knows of an item: the net change of its quantity, and the lowest point on the
/// way.
#[derive(Clone, Copy, Default)]
struct Change {
    net: i64,
    lowest: i64,
}

/// The quantity of each item at the end, or `None` if a movement is wrong or not of ordinary size.
fn on_hand(movements: Movements<'_>) -> Option<Vec<i64>> {
    let ranges: Vec<Vec<Change>> = ranges(movements).into_par_iter().map(changes).collect::<Option<_>>()?;
    let mut on_hand = vec![0_i64; movements.items];
    for range in ranges {
        for (on_hand, change) in on_hand.iter_mut().zip(range) {
            if *on_hand + change.lowest < 0 {
                return None;
            }
            *on_hand += change.net;
        }
    }
    let is_small = on_hand.iter().all(|qty| qty.unsigned_abs() < QTY_LIMIT);
    is_small.then_some(on_hand)
}

/// The change that a range of movements makes to each item.
fn changes(movements: Movements<'_>) -> Option<Vec<Change>> {
    let Movements { item, qty, amount, items } = movements;
    let mut changes = vec![Change::default(); items];
    let mut excess = 0;
    let mut is_any_zero = false;
    for ((&item, &qty), &amount) in item.iter().zip(qty).zip(amount) {
        let change = changes.get_mut(item as usize)?;
        change.net = change.net.wrapping_add(qty);
        change.lowest = change.lowest.min(change.net);
        is_any_zero |= qty == 0;
        let amount = amount & !(qty >> 63);
        excess |= amount.wrapping_add(SMALL_VALUE).cast_unsigned() / (2 * SMALL_VALUE.cast_unsigned());
        // Quantities and net changes below the limit, so that no sum of two of them overflows.
        excess |= (qty.unsigned_abs() / QTY_LIMIT) | (change.net.unsigned_abs() / QTY_LIMIT);
    }
    (excess == 0 && !is_any_zero).then_some(changes)
}

/// The movements in as many ranges as there are threads.
fn ranges(movements: Movements<'_>) -> Vec<Movements<'_>> {
    let rows = movements.len().div_ceil(rayon::current_num_threads()).max(1);
    (0..movements.len()).step_by(rows).map(|start| movements.slice(start, rows)).collect()
}

/// Lists, from the last row back, the movements of a sign that make up the `wanted` quantity of each item.
fn list_back(movements: Movements<'_>, wanted: Vec<i64>, has_sign: impl Fn(i64) -> bool + Sync) -> Vec<Part> {
    let mut is_open: Vec<bool> = wanted.iter().map(|&qty| qty > 0).collect();
    let mut open = is_open.iter().filter(|&&is_open| is_open).count();
    let mut left = wanted;
    let mut parts = Vec::new();
    let mut selected = vec![Vec::new(); rayon::current_num_threads()];
    let mut end = movements.len();
    while open > 0 && end > 0 {
        let start = end.saturating_sub(STRETCH);
        select(movements.slice(start, end - start), &is_open, &has_sign, &mut selected);
        for row in selected.iter().flatten().rev().map(|&row| start + row as usize) {
            let (item, whole) = (movements.item[row] as usize, movements.qty[row].abs());
            if left[item] > 0 {
                parts.push(Part { row, qty: whole.min(left[item]) });
                left[item] -= whole;
                is_open[item] = left[item] > 0;
                open -= usize::from(left[item] <= 0);
            }
        }
        end = start;
    }
    parts
}

/// Rows of a stretch: many enough to be worth a thread's while, few enough that it seldom selects what is
/// taken already.
const STRETCH: usize = STRETCH_U32 as usize;
const STRETCH_U32: u32 = 1 << 17;

/// Selects the rows of a stretch whose movement has a sign and whose item is open, in as many lists as there
/// are.
fn select(
    stretch: Movements<'_>,
    is_open: &[bool],
    has_sign: &(impl Fn(i64) -> bool + Sync),
    selected: &mut [Vec<u32>],
) {
    let part = stretch.len().div_ceil(selected.len()).max(1);
    selected.par_iter_mut().enumerate().for_each(|(index, selected)| {
        let range = stretch.slice(index * part, part);
        selected.resize(part, 0);
        let mut count = 0;
        let rows = (0..STRETCH_U32).skip(index * part);
        for ((row, &item), &qty) in rows.zip(range.item).zip(range.qty) {
            // Written always and counted where wanted: receipts and issues alternate at random, and a branch
            // would be mispredicted at every third row.
            selected[count] = row;
            count += usize::from(is_open[item as usize] & has_sign(qty));
        }
        selected.truncate(count);
    });
}
