//! Second reading of a month: its lines in book order, at the unit cost that it has now.

use std::ops::Range;

use hashbrown::HashSet;

use super::super::run::Book;
use super::super::{Auto, Correction, Entry, Event, Line, Sink};
use super::{Cost, Effect, Periodic};
use crate::movement::{Kind, Reason};

/// Value of a line, and what it charges to the variance account.
#[derive(Clone, Copy, Debug, Default)]
struct Worth {
    value: i64,
    variance: i64,
}

impl Periodic<'_> {
    /// Posts the lines of the month in book order; the last movement at the month's cost takes what rounding left over.
    pub fn post_month(&mut self, month: &Range<usize>, book: &mut Book) {
        let worths = self.worths(month);
        let rests: Vec<Option<(usize, i64)>> =
            self.keys().map(|key| self.rest_without_stock(key, month, &worths)).collect();
        for (place, worth) in month.clone().zip(worths) {
            let (Some(effect), Some(event), Some(mut worth)) =
                (self.effects.get(place).copied(), self.events.get(place).copied(), worth)
            else {
                continue;
            };
            let rest = rests.get(effect.key as usize).copied().flatten().filter(|(last, _)| *last == place);
            if let Some((_, rest)) = rest {
                worth.value -= rest;
                worth.variance += if is_at_rate(effect) { 0 } else { rest };
            }
            self.note_production(place, worth.value + worth.variance);
            if !self.is_foreign(event.key) {
                self.add(place, effect, worth);
                self.post(place, &event, effect, worth, book);
            }
        }
    }

    /// Adds a line to the totals of its key.
    fn add(&mut self, place: usize, effect: Effect, worth: Worth) {
        let rate = self.rates.get(effect.key as usize).copied().flatten().unwrap_or_default().ratio;
        let total = self.total(effect.key);
        self.fitting(place, Some(worth.value.into()));
        self.fitting(place, Some(worth.variance.into()));
        let value = self.fitting(place, Some(i128::from(total.value) + i128::from(worth.value)));
        // An amendment changes what stands between the movement and it, beyond what reading the month has bounded.
        let qty = self.fitting(place, Some(i128::from(total.qty) + i128::from(effect.qty)));
        if let Some(total) = self.totals.get_mut(effect.key as usize) {
            total.qty = qty;
            total.value = value;
            total.last = if rate.qty > 0 { rate } else { total.last };
        }
    }

    /// What the effects of the month are worth, before rounding leaves a rest; `None` for those that do nothing.
    fn worths(&mut self, month: &Range<usize>) -> Vec<Option<Worth>> {
        let mut worths: Vec<Option<Worth>> = Vec::with_capacity(month.len());
        for place in month.clone() {
            let effect = self.effects.get(place).copied().unwrap_or(Effect::NOTHING);
            let back = self.origin_of(place, month, effect).and_then(|reference| {
                let own = worths.get((reference as usize).checked_sub(month.start)?).copied().flatten()?;
                let whole = own.value + own.variance + self.amended_by(reference, month);
                let value = self.take_back(reference, whole, effect.qty);
                Some(Worth { value, variance: 0 })
            });
            let worth = match effect.cost {
                // What took nothing comes back as nothing.
                Cost::Back(_) => Some(back.unwrap_or_default()),
                _ => self.worth(place, effect),
            };
            worths.push(worth);
            if let Some(undone) = self.undone_at_rate(place, month) {
                self.give_back(undone, effect.qty);
            }
        }
        worths
    }

    /// The movement of the month, at its cost, of which an effect brings something back, whatever that is worth itself.
    pub fn origin_of(&self, place: usize, month: &Range<usize>, effect: Effect) -> Option<u32> {
        let event = self.events.get(place).filter(|event| event.auto == Auto::No && effect.qty != 0)?;
        let reference = Some(event.reference).filter(|reference| month.contains(&(*reference as usize)))?;
        let comes_back = matches!(
            event.kind,
            Kind::SalesReturn | Kind::PurchaseReturn | Kind::TransferIn | Kind::Reversal
        );
        let origin = self.effects.get(reference as usize).filter(|_| comes_back)?;
        (matches!(effect.cost, Cost::Back(_)) || is_at_rate(*origin)).then_some(reference)
    }

    /// What the amendments of the month have added to the value of a movement of it.
    fn amended_by(&self, reference: u32, month: &Range<usize>) -> i64 {
        if !self.is_amended(reference) {
            return 0;
        }
        let amendments = self.amendments_of(reference, month);
        let values = amendments.filter_map(|(place, effect)| self.worth(place, effect));
        let sum = values.map(|worth| i128::from(worth.value) + i128::from(worth.variance)).sum();
        self.fitting(reference as usize, Some(sum))
    }

    /// The share of a movement of the month that comes back; the last part takes what is left of it.
    pub fn take_back(&mut self, reference: u32, value: i64, qty: i64) -> i64 {
        let Some(origin) = self.entries.get(reference as usize).copied() else {
            return 0;
        };
        let part = self.part(&Entry { taken_qty: origin.valued_qty, ..origin }, value, qty.abs());
        if let Some(entry) = self.entries.get_mut(reference as usize) {
            entry.valued_qty += qty.abs();
            entry.taken_value += part.abs();
        }
        part
    }

    /// What an effect is worth under the month's cost, with the revaluation that it carries; `None` for one that does nothing.
    fn worth(&self, place: usize, effect: Effect) -> Option<Worth> {
        let rate = self.rates.get(effect.key as usize).copied().flatten().unwrap_or_default();
        let value = match effect.cost {
            Cost::Known(value) => value,
            Cost::Rate | Cost::More { .. } => self.rated_value(place, effect, rate.ratio),
            Cost::Transfer(_) | Cost::Back(_) | Cost::Share | Cost::None => return None,
        };
        let extra = if rate.carrier == Some(place) { rate.revaluation } else { 0 };
        Some(Worth { value: value + extra, variance: self.credit(place) - extra })
    }

    /// For a key whose month ends without stock: the event that takes the value that would be left, and that value.
    ///
    /// It is the last one at the month's cost of which nothing comes back in the month, so that what comes back is worth what left.
    fn rest_without_stock(
        &self,
        key: u32,
        month: &Range<usize>,
        worths: &[Option<Worth>],
    ) -> Option<(usize, i64)> {
        let total = self.total(key);
        let (mut qty, mut value) = (total.qty, i128::from(total.value));
        let (mut last, mut last_rated) = (None, None);
        for (place, effect) in self.effects_of(key, month) {
            qty += effect.qty;
            let worth = worths.get(place - month.start).copied().flatten().unwrap_or_default();
            value += i128::from(worth.value);
            last = Some(place);
            if is_at_rate(effect) && effect.qty != 0 {
                last_rated = Some(place);
            }
        }
        if qty != 0 || value == 0 {
            return None;
        }
        let returned: HashSet<usize> = self
            .effects_of(key, month)
            .filter_map(|(_, effect)| if let Cost::Back(of) = effect.cost { Some(of as usize) } else { None })
            .collect();
        let kept = self.effects_of(key, month).filter(|(place, effect)| {
            effect.is_rated() && effect.qty != 0 && !returned.contains(&self.movement_of(*place))
        });
        let last_kept = kept.map(|(place, _)| place).last();
        let place = last_kept.or(last_rated).or(last)?;
        Some((place, self.fitting(place, Some(value))))
    }

    /// The movement at a place, or the one that an amendment there changes.
    fn movement_of(&self, place: usize) -> usize {
        let amendment = self.events.get(place).filter(|event| event.kind == Kind::Amendment);
        amendment.map_or(place, |event| event.reference as usize)
    }

    fn post(&mut self, place: usize, event: &Event, effect: Effect, worth: Worth, book: &mut Book) {
        let Ok(index) = u32::try_from(place) else { return };
        let Worth { value, variance } = worth;
        let credit = self.credit(place);
        // An amendment at the month's cost belongs to the entry of its movement; one at a cost of its own is there already.
        let (holder, is_noted) = match (event.kind, effect.cost) {
            (Kind::Amendment, Cost::More { .. }) => (event.reference as usize, false),
            (Kind::Amendment, _) => (place, true),
            _ => (place, event.auto != Auto::No),
        };
        if let Some(entry) = self.entries.get_mut(holder).filter(|_| !is_noted) {
            entry.value += value;
            // What an unpriced receipt could not bear is no part of its cost: nothing of it goes back.
            entry.variance += variance - credit;
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

/// Whether a line has the cost of the month, which a rest of its rounding may change.
const fn is_at_rate(effect: Effect) -> bool {
    effect.is_rated() || matches!(effect.cost, Cost::Back(_))
}
