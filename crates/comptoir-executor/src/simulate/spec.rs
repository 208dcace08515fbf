//! What a simulation is told.

use serde::{Deserialize, Serialize};

use super::random::{Random, nanos};
use crate::error::Error;
use crate::policy::{BatchPolicy, Nanos};

/// What comes, how long stages take, and what goes wrong. The default is a device of 4 + 0.15 n ms behind two CPU
/// threads that take 1 ms for a request, and nothing goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Chooses the random numbers.
    pub seed: u64,
    /// Requests that come; a trace has its own number.
    pub requests: usize,
    /// When they come.
    pub arrivals: Arrivals,
    /// Time from arrival to deadline; none: no deadlines.
    pub deadline: Option<TimeSpec>,
    /// How frequent the priorities 0 to 3 are, in proportion.
    pub priorities: [f64; 4],
    /// Threads of the CPU stage.
    pub cpu_threads: usize,
    /// Time of `preprocess`.
    pub preprocess: TimeSpec,
    /// Time of `postprocess`; a mean of 0 takes no thread.
    pub postprocess: TimeSpec,
    /// Requests that may wait for the CPU stage.
    pub queue_limit: usize,
    /// How batches are made.
    pub batch: BatchPolicy,
    /// The device.
    pub device: DeviceSpec,
    /// What goes wrong.
    pub faults: Faults,
}

/// One of several models that share CPU threads and device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// Its share of the CPU threads and of the device where other models want them, too.
    pub weight: u32,
    /// Its requests, stages and batches. `cpu_threads`, `device.instances` and `device.depth` are those of the pipeline,
    /// so they must be the same for all.
    pub scenario: Scenario,
}

/// When requests come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// Independently of each other, so many each second.
    Poisson {
        /// Mean rate.
        per_second: f64,
    },
    /// At equal distances.
    Regular {
        /// Rate.
        per_second: f64,
    },
    /// `size` at once, bursts independently of each other.
    Bursts {
        /// Mean rate of requests, not of bursts.
        per_second: f64,
        /// Requests of a burst.
        size: usize,
    },
    /// At these times in milliseconds, in ascending order.
    TraceMs(Vec<f64>),
}

/// A time and how it varies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// Mean in milliseconds.
    pub mean_ms: f64,
    /// How it varies.
    #[serde(default)]
    pub spread: Spread,
}

/// How a time varies around its mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Not at all.
    #[default]
    Constant,
    /// Evenly, up to this share of the mean below and above it: from 0 to 1.
    Uniform(f64),
    /// Exponentially.
    Exponential,
}

/// A device whose batch of n rows computes for `fixed_ms` + n x `per_row_ms`.
///
/// Each instance has an engine for copies to it, one for the computation and one for copies back, each of which does
/// one batch at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceSpec {
    /// Fixed time of a batch, in milliseconds.
    pub fixed_ms: f64,
    /// Time of the computation for each row, in milliseconds.
    pub per_row_ms: f64,
    /// By which share the computation of a batch is shorter or longer, evenly: from 0 to 1.
    pub jitter: f64,
    /// Time in which the input of a row is copied, in milliseconds.
    pub copy_in_ms: f64,
    /// Time in which the output of a row is copied back, in milliseconds.
    pub copy_out_ms: f64,
    /// Instances, which run at the same time.
    pub instances: usize,
    /// Batches that an instance has under way at once.
    pub depth: usize,
}

/// What goes wrong; the default is nothing. Probabilities are from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Probability that `preprocess` fails for a request.
    pub preprocess_fails: f64,
    /// Probability that a row makes its batch fail; the batch is run again in halves until that row is alone.
    pub row_fails: f64,
    /// Probability that a batch fails once.
    pub batch_fails: f64,
    /// Probability that a batch takes `hiccup_ms` longer.
    pub hiccup: f64,
    /// How much longer, in milliseconds.
    pub hiccup_ms: f64,
    /// When the device stalls, in milliseconds.
    pub stall_at_ms: f64,
    /// For how long it computes nothing then, in milliseconds; 0: it does not stall.
    pub stall_ms: f64,
    /// Probability that a request is cancelled.
    pub cancel: f64,
    /// Mean time from arrival to cancellation, in milliseconds, exponentially distributed.
    pub cancel_after_ms: f64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            requests: 10_000,
            arrivals: Arrivals::Poisson { per_second: 1000.0 },
            deadline: None,
            priorities: [0.0, 1.0, 0.0, 0.0],
            cpu_threads: 2,
            preprocess: TimeSpec::constant(1.0),
            postprocess: TimeSpec::constant(0.0),
            queue_limit: 1024,
            batch: BatchPolicy::default(),
            device: DeviceSpec::default(),
            faults: Faults::default(),
        }
    }
}

