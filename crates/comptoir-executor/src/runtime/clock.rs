//! The thread that ends requests at their deadline, wherever they are.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::core::{Core, Inner, Phase};
use super::leave;
use super::request::{Shared, Timings};
use super::stages::Stages;
use super::stats::Outcome;
use crate::error::Error;
use crate::policy::Nanos;

/// Watches deadlines until the pipeline stops.
pub(super) fn run<S: Stages>(inner: &Inner<S>) {
    let mut core = inner.lock();
    while core.phase != Phase::Stopped {
        let now = inner.now();
        let expired = expire(inner, &mut core, now);
        if !expired.is_empty() {
            drop(core);
            for request in expired {
                let after = Duration::from_nanos(now.saturating_sub(request.arrived));
                let error = Error::DeadlineExceeded { stage: "before its result was there", after };
                leave::deliver(inner, request.model, || request.deliver(Err(error), Timings::default()));
            }
            core = sweep(inner, now);
            continue;
        }
        let next = core.deadlines.first_key_value().map(|((deadline, _), _)| deadline.saturating_sub(now));
        core = match next {
            None => inner.clock.wait(core).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => inner
                .clock
                .wait_timeout(core, Duration::from_nanos(limit.max(1)))
                .map_or_else(|error| error.into_inner().0, |(core, _)| core),
        };
    }
}

type Expired<S> = Vec<Arc<Shared<<S as Stages>::Output>>>;

/// The requests whose deadline has passed and whose outcome is ours to give.
fn expire<S: Stages>(inner: &Inner<S>, core: &mut Core<S>, now: Nanos) -> Expired<S> {
    let mut expired = Vec::new();
    while let Some(entry) = core.deadlines.first_entry() {
        let &(deadline, _) = entry.key();
        if deadline > now {
            break;
        }
        let request = entry.remove();
        if request.decide() {
            inner.account(core, &request, Outcome::Late);
            expired.push(request);
        }
    }
    expired
}

/// Takes requests out of the queues that have just ended, so that they do not hold the place of others.
fn sweep<S: Stages>(inner: &Inner<S>, now: Nanos) -> std::sync::MutexGuard<'_, Core<S>> {
    let mut core = inner.lock();
    let mut late = Vec::new();
    for state in &mut core.models {
        late.extend(state.flow.queue.shed(now, now));
    }
    drop(core);
    leave::refuse(inner, late)
}
