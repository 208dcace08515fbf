//! Stock card (明细账): every line of one item with what stood on hand after it.

use crate::movement::{Kind, Reason};
use crate::posting::Posting;

/// The lines of one item in book order, one entry per line in each column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockCard {
    /// Input rows of the movements that caused the lines.
    pub row: Vec<u32>,
    /// Input rows of the movements that the lines correct, or [`NONE`](crate::posting::NONE).
    pub adjusts: Vec<u32>,
    /// Codes of the pools, or [`NONE`](crate::posting::NONE).
    pub pool: Vec<u32>,
    /// Times in ticks of the input's clock.
    pub at: Vec<i64>,
    /// Kinds of the movements that caused the lines.
    pub kind: Vec<Kind>,
    /// Kinds of the movements whose cost the lines carry.
    pub adjusted_kind: Vec<Kind>,
    /// Why each line exists; `None` for the movement itself.
    pub reason: Vec<Option<Reason>>,
    /// Signed changes of the quantity.
    pub quantity: Vec<i64>,
    /// Signed changes of the value.
    pub value: Vec<i64>,
    /// What the lines charge to the variance account.
    pub variance: Vec<i64>,
    /// Quantity on hand in the line's pool after it.
    pub on_hand: Vec<i64>,
    /// Value on hand in the line's pool after it.
    pub on_hand_value: Vec<i64>,
    /// Quantity on hand in all pools of the card after the line.
    pub total_on_hand: Vec<i128>,
    /// Value on hand in all pools of the card after the line.
    pub total_on_hand_value: Vec<i128>,
}

/// Collects the stock card of one item from postings in book order.
///
/// Filter the postings by pool beforehand for the card of one pool.
#[must_use]
pub fn stock_card(postings: impl IntoIterator<Item = Posting>, item: u32) -> StockCard {
    let mut card = StockCard::default();
    // 2^64 lines of 2^63 units stay below 2^127.
    let (mut quantity, mut value) = (0_i128, 0_i128);
    for posting in postings.into_iter().filter(|posting| posting.item == item) {
        quantity += i128::from(posting.quantity);
        value += i128::from(posting.value);
        card.push(&posting);
        card.total_on_hand.push(quantity);
        card.total_on_hand_value.push(value);
    }
    card
}

impl StockCard {
    fn push(&mut self, posting: &Posting) {
        self.row.push(posting.row);
        self.adjusts.push(posting.adjusts);
        self.pool.push(posting.pool);
        self.at.push(posting.at);
        self.kind.push(posting.kind);
        self.adjusted_kind.push(posting.adjusted_kind);
        self.reason.push(posting.reason);
        self.quantity.push(posting.quantity);
        self.value.push(posting.value);
        self.variance.push(posting.variance);
        self.on_hand.push(posting.on_hand);
        self.on_hand_value.push(posting.on_hand_value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{histories, posting, with_balances};
    use super::*;

    #[test]
    fn a_card_shows_pools_and_their_total() {
        let postings = with_balances(vec![
            posting(0, 5, 0, Kind::Receipt, 10, 100),
            posting(1, 6, 0, Kind::Receipt, 1, 1),
            posting(2, 5, 1, Kind::TransferOut, -4, -40),
            Posting { pool: 1, ..posting(3, 5, 1, Kind::TransferIn, 4, 40) },
            Posting { pool: 1, ..posting(4, 5, 2, Kind::Issue, -1, -10) },
        ]);
        let card = stock_card(postings, 5);
        assert_eq!(card.row, [0, 2, 3, 4]);
        assert_eq!(card.on_hand, [10, 6, 4, 3]);
        assert_eq!(card.total_on_hand, [10, 6, 10, 9]);
        assert_eq!(card.total_on_hand_value, [100, 60, 100, 90]);
    }

    proptest! {
        #[test]
        fn the_last_totals_are_the_sum_of_all_lines(postings in histories(), item in 0_u32..4) {
            let card = stock_card(postings.iter().copied(), item);
            let value: i64 = postings.iter().filter(|line| line.item == item).map(|line| line.value).sum();
            prop_assert_eq!(card.total_on_hand_value.last().copied().unwrap_or(0), i128::from(value));
            prop_assert_eq!(card.row.len(), postings.iter().filter(|line| line.item == item).count());
        }
    }
}
