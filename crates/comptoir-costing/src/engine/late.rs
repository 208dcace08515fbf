//! Late information under the policies `replay` and `keep_place`: what follows the movement concerned is calculated again, and
//! each difference becomes a correction posting at the time of the late movement.

use comptoir_types::decimal::mul_div;
use hashbrown::HashMap;

use super::checkpoint::Trace;
use super::history::History;
use super::machine::{Machine, Posted};
use super::references::check_whole;
use super::replay::{Replay, Undo};
use super::run::Spoilt;
use super::settle::Settled;
use super::switched::{switch_differences, switched_keys};
use super::{ABSENT, Auto, Context, Correction, Entry, Event, KeyRules, OVERFLOW, Sink, bounded, run, share};
use crate::movement::{Kind, Reason};
use crate::policy::{Amendment, LateCost, Method, Provisional, Rules};
use crate::posting::NONE;
use crate::reject::Fault;

/// Whether an event changes the past under these rules.
pub(crate) fn is_late(event: &Event, rules: &Rules) -> bool {
    if event.auto != Auto::No || event.reference == NONE || rules.method == Method::PeriodicAverage {
        return false;
    }
    match event.kind {
        Kind::CostAdjustment => rules.late_cost == LateCost::Replay,
        // A month-start reversal has taken the estimate out already: there is no earlier cost to calculate again.
        Kind::Settlement => {
            rules.late_cost == LateCost::Replay && rules.provisional != Provisional::MonthStartReversal
        }
        Kind::Amendment => rules.amendment == Amendment::KeepPlace,
        _ => false,
    }
}

/// The books of a component with late events, and its history as it should have been.
struct Late<'a> {
    machine: Machine<'a>,
    history: History,
    replay: Replay<'a>,
}

/// Values a component that has late events.
pub(crate) fn run_with_replay<'a, S: Sink>(
    context: &'a Context,
    rules: &'a [KeyRules],
    referenced: &'a [bool],
    events: &[Event],
    sink: &mut S,
) -> Result<Machine<'a>, Spoilt> {
    let is_late_here =
        |event: &Event| rules.get(event.key as usize).is_some_and(|key| is_late(event, &key.rules));
    let undone = |event: &Event| {
        let is_undo = |other: &&Event| {
            !run::is_silenced(event)
                && event.kind == Kind::Reversal
                && other.kind == Kind::CostAdjustment
                && is_late_here(other)
        };
        events.get(event.reference as usize).filter(is_undo)
    };
    let late: Vec<bool> = events.iter().map(|event| is_late_here(event) || undone(event).is_some()).collect();
    let machine = Machine::new(context, rules, referenced, events);
    let replay = Replay::new(machine.clone(), events, &late);
    let mut books = Late { machine, history: History::new(events), replay };
    for ((index, event), late) in (0u32..).zip(events).zip(late) {
        let outcome = match undone(event) {
            None if !late => books.step(index, event, sink),
            undone => {
                run::switch_before(&mut books.machine, index, event, sink).and_then(|()| match undone {
                    Some(other) => books.undo(index, event, other, sink),
                    None => books.replay(index, event, 0, sink),
                })
            }
        };
        if let Some(index) = books.machine.spoilt {
            return Err(Spoilt(index));
        }
        books.history.leave_out(index, outcome.is_err() || late);
        if let (Err(fault), true) = (outcome, late) {
            sink.reject(index, fault);
        }
    }
    Ok(books.machine)
}

