//! What a pool says about its workers.

use crate::metrics::{Samples, Text, count, labels};

/// The workers of a pool at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStats {
    /// One entry for each worker, in the order of their numbers.
    pub workers: Vec<WorkerStatus>,
}

/// The workers of models, given with their names, in the text format of Prometheus; the names of the numbers begin with
/// `comptoir_executor_worker`. Empty where there is none.
#[must_use]
pub fn prometheus(models: &[(&str, WorkerStats)]) -> String {
    if models.is_empty() {
        return String::new();
    }
    let each = |value: fn(&WorkerStatus) -> u64| -> Samples {
        let workers = models.iter().flat_map(|(model, stats)| {
            stats.workers.iter().enumerate().map(move |(number, worker)| (model, number, worker))
        });
        workers
            .map(|(model, number, worker)| {
                (labels(&[("model", model), ("worker", &number.to_string())]), count(value(worker)))
            })
            .collect()
    };
    let mut text = Text::default();
    let up = each(|worker| u64::from(worker.phase == WorkerPhase::Up));
    text.family("worker_up", "gauge", "Whether a worker process takes calls.", up);
    let calls = each(|worker| worker.in_flight as u64);
    text.family("worker_calls", "gauge", "Calls that a worker process has or that wait for it.", calls);
    let answered = each(|worker| worker.calls);
    text.family("worker_calls_total", "counter", "Calls that a worker process answered.", answered);
    let failures = each(|worker| worker.failures);
    text.family("worker_failures_total", "counter", "Calls that failed or were lost.", failures);
    let restarts = each(|worker| worker.restarts);
    text.family(
        "worker_restarts_total",
        "counter",
        "How often a worker process was started again.",
        restarts,
    );
    text.end()
}

/// One worker at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Process number; none while there is no process.
    pub pid: Option<u32>,
    /// What the worker does.
    pub phase: WorkerPhase,
    /// Calls that it has or that wait for it.
    pub in_flight: usize,
    /// Slots whose callers have left at their deadline, and which the worker still has.
    pub quarantined: usize,
    /// Calls that it answered, failures included.
    pub calls: u64,
    /// Calls whose callable failed, and calls that were lost with it.
    pub failures: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it ended the last time.
    pub last_cause: Option<String>,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerPhase {
    /// Started, not yet ready.
    Starting,
    /// Takes calls.
    Up,
    /// Waits to be started again.
    Pausing,
    /// Ended for good.
    Stopped,
}

impl WorkerPhase {
    /// Its name, such as `starting`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Pausing => "pausing",
            Self::Stopped => "stopped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worker_of_each_model_is_a_sample() {
        let worker = |phase, calls| WorkerStatus {
            pid: None,
            phase,
            in_flight: 1,
            quarantined: 0,
            calls,
            failures: 0,
            restarts: 2,
            last_cause: None,
        };
        let first =
            WorkerStats { workers: vec![worker(WorkerPhase::Up, 7), worker(WorkerPhase::Pausing, 8)] };
        let text =
            prometheus(&[("a", first), ("b", WorkerStats { workers: vec![worker(WorkerPhase::Up, 9)] })]);
        let has = |line: &str| assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        has("# TYPE comptoir_executor_worker_up gauge");
        has("comptoir_executor_worker_up{model=\"a\",worker=\"1\"} 0");
        has("comptoir_executor_worker_calls_total{model=\"a\",worker=\"0\"} 7");
        has("comptoir_executor_worker_calls_total{model=\"b\",worker=\"0\"} 9");
        has("comptoir_executor_worker_restarts_total{model=\"b\",worker=\"0\"} 2");
        assert_eq!(prometheus(&[]), "");
    }
}
