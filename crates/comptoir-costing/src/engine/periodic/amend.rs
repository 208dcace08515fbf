//! Amendments under the periodic average.
//!
//! The line of the amended movement stays as it is; the line of the amendment has the difference, so that both together are what
//! the right movement would have been.
//!
//! - In the month of the movement, the difference counts before the month is costed: a receipt costs the amended amount, and what
//!   has the month's cost has it for the amended quantity. An amount for goods that had the month's cost, such as goods found,
//!   is their cost then. An unpriced production receipt keeps its share of what its group cost, whatever its quantity.
//! - A finished month stays as it is. The difference belongs to the month of the amendment, at the cost of the movement: since
//!   issues do not change the cost of a month, the stock is then what it would be had the right quantity left. What an amended
//!   receipt costs more or less falls on the month of the amendment.
//!
//! The choice between `keep_place` and `append` matters where a stock count stands between both in one month. Under `keep_place`
//! the count finds the amended quantity, so the goods on hand are still those that it counted; under `append` it finds what the
//! movement had, and the difference comes on top.
//!
//! Not offered: a return that names what comes back, an estimate that an invoice has replaced, and an amount for an unpriced
//! production receipt of the same month. The first is reversed and posted again, the others have `cost_adjustment`.

use comptoir_types::decimal::mul_div;

use super::super::production::is_unpriced;
use super::super::{ABSENT, Entry, Event, OVERFLOW, bounded, share};
use super::{Cost, Effect, Periodic};
use crate::movement::{Direction, Kind};
use crate::policy::Amendment;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

/// The movement as it stands before the amendment, and its quantity after it.
#[derive(Clone, Copy, Debug)]
struct Target {
    place: usize,
    entry: Entry,
    /// Direction of the movement.
    sign: i64,
    now: i64,
    /// Amount that the amendment gives, or [`ABSENT`].
    amount: i64,
}

impl Target {
    fn change(&self) -> i64 {
        self.sign * self.now - self.entry.qty
    }
}

