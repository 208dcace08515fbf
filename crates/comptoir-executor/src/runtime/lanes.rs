//! Lanes: threads that take batches to the device.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::core::{Core, Inner, Phase, Post, Ready, nanos};
use super::cpu::panic_text;
use super::rows::{Rows, Taken};
use super::stages::{Model, Stages};
use super::stats::Outcome;
use crate::error::Error;
use crate::policy::{self, Decision, DeviceState, Nanos};

/// One instance on the device: what its lanes are running.
#[derive(Debug)]
pub(super) struct Instance {
    /// Per lane: when its batch is expected to end.
    running: Vec<Option<Nanos>>,
    /// When the last batch ended.
    last_end: Nanos,
    /// Time in which at least one batch was running, until `last_change`.
    busy: Nanos,
    last_change: Nanos,
}

/// A batch on its way to the device.
struct Job<S: Stages> {
    model: usize,
    version: u64,
    code: Arc<dyn Model<S::Predictions>>,
    taken: Taken<Ready<S>>,
    start: Nanos,
}

/// Rows of a batch that ran together, and what came of it.
struct Part<P> {
    rows: usize,
    result: Result<Arc<P>, Error>,
}

impl Instance {
    pub(super) fn new(depth: usize) -> Self {
        Self { running: vec![None; depth], last_end: 0, busy: 0, last_change: 0 }
    }

    /// Time in which it had a batch, up to now.
    pub(super) fn busy(&self, now: Nanos) -> Nanos {
        let running = self.running.iter().any(Option::is_some);
        self.busy + if running { now.saturating_sub(self.last_change) } else { 0 }
    }

    fn set(&mut self, place: usize, until: Option<Nanos>, now: Nanos) {
        self.busy = self.busy(now);
        self.last_change = now;
        if let Some(lane) = self.running.get_mut(place) {
            *lane = until;
        }
    }

    /// When the batches under way are expected to have ended; 0 where there are none.
    pub(super) fn free_at(&self) -> Nanos {
        self.running.iter().flatten().copied().max().unwrap_or(0)
    }

    /// What the policy is told.
    fn state(&self, now: Nanos, copy_in: Nanos) -> DeviceState {
        let free_at = self.running.iter().flatten().copied().max();
        DeviceState { idle: free_at.is_none(), free_at: free_at.unwrap_or(now), copy_in }
    }
}

