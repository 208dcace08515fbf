//! A request from its submission to its one outcome.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::core::moment_after;
use crate::error::Error;
use crate::policy::Nanos;

/// The outcome of a request that will come: wait for it, `.await` it, or cancel it.
///
/// Dropping the handle leaves the request to run; [`Handle::cancel_on_drop`] gives it up instead.
#[derive(Debug)]
pub struct Handle<O> {
    shared: Arc<Shared<O>>,
    owner: Weak<dyn Owner<O>>,
}

/// Time that a request has spent, by place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for the CPU stage.
    pub queued: Duration,
    /// In `preprocess`.
    pub preprocess: Duration,
    /// Ready, waiting for its batch to start.
    pub batching: Duration,
    /// In `infer`, with the whole batch.
    pub infer: Duration,
    /// From the end of `infer` to the result: waiting for `postprocess`, and in it.
    pub postprocess: Duration,
    /// Rows of its batch; 0 if it never reached the device.
    pub batch_size: usize,
}

/// What a pipeline does when a caller gives a request up.
pub(super) trait Owner<O>: Send + Sync + std::fmt::Debug {
    /// The request was cancelled, and this call decided so.
    fn cancelled(&self, request: &Shared<O>);
}

/// Who is told of an outcome, on a thread of the pipeline. It must be quick and must not panic.
pub type Callback<O> = Box<dyn FnOnce(Result<O, Error>, Timings) + Send>;

/// The part of a request that its caller and the pipeline share.
pub(super) struct Shared<O> {
    /// Number of the request, in order of submission.
    pub(super) id: u64,
    /// Which model it is for.
    pub(super) model: usize,
    /// When it was submitted, since the start of the pipeline.
    pub(super) arrived: Nanos,
    /// Its deadline, since the start of the pipeline.
    pub(super) deadline: Option<Nanos>,
    /// Set once the outcome is decided, so that stages skip it.
    decided: AtomicBool,
    state: Mutex<State<O>>,
    done: Condvar,
}

struct State<O> {
    outcome: Option<(Result<O, Error>, Timings)>,
    waker: Option<Waker>,
    callback: Option<Callback<O>>,
}

impl<O> std::fmt::Debug for Shared<O> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<O> Shared<O> {
    pub(super) fn new(
        (id, model): (u64, usize),
        arrived: Nanos,
        deadline: Option<Nanos>,
        callback: Option<Callback<O>>,
    ) -> Arc<Self> {
        let state = State { outcome: None, waker: None, callback };
        Arc::new(Self {
            id,
            model,
            arrived,
            deadline,
            decided: AtomicBool::new(false),
            state: Mutex::new(state),
            done: Condvar::new(),
        })
    }

    /// Whether the outcome is decided.
    pub(super) fn is_decided(&self) -> bool {
        self.decided.load(Ordering::Acquire)
    }

    /// Takes the right to give the outcome: true for exactly one caller, which must then call [`Self::deliver`].
    pub(super) fn decide(&self) -> bool {
        !self.decided.swap(true, Ordering::AcqRel)
    }

    /// Gives the outcome to whoever waits. Only for whom [`Self::decide`] gave true.
    pub(super) fn deliver(&self, result: Result<O, Error>, timings: Timings) {
        let mut state = self.lock();
        if let Some(callback) = state.callback.take() {
            drop(state);
            callback(result, timings);
            return;
        }
        state.outcome = Some((result, timings));
        let waker = state.waker.take();
        drop(state);
        self.done.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O> Handle<O> {
    pub(super) fn new(shared: Arc<Shared<O>>, owner: Weak<dyn Owner<O>>) -> Self {
        Self { shared, owner }
    }

    /// Waits for the outcome.
    ///
    /// # Errors
    /// The request's error.
    pub fn wait(self) -> Result<O, Error> {
        self.wait_with_timings().0
    }

    /// Waits for the outcome and says where the time went.
    pub fn wait_with_timings(self) -> (Result<O, Error>, Timings) {
        let mut state = self.shared.lock();
        loop {
            if let Some(outcome) = state.outcome.take() {
                return outcome;
            }
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the outcome, at most for `limit`; the handle comes back where there is none yet.
    ///
    /// # Errors
    /// The handle, to wait on.
    pub fn wait_timeout(self, limit: Duration) -> Result<Result<O, Error>, Self> {
        let until = moment_after(limit);
        let mut state = self.shared.lock();
        loop {
            if let Some((result, _)) = state.outcome.take() {
                return Ok(result);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                return Err(self);
            }
            state = self
                .shared
                .done
                .wait_timeout(state, left)
                .map_or_else(|error| error.into_inner().0, |(state, _)| state);
        }
    }

    /// Whether the outcome is there.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.shared.is_decided()
    }

    /// Gives the request up: false where its outcome is already decided. What has not reached the device yet never
    /// does.
    pub fn cancel(&self) -> bool {
        Canceller { shared: Arc::clone(&self.shared), owner: Weak::clone(&self.owner) }.cancel()
    }

    /// The right to cancel, apart from the outcome.
    #[must_use]
    pub fn canceller(&self) -> Canceller<O> {
        Canceller { shared: Arc::clone(&self.shared), owner: Weak::clone(&self.owner) }
    }

    /// A future that gives the request up when it is dropped before its outcome: what a server wants whose client
    /// has gone.
    #[must_use]
    pub fn cancel_on_drop(self) -> CancelOnDrop<O> {
        CancelOnDrop(self)
    }
}

/// The right to give a request up.
#[derive(Debug)]
pub struct Canceller<O> {
    shared: Arc<Shared<O>>,
    owner: Weak<dyn Owner<O>>,
}

impl<O> Canceller<O> {
    /// Gives the request up: false where its outcome is already decided.
    pub fn cancel(&self) -> bool {
        if !self.shared.decide() {
            return false;
        }
        // Counted before it is told, as every outcome is.
        if let Some(owner) = self.owner.upgrade() {
            owner.cancelled(&self.shared);
        }
        self.shared.deliver(Err(Error::Cancelled), Timings::default());
        true
    }
}

impl<O> Future for Handle<O> {
    type Output = Result<O, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.lock();
        match state.outcome.take() {
            Some((result, _)) => Poll::Ready(result),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A handle whose request is given up with it.
#[derive(Debug)]
pub struct CancelOnDrop<O>(Handle<O>);

impl<O> Future for CancelOnDrop<O> {
    type Output = Result<O, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<O> Drop for CancelOnDrop<O> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