impl Late<'_> {
    fn step<S: Sink>(&mut self, index: u32, event: &Event, sink: &mut S) -> Result<(), Fault> {
        let event = self.history.resolve(&self.machine, index, event);
        run::step(&mut self.machine, index, &event, sink)?;
        self.replay.know_uninvoiced(&self.machine, index);
        Ok(())
    }

    /// Takes back a cost that was replayed: its opposite is replayed in its turn.
    fn undo<S: Sink>(
        &mut self,
        index: u32,
        event: &Event,
        adjustment: &Event,
        sink: &mut S,
    ) -> Result<(), Fault> {
        let entry = self.machine.referred(index, event)?;
        check_whole(event, &entry)?;
        // What was variance alone is taken back as variance.
        let amount = entry.variance - adjustment.amount;
        let opposite = Event { amount, at: event.at, row: event.row, group: event.group, ..*adjustment };
        self.replay(index, &opposite, -entry.variance, sink)?;
        if let Some(entry) = self.machine.entries.get_mut(event.reference as usize) {
            entry.taken_qty = 1;
        }
        Ok(())
    }

    /// Lays the late event over the one that it concerns, calculates again, and posts the differences. `variance` comes on top of its
    /// line.
    fn replay<S: Sink>(
        &mut self,
        index: u32,
        event: &Event,
        variance: i64,
        sink: &mut S,
    ) -> Result<(), Fault> {
        let entry = self.machine.referred(index, event)?;
        let was = *self.history.now.get(event.reference as usize).ok_or(OVERFLOW)?;
        let settles = event.kind == Kind::Settlement;
        let settled = settles.then(|| self.machine.settled_part(&entry, event)).transpose()?;
        let corrected =
            corrected(&self.machine, event, &was, settled, self.history.added_to(event.reference))?;
        let is_cost = event.kind == Kind::CostAdjustment;
        let difference = difference_of(event, &was, &corrected);
        let added = if is_cost { difference } else { 0 };
        // What a receipt cannot bear, since nothing costs less than nothing.
        let rest = match settled {
            _ if is_cost => bounded(event.amount - added)?,
            Some(settled) => {
                let kept = |amount| unreversed(&self.machine, &was, entry.open_reversed, amount);
                bounded(settled.difference - (kept(corrected.amount) - kept(was.amount)))?
            }
            None => 0,
        };
        let variance = bounded(rest + variance)?;
        self.replay_laid(index, Lay { event, was, corrected, settled, difference, added, variance }, sink)?;
        if let Some(slot) = self.machine.entries.get_mut(index as usize) {
            *slot = Entry { accepted: true, key: entry.key, variance: rest, ..Entry::BLANK };
        }
        Ok(())
    }

    fn replay_laid<S: Sink>(&mut self, index: u32, lay: Lay<'_>, sink: &mut S) -> Result<(), Fault> {
        self.replay.advance(&self.history, index);
        let laid = self.history.lay(index, lay.event, lay.corrected, lay.difference)?;
        self.add(lay.event.reference, lay.added);
        let switched = switched_keys(&self.machine, lay.event.at);
        let lines = self.replay.correct(&self.history, &laid, index, &switched).and_then(|undo| {
            let traces = carried(&self.machine, &self.replay, &undo, &lay);
            match differences(&mut self.machine, &self.replay.machine, &traces, &lay) {
                Ok(lines) => {
                    self.replay.commit(undo);
                    Ok((traces, lines))
                }
                Err(fault) => {
                    self.replay.take_back(undo);
                    Err(fault)
                }
            }
        });
        match lines {
            Ok((traces, lines)) => {
                post_differences(&mut self.machine, index, lay.event.at, &lines, sink);
                self.take_over(&traces);
                Ok(())
            }
            Err(fault) => {
                self.history.restore(&laid);
                self.add(lay.event.reference, -lay.added);
                Err(fault)
            }
        }
    }

    /// Notes a cost that came late beside the movement's own.
    fn add(&mut self, reference: u32, cost: i64) {
        self.history.add(reference, cost);
        let added = self.history.added_to(reference);
        for machine in [&mut self.machine, &mut self.replay.machine] {
            machine.late.insert(reference, added);
        }
    }

    /// The books stand as calculated again.
    fn take_over(&mut self, traces: &[Trace]) {
        self.machine.keys.clone_from(&self.replay.machine.keys);
        self.machine.production.clone_from(&self.replay.machine.production);
        for trace in traces {
            self.machine.restore(trace);
        }
    }
}

/// A late event and what it makes of the movement that it concerns.
struct Lay<'e> {
    event: &'e Event,
    was: Event,
    corrected: Event,
    settled: Option<Settled>,
    /// What comes late for an amendment that was appended.
    difference: i64,
    /// What comes late beside the movement's own cost.
    added: i64,
    /// What goes to the variance account on top of the line.
    variance: i64,
}