impl Default for DeviceSpec {
    fn default() -> Self {
        Self {
            fixed_ms: 4.0,
            per_row_ms: 0.15,
            jitter: 0.0,
            copy_in_ms: 0.0,
            copy_out_ms: 0.0,
            instances: 1,
            depth: 1,
        }
    }
}

impl TimeSpec {
    /// Always `mean_ms` milliseconds.
    #[must_use]
    pub const fn constant(mean_ms: f64) -> Self {
        Self { mean_ms, spread: Spread::Constant }
    }

    fn check(&self, field: &str) -> Result<(), Error> {
        within(&format!("{field}.mean_ms"), self.mean_ms, MOST_MS)?;
        match self.spread {
            Spread::Uniform(width) => within(&format!("{field}.spread.uniform"), width, 1.0),
            Spread::Constant | Spread::Exponential => Ok(()),
        }
    }
}

impl Scenario {
    /// The fields that belong to the pipeline, not to one of its models.
    const fn pipeline(&self) -> [(&'static str, usize); 3] {
        [
            ("cpu_threads", self.cpu_threads),
            ("device.instances", self.device.instances),
            ("device.depth", self.device.depth),
        ]
    }

    /// Whether the settings can be used.
    ///
    /// # Errors
    /// [`Error::Config`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        let Self { device, faults, .. } = self;
        for (field, value, most) in [
            ("requests", self.requests, MOST_REQUESTS),
            ("cpu_threads", self.cpu_threads, 65_536),
            ("queue_limit", self.queue_limit, usize::MAX),
            ("device.instances", device.instances, 4096),
            ("device.depth", device.depth, 16),
        ] {
            if value == 0 || value > most {
                return Err(Error::config(field, format!("must be from 1 to {most}, found {value}")));
            }
        }
        self.arrivals.check(self.requests)?;
        self.deadline.map_or(Ok(()), |deadline| deadline.check("deadline"))?;
        self.preprocess.check("preprocess")?;
        self.postprocess.check("postprocess")?;
        self.batch.check()?;
        if !self.priorities.iter().all(|share| (0.0..=1e9).contains(share))
            || self.priorities.iter().sum::<f64>() <= 0.0
        {
            return Err(Error::config("priorities", "shares must be at least 0, and one of them above 0"));
        }
        device.check()?;
        faults.check()
    }
}

impl Weighted {
    /// Whether the models can share a pipeline.
    ///
    /// # Errors
    /// [`Error::Config`] with the field, such as `models[1].device.depth`.
    pub(super) fn check_all(models: &[Self]) -> Result<(), Error> {
        let Some(first) = models.first().map(|model| model.scenario.pipeline()) else {
            return Err(Error::config("models", "a pipeline needs at least one model"));
        };
        for (at, Self { scenario, .. }) in models.iter().enumerate() {
            scenario.check().map_err(|error| match error {
                Error::Config { field, message } => Error::config(format!("models[{at}].{field}"), message),
                other => other,
            })?;
            for ((field, own), (_, first)) in scenario.pipeline().into_iter().zip(first) {
                if own != first {
                    let message = format!("is shared, and {first} in models[0], found {own}");
                    return Err(Error::config(format!("models[{at}].{field}"), message));
                }
            }
        }
        Ok(())
    }
}

impl DeviceSpec {
    fn check(&self) -> Result<(), Error> {
        within("device.jitter", self.jitter, 1.0)?;
        for (field, time) in [
            ("fixed_ms", self.fixed_ms),
            ("per_row_ms", self.per_row_ms),
            ("copy_in_ms", self.copy_in_ms),
            ("copy_out_ms", self.copy_out_ms),
        ] {
            within(&format!("device.{field}"), time, MOST_MS)?;
        }
        Ok(())
    }
}

