//! What comes late under replay: the history before it is valued again with the receipt as it should have been.

use std::collections::BTreeMap;

use comptoir_costing::movement::{Kind, Reason};
use comptoir_types::Rounding;

use super::invoices::Settled;
use super::rounding::share;
use super::{Done, Event, Lines, Oracle, Posted};

/// Values everything before `place` again with the receipt as it should have been.
pub(super) fn replay(
    machine: &mut Oracle<'_>,
    events: &mut [Event],
    skip: &[bool],
    place: usize,
) -> Result<Lines, &'static str> {
    let event = events[place].clone();
    let target = event.reference.unwrap();
    let Some(old) = machine.done[target].clone() else {
        return Err("COSTING_REFERENCE_REJECTED");
    };
    let settled = if event.kind == Kind::Settlement { Some(machine.settled(&event)?) } else { None };
    let was = events[target].clone();
    let mut costs = (machine.late.clone(), machine.added.clone());
    let rest = lay(&mut events[target], &event, &mut costs, (settled, &old), machine.policy.rounding);
    let Some(mut again) = valued_again(machine, events, skip, place, costs.0) else {
        events[target] = was;
        return Err("COSTING_REPLAY_FAILED");
    };
    again.added = costs.1;
    let (mut own, others) = differences(machine, &again, target, place);
    own.variance += rest;
    if let Some(settled) = settled {
        again.note_settled(place, settled);
        own = again.shown(settled, own);
    }
    let mut lines = again.with_estimate(place, own);
    let reason = Some(match event.kind {
        Kind::Settlement => Reason::Settled,
        Kind::Amendment => Reason::Amended,
        _ => Reason::LateCost,
    });
    lines.extend(others.into_iter().map(|(earlier, posted)| (earlier, reason, posted)));
    for earlier in (0..place).filter(|earlier| skip[*earlier]) {
        again.done[earlier].clone_from(&machine.done[earlier]);
    }
    again.done[place] = Some(Done { key: old.key, ..Done::default() });
    *machine = again;
    Ok(lines)
}

/// Costs that came late: beside what a movement takes from elsewhere, and beside an amount of its own.
type Costs = (BTreeMap<usize, i128>, BTreeMap<usize, i128>);

/// Puts what comes late in its place, and gives what the movement there cannot bear of it.
fn lay(
    target: &mut Event,
    event: &Event,
    (late, added): &mut Costs,
    (settled, old): (Option<Settled>, &Done),
    rounding: Rounding,
) -> i128 {
    let place = event.reference.unwrap();
    if event.kind == Kind::Amendment {
        *target = amended(target, event, added.get(&place).copied(), rounding);
        return 0;
    }
    let Some(amount) = target.amount else {
        *late.entry(place).or_default() += event.amount.unwrap();
        return 0;
    };
    // An invoice is for what was not reversed, and its whole difference belongs to that.
    let invoice = settled.map(|settled| (settled.difference, old.open.reversed));
    let (cost, reversed) = invoice.unwrap_or((event.amount.unwrap(), 0));
    let (now, rest) = laid(amount, cost, (reversed, target.quantity()), rounding);
    target.amount = Some(now);
    if settled.is_none() {
        *added.entry(place).or_default() += cost - rest;
    }
    rest
}

/// A movement with the quantity, the amount or both of its amendment. What came late beside its amount stays on top of it.
fn amended(was: &Event, amendment: &Event, added: Option<i128>, rounding: Rounding) -> Event {
    let (qty, added) = (amendment.qty.unwrap_or(was.quantity()), added.unwrap_or(0));
    let scaled = || match was.unit_cost {
        Some((cost, of)) => Some(share(cost, qty, of, rounding)),
        None => was.amount.map(|amount| share(amount - added, qty, was.quantity(), rounding)),
    };
    Event {
        qty: Some(qty),
        amount: amendment.amount.or_else(scaled).map(|amount| amount + added),
        // An amount is one for the whole quantity.
        unit_cost: was.unit_cost.filter(|_| amendment.amount.is_none()),
        ..was.clone()
    }
}

/// The amount of a receipt with what came late for what was not reversed of it, and the rest which it cannot bear: nothing costs less
/// than nothing.
fn laid(was: i128, late: i128, (reversed, qty): (i128, i128), rounding: Rounding) -> (i128, i128) {
    let kept = |amount: i128| amount - share(amount, reversed, qty, rounding);
    let wanted = (kept(was) + late).max(kept(was).min(0));
    let rest = kept(was) + late - wanted;
    // The reversal takes its share of the new amount: that whose other share is what is wanted.
    let near = share(wanted, qty, qty - reversed, rounding);
    let found = [near, near - 1, near + 1].into_iter().find(|amount| kept(*amount) == wanted);
    (found.unwrap_or(near), rest)
}

/// The books before `place` by the events as they are now, or none where a movement cannot stand. Invoices have their place too, but their
/// differences are part of the receipts already.
fn valued_again<'a>(
    machine: &Oracle<'a>,
    events: &[Event],
    skip: &[bool],
    place: usize,
    late: BTreeMap<usize, i128>,
) -> Option<Oracle<'a>> {
    let mut again = Oracle::new(machine.policy, machine.amounts.clone());
    again.late = late;
    for earlier in 0..place {
        if !skip[earlier] {
            again.step(earlier, &events[earlier]).ok()?;
        } else if let Some(settled) = machine.settled.get(&earlier) {
            again.note_settled(earlier, *settled);
        }
    }
    Some(again)
}

/// What is different now: of the receipt, and of other movements.
fn differences(
    machine: &Oracle<'_>,
    again: &Oracle<'_>,
    target: usize,
    place: usize,
) -> (Posted, Vec<(usize, Posted)>) {
    let difference = |earlier: usize| {
        let (old, new) = (machine.done[earlier].as_ref()?, again.done[earlier].as_ref()?);
        let posted = Posted {
            qty: new.qty - old.qty,
            value: new.value - old.value,
            variance: new.variance - old.variance,
        };
        let is_same = (posted.qty, posted.value, posted.variance) == (0, 0, 0);
        (earlier == target || !is_same).then_some((earlier, posted))
    };
    let others = (0..place).filter(|earlier| *earlier != target).filter_map(difference).collect();
    (difference(target).unwrap().1, others)
}
