//! What a configuration can do at most, by counting and by simulation.

use serde::{Deserialize, Serialize};

use super::PlanSpec;
use crate::error::Error;
use crate::simulate::{Summary, simulate};

/// The resource that can do less than the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottleneck {
    /// The CPU threads.
    Cpu,
    /// The device.
    Device,
}

/// Halvings between nothing and the capacity: to less than 1 % of it.
const STEPS: u32 = 7;

/// The highest rate that holds the deadline, by bisection; none without a deadline, for a trace, and where there is none.
pub(super) fn highest(spec: &PlanSpec) -> Result<Option<f64>, Error> {
    if spec.deadline_ms.is_none() || spec.trace_ms.is_some() {
        return Ok(None);
    }
    bisect(spec)
}

/// What is compared between configurations: the rate that holds the deadline, without one the capacity.
pub(super) fn held(spec: &PlanSpec) -> Result<f64, Error> {
    match spec.deadline_ms {
        Some(_) => Ok(bisect(spec)?.unwrap_or(0.0)),
        None => Ok(cpu(spec).min(device(spec))),
    }
}

fn bisect(spec: &PlanSpec) -> Result<Option<f64>, Error> {
    let (mut low, mut high) = (0.0, cpu(spec).min(device(spec)).min(MOST_RATE));
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if holds(&simulate(&spec.at(middle).scenario()?)?.summary()) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok((low > 0.0).then_some(low))
}

/// Where neither stage takes time, a rate that no process takes.
const MOST_RATE: f64 = 1e8;

/// Whether at least 99 of 100 requests have a result in time.
pub(super) fn holds(load: &Summary) -> bool {
    load.done * 100 >= load.requests * 99
}

/// Requests per second of the CPU threads.
#[expect(clippy::cast_precision_loss, reason = "a number of threads")]
pub(super) fn cpu(spec: &PlanSpec) -> f64 {
    (spec.cpu_threads as f64 * 1e3 / spec.cpu_ms).min(MOST_RATE)
}

/// Requests per second of the device, in batches of the best size. With one lane copies and the computation follow each
/// other; with more, the slowest of the engines decides, or the lanes where they are too few to keep it busy.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows and instances")]
pub(super) fn device(spec: &PlanSpec) -> f64 {
    let (device, preferred) = (&spec.device, &spec.batch.preferred);
    let rate = |rows: usize| {
        let n = rows as f64;
        let [copy_in, compute, copy_out] =
            [device.copy_in_ms * n, device.fixed_ms + device.per_row_ms * n, device.copy_out_ms * n];
        let longest = copy_in.max(compute).max(copy_out);
        n / longest.max((copy_in + compute + copy_out) / device.depth as f64)
    };
    let largest = preferred.iter().copied().max().unwrap_or(spec.batch.max_size);
    let best = (1..=largest).map(rate).fold(0.0, f64::max);
    (best * device.instances as f64 * 1e3).min(MOST_RATE)
}

/// The resource that can do less.
pub(super) fn bottleneck(spec: &PlanSpec) -> Bottleneck {
    if cpu(spec) < device(spec) { Bottleneck::Cpu } else { Bottleneck::Device }
}
