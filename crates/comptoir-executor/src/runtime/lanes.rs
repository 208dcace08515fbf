//! Lanes: threads that take batches to the device.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::core::{Core, Inner, ModelState, Phase, Post, Queued, Ready, nanos};
use super::cpu::panic_text;
use super::rows::{Forming, Rows, Taken};
use super::stages::{Model, Stages};
use super::stats::Outcome;
use crate::error::Error;
use crate::policy::{self, Flow, Halves, LatencyModel, Lineup, Nanos, Running, Start, Turn};

/// A batch on its way to the device.
struct Job<S: Stages> {
    model: usize,
    version: u64,
    code: Arc<dyn Model<S::Predictions>>,
    taken: Taken<Ready<S>>,
    start: Nanos,
    running: Running,
}

/// Rows of a batch that ran together, and what came of it.
struct Part<P> {
    rows: usize,
    result: Result<Arc<P>, Error>,
}

/// Runs batches until the pipeline stops.
pub(super) fn run<S: Stages>(inner: &Inner<S>, lane: usize) {
    let mut core = inner.lock();
    loop {
        if core.phase == Phase::Stopped {
            return;
        }
        let now = inner.now();
        let Core { schedule, models, .. } = &mut *core;
        match schedule.next_batch(now, lane, models) {
            Turn::Start(turn) => {
                let Some(job) = start(inner, &mut core, turn, lane, now) else {
                    // Its rows have gone, which the lock does not allow: whoever moved them wakes a lane.
                    core = sleep(inner, core, None);
                    continue;
                };
                inner.set_lane(&mut core, lane, &job.taken.flights);
                drop(core);
                core = run_job(inner, job, lane);
                inner.set_lane(&mut core, lane, &[]);
            }
            Turn::Drop(late) => {
                drop(core);
                refuse(inner, late);
                core = inner.lock();
            }
            Turn::Wait(until) => core = sleep(inner, core, until.map(|until| until.saturating_sub(now))),
        }
    }
}

fn sleep<'a, S: Stages>(
    inner: &'a Inner<S>,
    mut core: MutexGuard<'a, Core<S>>,
    limit: Option<Nanos>,
) -> MutexGuard<'a, Core<S>> {
    core.idle_lanes += 1;
    let mut core = match limit {
        None => inner.lanes.wait(core).unwrap_or_else(PoisonError::into_inner),
        Some(limit) => inner
            .lanes
            .wait_timeout(core, Duration::from_nanos(limit.max(1)))
            .map_or_else(|error| error.into_inner().0, |(core, _)| core),
    };
    core.idle_lanes -= 1;
    core
}

fn start<S: Stages>(
    inner: &Inner<S>,
    core: &mut Core<S>,
    Start { model, shape, rows }: Start,
    lane: usize,
    now: Nanos,
) -> Option<Job<S>> {
    let state = core.models.get_mut(model)?;
    let taken = state.forming.get_mut(shape)?.take(rows)?;
    let rows = taken.flights.len();
    let (version, code) = state.versions.start(rows);
    state.counts.batch(rows);
    let expected = state.versions.find(version).map_or(0, |version| version.latency.estimate(rows));
    let running = core.schedule.started(now, lane, model, expected);
    // Rows that are behind this batch, or of another model, may be one for another lane.
    if core.models.iter().any(|state| state.ready() > 0) {
        inner.wake_lanes(core);
    }
    Some(Job { model, version, code, taken, start: now, running })
}

/// Runs a batch and hands its rows on. Returns with the lock, for the next one.
fn run_job<'a, S: Stages>(inner: &'a Inner<S>, job: Job<S>, lane: usize) -> MutexGuard<'a, Core<S>> {
    let Job { model, version, code, taken, start, running } = job;
    let Taken { rows, mut flights } = taken;
    for flight in &mut flights {
        flight.timings.batching = Duration::from_nanos(start.saturating_sub(flight.ready));
        flight.timings.batch_size = rows.len();
    }
    let parts = infer(&*code, lane, &rows);
    let (count, end) = (rows.len(), inner.now());
    drop(rows);
    inner.trace.span("device", lane, || format!("infer {count}"), start, end);
    let failed = parts.iter().any(|part| part.result.is_err());
    let mut core = inner.lock();
    let took = core.schedule.ended(end, &running);
    if !failed
        && let Some(version) = core.models.get_mut(model).and_then(|state| state.versions.find(version))
    {
        version.latency.observe(count, took);
    }
    let gone = core.models.get_mut(model).and_then(|state| state.versions.ended(version));
    if gone.is_some() {
        inner.settled.notify_all();
    }
    if inner.spec.depth > 1 || inner.spec.instances > 1 {
        inner.wake_lanes(&core);
    }
    drop(core);
    // The last user of an old version unloads it, which may take long.
    drop((gone, code));
    hand_on(inner, model, flights, parts, end)
}

