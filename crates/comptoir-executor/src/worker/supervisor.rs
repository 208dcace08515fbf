//! The thread that starts the workers, sees them end or hang, and starts them again.
//!
//! All workers are started by this thread, since the kernel's signal at the parent's death counts from the thread that
//! started a process.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::pool::Shared;
use super::process::Process;
use super::state::{Entry, Loss, State};
use super::stats::WorkerPhase;
use super::{Error, STOP};

/// How often workers with calls are looked at.
const WATCH: Duration = Duration::from_millis(20);
/// How often a worker that starts is looked at.
const STARTING: Duration = Duration::from_millis(2);
/// How often idle workers are looked at; one that ends is seen at once by its descriptor.
const IDLE: Duration = Duration::from_secs(10);
/// A process that is found stopped so often in a row is killed.
const STOPPED_LIMIT: u32 = 2;

/// What is to be done without the lock.
struct Plan {
    starts: Vec<(usize, u32)>,
    descriptors: Vec<RawFd>,
    wait: Duration,
    finished: bool,
}

/// Supervises until the pool is closed and all workers have ended.
pub(super) fn run(shared: &Shared) {
    let mut told_to_stop = false;
    loop {
        let mut state = shared.lock();
        if state.closing.is_some() && !std::mem::replace(&mut told_to_stop, true) {
            tell_to_stop(shared, &state);
        }
        let plan = step(shared, &mut state, Instant::now());
        drop(state);
        if plan.finished {
            shared.changed.notify_all();
            return;
        }
        for &(worker, generation) in &plan.starts {
            start(shared, worker, generation);
        }
        if plan.starts.is_empty() {
            super::system::wait_for(&shared.event, &plan.descriptors, plan.wait);
        }
    }
}

/// Looks at every worker once.
fn step(shared: &Shared, state: &mut State, now: Instant) -> Plan {
    let mut starts = Vec::new();
    let closing = state.closing;
    let mut refused = None;
    for (worker, entry) in state.workers.iter_mut().enumerate() {
        if let Some(cause) = entry.process.as_mut().and_then(Process::ended) {
            refused = refused.or(end(shared, entry, worker, cause, now));
        }
        if closing.is_some_and(|end| end <= now) {
            kill(entry, Loss::Closed);
        }
        match entry.phase {
            WorkerPhase::Starting if closing.is_some() => kill(entry, Loss::Closed),
            WorkerPhase::Starting => come_up(shared, entry, worker, now),
            WorkerPhase::Up => watch(shared, entry, worker, now),
            WorkerPhase::Pausing if closing.is_some() => stop(shared, entry),
            WorkerPhase::Pausing if entry.until <= now => {
                starts.push((worker, begin(shared, entry, worker, now)))
            }
            WorkerPhase::Pausing | WorkerPhase::Stopped => {}
        }
    }
    if !state.started && state.workers.iter().all(|entry| entry.phase == WorkerPhase::Up) {
        state.started = true;
        shared.changed.notify_all();
    }
    if !state.started && state.refused.is_none() && refused.is_some() {
        state.refused = refused;
        shared.changed.notify_all();
    }
    plan(shared, state, starts, now)
}

fn plan(shared: &Shared, state: &mut State, starts: Vec<(usize, u32)>, now: Instant) -> Plan {
    let mut wait = if state.closing.is_some() { WATCH } else { IDLE };
    state.watched = false;
    for (worker, entry) in state.workers.iter().enumerate() {
        let busy = entry.phase == WorkerPhase::Up && entry.has_work(&shared.memory, worker);
        state.watched |= busy;
        let blind = entry.process.as_ref().is_some_and(|process| process.descriptor().is_none());
        let next = match entry.phase {
            WorkerPhase::Starting => STARTING,
            WorkerPhase::Pausing => entry.until.saturating_duration_since(now) + Duration::from_millis(1),
            _ if busy || blind => WATCH,
            _ => IDLE,
        };
        wait = wait.min(next);
    }
    let descriptors = state.workers.iter().filter_map(|entry| entry.process.as_ref()?.descriptor()).collect();
    let finished = state.closing.is_some()
        && state.workers.iter().all(|entry| entry.phase == WorkerPhase::Stopped && entry.process.is_none());
    Plan { starts, descriptors, wait, finished }
}

