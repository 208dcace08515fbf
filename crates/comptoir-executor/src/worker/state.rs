//! What the parent knows of its workers and slots, under one lock.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::bell::Word;
use super::memory::{Memory, View};
use super::process::Process;
use super::slot::{Phase, moved};
use super::stats::{WorkerPhase, WorkerStatus};
use super::{Error, WorkerConfig};

/// The workers, and what the pool as a whole does.
pub(super) struct State {
    pub(super) workers: Vec<Entry>,
    /// All workers have been up once.
    pub(super) started: bool,
    /// Why the pool does not start.
    pub(super) refused: Option<Error>,
    /// The pool closes; workers that still run then are killed.
    pub(super) closing: Option<Instant>,
    /// The supervisor looks at the workers every few milliseconds.
    pub(super) watched: bool,
    /// The worker to try first, so that equal ones take turns.
    turn: usize,
}

/// One worker of the pool, through all its processes.
pub(super) struct Entry {
    pub(super) phase: WorkerPhase,
    /// End of the phases `Starting` and `Pausing`.
    pub(super) until: Instant,
    /// Number of the process; a process that answers to another is not this one.
    pub(super) generation: u32,
    pub(super) process: Option<Process>,
    /// Why the process was killed by us.
    pub(super) killed: Option<Loss>,
    pub(super) down_since: Instant,
    /// When the worker last finished a call, or was given one while it had none.
    pub(super) progress: Instant,
    /// How often in a row the process was found stopped.
    pub(super) stopped: u32,
    pub(super) failures_in_row: u32,
    pub(super) restarts: u64,
    pub(super) last_cause: Option<String>,
    calls: u64,
    failures: u64,
    slots: Vec<SlotUse>,
}

#[derive(Default)]
struct SlotUse {
    sequence: u32,
    holder: Holder,
    loss: Option<Loss>,
    /// Steps of the call that have been seen.
    steps: u64,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Holder {
    #[default]
    Nobody,
    Caller,
    /// The caller has left, the worker has not answered yet.
    Worker,
}

/// Why a worker no longer has a call.
#[derive(Debug, Clone)]
pub(super) enum Loss {
    /// It ended.
    Died(String),
    /// It was stopped from outside, and killed.
    Stopped(String),
    /// Its callable did not come back, and it was killed: that is likely the call's own fault, so it is not tried again.
    Blocked {
        /// What was seen.
        cause: String,
        /// Steps that it had finished of the call that it lost, where the next one is known to be the one that did not
        /// come back.
        steps: Option<u64>,
    },
    /// The pool was closed.
    Closed,
}

/// A slot that a caller holds.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    pub(super) worker: usize,
    pub(super) slot: usize,
    pub(super) sequence: u32,
    generation: u32,
}

/// How a call left its slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Answered,
    Failed,
    /// Lost, given up or never given to the worker.
    Otherwise,
}

impl State {
    pub(super) fn new(config: &WorkerConfig, now: Instant) -> Self {
        let workers = (0..config.workers).map(|_| Entry::new(config, now)).collect();
        Self { workers, started: false, refused: None, closing: None, watched: false, turn: 0 }
    }

    /// A free slot of the worker that has the least to do.
    pub(super) fn take(&mut self, memory: &Memory) -> Option<Ticket> {
        let turn = self.turn;
        let count = self.workers.len();
        let up = |entry: &Entry| entry.phase == WorkerPhase::Up && entry.killed.is_none();
        let entries = self.workers.iter_mut().enumerate().filter(|(_, entry)| up(entry));
        let loads = entries.filter_map(|(worker, entry)| {
            entry.reclaim(memory, worker);
            let held = entry.slots.iter().filter(|slot| slot.holder != Holder::Nobody).count();
            (held < entry.slots.len()).then_some((held, (worker + count - turn) % count, worker))
        });
        let (_, _, worker) = loads.min()?;
        self.turn = (worker + 1) % count;
        self.workers.get_mut(worker)?.take(worker)
    }

    /// Gives a written slot to its worker; says whether that is still the process that was meant.
    pub(super) fn publish(&mut self, memory: &Memory, ticket: Ticket) -> bool {
        let Some(entry) = self.workers.get_mut(ticket.worker) else { return false };
        if entry.phase != WorkerPhase::Up || entry.generation != ticket.generation {
            return false;
        }
        if !entry.has_work(memory, ticket.worker) {
            entry.progress = Instant::now();
        }
        let view = memory.view(ticket.worker, ticket.slot);
        view.slot.word.set(Phase::Ready.word(ticket.sequence));
        memory.control(ticket.worker).ring().push(u32::try_from(ticket.slot).unwrap_or_default())
    }

    /// Takes a slot back from its caller. One that the worker still has is free once that has answered or ended.
    pub(super) fn give_back(&mut self, memory: &Memory, ticket: Ticket, left: Left) -> Option<Loss> {
        let entry = self.workers.get_mut(ticket.worker)?;
        let word = memory.view(ticket.worker, ticket.slot).slot.word.load(Ordering::SeqCst);
        let open = word >> 3 == Phase::Free.word(ticket.sequence) >> 3 && Phase::of(word).is_open();
        if left != Left::Otherwise {
            entry.calls += 1;
            entry.failures_in_row = 0;
            entry.progress = Instant::now();
        }
        entry.failures += u64::from(left == Left::Failed);
        let slot = entry.slots.get_mut(ticket.slot)?;
        slot.holder = if open { Holder::Worker } else { Holder::Nobody };
        slot.loss.take()
    }

