//! Second reading of a month: its lines in book order, at the unit cost that it has now.

use std::ops::Range;

use super::super::run::Book;
use super::super::{Auto, Correction, Event, Line, Sink};
use super::{Cost, Effect, Periodic};
use crate::movement::Reason;

/// Value of a line, and what it charges to the variance account.
#[derive(Clone, Copy, Debug, Default)]
struct Worth {
    value: i64,
    variance: i64,
}

impl Periodic<'_> {
    /// Posts the lines of the month in book order; the last movement at the month's cost takes what rounding left over.
    pub fn post_month(&mut self, month: &Range<usize>, book: &mut Book) {
        let rests: Vec<Option<(usize, i64)>> =
            self.keys().map(|key| self.rest_without_stock(key, month)).collect();
        for place in month.clone() {
            let (Some(effect), Some(event)) =
                (self.effects.get(place).copied(), self.events.get(place).copied())
            else {
                return;
            };
            let Some(mut worth) = self.worth(place, effect) else {
                continue;
            };
            let rest = rests.get(effect.key as usize).copied().flatten().filter(|(last, _)| *last == place);
            if let Some((_, rest)) = rest {
                worth.value -= rest;
                worth.variance += if effect.cost == Cost::Rate { 0 } else { rest };
            }
            self.add(effect, worth);
            self.post(place, &event, effect, worth, book);
        }
    }

    /// Adds a line to the totals of its key.
    fn add(&mut self, effect: Effect, worth: Worth) {
        let rate = self.rates.get(effect.key as usize).copied().flatten().unwrap_or_default().ratio;
        if let Some(total) = self.totals.get_mut(effect.key as usize) {
            total.qty += effect.qty;
            total.value += worth.value;
            total.last = if rate.qty > 0 { rate } else { total.last };
        }
    }

    /// What an effect is worth under the month's cost, with the revaluation that it carries; `None` for one that does nothing.
    fn worth(&self, place: usize, effect: Effect) -> Option<Worth> {
        let rate = self.rates.get(effect.key as usize).copied().flatten().unwrap_or_default();
        let value = match effect.cost {
            Cost::Known(value) => value,
            Cost::Rate => self.price(effect.key, effect.qty, rate.ratio),
            Cost::Transfer(_) | Cost::None => return None,
        };
        let extra = if rate.carrier == Some(place) { rate.revaluation } else { 0 };
        Some(Worth { value: value + extra, variance: -extra })
    }

    /// For a key whose month ends without stock: the event that takes the value that would be left, and that value.
    fn rest_without_stock(&self, key: u32, month: &Range<usize>) -> Option<(usize, i64)> {
        let total = self.total(key);
        let (mut qty, mut value) = (total.qty, total.value);
        let (mut last, mut last_rated) = (None, None);
        for (place, effect) in self.effects_of(key, month) {
            qty += effect.qty;
            value += self.worth(place, effect).unwrap_or_default().value;
            last = Some(place);
            if effect.cost == Cost::Rate && effect.qty != 0 {
                last_rated = Some(place);
            }
        }
        let place = last_rated.or(last)?;
        (qty == 0 && value != 0).then_some((place, value))
    }

    fn post(&mut self, place: usize, event: &Event, effect: Effect, worth: Worth, book: &mut Book) {
        let Ok(index) = u32::try_from(place) else { return };
        let Worth { value, variance } = worth;
        if let Some(entry) = self.entries.get_mut(place).filter(|_| event.auto == Auto::No) {
            entry.value = value;
            entry.variance = variance;
        }
        let total = self.total(effect.key);
        let line =
            Line { quantity: effect.qty, value, on_hand: total.qty, on_hand_value: total.value, variance };
        if event.auto == Auto::No {
            book.movement(index, effect.key, line);
        } else {
            let reason = if event.auto == Auto::EstimateOut {
                Reason::MonthStartReversal
            } else {
                Reason::Reestimated
            };
            let adjusts = event.reference;
            book.correction(Correction {
                cause: adjusts,
                adjusts,
                reason,
                key: effect.key,
                at: event.at,
                line,
            });
        }
    }
}
