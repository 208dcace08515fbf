//! How requests leave: `postprocess`, results, failures, and those that are late.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use comptoir_types::{ErrorCode, ErrorKind};

use super::core::{Core, Inner, Post, Queued, Ready};
use super::cpu::panic_text;
use super::request::{Shared, Timings};
use super::stages::{Predicted, Stages};
use super::stats::Outcome;
use crate::error::Error;
use crate::policy::{Entry, Nanos};

/// Runs `postprocess` for rows of one model, one after the other or together, and gives their outcomes. Returns with the
/// lock.
pub(super) fn postprocess<S: Stages>(
    inner: &Inner<S>,
    model: usize,
    posts: Vec<Post<S>>,
    together: bool,
) -> MutexGuard<'_, Core<S>> {
    let Some(endpoint) = inner.endpoints.get(model) else { return inner.lock() };
    let stages = &*endpoint.stages;
    let count = posts.len();
    let mut posts = posts.into_iter();
    in_scope(stages, &mut || {
        let done: Vec<_> = if together {
            outcomes(inner, stages, posts.by_ref().collect())
        } else {
            posts.by_ref().filter_map(|post| outcome(inner, stages, post)).collect()
        };
        // Counted before anybody is told: who has a result finds it in the statistics.
        let mut core = inner.lock();
        for (shared, result, timings) in &done {
            inner.account(&mut core, shared, Outcome::of(result));
            if let Some(state) = core.models.get_mut(model) {
                state.counts.timings(timings);
            }
        }
        drop(core);
        for (shared, result, timings) in done {
            shared.deliver(result, timings);
        }
    });
    let mut core = inner.lock();
    release(inner, &mut core, model, count);
    core
}

type Ended<S> = (Arc<Shared<<S as Stages>::Output>>, Result<<S as Stages>::Output, Error>, Timings);

/// Runs `postprocess` for a row; none where the request has its outcome already.
fn outcome<S: Stages>(inner: &Inner<S>, stages: &S, post: Post<S>) -> Option<Ended<S>> {
    let (rest, row) = apart(post)?;
    let result =
        catch_unwind(AssertUnwindSafe(|| stages.postprocess(&row.predictions, row.row, row.context)));
    rest.end(inner, result.unwrap_or_else(|panic| Err(panicked(&*panic))))
}

/// Runs `postprocess` for several rows at once, of those that have no outcome yet.
fn outcomes<S: Stages>(inner: &Inner<S>, stages: &S, posts: Vec<Post<S>>) -> Vec<Ended<S>> {
    let (rests, rows): (Vec<_>, Vec<_>) = posts.into_iter().filter_map(apart).unzip();
    let missing = || Err(Error::Internal("postprocess gave a row no outcome".to_owned()));
    match catch_unwind(AssertUnwindSafe(|| stages.postprocess_rows(rows))) {
        Ok(results) => {
            let results = results.into_iter().chain(std::iter::repeat_with(missing));
            rests.into_iter().zip(results).filter_map(|(rest, result)| rest.end(inner, result)).collect()
        }
        Err(panic) => rests.into_iter().filter_map(|rest| rest.end(inner, Err(panicked(&*panic)))).collect(),
    }
}

/// What is left of a request while its row is in `postprocess`.
struct Rest<O> {
    shared: Arc<Shared<O>>,
    timings: Timings,
    inferred: Nanos,
}

impl<O> Rest<O> {
    fn end<S: Stages<Output = O>>(mut self, inner: &Inner<S>, result: Result<O, Error>) -> Option<Ended<S>> {
        let result = result.map_err(|error| since_submission(inner, &self.shared, error, "in postprocess"));
        self.timings.postprocess = Duration::from_nanos(inner.now().saturating_sub(self.inferred));
        self.shared.decide().then_some((self.shared, result, self.timings))
    }
}

/// Takes a request and its row apart; none where the request has its outcome already.
fn apart<S: Stages>(post: Post<S>) -> Option<(Rest<S::Output>, Predicted<S>)> {
    let Post { flight: Ready { shared, context, timings, .. }, predictions, row, inferred } = post;
    if shared.is_decided() {
        return None;
    }
    Some((Rest { shared, timings, inferred }, Predicted { predictions, row, context }))
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    Error::stage("postprocess", panic_text(panic))
}

