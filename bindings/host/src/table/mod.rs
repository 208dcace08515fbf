//! Tables: a schema and batches of it.

mod concat;
mod read;
mod widen;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use comptoir::types::{ErrorCode, ErrorKind};

pub use concat::concat_column;
pub use read::{read_chunks, read_parts, read_stream, stream_error, table_schema, to_batch, type_name};

/// A table in chunks: its schema, and batches that all have it. Buffers are shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Names and types of the columns.
    pub schema: SchemaRef,
    /// The chunks.
    pub batches: Vec<RecordBatch>,
}

/// Why a table cannot be taken or given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The producer failed while it was read.
    #[error("reading batch {batch} of the input failed: {message}")]
    Stream {
        /// Number of the batch, from 0.
        batch: usize,
        /// The producer's own words.
        message: String,
    },
    /// A structure that breaks the rules of Arrow's C interface.
    #[error("the {what} is not usable: {problem}")]
    Protocol {
        /// Stream, array or schema.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
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
    /// A file or text that is no Arrow table.
    #[error("the Arrow file cannot be read: {message}")]
    File {
        /// What is wrong.
        message: String,
    },
}

impl ErrorCode for TableError {
    fn code(&self) -> &'static str {
        match self {
            Self::Stream { .. } => "ARROW_STREAM",
            Self::Protocol { .. } => "ARROW_PROTOCOL",
            Self::NotTable { .. } => "ARROW_NOT_TABLE",
            Self::NullRow { .. } => "ARROW_NULL_ROW",
            Self::Concat { .. } => "ARROW_ONE_ARRAY",
            Self::Inconsistent { .. } => "ARROW_INCONSISTENT",
            Self::File { .. } => "ARROW_FILE",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Protocol { .. } | Self::NotTable { .. } => ErrorKind::Schema,
            Self::Stream { .. } | Self::NullRow { .. } => ErrorKind::Data,
            Self::Concat { .. } => ErrorKind::Limit,
            Self::Inconsistent { .. } => ErrorKind::Internal,
            Self::File { .. } => ErrorKind::Storage,
        }
    }
}

impl Table {
    /// A table for a host: narrow decimals are widened to 128 bits, which every Arrow library reads; all other columns
    /// are shared.
    ///
    /// # Errors
    /// [`TableError::Inconsistent`] when a batch has other columns than `schema`.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self, TableError> {
        let (schema, batches) = widen::wide_decimals(schema, batches)?;
        Ok(Self { schema, batches })
    }

    /// A table of one batch, for a host.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub fn of(batch: RecordBatch) -> Result<Self, TableError> {
        Self::new(batch.schema(), vec![batch])
    }

    /// Rows of all chunks.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The chunks, of which there is at least one, so that columns are looked at even where there are no rows.
    #[must_use]
    pub fn chunks(&self) -> Vec<RecordBatch> {
        match &*self.batches {
            [] => vec![RecordBatch::new_empty(self.schema.clone())],
            batches => batches.to_vec(),
        }
    }

    /// All chunks as one: the chunk itself when there is only one, otherwise a copy.
    ///
    /// # Errors
    /// [`TableError::Concat`] when a column's offsets or dictionary keys do not reach that far.
    pub fn one_batch(&self) -> Result<RecordBatch, TableError> {
        concat::one_batch(&self.schema, &self.batches)
    }
}
