//! First reading of a month: what every event brings or takes, and at a cost of its own or at the month's.

use std::ops::Range;

use super::super::production::nothing_issued;
use super::super::references::check_whole;
use super::super::run::{Banned, Book};
use super::super::settle::Settled;
use super::super::{ABSENT, Auto, Entry, Event, OVERFLOW, Sink, bounded, share};
use super::{Cost, Effect, Periodic};
use crate::movement::Kind;
use crate::policy::ReturnCost;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

/// Quantity on hand of a key while its month is read, and its value as far as it is known already.
#[derive(Clone, Copy, Debug)]
struct Running {
    qty: i64,
    value: i64,
}

impl Periodic<'_> {
    /// Finds the effect of every event of the month; running quantities tell what a count changes.
    pub fn read_month(&mut self, month: &Range<usize>, banned: &Banned, book: &mut Book) {
        self.issued.clear();
        let totals = self.totals.iter();
        let mut running: Vec<Running> =
            totals.map(|total| Running { qty: total.qty, value: total.value }).collect();
        for place in month.clone() {
            let (Some(event), Ok(index)) = (self.events.get(place).copied(), u32::try_from(place)) else {
                return;
            };
            if banned.contains_key(&event.group) || self.refused.contains(&index) {
                continue;
            }
            if self.is_foreign(event.key) {
                self.set_foreign(place, index);
                continue;
            }
            let on_hand = running.get(event.key as usize).map_or(0, |running| running.qty);
            let unchanged = self.saved.len();
            let effect = self.effect(index, month.start, &event, on_hand);
            match effect.and_then(|effect| run_on(&mut running, effect)) {
                Ok(effect) => {
                    self.accept(place, &event, effect);
                    if event.kind == Kind::Amendment && self.absorb(place, month.start, &event, effect) {
                        set_on_hand(&mut running, effect.key, on_hand);
                    }
                }
                Err(fault) => {
                    self.restore(unchanged);
                    if event.auto == Auto::No {
                        book.reject(index, fault);
                    }
                }
            }
        }
    }

    /// What another method has valued changes no stock here, but has a known cost for its production group.
    fn set_foreign(&mut self, place: usize, index: u32) {
        let Some((qty, cost)) = self.known.costs.get(&index).copied() else { return };
        if let Some(slot) = self.effects.get_mut(place) {
            *slot = Effect { qty, cost: Cost::Known(cost), ..Effect::NOTHING };
        }
        self.note_issued(place, qty);
    }

    fn accept(&mut self, place: usize, event: &Event, effect: Effect) {
        if let Some(slot) = self.effects.get_mut(place) {
            *slot = effect;
        }
        self.note_issued(place, effect.qty);
        if event.auto == Auto::No
            && let Some(entry) = self.entry_mut(place)
        {
            *entry = Entry { accepted: true, key: effect.key, qty: effect.qty, ..*entry };
            if event.kind == Kind::ProvisionalReceipt {
                (entry.open_qty, entry.open_amount) = (event.qty, event.amount);
            }
        }
    }

    fn effect(&mut self, index: u32, start: usize, event: &Event, on_hand: i64) -> Result<Effect, Fault> {
        let at = |qty, cost| Ok(Effect { key: event.key, qty, cost });
        if event.auto != Auto::No {
            return self.estimate(event);
        }
        match event.kind {
            Kind::Opening if event.qty < 0 && on_hand > 0 => {
                Err(Fault::with(RejectCode::QuantitySign, 1, event.qty))
            }
            Kind::Opening | Kind::Receipt | Kind::ProvisionalReceipt => {
                at(event.qty, Cost::Known(event.amount))
            }
            Kind::ProductionReceipt if event.amount != ABSENT => at(event.qty, Cost::Known(event.amount)),
            Kind::Issue | Kind::CountLoss | Kind::ProductionIssue | Kind::TransferOut => {
                at(-event.qty, Cost::Rate)
            }
            Kind::CountGain => at(event.qty, own_amount(event, 1)),
            Kind::Count if event.amount == ABSENT => at(event.qty - on_hand, Cost::Rate),
            Kind::CostAdjustment => {
                if event.reference != NONE {
                    self.referred(index, event)?;
                }
                at(0, Cost::Known(event.amount))
            }
            Kind::SalesReturn | Kind::PurchaseReturn | Kind::TransferIn | Kind::Reversal => {
                self.back_reference(index, start, event)
            }
            Kind::Settlement => self.settlement(index, event),
            Kind::ProductionReceipt if self.has_issued(event.group) => at(event.qty, Cost::Share),
            Kind::ProductionReceipt => Err(nothing_issued(event)),
            Kind::Amendment => {
                let effect = self.amendment(index, start, event)?;
                bounded(on_hand + effect.qty)?;
                Ok(effect)
            }
            // Both say what the goods of a day are worth, which no one knows before the month ends.
            Kind::Count | Kind::Revaluation => Err(Fault::new(RejectCode::NotWithPeriodic)),
        }
    }

    pub fn referred(&self, index: u32, event: &Event) -> Result<Entry, Fault> {
        if event.reference >= index {
            return Err(Fault::new(RejectCode::ReferenceLater));
        }
        match self.entries.get(event.reference as usize) {
            Some(entry) if entry.accepted => Ok(*entry),
            _ => Err(Fault::new(RejectCode::ReferenceRejected)),
        }
    }

    /// Returns, arrivals and reversals: at the value of what they refer to, if that is known before the month is valued.
    fn back_reference(&mut self, index: u32, start: usize, event: &Event) -> Result<Effect, Fault> {
        if event.reference == NONE {
            let sign = if event.kind == Kind::PurchaseReturn { -1 } else { 1 };
            return Ok(Effect { key: event.key, qty: sign * event.qty, cost: own_amount(event, sign) });
        }
        let mut origin = self.referred(index, event)?;
        if event.kind == Kind::PurchaseReturn && origin.qty < 0 {
            // A shortage that was brought from another system is nothing that came in.
            return Err(Fault::new(RejectCode::ReferenceKind));
        }
        let value_only = origin.qty == 0;
        if value_only && event.kind == Kind::Reversal {
            check_whole(event, &origin)?;
        }
        let qty = match (value_only, event.qty) {
            (true, _) => 0,
            (false, ABSENT) => origin.left(),
            (false, qty) => qty,
        };
        let left = if value_only { 1 - origin.taken_qty } else { origin.left() };
        if qty > left || left == 0 {
            return Err(Fault::with(RejectCode::ReferenceExceeded, qty, left));
        }
        let rounding = self.context.rounding;
        // What is taken back already is not in the books, and is not made again.
        let is_out = event.kind == Kind::Reversal && origin.is_out();
        let open = if is_out { origin.reverse_out(qty, rounding) } else { 0 };
        let qty = qty - open;
        if open > 0 && qty == 0 {
            self.set_entry(event.reference, origin);
            return Ok(Effect { key: origin.key, qty: 0, cost: Cost::Known(0) });
        }
        let (cost, known) = self.original_cost(start, event, &origin, qty)?;
        let taken_value = known.map_or(0, |value| self.part(&origin, value, qty).abs());
        if open > 0 {
            self.set_entry(event.reference, origin);
        }
        if let Some(entry) = self.entry_mut(event.reference as usize) {
            entry.taken_qty += if value_only { 1 } else { qty };
            entry.taken_value += taken_value;
            if event.kind == Kind::Reversal {
                entry.reverse_open(qty, rounding);
            }
        }
        if event.kind == Kind::Reversal {
            self.note_undone(event.reference, start, qty);
        }
        Ok(Effect { key: event.key, qty: -origin.qty.signum() * qty, cost })
    }

    /// The cost of `qty` that comes back or goes back of an earlier movement, and the value of that movement if it is known already.
    fn original_cost(
        &self,
        start: usize,
        event: &Event,
        origin: &Entry,
        qty: i64,
    ) -> Result<(Cost, Option<i64>), Fault> {
        let place = event.reference as usize;
        let own = self.effects.get(place).ok_or(OVERFLOW)?.cost;
        let known = self.value_so_far(place, start, own, origin);
        let returns = self.rule(event.key).returns;
        let original = match event.kind {
            Kind::SalesReturn => returns.sales == ReturnCost::OriginalCost,
            Kind::PurchaseReturn => returns.purchase == ReturnCost::OriginalCost,
            _ => true,
        };
        let cost = match known {
            _ if event.amount != ABSENT && event.kind != Kind::TransferIn => {
                Cost::Known(-origin.qty.signum() * event.amount)
            }
            Some(value) if origin.qty == 0 => Cost::Known(-value),
            Some(value) if original => Cost::Known(self.part(origin, value, qty)),
            None if event.kind == Kind::TransferIn && origin.key != event.key => {
                Cost::Transfer(event.reference)
            }
            None if original && origin.key == event.key => Cost::Back(event.reference),
            _ => Cost::Rate,
        };
        Ok((cost, known))
    }

    /// The share of a movement's value that belongs to `qty` of it, with the opposite sign; the last part takes the rest.
    pub fn part(&self, origin: &Entry, value: i64, qty: i64) -> i64 {
        let share = if qty == origin.left() {
            value.abs() - origin.taken_value
        } else {
            share(value.abs(), qty, origin.qty.abs(), self.context.rounding)
        };
        -value.signum() * share
    }

    fn settlement(&mut self, index: u32, event: &Event) -> Result<Effect, Fault> {
        let entry = self.referred(index, event)?;
        let qty = if event.qty == ABSENT { entry.open_qty } else { event.qty };
        if qty > entry.open_qty || qty == 0 {
            return Err(Fault::with(RejectCode::ReferenceExceeded, qty, entry.open_qty));
        }
        let whole = qty == entry.open_qty;
        let estimate = if whole {
            entry.open_amount
        } else {
            share(entry.open_amount, qty, entry.open_qty, self.context.rounding)
        };
        let settled = Settled { qty, estimate, difference: bounded(event.amount - estimate)? };
        let invoiced_value = bounded(entry.invoiced_value + settled.difference)?;
        if let Some(original) = self.entry_mut(event.reference as usize) {
            original.open_qty -= settled.qty;
            original.open_amount -= settled.estimate;
            original.invoiced_value = invoiced_value;
        }
        let (qty, value) = if entry.estimate_out { (qty, event.amount) } else { (0, settled.difference) };
        Ok(Effect { key: entry.key, qty, cost: Cost::Known(value) })
    }

    fn set_entry(&mut self, reference: u32, entry: Entry) {
        if let Some(slot) = self.entry_mut(reference as usize) {
            *slot = entry;
        }
    }

    fn estimate(&mut self, event: &Event) -> Result<Effect, Fault> {
        let out = event.auto == Auto::EstimateOut;
        let entry = *self.entries.get(event.reference as usize).ok_or(OVERFLOW)?;
        if !entry.accepted || entry.open_qty == 0 || entry.estimate_out == out {
            return Err(OVERFLOW);
        }
        if let Some(entry) = self.entry_mut(event.reference as usize) {
            entry.estimate_out = out;
        }
        let sign = if out { -1 } else { 1 };
        Ok(Effect { key: event.key, qty: sign * entry.open_qty, cost: Cost::Known(sign * entry.open_amount) })
    }
}

/// The amount of the row with its sign, else the month's cost.
fn own_amount(event: &Event, sign: i64) -> Cost {
    if event.amount == ABSENT { Cost::Rate } else { Cost::Known(sign * event.amount) }
}

fn set_on_hand(running: &mut [Running], key: u32, qty: i64) {
    if let Some(running) = running.get_mut(key as usize) {
        running.qty = qty;
    }
}

/// Adds an effect to what is on hand, if both stay within 18 digits.
fn run_on(running: &mut [Running], effect: Effect) -> Result<Effect, Fault> {
    let Some(running) = running.get_mut(effect.key as usize) else {
        return Ok(effect);
    };
    let known = if let Cost::Known(value) = effect.cost { value } else { 0 };
    bounded(effect.qty)?;
    *running = Running { qty: bounded(running.qty + effect.qty)?, value: bounded(running.value + known)? };
    Ok(effect)
}
