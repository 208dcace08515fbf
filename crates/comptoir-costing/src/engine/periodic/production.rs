//! Unpriced production receipts: each takes its share of what its group issued before it and no receipt has taken yet.

use std::ops::Range;

use comptoir_types::Rounding;
use hashbrown::HashMap;

use super::super::production::is_unpriced;
use super::super::{Auto, Event, share};
use super::{Cost, Effect, Periodic};
use crate::movement::Kind;
use crate::policy::Amendment;
use crate::posting::NONE;

/// Cost of a production group that its receipts are to take over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    /// Quantity that finished months have issued and not brought back, over all items.
    issued: i128,
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

/// The production issue that stands at a place, or of which the movement there brings back or changes something.
pub fn issue_of(events: &[Event], place: usize) -> Option<usize> {
    let mut target = place;
    loop {
        let event = events.get(target).filter(|event| event.auto == Auto::No)?;
        let changes = match event.kind {
            Kind::ProductionIssue => return Some(target),
            Kind::SalesReturn => true,
            // A return of material may be taken back in its turn.
            Kind::Reversal | Kind::Amendment => target == place,
            _ => false,
        };
        // A reference goes to an earlier movement, so that the way ends.
        target = Some(event.reference as usize).filter(|earlier| changes && *earlier < target)?;
    }
}

/// A correction of what an item under another method issued for a production group or received from it.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Correction {
    /// Where it counts: first the movement that causes it.
    pub place: usize,
    pub adjusts: usize,
    pub group: u32,
    /// Value and variance.
    pub cost: i64,
}

/// Those of the corrections, in the order of their places, that stand at some.
fn within<'a>(corrections: &'a [Correction], places: &Range<usize>) -> &'a [Correction] {
    let start = corrections.partition_point(|correction| correction.place < places.start);
    let end = corrections.partition_point(|correction| correction.place < places.end);
    corrections.get(start..end).unwrap_or_default()
}

/// What items under other methods gave to production groups and took from them.
#[derive(Debug, Default)]
pub(in crate::engine) struct Known {
    /// Quantity and cost, by event.
    pub costs: HashMap<u32, (i64, i64)>,
    /// In the order of the movements that cause them.
    pub corrections: Vec<Correction>,
}

