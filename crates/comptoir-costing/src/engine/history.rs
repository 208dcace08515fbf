//! The events of a component as they should have been, by what came late.

use comptoir_types::decimal::mul_div;
use hashbrown::HashMap;

use super::machine::Machine;
use super::{ABSENT, Auto, Event, OVERFLOW, bounded};
use crate::movement::Kind;
use crate::reject::Fault;

/// The events as they should have been, as far as is known.
pub(super) struct History {
    pub now: Vec<Event>,
    /// Events that calculating again leaves out: those rejected, and those laid over others.
    pub left_out: Vec<bool>,
    /// Late costs that were laid over an event, beside its own amount.
    pub added: Vec<i64>,
}

impl History {
    pub fn added_to(&self, reference: u32) -> i64 {
        self.added.get(reference as usize).copied().unwrap_or(0)
    }

    pub fn add(&mut self, reference: u32, cost: i64) {
        if let Some(sum) = self.added.get_mut(reference as usize) {
            *sum += cost;
        }
    }

    /// The late costs by event.
    pub fn late(&self) -> HashMap<u32, i64> {
        (0u32..).zip(self.added.iter().copied()).filter(|(_, added)| *added != 0).collect()
    }

    /// Puts the corrected movement in its place. An amendment that was appended to it says what it should have cost without what
    /// comes late: it is corrected by as much, by `difference`. Gives the events replaced.
    pub fn lay(
        &mut self,
        index: u32,
        event: &Event,
        corrected: Event,
        difference: i64,
    ) -> Result<Vec<(usize, Event)>, Fault> {
        let target = event.reference as usize;
        let was = *self.now.get(target).ok_or(OVERFLOW)?;
        let mut replaced = vec![(target, was)];
        let before = self.now.iter().zip(&self.left_out).enumerate().take(index as usize);
        let amends = |other: &Event| {
            other.kind == Kind::Amendment && other.reference == event.reference && other.amount != ABSENT
        };
        let amended = before.filter(|(_, (other, gone))| difference != 0 && !**gone && amends(other));
        replaced.extend(amended.map(|(place, (other, _))| (place, *other)));
        let fits = |(_, other): &(usize, Event)| bounded(other.amount + difference).is_ok();
        if !replaced.iter().skip(1).all(fits) {
            return Err(OVERFLOW);
        }
        for (place, other) in replaced.iter().skip(1) {
            self.put(*place, Event { amount: other.amount + difference, ..*other });
        }
        self.put(target, corrected);
        Ok(replaced)
    }

    fn put(&mut self, place: usize, event: Event) {
        if let Some(slot) = self.now.get_mut(place) {
            *slot = event;
        }
    }

    pub fn restore(&mut self, replaced: Vec<(usize, Event)>) {
        for (place, event) in replaced {
            self.put(place, event);
        }
    }

    /// The event with an amount that holds what came late beside it: an amendment that is appended gives the movement's own amount,
    /// or scales it.
    pub fn resolve(&mut self, machine: &Machine<'_>, place: usize, event: &Event) -> Event {
        let added = self.added_to(event.reference);
        let entry = machine.entries.get(event.reference as usize).filter(|entry| entry.qty > 0);
        let (Kind::Amendment, Auto::No, Some(entry)) = (event.kind, event.auto, entry) else {
            return *event;
        };
        let own = entry.value + entry.variance - added;
        let amount = match event.amount {
            // Less of the goods leaves at the cost of the method, as in an issue.
            ABSENT if event.qty == ABSENT || event.qty <= entry.qty => return *event,
            ABSENT => mul_div(own, event.qty, entry.qty, machine.context.rounding),
            amount => Some(amount),
        };
        let with_added =
            amount.and_then(|amount| bounded(amount).ok()).and_then(|amount| bounded(amount + added).ok());
        let Some(amount) = with_added else {
            return *event;
        };
        let resolved = Event { amount, ..*event };
        self.put(place, resolved);
        resolved
    }
}
