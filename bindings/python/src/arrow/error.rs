//! What may go wrong while a table crosses the border.

use comptoir::types::{ErrorCode, ErrorKind};

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
    /// The producer failed while it was read.
    #[error("reading batch {batch} of the input failed: {message}")]
    Stream {
        /// Number of the batch, from 0.
        batch: usize,
        /// The producer's own words.
        message: String,
    },
    /// One array or column came where a table is needed.
    #[error("expected a table, found a single column of type `{found}`")]
    NotTable {
        /// Its Arrow type.
        found: String,
    },
    /// A row is null as a whole, which a table cannot express.
    #[error("batch {batch}, row {row}: the row is null as a whole; a table has null values, not null rows")]
    NullRow {
        /// Number of the batch, from 0.
        batch: usize,
        /// Row in that batch, from 0.
        row: usize,
    },
    /// Several chunks do not fit in one array.
    #[error("column `{column}` does not fit in one Arrow array: {message}; read the table as a stream")]
    Concat {
        /// Name of the column.
        column: String,
        /// What limit was hit.
        message: String,
    },
    /// A table whose columns are not what its schema says: a defect of the core that made it.
    #[error("the columns of a table do not match its schema: {message}")]
    Inconsistent {
        /// What does not match.
        message: String,
    },
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
            Self::Stream { .. } => "ARROW_STREAM",
            Self::NotTable { .. } => "ARROW_NOT_TABLE",
            Self::NullRow { .. } => "ARROW_NULL_ROW",
            Self::Concat { .. } => "ARROW_ONE_ARRAY",
            Self::Inconsistent { .. } => "ARROW_INCONSISTENT",
            Self::NotColumn { .. } => "ARROW_NOT_COLUMN",
            Self::NoColumnValue { .. } => "ARROW_NO_COLUMN_VALUE",
            Self::NotNumbers { .. } => "ARROW_NOT_NUMBERS",
            Self::NoPythonValue { .. } => "ARROW_NO_PYTHON_VALUE",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Protocol { .. }
            | Self::NotTable { .. }
            | Self::NotColumn { .. }
            | Self::NoColumnValue { .. }
            | Self::NotNumbers { .. }
            | Self::NoPythonValue { .. } => ErrorKind::Schema,
            Self::Stream { .. } | Self::NullRow { .. } => ErrorKind::Data,
            Self::Concat { .. } => ErrorKind::Limit,
            Self::Inconsistent { .. } => ErrorKind::Internal,
        }
    }
}
