//! Periodic weighted average by calendar month (全月一次加权平均).
//!
//! The unit cost of a month is (opening value + value of what came in at a cost of its own) / (opening quantity + its quantity);
//! every issue of the month gets it. A month is therefore read twice: once for what it brings, once to post its lines in book order.

use super::machine::Machine;
use super::run::{Banned, Book};
use super::settle::Settled;
use super::stock::Ratio;
use super::{
    ABSENT, Auto, Context, Correction, Discard, Entry, Event, KeyRules, Line, OVERFLOW, Sink, Stock, bounded, run, share,
};
use crate::movement::{Kind, Reason};
use crate::policy::{Amendment, LateCost, Method, Negative, Provisional, ReturnCost, Rules};
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

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
    /// Nothing: rejected, or an event that does nothing.
    None,
}

/// Totals of one key over the months.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    qty: i64,
    value: i64,
    last: Ratio,
}

struct Periodic<'a> {
    context: &'a Context,
    rules: &'a [KeyRules],
    events: &'a [Event],
    totals: Vec<Total>,
    entries: Vec<Entry>,
    effects: Vec<Effect>,
    /// Month's unit cost by key, once it is known.
    rates: Vec<Option<Ratio>>,
}

/// Values a component whose method is the periodic average and gives the stock of its keys at the end.
pub(crate) fn run_periodic(
    context: &Context,
    rules: &[KeyRules],
    events: &[Event],
    banned: &Banned,
    book: &mut Book,
) -> Vec<Stock> {
    let nothing = Effect { key: NONE, qty: 0, cost: Cost::None };
    let mut periodic = Periodic {
        context,
        rules,
        events,
        totals: vec![Total::default(); rules.len()],
        entries: vec![Entry::BLANK; events.len()],
        effects: vec![nothing; events.len()],
        rates: vec![None; rules.len()],
    };
    let mut start = 0;
    while let Some(first) = events.get(start) {
        let month = context.month(border_time(first));
        let length = events.iter().skip(start).take_while(|event| context.month(border_time(event)) == month).count();
        periodic.run_month(start, start + length, banned, book);
        start += length;
    }
    periodic.stocks(book)
}

/// An estimate made again belongs to the month that ends at its instant.
fn border_time(event: &Event) -> i64 {
    if event.auto == Auto::EstimateIn { event.at - 1 } else { event.at }
}