/// Gives a request its outcome for the error of a stage, unless it has one.
pub(super) fn fail<S: Stages>(
    inner: &Inner<S>,
    shared: &Shared<S::Output>,
    error: Error,
    stage: &'static str,
    timings: Timings,
) {
    if shared.decide() {
        let result = Err(since_submission(inner, shared, error, stage));
        inner.account(&mut inner.lock(), shared, Outcome::of(&result));
        deliver(inner, shared.model, || shared.deliver(result, timings));
    }
}

/// A stage that waited until the deadline knows what it waited for, not since when the request was on its way.
fn since_submission<S: Stages>(
    inner: &Inner<S>,
    shared: &Shared<S::Output>,
    error: Error,
    stage: &'static str,
) -> Error {
    if error.kind() != ErrorKind::Timeout {
        return error;
    }
    Error::DeadlineExceeded { stage, after: Duration::from_nanos(inner.now().saturating_sub(shared.arrived)) }
}

impl Outcome {
    /// The outcome of a request that came to a result, or to an error of its own.
    fn of<T>(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(error) if error.kind() == ErrorKind::Timeout => Self::Late,
            Err(_) => Self::Failed,
        }
    }
}

/// Gives outcomes to requests whose batch failed.
pub(super) fn finish_failed<S: Stages>(inner: &Inner<S>, model: usize, failures: Vec<(Ready<S>, Error)>) {
    let mut failures = failures.into_iter();
    if let Some(endpoint) = inner.endpoints.get(model) {
        in_scope(&*endpoint.stages, &mut || {
            for (flight, error) in failures.by_ref() {
                finish(inner, model, flight, Err(error), Outcome::Failed);
            }
        });
    }
}

/// Gives a request past its row its outcome, unless it has one, and lets it leave.
pub(super) fn finish<S: Stages>(
    inner: &Inner<S>,
    model: usize,
    flight: Ready<S>,
    result: Result<S::Output, Error>,
    outcome: Outcome,
) {
    let decided = flight.shared.decide();
    if decided {
        inner.account(&mut inner.lock(), &flight.shared, outcome);
        deliver(inner, model, || flight.shared.deliver(result, flight.timings));
    }
    release(inner, &mut inner.lock(), model, 1);
}

/// Lets requests leave whose stage has returned when the pipeline had stopped: nobody goes on with them, and they had
/// their outcome then.
pub(super) fn discard<S: Stages>(
    inner: &Inner<S>,
    model: usize,
    flights: impl IntoIterator<Item = Ready<S>>,
) {
    for flight in flights {
        finish(inner, model, flight, Err(Error::Closed), Outcome::Closed);
    }
}

/// Requests leave their rows behind: others may follow.
fn release<S: Stages>(inner: &Inner<S>, core: &mut Core<S>, model: usize, count: usize) {
    if let Some(state) = core.models.get_mut(model) {
        state.flow.left(count);
        if !state.flow.queue.is_empty() {
            for _ in 0..count.min(core.idle_cpu) {
                inner.cpu.notify_one();
            }
        }
    }
    inner.left(core, count);
}

/// Ends requests of the queue that are late, or that have an outcome already.
pub(super) fn refuse<S: Stages>(inner: &Inner<S>, late: Vec<Entry<Queued<S>>>) -> MutexGuard<'_, Core<S>> {
    let count = late.len();
    for Entry { item: Queued { shared, item }, arrived, .. } in late {
        drop(item);
        if shared.decide() {
            let after = Duration::from_nanos(inner.now().saturating_sub(arrived));
            let error = Error::DeadlineExceeded { stage: "waiting for the CPU stage", after };
            inner.account(&mut inner.lock(), &shared, Outcome::Late);
            deliver(inner, shared.model, || shared.deliver(Err(error), Timings::default()));
        }
    }
    let mut core = inner.lock();
    inner.left(&mut core, count);
    core
}

/// Gives an outcome inside the host's scope.
pub(super) fn deliver<S: Stages>(inner: &Inner<S>, model: usize, give: impl FnOnce()) {
    let mut give = Some(give);
    if let Some(endpoint) = inner.endpoints.get(model) {
        in_scope(&*endpoint.stages, &mut || {
            if let Some(give) = give.take() {
                give();
            }
        });
    }
}

/// Runs work in the host's scope. A panic of a caller's callback must not end a thread of the pipeline.
pub(super) fn in_scope<S: Stages>(stages: &S, work: &mut dyn FnMut()) {
    let _ = catch_unwind(AssertUnwindSafe(|| stages.scope(work)));
}
