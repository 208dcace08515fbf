//! Errors that stop a whole call; a bad movement is a rejected row instead.

use comptoir_types::config::{ConfigError, place};
use comptoir_types::{ErrorCode, ErrorKind, Position};

use crate::reports::ReportError;

/// Why a call gave no valuation at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of a policy or template is wrong.
    #[error("policy field `{path}`: {message}{}", place(.position.as_ref()))]
    Policy {
        /// Path of the field, such as `classes.gold.method`.
        path: String,
        /// What is wrong with it.
        message: String,
        /// Where in the text of the policy, if it was read from one and its reader knows.
        position: Option<Position>,
    },
    /// A column is missing, has a wrong type, or cannot be read.
    #[error(transparent)]
    Column(#[from] comptoir_types::Error),
    /// A report cannot be made from what was asked.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// An argument that is no date or number.
    #[error("`{argument}`: {source}")]
    Argument {
        /// The argument, such as `rates[2]`.
        argument: String,
        /// What is wrong with it.
        source: comptoir_types::Error,
    },
    /// A name that stands for nothing in the history.
    #[error("{what} `{name}`: {expected}")]
    Unknown {
        /// What was named, such as `item`.
        what: &'static str,
        /// The name.
        name: String,
        /// What was expected.
        expected: String,
    },
    /// More rows than a call can take.
    #[error("{rows} rows: one call takes at most {limit}")]
    TooManyRows {
        /// Rows of the input.
        rows: u64,
        /// The limit.
        limit: u64,
    },
    /// A fault of this library.
    #[error("internal error: {message}")]
    Internal {
        /// What happened.
        message: String,
    },
}

impl Error {
    /// A failure of an Arrow kernel, which checked input does not cause.
    #[cfg(feature = "arrow")]
    #[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
    pub(crate) fn arrow(error: arrow_schema::ArrowError) -> Self {
        Self::Internal { message: error.to_string() }
    }

    /// A wrong field of a policy.
    pub(crate) fn policy(path: &str, message: impl ToString) -> Self {
        Self::Policy { path: path.to_owned(), message: message.to_string(), position: None }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Policy { path: error.path, message: error.message, position: error.position }
    }
}

impl ErrorCode for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "COSTING_POLICY",
            Self::Column(error) | Self::Argument { source: error, .. } => error.code(),
            Self::Report(error) => error.code(),
            Self::Unknown { .. } => "COSTING_UNKNOWN_NAME",
            Self::TooManyRows { .. } => "COSTING_TOO_MANY_ROWS",
            Self::Internal { .. } => "INTERNAL",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Policy { .. } | Self::Unknown { .. } => ErrorKind::Config,
            Self::Column(error) | Self::Argument { source: error, .. } => error.kind(),
            Self::Report(error) => error.kind(),
            Self::TooManyRows { .. } => ErrorKind::Limit,
            Self::Internal { .. } => ErrorKind::Internal,
        }
    }
}
