//! Late information under the policies `replay` and `keep_place`: what follows the movement concerned is calculated again, and
//! each difference becomes a correction posting at the time of the late movement.

use comptoir_types::decimal::mul_div;
use hashbrown::HashMap;

use super::history::History;
use super::machine::{Machine, Posted};
use super::references::check_whole;
use super::run::Spoilt;
use super::settle::Settled;
use super::{
    ABSENT, Auto, Context, Correction, Discard, Entry, Event, KeyRules, OVERFLOW, Sink, bounded, run, share,
};
use crate::movement::{Kind, Reason};
use crate::policy::{Amendment, LateCost, Method, Provisional, Rules};
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

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

/// Values a component that has late events. Each costs one pass over what came before it.
pub(crate) fn run_with_replay<'a, S: Sink>(
    context: &'a Context,
    rules: &'a [KeyRules],
    referenced: &'a [bool],
    events: &[Event],
    sink: &mut S,
) -> Result<Machine<'a>, Spoilt> {
    let mut history =
        History { now: events.to_vec(), left_out: vec![false; events.len()], added: vec![0; events.len()] };
    let mut machine = Machine::new(context, rules, referenced, events);
    for (place, event) in events.iter().enumerate() {
        let Ok(index) = u32::try_from(place) else { break };
        let is_late_here =
            |event: &Event| rules.get(event.key as usize).is_some_and(|key| is_late(event, &key.rules));
        let undone = events.get(event.reference as usize).filter(|other| {
            !run::is_silenced(event)
                && event.kind == Kind::Reversal
                && other.kind == Kind::CostAdjustment
                && is_late_here(other)
        });
        let late = is_late_here(event) || undone.is_some();
        let outcome = match undone {
            Some(other) => undo(&mut machine, &mut history, index, (event, other), sink),
            None if late => replay(&mut machine, &mut history, index, (event, 0), sink),
            None => {
                let event = history.resolve(&machine, place, event);
                run::step(&mut machine, index, &event, sink)
            }
        };
        if let Some(index) = machine.spoilt {
            return Err(Spoilt(index));
        }
        if (outcome.is_err() || late)
            && let Some(flag) = history.left_out.get_mut(place)
        {
            *flag = true;
        }
        if let (Err(fault), true) = (outcome, late) {
            sink.reject(index, fault);
        }
    }
    Ok(machine)
}

/// Takes back a cost that was replayed: its opposite is replayed in its turn.
fn undo<'a, S: Sink>(
    machine: &mut Machine<'a>,
    history: &mut History,
    index: u32,
    (event, adjustment): (&Event, &Event),
    sink: &mut S,
) -> Result<(), Fault> {
    let entry = machine.referred(index, event)?;
    check_whole(event, &entry)?;
    // What was variance alone is taken back as variance.
    let amount = entry.variance - adjustment.amount;
    let opposite = Event { amount, at: event.at, row: event.row, group: event.group, ..*adjustment };
    replay(machine, history, index, (&opposite, -entry.variance), sink)?;
    if let Some(entry) = machine.entries.get_mut(event.reference as usize) {
        entry.taken_qty = 1;
    }
    Ok(())
}

/// Lays the late event over the one that it concerns, calculates again, and posts the differences. `variance` comes on top of its line.
fn replay<'a, S: Sink>(
    machine: &mut Machine<'a>,
    history: &mut History,
    index: u32,
    (event, variance): (&Event, i64),
    sink: &mut S,
) -> Result<(), Fault> {
    let entry = machine.referred(index, event)?;
    let was = *history.now.get(event.reference as usize).ok_or(OVERFLOW)?;
    let settles = event.kind == Kind::Settlement;
    let settled = settles.then(|| machine.settled_part(&entry, event)).transpose()?;
    let corrected = corrected(machine, event, &was, settled, history.added_to(event.reference))?;
    let is_cost = event.kind == Kind::CostAdjustment;
    let difference = difference_of(event, &was, &corrected);
    let added = if is_cost { difference } else { 0 };
    // What a receipt cannot bear, since nothing costs less than nothing.
    let rest = if is_cost { bounded(event.amount - added)? } else { 0 };
    let replaced = history.lay(index, event, corrected, difference)?;
    history.add(event.reference, added);
    let redone = again(machine, history, index).and_then(|mut redone| {
        carry_open(machine, &mut redone, event, &was, settled);
        let lines = differences(machine, &redone, index, event, settled, bounded(rest + variance)?)?;
        Ok((redone, lines))
    });
    match redone {
        Ok((mut redone, lines)) => {
            if let Some(slot) = redone.entries.get_mut(index as usize) {
                *slot = Entry { accepted: true, key: entry.key, variance: rest, ..Entry::BLANK };
            }
            post_differences(machine, index, event.at, &lines, sink);
            *machine = redone;
            Ok(())
        }
        Err(fault) => {
            history.restore(replaced);
            history.add(event.reference, -added);
            Err(fault)
        }
    }
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
    Ok(Event { qty, amount, ..*was })
}

