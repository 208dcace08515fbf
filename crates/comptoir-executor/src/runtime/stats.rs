//! What a pipeline counts.

use serde::Serialize;

use super::request::Timings;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Failed,
    Late,
    Overloaded,
    Cancelled,
    Closed,
}

/// What has happened in a pipeline since it started, and what it holds now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Seconds since the start.
    pub uptime: f64,
    /// Per model.
    pub models: Vec<ModelStats>,
    /// Per instance on the device: the share of the time in which it had a batch.
    pub utilisation: Vec<f64>,
    /// Rows whose predictions wait for `postprocess`.
    pub waiting_postprocess: usize,
    /// Requests with no outcome yet, or not yet out of the way.
    pub live: usize,
}

/// What has happened to the requests of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelStats {
    /// Its name.
    pub name: String,
    /// Requests that were submitted, those that were refused included.
    pub submitted: u64,
    /// How they ended. What is missing to `submitted` is still inside.
    pub outcomes: Outcomes,
    /// Requests that wait for the CPU stage.
    pub queued: usize,
    /// Requests in `preprocess`.
    pub preprocessing: usize,
    /// Rows that are ready and wait for the device.
    pub ready: usize,
    /// Batches that were run.
    pub batches: u64,
    /// Rows in them.
    pub rows: u64,
    /// Batches by size: upper bounds 1, 2, 4, 8 ... and how many batches were at most so large, each batch once.
    pub batch_sizes: Vec<(u64, u64)>,
    /// Seconds in each place, of requests with a result or an error after the device.
    pub stages: Stages,
    /// Versions of the model that serve.
    pub versions: Vec<VersionStats>,
}

/// Counts of outcomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// A result.
    pub done: u64,
    /// An error of the request's own.
    pub failed: u64,
    /// Deadline exceeded.
    pub late: u64,
    /// Refused because the queue was full.
    pub overloaded: u64,
    /// Given up by the caller.
    pub cancelled: u64,
    /// Ended by the closing of the pipeline.
    pub closed: u64,
}

/// Seconds by stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stages {
    /// Waiting for the CPU stage.
    pub queued: Distribution,
    /// In `preprocess`.
    pub preprocess: Distribution,
    /// Ready, waiting for the device.
    pub batching: Distribution,
    /// In `infer`.
    pub infer: Distribution,
    /// After `infer`.
    pub postprocess: Distribution,
    /// From submission to outcome.
    pub total: Distribution,
}

/// Quantiles read off a histogram whose steps are 1/8 of a power of two: at most 9 % too high.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// Number of values.
    pub count: u64,
    /// Their sum, in seconds.
    pub sum: f64,
    /// Median, in seconds.
    pub p50: f64,
    /// 90 % are below.
    pub p90: f64,
    /// 99 % are below.
    pub p99: f64,
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionStats {
    /// Its name.
    pub name: String,
    /// Its share of the rows.
    pub share: f64,
    /// Rows that it has had.
    pub rows: u64,
    /// Seconds that a batch takes: a + b x rows; none before the first batch.
    pub latency: Option<(f64, f64)>,
}

/// Counters of one model.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) submitted: u64,
    pub(super) outcomes: Outcomes,
    pub(super) batches: u64,
    pub(super) rows: u64,
    sizes: Vec<u64>,
    queued: Histogram,
    preprocess: Histogram,
    batching: Histogram,
    infer: Histogram,
    postprocess: Histogram,
    total: Histogram,
}

impl Counts {
    pub(super) fn outcome(&mut self, outcome: Outcome) {
        let outcomes = &mut self.outcomes;
        let counter = match outcome {
            Outcome::Done => &mut outcomes.done,
            Outcome::Failed => &mut outcomes.failed,
            Outcome::Late => &mut outcomes.late,
            Outcome::Overloaded => &mut outcomes.overloaded,
            Outcome::Cancelled => &mut outcomes.cancelled,
            Outcome::Closed => &mut outcomes.closed,
        };
        *counter += 1;
    }

