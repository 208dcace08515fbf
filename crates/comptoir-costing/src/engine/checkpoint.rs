//! States of the machine that are kept along a history, from which it goes on again.

use hashbrown::HashMap;

use super::machine::{Machine, Replaced};
use super::production::{Production, TakenOver};
use super::{Entry, Layer, Stock};

/// What the machine knows of one event that it has come to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trace {
    pub event: u32,
    pub entry: Entry,
    parts: Option<Vec<Layer>>,
    arrived: Option<Vec<Layer>>,
    taken_over: Option<TakenOver>,
    replaced: Option<Replaced>,
}

impl Trace {
    /// An event that the machine has not come to.
    pub const fn blank(event: u32) -> Self {
        Self { event, entry: Entry::BLANK, parts: None, arrived: None, taken_over: None, replaced: None }
    }
}

/// The state before the event at `place`.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    pub place: u32,
    pub keys: Vec<Stock>,
    pub production: HashMap<u32, Production>,
    /// Earlier events that this one or a later one may read or change, in ascending order.
    pub open: Vec<Trace>,
}

impl Checkpoint {
    /// The state of the machine before the event at `place`, with the traces of `open`.
    pub fn of(machine: &Machine<'_>, place: u32, open: &[u32]) -> Self {
        Self {
            place,
            keys: machine.keys.clone(),
            production: machine.production.clone(),
            open: open.iter().map(|event| machine.trace(*event)).collect(),
        }
    }

    /// Whether the machine stands in this state, so that all that follows goes the same way.
    pub fn is_reached(&self, machine: &Machine<'_>) -> bool {
        self.keys == machine.keys
            && self.production == machine.production
            && self.open.iter().all(|trace| machine.trace(trace.event) == *trace)
    }

    /// Whether an event is among those that later ones may read or change.
    pub fn is_open(&self, event: u32) -> bool {
        self.open.binary_search_by_key(&event, |trace| trace.event).is_ok()
    }

    /// Number of things that it holds.
    pub fn size(&self) -> usize {
        let held = |parts: &Option<Vec<Layer>>| parts.as_ref().map_or(0, Vec::len);
        let parts = |trace: &Trace| 1 + held(&trace.parts) + held(&trace.arrived);
        self.keys.iter().map(Stock::size).sum::<usize>()
            + self.production.len()
            + self.open.iter().map(parts).sum::<usize>()
    }
}

impl Machine<'_> {
    pub(super) fn trace(&self, event: u32) -> Trace {
        Trace {
            event,
            entry: self.entries.get(event as usize).copied().unwrap_or(Entry::BLANK),
            parts: self.parts.get(&event).cloned(),
            arrived: self.arrived.get(&event).cloned(),
            taken_over: self.taken_over.get(&event).copied(),
            replaced: self.replaced.get(&event).copied(),
        }
    }

    /// Knows of an event what its trace says, and nothing else.
    pub(super) fn restore(&mut self, trace: &Trace) {
        if let Some(entry) = self.entries.get_mut(trace.event as usize) {
            *entry = trace.entry;
        }
        set(&mut self.parts, trace.event, trace.parts.as_ref());
        set(&mut self.arrived, trace.event, trace.arrived.as_ref());
        set(&mut self.taken_over, trace.event, trace.taken_over.as_ref());
        set(&mut self.replaced, trace.event, trace.replaced.as_ref());
    }
}

fn set<T: Clone>(map: &mut HashMap<u32, T>, event: u32, value: Option<&T>) {
    match value {
        Some(value) => {
            map.insert(event, value.clone());
        }
        None if map.is_empty() => {}
        None => {
            map.remove(&event);
        }
    }
}
