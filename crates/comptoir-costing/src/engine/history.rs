//! The events of a component as they should have been, by what came late.

use comptoir_types::decimal::mul_div;
use hashbrown::HashMap;

use super::machine::Machine;
use super::production::is_unpriced;
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
    /// Amendments by the event that they amend, in ascending order.
    amendments: HashMap<u32, Vec<u32>>,
}

/// Events that were replaced by what they should have been.
pub(super) struct Laid {
    pub first: u32,
    pub last: u32,
    /// Whether the receipts of a production group take other shares.
    pub reshares: bool,
    replaced: Vec<(u32, Event)>,
}

impl History {
    pub fn new(events: &[Event]) -> Self {
        let mut amendments: HashMap<u32, Vec<u32>> = HashMap::new();
        for (index, event) in (0u32..).zip(events).filter(|(_, event)| event.kind == Kind::Amendment) {
            amendments.entry(event.reference).or_default().push(index);
        }
        let (left_out, added) = (vec![false; events.len()], vec![0; events.len()]);
        Self { now: events.to_vec(), left_out, added, amendments }
    }

    /// Says whether calculating again leaves an event out.
    pub fn leave_out(&mut self, index: u32, is_out: bool) {
        if let Some(flag) = self.left_out.get_mut(index as usize) {
            *flag = is_out;
        }
    }

    pub fn added_to(&self, reference: u32) -> i64 {
        self.added.get(reference as usize).copied().unwrap_or(0)
    }

    pub fn add(&mut self, reference: u32, cost: i64) {
        if let Some(sum) = self.added.get_mut(reference as usize) {
            *sum += cost;
        }
    }

    /// The event as it should have been, if it is calculated again.
    pub fn event(&self, index: u32) -> Option<&Event> {
        let is_gone = self.left_out.get(index as usize).copied().unwrap_or(true);
        self.now.get(index as usize).filter(|_| !is_gone)
    }

    /// Puts the corrected movement in its place. An amendment that was appended to it says what it should have cost without what
    /// comes late: it is corrected by as much, by `difference`.
    pub fn lay(
        &mut self,
        index: u32,
        event: &Event,
        corrected: Event,
        difference: i64,
    ) -> Result<Laid, Fault> {
        let target = event.reference as usize;
        let was = *self.now.get(target).ok_or(OVERFLOW)?;
        let mut replaced = vec![(event.reference, was)];
        let amendments = self.amendments.get(&event.reference).into_iter().flatten();
        let before = amendments.filter(|place| difference != 0 && **place < index);
        let amended = before.filter_map(|place| self.event(*place).map(|other| (*place, *other)));
        replaced.extend(amended.filter(|(_, other)| other.amount != ABSENT));
        let fits = |(_, other): &(u32, Event)| bounded(other.amount + difference).is_ok();
        if !replaced.iter().skip(1).all(fits) {
            return Err(OVERFLOW);
        }
        for (place, other) in replaced.iter().skip(1) {
            self.put(*place, Event { amount: other.amount + difference, ..*other });
        }
        self.put(event.reference, corrected);
        let last = replaced.last().map_or(event.reference, |(place, _)| *place);
        let reshares = (is_unpriced(&was), was.qty) != (is_unpriced(&corrected), corrected.qty)
            && (is_unpriced(&was) || is_unpriced(&corrected));
        Ok(Laid { first: event.reference, last, reshares, replaced })
    }

    fn put(&mut self, place: u32, event: Event) {
        if let Some(slot) = self.now.get_mut(place as usize) {
            *slot = event;
        }
    }

    pub fn restore(&mut self, laid: &Laid) {
        for (place, event) in &laid.replaced {
            self.put(*place, *event);
        }
    }

    /// The event with an amount that holds what came late beside it: an amendment that is appended gives the movement's own amount,
    /// or scales it.
    pub fn resolve(&mut self, machine: &Machine<'_>, place: u32, event: &Event) -> Event {
        let added = self.added_to(event.reference);
        let entry = machine.entries.get(event.reference as usize).filter(|entry| entry.qty > 0);
        let (Kind::Amendment, Auto::No, Some(entry)) = (event.kind, event.auto, entry) else {
            return *event;
        };
        let own = entry.value + entry.variance - added;
        let amount = match event.amount {
            // Less of the goods leaves at the cost of the method, as in an issue.
            ABSENT if event.qty == ABSENT || event.qty <= entry.qty => return *event,
            // More of what was made costs what its group did.
            ABSENT if machine.taken_over.contains_key(&event.reference) => return *event,
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
