//! How a pool starts, feeds and watches its workers.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::Error;

/// Settings of a [`WorkerPool`](super::WorkerPool).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The program; it is started anew, never forked from this process.
    pub command: PathBuf,
    /// Its arguments. One more is appended, which the worker gives to [`Worker::attach`](super::Worker::attach).
    pub args: Vec<OsString>,
    /// Variables added to the environment.
    pub env: Vec<(OsString, OsString)>,
    /// Bytes that every worker can read by [`Worker::setup`](super::Worker::setup), also after a restart.
    pub setup: Vec<u8>,
    /// Number of processes.
    pub workers: usize,
    /// Calls that a worker is given at once, so that it never waits for its parent.
    pub depth: usize,
    /// Memory for the input of one call.
    pub input_bytes: usize,
    /// Memory for the output of one call.
    pub output_bytes: usize,
    /// Memory for what describes the output of one call.
    pub header_bytes: usize,
    /// A worker that has calls and finishes none for so long is killed.
    pub call_timeout: Duration,
    /// A worker must be ready after so long, and a call waits no longer than this where no worker is up.
    pub start_timeout: Duration,
    /// How often a call is given to another worker after it lost one.
    pub retries: u32,
    /// Pause before a worker is started again; doubles with every failure up to `backoff_limit`.
    pub backoff: Duration,
    /// The longest pause before a worker is started again.
    pub backoff_limit: Duration,
    /// Time that workers have to finish when the pool is dropped.
    pub grace: Duration,
    /// Limit of the address space of a worker (`RLIMIT_AS`): allocations beyond it fail inside the worker.
    pub memory_bytes: Option<u64>,
}

impl WorkerConfig {
    /// One worker of `command` with room for 1 MiB in and out.
    #[must_use]
    pub fn new(command: impl Into<PathBuf>) -> Self {
        Self {
            command: command.into(),
            args: Vec::new(),
            env: Vec::new(),
            setup: Vec::new(),
            workers: 1,
            depth: 2,
            input_bytes: 1 << 20,
            output_bytes: 1 << 20,
            header_bytes: 4096,
            call_timeout: Duration::from_secs(30),
            start_timeout: Duration::from_secs(30),
            retries: 1,
            backoff: Duration::from_millis(100),
            backoff_limit: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            memory_bytes: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let counts = [("workers", self.workers, 1024), ("depth", self.depth, 64)];
        for (field, value, limit) in counts {
            if value == 0 || value > limit {
                let message = format!("`{value}` is out of range 1 to {limit}");
                return Err(Error::Config { field, message });
            }
        }
        let times = [("call_timeout", self.call_timeout), ("start_timeout", self.start_timeout)];
        match times.into_iter().find(|(_, time)| time.is_zero() || *time > A_DAY) {
            Some((field, _)) => {
                Err(Error::Config { field, message: "must be more than zero and at most a day".to_owned() })
            }
            None => Ok(()),
        }
    }

    /// The pause before the start after `failures` in a row.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.backoff.saturating_mul(doubled).min(self.backoff_limit)
    }
}

/// The longest time that a worker may take: beyond it nobody waits.
const A_DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let config = WorkerConfig::new("worker");
        let pauses: Vec<u128> = [1, 2, 3, 8, 100].map(|failures| config.pause(failures).as_millis()).to_vec();
        assert_eq!(pauses, [100, 200, 400, 10_000, 10_000]);
    }

    #[test]
    fn no_workers_are_refused_with_the_field() {
        let config = WorkerConfig { workers: 0, ..WorkerConfig::new("worker") };
        let error = config.check().unwrap_err();
        assert_eq!(error.to_string(), "`workers`: `0` is out of range 1 to 1024");
    }
}
