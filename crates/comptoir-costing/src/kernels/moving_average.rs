//! Moving weighted average: every issue leaves at the average cost of what is on hand.
//!
//! Rows are valued in blocks of three steps: [`gather`] reads the stock of each row's item, so that cache
//! misses overlap; [`estimate`] values all rows as if no item occurred twice in the block, without a branch
//! and in vector registers; [`settle`] accepts a row whose stock is still as gathered and whose value is
//! proven, and values any other again. A value depends on the stock before the movement and on the movement
//! alone, hence an accepted one is exact.
#![expect(
    clippy::indexing_slicing,
    reason = "rows run over arrays of one length; `gather` has checked the item codes"
)]

use comptoir_types::decimal::Rounding;
use comptoir_types::decimal::mul_div::{mul_div, mul_div_half_even_small};

use super::block_average::{BLOCK, FEW_ITEMS, Seen, estimate, excess, excess_qty};
use super::{KernelError, Movements, Stock, checked_balance, checked_value, same_length};

/// Values movements at the moving weighted average and returns the stock of each item at the end.
///
/// Writes the signed value of each movement to `value` and the item's value after it to `balance`. The value
/// of an issue is `value on hand * issued / quantity on hand`, rounded half to even; an issue of all that is
/// on hand takes all of its value, so that values in less values out are the value on hand to the last minor
/// unit (IAS 2.27, CAS 1 art. 14).
///
/// Fails with the first row, in order, whose item code is unknown, whose quantity is zero, whose issue
/// exceeds the stock, or whose amounts or balances reach [`AMOUNT_LIMIT`](super::AMOUNT_LIMIT).
///
/// ```
/// use comptoir_costing::kernels::{Movements, moving_average};
///
/// // 10 pieces for 100.00 and 20 for 260.00, then 5 and the remaining 25 are issued.
/// let movements = Movements::new(&[0; 4], &[10, 20, -5, -25], &[10_000, 26_000, 0, 0], 1)?;
/// let (mut value, mut balance) = ([0; 4], [0; 4]);
/// moving_average(movements, &mut value, &mut balance)?;
/// assert_eq!(value, [10_000, 26_000, -6_000, -30_000]);
/// assert_eq!(balance, [10_000, 36_000, 30_000, 0]);
/// # Ok::<(), comptoir_costing::kernels::KernelError>(())
/// ```
pub fn moving_average(
    movements: Movements<'_>,
    value: &mut [i64],
    balance: &mut [i64],
) -> Result<Vec<Stock>, KernelError> {
    let Movements { item, qty, amount, items } = movements;
    same_length("value", value.len(), item.len())?;
    same_length("balance", balance.len(), item.len())?;
    let mut stock = vec![Stock::default(); items];
    let mut seen = Seen::default();
    // Whole blocks have their length in their type, which leaves no check in the loops over them.
    let items = item.as_chunks().0;
    let (qtys, amounts) = (qty.as_chunks().0, amount.as_chunks().0);
    let (values, value_rest) = value.as_chunks_mut();
    let (balances, balance_rest) = balance.as_chunks_mut();
    let inputs = items.iter().zip(qtys).zip(amounts);
    for (block, (((item, qty), amount), (value, balance))) in
        inputs.zip(values.iter_mut().zip(balances)).enumerate()
    {
        let start = block * BLOCK;
        if stock.len() < FEW_ITEMS || !gather(&stock, item, &mut seen) {
            value_one_by_one(&mut stock, start, movements.slice(start, BLOCK), value, balance)?;
        } else {
            let rows = Rows { start, item, qty, amount };
            estimate(&mut seen, qty, amount, value, balance);
            settle(&mut stock, &seen, &rows, value, balance)?;
        }
    }
    let start = items.len() * BLOCK;
    value_one_by_one(&mut stock, start, movements.slice(start, BLOCK), value_rest, balance_rest)?;
    Ok(stock)
}

/// The movements of a block, the first of which is row `start`.
struct Rows<'a> {
    start: usize,
    item: &'a [u32; BLOCK],
    qty: &'a [i64; BLOCK],
    amount: &'a [i64; BLOCK],
}

/// Reads the stock of each row's item. Returns false for a block with an unknown item code.
#[inline(always)]
fn gather(stock: &[Stock], item: &[u32; BLOCK], seen: &mut Seen) -> bool {
    for (row, &item) in item.iter().enumerate() {
        let Some(stock) = stock.get(item as usize) else {
            return false;
        };
        seen.qty[row] = stock.qty;
        seen.value[row] = stock.value;
    }
    true
}

/// Books the block: rows in order, as estimated or, where that is in doubt or the stock has changed since,
/// anew.
#[inline(never)]
fn settle(
    stock: &mut [Stock],
    seen: &Seen,
    rows: &Rows<'_>,
    value: &mut [i64; BLOCK],
    balance: &mut [i64; BLOCK],
) -> Result<(), KernelError> {
    let Rows { start, item, qty, amount } = rows;
    for row in 0..BLOCK {
        let stock = &mut stock[item[row] as usize];
        let changed = (stock.qty ^ seen.qty[row]) | (stock.value ^ seen.value[row]);
        if changed.cast_unsigned() | seen.doubt[row] == 0 {
            *stock = Stock { qty: stock.qty.wrapping_add(qty[row]), value: balance[row] };
        } else {
            value[row] = book(stock, qty[row], amount[row], start + row)?;
            balance[row] = stock.value;
        }
    }
    Ok(())
}

/// Books rows one by one, the first of which is row `start`.
fn value_one_by_one(
    stock: &mut [Stock],
    start: usize,
    rows: Movements<'_>,
    value: &mut [i64],
    balance: &mut [i64],
) -> Result<(), KernelError> {
    let items = stock.len();
    let inputs = rows.item.iter().zip(rows.qty).zip(rows.amount);
    for (offset, (((&item, &qty), &amount), (value, balance))) in
        inputs.zip(value.iter_mut().zip(balance)).enumerate()
    {
        let row = start + offset;
        let Some(stock) = stock.get_mut(item as usize) else {
            return Err(KernelError::ItemCode { row, code: item, items });
        };
        *value = book(stock, qty, amount, row)?;
        *balance = stock.value;
    }
    Ok(())
}

/// Books a movement and returns its signed value: the same as in [`estimate`], with the remainder to make it
/// exact.
#[inline(always)]
fn book(stock: &mut Stock, qty: i64, amount: i64, row: usize) -> Result<i64, KernelError> {
    let is_issue = qty >> 63;
    let share = mul_div_half_even_small(stock.value, qty & is_issue, stock.qty);
    let mut value = amount ^ ((amount ^ share) & is_issue);
    let left = stock.qty.wrapping_add(qty);
    let excess = excess(stock.value) | excess(stock.value.wrapping_add(value)) | excess_qty(stock.qty | left);
    if qty == 0 || excess != 0 {
        value = value_checked(*stock, qty, amount, row)?;
    }
    *stock = Stock { qty: left, value: stock.value.wrapping_add(value) };
    Ok(value)
}

/// The signed value of any movement, with every check.
#[cold]
fn value_checked(stock: Stock, qty: i64, amount: i64, row: usize) -> Result<i64, KernelError> {
    checked_balance(stock, qty, row)?;
    let value = if qty > 0 { Some(amount) } else { mul_div(stock.value, qty, stock.qty, Rounding::HalfEven) };
    Ok(checked_value(stock, value, row)? - stock.value)
}
