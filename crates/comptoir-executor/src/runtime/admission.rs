//! Admission: a request is taken or refused at once, never kept waiting for room.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::core::{ModelState, Phase, Queued};
use super::cpu;
use super::pipeline::Pipeline;
use super::request::{Callback, Handle, Owner, Shared};
use super::stages::Stages;
use super::stats::Outcome;
use crate::error::Error;
use crate::policy::{Entry, Nanos, Rejected};

/// What a request asks for beside its item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Name of the model; none: the first.
    pub model: Option<String>,
    /// When the result is of no use any more; none: as the pipeline says.
    pub deadline: Option<Instant>,
    /// From 0, which can wait, to 3, which comes first; none: 1.
    pub priority: Option<u8>,
}

impl<S: Stages> Pipeline<S> {
    /// Takes an item for the first model, with the pipeline's deadline.
    ///
    /// # Errors
    /// [`Error::Overloaded`] where the queue is full, [`Error::Closed`] after [`Self::close`].
    pub fn submit(&self, item: S::Item) -> Result<Handle<S::Output>, Error> {
        self.submit_with(item, &Options::default(), None)
    }

    /// Takes an item. A callback, if there is one, is told the outcome on a thread of the pipeline; the handle's
    /// `wait` then never returns.
    ///
    /// # Errors
    /// [`Error::Overloaded`] where the queue is full, [`Error::DeadlineExceeded`] where the deadline has passed,
    /// [`Error::UnknownModel`], [`Error::Config`] for a priority above 3, [`Error::Closed`] after [`Self::close`].
    /// The callback is not called then.
    pub fn submit_with(
        &self,
        item: S::Item,
        options: &Options,
        callback: Option<Callback<S::Output>>,
    ) -> Result<Handle<S::Output>, Error> {
        let inner = &**self.inner();
        let (model, priority) = (self.find(options.model.as_deref())?, priority(options.priority)?);
        let now = inner.now();
        let deadline = self.deadline(now, options.deadline);
        let mut guard = inner.lock();
        let core = &mut *guard;
        let Some(state) = core.models.get_mut(model) else { return Err(Error::Closed) };
        state.counts.submitted += 1;
        if core.phase != Phase::Open {
            state.counts.outcome(Outcome::Closed);
            return Err(Error::Closed);
        }
        if deadline.is_some_and(|deadline| deadline <= now) {
            state.counts.outcome(Outcome::Late);
            return Err(Error::DeadlineExceeded { stage: "at submission", after: Duration::ZERO });
        }
        core.next_id += 1;
        let shared = Shared::new((core.next_id, model), now, deadline, callback);
        let queued = Queued { shared: Arc::clone(&shared), item };
        let entry = Entry { item: queued, arrived: now, deadline, priority };
        let (pushed, purged) = push(state, now, entry);
        core.live -= purged.len();
        if let Err(rejected) = pushed {
            let error = refused(state, &rejected, inner.spec.queue_limit);
            // What users gave is dropped without the lock.
            drop(guard);
            drop((rejected, purged));
            return Err(error);
        }
        core.live += 1;
        inner.watch(core, &shared);
        inner.wake_cpu(core);
        drop(guard);
        let owner: Weak<dyn Owner<S::Output>> = inner.weak();
        Ok(Handle::new(shared, owner))
    }

    /// The number of the model of this name.
    pub(super) fn find(&self, name: Option<&str>) -> Result<usize, Error> {
        let Some(name) = name else { return Ok(0) };
        let endpoints = &self.inner().endpoints;
        endpoints.iter().position(|endpoint| endpoint.name == name).ok_or_else(|| {
            let known: Vec<String> =
                endpoints.iter().map(|endpoint| format!("`{}`", endpoint.name)).collect();
            Error::UnknownModel { name: name.to_owned(), known: known.join(", ") }
        })
    }

    fn deadline(&self, now: Nanos, asked: Option<Instant>) -> Option<Nanos> {
        let default = self.inner().spec.deadline_ms.map(|limit| Duration::from_secs_f64(limit / 1e3));
        asked.map(|moment| self.inner().at(moment)).or(default.map(|limit| cpu::after(now, limit)))
    }
}

fn priority(asked: Option<u8>) -> Result<u8, Error> {
    match asked.unwrap_or(1) {
        priority @ 0..=3 => Ok(priority),
        other => Err(Error::config("priority", format!("must be 0, 1, 2 or 3, found {other}"))),
    }
}

/// Whether a request was taken, and what left the queue to make room.
type Pushed<S> = (Result<(), Rejected<Queued<S>>>, Vec<Entry<Queued<S>>>);

/// Puts a request into the queue; where it is full, those that were cancelled make room and come back.
fn push<S: Stages>(state: &mut ModelState<S>, now: Nanos, entry: Entry<Queued<S>>) -> Pushed<S> {
    match state.flow.queue.push(now, entry) {
        Err(Rejected::Overloaded(entry)) if state.cancelled > 0 => {
            state.cancelled = 0;
            let purged = state.flow.queue.purge(|queued| !queued.shared.is_decided());
            (state.flow.queue.push(now, entry).map(drop), purged)
        }
        pushed => (pushed.map(drop), Vec::new()),
    }
}

/// Counts a request that the queue did not take, and says why.
fn refused<S: Stages>(state: &mut ModelState<S>, rejected: &Rejected<Queued<S>>, limit: usize) -> Error {
    let waiting = state.flow.queue.len();
    match rejected {
        Rejected::Overloaded(_) => {
            state.counts.outcome(Outcome::Overloaded);
            Error::Overloaded { waiting, limit }
        }
        Rejected::Late(_) => {
            state.counts.outcome(Outcome::Late);
            Error::DeadlineExceeded { stage: "at submission", after: Duration::ZERO }
        }
    }
}
