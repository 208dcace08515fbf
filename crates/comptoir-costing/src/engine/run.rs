//! Running a component: which way fits its events, and groups that stand or fall together.

use hashbrown::{HashMap, HashSet};

use super::machine::Machine;
use super::periodic::Known;
use super::{Auto, Context, Correction, Event, KeyRules, Line, OVERFLOW, Sink, Stock, late, mixed, periodic};
use crate::policy::Method;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The engine has not come to it, or made it itself.
    Open,
    /// Posted to this key.
    Posted(u32, Line),
    /// Rejected.
    Rejected(Fault),
}

/// The books of one component: an outcome for each event, and the corrections in the order in which they were posted.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub outcomes: Vec<Outcome>,
    pub corrections: Vec<Correction>,
}

/// Rejected groups, each with the event that failed and why.
pub(crate) type Banned = HashMap<u32, (usize, Fault)>;

impl Book {
    fn clear(&mut self, events: usize) {
        self.outcomes.clear();
        self.outcomes.resize(events, Outcome::Open);
        self.corrections.clear();
    }
}

impl Sink for Book {
    fn movement(&mut self, event: u32, key: u32, line: Line) {
        if let Some(outcome) = self.outcomes.get_mut(event as usize) {
            *outcome = Outcome::Posted(key, line);
        }
    }

    fn correction(&mut self, correction: Correction) {
        self.corrections.push(correction);
    }

    fn reject(&mut self, event: u32, fault: Fault) {
        if let Some(outcome) = self.outcomes.get_mut(event as usize) {
            *outcome = Outcome::Rejected(fault);
        }
    }
}

/// Values a component and gives the stock of its keys at the end.
///
/// `events` stand in book order; `linked` says whether any of them refers to another or to a production group, so that a plain
/// history pays nothing for it.
pub(crate) fn run_component(
    context: &Context,
    rules: &[KeyRules],
    events: &[Event],
    linked: bool,
    book: &mut Book,
) -> Vec<Stock> {
    let referenced = if linked { referenced(events) } else { Vec::new() };
    let members = if linked { groups(events) } else { HashMap::new() };
    let mut banned: Banned = HashMap::new();
    let mut refused: HashSet<u32> = HashSet::new();
    loop {
        book.clear(events.len());
        let keys = match run_once(context, rules, &referenced, events, (&banned, &refused), book) {
            Ok(keys) => keys,
            Err(Spoilt(index)) => {
                refuse_next(&mut refused, index, events.len());
                continue;
            }
        };
        if !refused.is_empty() {
            reject_refused(&refused, events, book);
        }
        let Some((group, cause)) = first_broken_group(events, &members, &banned, book) else {
            ban_outcomes(events, &banned, book);
            return keys;
        };
        banned.insert(group, cause);
        // Without the group's movements other sums may fit.
        refused.clear();
    }
}

/// An event that spoilt the state before it showed that its numbers do not fit: the component is valued again without it.
pub(crate) struct Spoilt(pub u32);

/// Refuses the event, or, if that was refused already and the numbers of the others still do not fit, the next one that was not: so the
/// component gets smaller each time.
fn refuse_next(refused: &mut HashSet<u32>, index: u32, events: usize) {
    let count = u32::try_from(events).unwrap_or(NONE);
    if let Some(next) = (index..count).chain(0..index).find(|next| !refused.contains(next)) {
        refused.insert(next);
    }
}

fn reject_refused(refused: &HashSet<u32>, events: &[Event], book: &mut Book) {
    for (index, event) in (0u32..).zip(events) {
        if event.auto == Auto::No && refused.contains(&index) {
            book.reject(index, OVERFLOW);
        }
    }
}

fn run_once(
    context: &Context,
    rules: &[KeyRules],
    referenced: &[bool],
    events: &[Event],
    (banned, refused): (&Banned, &HashSet<u32>),
    book: &mut Book,
) -> Result<Vec<Stock>, Spoilt> {
    let monthly = |key: &KeyRules| key.rules.method == Method::PeriodicAverage;
    match rules.iter().filter(|key| monthly(key)).count() {
        0 => run_perpetual(context, rules, referenced, events, (banned, refused), book),
        all if all == rules.len() => {
            periodic::run_periodic(context, rules, events, &Known::default(), (banned, refused), book)
        }
        _ => mixed::run_mixed(context, rules, referenced, events, (banned, refused), book),
    }
}