/// Whether the cost of a movement is its own amount, and not what its group or the movement in `ref` had.
fn has_amount(event: &Event) -> bool {
    event.amount != ABSENT && event.kind != Kind::TransferIn
}

/// What comes late for a movement beside its own price.
fn difference_of(event: &Event, was: &Event, corrected: &Event) -> i64 {
    match event.kind {
        Kind::Amendment => 0,
        _ if !has_amount(was) => event.amount,
        _ => corrected.amount - was.amount,
    }
}

/// The movement as it should have been.
fn corrected(
    machine: &Machine<'_>,
    event: &Event,
    was: &Event,
    settled: Option<Settled>,
    added: i64,
) -> Result<Event, Fault> {
    if let Some(settled) = settled {
        let reversed = machine.entries.get(event.reference as usize).map_or(0, |entry| entry.open_reversed);
        return Ok(Event { amount: invoiced(machine, was, settled.difference, reversed)?, ..*was });
    }
    if event.kind == Kind::CostAdjustment {
        if !has_amount(was) {
            // Its cost comes from elsewhere: what comes late stands beside it.
            return Ok(*was);
        }
        let lowest = was.amount.min(0);
        return Ok(Event { amount: bounded(was.amount + event.amount)?.max(lowest), ..*was });
    }
    let qty = if event.qty == ABSENT { was.qty } else { event.qty };
    // What came late beside the price of the movement stays, whatever the price should have been.
    let amount = match (event.amount, was.amount) {
        (ABSENT, ABSENT) => ABSENT,
        (ABSENT, _) if was.unit_cost != ABSENT => bounded(machine.price(qty, was.unit_cost)? + added)?,
        (ABSENT, amount) => {
            let own = mul_div(amount - added, qty, was.qty, machine.context.rounding).ok_or(OVERFLOW)?;
            bounded(bounded(own)? + added)?
        }
        (amount, _) => bounded(amount + added)?,
    };
    // An amount is one for the whole quantity, whatever a unit had cost.
    let unit_cost = if event.amount == ABSENT { was.unit_cost } else { ABSENT };
    Ok(Event { qty, amount, unit_cost, ..*was })
}

/// What a receipt cost by an invoice for what was not reversed of it: the reversal takes its share of that, so that the whole difference is
/// left on the rest.
fn invoiced(machine: &Machine<'_>, was: &Event, difference: i64, reversed: i64) -> Result<i64, Fault> {
    let rounding = machine.context.rounding;
    let kept = |amount: i64| unreversed(machine, was, reversed, amount);
    let cost = kept(was.amount);
    let wanted = bounded(cost + difference)?.max(cost.min(0));
    let amount = mul_div(wanted, was.qty, was.qty - reversed, rounding).ok_or(OVERFLOW)?;
    // Rounding the share may be off by one.
    let near = [amount, amount - 1, amount + 1].into_iter().find(|amount| kept(*amount) == wanted);
    bounded(near.unwrap_or(amount))
}

/// What an amount of a receipt leaves to the goods that were not reversed before their invoice.
fn unreversed(machine: &Machine<'_>, was: &Event, reversed: i64, amount: i64) -> i64 {
    amount - share(amount, reversed, was.qty, machine.context.rounding)
}

/// What the books are to know of the movement that the late event concerns, and of others that are otherwise now.
fn carried(machine: &Machine<'_>, replay: &Replay<'_>, undo: &Undo, lay: &Lay<'_>) -> Vec<Trace> {
    let touched = replay.touched(undo).into_iter();
    let traces = touched.map(|event| carry_open(machine, replay.machine.trace(event), lay));
    traces
        .filter(|trace| trace.event == lay.event.reference || machine.trace(trace.event) != *trace)
        .collect()
}

