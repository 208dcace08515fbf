//! What a plan is asked for.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::policy::BatchPolicy;
use crate::simulate::{Arrivals, DeviceSpec, Scenario, Spread, TimeSpec};

/// A configuration and the load that it is to bear. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlanSpec {
    /// Requests per second, coming independently of each other; give this or `trace_ms`.
    pub per_second: Option<f64>,
    /// When requests came, in milliseconds, in ascending order.
    pub trace_ms: Option<Vec<f64>>,
    /// Requests that are simulated, for a rate.
    pub requests: usize,
    /// Chooses the random numbers.
    pub seed: u64,
    /// Time from arrival to deadline; none: no deadline.
    pub deadline_ms: Option<f64>,
    /// Time of `preprocess` and `postprocess` for a request.
    pub cpu_ms: f64,
    /// How the CPU time varies.
    pub cpu_spread: Spread,
    /// Threads of the CPU stage.
    pub cpu_threads: usize,
    /// The device: the fitted a + b x n as `fixed_ms` and `per_row_ms`, copies, instances, depth.
    pub device: DeviceSpec,
    /// How batches are made.
    pub batch: BatchPolicy,
    /// Requests that may wait for the CPU stage.
    pub queue_limit: usize,
}

/// A changed configuration: the field, its value before and now, and the whole.
pub(super) type Changed = (&'static str, usize, usize, PlanSpec);

impl Default for PlanSpec {
    fn default() -> Self {
        let Scenario { requests, seed, cpu_threads, device, batch, queue_limit, .. } = Scenario::default();
        Self {
            per_second: None,
            trace_ms: None,
            requests,
            seed,
            deadline_ms: None,
            cpu_ms: 1.0,
            cpu_spread: Spread::Constant,
            cpu_threads,
            device,
            batch,
            queue_limit,
        }
    }
}

/// An error of the scenario with the field of the plan that it comes from.
pub(super) fn named(error: Error) -> Error {
    let Error::Config { field, message } = error else { return error };
    let own = match field.as_str() {
        "arrivals.per_second" => "per_second",
        "arrivals.trace_ms" => "trace_ms",
        "deadline.mean_ms" => "deadline_ms",
        "preprocess.mean_ms" => "cpu_ms",
        "preprocess.spread.uniform" => "cpu_spread.uniform",
        same => same,
    };
    Error::config(own, message)
}

impl PlanSpec {
    /// The scenario that is simulated.
    ///
    /// # Errors
    /// [`Error::Config`] where there is no load, or two.
    pub fn scenario(&self) -> Result<Scenario, Error> {
        let arrivals = match (self.per_second, &self.trace_ms) {
            (Some(per_second), None) if per_second > 0.0 => Arrivals::Poisson { per_second },
            (Some(per_second), None) => {
                return Err(Error::config("per_second", format!("must be above 0, found {per_second}")));
            }
            (None, Some(times)) => Arrivals::TraceMs(times.clone()),
            (Some(_), Some(_)) => {
                return Err(Error::config("trace_ms", "give per_second or trace_ms, not both"));
            }
            (None, None) => return Err(Error::config("per_second", "give per_second or trace_ms")),
        };
        Ok(Scenario {
            seed: self.seed,
            requests: self.requests,
            arrivals,
            deadline: self.deadline_ms.map(TimeSpec::constant),
            cpu_threads: self.cpu_threads,
            preprocess: TimeSpec { mean_ms: self.cpu_ms, spread: self.cpu_spread },
            queue_limit: self.queue_limit,
            batch: self.batch.clone(),
            device: self.device.clone(),
            ..Scenario::default()
        })
    }

    /// Requests per second that come: the rate, or the mean rate of the trace.
    #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
    pub(super) fn rate(&self) -> f64 {
        let trace = self.trace_ms.as_deref().unwrap_or_default();
        let span = trace.last().unwrap_or(&0.0) - trace.first().unwrap_or(&0.0);
        // Between n requests lie n - 1 distances.
        self.per_second
            .unwrap_or_else(|| if span > 0.0 { (trace.len() - 1) as f64 * 1e3 / span } else { 0.0 })
    }

    /// The same configuration at another rate.
    pub(super) fn at(&self, per_second: f64) -> Self {
        Self { per_second: Some(per_second), trace_ms: None, ..self.clone() }
    }

    /// Configurations that differ in one field.
    pub(super) fn changes(&self) -> Vec<Changed> {
        let (threads, size) = (self.cpu_threads, self.batch.max_size);
        let DeviceSpec { instances, depth, .. } = self.device;
        let copies = self.device.copy_in_ms + self.device.copy_out_ms > 0.0;
        let device = |device| Self { device, ..self.clone() };
        let mut changes = vec![
            ("cpu_threads", threads, threads + 1, Self { cpu_threads: threads + 1, ..self.clone() }),
            ("device.instances", instances, instances + 1, {
                device(DeviceSpec { instances: instances + 1, ..self.device.clone() })
            }),
        ];
        // The best of preferred sizes is a property of the device: a larger limit alone would change nothing.
        if self.batch.preferred.is_empty() {
            let batch = BatchPolicy { max_size: size * 2, ..self.batch.clone() };
            changes.push(("batch.max_size", size, size * 2, Self { batch, ..self.clone() }));
        }
        if copies && depth < 3 {
            let deeper = DeviceSpec { depth: depth + 1, ..self.device.clone() };
            changes.push(("device.depth", depth, depth + 1, device(deeper)));
        }
        changes.retain(|(.., changed)| {
            changed.at(1.0).scenario().is_ok_and(|scenario| scenario.check().is_ok())
        });
        changes
    }
}
