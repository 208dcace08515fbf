//! Calculating a history again after a movement of the past was corrected.
//!
//! A second machine goes over the history as it should have been, without late events. It keeps its state every so many movements: a
//! correction is calculated from the last state before it, and no further than to where a state is as it was before. States are kept so
//! far apart that all of them together hold a few times as much as the history.

use super::checkpoint::{Checkpoint, Trace};
use super::history::{History, Laid};
use super::machine::Machine;
use super::production::unpriced;
use super::switched::DueSwitch;
use super::{Discard, Event, run};
use crate::reject::{Fault, RejectCode};

/// Movements between two states that are kept, at least.
const SHORTEST: usize = 64;
/// Things that a kept state may hold for each movement since the one before.
const DENSITY: usize = 4;

/// The history as far as it was calculated again, with the states on the way.
pub(super) struct Replay<'a> {
    pub machine: Machine<'a>,
    /// The next event.
    pub place: u32,
    /// At least one, in ascending order.
    checkpoints: Vec<Checkpoint>,
    /// The last event that reads or changes each one, over any number of references; 0 where none does.
    last_use: Vec<u32>,
    /// Events of which the books may know something else than the machine.
    stale: Vec<u32>,
    /// Memory for the traces of the next correction.
    spare: Vec<Trace>,
}

/// What a correction replaced, so that it can be taken back.
pub(super) struct Undo {
    tip: Checkpoint,
    /// What the machine knew of the events that were calculated again; of two traces of one event the first counts.
    saved: Vec<Trace>,
    /// Number of kept states before the correction.
    kept: usize,
    /// States that stood behind those, and how many stand for them now.
    replaced: Vec<Checkpoint>,
    anew: usize,
    /// Number of kept states up to the tip.
    known: usize,
}

