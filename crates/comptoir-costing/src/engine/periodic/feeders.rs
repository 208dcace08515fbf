//! Which stocks wait for the cost of which in a month: transfers and production carry it from one to another.

use std::ops::Range;

use super::super::Entry;
use super::super::stock::Ratio;
use super::{Cost, Effect, Periodic};
use crate::movement::Kind;

impl Periodic<'_> {
    /// Unit costs of the month, key by key, sources of transfers and production first. A circle is cut at its lowest key: what that
    /// gets from the circle is valued at the source's cost before the month.
    pub fn find_rates(&mut self, month: &Range<usize>) {
        self.rates.fill(None);
        self.share_costs(month);
        loop {
            let is_open = |key: &u32| self.rates.get(*key as usize).is_some_and(Option::is_none);
            let open: Vec<u32> = self.keys().filter(is_open).collect();
            let Some(first) = open.first().copied() else {
                return;
            };
            let ready = open.iter().copied().find(|key| self.waits_for(*key, month).is_empty());
            let next = ready.unwrap_or_else(|| self.lowest_of_circle(first, month));
            if ready.is_none() {
                self.cut(next, month);
            }
            self.find_rate(next, month);
            self.share_costs(month);
        }
    }

    /// Movements of the month, transfers out and production issues, whose cost a key waits for.
    fn waits_for(&self, key: u32, month: &Range<usize>) -> Vec<u32> {
        let mut sources = Vec::new();
        for (place, effect) in self.effects_of(key, month) {
            match effect.cost {
                Cost::Transfer(source) => sources.push(source),
                Cost::Share => sources.extend(self.issues_before(place, month)),
                _ => {}
            }
        }
        sources
    }

    /// The lowest key of the circle to which a key's sources lead, where every open key waits for another.
    fn lowest_of_circle(&self, first: u32, month: &Range<usize>) -> u32 {
        let mut way = vec![first];
        loop {
            let source = way.last().and_then(|key| self.waits_for(*key, month).first().copied());
            let Some(effect) = source.and_then(|source| self.effects.get(source as usize)) else {
                return first;
            };
            let circle = way.iter().position(|key| *key == effect.key);
            if let Some(circle) = circle.and_then(|start| way.get(start..)) {
                return circle.iter().copied().min().unwrap_or(first);
            }
            way.push(effect.key);
        }
    }

    fn cut(&mut self, key: u32, month: &Range<usize>) {
        for source in self.waits_for(key, month) {
            let place = source as usize;
            // One issue may have several receipts waiting for it.
            let Some(effect) = self.effects.get(place).copied().filter(|effect| effect.is_rated()) else {
                continue;
            };
            let ratio = self.cost_before(effect.key, month);
            let value = self.price(effect.key, effect.qty, ratio, place);
            self.fix_feeder(place, value, ratio, month);
        }
        self.share_costs(month);
    }

    /// The cost of a key before the month; where there was none, that of what the month is known to bring.
    fn cost_before(&self, key: u32, month: &Range<usize>) -> Ratio {
        let total = self.total(key);
        match total.last_cost() {
            _ if total.qty > 0 => Ratio { value: total.value, qty: total.qty },
            last if last.qty == 0 => self.known_cost(key, month),
            last => last,
        }
    }

    /// Those of the movements at the month's cost for whose value others wait.
    pub fn feeders(&self, rated: &[(usize, Effect)], month: &Range<usize>) -> Vec<(usize, Effect)> {
        let groups = self.waiting_groups(month);
        let is_feeder = |(place, _): &&(usize, Effect)| {
            self.kind(*place) == Some(Kind::TransferOut)
                || self.feeds_group(*place).is_some_and(|group| groups.contains(&group))
        };
        rated.iter().filter(is_feeder).copied().collect()
    }

    /// Gives a movement that others wait for its value, its amendments of the month theirs at the same unit cost, and what arrives
    /// or comes back of it in the month its part.
    pub fn fix_feeder(&mut self, place: usize, value: i64, ratio: Ratio, month: &Range<usize>) {
        let Ok(source) = u32::try_from(place) else { return };
        self.set_cost(place, Cost::Known(value));
        let amended = self.fix_amendments(source, ratio, month);
        let total = self.fitting(place, Some(i128::from(value) + i128::from(amended)));
        let Some(origin) = self.entries.get_mut(place) else {
            return;
        };
        origin.value += amended;
        let mut left = Entry { taken_qty: 0, taken_value: 0, ..*origin };
        let mut fixed = Vec::new();
        for place in month.clone() {
            let Some(effect) = self.effects.get(place).copied() else {
                return;
            };
            if matches!(effect.cost, Cost::Transfer(of) | Cost::Back(of) if of == source) {
                let part = self.part(&left, total, effect.qty);
                left.taken_qty += effect.qty;
                left.taken_value += part.abs();
                self.set_cost(place, Cost::Known(part));
                self.fix_backs(place, part, month);
                fixed.push(place);
            } else if self.undoes(place, &fixed) {
                left.undo(effect.qty.abs(), self.context.rounding);
            }
        }
        if let Some(origin) = self.entries.get_mut(place) {
            origin.taken_value += left.taken_value;
        }
    }

    fn fix_amendments(&mut self, source: u32, ratio: Ratio, month: &Range<usize>) -> i64 {
        if !self.is_amended(source) {
            return 0;
        }
        let amendments: Vec<(usize, Effect)> = self.amendments_of(source, month).collect();
        let mut sum: i128 = 0;
        for (place, effect) in amendments.into_iter().filter(|(_, effect)| effect.is_rated()) {
            let value = self.rated_value(place, effect, ratio);
            self.set_cost(place, Cost::Known(value));
            sum += i128::from(value);
        }
        self.fitting(source as usize, Some(sum))
    }

    /// Whether amendments gave a movement another quantity, if only for a while.
    pub fn is_amended(&self, source: u32) -> bool {
        self.entries.get(source as usize).is_some_and(|entry| entry.amended)
    }

    /// Gives what comes back of an arrival its value, so that it counts in the month's cost as the arrival does.
    pub fn fix_backs(&mut self, arrival: usize, value: i64, month: &Range<usize>) {
        let Ok(reference) = u32::try_from(arrival) else { return };
        let mut fixed = Vec::new();
        for place in arrival..month.end {
            let effect = self.effects.get(place).copied().unwrap_or(Effect::NOTHING);
            if effect.cost == Cost::Back(reference) {
                let part = self.take_back(reference, value, effect.qty);
                self.set_cost(place, Cost::Known(part));
                self.fix_backs(place, part, month);
                fixed.push(place);
            } else if self.undoes(place, &fixed) {
                self.give_back(reference, effect.qty);
            }
        }
    }
}