/// Values the events of the methods that know the cost of a movement when it happens.
pub(super) fn run_perpetual(
    context: &Context,
    rules: &[KeyRules],
    referenced: &[bool],
    events: &[Event],
    (banned, refused): (&Banned, &HashSet<u32>),
    book: &mut Book,
) -> Result<Vec<Stock>, Spoilt> {
    let kept: Vec<Event>;
    let events = if banned.is_empty() && refused.is_empty() {
        events
    } else {
        // A banned event keeps its place, so that references stay right, and does nothing.
        let is_gone =
            |index: u32, event: &Event| banned.contains_key(&event.group) || refused.contains(&index);
        let keep =
            |(index, event): (u32, &Event)| if is_gone(index, event) { silenced(event) } else { *event };
        kept = (0u32..).zip(events).map(keep).collect();
        &kept
    };
    let has_late = !referenced.is_empty()
        && events
            .iter()
            .any(|event| rules.get(event.key as usize).is_some_and(|key| late::is_late(event, &key.rules)));
    if has_late {
        let mut machine = late::run_with_replay(context, rules, referenced, events, book)?;
        finish(&mut machine, events, book);
        return Ok(machine.keys);
    }
    let mut machine = Machine::new(context, rules, referenced, events);
    for (index, event) in (0u32..).zip(events) {
        // A rejection is noted in the book; the next event goes on from an unchanged state.
        let _rejected = step(&mut machine, index, event, book);
        if let Some(index) = machine.spoilt {
            return Err(Spoilt(index));
        }
    }
    finish(&mut machine, events, book);
    Ok(machine.keys)
}

/// Changes the method of keys that have no movement after the change.
fn finish(machine: &mut Machine<'_>, events: &[Event], sink: &mut impl Sink) {
    let until = machine.context.until;
    let due =
        |(key, rules): (u32, &KeyRules)| rules.switch_at.is_some_and(|from| from <= until).then_some(key);
    let keys: Vec<u32> = (0u32..).zip(machine.rules).filter_map(due).collect();
    for key in keys {
        let last = (0u32..).zip(events).filter(|(_, event)| event.key == key).last();
        if let Some((cause, _)) = last {
            // A key without a standard cost keeps its value and has nothing to post.
            let _without_standard = machine.switch_method(key, until, sink, cause);
        }
    }
}

/// One event, with the change of method of its key before it where one is due.
pub(crate) fn step(
    machine: &mut Machine<'_>,
    index: u32,
    event: &Event,
    sink: &mut impl Sink,
) -> Result<(), Fault> {
    if is_silenced(event) {
        machine.pass_by(index, event);
        return Ok(());
    }
    switch_before(machine, index, event, sink).inspect_err(|fault| {
        if event.auto == Auto::No {
            sink.reject(index, *fault);
        }
    })?;
    machine.apply(index, event, sink)
}

/// The change of method of the event's key, where one is due.
pub(super) fn switch_before(
    machine: &mut Machine<'_>,
    index: u32,
    event: &Event,
    sink: &mut impl Sink,
) -> Result<(), Fault> {
    let is_due = machine.rules.get(event.key as usize).is_some_and(|key| key.switch_at.is_some());
    if is_due { machine.switch_method(event.key, event.at, sink, index) } else { Ok(()) }
}

/// An event of a rejected group, or of an item that another method values: it belongs to no key here.
pub(super) fn silenced(event: &Event) -> Event {
    Event { key: NONE, ..*event }
}

pub(super) fn is_silenced(event: &Event) -> bool {
    event.key == NONE
}

/// Which events others refer to.
fn referenced(events: &[Event]) -> Vec<bool> {
    let mut flags = vec![false; events.len()];
    for event in events {
        if let Some(flag) = flags.get_mut(event.reference as usize) {
            *flag = true;
        }
    }
    flags
}

/// Number of events by group.
fn groups(events: &[Event]) -> HashMap<u32, u32> {
    let mut members = HashMap::new();
    for event in events.iter().filter(|event| event.group != NONE && event.auto == Auto::No) {
        *members.entry(event.group).or_default() += 1;
    }
    members
}

/// The first group, in book order, of which a member was rejected while others may stand, with that member and its fault.
fn first_broken_group(
    events: &[Event],
    members: &HashMap<u32, u32>,
    banned: &Banned,
    book: &Book,
) -> Option<(u32, (usize, Fault))> {
    if members.is_empty() {
        return None;
    }
    let rejected =
        events.iter().zip(&book.outcomes).enumerate().filter_map(|(place, (event, outcome))| match outcome {
            Outcome::Rejected(fault) => Some((event.group, (place, *fault))),
            _ => None,
        });
    let mut broken = rejected.filter(|(group, _)| *group != NONE && !banned.contains_key(group));
    broken.find(|(group, _)| members.get(group).is_some_and(|count| *count > 1))
}

/// Gives the members of rejected groups their rejection; the one that failed keeps its own reason.
fn ban_outcomes(events: &[Event], banned: &Banned, book: &mut Book) {
    if banned.is_empty() {
        return;
    }
    for (place, (event, outcome)) in events.iter().zip(&mut book.outcomes).enumerate() {
        if let Some((cause, fault)) = banned.get(&event.group) {
            let own = *cause == place;
            *outcome = Outcome::Rejected(if own { *fault } else { Fault::new(RejectCode::GroupRejected) });
        }
    }
}
