//! CPU threads: `preprocess` and `postprocess`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::core::{Core, Inner, Phase, Post, Queued, Ready, nanos};
use super::leave::{discard, fail, finish, in_scope, postprocess, refuse};
use super::request::Timings;
use super::rows::RowMut;
use super::shapes::ShapesOf;
use super::slot::Slot;
use super::stages::Stages;
use super::stats::Outcome;
use crate::error::Error;
use crate::policy::{Entry, Nanos};

/// What a CPU thread does next.
enum Task<S: Stages> {
    /// Rows of one model, taken to `postprocess` at once.
    Postprocess(usize, Vec<Post<S>>),
    Preprocess(usize, Entry<Queued<S>>),
    /// Requests of the queue that can no longer meet their deadline.
    Refuse(Vec<Entry<Queued<S>>>),
}

impl<S: Stages> Task<S> {
    /// The model whose stages do it.
    const fn model(&self) -> Option<usize> {
        match self {
            Self::Postprocess(model, _) | Self::Preprocess(model, _) => Some(*model),
            Self::Refuse(_) => None,
        }
    }
}

/// Tasks that a thread does in one scope at most, so that others get a host's lock now and then.
const IN_SCOPE: usize = 64;

/// Runs CPU stages until the pipeline stops.
pub(super) fn run<S: Stages>(inner: &Inner<S>, thread: usize) {
    let mut core = inner.lock();
    while core.phase != Phase::Stopped {
        let mut next = take(inner, &mut core, thread);
        if next.is_none() {
            core.idle_cpu += 1;
            core = inner.cpu.wait(core).unwrap_or_else(PoisonError::into_inner);
            core.idle_cpu -= 1;
            continue;
        }
        drop(core);
        while let Some(task) = next {
            next = work(inner, thread, task);
        }
        core = inner.lock();
    }
}

/// Does a task, and in the same scope those of its model that are next: to enter an interpreter, which waits for its lock,
/// takes longer than many a stage. Gives the task after them, if it is of another model.
fn work<S: Stages>(inner: &Inner<S>, thread: usize, task: Task<S>) -> Option<Task<S>> {
    let model = task.model();
    let Some(endpoint) = model.and_then(|model| inner.endpoints.get(model)) else {
        drop(perform(inner, thread, task));
        return None;
    };
    let (mut next, mut left) = (Some(task), IN_SCOPE);
    in_scope(&*endpoint.stages, &mut || {
        while let Some(task) = next.take_if(|task| task.model() == model) {
            let mut core = perform(inner, thread, task);
            left -= 1;
            if left > 0 && core.phase != Phase::Stopped {
                next = take(inner, &mut core, thread);
            }
        }
    });
    next
}

/// Does a task. Returns with the lock.
fn perform<'i, S: Stages>(inner: &'i Inner<S>, thread: usize, task: Task<S>) -> MutexGuard<'i, Core<S>> {
    match task {
        Task::Postprocess(model, posts) => {
            let start = inner.now();
            let together = posts.len() > 1;
            let mut core = postprocess(inner, model, posts, together);
            inner.set_cpu(&mut core, thread, None);
            inner.trace.span("cpu", thread, || "postprocess".to_owned(), start, inner.now());
            core
        }
        Task::Preprocess(model, entry) => {
            let mut core = preprocess(inner, model, entry, thread);
            inner.set_cpu(&mut core, thread, None);
            core
        }
        Task::Refuse(late) => refuse(inner, late),
    }
}

/// The next task, from now on in the hands of the thread: what is not in a queue must be found there.
fn take<S: Stages>(inner: &Inner<S>, core: &mut Core<S>, thread: usize) -> Option<Task<S>> {
    let task = next_task(inner, core)?;
    match &task {
        Task::Postprocess(_, posts) => {
            inner.set_cpu(core, thread, posts.iter().map(|post| Arc::clone(&post.flight.shared)));
        }
        Task::Preprocess(_, entry) => inner.set_cpu(core, thread, Some(Arc::clone(&entry.item.shared))),
        Task::Refuse(_) => {}
    }
    Some(task)
}

/// The oldest work first: what is nearly done, then a request of the model whose turn it is.
fn next_task<S: Stages>(inner: &Inner<S>, core: &mut Core<S>) -> Option<Task<S>> {
    if let Some(task) = take_posts(inner, core) {
        return Some(task);
    }
    let now = inner.now();
    if !core.deadlines.is_empty() {
        let late = core.schedule.shed(now, &mut core.models);
        if !late.is_empty() {
            return Some(Task::Refuse(late));
        }
    }
    let (model, entry) = core.schedule.next_request(now, &mut core.models)?;
    Some(Task::Preprocess(model, entry))
}