/// What is open of provisional receipts stays as it was: neither the difference of an invoice nor a landed cost is part of an estimate.
/// An amended estimate is a new one, unless it is invoiced in part already.
fn carry_open(machine: &Machine<'_>, mut trace: Trace, lay: &Lay<'_>) -> Trace {
    let Some(old) = machine.entries.get(trace.event as usize).filter(|old| old.accepted) else {
        return trace;
    };
    let is_target = trace.event == lay.event.reference;
    let amended =
        is_target && lay.event.kind == Kind::Amendment && old.open_qty + old.open_reversed == lay.was.qty;
    let new = &mut trace.entry;
    if !new.accepted {
        *new = *old;
    } else if !amended && (old.open_qty != new.open_qty || !has_borders(machine.rules, old.key)) {
        (new.open_qty, new.open_amount) = (old.open_qty, old.open_amount);
        new.open_reversed = old.open_reversed;
    }
    if let Some(settled) = lay.settled.filter(|_| is_target) {
        new.settle(settled.qty, settled.estimate);
    }
    trace
}

/// Whether estimates of a key are taken back and made again at month borders, so that calculating again finds what is open.
fn has_borders(rules: &[KeyRules], key: u32) -> bool {
    rules.get(key as usize).is_some_and(|key| key.rules.provisional == Provisional::MonthStartReversal)
}

/// A line that a late movement causes: what it corrects and why, where it is not the movement's own.
type Difference = (Option<(u32, Reason)>, Posted);

/// The late movement's own line and one correction for each other movement whose cost is different now, if all of them fit.
fn differences(
    machine: &mut Machine<'_>,
    anew: &Machine<'_>,
    traces: &[Trace],
    lay: &Lay<'_>,
) -> Result<Vec<Difference>, Fault> {
    let (event, settled) = (lay.event, lay.settled);
    let reason = match event.kind {
        Kind::Amendment => Reason::Amended,
        Kind::Settlement => Reason::Settled,
        _ => Reason::LateCost,
    };
    let mut lines = Vec::new();
    for Trace { event: adjusts, entry: new, .. } in traces {
        let Some(old) = machine.entries.get(*adjusts as usize) else { continue };
        let posted = Posted {
            key: old.key,
            quantity: new.qty - old.qty,
            value: new.value - old.value,
            variance: new.variance - old.variance,
        };
        let is_same = posted.value == 0 && posted.variance == 0 && posted.quantity == 0;
        if *adjusts == event.reference {
            let variance = bounded(posted.variance + lay.variance)?;
            lines.insert(0, (None, Posted { variance, ..posted }));
        } else if !is_same {
            lines.push((Some((*adjusts, reason)), posted));
        }
    }
    let switched = switch_differences(machine, anew);
    lines.extend(switched.map(|(cause, posted)| (Some((cause, reason)), posted)));
    if let (Some(settled), Some((_, own))) = (settled, lines.first_mut()) {
        let way = machine.rule(own.key)?.rules.provisional;
        *own = machine.as_reversal(way, event.reference, settled, *own)?;
        if let Some((adjusts, reason, before)) = machine.before.take() {
            lines.insert(0, (Some((adjusts, reason)), before));
        }
    }
    check_fits(machine, &lines)?;
    Ok(lines)
}

/// Whether all lines, and the stock after each of them, stay within 18 digits.
fn check_fits(machine: &Machine<'_>, lines: &[Difference]) -> Result<(), Fault> {
    let mut totals: HashMap<u32, (i64, i64)> = HashMap::new();
    for (_, posted) in lines {
        let stock = machine.keys.get(posted.key as usize).ok_or(OVERFLOW)?;
        let total = totals.entry(posted.key).or_insert((stock.qty, stock.value));
        let quantity = bounded(total.0 + bounded(posted.quantity)?)?;
        *total = (quantity, bounded(total.1 + bounded(posted.value)?)?);
        bounded(posted.variance)?;
    }
    Ok(())
}

/// Posts lines, each with the stock after it.
fn post_differences<S: Sink>(
    machine: &mut Machine<'_>,
    index: u32,
    at: i64,
    lines: &[Difference],
    sink: &mut S,
) {
    for (corrects, posted) in lines.iter().copied() {
        if let Some(stock) = machine.keys.get_mut(posted.key as usize) {
            stock.qty += posted.quantity;
            stock.value += posted.value;
        }
        let (line, key) = (machine.line(posted), posted.key);
        match corrects {
            None => sink.movement(index, key, line),
            Some((adjusts, reason)) => {
                sink.correction(Correction { cause: index, adjusts, reason, key, at, line });
            }
        }
    }
}
