//! What is open at the end of a history, first in, first out, without valuing each movement on the way.
//!
//! First in, first out leaves the latest receipts that make up the quantity on hand. So the totals per item
//! and a walk back over the rows give all open layers, and only the oldest of an item, in which issues may
//! have ended, needs its issues replayed for its value. Each walk runs over ranges of rows in parallel: a
//! range first lists what would be open if nothing followed it, and the lists, which are short, are then
//! trimmed from the last range to the first.
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
    let parts = trim(list_back(movements, &on_hand, |qty| qty > 0), on_hand);
    let mut place = ends_by_item(&parts, movements.items);
    let mut consumed = vec![0; movements.items];
    let mut layers = vec![OpenLayer { item: 0, day: 0, qty: 0, value: 0 }; parts.len()];
    // From the latest receipt to the oldest: each item's place ends at its oldest layer.
    for &Part { row, item, whole, qty } in &parts {
        let place = &mut place[item as usize];
        *place -= 1;
        layers[*place] = OpenLayer { item, day: day[row], qty: whole, value: movements.amount[row] };
        if qty != whole {
            consumed[item as usize] = whole - qty;
        }
    }
    let issues = trim(list_back(movements, &consumed, |qty| qty < 0), consumed);
    for issue in issues.iter().rev() {
        let layer = &mut layers[place[issue.item as usize]];
        layer.value -= mul_div_half_even_small(layer.value, issue.qty, layer.qty);
        layer.qty -= issue.qty;
    }
    layers
}

/// Where the parts of each item end if they are laid out item after item.
fn ends_by_item(parts: &[Part], items: usize) -> Vec<usize> {
    let mut ends = vec![0; items];
    for part in parts {
        ends[part.item as usize] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        total += *end;
        *end = total;
    }
    ends
}

/// A part of the quantity of a movement.
#[derive(Clone, Copy, Debug)]
struct Part {
    row: usize,
    item: u32,
    /// Magnitude of the movement's quantity.
    whole: i64,
    /// Magnitude of the part.
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
    let ranges: Vec<Vec<Change>> =
        ranges(movements).into_par_iter().map(|(_, range)| changes(range)).collect::<Option<_>>()?;
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

/// The movements in as many ranges as there are threads, each with the row at which it starts.
fn ranges(movements: Movements<'_>) -> Vec<(usize, Movements<'_>)> {
    let rows = movements.len().div_ceil(rayon::current_num_threads()).max(1);
    (0..movements.len()).step_by(rows).map(|start| (start, movements.slice(start, rows))).collect()
}

/// Lists, per range and from its end back, the movements of a sign that make up the `wanted` quantity of each
/// item.
fn list_back(
    movements: Movements<'_>,
    wanted: &[i64],
    has_sign: impl Fn(i64) -> bool + Sync,
) -> Vec<Vec<Part>> {
    let list = |(start, range): (usize, Movements<'_>)| {
        let mut left = wanted.to_vec();
        let mut is_open: Vec<bool> = wanted.iter().map(|&qty| qty > 0).collect();
        let mut open = is_open.iter().filter(|&&is_open| is_open).count();
        let mut parts = Vec::new();
        for (row, (&item, &qty)) in range.item.iter().zip(range.qty).enumerate().rev() {
            if open == 0 {
                break;
            }
            // One test, nearly always false in the older rows: two would be mispredicted at every third row.
            if is_open[item as usize] & has_sign(qty) {
                let (left, whole) = (&mut left[item as usize], qty.abs());
                parts.push(Part { row: start + row, item, whole, qty: whole.min(*left) });
                *left -= whole;
                is_open[item as usize] = *left > 0;
                open -= usize::from(*left <= 0);
            }
        }
        parts
    };
    ranges(movements).into_par_iter().map(list).collect()
}

/// Takes the wanted quantities from the listed movements; the last movement comes first.
fn trim(mut listed: Vec<Vec<Part>>, mut wanted: Vec<i64>) -> Vec<Part> {
    if listed.len() < 2 {
        return listed.pop().unwrap_or_default();
    }
    let take = |part: &Part| {
        let left = &mut wanted[part.item as usize];
        let qty = part.whole.min(*left);
        *left -= qty;
        (qty > 0).then_some(Part { qty, ..*part })
    };
    listed.iter().rev().flatten().filter_map(take).collect()
}
