//! Unit costs of a month, and what they do to a shortage with which the month opens.
//!
//! Under `carry` and `reject` the plain arithmetic holds: (opening value + value in) / (opening quantity + quantity in). With a
//! negative opening quantity that divides by next to nothing or changes its sign, so `cover` and `variance` take the cost of what
//! the month itself brings, value in / quantity in, and value the opening shortage anew at it. The difference goes to the variance
//! account, on the month's first line that brings stock. Where nothing comes in, the last known cost holds.

use std::ops::Range;

use super::super::LIMIT;
use super::super::stock::Ratio;
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

    pub fn find_rate(&mut self, key: u32, month: &Range<usize>) {
        let supply = self.supply(key, month);
        let covers = matches!(self.rule(key).negative, Negative::Cover | Negative::Variance);
        let rate = if covers { self.covering_rate(key, month, supply) } else { plain_rate(supply) };
        let available = supply.opening.qty + supply.known.qty;
        let value = supply.opening.value + supply.known.value + rate.revaluation;
        let rated: Vec<(usize, Effect)> =
            self.effects_of(key, month).filter(|(_, effect)| effect.is_rated()).collect();
        let comes_back = self.effects_of(key, month).any(|(_, effect)| matches!(effect.cost, Cost::Back(_)));
        let last = rated.last().filter(|_| supply.closing == 0 && available > 0 && !comes_back);
        let last = last.map(|(place, _)| *place);
        for (place, effect) in self.feeders(&rated, month) {
            let worth = if last == Some(place) {
                -self.rest_of_month(rate.ratio, value, &rated)
            } else {
                self.price(key, effect.qty, rate.ratio, place)
            };
            self.fix_feeder(place, worth, rate.ratio, month);
        }
        if let Some(slot) = self.rates.get_mut(key as usize) {
            *slot = Some(rate);
        }
    }

    /// The unit cost of what the month is known to have and to bring.
    pub fn known_cost(&self, key: u32, month: &Range<usize>) -> Ratio {
        plain_rate(self.supply(key, month)).ratio
    }

    /// Value of an effect at the unit cost of the month.
    pub fn rated_value(&self, place: usize, effect: Effect, ratio: Ratio) -> i64 {
        let price = |qty| self.price(effect.key, qty, ratio, place);
        match effect.cost {
            Cost::More { from } => price(from + effect.qty) - price(from),
            _ => price(effect.qty),
        }
    }

    fn supply(&self, key: u32, month: &Range<usize>) -> Supply {
        let total = self.total(key);
        let (mut opening, mut known) = (Sum { qty: total.qty, value: total.value }, Sum::default());
        let mut closing = total.qty;
        for (place, effect) in self.effects_of(key, month) {
            closing += effect.qty;
            let Cost::Known(value) = effect.cost else { continue };
            let sum = if self.brings_shortage(place, effect) { &mut opening } else { &mut known };
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

    /// Whether an effect belongs to a shortage that was brought from another system.
    fn brings_shortage(&self, place: usize, effect: Effect) -> bool {
        match self.events.get(place) {
            Some(event) if event.kind == Kind::Opening => effect.qty < 0,
            Some(event) if event.kind == Kind::Amendment => {
                let target = event.reference as usize;
                self.kind(target) == Some(Kind::Opening)
                    && self.effects.get(target).is_some_and(|opening| opening.qty < 0)
            }
            _ => false,
        }
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
        let order = |(place, effect): &(usize, Effect)| (!self.is_movement(*place), effect.is_rated());
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
    fn rest_of_month(&self, ratio: Ratio, value: i64, rated: &[(usize, Effect)]) -> i64 {
        let Some(((last, _), others)) = rated.split_last() else {
            return value;
        };
        let taken = others.iter().map(|(place, effect)| i128::from(self.rated_value(*place, *effect, ratio)));
        self.fitting(*last, Some(i128::from(value) + taken.sum::<i128>()))
    }
}

/// Opening value and value in by opening quantity and quantity in; the last known cost where that is no quantity.
fn plain_rate(supply: Supply) -> MonthRate {
    let Supply { opening, known, last, .. } = supply;
    let (qty, value) = (opening.qty + known.qty, opening.value + known.value);
    MonthRate { ratio: if qty > 0 { Ratio { value, qty } } else { last }, ..MonthRate::default() }
}
