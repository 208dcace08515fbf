//! Movements that refer to an earlier one: sales returns, transfers in, reversals, appended amendments.

use comptoir_types::Rounding;

use super::inflow::worth;
use super::layers::Placing;
use super::machine::{Machine, Posted};
use super::outflow::part_of;
use super::{ABSENT, Entry, Event, Layer, OVERFLOW, bounded, share};
use crate::policy::{Method, ReturnCost, TransferAge};
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

impl Machine<'_> {
    /// Goods that a customer sends back: at the row's amount, else as the policy says.
    pub fn sales_return(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let origin = if event.reference == NONE { None } else { Some(self.referred(index, event)?) };
        if let Some(origin) = origin
            && event.qty > origin.left()
        {
            return Err(Fault::with(RejectCode::ReferenceExceeded, event.qty, origin.left()));
        }
        let original =
            origin.map(|entry| part_of(entry.value, entry.qty, &entry, event.qty, self.context.rounding));
        let posted = if event.amount != ABSENT {
            self.receive(index, event, event.qty, event.amount)?
        } else {
            match (self.rule(event.key)?.rules.returns.sales, original) {
                (ReturnCost::OriginalCost, Some(value)) => self.receive(index, event, event.qty, value)?,
                (ReturnCost::FifoHead, _) => self.receive_at_head(index, event)?,
                _ => {
                    let ratio = self.key(event.key)?.next_cost(event.lot);
                    let value = self.price_at(event.key, event.qty, ratio)?;
                    self.receive(index, event, event.qty, value)?
                }
            }
        };
        if let Some(value) = original {
            self.note_taken(event.reference, event.qty, value);
        }
        Ok(posted)
    }

    /// Adds stock at the cost of the oldest layer; at current cost for methods without layers.
    fn receive_at_head(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let stock = self.key(event.key)?;
        let head = match stock.method {
            method if method.keeps_layers() => stock.open_layers().min_by_key(|layer| layer.origin).copied(),
            _ => None,
        };
        let Some(head) = head else {
            return self.receive_at_current(index, event, event.qty);
        };
        let ratio = super::stock::Ratio { value: head.value, qty: head.qty };
        let value = self.price_at(event.key, event.qty, ratio)?;
        self.receive(index, event, event.qty, value)
    }

    /// Arrival of a transfer: takes over the value of what left, and its age if the policy keeps it.
    pub fn transfer_in(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let origin = self.referred(index, event)?;
        if event.qty > origin.left() {
            return Err(Fault::with(RejectCode::ReferenceExceeded, event.qty, origin.left()));
        }
        let value = part_of(origin.value, origin.qty, &origin, event.qty, self.context.rounding);
        let keeps_age = self.rule(event.key)?.rules.transfer_age == TransferAge::Keep;
        let parts = self.returning_parts(event.reference, event.qty);
        // Inside one key and lot nothing has moved: the layers go back to their places.
        let by_lot = self.key(event.key)?.method == Method::Specific;
        let stays =
            origin.key == event.key && parts.iter().all(|part| !by_lot || lot_of(event, part) == part.lot);
        let placing = if stays { Placing::Back(event.reference) } else { Placing::New };
        let mut layers: Vec<Layer> = if keeps_age && !parts.is_empty() {
            arriving(event, index, &parts, placing)
        } else {
            // What lies apart by lot stays what it is, of whatever age.
            let lot = parts.first().filter(|_| by_lot).map_or(event.lot, |part| lot_of(event, part));
            vec![Layer { qty: event.qty, value, at: event.at, origin: index, lot, serial: 0 }]
        };
        let placing = if keeps_age && !parts.is_empty() { placing } else { Placing::New };
        let (cost, rest) = self.with_late(index, value)?;
        for layer in layers.iter_mut().filter(|_| cost != value) {
            layer.value += share(cost - value, layer.qty, event.qty, self.context.rounding);
        }
        let posted = self.receive_layers(event.key, cost, &layers, placing)?;
        self.consume_parts(event.reference, event.qty);
        if self.referenced.get(index as usize).copied().unwrap_or(false) {
            if placing != Placing::New {
                self.keep_parts(index, worth(cost, &layers).collect());
            }
            self.arrived.insert(index, by_age(parts));
        }
        self.note_taken(event.reference, event.qty, value);
        Ok(Posted { variance: posted.variance + rest, ..posted })
    }

    /// The first parts of an earlier outflow that make up `qty`; empty when none were kept.
    pub(super) fn returning_parts(&self, reference: u32, qty: i64) -> Vec<Layer> {
        self.parts.get(&reference).map_or_else(Vec::new, |parts| first_of(parts, qty, self.context.rounding))
    }

    /// What arrived and is taken back is on its way again: of a part the oldest goods, as they lie among the layers.
    fn send_again(&mut self, arrival: u32, departure: u32, qty: i64) {
        let Some(arrived) = self.arrived.get_mut(&arrival) else {
            return;
        };
        let back = drop_first(arrived, qty, self.context.rounding);
        self.parts.entry(departure).or_default().splice(..0, back);
    }

    pub(super) fn consume_parts(&mut self, reference: u32, qty: i64) {
        let rounding = self.context.rounding;
        if let Some(parts) = self.parts.get_mut(&reference) {
            drop_first(parts, qty, rounding);
        }
    }

    /// Takes back an earlier movement, wholly or for the row's quantity of it.
    pub fn reverse(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let origin = self.referred(index, event)?.with_invoices();
        if origin.qty == 0 {
            return self.reverse_value(index, event, origin);
        }
        let qty = if event.qty == ABSENT { origin.left() } else { event.qty };
        if qty > origin.left() || qty == 0 {
            return Err(Fault::with(RejectCode::ReferenceExceeded, qty, origin.left()));
        }
        if origin.is_out() {
            return self.reverse_estimate(index, event, qty);
        }
        self.reverse_goods(index, event, &origin, qty)
    }

    /// Takes back goods that the books hold, or have given.
    pub(super) fn reverse_goods(
        &mut self,
        index: u32,
        event: &Event,
        origin: &Entry,
        qty: i64,
    ) -> Result<Posted, Fault> {
        let variance = share(origin.variance, qty, origin.qty.abs(), self.context.rounding);
        if origin.qty < 0
            && let Some(short) = self.own_short(event)?
        {
            let posted = self.reverse_short(index, event, qty, variance, origin, short)?;
            self.note_undone(origin.reference, qty);
            return Ok(posted);
        }
        let value = part_of(origin.value, origin.qty, origin, qty, self.context.rounding);
        let posted = if origin.qty < 0 {
            self.put_back(index, event, qty, value, variance)?
        } else {
            let taken = self.remove_original(index, event, qty, value)?;
            let variance = taken - value - variance;
            Posted { key: event.key, quantity: -qty, value: -taken, variance }
        };
        self.note_taken(event.reference, qty, value);
        self.note_undone(origin.reference, qty);
        self.send_again(event.reference, origin.reference, qty);
        let rounding = self.context.rounding;
        if let Some(entry) = self.entries.get_mut(event.reference as usize) {
            entry.reverse_open(qty, rounding);
        }
        Ok(posted)
    }

    /// A reversed return or arrival can be made again.
    fn note_undone(&mut self, reference: u32, qty: i64) {
        let rounding = self.context.rounding;
        if let Some(entry) = self.entries.get_mut(reference as usize) {
            entry.undo(qty, rounding);
        }
    }

    /// Puts back what an outflow took, with the dates and lots that it had.
    pub(super) fn put_back(
        &mut self,
        index: u32,
        event: &Event,
        qty: i64,
        value: i64,
        variance: i64,
    ) -> Result<Posted, Fault> {
        if self.key(event.key)?.qty < 0
            && let Some(parts) = self.parts.get_mut(&event.reference)
        {
            // What had not been there comes back first: it covers the shortage.
            parts.sort_by_key(|part| part.origin != event.reference);
        }
        let parts = self.returning_parts(event.reference, qty);
        let layers: Vec<Layer> = if parts.is_empty() {
            vec![Layer { qty, value, at: event.at, origin: index, lot: event.lot, serial: 0 }]
        } else {
            parts.clone()
        };
        let placing = if parts.is_empty() { Placing::New } else { Placing::Back(event.reference) };
        let is_reset = self.entries.get(event.reference as usize).is_some_and(|entry| entry.reset);
        let borne = self.borne_by_others(event.key, value, is_reset, &parts)?;
        let stock = self.key(event.key)?;
        let stands = stock.method == Method::Standard && event.reference >= stock.standard_since;
        let mut posted = if stands {
            // It left at the standard cost that holds, and comes back as it left.
            self.put_layers(event.key, value, 0, &layers, placing)?
        } else {
            self.receive_layers(event.key, value - borne, &layers, placing)?
        };
        if borne != 0 {
            let rest = self.add_value(event.key, borne, NONE)?;
            posted.value += rest.value;
            posted.variance += rest.variance;
        }
        posted.variance -= variance;
        self.consume_parts(event.reference, qty);
        Ok(posted)
    }

    /// A count may take goods and give the stock value. What its reversal brings back is then worth less than nothing: what is there
    /// bears the rest, as far as it can.
    fn borne_by_others(
        &mut self,
        key: u32,
        value: i64,
        is_reset: bool,
        parts: &[Layer],
    ) -> Result<i64, Fault> {
        let own: i64 = parts.iter().map(|part| part.value).sum();
        let is_borne = is_reset && value < 0 && self.key(key)?.method != Method::Standard;
        Ok(if is_borne { value - own.max(0) } else { 0 })
    }

    /// Takes back a movement that changed the value only.
    fn reverse_value(&mut self, index: u32, event: &Event, origin: Entry) -> Result<Posted, Fault> {
        check_whole(event, &origin)?;
        // The layers of a count are its own, those of a cost its receipt's.
        let layers = if origin.reset { event.reference } else { origin.reference };
        let posted = match self.reverse_revaluation(index, event, origin.value)? {
            Some(posted) => posted,
            None => self.add_value(event.key, -origin.value, layers)?,
        };
        if let Some(entry) = self.entries.get_mut(event.reference as usize) {
            entry.taken_qty = 1;
        }
        Ok(Posted { variance: posted.variance - origin.variance, ..posted })
    }

    /// An amendment that stands at its own time: the difference as a further movement.
    pub fn amend(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let origin = self.referred(index, event)?.with_invoices();
        let was = origin.qty.abs();
        let now = if event.qty == ABSENT { was } else { event.qty };
        if now < origin.taken_qty {
            return Err(Fault::with(RejectCode::ReferenceExceeded, origin.taken_qty, now));
        }
        let posted = if origin.qty > 0 {
            self.amend_inflow(index, event, origin, now)?
        } else {
            self.amend_outflow(index, event, origin, now)?
        };
        if let Some(entry) = self.entries.get_mut(event.reference as usize) {
            entry.qty += posted.quantity;
            entry.value += posted.value;
            entry.variance += posted.variance;
        }
        if let Some(taken) = self.taken_over.get_mut(&event.reference) {
            taken.qty += posted.quantity;
        }
        Ok(Posted { key: origin.key, ..posted })
    }

    fn amend_inflow(&mut self, index: u32, event: &Event, origin: Entry, now: i64) -> Result<Posted, Fault> {
        let was = origin.qty;
        let amount_was = bounded(origin.value + origin.variance)?;
        // What a receipt takes over from its production group does not depend on how much was made.
        let keeps_cost = now == was || self.taken_over.contains_key(&event.reference);
        let amount = match event.amount {
            ABSENT if keeps_cost => amount_was,
            ABSENT => comptoir_types::decimal::mul_div(amount_was, now, was, self.context.rounding)
                .ok_or(OVERFLOW)?,
            amount => amount,
        };
        let difference = bounded(amount - amount_was)?;
        match now - was {
            0 => self.add_value(event.key, difference, event.reference),
            more if more > 0 => self.receive(index, event, more, difference),
            less => {
                let value = self.remove(index, event, -less, false)?;
                let variance = if event.amount == ABSENT && !keeps_cost { 0 } else { value + difference };
                Ok(Posted { key: event.key, quantity: less, value: -value, variance })
            }
        }
    }

    fn amend_outflow(&mut self, index: u32, event: &Event, origin: Entry, now: i64) -> Result<Posted, Fault> {
        let was = -origin.qty;
        if now >= was {
            if now == was {
                return Err(Fault::with(RejectCode::QuantitySign, now, was));
            }
            let value = self.remove(index, event, now - was, false)?;
            return Ok(Posted { key: event.key, quantity: was - now, value: -value, variance: 0 });
        }
        let value = share(-origin.value, was - now, was, self.context.rounding);
        self.put_back(index, event, was - now, value, 0)
    }
}