/// Makes the slots of a worker ready for a new process; gives its generation.
fn begin(shared: &Shared, entry: &mut Entry, worker: usize, now: Instant) -> u32 {
    shared.memory.control(worker).reset();
    entry.phase = WorkerPhase::Starting;
    entry.until = now + shared.config.start_timeout;
    entry.restarts += u64::from(entry.generation > 0);
    entry.generation = entry.generation.wrapping_add(1).max(1);
    entry.generation
}

/// Starts the process of a worker, without the lock: that may take milliseconds.
fn start(shared: &Shared, worker: usize, generation: u32) {
    let process = Process::start(&shared.config, &shared.file, worker, generation);
    let mut state = shared.lock();
    let Some(entry) = state.workers.get_mut(worker) else { return };
    match process {
        Ok(process) => entry.process = Some(process),
        Err(error) => {
            let command = shared.config.command.display();
            let cause = format!("cannot be started as `{command}`: {error}");
            let refused = end(shared, entry, worker, cause, Instant::now());
            if !state.started {
                state.refused = refused;
                shared.changed.notify_all();
            }
        }
    }
}

/// A worker that starts is up when it says so, and killed when that takes too long.
fn come_up(shared: &Shared, entry: &mut Entry, worker: usize, now: Instant) {
    let ready = shared.memory.control(worker).ready.load(Ordering::SeqCst);
    if ready == entry.generation {
        entry.phase = WorkerPhase::Up;
        entry.stopped = 0;
        entry.progress = now;
        shared.freed.notify_all();
        shared.changed.notify_all();
    } else if entry.until <= now {
        let limit = shared.config.start_timeout.as_millis();
        let cause = format!("was not ready within {limit} ms");
        kill(entry, Loss::Blocked { cause, steps: None });
    }
}

/// A worker that has calls must finish some, or steps of one, and must not be stopped. What a thread inside it would say is worth
/// nothing where the callable blocks, so only answers and steps count.
fn watch(shared: &Shared, entry: &mut Entry, worker: usize, now: Instant) {
    if entry.reclaim(&shared.memory, worker) {
        shared.freed.notify_all();
    }
    if !entry.has_work(&shared.memory, worker) {
        entry.stopped = 0;
        return;
    }
    if entry.stepped(&shared.memory, worker) {
        entry.progress = now;
    }
    let since = now.saturating_duration_since(entry.progress);
    if since >= shared.config.call_timeout {
        let limit = shared.config.call_timeout.as_millis();
        let cause = format!("gave no answer within {limit} ms");
        kill(entry, Loss::Blocked { cause, steps: None });
    } else if since >= WATCH && entry.process.as_ref().is_some_and(Process::is_stopped) {
        entry.stopped += 1;
        if entry.stopped >= STOPPED_LIMIT {
            kill(entry, Loss::Stopped("was stopped by a signal".to_owned()));
        }
    } else {
        entry.stopped = 0;
    }
}

/// Kills a process, if there is one that has not been killed yet.
fn kill(entry: &mut Entry, loss: Loss) {
    if let (Some(process), None) = (entry.process.as_mut(), entry.killed.as_ref()) {
        process.kill();
        entry.killed = Some(loss);
    }
}

/// Takes notice of the end of a process; gives what that means for a pool that has not started.
fn end(shared: &Shared, entry: &mut Entry, worker: usize, cause: String, now: Instant) -> Option<Error> {
    let loss = entry.killed.take().unwrap_or(Loss::Died(cause));
    let process = entry.process.take();
    let was_up = entry.phase == WorkerPhase::Up;
    entry.lose(&shared.memory, worker, &loss);
    let said = if was_up { String::new() } else { process.map(|process| process.said()).unwrap_or_default() };
    entry.last_cause = Some(loss.cause());
    entry.failures_in_row = entry.failures_in_row.saturating_add(1);
    entry.phase = WorkerPhase::Pausing;
    entry.until = now + shared.config.pause(entry.failures_in_row);
    entry.down_since = if was_up { now } else { entry.down_since };
    shared.freed.notify_all();
    Some(Error::Start { cause: format!("worker {worker} {}", loss.cause()), stderr: said })
}

fn stop(shared: &Shared, entry: &mut Entry) {
    entry.phase = WorkerPhase::Stopped;
    shared.changed.notify_all();
}

/// Asks workers that are up to end after the calls they have.
fn tell_to_stop(shared: &Shared, state: &State) {
    let up = |entry: &Entry| entry.phase == WorkerPhase::Up;
    for (worker, _) in state.workers.iter().enumerate().filter(|(_, entry)| up(entry)) {
        shared.memory.control(worker).ring().push(STOP);
    }
}
