//! Why a request, or a pipeline as a whole, has no result.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use comptoir_types::{ErrorCode, ErrorKind};

/// What went wrong, with a code that is the same in every host language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The queue is full; the request was not taken.
    #[error("overloaded: {waiting} requests are waiting, and the limit is {limit}")]
    Overloaded {
        /// Requests in the queue.
        waiting: usize,
        /// Requests that the queue takes.
        limit: usize,
    },
    /// The deadline has passed, or cannot be met any more.
    #[error("deadline exceeded {stage}, {} ms after submission", .after.as_millis())]
    DeadlineExceeded {
        /// Where the request was: `at submission`, `waiting for the CPU stage`, `waiting for the device` ...
        stage: &'static str,
        /// Time since submission.
        after: Duration,
    },
    /// The caller gave the request up.
    #[error("cancelled")]
    Cancelled,
    /// The pipeline takes no requests any more, or was closed before this one was done.
    #[error("the pipeline is closed")]
    Closed,
    /// A stage failed for this request.
    #[error("{stage}: {message}")]
    Stage {
        /// `preprocess`, `infer` or `postprocess`.
        stage: &'static str,
        /// What the stage said.
        message: String,
        /// The host's own error, where there is one, so that the host can give it back as it was.
        cause: Option<Cause>,
    },
    /// A tensor of another shape than the model takes.
    #[error("input `{input}`: expected shape {expected}, found {found}")]
    Shape {
        /// Name of the model's input.
        input: String,
        /// The declared shapes.
        expected: String,
        /// The shape that was found.
        found: String,
    },
    /// A tensor of another element type than the model takes.
    #[error("input `{input}`: expected elements of {expected}, found {found}")]
    DType {
        /// Name of the model's input.
        input: String,
        /// The declared type.
        expected: String,
        /// The type that was found.
        found: String,
    },
    /// A setting is wrong.
    #[error("`{field}`: {message}")]
    Config {
        /// The field, such as `batch.max_size`.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// There is no model of this name.
    #[error("there is no model `{name}`: known are {known}")]
    UnknownModel {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A model cannot be loaded or warmed, or its run time is missing.
    #[error("{0}")]
    Unavailable(String),
    /// A file that gives no tensor.
    #[cfg(feature = "image")]
    #[error("preprocess: {0}")]
    Image(#[from] crate::image::Error),
    /// A worker process, or a call to one, failed.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Worker(#[from] crate::worker::Error),
    /// A defect of ours.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

impl Error {
    /// A failure of a stage, with no error of the host behind it.
    pub fn stage(stage: &'static str, message: impl Into<String>) -> Self {
        Self::Stage { stage, message: message.into(), cause: None }
    }

    /// A wrong setting.
    pub fn config(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Config { field: field.into(), message: message.into() }
    }
}

/// An error of the host language that travels with ours; equal only to itself.
#[derive(Clone)]
pub struct Cause(pub Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cause")
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cause {}

impl ErrorCode for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Overloaded { .. } => "EXECUTOR_OVERLOADED",
            Self::DeadlineExceeded { .. } => "EXECUTOR_DEADLINE_EXCEEDED",
            Self::Cancelled => "EXECUTOR_CANCELLED",
            Self::Closed => "EXECUTOR_CLOSED",
            Self::Stage { .. } => "EXECUTOR_STAGE",
            Self::Shape { .. } => "EXECUTOR_SHAPE",
            Self::DType { .. } => "EXECUTOR_DTYPE",
            Self::Config { .. } => "EXECUTOR_CONFIG",
            Self::UnknownModel { .. } => "EXECUTOR_UNKNOWN_MODEL",
            Self::Unavailable(_) => "EXECUTOR_UNAVAILABLE",
            #[cfg(feature = "image")]
            Self::Image(error) => error.code(),
            #[cfg(target_os = "linux")]
            Self::Worker(error) => error.code(),
            Self::Internal(_) => "INTERNAL",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Overloaded { .. } => ErrorKind::Overloaded,
            Self::DeadlineExceeded { .. } => ErrorKind::Timeout,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Closed | Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Stage { .. } | Self::Shape { .. } | Self::DType { .. } => ErrorKind::Data,
            Self::Config { .. } | Self::UnknownModel { .. } => ErrorKind::Config,
            #[cfg(feature = "image")]
            Self::Image(error) => error.kind(),
            #[cfg(target_os = "linux")]
            Self::Worker(error) => error.kind(),
            Self::Internal(_) => ErrorKind::Internal,
        }
    }
}