    pub(super) fn batch(&mut self, rows: usize) {
        self.batches += 1;
        self.rows += rows as u64;
        let step = rows.max(1).next_power_of_two().trailing_zeros() as usize;
        if self.sizes.len() <= step {
            self.sizes.resize(step + 1, 0);
        }
        if let Some(size) = self.sizes.get_mut(step) {
            *size += 1;
        }
    }

    pub(super) fn timings(&mut self, timings: &Timings) {
        let Timings { queued, preprocess, batching, infer, postprocess, .. } = *timings;
        self.queued.add(queued.as_secs_f64());
        self.preprocess.add(preprocess.as_secs_f64());
        self.batching.add(batching.as_secs_f64());
        self.infer.add(infer.as_secs_f64());
        self.postprocess.add(postprocess.as_secs_f64());
        self.total.add((queued + preprocess + batching + infer + postprocess).as_secs_f64());
    }

    pub(super) fn sizes(&self) -> Vec<(u64, u64)> {
        self.sizes.iter().enumerate().map(|(step, &count)| (1 << step, count)).collect()
    }

    pub(super) fn stages(&self) -> Stages {
        Stages {
            queued: self.queued.distribution(),
            preprocess: self.preprocess.distribution(),
            batching: self.batching.distribution(),
            infer: self.infer.distribution(),
            postprocess: self.postprocess.distribution(),
            total: self.total.distribution(),
        }
    }
}

/// Values in steps of an eighth of a power of two, from 2^-24 s (60 ns) to 2^8 s.
#[derive(Debug)]
struct Histogram {
    steps: Box<[u64]>,
    count: u64,
    sum: f64,
}

const STEPS_OF_A_DOUBLING: f64 = 8.0;
const LOWEST: f64 = -24.0;
const DOUBLINGS: usize = 32;

impl Default for Histogram {
    fn default() -> Self {
        Self { steps: vec![0; DOUBLINGS * 8 + 1].into(), count: 0, sum: 0.0 }
    }
}

impl Histogram {
    fn add(&mut self, seconds: f64) {
        self.count += 1;
        self.sum += seconds;
        let step = ((seconds.max(f64::MIN_POSITIVE).log2() - LOWEST) * STEPS_OF_A_DOUBLING).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates")]
        let step = (step.max(0.0) as usize).min(self.steps.len() - 1);
        if let Some(step) = self.steps.get_mut(step) {
            *step += 1;
        }
    }

    fn distribution(&self) -> Distribution {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|quantile| self.quantile(quantile));
        Distribution { count: self.count, sum: self.sum, p50, p90, p99 }
    }

    fn quantile(&self, quantile: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rank among counts")]
        let wanted = (quantile * self.count as f64).ceil().max(1.0);
        let mut seen = 0_u64;
        for (step, count) in self.steps.iter().enumerate() {
            seen += count;
            #[expect(clippy::cast_precision_loss, reason = "a rank among counts")]
            if seen as f64 >= wanted && self.count > 0 {
                return (step as f64 / STEPS_OF_A_DOUBLING + LOWEST).exp2();
            }
        }
        0.0
    }
}

impl Stages {
    /// The stages with their names.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Distribution); 6] {
        [
            ("queued", self.queued),
            ("preprocess", self.preprocess),
            ("batching", self.batching),
            ("infer", self.infer),
            ("postprocess", self.postprocess),
            ("total", self.total),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_at_most_nine_percent_too_high() {
        let mut histogram = Histogram::default();
        for value in 1..=1000 {
            histogram.add(f64::from(value) / 1000.0);
        }
        let distribution = histogram.distribution();
        for (found, exact) in [(distribution.p50, 0.5), (distribution.p90, 0.9), (distribution.p99, 0.99)] {
            assert!((exact..=exact * 1.0906).contains(&found), "{found} for {exact}");
        }
        assert_eq!(distribution.count, 1000);
        assert_eq!(Histogram::default().distribution(), Distribution::default());
    }
}
