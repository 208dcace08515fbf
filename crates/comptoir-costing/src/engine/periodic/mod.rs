//! Periodic weighted average by calendar month (全月一次加权平均).
//!
//! The unit cost of a month is (opening value + value of what came in at a cost of its own) / (opening quantity + its quantity);
//! every issue of the month gets it. A month is therefore read twice: once for what it brings, once to post its lines in book
//! order. What a month that opens short costs is said in [`rates`].

mod ages;
mod amend;
mod effects;
mod feeders;
mod post;
mod production;
mod rates;
#[cfg(test)]
mod shortage_tests;
mod shortages;
#[cfg(test)]
pub(super) mod tests;
mod undone;
#[cfg(test)]
mod undone_tests;

use std::cell::Cell;
use std::ops::Range;

use hashbrown::{HashMap, HashSet};

use super::run::{Banned, Book, Spoilt};
use super::stock::Ratio;
use super::{Auto, Context, Entry, Event, KeyRules, Stock, bounded};
use crate::movement::Kind;
use crate::policy::{Method, Rules};
use crate::posting::NONE;
use production::{Batch, Correction};
pub(super) use production::{Correction as KnownCorrection, Known, group_of};
use rates::MonthRate;

/// Values the keys of a component whose method is the periodic average and gives their stock at the end.
///
/// `known` has what items that other methods have valued already gave to production groups and took from them.
pub(crate) fn run_periodic(
    context: &Context,
    rules: &[KeyRules],
    events: &[Event],
    known: &Known,
    (banned, refused): (&Banned, &HashSet<u32>),
    book: &mut Book,
) -> Result<Vec<Stock>, Spoilt> {
    let mut periodic = Periodic {
        known,
        context,
        rules,
        events,
        totals: vec![Total::default(); rules.len()],
        entries: vec![Entry::BLANK; events.len()],
        effects: vec![Effect::NOTHING; events.len()],
        rates: vec![None; rules.len()],
        batches: production::batches(events),
        corrections: Vec::new(),
        credits: HashMap::new(),
        issued: HashMap::new(),
        refused: refused.clone(),
        saved: Vec::new(),
        failed: Cell::new(None),
    };
    let mut start = 0;
    while let Some(first) = events.get(start) {
        let month = context.month(border_time(first));
        let same_month = |event: &&Event| context.month(border_time(event)) == month;
        let end = start + events.iter().skip(start).take_while(same_month).count();
        periodic.run_month(&(start..end), banned, book);
        if let Some(index) = periodic.failed.get() {
            return Err(Spoilt(index));
        }
        start = end;
    }
    Ok(periodic.stocks())
}

/// An estimate made again belongs to the month that ends at its instant.
fn border_time(event: &Event) -> i64 {
    if event.auto == Auto::EstimateIn { event.at - 1 } else { event.at }
}

/// What an event does in its month: a signed quantity, at a cost of its own or at the month's.
#[derive(Clone, Copy, Debug)]
struct Effect {
    key: u32,
    qty: i64,
    cost: Cost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// Signed value, known when the month is read.
    Known(i64),
    /// At the unit cost of the month.
    Rate,
    /// The value of a transfer out of the same month.
    Transfer(u32),
    /// What a movement of the same month and key has at the month's cost, with the opposite sign: it comes back as it left.
    Back(u32),
    /// What the production group issued before it, or its share of that: known when the costs of those issues are.
    Share,
    /// An amendment of a movement at the month's cost, which had the signed quantity `from`: what that costs now, less what it cost.
    More { from: i64 },
    /// Nothing: rejected, or an event that does nothing.
    None,
}

impl Effect {
    const NOTHING: Self = Self { key: NONE, qty: 0, cost: Cost::None };

    /// Whether it is valued at the unit cost of the month, as it leaves or is found.
    const fn is_rated(self) -> bool {
        matches!(self.cost, Cost::Rate | Cost::More { .. })
    }
}

/// Totals of one key over the months.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    qty: i64,
    value: i64,
    last: Ratio,
}

impl Total {
    /// The last unit cost known: that of the last month that had one, else that of a shortage brought from another system.
    fn last_cost(&self) -> Ratio {
        let brought = self.last.qty == 0 && self.qty < 0 && self.value < 0;
        if brought { Ratio { value: -self.value, qty: -self.qty } } else { self.last }
    }
}