/// Whether a movement that changed the value alone can be reversed: as a whole, and once.
pub(super) fn check_whole(event: &Event, origin: &Entry) -> Result<(), Fault> {
    match origin.taken_qty {
        _ if event.qty != ABSENT => Err(Fault::with(RejectCode::ReferenceExceeded, event.qty, ABSENT)),
        0 => Ok(()),
        _ => Err(Fault::with(RejectCode::ReferenceExceeded, 1, 0)),
    }
}

/// The first parts that make up `qty`; none when all of them do not.
fn first_of(parts: &[Layer], qty: i64, rounding: Rounding) -> Vec<Layer> {
    let mut left = qty;
    let mut taken = Vec::new();
    for part in parts {
        if left == 0 {
            break;
        }
        let qty = part.qty.min(left);
        let value = if qty == part.qty { part.value } else { share(part.value, qty, part.qty, rounding) };
        left -= qty;
        taken.push(Layer { qty, value, ..*part });
    }
    if left == 0 { taken } else { Vec::new() }
}

/// Takes the first parts that make up `qty` out of all of them, and gives them; none when all of them do not.
pub(super) fn drop_first(parts: &mut Vec<Layer>, qty: i64, rounding: Rounding) -> Vec<Layer> {
    let first = first_of(parts, qty, rounding);
    let whole = first.iter().zip(parts.iter()).take_while(|(taken, part)| taken.qty == part.qty).count();
    parts.drain(..whole);
    if let (Some(part), Some(last)) = (parts.first_mut(), first.get(whole)) {
        part.qty -= last.qty;
        part.value -= last.value;
    }
    first
}

fn by_age(mut parts: Vec<Layer>) -> Vec<Layer> {
    parts.sort_by_key(|part| (part.at, part.origin, part.serial));
    parts
}

/// The layers of a transfer at its destination, oldest first, whichever way the method took them.
fn arriving(event: &Event, index: u32, parts: &[Layer], placing: Placing) -> Vec<Layer> {
    let mut layers = by_age(parts.to_vec());
    for layer in &mut layers {
        layer.lot = lot_of(event, layer);
        if placing == Placing::New {
            layer.origin = index;
        }
    }
    layers
}

/// The lot under which a part stands where it arrives: the row's, else the one that it had.
fn lot_of(event: &Event, part: &Layer) -> u32 {
    if event.lot == NONE { part.lot } else { event.lot }
}
