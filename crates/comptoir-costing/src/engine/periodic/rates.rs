//! Unit costs of a month, and what they do to a shortage with which the month opens.
//!
//! Under `carry` and `reject` the plain arithmetic holds: (opening value + value in) / (opening quantity + quantity in). With a
//! negative opening quantity that divides by next to nothing or changes its sign, so `cover` and `variance` take the cost of what
//! the month itself brings, value in / quantity in, and value the opening shortage anew at it. The difference goes to the variance
//! account, on the month's first line that brings stock. Where nothing comes in, the last known cost holds.

use std::ops::Range;

use super::super::stock::Ratio;
use super::super::{Entry, LIMIT};
use super::{Cost, Effect, Periodic, Total};
use crate::movement::Kind;
use crate::policy::Negative;

/// No sum of a month whose parts fit goes beyond this.
const SUM_LIMIT: i64 = 4 * LIMIT;

/// The unit cost of a key in a month.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MonthRate {
    pub ratio: Ratio,
    /// What is added to the value on hand beside the amounts of the lines, against the variance account.
    pub revaluation: i64,
    /// Place of the line that carries the revaluation.
    pub carrier: Option<usize>,
}

/// Quantity and value of several lines.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    qty: i64,
    value: i64,
}

/// What a month has before its issues are valued.
#[derive(Clone, Copy, Debug)]
struct Supply {
    /// Stock at the opening, with the shortages that opening balances bring.
    opening: Sum,
    /// What moves at a cost of its own.
    known: Sum,
    /// Quantity at the end of the month.
    closing: i64,
    last: Ratio,
}

