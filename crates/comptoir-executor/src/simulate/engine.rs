//! The loop of events.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::device::Engines;
use super::load::{Live, requests};
use super::model::Model;
use super::report::{Batch, Outcome, Report, Request};
use super::spec::{Scenario, Weighted};
use crate::error::Error;
use crate::policy::{Entry, Nanos, Rejected, Running, Schedule};

/// Runs a scenario to its end.
///
/// # Errors
/// [`Error::Config`] where a setting of the scenario cannot be used.
pub fn simulate(scenario: &Scenario) -> Result<Report, Error> {
    scenario.check()?;
    run(&[Weighted { weight: 1, scenario: scenario.clone() }])
}

/// Runs the scenarios of several models, which share CPU threads and device by weight, to their end.
///
/// A fault of the device, such as a stall, is one of the batches of its own model.
///
/// # Errors
/// [`Error::Config`] where a setting cannot be used or is not the same for all although they share it, with the field,
/// such as `models[1].device.depth`.
///
/// # Examples
/// ```
/// use comptoir_executor::simulate::{Arrivals, Scenario, Weighted, simulate_models};
///
/// let flood = Scenario { requests: 1000, arrivals: Arrivals::Poisson { per_second: 9e3 }, ..Scenario::default() };
/// let small = Scenario { requests: 100, arrivals: Arrivals::Poisson { per_second: 100.0 }, ..Scenario::default() };
/// let report = simulate_models(&[
///     Weighted { weight: 1, scenario: flood },
///     Weighted { weight: 1, scenario: small },
/// ]).unwrap();
/// assert!(report.requests.iter().any(|request| request.model == 1));
/// ```
pub fn simulate_models(models: &[Weighted]) -> Result<Report, Error> {
    Weighted::check_all(models)?;
    run(models)
}

fn run(models: &[Weighted]) -> Result<Report, Error> {
    let mut engine = Engine::new(models)?;
    while let Some(Reverse((at, _, event))) = engine.events.pop() {
        engine.now = at;
        engine.handle(event);
        while engine.feed_cpu() | engine.feed_device() {}
    }
    engine.report()
}

/// Something that happens at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Arrive(usize),
    Cancel(usize),
    Preprocessed(usize),
    Postprocessed(usize),
    BatchEnded(usize),
    /// The policy wanted to be asked again.
    Wake,
}

/// The state of the pipeline.
pub(super) struct Engine<'a> {
    pub(super) now: Nanos,
    pub(super) events: BinaryHeap<Reverse<(Nanos, u64, Event)>>,
    serial: u64,
    pub(super) live: Vec<Live>,
    pub(super) models: Vec<Model<'a>>,
    pub(super) schedule: Schedule,
    cpu_threads: usize,
    pub(super) idle_cpu: usize,
    pub(super) posts: VecDeque<usize>,
    /// Per instance.
    pub(super) engines: Vec<Engines>,
    pub(super) depth: usize,
    pub(super) batches: Vec<Batch>,
    /// Of the batches that are under way, by their number: what the schedule gave, and which rows fail.
    pub(super) under_way: Vec<Option<(Running, Vec<bool>)>>,
    pub(super) cpu_busy: Nanos,
}

impl<'a> Engine<'a> {
    fn new(models: &'a [Weighted]) -> Result<Self, Error> {
        let weights: Vec<u32> = models.iter().map(|model| model.weight).collect();
        let shared = models.first().map(|model| &model.scenario);
        let (cpu_threads, instances, depth) = shared.map_or((1, 1, 1), |scenario| {
            (scenario.cpu_threads, scenario.device.instances, scenario.device.depth)
        });
        let mut engine = Self {
            now: 0,
            events: BinaryHeap::new(),
            serial: 0,
            live: requests(models),
            models: models.iter().map(|model| Model::new(&model.scenario)).collect(),
            schedule: Schedule::new(&weights, instances, depth)?,
            cpu_threads,
            idle_cpu: cpu_threads,
            posts: VecDeque::new(),
            engines: vec![Engines::default(); instances],
            depth,
            batches: Vec::new(),
            under_way: Vec::new(),
            cpu_busy: 0,
        };
        engine.schedule_load();
        Ok(engine)
    }