impl Periodic<'_> {
    fn run_month(&mut self, start: usize, end: usize, banned: &Banned, book: &mut Book) {
        self.read_month(start, end, banned, book);
        self.reject_shortages(start, end, book);
        self.find_rates(start, end);
        self.post_month(start, end, book);
    }

    /// Finds the effect of every event of the month; running quantities tell what a count changes.
    fn read_month(&mut self, start: usize, end: usize, banned: &Banned, book: &mut Book) {
        let mut running: Vec<i64> = self.totals.iter().map(|total| total.qty).collect();
        for place in start..end {
            let (Some(event), Ok(index)) = (self.events.get(place).copied(), u32::try_from(place)) else { return };
            if banned.contains_key(&event.group) {
                continue;
            }
            let on_hand = running.get(event.key as usize).copied().unwrap_or(0);
            match self.effect(index, start, &event, on_hand) {
                Ok(effect) => self.accept(place, &event, effect, &mut running),
                Err(fault) if event.auto == Auto::No => book.reject(index, fault),
                Err(_) => {}
            }
        }
    }

    fn accept(&mut self, place: usize, event: &Event, effect: Effect, running: &mut [i64]) {
        if let Some(quantity) = running.get_mut(effect.key as usize) {
            *quantity += effect.qty;
        }
        if let Some(slot) = self.effects.get_mut(place) {
            *slot = effect;
        }
        if let Some(entry) = self.entries.get_mut(place).filter(|_| event.auto == Auto::No) {
            *entry = Entry { accepted: true, key: effect.key, qty: effect.qty, ..*entry };
            if event.kind == Kind::ProvisionalReceipt {
                (entry.open_qty, entry.open_amount) = (event.qty, event.amount);
            }
        }
    }

    fn effect(&mut self, index: u32, start: usize, event: &Event, on_hand: i64) -> Result<Effect, Fault> {
        let at = |qty, cost| Ok(Effect { key: event.key, qty, cost });
        let own_amount = |sign: i64| if event.amount == ABSENT { Cost::Rate } else { Cost::Known(sign * event.amount) };
        if event.auto != Auto::No {
            return self.estimate(event);
        }
        match event.kind {
            Kind::Opening | Kind::Receipt | Kind::ProvisionalReceipt => at(event.qty, Cost::Known(event.amount)),
            Kind::ProductionReceipt if event.amount != ABSENT => at(event.qty, Cost::Known(event.amount)),
            Kind::Issue | Kind::CountLoss | Kind::ProductionIssue | Kind::TransferOut => at(-event.qty, Cost::Rate),
            Kind::CountGain => at(event.qty, own_amount(1)),
            Kind::Count if event.amount == ABSENT => at(event.qty - on_hand, Cost::Rate),
            Kind::CostAdjustment => at(0, Cost::Known(event.amount)),
            Kind::SalesReturn | Kind::PurchaseReturn | Kind::TransferIn | Kind::Reversal => {
                self.back_reference(index, start, event)
            }
            Kind::Settlement => self.settlement(index, event),
            Kind::ProductionReceipt | Kind::Count | Kind::Revaluation | Kind::Amendment => {
                Err(Fault::new(RejectCode::NotWithPeriodic))
            }
        }
    }

    fn referred(&self, index: u32, event: &Event) -> Result<Entry, Fault> {
        if event.reference >= index {
            return Err(Fault::new(RejectCode::ReferenceLater));
        }
        match self.entries.get(event.reference as usize) {
            Some(entry) if entry.accepted => Ok(*entry),
            _ => Err(Fault::new(RejectCode::ReferenceRejected)),
        }
    }

    /// Returns, arrivals and reversals: at the value of what they refer to, if that is known before the month is valued.
    fn back_reference(&mut self, index: u32, start: usize, event: &Event) -> Result<Effect, Fault> {
        let sign = if event.kind == Kind::PurchaseReturn { -1 } else { 1 };
        if event.reference == NONE {
            let cost = if event.amount == ABSENT { Cost::Rate } else { Cost::Known(sign * event.amount) };
            return Ok(Effect { key: event.key, qty: sign * event.qty, cost });
        }
        let origin = self.referred(index, event)?;
        let place = event.reference as usize;
        let value_only = origin.qty == 0;
        let qty = match (value_only, event.qty) {
            (true, _) => 0,
            (false, ABSENT) => origin.left(),
            (false, qty) => qty,
        };
        let left = if value_only { 1 - origin.taken_qty } else { origin.left() };
        if qty > left || left == 0 {
            return Err(Fault::with(RejectCode::ReferenceExceeded, qty, left));
        }
        let effect = self.effects.get(place).copied().ok_or(OVERFLOW)?;
        let known = match effect.cost {
            Cost::Known(value) => Some(value),
            _ if place < start => Some(origin.value),
            _ => None,
        };
        let sign = -origin.qty.signum();
        let original = match event.kind {
            Kind::SalesReturn => self.rule(event.key).returns.sales == ReturnCost::OriginalCost,
            Kind::PurchaseReturn => self.rule(event.key).returns.purchase == ReturnCost::OriginalCost,
            _ => true,
        };
        let cost = match known {
            _ if event.amount != ABSENT && event.kind != Kind::TransferIn => Cost::Known(sign * event.amount),
            Some(value) if value_only => Cost::Known(-value),
            Some(value) if original => Cost::Known(self.part(&origin, value, qty)),
            None if event.kind == Kind::TransferIn && origin.key != event.key => Cost::Transfer(event.reference),
            _ => Cost::Rate,
        };
        if let Some(entry) = self.entries.get_mut(place) {
            entry.taken_qty += if value_only { 1 } else { qty };
            if let Cost::Known(value) = cost {
                entry.taken_value += value.abs();
            }
        }
        Ok(Effect { key: event.key, qty: sign * qty, cost })
    }

    /// The share of a movement's value that belongs to `qty` of it, with the opposite sign; the last part takes the rest.
    fn part(&self, origin: &Entry, value: i64, qty: i64) -> i64 {
        let share = if qty == origin.left() {
            value.abs() - origin.taken_value
        } else {
            share(value.abs(), qty, origin.qty.abs(), self.context.rounding)
        };
        -value.signum() * share
    }

    fn rule(&self, key: u32) -> Rules {
        self.rules.get(key as usize).map_or_else(Rules::default, |rules| rules.rules)
    }

    fn settlement(&mut self, index: u32, event: &Event) -> Result<Effect, Fault> {
        let entry = self.referred(index, event)?;
        let qty = if event.qty == ABSENT { entry.open_qty } else { event.qty };
        if qty > entry.open_qty || qty == 0 {
            return Err(Fault::with(RejectCode::ReferenceExceeded, qty, entry.open_qty));
        }
        let whole = qty == entry.open_qty;
        let estimate =
            if whole { entry.open_amount } else { share(entry.open_amount, qty, entry.open_qty, self.context.rounding) };
        let settled = Settled { qty, estimate, difference: bounded(event.amount - estimate)? };
        if let Some(original) = self.entries.get_mut(event.reference as usize) {
            original.open_qty -= settled.qty;
            original.open_amount -= settled.estimate;
        }
        let (qty, value) = if entry.estimate_out { (qty, event.amount) } else { (0, settled.difference) };
        Ok(Effect { key: entry.key, qty, cost: Cost::Known(value) })
    }

    fn estimate(&mut self, event: &Event) -> Result<Effect, Fault> {
        let out = event.auto == Auto::EstimateOut;
        let entry = self.entries.get_mut(event.reference as usize).ok_or(OVERFLOW)?;
        if !entry.accepted || entry.open_qty == 0 || entry.estimate_out == out {
            return Err(OVERFLOW);
        }
        entry.estimate_out = out;
        let sign = if out { -1 } else { 1 };
        Ok(Effect { key: event.key, qty: sign * entry.open_qty, cost: Cost::Known(sign * entry.open_amount) })
    }

    /// Under the policy `reject`, refuses what the month's stock and receipts together do not cover, the latest issues first.
    fn reject_shortages(&mut self, start: usize, end: usize, book: &mut Book) {
        for key in 0..self.rules.len() {
            let Ok(code) = u32::try_from(key) else { return };
            if self.rule(code).negative != Negative::Reject {
                continue;
            }
            let incoming: i64 =
                self.effects.iter().take(end).skip(start).filter(|effect| effect.key == code).map(|effect| effect.qty.max(0)).sum();
            let mut there = self.totals.get(key).map_or(0, |total| total.qty) + incoming;
            for place in start..end {
                let Some(effect) = self.effects.get(place).copied().filter(|effect| effect.key == code) else { continue };
                let movement = self.events.get(place).is_some_and(|event| event.auto == Auto::No);
                if effect.qty >= 0 {
                    continue;
                }
                if -effect.qty > there && movement {
                    self.refuse(place, Fault::with(RejectCode::NegativeStock, -effect.qty, there), book);
                } else {
                    there += effect.qty;
                }
            }
        }
        self.refuse_dependants(start, end, book);
    }

    /// A movement that refers to a refused one is refused too.
    fn refuse_dependants(&mut self, start: usize, end: usize, book: &mut Book) {
        for place in start..end {
            let Some(event) = self.events.get(place) else { return };
            let (reference, stands) = (event.reference, self.entries.get(place).is_some_and(|entry| entry.accepted));
            let gone = self.entries.get(reference as usize).is_some_and(|entry| !entry.accepted);
            if reference != NONE && stands && gone {
                self.refuse(place, Fault::new(RejectCode::ReferenceRejected), book);
            }
        }
    }

    fn refuse(&mut self, place: usize, fault: Fault, book: &mut Book) {
        if let Some(effect) = self.effects.get_mut(place) {
            *effect = Effect { key: NONE, qty: 0, cost: Cost::None };
        }
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = Entry::BLANK;
        }
        if let Ok(index) = u32::try_from(place) {
            book.reject(index, fault);
        }
    }

    /// Unit costs of the month, key by key, sources of transfers first. A circle of transfers is cut at the lowest key: what it
    /// gets from the circle is valued at the source's cost before the month.
    fn find_rates(&mut self, start: usize, end: usize) {
        self.rates.fill(None);
        loop {
            let open: Vec<usize> = (0..self.rates.len()).filter(|key| self.rates.get(*key).is_some_and(Option::is_none)).collect();
            let Some(first) = open.first().copied() else { return };
            let ready = open.iter().copied().find(|key| !self.waits(*key, start, end));
            if ready.is_none() {
                self.cut(first, start, end);
            }
            self.find_rate(ready.unwrap_or(first), start, end);
        }
    }

    /// Events of the month at a key that wait for the cost of a transfer out of another.
    fn waiting(&self, key: usize, start: usize, end: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        let transfers = self.effects.iter().enumerate().take(end).skip(start);
        transfers.filter_map(move |(place, effect)| match effect.cost {
            Cost::Transfer(source) if effect.key as usize == key => Some((place, source)),
            _ => None,
        })
    }

    fn waits(&self, key: usize, start: usize, end: usize) -> bool {
        self.waiting(key, start, end).next().is_some()
    }

    fn cut(&mut self, key: usize, start: usize, end: usize) {
        let cut: Vec<u32> = self.waiting(key, start, end).map(|(_, source)| source).collect();
        for source in cut {
            let Some(effect) = self.effects.get(source as usize).copied() else { continue };
            let total = self.totals.get(effect.key as usize).copied().unwrap_or_default();
            let ratio = if total.qty > 0 { Ratio { value: total.value, qty: total.qty } } else { total.last };
            let value = self.price(effect.key, effect.qty, ratio);
            self.fix_transfer(source, value, start, end);
        }
    }

    /// Gives a transfer out its value, and its arrivals in the month theirs.
    fn fix_transfer(&mut self, source: u32, value: i64, start: usize, end: usize) {
        let Some(out) = self.effects.get_mut(source as usize) else { return };
        out.cost = Cost::Known(value);
        let Some(origin) = self.entries.get_mut(source as usize) else { return };
        origin.value = value;
        let mut left = Entry { taken_qty: 0, taken_value: 0, ..*origin };
        for place in start..end {
            let Some(effect) = self.effects.get(place).copied() else { return };
            if effect.cost == Cost::Transfer(source) {
                let part = self.part(&left, value, effect.qty);
                left.taken_qty += effect.qty;
                left.taken_value += part.abs();
                if let Some(slot) = self.effects.get_mut(place) {
                    slot.cost = Cost::Known(part);
                }
            }
        }
        if let Some(origin) = self.entries.get_mut(source as usize) {
            origin.taken_value += left.taken_value;
        }
    }

    fn price(&self, key: u32, qty: i64, ratio: Ratio) -> i64 {
        let rules = self.rules.get(key as usize);
        let (value, of) = if ratio.qty != 0 {
            (ratio.value, ratio.qty)
        } else {
            let cost = rules.and_then(|rules| rules.fallback).unwrap_or(0);
            (cost.saturating_mul(self.context.price_up), self.context.price_down)
        };
        comptoir_types::decimal::mul_div(value, qty, of, self.context.rounding).unwrap_or(0)
    }

    fn find_rate(&mut self, key: usize, start: usize, end: usize) {
        let Some(total) = self.totals.get(key).copied() else { return };
        let (mut qty, mut value) = (total.qty, total.value);
        for effect in self.effects.iter().take(end).skip(start).filter(|effect| effect.key as usize == key) {
            if let Cost::Known(known) = effect.cost {
                qty += effect.qty;
                value += known;
            }
        }
        let ratio = if qty > 0 { Ratio { value, qty } } else { total.last };
        let sources: Vec<(u32, i64)> = (start..end)
            .filter_map(|place| {
                let effect = self.effects.get(place).filter(|effect| effect.key as usize == key)?;
                let out = self.events.get(place).is_some_and(|event| event.kind == Kind::TransferOut);
                let index = u32::try_from(place).ok().filter(|_| out && effect.cost == Cost::Rate)?;
                Some((index, effect.qty))
            })
            .collect();
        let closing: i64 =
            total.qty + self.effects.iter().take(end).skip(start).filter(|effect| effect.key as usize == key).map(|effect| effect.qty).sum::<i64>();
        let rated = self.effects.iter().take(end).skip(start).rposition(|effect| effect.key as usize == key && effect.cost == Cost::Rate);
        for (source, quantity) in sources {
            let is_last = closing == 0 && qty > 0 && rated == Some(source as usize - start);
            if !is_last {
                let worth = self.price(u32::try_from(key).unwrap_or(NONE), quantity, ratio);
                self.fix_transfer(source, worth, start, end);
            } else {
                let rest = -self.rest_of_month(key, ratio, value, start, end, source);
                self.fix_transfer(source, rest, start, end);
            }
        }
        if let Some(slot) = self.rates.get_mut(key) {
            *slot = Some(ratio);
        }
    }

    /// What is left of the month's value when all but the last movement at the month's cost have taken theirs.
    fn rest_of_month(&self, key: usize, ratio: Ratio, value: i64, start: usize, end: usize, last: u32) -> i64 {
        let code = u32::try_from(key).unwrap_or(NONE);
        let mut left = value;
        for (place, effect) in self.effects.iter().enumerate().take(end).skip(start) {
            let transfer_out = self.events.get(place).is_some_and(|event| event.kind == Kind::TransferOut);
            let fixed = transfer_out && matches!(effect.cost, Cost::Known(_));
            if effect.key == code && place != last as usize && (effect.cost == Cost::Rate || fixed) {
                left += self.price(code, effect.qty, ratio);
            }
        }
        left
    }

    /// Posts the lines of the month in book order; the last movement at the month's cost takes what rounding left over.
    fn post_month(&mut self, start: usize, end: usize, book: &mut Book) {
        let closing = self.closing_values(start, end);
        for place in start..end {
            let (Some(effect), Some(event)) = (self.effects.get(place).copied(), self.events.get(place).copied()) else {
                return;
            };
            let Some(total) = self.totals.get(effect.key as usize).copied() else { continue };
            let rate = self.rates.get(effect.key as usize).copied().flatten().unwrap_or_default();
            let mut value = match effect.cost {
                Cost::Known(value) => value,
                Cost::Rate => self.price(effect.key, effect.qty, rate),
                Cost::Transfer(_) | Cost::None => continue,
            };
            let mut variance = 0;
            if let Some((last, rest)) = closing.get(effect.key as usize).copied().filter(|(last, _)| *last == place) {
                debug_assert_eq!(last, place);
                match effect.cost {
                    Cost::Rate => value -= rest,
                    _ => {
                        value -= rest;
                        variance = rest;
                    }
                }
            }
            let qty = total.qty + effect.qty;
            let now = Total { qty, value: total.value + value, last: if rate.qty > 0 { rate } else { total.last } };
            if let Some(slot) = self.totals.get_mut(effect.key as usize) {
                *slot = now;
            }
            self.post(place, &event, effect, value, variance, book);
        }
    }

    /// For each key whose month ends without stock: the event that takes the value that would be left, and that value.
    fn closing_values(&self, start: usize, end: usize) -> Vec<(usize, i64)> {
        let mut result = vec![(usize::MAX, 0); self.totals.len()];
        for (key, slot) in result.iter_mut().enumerate() {
            let total = self.totals.get(key).copied().unwrap_or_default();
            let rate = self.rates.get(key).copied().flatten().unwrap_or_default();
            let (mut qty, mut value, mut last, mut last_rated) = (total.qty, total.value, usize::MAX, usize::MAX);
            for (place, effect) in self.effects.iter().enumerate().take(end).skip(start) {
                if effect.key as usize != key {
                    continue;
                }
                qty += effect.qty;
                value += match effect.cost {
                    Cost::Known(value) => value,
                    Cost::Rate => self.price(effect.key, effect.qty, rate),
                    Cost::Transfer(_) | Cost::None => 0,
                };
                last = place;
                if effect.cost == Cost::Rate && effect.qty != 0 {
                    last_rated = place;
                }
            }
            if qty == 0 && value != 0 {
                *slot = (if last_rated == usize::MAX { last } else { last_rated }, value);
            }
        }
        result
    }

    fn post(&mut self, place: usize, event: &Event, effect: Effect, value: i64, variance: i64, book: &mut Book) {
        let Ok(index) = u32::try_from(place) else { return };
        if let Some(entry) = self.entries.get_mut(place).filter(|_| event.auto == Auto::No) {
            entry.value = value;
            entry.variance = variance;
        }
        let total = self.totals.get(effect.key as usize).copied().unwrap_or_default();
        let line =
            Line { quantity: effect.qty, value, on_hand: total.qty, on_hand_value: total.value, variance };
        if event.auto == Auto::No {
            book.movement(index, effect.key, line);
        } else {
            let reason = if event.auto == Auto::EstimateOut { Reason::MonthStartReversal } else { Reason::Reestimated };
            let adjusts = event.reference;
            book.correction(Correction { cause: adjusts, adjusts, reason, key: effect.key, at: event.at, line });
        }
    }

    /// The stock of every key at the end. Ages do not depend on the cost, so a moving average run gives them.
    fn stocks(&self, book: &Book) -> Vec<Stock> {
        let aged = if self.context.track_ages { self.ages(book) } else { Vec::new() };
        let mut aged = aged.into_iter();
        let totals = self.totals.iter().zip(self.rules);
        totals
            .map(|(total, rules)| {
                let mut stock = Stock::new(Method::PeriodicAverage, rules.standard, self.context.track_ages);
                if let Some(other) = aged.next() {
                    stock.layers = other.layers;
                }
                stock.qty = total.qty;
                stock.value = total.value;
                stock.last = total.last;
                stock
            })
            .collect()
    }

    fn ages(&self, book: &Book) -> Vec<Stock> {
        let plain = |rules: &KeyRules| KeyRules {
            rules: Rules {
                method: Method::MovingAverage,
                negative: Negative::Carry,
                late_cost: LateCost::Prospective,
                amendment: Amendment::Append,
                provisional: Provisional::default(),
                ..rules.rules
            },
            ..*rules
        };
        let rules: Vec<KeyRules> = self.rules.iter().map(plain).collect();
        let referenced = vec![true; self.events.len()];
        let mut machine = Machine::new(self.context, &rules, &referenced, self.events);
        for ((index, event), outcome) in (0u32..).zip(self.events).zip(&book.outcomes) {
            if !matches!(outcome, run::Outcome::Rejected(_)) {
                let _rejected = run::step(&mut machine, index, event, &mut Discard);
            }
        }
        machine.keys
    }
}