/// Runs batches until the pipeline stops.
pub(super) fn run<S: Stages>(inner: &Inner<S>, lane: usize) {
    let mut core = inner.lock();
    loop {
        if core.phase == Phase::Stopped {
            return;
        }
        let now = inner.now();
        match next_job(inner, &mut core, lane, now) {
            Next::Run(job) => {
                inner.set_lane(&mut core, lane, &job.taken.flights);
                drop(core);
                core = run_job(inner, job, lane);
                inner.set_lane(&mut core, lane, &[]);
            }
            Next::Drop(late) => {
                drop(core);
                refuse(inner, late);
                core = inner.lock();
            }
            Next::Wait(until) => core = sleep(inner, core, until.map(|until| until.saturating_sub(now))),
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

/// What a lane does next.
enum Next<S: Stages> {
    Run(Job<S>),
    /// Requests that need no batch any more; those that are late, with their model.
    Drop(Vec<(usize, Ready<S>)>),
    Wait(Option<Nanos>),
}

/// Asks the policy for each model, and lets the fair share choose among those that may start.
fn next_job<S: Stages>(inner: &Inner<S>, core: &mut Core<S>, lane: usize, now: Nanos) -> Next<S> {
    let mut wake: Option<Nanos> = None;
    let mut startable: Vec<Option<(usize, usize)>> = Vec::with_capacity(inner.endpoints.len());
    for model in 0..inner.endpoints.len() {
        let dropped = drop_useless(core, model, now);
        if !dropped.is_empty() {
            return Next::Drop(dropped);
        }
        match decide(inner, core, model, lane, now) {
            Some((shape, Decision::Dispatch { rows })) => startable.push(Some((shape, rows))),
            Some((_, Decision::Wait { until })) => {
                startable.push(None);
                wake = earlier(wake, until);
            }
            None => startable.push(None),
        }
    }
    let picked = core.lane_fair.pick(|model| startable.get(model).is_some_and(Option::is_some));
    let chosen =
        picked.and_then(|model| startable.get(model).copied().flatten().map(|chosen| (model, chosen)));
    match chosen.and_then(|(model, (shape, rows))| start(inner, core, model, shape, rows, lane, now)) {
        Some(job) => Next::Run(job),
        None => Next::Wait(wake),
    }
}

fn earlier(one: Option<Nanos>, other: Option<Nanos>) -> Option<Nanos> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Takes rows out that were cancelled or can no longer meet their deadline.
fn drop_useless<S: Stages>(core: &mut Core<S>, model: usize, now: Nanos) -> Vec<(usize, Ready<S>)> {
    let Some(state) = core.models.get_mut(model) else { return Vec::new() };
    let (forming, latency) = (&mut state.forming, state.versions.latency());
    let useless = |flight: &Ready<S>| {
        flight.shared.is_decided()
            || flight.deadline.is_some() && policy::late(now, &flight.ready_row(), latency)
    };
    let mut dropped = Vec::new();
    for shape in forming.iter_mut().filter(|shape| shape.ready() > 0) {
        if shape.flights().any(useless) {
            dropped
                .extend(shape.drop_rows(|flight| !useless(flight)).into_iter().map(|flight| (model, flight)));
        }
    }
    dropped
}

/// The shape whose first row has waited longest, and what the policy says to it.
fn decide<S: Stages>(
    inner: &Inner<S>,
    core: &Core<S>,
    model: usize,
    lane: usize,
    now: Nanos,
) -> Option<(usize, Decision)> {
    let state = core.models.get(model)?;
    let batch = &inner.endpoints.get(model)?.batch;
    let first = |shape: &usize| state.forming.get(*shape)?.run().next().map(|flight| flight.ready);
    let shape = (0..state.forming.len()).filter(|shape| first(shape).is_some()).min_by_key(first)?;
    let ready: Vec<policy::Ready> = state.forming.get(shape)?.run().map(Ready::ready_row).collect();
    let instance = core.instances.get(lane / inner.spec.depth)?;
    let version = state.versions.current();
    let copy_in = nanos(version.model.copy_in(ready.len().min(batch.max_size)));
    let device = instance.state(now, copy_in);
    Some((shape, policy::decide(now, &ready, state.preprocessing, device, &version.latency, batch)))
}

fn start<S: Stages>(
    inner: &Inner<S>,
    core: &mut Core<S>,
    model: usize,
    shape: usize,
    rows: usize,
    lane: usize,
    now: Nanos,
) -> Option<Job<S>> {
    let state = core.models.get_mut(model)?;
    let taken = state.forming.get_mut(shape)?.take(rows)?;
    let rows = taken.flights.len();
    let (version, code) = state.versions.start(rows);
    state.counts.batch(rows);
    let expected = state.versions.find(version).map_or(0, |version| version.latency.estimate(rows));
    let (instance, place) = (lane / inner.spec.depth, lane % inner.spec.depth);
    if let Some(instance) = core.instances.get_mut(instance) {
        let free = instance.running.iter().flatten().copied().max().unwrap_or(now).max(now);
        instance.set(place, Some(free + expected), now);
    }
    core.lane_fair.charge(model, expected.max(1));
    // Rows behind this batch may be one for another lane.
    if state_has_ready(core, model) {
        inner.wake_lanes(core);
    }
    Some(Job { model, version, code, taken, start: now })
}

fn state_has_ready<S: Stages>(core: &Core<S>, model: usize) -> bool {
    core.models.get(model).is_some_and(|state| state.forming.iter().any(|shape| shape.ready() > 0))
}

/// Runs a batch and hands its rows on. Returns with the lock, for the next one.
fn run_job<'a, S: Stages>(inner: &'a Inner<S>, job: Job<S>, lane: usize) -> MutexGuard<'a, Core<S>> {
    let Job { model, version, code, taken, start } = job;
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
    let (instance, place) = (lane / inner.spec.depth, lane % inner.spec.depth);
    let mut core = inner.lock();
    if let Some(instance) = core.instances.get_mut(instance) {
        instance.set(place, None, end);
        let began = start.max(instance.last_end);
        instance.last_end = end;
        // Without the time in which it waited for the batch before.
        let measured = end.saturating_sub(began);
        if !failed
            && let Some(version) = core.models.get_mut(model).and_then(|state| state.versions.find(version))
        {
            version.latency.observe(count, measured);
        }
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

/// Runs a batch; one that fails is run again in halves until the rows that make it fail are alone. After more
/// failures than that takes for a few bad rows, what is left fails with the batch's error: the model itself is broken.
fn infer<P: 'static>(code: &dyn Model<P>, lane: usize, rows: &Rows) -> Vec<Part<P>> {
    let mut attempts = 2 * usize::BITS.saturating_sub(rows.len().leading_zeros()) as usize + 2;
    let mut parts = Vec::with_capacity(1);
    let mut stack = vec![(0, rows.len())];
    while let Some((start, len)) = stack.pop() {
        match guarded(code, lane, &rows.slice(start, len)) {
            Ok(predictions) => parts.push(Part { rows: len, result: Ok(Arc::new(predictions)) }),
            Err(error) if len == 1 || attempts == 0 => parts.push(Part { rows: len, result: Err(error) }),
            Err(_) => {
                attempts -= 1;
                let half = len / 2;
                stack.push((start + half, len - half));
                stack.push((start, half));
            }
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

impl<S: Stages> Ready<S> {
    /// What the policy knows of the row.
    pub(super) fn ready_row(&self) -> policy::Ready {
        policy::Ready { arrived: self.arrived, ready: self.ready, deadline: self.deadline }
    }
}
