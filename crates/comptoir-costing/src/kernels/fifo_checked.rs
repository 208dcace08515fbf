//! First in, first out with every check: for movements of any size, and to name the row that is wrong.

use std::collections::VecDeque;

use comptoir_types::decimal::{Rounding, mul_div::mul_div};

use super::{KernelError, Movements, Stock, checked_balance, checked_value};

/// What is left of a receipt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    /// The receipt's row.
    pub row: usize,
    /// Quantity and value left.
    pub rest: Stock,
}

/// Values movements first in, first out, one by one in their order, and returns each item's open layers.
#[cold]
pub(super) fn fifo_checked(
    movements: Movements<'_>,
    value: &mut [i64],
    balance: &mut [i64],
) -> Result<Vec<VecDeque<Layer>>, KernelError> {
    let Movements { item, qty, amount, items } = movements;
    let mut stocks = vec![Stock::default(); items];
    let mut queues = vec![VecDeque::new(); items];
    let rows = item.iter().zip(qty).zip(amount).zip(value.iter_mut().zip(balance));
    for (row, (((&item, &qty), &amount), (value, balance))) in rows.enumerate() {
        let (Some(stock), Some(layers)) = (stocks.get_mut(item as usize), queues.get_mut(item as usize))
        else {
            return Err(KernelError::ItemCode { row, code: item, items });
        };
        let left = checked_balance(*stock, qty, row)?;
        let moved = if qty > 0 {
            layers.push_back(Layer { row, rest: Stock { qty, value: amount } });
            Some(amount)
        } else {
            take(layers, -qty).map(|taken| -taken)
        };
        *balance = checked_value(*stock, moved, row)?;
        *value = *balance - stock.value;
        *stock = Stock { qty: left, value: *balance };
    }
    Ok(queues)
}

/// Takes a quantity from the oldest layers and returns its value, or `None` where that overflows.
fn take(layers: &mut VecDeque<Layer>, mut qty: i64) -> Option<i64> {
    let mut taken = 0_i64;
    while let Some(layer) = layers.front_mut().filter(|_| qty > 0) {
        let rest = layer.rest;
        if qty >= rest.qty {
            qty -= rest.qty;
            taken = taken.checked_add(rest.value)?;
            layers.pop_front();
        } else {
            let part = mul_div(rest.value, qty, rest.qty, Rounding::HalfEven)?;
            taken = taken.checked_add(part)?;
            layer.rest = Stock { qty: rest.qty - qty, value: rest.value - part };
            qty = 0;
        }
    }
    Some(taken)
}