impl<'a> Replay<'a> {
    /// Stands before the first event. `is_late` names the events that are no part of the history as it should have been.
    pub fn new(machine: Machine<'a>, events: &[Event], is_late: &[bool]) -> Self {
        let checkpoints = vec![Checkpoint::of(&machine, 0, &[])];
        Self {
            machine,
            place: 0,
            checkpoints,
            last_use: last_use(events, is_late),
            stale: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Takes over what the books know of a reversal that they have come to: what it took without an invoice.
    pub fn know_uninvoiced(&mut self, books: &Machine<'a>, index: u32) {
        if let Some(qty) = books.uninvoiced.get(&index) {
            self.machine.uninvoiced.insert(index, *qty);
        }
    }

    /// Goes on to `until`, or as far as it gets: what cannot stand any more may do so after the correction to come.
    pub fn advance(&mut self, history: &History, until: u32) {
        if self.place >= until {
            return;
        }
        self.stale.extend(self.open_events());
        self.stale.extend(self.place..until);
        if self.step_to(history, until, None, true).is_err() {
            self.go_back_to_last();
            self.stale.sort_unstable();
            self.stale.dedup();
        }
    }

    /// Calculates a correction and everything up to `until` again; fails, with all as it was, if a movement no longer can stand.
    pub fn correct(
        &mut self,
        history: &History,
        laid: &Laid,
        until: u32,
        switched: &[DueSwitch],
    ) -> Result<Undo, Fault> {
        let tip = self.checkpoint();
        let kept = self.checkpoints.len();
        let mut undo = Undo {
            tip,
            saved: std::mem::take(&mut self.spare),
            kept,
            replaced: Vec::new(),
            anew: 0,
            known: kept,
        };
        let walked = self.walk(history, laid, until, &mut undo).and_then(|()| self.switch(switched));
        match walked {
            Ok(()) => Ok(undo),
            Err(fault) => {
                self.take_back(undo);
                Err(fault)
            }
        }
    }

    /// Events of which the books may know something else after a correction, in ascending order.
    pub fn touched(&self, undo: &Undo) -> Vec<u32> {
        let saved = undo.saved.iter().map(|trace| trace.event);
        let mut events: Vec<u32> = saved.chain(self.stale.iter().copied()).collect();
        events.sort_unstable();
        events.dedup();
        events
    }

    /// Lets a correction stand; the books know all that the machine does.
    pub fn commit(&mut self, undo: Undo) {
        self.stale.clear();
        self.reuse(undo.saved);
    }

    fn reuse(&mut self, mut saved: Vec<Trace>) {
        saved.clear();
        self.spare = saved;
    }

    /// Takes a correction back.
    pub fn take_back(&mut self, undo: Undo) {
        let Undo { tip, saved, kept, replaced, anew, known } = undo;
        for trace in saved.iter().rev() {
            self.machine.restore(trace);
        }
        self.place = tip.place;
        (self.machine.keys, self.machine.production) = (tip.keys, tip.production);
        self.machine.spoilt = None;
        self.checkpoints.truncate(known);
        self.checkpoints.splice(kept..kept + anew, replaced);
        self.reuse(saved);
    }

    fn walk(&mut self, history: &History, laid: &Laid, until: u32, undo: &mut Undo) -> Result<(), Fault> {
        self.go_back(history, laid, undo);
        for number in 0..undo.replaced.len() {
            let Some(place) = undo.replaced.get(number).map(|before| before.place) else { break };
            self.step_to(history, place, Some(&mut undo.saved), false)?;
            let is_reached = |before: &Checkpoint| place > laid.last && before.is_reached(&self.machine);
            if undo.replaced.get(number).is_some_and(is_reached) {
                let rest = undo.replaced.split_off(number);
                self.go_on_as_before(rest, undo);
                break;
            }
            self.keep();
            undo.anew += 1;
            undo.known = self.checkpoints.len();
        }
        self.step_to(history, until, Some(&mut undo.saved), true)
    }

    fn switch(&mut self, switched: &[DueSwitch]) -> Result<(), Fault> {
        switched.iter().try_for_each(|due| {
            self.machine.switch_method(due.key, due.at, &mut Discard, due.cause).map_err(failed)
        })
    }

    /// Back to the last state before the correction. The states after it are set aside.
    fn go_back(&mut self, history: &History, laid: &Laid, undo: &mut Undo) {
        if self.place <= laid.first && !laid.reshares {
            undo.saved.extend(undo.tip.open.iter().cloned());
            return;
        }
        let before = self.checkpoints.partition_point(|checkpoint| checkpoint.place <= laid.first);
        // What the receipts of a production group are to take is known before the first event.
        undo.kept = if laid.reshares { 0 } else { before };
        undo.replaced = self.checkpoints.split_off(undo.kept);
        undo.known = undo.kept;
        let last = if laid.reshares { undo.replaced.first() } else { self.checkpoints.last() };
        if let Some(state) = last {
            undo.saved.extend(state.open.iter().map(|trace| self.machine.trace(trace.event)));
            load(&mut self.machine, state);
            self.place = state.place;
        }
        if laid.reshares {
            self.machine.production = unpriced(&history.now);
        }
    }

    /// The state is as it was: so is all that follows, up to where the machine had come.
    fn go_on_as_before(&mut self, rest: Vec<Checkpoint>, undo: &mut Undo) {
        if let Some(state) = rest.first() {
            for trace in undo.saved.iter().rev().filter(|trace| state.is_open(trace.event)) {
                self.machine.restore(trace);
            }
        }
        self.machine.keys.clone_from(&undo.tip.keys);
        self.machine.production.clone_from(&undo.tip.production);
        self.place = undo.tip.place;
        self.checkpoints.extend(rest);
        undo.known = self.checkpoints.len();
        undo.saved.extend(undo.tip.open.iter().cloned());
    }

    fn step_to(
        &mut self,
        history: &History,
        until: u32,
        mut saved: Option<&mut Vec<Trace>>,
        keeps: bool,
    ) -> Result<(), Fault> {
        let mut next = self.next_to_keep();
        while self.place < until {
            if keeps && self.place >= next {
                self.keep();
                next = self.next_to_keep();
            }
            if let Some(saved) = saved.as_deref_mut() {
                saved.push(self.machine.trace(self.place));
            }
            self.machine.restore(&Trace::blank(self.place));
            if let Some(event) = history.event(self.place) {
                run::step(&mut self.machine, self.place, event, &mut Discard).map_err(failed)?;
            }
            self.place += 1;
        }
        Ok(())
    }

    fn keep(&mut self) {
        let state = self.checkpoint();
        self.checkpoints.push(state);
    }

    /// Where the next state is kept: the more the last one holds, the later.
    fn next_to_keep(&self) -> u32 {
        self.checkpoints.last().map_or(0, |last| {
            let distance = SHORTEST.max(last.size() / DENSITY);
            last.place.saturating_add(u32::try_from(distance).unwrap_or(u32::MAX))
        })
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint::of(&self.machine, self.place, &self.open_events())
    }

    /// Events before this place that later ones may read or change: they are referred to, or still short.
    fn open_events(&self) -> Vec<u32> {
        let last = self.checkpoints.last();
        let since = last.map_or(0, |last| last.place)..self.place;
        let earlier = last.into_iter().flat_map(|last| last.open.iter().map(|trace| trace.event));
        let is_used =
            |event: &u32| self.last_use.get(*event as usize).is_some_and(|last| *last >= self.place);
        let shorts = self.machine.keys.iter().flat_map(|stock| stock.shorts.iter().map(|short| short.event));
        let mut events: Vec<u32> = earlier.chain(since).filter(is_used).chain(shorts).collect();
        events.sort_unstable();
        events.dedup();
        events
    }

    fn go_back_to_last(&mut self) {
        if let Some(state) = self.checkpoints.last() {
            load(&mut self.machine, state);
            self.place = state.place;
        }
    }
}

fn load(machine: &mut Machine<'_>, state: &Checkpoint) {
    machine.keys.clone_from(&state.keys);
    machine.production.clone_from(&state.production);
    machine.spoilt = None;
    for trace in &state.open {
        machine.restore(trace);
    }
}

fn failed(fault: Fault) -> Fault {
    match fault.code {
        RejectCode::Overflow => fault,
        _ => Fault::new(RejectCode::ReplayFailed),
    }
}

fn last_use(events: &[Event], is_late: &[bool]) -> Vec<u32> {
    let mut last_use = vec![0; events.len()];
    for ((place, event), is_late) in events.iter().enumerate().zip(is_late).rev() {
        let (Ok(index), false) = (u32::try_from(place), *is_late) else { continue };
        let own: u32 = last_use.get(place).copied().unwrap_or(0);
        if let Some(last) = last_use.get_mut(event.reference as usize) {
            *last = own.max(index).max(*last);
        }
    }
    last_use
}
