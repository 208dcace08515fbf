//! Why a call to a worker process has no result.

use std::time::Duration;

use comptoir_types::{ErrorCode, ErrorKind};

/// What went wrong with a worker process, or with a call that it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The worker ended while it had the call, and the call has been tried as often as it may be.
    #[error("worker {worker} {cause}")]
    Died {
        /// Number of the worker in its pool.
        worker: usize,
        /// How it ended, such as `exited with code 3`.
        cause: String,
    },
    /// The worker made no progress and was killed.
    #[error("worker {worker} {cause}")]
    Hung {
        /// Number of the worker in its pool.
        worker: usize,
        /// What was seen, such as `gave no answer within 500 ms`.
        cause: String,
        /// How many steps of the call it had finished ([`Request::step`](super::Request::step)), where the next one had
        /// the whole of [`WorkerConfig::call_timeout`](super::WorkerConfig::call_timeout) for itself. None where the
        /// worker was stopped from outside, or finished a step while it was being killed.
        steps: Option<u64>,
    },
    /// A worker, or the pool as a whole, does not come up.
    #[error("workers do not start: {cause}{}", tail(.stderr))]
    Start {
        /// What happened.
        cause: String,
        /// The end of what the worker wrote to its standard error.
        stderr: String,
    },
    /// An input or output is larger than the memory that a call has.
    #[error("{what} of {needed} bytes does not fit into the {available} bytes of a call: raise `{setting}`")]
    Size {
        /// `input`, `output` or `header of output`.
        what: &'static str,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that there are.
        available: u64,
        /// The setting to raise.
        setting: &'static str,
    },
    /// The callable failed; the worker lives on.
    #[error("{message}")]
    Failed {
        /// What it said, for Python with the type of the exception.
        message: String,
        /// Where it happened, for Python the traceback; empty where unknown.
        traceback: String,
        /// The failure as a value of the host, for Python the pickled exception; empty where there is none.
        detail: Vec<u8>,
    },
    /// The deadline passed before the worker answered.
    #[error("deadline exceeded {stage}, {} ms after the call", .after.as_millis())]
    DeadlineExceeded {
        /// `waiting for a worker` or `in a worker`.
        stage: &'static str,
        /// Time since the call.
        after: Duration,
    },
    /// The pool takes no calls any more, or was closed before this one was done.
    #[error("the worker pool is closed")]
    Closed,
    /// A setting is wrong.
    #[error("`{field}`: {message}")]
    Config {
        /// The field of [`WorkerConfig`](super::WorkerConfig).
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl Error {
    /// A pool that cannot start because of `cause`, without words of a worker.
    pub(crate) fn start(cause: impl Into<String>) -> Self {
        Self::Start { cause: cause.into(), stderr: String::new() }
    }

    /// A system call that failed while the pool or a worker was set up.
    pub(crate) fn system(what: &str, error: &std::io::Error) -> Self {
        Self::start(format!("{what}: {error}"))
    }
}

/// The words of the worker as the end of a message of one line.
fn tail(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!("; it said `{}`", stderr.trim().replace('\n', " | "))
    }
}

impl ErrorCode for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Died { .. } => "EXECUTOR_WORKER_DIED",
            Self::Hung { .. } => "EXECUTOR_WORKER_HUNG",
            Self::Start { .. } => "EXECUTOR_WORKER_START",
            Self::Size { .. } => "EXECUTOR_WORKER_SIZE",
            Self::Failed { .. } => "EXECUTOR_WORKER_FAILED",
            Self::DeadlineExceeded { .. } => "EXECUTOR_DEADLINE_EXCEEDED",
            Self::Closed => "EXECUTOR_CLOSED",
            Self::Config { .. } => "EXECUTOR_CONFIG",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Died { .. } | Self::Hung { .. } | Self::Start { .. } | Self::Closed => {
                ErrorKind::Unavailable
            }
            Self::Size { .. } => ErrorKind::Limit,
            Self::Failed { .. } => ErrorKind::Data,
            Self::DeadlineExceeded { .. } => ErrorKind::Timeout,
            Self::Config { .. } => ErrorKind::Config,
        }
    }
}