/// The production group of which a movement changes the cost: that of an issue, of what changes one, of an unpriced receipt or its reversal.
pub(in crate::engine) fn group_of(events: &[Event], place: usize) -> Option<u32> {
    let reversed =
        |event: &Event| events.get(event.reference as usize).filter(|_| event.kind == Kind::Reversal);
    let receipt =
        events.get(place).map(|event| reversed(event).unwrap_or(event)).filter(|event| is_unpriced(event));
    let member = receipt.or_else(|| events.get(issue_of(events, place)?));
    member.map(|event| event.group).filter(|group| *group != NONE)
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
            batch.value -= self.corrected(group, place);
            if self.issues_for(group, place, month) {
                let Some(value) = self.issued(place, effect, month) else {
                    return;
                };
                batch.value += value;
            } else if event.group == group && is_unpriced(&event) && effect.cost != Cost::None {
                let value = match effect.cost {
                    Cost::Known(value) => value + self.credit(place),
                    _ => self.fitting(place, batch.share(event.qty, self.context.rounding)),
                };
                batch.take(event.qty, value);
                self.set_share(place, value, month);
            } else if self.gives_back_to(place) == Some(group)
                && let Cost::Known(value) = effect.cost
            {
                batch.value -= i128::from(value);
            }
        }
    }

    /// Gives a receipt its share. More may have come back than its issues had cost: goods do not cost less than nothing, the rest is
    /// variance.
    fn set_share(&mut self, place: usize, share: i64, month: &Range<usize>) {
        let value = share.max(0);
        if share < 0 {
            self.credits.insert(place, share);
        }
        self.set_cost(place, Cost::Known(value));
        self.fix_backs(place, value, month);
    }

    /// What a production receipt of the month has of its share beside its value: nothing, or less.
    pub fn credit(&self, place: usize) -> i64 {
        self.credits.get(&place).copied().unwrap_or(0)
    }

    /// The group of the unpriced receipt that is reversed at a place: it gets back what the receipt took over.
    fn gives_back_to(&self, place: usize) -> Option<u32> {
        let event = self.events.get(place).filter(|event| event.kind == Kind::Reversal)?;
        let receipt = event.reference as usize;
        self.events.get(receipt).filter(|receipt| is_unpriced(receipt))?;
        self.group_at(receipt)
    }

    /// What the corrections of the month that count at a place change of what a group has issued.
    fn corrected(&self, group: u32, place: usize) -> i128 {
        let own = within(&self.corrections, &(place..place + 1)).iter();
        own.filter(|correction| correction.group == group).map(|correction| i128::from(correction.cost)).sum()
    }

    /// Finds the corrections of the month of what items under other methods issued and received. The month in which a movement stands is
    /// still open, so that it has its corrected cost there; what comes later counts from the start of its month.
    pub fn read_corrections(&mut self, month: &Range<usize>) {
        let adjusted = |correction: &Correction| match correction {
            Correction { adjusts, .. } if month.contains(adjusts) => *adjusts,
            _ => month.start,
        };
        let found = within(&self.known.corrections, month).iter();
        self.corrections =
            found.map(|correction| Correction { place: adjusted(correction), ..*correction }).collect();
        self.corrections.sort_by_key(|correction| correction.place);
    }

    /// Whether a production issue of the group stands at a place, or what brings something back or changes something of one; but for an
    /// amendment that counts at the place of its issue.
    fn issues_for(&self, group: u32, place: usize, month: &Range<usize>) -> bool {
        let Some(effect) = self.effects.get(place).filter(|effect| effect.cost != Cost::None) else {
            return false;
        };
        let target = self.issue_of(place);
        let counts_there = self.kind(place) == Some(Kind::Amendment)
            && target.is_some_and(|target| month.contains(&target))
            && self.amends_in_place(effect.key);
        !counts_there && target.is_some_and(|target| self.group_at(target) == Some(group))
    }

    /// The production issue that stands at a place, or of which the movement there brings back or changes something.
    fn issue_of(&self, place: usize) -> Option<usize> {
        issue_of(self.events, place)
    }

    fn group_at(&self, place: usize) -> Option<u32> {
        self.events.get(place).map(|event| event.group).filter(|group| *group != NONE)
    }

    /// The group for which a movement at the month's cost issues or brings back something.
    pub fn feeds_group(&self, place: usize) -> Option<u32> {
        let feeds = matches!(self.kind(place), Some(Kind::ProductionIssue | Kind::SalesReturn));
        self.issue_of(place).filter(|_| feeds).and_then(|issue| self.group_at(issue))
    }

    /// Notes while a month is read what a movement changes of the quantity that its group has issued.
    pub fn note_issued(&mut self, place: usize, qty: i64) {
        if let Some(group) = self.issue_of(place).and_then(|issue| self.group_at(issue)) {
            *self.issued.entry(group).or_default() -= i128::from(qty);
        }
    }

    /// Whether anything that a group has issued so far has not come back.
    pub fn has_issued(&self, group: u32) -> bool {
        let before = self.batches.get(&group).map_or(0, |batch| batch.issued);
        group != NONE && before + self.issued.get(&group).copied().unwrap_or(0) > 0
    }

    /// Whether an amendment that counts at the place of its production issue, `change` less of that, leaves nothing that a receipt
    /// between both could take over.
    pub fn starves_receipt(&self, issue: usize, change: i64, month: Range<usize>) -> bool {
        let counts_there = self.kind(issue) == Some(Kind::ProductionIssue)
            && month.contains(&issue)
            && self.events.get(issue).is_some_and(|event| self.amends_in_place(event.key));
        let Some(group) = self.group_at(issue).filter(|_| counts_there && change > 0) else {
            return false;
        };
        let has_receipt = |place: &usize| {
            let shares = self.effects.get(*place).is_some_and(|effect| effect.cost != Cost::None);
            shares && self.events.get(*place).is_some_and(|event| event.group == group && is_unpriced(event))
        };
        let issued = |receipt: usize| self.issued_before(group, receipt, &month) - i128::from(change);
        (issue..month.end).filter(has_receipt).any(|receipt| issued(receipt) <= 0)
    }

    /// The quantity that a group has issued before a receipt and not got back, amendments at the places where they count.
    fn issued_before(&self, group: u32, receipt: usize, month: &Range<usize>) -> i128 {
        let counts_at = |place: usize, issue: usize| {
            let in_place = self.kind(place) == Some(Kind::Amendment)
                && month.contains(&issue)
                && self.events.get(place).is_some_and(|event| self.amends_in_place(event.key));
            if in_place { issue } else { place }
        };
        let issued = |place: usize| {
            let issue = self.issue_of(place)?;
            let counts = self.group_at(issue) == Some(group) && counts_at(place, issue) < receipt;
            self.effects.get(place).filter(|_| counts).map(|effect| -i128::from(effect.qty))
        };
        let before = self.batches.get(&group).map_or(0, |batch| batch.issued);
        before + month.clone().filter_map(issued).sum::<i128>()
    }

    /// Keeps what the month has issued for the next one.
    pub fn keep_issued(&mut self) {
        for correction in self.corrections.drain(..) {
            if let Some(batch) = self.batches.get_mut(&correction.group) {
                batch.value -= i128::from(correction.cost);
            }
        }
        for (group, qty) in self.issued.drain() {
            if let Some(batch) = self.batches.get_mut(&group) {
                batch.issued += qty;
            }
        }
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

    /// What the group of a receipt issued before it, and got back of that, whose cost is not known yet.
    pub fn issues_before(&self, receipt: usize, month: &Range<usize>) -> Vec<u32> {
        let group = self.group_at(receipt);
        let is_open = |place: &usize| {
            self.effects.get(*place).is_some_and(|effect| effect.is_rated())
                && group.is_some_and(|group| self.feeds_group(*place) == Some(group))
        };
        (month.start..receipt).filter(is_open).filter_map(|place| u32::try_from(place).ok()).collect()
    }

    /// Notes at the end of a month what its lines have issued for a group and received from it.
    pub fn note_production(&mut self, place: usize, cost: i64) {
        let Some(event) = self.events.get(place).copied() else { return };
        let group = self.issue_of(place).and_then(|issue| self.group_at(issue));
        let group = group.or_else(|| self.gives_back_to(place));
        if let Some(batch) = group.and_then(|group| self.batches.get_mut(&group)) {
            batch.value -= i128::from(cost);
        } else if is_unpriced(&event)
            && let Some(batch) = self.batches.get_mut(&event.group)
        {
            batch.take(event.qty, cost);
        }
    }
}
