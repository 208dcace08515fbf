//! Valuation of millions of plain movements per second: the fast path under the costing methods.
//!
//! A kernel takes columns of machine integers with dense item codes and writes, for each movement, its value
//! and the item's value after it. It knows two kinds of movement, receipts with a value and issues whose
//! value is to be found, and stops at the first row that needs more than that (stock would turn negative, an
//! amount is out of range): the general engine takes such items. Results are exact, rounded half to even, and
//! equal for any number of threads.
//!
//! Quantities and values are scaled integers: a kernel neither knows nor needs their scales.

mod ageing;
pub(crate) mod block_average;
mod closing;
mod fifo;
mod fifo_checked;
mod moving_average;
mod partition;
mod queues;
#[cfg(test)]
mod tests;

pub use ageing::{AgeBucket, age_buckets};
pub use closing::{OpenLayer, closing_layers};
pub use fifo::fifo;
pub use moving_average::moving_average;

/// Quantities and amounts of a movement are below this in magnitude: 10^18, the largest power of ten in 64
/// bits.
pub const AMOUNT_LIMIT: i64 = 1_000_000_000_000_000_000;

/// Columns of movements in the order in which they are to be valued, of equal length.
#[derive(Clone, Copy, Debug)]
pub struct Movements<'a> {
    item: &'a [u32],
    qty: &'a [i64],
    amount: &'a [i64],
    items: usize,
}

impl<'a> Movements<'a> {
    /// Takes one entry per movement in each column.
    ///
    /// `item` holds codes below `items`; `qty` is positive for a receipt, negative for an issue; `amount` is
    /// the value of a receipt and ignored for an issue. Returns [`KernelError::Length`] where the columns
    /// differ in length.
    pub fn new(
        item: &'a [u32],
        qty: &'a [i64],
        amount: &'a [i64],
        items: usize,
    ) -> Result<Self, KernelError> {
        same_length("qty", qty.len(), item.len())?;
        same_length("amount", amount.len(), item.len())?;
        Ok(Self { item, qty, amount, items })
    }

    /// Number of movements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.item.len()
    }

    /// Whether there is no movement.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.item.is_empty()
    }

    /// The movements from `start` on, `rows` of them, as far as there are any.
    fn slice(&self, start: usize, rows: usize) -> Self {
        let end = start.saturating_add(rows).min(self.len());
        let start = start.min(end);
        let (item, qty, amount) =
            (self.item.get(start..end), self.qty.get(start..end), self.amount.get(start..end));
        Self {
            item: item.unwrap_or_default(),
            qty: qty.unwrap_or_default(),
            amount: amount.unwrap_or_default(),
            items: self.items,
        }
    }

    /// Number of item codes.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }
}

/// What is on hand of an item: quantity and total value, each a scaled integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(16))] // Never across two cache lines.
pub struct Stock {
    /// Quantity on hand, never negative.
    pub qty: i64,
    /// Value of the quantity on hand.
    pub value: i64,
}

/// Why a kernel stopped. Rows count from zero; the columns that it wrote hold nothing of use then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// A column is longer or shorter than the column `item`.
    #[error("column `{column}` has {found} rows where column `item` has {expected}")]
    Length {
        /// Name of the column.
        column: &'static str,
        /// Rows in it.
        found: usize,
        /// Rows in column `item`.
        expected: usize,
    },
    /// An item code is not below the number of items.
    #[error("column `item`, row {row}: code {code} is not below the number of items, {items}")]
    ItemCode {
        /// The row.
        row: usize,
        /// The code in it.
        code: u32,
        /// The number of items.
        items: usize,
    },
    /// A movement moves nothing.
    #[error("column `qty`, row {row}: a quantity of zero is neither a receipt nor an issue")]
    ZeroQty {
        /// The row.
        row: usize,
    },
    /// An issue takes more than is on hand.
    #[error("column `qty`, row {row}: an issue of {issued} exceeds the {on_hand} on hand")]
    NegativeStock {
        /// The row.
        row: usize,
        /// The quantity on hand before it.
        on_hand: i64,
        /// The quantity issued.
        issued: i64,
    },
    /// A quantity or amount, or the balance after it, reaches [`AMOUNT_LIMIT`] in magnitude.
    #[error("column `{column}`, row {row}: the amount or the balance after it reaches 10^18 minor units")]
    AmountRange {
        /// Name of the column.
        column: &'static str,
        /// The row.
        row: usize,
    },
}

impl KernelError {
    /// The stable code of the error, the same in every host language.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "COSTING_COLUMN_LENGTH",
            Self::ItemCode { .. } => "COSTING_ITEM_CODE",
            Self::ZeroQty { .. } => "COSTING_ZERO_QTY",
            Self::NegativeStock { .. } => "COSTING_NEGATIVE_STOCK",
            Self::AmountRange { .. } => "COSTING_AMOUNT_RANGE",
        }
    }
}

/// Requires that a column has the rows of column `item`.
fn same_length(column: &'static str, found: usize, expected: usize) -> Result<(), KernelError> {
    if found == expected { Ok(()) } else { Err(KernelError::Length { column, found, expected }) }
}

/// The quantity left after a movement, with every check of it.
fn checked_balance(stock: Stock, qty: i64, row: usize) -> Result<i64, KernelError> {
    let in_range = |qty: &i64| qty.unsigned_abs() < AMOUNT_LIMIT.unsigned_abs();
    if qty == 0 {
        return Err(KernelError::ZeroQty { row });
    }
    let left = stock.qty.checked_add(qty).filter(|left| in_range(left) && in_range(&qty));
    match left {
        None => Err(KernelError::AmountRange { column: "qty", row }),
        Some(left) if left < 0 => Err(KernelError::NegativeStock { row, on_hand: stock.qty, issued: -qty }),
        Some(left) => Ok(left),
    }
}

/// The value left after a movement, with every check of it.
fn checked_value(stock: Stock, value: Option<i64>, row: usize) -> Result<i64, KernelError> {
    let in_range = |value: &i64| value.unsigned_abs() < AMOUNT_LIMIT.unsigned_abs();
    let after = value.filter(in_range).and_then(|value| stock.value.checked_add(value)).filter(in_range);
    after.ok_or(KernelError::AmountRange { column: "amount", row })
}
