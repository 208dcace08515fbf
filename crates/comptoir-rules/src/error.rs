use comptoir_types::{ErrorCode, ErrorKind};

use crate::json_text::JsonError;
use crate::syntax::{DiagnosticCode, Diagnostics};
use crate::types::EnvError;
use crate::value::{EvalCode, EvalError, Fault};

/// Why an expression was not compiled, or has no value.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Faults of the source, each with its place; [`Diagnostics::render`] shows them with carets.
    #[error(transparent)]
    Compile(#[from] Diagnostics),
    /// A declaration of the environment is wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The expression has no value for this input, or the budget is spent.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A table lacks a column, or has one of a type that cannot be what was declared.
    #[cfg(feature = "arrow")]
    #[error(transparent)]
    Column(#[from] comptoir_types::Error),
    /// The text of an event is no JSON object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The value depends on parts of the input that are not known.
    #[error("the value depends on what is not known: {paths}")]
    Unknown {
        /// The parts, in backticks.
        paths: String,
    },
}

impl std::error::Error for Diagnostics {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Error(error) | Fault::Exhausted(error) => Self::Eval(*error),
            Fault::Unknown(set) => Self::Unknown { paths: set.to_string() },
        }
    }
}

impl ErrorCode for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Compile(diagnostics) => diagnostics.code().name(),
            Self::Env(_) => "RULES_DECLARATION",
            Self::Eval(error) => error.code.name(),
            Self::Json(_) => "RULES_JSON",
            #[cfg(feature = "arrow")]
            Self::Column(error) => error.code(),
            Self::Unknown { .. } => "RULES_UNKNOWN_INPUT",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Compile(diagnostics) if diagnostics.code() == DiagnosticCode::Limit => ErrorKind::Limit,
            Self::Compile(_) | Self::Env(_) => ErrorKind::Config,
            #[cfg(feature = "arrow")]
            Self::Column(error) => error.kind(),
            Self::Eval(error) if error.code == EvalCode::BudgetExceeded => ErrorKind::Limit,
            Self::Eval(_) | Self::Json(_) | Self::Unknown { .. } => ErrorKind::Data,
        }
    }
}
