//! What comes late under replay: the history before it is valued again with the receipt as it should have been.

use comptoir_costing::movement::{Kind, Reason};
use comptoir_types::Rounding;

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
    let is_invoice = event.kind == Kind::Settlement;
    let settled = if is_invoice { Some(machine.settled(&event)?) } else { None };
    let late = settled.map_or(event.amount.unwrap(), |settled| settled.difference);
    // An invoice is for what was not reversed, and its whole difference belongs to that.
    let reversed = if is_invoice { old.open.reversed } else { 0 };
    let was = events[target].amount;
    let mut all_late = machine.late.clone();
    let rest = match was {
        Some(was) => {
            let (now, rest) = laid(was, late, (reversed, old.qty), machine.policy.rounding);
            events[target].amount = Some(now);
            rest
        }
        None => {
            *all_late.entry(target).or_default() += late;
            0
        }
    };
    let Some(mut again) = valued_again(machine, events, skip, place, all_late) else {
        events[target].amount = was;
        return Err("COSTING_REPLAY_FAILED");
    };
    let (mut own, others) = differences(machine, &again, target, place);
    own.variance += rest;
    if let Some(settled) = settled {
        again.note_settled(place, settled);
        own = again.shown(settled, own);
    }
    let mut lines = again.with_estimate(place, own);
    let reason = Some(if is_invoice { Reason::Settled } else { Reason::LateCost });
    lines.extend(others.into_iter().map(|(earlier, posted)| (earlier, reason, posted)));
    for earlier in (0..place).filter(|earlier| skip[*earlier]) {
        again.done[earlier].clone_from(&machine.done[earlier]);
    }
    again.done[place] = Some(Done { key: old.key, ..Done::default() });
    *machine = again;
    Ok(lines)
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
    late: std::collections::BTreeMap<usize, i128>,
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
