//! The loop of events.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::device::Instance;
use super::random::{Random, nanos};
use super::report::{Batch, Outcome, Report, Request};
use super::spec::Scenario;
use crate::error::Error;
use crate::policy::{Entry, Key, LatencyModel, Nanos, Queue, QueuePolicy, Rejected};

/// Runs a scenario to its end.
///
/// # Errors
/// [`Error::Config`] where a setting of the scenario cannot be used.
pub fn simulate(scenario: &Scenario) -> Result<Report, Error> {
    scenario.check()?;
    let mut engine = Engine::new(scenario);
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
    BatchEnded {
        batch: usize,
        lane: usize,
    },
    /// The policy wanted to be asked again.
    Wake,
}

/// A request: what it will take, and where it is.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) request: Request,
    pub(super) preprocess: Nanos,
    pub(super) postprocess: Nanos,
    preprocess_fails: bool,
    pub(super) row_fails: bool,
    key: Option<Key>,
    pub(super) decided: bool,
}

/// A row past the queue; it holds its place from the begin of `preprocess`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) request: usize,
    pub(super) ready: bool,
}

/// The state of the pipeline.
pub(super) struct Engine<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) now: Nanos,
    pub(super) events: BinaryHeap<Reverse<(Nanos, u64, Event)>>,
    serial: u64,
    pub(super) live: Vec<Live>,
    pub(super) queue: Queue<usize>,
    /// Requests past the queue, and those of them in `preprocess`.
    pub(super) staged: usize,
    pub(super) preprocessing: usize,
    pub(super) idle_cpu: usize,
    pub(super) posts: VecDeque<usize>,
    pub(super) rows: VecDeque<Row>,
    pub(super) latency: LatencyModel,
    /// Smoothed time of `preprocess`.
    pub(super) cpu_time: Nanos,
    pub(super) instances: Vec<Instance>,
    pub(super) batches: Vec<Batch>,
    /// Which rows of the batches that are under way fail.
    pub(super) failed: Vec<Vec<bool>>,
    pub(super) random: Random,
    pub(super) cpu_busy: Nanos,
}

impl<'a> Engine<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut engine = Self {
            scenario,
            now: 0,
            events: BinaryHeap::new(),
            serial: 0,
            live: requests(scenario),
            queue: Queue::new(scenario.queue_limit, QueuePolicy::default()),
            staged: 0,
            preprocessing: 0,
            idle_cpu: scenario.cpu_threads,
            posts: VecDeque::new(),
            rows: VecDeque::new(),
            latency: LatencyModel::unknown(),
            cpu_time: 0,
            instances: vec![Instance::new(scenario.device.depth); scenario.device.instances],
            batches: Vec::new(),
            failed: Vec::new(),
            random: Random::new(scenario.seed, 9),
            cpu_busy: 0,
        };
        let arrivals: Vec<Nanos> = engine.live.iter().map(|live| live.request.arrived).collect();
        for (number, at) in arrivals.into_iter().enumerate() {
            engine.schedule(at, Event::Arrive(number));
        }
        engine.schedule_cancellations();
        engine
    }

    fn schedule_cancellations(&mut self) {
        let faults = &self.scenario.faults;
        let mut random = Random::new(self.scenario.seed, 8);
        for number in 0..self.live.len() {
            let (cancelled, after) = (random.happens(faults.cancel), random.exponential());
            if let Some(live) = self.live.get(number).filter(|_| cancelled) {
                let at = live.request.arrived + nanos(after * faults.cancel_after_ms);
                self.schedule(at, Event::Cancel(number));
            }
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
            Event::BatchEnded { batch, lane } => self.batch_ended(batch, lane),
            Event::Wake => {}
        }
    }

    fn arrive(&mut self, number: usize) {
        let Some(live) = self.live.get_mut(number) else { return };
        let Request { arrived, deadline, priority, .. } = live.request;
        match self.queue.push(self.now, Entry { item: number, arrived, deadline, priority }) {
            Ok(key) => live.key = Some(key),
            Err(Rejected::Overloaded(_)) => self.decide(number, Outcome::Overloaded),
            Err(Rejected::Late(_)) => self.decide(number, Outcome::Late),
        }
    }

    /// A request that waits for the CPU stage leaves at once; another one leaves at the next stage.
    fn cancel(&mut self, number: usize) {
        let Some(live) = self.live.get_mut(number) else { return };
        if let Some(key) = live.key.take() {
            self.queue.remove(key);
        }
        self.decide(number, Outcome::Cancelled);
    }

    fn preprocessed(&mut self, number: usize) {
        self.idle_cpu += 1;
        self.preprocessing -= 1;
        let Some(live) = self.live.get_mut(number) else { return };
        if live.preprocess_fails {
            self.rows.retain(|row| row.request != number);
            self.leave(number, Outcome::Failed);
            return;
        }
        live.request.ready = Some(self.now);
        let took = live.preprocess;
        self.cpu_time = if self.cpu_time == 0 { took } else { self.cpu_time - self.cpu_time / 8 + took / 8 };
        for row in self.rows.iter_mut().filter(|row| row.request == number) {
            row.ready = true;
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

    /// Gives a request past the queue its outcome, and lets another one follow.
    pub(super) fn leave(&mut self, number: usize, outcome: Outcome) {
        self.decide(number, outcome);
        self.staged -= 1;
    }

    /// Marks a request as out of the queue.
    pub(super) fn taken(&mut self, number: usize) -> Option<&mut Live> {
        let live = self.live.get_mut(number)?;
        live.key = None;
        Some(live)
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
            instances: self.scenario.device.instances,
            cpu_threads: self.scenario.cpu_threads,
            cpu_busy: self.cpu_busy,
        })
    }
}

/// The requests, with all that chance says of each, so that it does not depend on how they are served.
fn requests(scenario: &Scenario) -> Vec<Live> {
    let stream = |number| Random::new(scenario.seed, number);
    let mut streams = [1, 2, 3, 4, 5, 6].map(stream);
    let arrivals = scenario.arrivals.times(scenario.requests, &mut stream(7));
    arrivals.into_iter().map(|arrived| live(scenario, arrived, &mut streams)).collect()
}

fn live(scenario: &Scenario, arrived: Nanos, streams: &mut [Random; 6]) -> Live {
    let [deadlines, priorities, before, after, stage, row] = streams;
    let deadline = scenario.deadline.map(|time| arrived + deadlines.time(&time));
    let mut drawn = priorities.unit() * scenario.priorities.iter().sum::<f64>();
    let mut shares = (0_u8..).zip(&scenario.priorities);
    let priority = shares.find(|(_, share)| {
        drawn -= **share;
        drawn < 0.0
    });
    let request = Request {
        arrived,
        priority: priority.map_or(3, |(priority, _)| priority),
        deadline,
        staged: None,
        ready: None,
        batch: None,
        ended: arrived,
        outcome: Outcome::Failed,
    };
    Live {
        request,
        preprocess: before.time(&scenario.preprocess),
        postprocess: after.time(&scenario.postprocess),
        preprocess_fails: stage.happens(scenario.faults.preprocess_fails),
        row_fails: row.happens(scenario.faults.row_fails),
        key: None,
        decided: false,
    }
}