struct Periodic<'a> {
    known: &'a Known,
    context: &'a Context,
    rules: &'a [KeyRules],
    events: &'a [Event],
    totals: Vec<Total>,
    entries: Vec<Entry>,
    effects: Vec<Effect>,
    /// Month's unit cost by key, once it is known.
    rates: Vec<Option<MonthRate>>,
    /// What production groups have issued and not received yet.
    batches: HashMap<u32, Batch>,
    /// Corrections of the month, each at the place where it counts.
    corrections: Vec<Correction>,
    /// By place, the part of the share of a production receipt of the month that is variance.
    credits: HashMap<usize, i64>,
    /// By production group, the quantity that the month has issued so far as it is read.
    issued: HashMap<u32, i128>,
    /// Events that are left out: their numbers do not fit, or their month does not cover them.
    refused: HashSet<u32>,
    /// Entries as they were before the month was read.
    saved: Vec<(usize, Entry)>,
    /// Event whose numbers turned out not to fit.
    failed: Cell<Option<u32>>,
}

impl Periodic<'_> {
    fn run_month(&mut self, month: &Range<usize>, banned: &Banned, book: &mut Book) {
        self.saved.clear();
        self.credits.clear();
        self.read_corrections(month);
        self.read_month(month, banned, book);
        self.settle_shortages(month, banned, book);
        self.find_rates(month);
        self.post_month(month, book);
        self.keep_issued();
    }

    /// An entry for a change that reading the month again takes back.
    fn entry_mut(&mut self, place: usize) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(place)?;
        self.saved.push((place, *entry));
        Some(entry)
    }

    /// Takes back changes of entries until so many are left.
    fn restore(&mut self, kept: usize) {
        for (place, was) in self.saved.drain(kept..).rev() {
            if let Some(entry) = self.entries.get_mut(place) {
                *entry = was;
            }
        }
    }

    fn forget_month(&mut self, month: &Range<usize>) {
        self.restore(0);
        if let Some(effects) = self.effects.get_mut(month.clone()) {
            effects.fill(Effect::NOTHING);
        }
    }

    /// A number of the event at a place, nothing where it does not fit: then the event is refused.
    fn fitting(&self, place: usize, number: Option<i128>) -> i64 {
        let fits =
            number.and_then(|number| i64::try_from(number).ok()).filter(|number| bounded(*number).is_ok());
        if fits.is_none() && self.failed.get().is_none() {
            self.failed.set(u32::try_from(place).ok());
        }
        fits.unwrap_or(0)
    }

    /// The events of the month that change the stock of a key, by place.
    fn effects_of(&self, key: u32, month: &Range<usize>) -> impl Iterator<Item = (usize, Effect)> + '_ {
        let effects = self.effects.get(month.clone()).unwrap_or_default();
        month.clone().zip(effects.iter().copied()).filter(move |(_, effect)| effect.key == key)
    }

    fn keys(&self) -> impl Iterator<Item = u32> + use<> {
        (0_u32..).take(self.rules.len())
    }

    /// Whether another method values a key.
    fn is_foreign(&self, key: u32) -> bool {
        self.rule(key).method != Method::PeriodicAverage
    }

    fn rule(&self, key: u32) -> Rules {
        self.rules.get(key as usize).map_or_else(Rules::default, |rules| rules.rules)
    }

    fn total(&self, key: u32) -> Total {
        self.totals.get(key as usize).copied().unwrap_or_default()
    }

    /// Whether a movement of the input stands at a place, not an event that the engine made.
    fn is_movement(&self, place: usize) -> bool {
        self.events.get(place).is_some_and(|event| event.auto == Auto::No)
    }

    /// The kind of the movement at a place.
    fn kind(&self, place: usize) -> Option<Kind> {
        self.events.get(place).map(|event| event.kind)
    }

    /// The amendments in the month of the movement at a place, with their effects.
    fn amendments_of(&self, target: u32, month: &Range<usize>) -> impl Iterator<Item = (usize, Effect)> + '_ {
        let effects = self.effects.get(month.clone()).unwrap_or_default();
        month.clone().zip(effects.iter().copied()).filter(move |(place, effect)| {
            let amends = |event: &Event| event.kind == Kind::Amendment && event.reference == target;
            effect.cost != Cost::None && self.events.get(*place).is_some_and(amends)
        })
    }
}
