//! Unpriced production receipts: each takes its share of what its group issued before it and no receipt has taken yet.

use std::ops::Range;

use comptoir_types::Rounding;
use hashbrown::HashMap;

use super::super::{ABSENT, Auto, Event, share};
use super::{Cost, Effect, Periodic};
use crate::movement::Kind;
use crate::policy::Amendment;

/// Cost of a production group that its receipts are to take over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    /// Value issued and not taken over yet.
    value: i128,
    /// Quantity of the receipts without an amount that are still to come.
    unpriced: i128,
}

impl Batch {
    /// The share of a receipt; the last one takes the rest. Nothing where a number does not fit.
    fn share(&self, qty: i64, rounding: Rounding) -> Option<i128> {
        if i128::from(qty) >= self.unpriced {
            return Some(self.value);
        }
        let (value, unpriced) = (i64::try_from(self.value).ok()?, i64::try_from(self.unpriced).ok()?);
        Some(share(value, qty, unpriced, rounding).into())
    }

    fn take(&mut self, qty: i64, value: i64) {
        self.unpriced -= i128::from(qty);
        self.value -= i128::from(value);
    }
}

/// The groups that have unpriced receipts, with the quantity of these.
pub(super) fn batches(events: &[Event]) -> HashMap<u32, Batch> {
    let mut batches: HashMap<u32, Batch> = HashMap::new();
    for event in events.iter().filter(|event| is_unpriced(event)) {
        batches.entry(event.group).or_default().unpriced += i128::from(event.qty);
    }
    batches
}

fn is_unpriced(event: &Event) -> bool {
    event.kind == Kind::ProductionReceipt && event.auto == Auto::No && event.amount == ABSENT
}

impl Periodic<'_> {
    /// Gives the receipts of the month their shares, as far as the costs of the issues before them are known.
    pub fn share_costs(&mut self, month: &Range<usize>) {
        for group in self.waiting_groups(month) {
            self.share_cost(group, month);
        }
    }

    /// Groups with a receipt in the month that has no share yet.
    pub fn waiting_groups(&self, month: &Range<usize>) -> Vec<u32> {
        if self.batches.is_empty() {
            return Vec::new();
        }
        let effects = self.effects.get(month.clone()).unwrap_or_default();
        let events = self.events.get(month.clone()).unwrap_or_default();
        let waiting = events.iter().zip(effects).filter(|(_, effect)| effect.cost == Cost::Share);
        let mut groups: Vec<u32> = waiting.map(|(event, _)| event.group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    fn share_cost(&mut self, group: u32, month: &Range<usize>) {
        let mut batch = self.batches.get(&group).copied().unwrap_or_default();
        for place in month.clone() {
            let (Some(event), Some(effect)) =
                (self.events.get(place).copied(), self.effects.get(place).copied())
            else {
                return;
            };
            if self.issues_for(group, place, month) {
                let Some(value) = self.issued(place, effect, month) else {
                    return;
                };
                batch.value += value;
            } else if event.group == group && is_unpriced(&event) && effect.cost != Cost::None {
                let value = match effect.cost {
                    Cost::Known(value) => value,
                    _ => self.fitting(place, batch.share(event.qty, self.context.rounding)),
                };
                batch.take(event.qty, value);
                self.set_cost(place, Cost::Known(value));
                self.fix_backs(place, value, month);
            }
        }
    }

    /// Whether a production issue of the group stands at a place, or what an amendment at its own place changes of one.
    fn issues_for(&self, group: u32, place: usize, month: &Range<usize>) -> bool {
        let is_issue = |event: &Event| event.kind == Kind::ProductionIssue && event.group == group;
        let (Some(event), Some(effect)) = (self.events.get(place), self.effects.get(place)) else {
            return false;
        };
        if effect.cost == Cost::None || event.auto != Auto::No {
            return false;
        }
        let target = event.reference as usize;
        is_issue(event)
            || (event.kind == Kind::Amendment
                && month.contains(&target)
                && !self.amends_in_place(effect.key)
                && self.events.get(target).is_some_and(is_issue))
    }

    fn amends_in_place(&self, key: u32) -> bool {
        self.rule(key).amendment == Amendment::KeepPlace
    }

    /// What an issue adds to the cost of its group, once it is known; under `keep_place` with its amendments.
    fn issued(&self, place: usize, effect: Effect, month: &Range<usize>) -> Option<i128> {
        let Cost::Known(value) = effect.cost else { return None };
        let mut sum = -i128::from(value);
        if self.kind(place) == Some(Kind::ProductionIssue) && self.amends_in_place(effect.key) {
            for (_, amendment) in self.amendments_of(u32::try_from(place).ok()?, month) {
                let Cost::Known(value) = amendment.cost else { return None };
                sum -= i128::from(value);
            }
        }
        Some(sum)
    }

    /// Issues of the group of a receipt before it whose cost is not known yet.
    pub fn issues_before(&self, receipt: usize, month: &Range<usize>) -> Vec<u32> {
        let group = self.events.get(receipt).map(|event| event.group);
        let is_open = |place: &usize| {
            let is_issue = |event: &Event| event.kind == Kind::ProductionIssue && Some(event.group) == group;
            self.events.get(*place).is_some_and(is_issue)
                && self.effects.get(*place).is_some_and(|effect| effect.is_rated())
        };
        (month.start..receipt).filter(is_open).filter_map(|place| u32::try_from(place).ok()).collect()
    }

    /// Notes at the end of a month what its lines have issued for a group and received from it.
    pub fn note_production(&mut self, place: usize, cost: i64, month: &Range<usize>) {
        let Some(event) = self.events.get(place).copied() else { return };
        let target = event.reference as usize;
        let issue = match event.kind {
            Kind::Amendment if month.contains(&target) => self.events.get(target).copied(),
            _ => Some(event),
        };
        let issue = issue.filter(|issue| issue.kind == Kind::ProductionIssue);
        if let Some(batch) = issue.and_then(|issue| self.batches.get_mut(&issue.group)) {
            batch.value -= i128::from(cost);
        } else if is_unpriced(&event)
            && let Some(batch) = self.batches.get_mut(&event.group)
        {
            batch.take(event.qty, cost);
        }
    }
}