impl Periodic<'_> {
    /// Unit costs of the month, key by key, sources of transfers first. A circle of transfers is cut at the lowest key: what it
    /// gets from the circle is valued at the source's cost before the month.
    pub fn find_rates(&mut self, month: &Range<usize>) {
        self.rates.fill(None);
        loop {
            let is_open = |key: &u32| self.rates.get(*key as usize).is_some_and(Option::is_none);
            let open: Vec<u32> = self.keys().filter(is_open).collect();
            let Some(first) = open.first().copied() else {
                return;
            };
            let ready = open.iter().copied().find(|key| self.waiting(*key, month).next().is_none());
            if ready.is_none() {
                self.cut(first, month);
            }
            self.find_rate(ready.unwrap_or(first), month);
        }
    }

    /// Sources of the transfers of the month into a key whose cost is not known yet.
    fn waiting(&self, key: u32, month: &Range<usize>) -> impl Iterator<Item = u32> + '_ {
        self.effects_of(key, month).filter_map(|(_, effect)| match effect.cost {
            Cost::Transfer(source) => Some(source),
            _ => None,
        })
    }

    fn cut(&mut self, key: u32, month: &Range<usize>) {
        let cut: Vec<u32> = self.waiting(key, month).collect();
        for source in cut {
            let Some(effect) = self.effects.get(source as usize).copied() else {
                continue;
            };
            let total = self.total(effect.key);
            let ratio =
                if total.qty > 0 { Ratio { value: total.value, qty: total.qty } } else { total.last_cost() };
            let value = self.price(effect.key, effect.qty, ratio, source as usize);
            self.fix_transfer(source, value, month);
        }
    }

    /// Gives a transfer out its value, and its arrivals in the month theirs.
    fn fix_transfer(&mut self, source: u32, value: i64, month: &Range<usize>) {
        let Some(out) = self.effects.get_mut(source as usize) else {
            return;
        };
        out.cost = Cost::Known(value);
        let Some(origin) = self.entries.get_mut(source as usize) else {
            return;
        };
        origin.value = value;
        let mut left = Entry { taken_qty: 0, taken_value: 0, ..*origin };
        for place in month.clone() {
            let Some(effect) = self.effects.get(place).copied() else {
                return;
            };
            if matches!(effect.cost, Cost::Transfer(of) | Cost::Back(of) if of == source) {
                let part = self.part(&left, value, effect.qty);
                left.taken_qty += effect.qty;
                left.taken_value += part.abs();
                if let Some(slot) = self.effects.get_mut(place) {
                    slot.cost = Cost::Known(part);
                }
                self.fix_backs(place, part, month);
            }
        }
        if let Some(origin) = self.entries.get_mut(source as usize) {
            origin.taken_value += left.taken_value;
        }
    }

    /// Gives what comes back of an arrival its value, so that it counts in the month's cost as the arrival does.
    fn fix_backs(&mut self, arrival: usize, value: i64, month: &Range<usize>) {
        let Ok(reference) = u32::try_from(arrival) else { return };
        for place in arrival..month.end {
            let Some(effect) =
                self.effects.get(place).copied().filter(|effect| effect.cost == Cost::Back(reference))
            else {
                continue;
            };
            let part = self.take_back(reference, value, effect.qty);
            if let Some(slot) = self.effects.get_mut(place) {
                slot.cost = Cost::Known(part);
            }
            self.fix_backs(place, part, month);
        }
    }

    /// Value of a quantity at an exact unit cost; at the fallback cost, else nothing, when no cost is known. The event at `place` is
    /// refused when it does not fit.
    pub fn price(&self, key: u32, qty: i64, ratio: Ratio, place: usize) -> i64 {
        let rules = self.rules.get(key as usize);
        let (value, of) = if ratio.qty != 0 {
            (Some(ratio.value), ratio.qty)
        } else {
            let cost = rules.and_then(|rules| rules.fallback).unwrap_or(0);
            (cost.checked_mul(self.context.price_up), self.context.price_down)
        };
        let price = |value| comptoir_types::decimal::mul_div(value, qty, of, self.context.rounding);
        self.fitting(place, value.and_then(price).map(i128::from))
    }

    fn find_rate(&mut self, key: u32, month: &Range<usize>) {
        let supply = self.supply(key, month);
        let covers = matches!(self.rule(key).negative, Negative::Cover | Negative::Variance);
        let rate = if covers { self.covering_rate(key, month, supply) } else { plain_rate(supply) };
        let available = supply.opening.qty + supply.known.qty;
        let value = supply.opening.value + supply.known.value + rate.revaluation;
        let rated = self.effects_of(key, month).filter(|(_, effect)| effect.cost == Cost::Rate);
        let rated: Vec<(usize, Effect)> = rated.collect();
        let comes_back = self.effects_of(key, month).any(|(_, effect)| matches!(effect.cost, Cost::Back(_)));
        for (place, effect) in
            rated.iter().filter(|(place, _)| self.is_transfer_out(*place)).copied().collect::<Vec<_>>()
        {
            let Ok(source) = u32::try_from(place) else {
                continue;
            };
            let takes_rest = supply.closing == 0
                && available > 0
                && !comes_back
                && rated.last().is_some_and(|(last, _)| *last == place);
            let worth = if takes_rest {
                -self.rest_of_month(key, rate.ratio, value, month, place)
            } else {
                self.price(key, effect.qty, rate.ratio, place)
            };
            self.fix_transfer(source, worth, month);
        }
        if let Some(slot) = self.rates.get_mut(key as usize) {
            *slot = Some(rate);
        }
    }

    fn supply(&self, key: u32, month: &Range<usize>) -> Supply {
        let total = self.total(key);
        let (mut opening, mut known) = (Sum { qty: total.qty, value: total.value }, Sum::default());
        let mut closing = total.qty;
        for (place, effect) in self.effects_of(key, month) {
            closing += effect.qty;
            let Cost::Known(value) = effect.cost else { continue };
            let short =
                effect.qty < 0 && self.events.get(place).is_some_and(|event| event.kind == Kind::Opening);
            let sum = if short { &mut opening } else { &mut known };
            // Reading the month has bounded what is known by then; transfers have come on top.
            let value = sum.value.saturating_add(value);
            if value.unsigned_abs() > SUM_LIMIT.unsigned_abs() {
                self.fitting(place, None);
            }
            *sum = Sum { qty: sum.qty + effect.qty, value: value.clamp(-SUM_LIMIT, SUM_LIMIT) };
        }
        let last = Total { qty: opening.qty, value: opening.value, ..total }.last_cost();
        Supply { opening, known, closing, last }
    }

    /// The rate under `cover` and `variance`: never below zero, so that no issue adds value.
    fn covering_rate(&self, key: u32, month: &Range<usize>, supply: Supply) -> MonthRate {
        let value = supply.opening.value + supply.known.value;
        let (ratio, wanted) = self.sound_value(key, supply, month);
        let carrier = if wanted == value {
            None
        } else if supply.opening.qty < 0 {
            self.first_inflow(key, month)
        } else {
            self.largest_taker(key, month).or_else(|| self.first_inflow(key, month))
        };
        let difference = i128::from(wanted) - i128::from(value);
        let revaluation = carrier.map_or(0, |place| self.fitting(place, Some(difference)));
        MonthRate { ratio, revaluation, carrier }
    }

    /// The rate, and the value that opening stock and lines at a cost of their own should have together.
    fn sound_value(&self, key: u32, supply: Supply, month: &Range<usize>) -> (Ratio, i64) {
        let place = self.first_inflow(key, month).unwrap_or(month.start);
        let Supply { opening, known, closing, last } = supply;
        let (qty, value) = (opening.qty + known.qty, opening.value + known.value);
        if opening.qty < 0 && known.qty > 0 {
            let ratio = Ratio { value: known.value.max(0), qty: known.qty };
            return (ratio, self.price(key, opening.qty, ratio, place) + ratio.value);
        }
        if qty > 0 {
            return (Ratio { value: value.max(0), qty }, value.max(0));
        }
        // Goods without a cost of their own, such as goods found, end the shortage: at the cost that they have.
        (last, if closing >= 0 { self.price(key, qty, last, place) } else { value })
    }

    /// The first line that brings stock: at a cost of its own if there is one, and of a movement before those that the engine makes.
    fn first_inflow(&self, key: u32, month: &Range<usize>) -> Option<usize> {
        let inflows = self.effects_of(key, month).filter(|(_, effect)| effect.qty > 0);
        let order =
            |(place, effect): &(usize, Effect)| (!self.is_movement(*place), effect.cost == Cost::Rate);
        inflows.min_by_key(order).map(|(place, _)| place)
    }

    /// The line that takes the most value at a cost of its own, of movements before those that the engine makes.
    fn largest_taker(&self, key: u32, month: &Range<usize>) -> Option<usize> {
        let values = self.effects_of(key, month).filter_map(|(place, effect)| match effect.cost {
            Cost::Known(value) if value < 0 => Some((!self.is_movement(place), value, place)),
            _ => None,
        });
        values.min().map(|(_, _, place)| place)
    }

    /// What is left of the month's value when all but the last movement at the month's cost have taken theirs.
    fn rest_of_month(&self, key: u32, ratio: Ratio, value: i64, month: &Range<usize>, last: usize) -> i64 {
        let at_rate = |(place, effect): &(usize, Effect)| {
            let fixed = self.is_transfer_out(*place) && matches!(effect.cost, Cost::Known(_));
            *place != last && (effect.cost == Cost::Rate || fixed)
        };
        let worth = |(place, effect): (usize, Effect)| self.price(key, effect.qty, ratio, place);
        let taken: i128 =
            self.effects_of(key, month).filter(at_rate).map(|effect| i128::from(worth(effect))).sum();
        self.fitting(last, Some(i128::from(value) + taken))
    }
}

/// Opening value and value in by opening quantity and quantity in; the last known cost where that is no quantity.
fn plain_rate(supply: Supply) -> MonthRate {
    let Supply { opening, known, last, .. } = supply;
    let (qty, value) = (opening.qty + known.qty, opening.value + known.value);
    MonthRate { ratio: if qty > 0 { Ratio { value, qty } } else { last }, ..MonthRate::default() }
}