/// What a receipt cost by an invoice for what was not reversed of it: the reversal takes its share of that, so that the whole difference is
/// left on the rest.
fn invoiced(machine: &Machine<'_>, was: &Event, difference: i64, reversed: i64) -> Result<i64, Fault> {
    let rounding = machine.context.rounding;
    let kept = |amount: i64| amount - share(amount, reversed, was.qty, rounding);
    let wanted = bounded(kept(was.amount) + difference)?;
    let amount = mul_div(wanted, was.qty, was.qty - reversed, rounding).ok_or(OVERFLOW)?;
    // Rounding the share may be off by one.
    let near = [amount, amount - 1, amount + 1].into_iter().find(|amount| kept(*amount) == wanted);
    bounded(near.unwrap_or(amount))
}

/// Calculates everything before `index` again; fails if a movement that stood before no longer can.
fn again<'a>(machine: &Machine<'a>, history: &History, index: u32) -> Result<Machine<'a>, Fault> {
    let mut redone = Machine::new(machine.context, machine.rules, machine.referenced, &history.now);
    redone.late = history.late();
    for ((place, event), skip) in history.now.iter().enumerate().take(index as usize).zip(&history.left_out) {
        let (Ok(place), false) = (u32::try_from(place), *skip) else {
            continue;
        };
        run::step(&mut redone, place, event, &mut Discard).map_err(|fault| match fault.code {
            RejectCode::Overflow => fault,
            _ => Fault::new(RejectCode::ReplayFailed),
        })?;
    }
    Ok(redone)
}

/// What is open of provisional receipts stays as it was: neither the difference of an invoice nor a landed cost is part of an
/// estimate. An amended estimate is a new one, unless it is invoiced in part already.
fn carry_open(
    machine: &Machine<'_>,
    redone: &mut Machine<'_>,
    event: &Event,
    was: &Event,
    settled: Option<Settled>,
) {
    let target = event.reference as usize;
    for (place, (new, old)) in redone.entries.iter_mut().zip(&machine.entries).enumerate() {
        let amended =
            place == target && event.kind == Kind::Amendment && old.open_qty + old.open_reversed == was.qty;
        if old.accepted && !amended && (old.open_qty != new.open_qty || !has_borders(machine.rules, old.key))
        {
            (new.open_qty, new.open_amount) = (old.open_qty, old.open_amount);
            new.open_reversed = old.open_reversed;
        }
        if !new.accepted && old.accepted {
            *new = *old;
        }
    }
    if let Some(settled) = settled {
        redone.note_settled(event.reference, settled);
    }
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
    redone: &Machine<'_>,
    index: u32,
    event: &Event,
    settled: Option<Settled>,
    variance: i64,
) -> Result<Vec<Difference>, Fault> {
    let reason = match event.kind {
        Kind::Amendment => Reason::Amended,
        Kind::Settlement => Reason::Settled,
        _ => Reason::LateCost,
    };
    let mut lines = Vec::new();
    for (adjusts, (old, new)) in (0..index).zip(machine.entries.iter().zip(&redone.entries)) {
        let posted = Posted {
            key: old.key,
            quantity: new.qty - old.qty,
            value: new.value - old.value,
            variance: new.variance - old.variance,
        };
        let is_same = posted.value == 0 && posted.variance == 0 && posted.quantity == 0;
        if adjusts == event.reference {
            let variance = bounded(posted.variance + variance)?;
            lines.insert(0, (None, Posted { variance, ..posted }));
        } else if !is_same {
            lines.push((Some((adjusts, reason)), posted));
        }
    }
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