/// Gives each row its part of the predictions: to a CPU thread, or at once where `postprocess` is quick.
fn hand_on<S: Stages>(
    inner: &Inner<S>,
    model: usize,
    flights: Vec<Ready<S>>,
    parts: Vec<Part<S::Predictions>>,
    end: Nanos,
) -> MutexGuard<'_, Core<S>> {
    let mut posts = Vec::with_capacity(flights.len());
    let mut failures = Vec::new();
    let mut flights = flights.into_iter();
    for part in parts {
        for (row, mut flight) in flights.by_ref().take(part.rows).enumerate() {
            flight.timings.infer = Duration::from_nanos(
                end.saturating_sub(flight.ready).saturating_sub(nanos(flight.timings.batching)),
            );
            match &part.result {
                Ok(predictions) => {
                    let predictions = Arc::clone(predictions);
                    posts.push(Post { flight, predictions, row, inferred: end });
                }
                Err(error) => failures.push((flight, error.clone())),
            }
        }
    }
    let stages = inner.endpoints.get(model).map(|endpoint| &endpoint.stages);
    let quick = stages.is_some_and(|stages| stages.postprocess_is_quick());
    if !failures.is_empty() {
        super::leave::finish_failed(inner, model, failures);
    }
    if quick {
        return super::leave::postprocess(inner, model, posts, false);
    }
    let mut core = inner.lock();
    if core.phase == Phase::Stopped {
        drop(core);
        super::leave::discard(inner, model, posts.into_iter().map(|post| post.flight));
        return inner.lock();
    }
    let count = posts.len();
    core.posts.extend(posts);
    let at_once = stages.map_or(1, |stages| stages.postprocess_at_once());
    for _ in 0..count.div_ceil(at_once.max(1)).min(core.idle_cpu) {
        inner.cpu.notify_one();
    }
    core
}

/// Runs a batch; one that fails is run again in halves.
fn infer<P: 'static>(code: &dyn Model<P>, lane: usize, rows: &Rows) -> Vec<Part<P>> {
    let mut halves = Halves::new(rows.len());
    let mut parts = Vec::with_capacity(1);
    while let Some((start, len)) = halves.next_part() {
        match guarded(code, lane, &rows.slice(start, len)) {
            Ok(predictions) => parts.push(Part { rows: len, result: Ok(Arc::new(predictions)) }),
            Err(_) if halves.split((start, len)) => {}
            Err(error) => parts.push(Part { rows: len, result: Err(error) }),
        }
    }
    parts
}

/// Runs a batch; a panic is an error of the stage.
pub(super) fn guarded<P: 'static>(code: &dyn Model<P>, lane: usize, rows: &Rows) -> Result<P, Error> {
    catch_unwind(AssertUnwindSafe(|| code.infer(lane, rows)))
        .unwrap_or_else(|panic| Err(Error::stage("infer", panic_text(&*panic))))
}

/// Ends requests that were waiting for the device and are late; the others among them are decided already.
fn refuse<S: Stages>(inner: &Inner<S>, late: Vec<(usize, Ready<S>)>) {
    for (model, flight) in late {
        let after = Duration::from_nanos(inner.now().saturating_sub(flight.arrived));
        let error = Error::DeadlineExceeded { stage: "waiting for the device", after };
        super::leave::finish(inner, model, flight, Err(error), Outcome::Late);
    }
}

impl<S: Stages> Lineup for ModelState<S> {
    type Queued = Queued<S>;
    type Row = Ready<S>;

    fn flow(&self) -> &Flow<Queued<S>> {
        &self.flow
    }

    fn flow_mut(&mut self) -> &mut Flow<Queued<S>> {
        &mut self.flow
    }

    fn latency(&self) -> &LatencyModel {
        self.versions.latency()
    }

    fn ready(&self) -> usize {
        self.forming.iter().map(Forming::ready).sum()
    }

    /// Those of the shape whose first row has waited longest.
    fn front(&self) -> Option<(usize, Vec<policy::Ready>)> {
        let first = |(_, forming): &(usize, &Forming<Ready<S>>)| forming.run().next().map(|row| row.ready);
        let shapes = self.forming.iter().enumerate().filter(|shape| first(shape).is_some());
        let (shape, forming) = shapes.min_by_key(first)?;
        Some((shape, forming.run().map(Ready::ready_row).collect()))
    }

    fn copy_in(&self, rows: usize) -> Nanos {
        nanos(self.versions.current().model.copy_in(rows))
    }

    fn drop_useless(&mut self, now: Nanos) -> Vec<Ready<S>> {
        let (forming, latency) = (&mut self.forming, self.versions.latency());
        let useless = |flight: &Ready<S>| {
            flight.shared.is_decided()
                || flight.deadline.is_some() && policy::late(now, &flight.ready_row(), latency)
        };
        let mut dropped = Vec::new();
        for shape in forming.iter_mut().filter(|shape| shape.ready() > 0) {
            if shape.flights().any(useless) {
                dropped.extend(shape.drop_rows(|flight| !useless(flight)));
            }
        }
        dropped
    }
}

impl<S: Stages> Ready<S> {
    /// What the policy knows of the row.
    pub(super) fn ready_row(&self) -> policy::Ready {
        policy::Ready { arrived: self.arrived, ready: self.ready, deadline: self.deadline }
    }
}