/// The rows that have waited longest for `postprocess`, as many as its model takes at once.
fn take_posts<S: Stages>(inner: &Inner<S>, core: &mut Core<S>) -> Option<Task<S>> {
    let model = core.posts.front()?.flight.shared.model;
    let most = inner.endpoints.get(model)?.stages.postprocess_at_once();
    let mut posts = Vec::with_capacity(1);
    posts.extend(core.posts.pop_front());
    while posts.len() < most && core.posts.front().is_some_and(|post| post.flight.shared.model == model) {
        posts.extend(core.posts.pop_front());
    }
    Some(Task::Postprocess(model, posts))
}

/// Runs `preprocess` of a request, and gives its row to the forming batch.
fn preprocess<S: Stages>(
    inner: &Inner<S>,
    model: usize,
    entry: Entry<Queued<S>>,
    thread: usize,
) -> MutexGuard<'_, Core<S>> {
    let start = inner.now();
    let Entry { item: Queued { shared, item }, arrived, deadline, .. } = entry;
    if shared.is_decided() {
        drop(item);
        return give_up(inner, model, None);
    }
    let shapes = ShapesOf { inner, model };
    let slot = Slot::new(&shapes, deadline.map(|deadline| inner.moment(deadline)));
    let (result, taken) = guarded(inner, model, item, slot);
    let end = inner.now();
    inner.trace.span("cpu", thread, || "preprocess".to_owned(), start, end);
    let timings = Timings {
        queued: Duration::from_nanos(start.saturating_sub(arrived)),
        preprocess: Duration::from_nanos(end.saturating_sub(start)),
        ..Timings::default()
    };
    match (result, taken) {
        (Ok(context), Some((shape, row))) => {
            let flight = Ready { shared, context, arrived, ready: end, deadline, timings };
            fill(inner, model, shape, row, flight)
        }
        (result, taken) => {
            let error = result.err().unwrap_or_else(|| Error::stage("preprocess", "it wrote no row"));
            fail(inner, &shared, error, "in preprocess", timings);
            give_up(inner, model, taken)
        }
    }
}

/// Gives a full row to the forming batch.
fn fill<S: Stages>(
    inner: &Inner<S>,
    model: usize,
    shape: usize,
    row: RowMut,
    flight: Ready<S>,
) -> MutexGuard<'_, Core<S>> {
    let mut core = inner.lock();
    let stopped = core.phase == Phase::Stopped;
    if let Some(state) = core.models.get_mut(model) {
        state.flow.filled(nanos(flight.timings.preprocess));
        if stopped {
            drop(core);
            discard(inner, model, [flight]);
            return inner.lock();
        }
        let homeless = state.forming.get_mut(shape).and_then(|forming| forming.fill(row, flight));
        if let Some((error, flight)) = homeless {
            drop(core);
            finish(inner, model, flight, Err(error), Outcome::Failed);
            core = inner.lock();
        }
    }
    inner.wake_lanes(&core);
    core
}

type Staged<S> = (Result<<S as Stages>::Context, Error>, Option<(usize, RowMut)>);

fn guarded<S: Stages>(inner: &Inner<S>, model: usize, item: S::Item, mut slot: Slot<'_>) -> Staged<S> {
    let Some(endpoint) = inner.endpoints.get(model) else {
        return (Err(Error::Internal("a model has gone".to_owned())), None);
    };
    let result = catch_unwind(AssertUnwindSafe(|| {
        let context = endpoint.stages.preprocess(item, &mut slot)?;
        // A model without tensors takes what the context carries; its rows are empty.
        slot.reserve_empty()?;
        Ok(context)
    }));
    let result = result.unwrap_or_else(|panic| Err(Error::stage("preprocess", panic_text(&*panic))));
    (result, slot.into_taken())
}

/// A request leaves in `preprocess`, with the row it may have had.
fn give_up<S: Stages>(
    inner: &Inner<S>,
    model: usize,
    taken: Option<(usize, RowMut)>,
) -> MutexGuard<'_, Core<S>> {
    let mut core = inner.lock();
    if let Some(state) = core.models.get_mut(model) {
        state.flow.gave_up();
        if let Some((shape, row)) = taken
            && let Some(forming) = state.forming.get_mut(shape)
        {
            forming.abandon(row);
        }
    }
    // A lane that waited for this row goes on without it.
    inner.wake_lanes(&core);
    inner.left(&mut core, 1);
    core
}

/// The message of a panic.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let cause = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("panicked: {cause}")
}

/// The moment `limit` from now.
pub(super) fn after(now: Nanos, limit: Duration) -> Nanos {
    now.saturating_add(nanos(limit))
}