impl Periodic<'_> {
    /// The difference that an amendment makes.
    pub fn amendment(&mut self, index: u32, start: usize, event: &Event) -> Result<Effect, Fault> {
        let target = self.target(index, event)?;
        if self.starves_receipt(target.place, target.change(), start..index as usize) {
            return Err(Fault::new(RejectCode::ReplayFailed));
        }
        let count = self.count_between(&target, start, index as usize);
        if count.and_then(|count| self.entries.get(count)).is_some_and(|count| count.taken_qty != 0) {
            // What came back of the count's difference would have no difference to come from.
            return Err(Fault::new(RejectCode::ReplayFailed));
        }
        let cost = match self.known_value(&target, start) {
            Some(value) => self.known_difference(&target, value)?,
            None => self.rated_difference(&target, start)?,
        };
        let (qty, key) = (target.change(), target.entry.key);
        if let Some(entry) = self.entry_mut(target.place) {
            entry.qty += qty;
            entry.amended |= qty != 0;
        }
        let is_out = target.entry.estimate_out;
        Ok(if is_out { Effect { key, qty: 0, cost: Cost::Known(0) } } else { Effect { key, qty, cost } })
    }

    fn target(&self, index: u32, event: &Event) -> Result<Target, Fault> {
        let entry = self.referred(index, event)?;
        let place = event.reference as usize;
        let row = self.events.get(place).ok_or(OVERFLOW)?;
        let names_origin =
            matches!(row.kind, Kind::SalesReturn | Kind::PurchaseReturn) && row.reference != NONE;
        let is_invoiced =
            row.kind == Kind::ProvisionalReceipt && entry.open_qty + entry.open_reversed != entry.qty;
        if names_origin || is_invoiced {
            return Err(Fault::new(RejectCode::NotWithPeriodic));
        }
        let was = entry.qty.abs();
        let now = if event.qty == ABSENT { was } else { event.qty };
        if now < entry.taken_qty {
            return Err(Fault::with(RejectCode::ReferenceExceeded, entry.taken_qty, now));
        }
        let has_price = row.kind.direction() == Direction::In || row.kind == Kind::PurchaseReturn;
        if !has_price && now == was {
            return Err(Fault::with(RejectCode::QuantitySign, now, was));
        }
        let sign = self.effects.get(place).map_or(0, |effect| effect.qty.signum());
        Ok(Target { place, entry, sign, now, amount: if has_price { event.amount } else { ABSENT } })
    }

    /// The value that a movement has so far, amendments included, where the month's cost does not decide it.
    fn known_value(&self, target: &Target, start: usize) -> Option<i64> {
        let cost = self.effects.get(target.place).map(|effect| effect.cost);
        self.value_so_far(target.place, start, cost?, &target.entry)
    }

    /// As [`Self::known_value`]: a movement of the month has only its amendments in its entry yet.
    pub fn value_so_far(&self, place: usize, start: usize, cost: Cost, entry: &Entry) -> Option<i64> {
        let entry = entry.with_invoices();
        match cost {
            // What the line gave to or took from the variance account is not part of its cost.
            _ if place < start => Some(entry.value + entry.variance),
            Cost::Known(value) => Some(value + entry.value),
            _ => None,
        }
    }

    fn known_difference(&mut self, target: &Target, value: i64) -> Result<Cost, Fault> {
        let was = target.entry.qty.abs();
        let takes_over = self.events.get(target.place).is_some_and(is_unpriced);
        let amended = match target.amount {
            ABSENT if target.now == was || takes_over => value,
            // Nothing is left of which the cost of one could be known.
            ABSENT if was == 0 => return Err(Fault::with(RejectCode::ReferenceExceeded, target.now, 0)),
            ABSENT => mul_div(value, target.now, was, self.context.rounding).ok_or(OVERFLOW)?,
            amount => target.sign * amount,
        };
        let difference = bounded(bounded(amended)? - bounded(value)?)?;
        let is_estimate = self.kind(target.place) == Some(Kind::ProvisionalReceipt);
        let open = target.now - target.entry.open_reversed;
        let open_amount = if open == target.now {
            amended
        } else {
            share(amended, open, target.now, self.context.rounding)
        };
        if let Some(entry) = self.entry_mut(target.place) {
            entry.value += difference;
            if is_estimate {
                (entry.open_qty, entry.open_amount) = (open, open_amount);
            }
        }
        Ok(Cost::Known(difference))
    }

    /// The difference in a movement that has the month's cost, or a share of its group's.
    fn rated_difference(&mut self, target: &Target, start: usize) -> Result<Cost, Fault> {
        let effect = *self.effects.get(target.place).ok_or(OVERFLOW)?;
        match (effect.cost, target.amount) {
            (Cost::Rate, ABSENT) => Ok(Cost::More { from: target.entry.qty }),
            (Cost::Share, ABSENT) => Ok(Cost::Known(0)),
            (Cost::Rate, _) if target.entry.taken_qty > 0 => {
                // Part of it has gone back at the month's cost.
                Err(Fault::with(RejectCode::ReferenceExceeded, target.entry.taken_qty, 0))
            }
            (Cost::Rate, amount) => {
                self.give_amount(target, target.sign * amount, start);
                Ok(Cost::Known(0))
            }
            _ => Err(Fault::new(RejectCode::NotWithPeriodic)),
        }
    }

    /// Gives goods a cost of their own: the line of the movement has it, those of its amendments have quantities alone.
    fn give_amount(&mut self, target: &Target, value: i64, start: usize) {
        let Ok(reference) = u32::try_from(target.place) else { return };
        let month = start..self.effects.len();
        let earlier: Vec<usize> = self.amendments_of(reference, &month).map(|(place, _)| place).collect();
        for place in earlier {
            self.set_cost(place, Cost::Known(0));
        }
        self.set_cost(target.place, Cost::Known(value));
    }

    pub fn set_cost(&mut self, place: usize, cost: Cost) {
        if let Some(effect) = self.effects.get_mut(place) {
            effect.cost = cost;
        }
    }

    /// The first stock count between a movement and its amendment in one month, which finds the amended quantity.
    fn count_between(&self, target: &Target, start: usize, index: usize) -> Option<usize> {
        let key = target.entry.key;
        let keeps_place = self.rule(key).amendment == Amendment::KeepPlace;
        if !keeps_place || target.place < start || target.change() == 0 || target.entry.estimate_out {
            return None;
        }
        let mut counts = self.effects_of(key, &(target.place..index));
        counts.find(|(place, _)| self.kind(*place) == Some(Kind::Count)).map(|(place, _)| place)
    }

    /// Lets the count between an amended movement and its amendment find the amended quantity. Whether there is one: then the goods on
    /// hand are those that it counted.
    pub fn absorb(&mut self, place: usize, start: usize, event: &Event, effect: Effect) -> bool {
        let Some(entry) = self.entries.get(event.reference as usize).copied() else {
            return false;
        };
        let before = Entry { qty: entry.qty - effect.qty, ..entry };
        let target = Target {
            place: event.reference as usize,
            entry: before,
            sign: 1,
            now: entry.qty,
            amount: ABSENT,
        };
        let Some(count) = self.count_between(&target, start, place) else {
            return false;
        };
        if let Some(counted) = self.effects.get_mut(count) {
            counted.qty -= effect.qty;
        }
        if let Some(entry) = self.entry_mut(count) {
            entry.qty -= effect.qty;
        }
        true
    }
}
