//! When a request that is taken now has its result.

use super::{BatchPolicy, LatencyModel, Nanos};

/// What is ahead of a request that would be taken from the [`Queue`](super::Queue) now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Expected time of its `preprocess`.
    pub cpu_time: Nanos,
    /// Rows past the queue that are in no batch yet: in `preprocess`, or ready.
    pub rows: usize,
    /// When the first instance is expected to have ended the batches that it has; now or earlier where one is idle.
    pub free_at: Nanos,
    /// Requests in the queue, itself included.
    pub behind: usize,
    /// Instances on the device.
    pub instances: usize,
}

/// The moment at which a request taken now is expected to have its result: behind its `preprocess`, the batches under
/// way, and the rows ahead of it in full batches. `beside` says how much of the device other models take while this one takes
/// so much.
///
/// [`Queue::shed`](super::Queue::shed) with this moment takes out, while they wait, requests that would be late at the
/// device. Where more than one full batch waits, a whole batch is added. Without that and the rows ahead, an overloaded
/// pipeline hands the device rows that only just meet their deadline; these leave in small batches, in which the
/// device does a fraction of what it could (early drop: Shen et al., Nexus, SOSP 2019). The whole queue counts as
/// waiting, although a slow CPU stage may not bring it in time: counting only what it brings made pipelines that are
/// limited by their CPU threads do half as much in the simulator.
///
/// The price is bounded. A request that is shed would have met its deadline by less than the time of three full
/// batches, where `preprocess` takes as long as expected: one because its own batch may be smaller than thought, one for
/// the backlog, and one because the batch under way may be; the latter only until batches of two sizes were seen.
#[must_use]
pub fn soonest(
    now: Nanos,
    ahead: Ahead,
    latency: &LatencyModel,
    policy: &BatchPolicy,
    beside: impl Fn(Nanos) -> Nanos,
) -> Nanos {
    let full = policy.max_size.max(1);
    let batch = latency.estimate(full);
    let start = now.saturating_add(ahead.cpu_time).max(ahead.free_at);
    let rounds = ahead.rows / full / ahead.instances.max(1);
    let own = (ahead.rows % full + ahead.behind.max(1)).min(full);
    let backlog = ahead.rows + ahead.behind > full;
    let taken = batch
        .saturating_mul(rounds as Nanos)
        .saturating_add(latency.estimate(own))
        .saturating_add(if backlog { batch } else { 0 });
    start.saturating_add(taken).saturating_add(beside(taken))
}

/// A model and what it wants of the device, as the requests of another one see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rival {
    /// Its weight.
    pub weight: u32,
    /// Time of the device for all its requests, in full batches.
    pub work: Nanos,
    /// Time of a full batch.
    pub batch: Nanos,
}

impl Rival {
    /// A model with `rows` requests in the pipeline.
    #[must_use]
    pub fn new(
        weight: u32,
        rows: usize,
        instances: usize,
        latency: &LatencyModel,
        policy: &BatchPolicy,
    ) -> Self {
        let full = policy.max_size.max(1);
        let batch = latency.estimate(full);
        let rest = if rows.is_multiple_of(full) { 0 } else { latency.estimate(rows % full) };
        let work = batch.saturating_mul((rows / full) as Nanos).saturating_add(rest);
        Self { weight, work: work / instances.max(1) as Nanos, batch }
    }

    /// How much of the device it takes while a model of this weight takes `own`: its share and a batch, if it has so much
    /// to do.
    #[must_use]
    pub fn beside(&self, own: Nanos, weight: u32) -> Nanos {
        let share = u128::from(own) * u128::from(self.weight) / u128::from(weight.max(1));
        let share = Nanos::try_from(share).unwrap_or(Nanos::MAX);
        share.saturating_add(self.batch).min(self.work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(rows: usize, behind: usize, free_at: Nanos, instances: usize) -> Nanos {
        let policy = BatchPolicy { max_size: 8, ..BatchPolicy::default() };
        let ahead = Ahead { cpu_time: 30, rows, free_at, behind, instances };
        soonest(1000, ahead, &LatencyModel::new(100, 10), &policy, |_| 0)
    }

    #[test]
    fn a_rival_takes_its_share_but_no_more_than_it_has_to_do() {
        let policy = BatchPolicy { max_size: 8, ..BatchPolicy::default() };
        let rival = |rows| Rival::new(2, rows, 1, &LatencyModel::new(100, 10), &policy);
        assert_eq!(rival(0).beside(500, 1), 0);
        assert_eq!(rival(10).work, 180 + 120);
        assert_eq!(rival(10).beside(500, 1), 300);
        assert_eq!(rival(1000).beside(500, 1), 2 * 500 + 180);
        assert_eq!(rival(1000).beside(500, 4), 500 / 2 + 180);
    }

    #[test]
    fn an_empty_pipeline_takes_the_stages_of_the_request_alone() {
        assert_eq!(ask(0, 1, 0, 1), 1000 + 30 + 110);
        assert_eq!(ask(0, 1, 1200, 1), 1200 + 110);
    }

    #[test]
    fn rows_ahead_and_behind_share_its_batch() {
        assert_eq!(ask(3, 2, 0, 1), 1030 + 150);
    }

    #[test]
    fn a_backlog_counts_full_batches_and_one_more() {
        assert_eq!(ask(16, 20, 0, 1), 1030 + 2 * 180 + 180 + 180);
        assert_eq!(ask(16, 20, 0, 2), 1030 + 180 + 180 + 180);
    }
}