    /// Since when no worker is up; none where one is.
    pub(super) fn down_since(&self) -> Option<Instant> {
        let up = self.workers.iter().any(|entry| entry.phase == WorkerPhase::Up);
        if up { None } else { self.workers.iter().map(|entry| entry.down_since).max() }
    }
}

impl Entry {
    fn new(config: &WorkerConfig, now: Instant) -> Self {
        Self {
            // The first start is a pause that is over.
            phase: WorkerPhase::Pausing,
            until: now,
            generation: 0,
            process: None,
            killed: None,
            down_since: now,
            progress: now,
            stopped: 0,
            failures_in_row: 0,
            restarts: 0,
            last_cause: None,
            calls: 0,
            failures: 0,
            slots: (0..config.depth).map(|_| SlotUse::default()).collect(),
        }
    }

    fn take(&mut self, worker: usize) -> Option<Ticket> {
        let generation = self.generation;
        let free = |(_, slot): &(usize, &mut SlotUse)| slot.holder == Holder::Nobody;
        let (number, slot) = self.slots.iter_mut().enumerate().find(free)?;
        slot.sequence = slot.sequence.wrapping_add(1) & (u32::MAX >> 3);
        slot.holder = Holder::Caller;
        slot.loss = None;
        slot.steps = 0;
        Some(Ticket { worker, slot: number, sequence: slot.sequence, generation })
    }

    /// Frees slots whose callers have left and which the worker has answered by now; says whether there were any.
    pub(super) fn reclaim(&mut self, memory: &Memory, worker: usize) -> bool {
        let mut any = false;
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if slot.holder == Holder::Worker && !phase(&memory.view(worker, number)).is_open() {
                slot.holder = Holder::Nobody;
                self.progress = Instant::now();
                any = true;
            }
        }
        any
    }

    /// Whether the worker has finished steps of its calls since this was last asked.
    pub(super) fn stepped(&mut self, memory: &Memory, worker: usize) -> bool {
        let mut any = false;
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let view = memory.view(worker, number);
            let steps = view.slot.steps.load(Ordering::SeqCst);
            if phase(&view).is_open() && steps != slot.steps {
                slot.steps = steps;
                any = true;
            }
        }
        any
    }

    /// Whether the worker has a call that it has not answered.
    pub(super) fn has_work(&self, memory: &Memory, worker: usize) -> bool {
        (0..self.slots.len()).any(|slot| phase(&memory.view(worker, slot)).is_open())
    }

    /// Takes all calls from a worker that has ended, and tells their callers why.
    pub(super) fn lose(&mut self, memory: &Memory, worker: usize, loss: &Loss) {
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let view = memory.view(worker, number);
            let word = view.slot.word.load(Ordering::SeqCst);
            let lost = match Phase::of(word) {
                Phase::Ready => Phase::LostQueued,
                Phase::Running => Phase::LostRunning,
                Phase::Cancelled => Phase::Done,
                _ => continue,
            };
            match slot.holder {
                Holder::Caller => {
                    let steps = view.slot.steps.load(Ordering::SeqCst);
                    // A step that ended while the worker was being killed was not the one that took too long.
                    slot.loss = Some(loss.at((steps == slot.steps).then_some(steps)));
                }
                Holder::Worker => slot.holder = Holder::Nobody,
                Holder::Nobody => {}
            }
            self.failures += u64::from(lost == Phase::LostRunning);
            // The caller may cancel at the same moment, then the slot is as good as lost to it.
            if !view.bell().ring_if(word, moved(word, lost)) {
                view.bell().ring(moved(word, Phase::LostQueued));
            }
        }
    }

    pub(super) fn status(&self) -> WorkerStatus {
        let held = |holder| self.slots.iter().filter(|slot| slot.holder == holder).count();
        WorkerStatus {
            pid: self.process.as_ref().map(Process::pid),
            phase: self.phase,
            in_flight: held(Holder::Caller),
            quarantined: held(Holder::Worker),
            calls: self.calls,
            failures: self.failures,
            restarts: self.restarts,
            last_cause: self.last_cause.clone(),
        }
    }
}

impl Loss {
    /// The same for a call of which so many steps had been finished.
    fn at(&self, steps: Option<u64>) -> Self {
        match self {
            Self::Blocked { cause, .. } => Self::Blocked { cause: cause.clone(), steps },
            other => other.clone(),
        }
    }

    /// The loss as the error of a call that is not tried again.
    pub(super) fn into_error(self, worker: usize) -> Error {
        match self {
            Self::Died(cause) => Error::Died { worker, cause },
            Self::Stopped(cause) => Error::Hung { worker, cause, steps: None },
            Self::Blocked { cause, steps } => Error::Hung { worker, cause, steps },
            Self::Closed => Error::Closed,
        }
    }

    /// What happened, in words.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Died(cause) | Self::Stopped(cause) | Self::Blocked { cause, .. } => cause.clone(),
            Self::Closed => "closed with its pool".to_owned(),
        }
    }
}

fn phase(view: &View<'_>) -> Phase {
    Phase::of(view.slot.word.load(Ordering::SeqCst))
}
