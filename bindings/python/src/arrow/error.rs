//! What may go wrong while a table crosses the border.

use comptoir::types::{ErrorCode, ErrorKind};
use comptoir_host::{Fault, TableError};

/// A table that could not be taken from its producer, or not be handed out in the form asked for.
#[derive(Debug, thiserror::Error)]
pub enum BoundaryError {
    /// The producer handed over something that the protocol does not allow.
    #[error("the Arrow export of `{producer}` breaks the protocol: {problem}")]
    Protocol {
        /// Python type of the producer.
        producer: String,
        /// What was found.
        problem: String,
    },
    /// What goes wrong with tables in every host.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A table came where one column is needed.
    #[error("`{name}`: expected one column, found a table of {columns}")]
    NotColumn {
        /// The parameter.
        name: &'static str,
        /// How many columns the table has.
        columns: usize,
    },
    /// A value of a list that has no place in the column of the others.
    #[error("`{name}`[{index}]: {problem}")]
    NoColumnValue {
        /// The parameter.
        name: &'static str,
        /// Place in the list, from 0.
        index: usize,
        /// Why.
        problem: String,
    },
    /// A column that has no numbers where numbers are needed.
    #[error("`{name}`: expected numbers, found {found}")]
    NotNumbers {
        /// The parameter.
        name: &'static str,
        /// Its Arrow type.
        found: String,
    },
    /// The type has no counterpart among Python's own types.
    #[error("column `{column}`: values of type `{found}` have no plain Python form; use to_pyarrow()")]
    NoPythonValue {
        /// Name of the column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
}

impl ErrorCode for BoundaryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Protocol { .. } => "ARROW_PROTOCOL",
            Self::Table(error) => error.code(),
            Self::NotColumn { .. } => "ARROW_NOT_COLUMN",
            Self::NoColumnValue { .. } => "ARROW_NO_COLUMN_VALUE",
            Self::NotNumbers { .. } => "ARROW_NOT_NUMBERS",
            Self::NoPythonValue { .. } => "ARROW_NO_PYTHON_VALUE",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Table(error) => error.kind(),
            _ => ErrorKind::Schema,
        }
    }
}

impl From<BoundaryError> for Fault {
    fn from(error: BoundaryError) -> Self {
        Self::plain(&error)
    }
}
