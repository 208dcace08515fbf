//! Moving averages of rows in book order, a block at a time: the stocks of all rows are read, so that cache misses overlap,
//! all rows are valued in vector registers, and each is then booked in order; see [`block_average`](crate::kernels::block_average).

use crate::kernels::block_average::{self, BLOCK, FEW_ITEMS, Seen};
use crate::valuation::lines::Moved;

use super::items::{Items, Stock};

/// Consecutive rows: the first one, and items, times, signed quantities and amounts.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub first: u32,
    pub items: &'a [u32],
    pub at: &'a [i64],
    /// As long as the columns before, or longer.
    pub qty: &'a [i64],
    pub amount: &'a [i64],
}

/// The estimates of a block.
pub(super) struct Averages {
    seen: Seen,
    value: [i64; BLOCK],
    balance: [i64; BLOCK],
}

impl Default for Averages {
    fn default() -> Self {
        Self { seen: Seen::default(), value: [0; BLOCK], balance: [0; BLOCK] }
    }
}

impl Items {
    /// Values rows in book order and appends their lines to `moved`.
    pub fn post_rows(&mut self, rows: &Rows<'_>, averages: &mut Averages, moved: &mut Vec<Moved>) {
        let in_blocks = self.is_quick && self.stocks.len() >= FEW_ITEMS;
        let numbers = rows.qty.chunks(BLOCK).zip(rows.amount.chunks(BLOCK));
        let parts = rows.items.chunks(BLOCK).zip(rows.at.chunks(BLOCK)).zip(numbers);
        for (((items, at), (qty, amount)), first) in parts.zip((rows.first..).step_by(BLOCK)) {
            let rows = Rows { first, items, at, qty, amount };
            match (qty.try_into(), amount.try_into()) {
                (Ok(qty), Ok(amount)) if in_blocks => {
                    self.gather(items, &mut averages.seen);
                    block_average::estimate(
                        &mut averages.seen,
                        qty,
                        amount,
                        &mut averages.value,
                        &mut averages.balance,
                    );
                    self.settle(&rows, averages, moved);
                }
                _ => self.post_one_by_one(&rows, moved),
            }
        }
    }

    /// Reads the stock of each row's item.
    #[inline(always)]
    fn gather(&self, items: &[u32], seen: &mut Seen) {
        for ((code, qty), value) in items.iter().zip(&mut seen.qty).zip(&mut seen.value) {
            if let Some(stock) = self.stocks.get(self.buckets.place(*code)) {
                (*qty, *value) = (stock.qty, stock.value);
            }
        }
    }

    /// Books the rows in order, as estimated or, where that is in doubt or the stock has changed since, anew.
    #[inline(never)]
    fn settle(&mut self, rows: &Rows<'_>, averages: &Averages, moved: &mut Vec<Moved>) {
        let Averages { seen, value, balance } = averages;
        let stocks = seen.qty.iter().zip(&seen.value).zip(&seen.doubt);
        let results = value.iter().zip(balance);
        let movements =
            rows.items.iter().zip(rows.at).zip(rows.qty.iter().zip(rows.amount)).zip(rows.first..);
        moved.extend(movements.zip(stocks.zip(results)).map(
            |((((code, at), (qty, amount)), row), (((seen_qty, seen_value), doubt), (value, balance)))| {
                if let Some(stock) = self.stocks.get_mut(self.buckets.place(*code)) {
                    let changed = (stock.qty ^ seen_qty) | (stock.value ^ seen_value);
                    if changed.cast_unsigned() | doubt == 0 {
                        *stock = Stock { qty: seen_qty.wrapping_add(*qty), value: *balance };
                        return Moved { value: *value, on_hand: stock.qty, on_hand_value: *balance };
                    }
                }
                self.post(*code, row, *at, [*qty, *amount])
            },
        ));
    }

    fn post_one_by_one(&mut self, rows: &Rows<'_>, moved: &mut Vec<Moved>) {
        self.read_ahead(rows.items.iter().copied());
        let movements =
            rows.items.iter().zip(rows.at).zip(rows.qty.iter().zip(rows.amount)).zip(rows.first..);
        moved.extend(
            movements.map(|(((item, at), (qty, amount)), row)| self.post(*item, row, *at, [*qty, *amount])),
        );
    }
}
