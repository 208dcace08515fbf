//! What a simulation says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::random::milliseconds;
use crate::policy::Nanos;

/// What became of all requests, and which batches there were.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In the order of their arrival.
    pub requests: Vec<Request>,
    /// In the order in which they started.
    pub batches: Vec<Batch>,
    /// Instances of the device.
    pub instances: usize,
    /// Threads of the CPU stage.
    pub cpu_threads: usize,
    /// Time that the CPU threads worked, all together.
    pub cpu_busy: Nanos,
    /// When the last request had its outcome.
    pub end: Nanos,
}

/// What became of one request. Times are in nanoseconds of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its model, as a place in what was simulated.
    pub model: usize,
    /// When it came.
    pub arrived: Nanos,
    /// From 0 to 3.
    pub priority: u8,
    /// When its result is of no use any more.
    pub deadline: Option<Nanos>,
    /// When its `preprocess` began.
    pub staged: Option<Nanos>,
    /// When its row was full.
    pub ready: Option<Nanos>,
    /// The batch that it was in, as a place in [`Report::batches`].
    pub batch: Option<usize>,
    /// When it had its outcome.
    pub ended: Nanos,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a result, in time.
    Done,
    /// With an error of its own.
    Failed,
    /// Its deadline passed, or could not be met any more.
    Late,
    /// The queue was full when it came.
    Overloaded,
    /// It was cancelled.
    Cancelled,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its model, as a place in what was simulated.
    pub model: usize,
    /// The instance that ran it.
    pub instance: usize,
    /// When it left.
    pub start: Nanos,
    /// When its computation began.
    pub compute_start: Nanos,
    /// When its computation ended.
    pub compute_end: Nanos,
    /// When its results were there.
    pub end: Nanos,
    /// Its requests, as places in [`Report::requests`].
    pub rows: Vec<usize>,
}

/// The figures of a [`Report`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Requests that came.
    pub requests: usize,
    /// Requests with a result in time.
    pub done: usize,
    /// Requests with an error of their own.
    pub failed: usize,
    /// Requests whose deadline passed or could not be met.
    pub late: usize,
    /// Requests that found the queue full.
    pub overloaded: usize,
    /// Requests that were cancelled.
    pub cancelled: usize,
    /// Results per second, from the first arrival to the last outcome.
    pub done_per_second: f64,
    /// Mean time from arrival to result, of those with a result, in milliseconds; 0 where there is none, as below.
    pub mean_ms: f64,
    /// Time within which half of the results came, in milliseconds.
    pub p50_ms: f64,
    /// Time within which 90 % of the results came, in milliseconds.
    pub p90_ms: f64,
    /// Time within which 99 % of the results came, in milliseconds.
    pub p99_ms: f64,
    /// Time of the slowest result, in milliseconds.
    pub max_ms: f64,
    /// Share of the time in which an instance computed, from 0 to 1.
    pub device_busy: f64,
    /// Share of the time in which a CPU thread worked, from 0 to 1.
    pub cpu_busy: f64,
    /// Mean rows of a batch.
    pub mean_batch: f64,
    /// How many batches there were of each size.
    pub batch_sizes: BTreeMap<usize, usize>,
}

impl Report {
    /// The figures.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers of requests")]
    pub fn summary(&self) -> Summary {
        let count = |outcome| self.requests.iter().filter(|request| request.outcome == outcome).count();
        let mut times: Vec<Nanos> = self.latencies().collect();
        times.sort_unstable();
        let first = self.requests.first().map_or(0, |request| request.arrived);
        let span = milliseconds(self.end.saturating_sub(first)).max(f64::MIN_POSITIVE);
        let computed: Nanos = self.batches.iter().map(|batch| batch.compute_end - batch.compute_start).sum();
        let rows: usize = self.batches.iter().map(|batch| batch.rows.len()).sum();
        let mut batch_sizes = BTreeMap::new();
        for batch in &self.batches {
            *batch_sizes.entry(batch.rows.len()).or_default() += 1;
        }
        Summary {
            requests: self.requests.len(),
            done: times.len(),
            failed: count(Outcome::Failed),
            late: count(Outcome::Late),
            overloaded: count(Outcome::Overloaded),
            cancelled: count(Outcome::Cancelled),
            done_per_second: times.len() as f64 * 1e3 / span,
            mean_ms: times.iter().copied().map(milliseconds).sum::<f64>() / times.len().max(1) as f64,
            p50_ms: percentile(&times, 50),
            p90_ms: percentile(&times, 90),
            p99_ms: percentile(&times, 99),
            max_ms: percentile(&times, 100),
            device_busy: milliseconds(computed) / span / self.instances as f64,
            cpu_busy: milliseconds(self.cpu_busy) / span / self.cpu_threads as f64,
            mean_batch: rows as f64 / self.batches.len().max(1) as f64,
            batch_sizes,
        }
    }

    /// Times from arrival to result, of the requests with a result.
    pub fn latencies(&self) -> impl Iterator<Item = Nanos> {
        let done = self.requests.iter().filter(|request| request.outcome == Outcome::Done);
        done.map(|request| request.ended - request.arrived)
    }
}

/// The smallest value that at least `percent` % of the values do not exceed, in milliseconds (nearest rank).
fn percentile(sorted: &[Nanos], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().map_or(0.0, milliseconds)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_values_of_the_nearest_rank() {
        let times: Vec<u64> = (1..=200).map(|time| time * 1_000_000).collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&times, percent)), [100.0, 198.0, 200.0]);
        assert_eq!((percentile(&times[..1], 50), percentile(&[], 99)), (1.0, 0.0));
    }
}
