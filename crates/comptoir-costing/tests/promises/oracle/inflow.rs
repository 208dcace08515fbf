//! Stock that comes in, counts, and values that are added.

use comptoir_costing::policy::{LateCost, Negative, ShortageCost};

use super::rounding::share;
use super::stock::Debt;
use super::{Event, Key, Oracle, Outcome, Piece, Placing, Posted};

impl Oracle<'_> {
    pub(super) fn receive(&mut self, place: usize, event: &Event, qty: i128, value: i128) -> Posted {
        let piece = Piece::new(qty, value, event.at, place);
        self.receive_pieces(&event.key, value, &[piece], Placing::New)
    }

    /// Adds pieces that together cost `value`.
    pub(super) fn receive_pieces(
        &mut self,
        key: &Key,
        value: i128,
        pieces: &[Piece],
        placing: Placing,
    ) -> Posted {
        let qty = pieces.iter().map(|piece| piece.qty).sum();
        // Under `reject` only an opening may be short: the books add up again.
        let carries = matches!(self.policy.negative, Negative::Carry | Negative::Reject);
        let stock = self.stock(key);
        if stock.qty >= 0 {
            stock.put(pieces, value, placing);
            return Posted { qty, value, variance: 0 };
        }
        let posted = if carries { self.carry(key, qty, value) } else { self.cover(key, qty, value) };
        let kept_value = if carries { self.stock(key).value } else { self.rest_value(key, qty, value) };
        let stock = self.stock(key);
        if stock.qty > 0 {
            let (qty, value) = (stock.qty, kept_value);
            stock.keep_newest(qty, value, pieces, placing);
        }
        posted
    }

    /// The plain sum; what is left at quantity zero is variance.
    fn carry(&mut self, key: &Key, qty: i128, value: i128) -> Posted {
        let stock = self.stock(key);
        stock.qty += qty;
        stock.value += value;
        stock.last = Some((value, qty));
        if stock.qty >= 0 {
            stock.debts.clear();
        }
        let residual = if stock.qty == 0 { std::mem::take(&mut stock.value) } else { 0 };
        Posted { qty, value: value - residual, variance: residual }
    }

    /// The receipt's cost of what it did not cover.
    fn rest_value(&mut self, key: &Key, qty: i128, value: i128) -> i128 {
        let rounding = self.policy.rounding;
        let rest = self.stock(key).qty.max(0);
        value - if rest == 0 { value } else { share(value, qty - rest, qty, rounding) }
    }

    /// Gives the oldest debts the receipt's cost, and corrects what took them or books the difference as variance.
    fn cover(&mut self, key: &Key, qty: i128, value: i128) -> Posted {
        let (rounding, policy) = (self.policy.rounding, self.policy);
        let stock = self.stocks.get_mut(key).unwrap();
        let covered = qty.min(-stock.qty);
        let mut left = (covered, if covered == qty { value } else { share(value, covered, qty, rounding) });
        let mut posted = Posted { qty, value, variance: 0 };
        let mut differences = Vec::new();
        while left.0 > 0 {
            let debt = &mut stock.debts[0];
            let part = debt.qty.min(left.0);
            let was = share(debt.value, part, debt.qty, rounding);
            let cost = share(left.1, part, left.0, rounding);
            differences.push((debt.movement, debt.correctable, was - cost));
            debt.qty -= part;
            debt.value -= was;
            left = (left.0 - part, left.1 - cost);
            if debt.qty == 0 {
                stock.debts.remove(0);
            }
        }
        if covered == qty && policy.shortage_cost == ShortageCost::LatestReceipt {
            for debt in &mut stock.debts {
                let now = share(value, debt.qty, qty, rounding);
                differences.push((debt.movement, debt.correctable, debt.value - now));
                debt.value = now;
            }
        }
        stock.last = Some((value, qty));
        for (movement, correctable, difference) in
            differences.into_iter().filter(|difference| difference.2 != 0)
        {
            if correctable && policy.negative == Negative::Cover {
                self.changes.push((movement, difference));
            } else {
                posted.value += difference;
                posted.variance -= difference;
            }
        }
        stock.qty += qty;
        stock.value += posted.value;
        posted
    }

    /// A shortage brought from another system, at its own value; possible only where nothing is on hand.
    pub(super) fn open_short(&mut self, place: usize, event: &Event) -> Outcome {
        let (qty, value) = (-event.quantity(), -event.amount.unwrap());
        let stock = self.stock(&event.key);
        if stock.qty > 0 {
            return Err("COSTING_QUANTITY_SIGN");
        }
        stock.qty -= qty;
        stock.value -= value;
        stock.last = Some((value, qty));
        stock.debts.push(Debt { movement: place, qty, value, correctable: false });
        Ok(Posted { qty: -qty, value: -value, variance: 0 })
    }

    /// Sets the quantity, and the value when it is given.
    pub(super) fn count(&mut self, place: usize, event: &Event) -> Outcome {
        let target = event.quantity();
        let there = self.stock(&event.key).qty;
        if let Some(amount) = event.amount {
            let stock = self.stock(&event.key);
            if target == 0 {
                let cost = stock.shortage_cost();
                // What is counted away leaves with its value, whatever the row says.
                let posted = Posted { qty: -there, value: -stock.value, variance: 0 };
                (stock.qty, stock.value, stock.last) = (0, 0, cost);
                stock.pieces.clear();
                stock.debts.clear();
                return Ok(posted);
            }
            let posted = Posted { qty: target - there, value: amount - stock.value, variance: 0 };
            (stock.qty, stock.value, stock.last) = (0, 0, Some((amount, target)));
            stock.pieces.clear();
            stock.debts.clear();
            stock.put(&[Piece::new(target, amount, event.at, place)], amount, Placing::New);
            self.done[place].get_or_insert_default().reset = true;
            return Ok(posted);
        }
        match target - there {
            0 => Ok(Posted::default()),
            more if more > 0 => {
                let cost = self.stock(&event.key).current();
                let value = self.price(more, cost);
                Ok(self.receive(place, event, more, value))
            }
            less => self.issue(place, event, -less, true),
        }
    }

    /// A value for the stock on hand, or for what a receipt left of itself.
    pub(super) fn adjust(&mut self, event: &Event) -> Outcome {
        if event.reference.is_some_and(|target| self.done[target].is_none()) {
            return Err("COSTING_REFERENCE_REJECTED");
        }
        let receipt = event.reference.and_then(|target| self.done[target].as_ref()).map(|done| done.qty);
        Ok(self.add_late(event, event.amount.unwrap(), event.qty.or(receipt)))
    }

    /// What came late for `quantity` of a receipt goes to the stock that there is, as far as the policy says.
    pub(super) fn add_late(&mut self, event: &Event, amount: i128, quantity: Option<i128>) -> Posted {
        let (coverage, rounding) = (self.policy.late_cost == LateCost::StockCoverage, self.policy.rounding);
        let stock = self.stock(&event.key);
        let there = if stock.layered() && event.reference.is_some() {
            stock
                .pieces
                .iter()
                .filter(|piece| Some(piece.origin) == event.reference)
                .map(|piece| piece.qty)
                .sum()
        } else {
            stock.qty.max(0)
        };
        let covered = match quantity.filter(|quantity| coverage && there < *quantity) {
            Some(quantity) => share(amount, there, quantity, rounding),
            None => amount,
        };
        let value = stock.add_value(covered, event.reference);
        Posted { qty: 0, value, variance: amount - value }
    }
}