    fn schedule_load(&mut self) {
        let arrivals = self.live.iter().map(|live| live.request.arrived).enumerate();
        let mut events: Vec<_> = arrivals.map(|(number, at)| (at, Event::Arrive(number))).collect();
        let cancelled = self.live.iter().map(|live| live.cancelled_at).enumerate();
        events.extend(cancelled.filter_map(|(number, at)| Some((at?, Event::Cancel(number)))));
        for (at, event) in events {
            self.schedule(at, event);
        }
    }

    /// Events of one moment happen in the order in which they were scheduled.
    pub(super) fn schedule(&mut self, at: Nanos, event: Event) {
        self.serial += 1;
        self.events.push(Reverse((at.max(self.now), self.serial, event)));
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrive(number) => self.arrive(number),
            Event::Cancel(number) => self.cancel(number),
            Event::Preprocessed(number) => self.preprocessed(number),
            Event::Postprocessed(number) => {
                self.idle_cpu += 1;
                self.leave(number, Outcome::Done);
            }
            Event::BatchEnded(batch) => self.batch_ended(batch),
            Event::Wake => {}
        }
    }

    /// A request and its model.
    pub(super) fn of(&mut self, number: usize) -> Option<(&mut Live, &mut Model<'a>)> {
        let live = self.live.get_mut(number)?;
        let model = self.models.get_mut(live.request.model)?;
        Some((live, model))
    }

    fn arrive(&mut self, number: usize) {
        let now = self.now;
        let Some((live, model)) = self.of(number) else { return };
        let Request { arrived, deadline, priority, .. } = live.request;
        match model.flow.queue.push(now, Entry { item: number, arrived, deadline, priority }) {
            Ok(key) => live.key = Some(key),
            Err(Rejected::Overloaded(_)) => self.decide(number, Outcome::Overloaded),
            Err(Rejected::Late(_)) => self.decide(number, Outcome::Late),
        }
    }

    /// A request that waits for the CPU stage leaves at once; another one leaves at the next stage.
    fn cancel(&mut self, number: usize) {
        let Some((live, model)) = self.of(number) else { return };
        if let Some(key) = live.key.take() {
            model.flow.queue.remove(key);
        }
        if let Some(row) = model.row(number) {
            row.decided = true;
        }
        self.decide(number, Outcome::Cancelled);
    }

    fn preprocessed(&mut self, number: usize) {
        self.idle_cpu += 1;
        let now = self.now;
        let Some((live, model)) = self.of(number) else { return };
        if live.preprocess_fails {
            model.rows.retain(|row| row.request != number);
            model.flow.gave_up();
            self.decide(number, Outcome::Failed);
            return;
        }
        live.request.ready = Some(now);
        model.flow.filled(live.preprocess);
        if let Some(row) = model.row(number) {
            row.ready = Some(now);
        }
    }

    /// Gives a request its outcome, unless it has one.
    pub(super) fn decide(&mut self, number: usize, outcome: Outcome) {
        let now = self.now;
        let Some(live) = self.live.get_mut(number).filter(|live| !live.decided) else { return };
        live.decided = true;
        live.request.ended = now;
        let late = outcome == Outcome::Done && live.request.deadline.is_some_and(|deadline| deadline < now);
        live.request.outcome = if late { Outcome::Late } else { outcome };
    }

    /// Gives a request past `preprocess` its outcome, and lets another one follow.
    pub(super) fn leave(&mut self, number: usize, outcome: Outcome) {
        self.decide(number, outcome);
        if let Some((_, model)) = self.of(number) {
            model.flow.left(1);
        }
    }

    fn report(self) -> Result<Report, Error> {
        if let Some(number) = self.live.iter().position(|live| !live.decided) {
            return Err(Error::Internal(format!("request {number} of a simulation has no outcome")));
        }
        let requests: Vec<Request> = self.live.into_iter().map(|live| live.request).collect();
        Ok(Report {
            end: requests.iter().map(|request| request.ended).max().unwrap_or(0),
            requests,
            batches: self.batches,
            instances: self.engines.len(),
            cpu_threads: self.cpu_threads,
            cpu_busy: self.cpu_busy,
        })
    }
}
