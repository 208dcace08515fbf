//! What is left when a pipeline stops before all its requests have finished.

use std::sync::Arc;

use super::core::{Core, Inner, Post, Queued, Ready};
use super::leave::deliver;
use super::request::{Shared, Timings};
use super::stages::Stages;
use super::stats::Outcome;
use crate::error::Error;
use crate::policy::Entry;

/// Requests that were taken out of a pipeline that stops, wherever they were.
pub(super) struct Abandoned<S: Stages> {
    queued: Vec<Entry<Queued<S>>>,
    ready: Vec<Ready<S>>,
    posts: Vec<Post<S>>,
    /// In a stage that has not returned: whatever it returns is dropped.
    at_work: Vec<Arc<Shared<S::Output>>>,
}

impl<S: Stages> Inner<S> {
    /// Takes out every request, but for those in a stage, which only lose their outcome.
    pub(super) fn take_all(&self, core: &mut Core<S>) -> Abandoned<S> {
        let now = self.now();
        let mut queued = Vec::new();
        let mut ready = Vec::new();
        for state in &mut core.models {
            queued.extend(std::iter::from_fn(|| state.flow.queue.pop(now)));
            for forming in &mut state.forming {
                let rows = forming.drop_rows(|_| false);
                state.flow.left(rows.len());
                ready.extend(rows);
            }
        }
        let posts: Vec<Post<S>> = core.posts.drain(..).collect();
        for post in &posts {
            if let Some(state) = core.models.get_mut(post.flight.shared.model) {
                state.flow.left(1);
            }
        }
        let count = queued.len() + ready.len() + posts.len();
        self.left(core, count);
        let at_work = core.at_work.iter().flatten().cloned().collect();
        Abandoned { queued, ready, posts, at_work }
    }
}

impl<S: Stages> Abandoned<S> {
    /// Ends them all with [`Error::Closed`].
    pub(super) fn end(self, inner: &Inner<S>) {
        let Self { queued, ready, posts, at_work } = self;
        let mut requests = at_work;
        // Items and contexts belong to the user's code and are dropped in its scope, without a lock.
        requests.extend(queued.into_iter().map(|entry| entry.item.shared));
        requests.extend(ready.into_iter().map(|flight| flight.shared));
        requests.extend(posts.into_iter().map(|post| post.flight.shared));
        for request in requests {
            if request.decide() {
                inner.account(&mut inner.lock(), &request, Outcome::Closed);
                deliver(inner, request.model, || request.deliver(Err(Error::Closed), Timings::default()));
            }
        }
    }
}
