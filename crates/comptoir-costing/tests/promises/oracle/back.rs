//! What comes back or goes back: returns, arrivals of transfers, reversals.

use comptoir_costing::policy::{Method, Negative, ReturnCost, TransferAge};
use comptoir_types::Rounding;

use super::rounding::share;
use super::stock::Debt;
use super::{Done, Event, Oracle, Outcome, Piece, Placing, Posted, worth};

impl Oracle<'_> {
    /// What a movement refers to, if it stands in the books.
    fn origin(&self, event: &Event) -> Result<Done, &'static str> {
        event.reference.and_then(|target| self.done[target].clone()).ok_or("COSTING_REFERENCE_REJECTED")
    }

    /// The value of a part of a movement; the last part takes the rest.
    fn part_of(&self, origin: &Done, qty: i128) -> i128 {
        let whole = if origin.qty < 0 { -origin.value } else { origin.value };
        if qty == origin.left() {
            return whole - origin.back_value;
        }
        share(whole, qty, origin.qty.abs(), self.policy.rounding)
    }

    fn note_back(&mut self, event: &Event, qty: i128, value: i128) {
        let done = self.done[event.reference.unwrap()].as_mut().unwrap();
        done.back_qty += qty;
        done.back_value += value;
    }

    pub(super) fn sales_return(&mut self, place: usize, event: &Event) -> Outcome {
        let qty = event.quantity();
        let mut original = None;
        if event.reference.is_some() {
            let origin = self.origin(event)?;
            if qty > origin.left() {
                return Err("COSTING_REFERENCE_EXCEEDED");
            }
            original = Some(self.part_of(&origin, qty));
        }
        let stock = self.stock(&event.key).clone();
        let head = stock.pieces.first().map(|piece| (piece.value, piece.qty));
        let value = match (event.amount, self.policy.returns.sales, original) {
            (Some(amount), ..) => amount,
            (None, ReturnCost::OriginalCost, Some(value)) => value,
            (None, ReturnCost::FifoHead, _) => self.price(qty, head.or(stock.current())),
            _ => self.price(qty, stock.next_cost()),
        };
        let posted = self.receive(place, event, qty, value);
        if let Some(value) = original {
            self.note_back(event, qty, value);
        }
        Ok(posted)
    }

    pub(super) fn purchase_return(&mut self, place: usize, event: &Event) -> Outcome {
        let qty = event.quantity();
        let original = self.policy.returns.purchase == ReturnCost::OriginalCost;
        let mut credit = None;
        let oldest = self.policy.returns.purchase == ReturnCost::FifoHead;
        let value = if event.reference.is_none() && oldest {
            self.remove_oldest(place, event, qty)?
        } else if event.reference.is_none() {
            self.remove(place, event, qty, false)?
        } else {
            let origin = self.origin(event)?;
            if origin.qty < 0 {
                return Err("COSTING_REFERENCE_KIND");
            }
            if qty > origin.left() {
                return Err("COSTING_REFERENCE_EXCEEDED");
            }
            // A shortage that the receipt covered does not change what the goods cost.
            let whole = Done { value: origin.value + origin.variance, ..origin.clone() };
            let wanted = self.part_of(&whole, qty);
            let value = if original {
                self.remove_own(place, event, qty, wanted)?
            } else if oldest {
                self.remove_oldest(place, event, qty)?
            } else {
                self.remove(place, event, qty, false)?
            };
            self.note_back(event, qty, wanted);
            credit = Some(wanted).filter(|_| original && !self.stock(&event.key).layered());
            value
        };
        let credit = event.amount.or(credit).unwrap_or(value);
        Ok(Posted { qty: -qty, value: -value, variance: value - credit })
    }

    /// Takes from the oldest piece on, whatever the method; beyond the stock as an issue does.
    fn remove_oldest(&mut self, place: usize, event: &Event, qty: i128) -> Result<i128, &'static str> {
        let stock = self.stock(&event.key);
        if qty > stock.qty || !stock.layered() {
            return self.remove(place, event, qty, false);
        }
        let method = std::mem::replace(&mut stock.method, Method::Fifo);
        let (value, parts) = stock.take(qty);
        stock.method = method;
        self.keep_parts(place, parts);
        Ok(value)
    }

    /// Takes what one movement brought, or its own value from an average.
    fn remove_own(
        &mut self,
        place: usize,
        event: &Event,
        qty: i128,
        wanted: i128,
    ) -> Result<i128, &'static str> {
        if qty > self.stock(&event.key).qty {
            return self.remove(place, event, qty, false);
        }
        // What arrived where it had left from lies in the pieces from which it had been taken.
        let arrived = self.parts_of(event, qty).unwrap_or_default();
        self.forget_parts(event, qty);
        // The piece of a count holds what was there before, too: what the count added leaves with its own value.
        let reset = self.done[event.reference.unwrap()].as_ref().unwrap().reset;
        let brought = self.brought(event, qty);
        let stock = self.stock(&event.key);
        let counted = stock.pieces.iter().filter(|piece| reset && Some(piece.origin) == event.reference);
        let added: Vec<Piece> = counted.map(|piece| Piece { qty, value: wanted, ..piece.clone() }).collect();
        let arrived = if reset { added } else { arrived };
        let (value, parts) = if stock.layered() {
            stock.take_own(&brought, &arrived, qty)
        } else {
            (stock.take_valued(qty, wanted), Vec::new())
        };
        self.keep_parts(place, parts);
        Ok(value)
    }

    pub(super) fn transfer_in(&mut self, place: usize, event: &Event) -> Outcome {
        let origin = self.origin(event)?;
        let qty = event.quantity();
        if qty > origin.left() {
            return Err("COSTING_REFERENCE_EXCEEDED");
        }
        let value = self.part_of(&origin, qty);
        let parts = self.parts_of(event, qty).filter(|_| self.policy.transfer_age == TransferAge::Keep);
        // Inside one key nothing has moved: the pieces go back to their places.
        let stays = origin.key == event.key && parts.is_some();
        let mut pieces = parts.unwrap_or_else(|| vec![Piece::new(qty, value, event.at, place)]);
        pieces.sort_by_key(|piece| (piece.at, piece.origin, piece.serial));
        for piece in pieces.iter_mut().filter(|_| !stays) {
            piece.origin = place;
        }
        let placing = if stays { Placing::Back(event.reference.unwrap()) } else { Placing::New };
        let (cost, rest) = self.with_late(place, value);
        for piece in &mut pieces {
            piece.value += share(cost - value, piece.qty, qty, self.policy.rounding);
        }
        let posted = self.receive_pieces(&event.key, cost, &pieces, placing);
        let mut arrived = self.parts_of(event, qty).unwrap_or_default();
        arrived.sort_by_key(|piece| (piece.at, piece.origin, piece.serial));
        self.forget_parts(event, qty);
        if stays {
            self.keep_parts(place, worth(cost, &pieces));
        }
        self.done[place].get_or_insert_default().arrived = arrived;
        self.note_back(event, qty, value);
        Ok(Posted { variance: posted.variance + rest, ..posted })
    }

    /// The first of the parts that left with a movement, as far as they make up `qty`.
    fn parts_of(&self, event: &Event, qty: i128) -> Option<Vec<Piece>> {
        first_of(&self.done[event.reference?].as_ref()?.parts, qty, self.policy.rounding)
    }

    fn forget_parts(&mut self, event: &Event, qty: i128) {
        let rounding = self.policy.rounding;
        if let Some(done) = event.reference.and_then(|place| self.done[place].as_mut()) {
            drop_first(&mut done.parts, qty, rounding);
        }
    }

    pub(super) fn reverse(&mut self, place: usize, event: &Event) -> Outcome {
        let origin = self.origin(event)?;
        let qty = event.qty.unwrap_or(origin.left());
        if qty > origin.left() || qty == 0 {
            return Err("COSTING_REFERENCE_EXCEEDED");
        }
        let variance = share(origin.variance, qty, origin.qty.abs(), self.policy.rounding);
        // Where shortages add up, an opening that is short comes back as any goods do.
        let covers = matches!(self.policy.negative, Negative::Cover | Negative::Variance);
        let is_own = |debt: &Debt| covers && Some(debt.movement) == event.reference;
        if let Some(debt) = self.stock(&event.key).debts.iter().position(is_own) {
            return Ok(self.reverse_debt(place, event, qty, variance, debt));
        }
        let value = self.part_of(&origin, qty);
        let posted = if origin.qty < 0 {
            self.put_missing_first(event);
            let parts = self.parts_of(event, qty);
            let placing = parts.as_ref().map_or(Placing::New, |_| Placing::Back(event.reference.unwrap()));
            let pieces = parts.unwrap_or_else(|| vec![Piece::new(qty, value, event.at, place)]);
            let posted = self.receive_pieces(&event.key, value, &pieces, placing);
            self.forget_parts(event, qty);
            Posted { variance: posted.variance - variance, ..posted }
        } else {
            let taken = self.remove_own(place, event, qty, value)?;
            Posted { qty: -qty, value: -taken, variance: taken - value - variance }
        };
        self.note_back(event, qty, value);
        self.note_undone(event, qty);
        self.close_estimate(event.reference.unwrap(), qty);
        Ok(posted)
    }

    /// Where something is short, what had not been there comes back first.
    fn put_missing_first(&mut self, event: &Event) {
        if self.stock(&event.key).qty < 0 {
            let done = self.done[event.reference.unwrap()].as_mut().unwrap();
            done.parts.sort_by_key(|part| Some(part.origin) != event.reference);
        }
    }

    /// What left without being there comes back first, as it left; then the rest of it.
    fn reverse_debt(
        &mut self,
        place: usize,
        event: &Event,
        qty: i128,
        variance: i128,
        debt: usize,
    ) -> Posted {
        let rounding = self.policy.rounding;
        let origin = self.done[event.reference.unwrap()].clone().unwrap();
        let stock = self.stock(&event.key);
        let owed = stock.debts[debt].clone();
        let back = owed.qty.min(qty);
        let back_value = share(owed.value, back, owed.qty, rounding);
        stock.qty += back;
        stock.value += back_value;
        stock.debts[debt].qty -= back;
        stock.debts[debt].value -= back_value;
        stock.debts.retain(|debt| debt.qty > 0);
        let parts = &mut self.done[event.reference.unwrap()].as_mut().unwrap().parts;
        if let Some(own) = parts.iter_mut().find(|part| Some(part.origin) == event.reference) {
            own.value -= share(own.value, back, own.qty, rounding);
            own.qty -= back;
        }
        parts.retain(|part| part.qty > 0);
        let rest = qty - back;
        let mut posted = Posted { qty: back, value: back_value, variance: -variance };
        let mut rest_value = 0;
        if rest > 0 {
            rest_value = share(
                -origin.value - origin.back_value - owed.value,
                rest,
                origin.left() - owed.qty,
                rounding,
            );
            self.put_missing_first(event);
            let pieces = self.parts_of(event, rest);
            let placing = pieces.as_ref().map_or(Placing::New, |_| Placing::Back(event.reference.unwrap()));
            let pieces = pieces.unwrap_or_else(|| vec![Piece::new(rest, rest_value, event.at, place)]);
            let put = self.receive_pieces(&event.key, rest_value, &pieces, placing);
            self.forget_parts(event, rest);
            posted = Posted { qty, value: back_value + put.value, variance: put.variance - variance };
        }
        self.note_back(event, qty, back_value + rest_value);
        self.note_undone(event, qty);
        posted
    }

    /// A return or arrival that is reversed can be made again.
    fn note_undone(&mut self, event: &Event, qty: i128) {
        let rounding = self.policy.rounding;
        let undone = self.done[event.reference.unwrap()].as_mut().unwrap();
        let sent = drop_first(&mut undone.arrived, qty, rounding);
        let of = undone.of;
        let Some(done) = of.and_then(|place| self.done[place].as_mut()) else {
            return;
        };
        let value = share(done.back_value, qty, done.back_qty, rounding);
        done.back_qty -= qty;
        done.back_value -= value;
        done.parts.splice(..0, sent.unwrap_or_default());
    }
}

/// The first pieces, as far as they make up `qty`.
fn first_of(pieces: &[Piece], qty: i128, rounding: Rounding) -> Option<Vec<Piece>> {
    let mut left = qty;
    let mut found = Vec::new();
    for piece in pieces {
        let taken = piece.qty.min(left);
        if taken > 0 {
            let value = share(piece.value, taken, piece.qty, rounding);
            found.push(Piece { qty: taken, value, ..piece.clone() });
        }
        left -= taken;
    }
    (left == 0).then_some(found)
}

/// Takes the first pieces that make up `qty` out of all of them.
fn drop_first(pieces: &mut Vec<Piece>, qty: i128, rounding: Rounding) -> Option<Vec<Piece>> {
    let first = first_of(pieces, qty, rounding)?;
    for (piece, gone) in pieces.iter_mut().zip(&first) {
        piece.qty -= gone.qty;
        piece.value -= gone.value;
    }
    pieces.retain(|piece| piece.qty > 0);
    Some(first)
}