impl Faults {
    fn check(&self) -> Result<(), Error> {
        for (field, value, most) in [
            ("preprocess_fails", self.preprocess_fails, 1.0),
            ("row_fails", self.row_fails, 1.0),
            ("batch_fails", self.batch_fails, 1.0),
            ("hiccup", self.hiccup, 1.0),
            ("hiccup_ms", self.hiccup_ms, MOST_MS),
            ("stall_at_ms", self.stall_at_ms, MOST_TRACE_MS),
            ("stall_ms", self.stall_ms, MOST_MS),
            ("cancel", self.cancel, 1.0),
            ("cancel_after_ms", self.cancel_after_ms, MOST_MS),
        ] {
            within(&format!("faults.{field}"), value, most)?;
        }
        Ok(())
    }
}

impl Arrivals {
    fn check(&self, requests: usize) -> Result<(), Error> {
        let refused = |message: String| Err(Error::config("arrivals.per_second", message));
        #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
        let rate = |per_second: f64, requests: usize| match per_second {
            rate if !(rate > 0.0 && rate <= MOST_RATE) => {
                refused(format!("must be above 0 and at most {MOST_RATE}, found {rate}"))
            }
            rate if requests as f64 / rate > MOST_SECONDS => {
                refused(format!("{requests} requests would come in more than a century, found {rate}"))
            }
            _ => Ok(()),
        };
        match self {
            Self::Poisson { per_second } | Self::Regular { per_second } => rate(*per_second, requests),
            Self::Bursts { size, .. } if !(1..=MOST_REQUESTS).contains(size) => {
                let message = format!("must be from 1 to {MOST_REQUESTS}, found {size}");
                Err(Error::config("arrivals.size", message))
            }
            Self::Bursts { per_second, size } => rate(*per_second, requests.max(*size)),
            Self::TraceMs(times) => {
                if !(1..=MOST_REQUESTS).contains(&times.len()) {
                    let message = format!("must be from 1 to {MOST_REQUESTS} times, found {}", times.len());
                    return Err(Error::config("arrivals.trace_ms", message));
                }
                check_trace(times)
            }
        }
    }

    /// The times of arrival.
    pub(super) fn times(&self, requests: usize, random: &mut Random) -> Vec<Nanos> {
        let mut at = 0.0;
        let mut step = |mean: f64, random: &mut Random| {
            at += mean * random.exponential();
            nanos(at)
        };
        match self {
            Self::Poisson { per_second } => (0..requests).map(|_| step(1e3 / per_second, random)).collect(),
            #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
            Self::Regular { per_second } => {
                (0..requests).map(|number| nanos(number as f64 * 1e3 / per_second)).collect()
            }
            #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
            Self::Bursts { per_second, size } => {
                let bursts: Vec<Nanos> = (0..requests.div_ceil(*size))
                    .map(|_| step(*size as f64 * 1e3 / per_second, random))
                    .collect();
                bursts.into_iter().flat_map(|at| std::iter::repeat_n(at, *size)).take(requests).collect()
            }
            Self::TraceMs(times) => times.iter().copied().map(nanos).collect(),
        }
    }
}

const MOST_REQUESTS: usize = 10_000_000;
const MOST_RATE: f64 = 1e9;
/// A century: 64 bits count the nanoseconds of five.
const MOST_SECONDS: f64 = 100.0 * 366.0 * 86_400.0;
const MOST_MS: f64 = 86_400_000.0;
const MOST_TRACE_MS: f64 = 31.0 * MOST_MS;

/// Refuses the first time of a trace that is out of range or before the one before it.
fn check_trace(times: &[f64]) -> Result<(), Error> {
    let mut before = 0.0;
    for (at, &time) in times.iter().enumerate() {
        if !(before..=MOST_TRACE_MS).contains(&time) {
            let message = format!(
                "must be in ascending order, from 0 to {MOST_TRACE_MS}: time {at} is {time:?} after {before:?}"
            );
            return Err(Error::config("arrivals.trace_ms", message));
        }
        before = time;
    }
    Ok(())
}

fn within(field: &str, value: f64, most: f64) -> Result<(), Error> {
    if (0.0..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::config(field, format!("must be from 0 to {most}, found {value}")))
}
