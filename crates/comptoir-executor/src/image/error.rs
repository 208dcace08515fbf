//! Why a file gives no tensor.

use comptoir_types::{ErrorCode, ErrorKind};

/// What is wrong with a file, or with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that are no JPEG, PNG or WebP file.
    #[error("not a picture: the file begins with {start}, and is neither JPEG, PNG nor WebP")]
    Format {
        /// The first bytes, for people.
        start: String,
    },
    /// A file that ends too early or is damaged.
    #[error("damaged {format} file: {message}")]
    Damaged {
        /// The format.
        format: &'static str,
        /// What the decoder says.
        message: String,
    },
    /// A file of a kind that would not give the pixels that are promised.
    #[error("{format} file of a kind that is not read: {message}")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// What kind it is, and what to do.
        message: String,
    },
    /// A file or picture beyond the limits.
    #[error("picture too large: {found} {what}, and the limit is {limit}")]
    Limit {
        /// `bytes`, `pixels`, `pixels on a side` or `pixels after resizing`.
        what: &'static str,
        /// What the file has or says that it has.
        found: u64,
        /// What is allowed.
        limit: u64,
    },
    /// A setting is wrong.
    #[error("`{field}`: {message}")]
    Config {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A row of another size than the tensor.
    #[error("a row of {found} bytes for a tensor of {expected}")]
    Row {
        /// Bytes of the tensor.
        expected: usize,
        /// Bytes of the row.
        found: usize,
    },
    /// Nothing was prepared, or by another transform.
    #[error("there is no picture to write: prepare one first")]
    Empty,
}

impl ErrorCode for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Format { .. } => "EXECUTOR_IMAGE_FORMAT",
            Self::Damaged { .. } => "EXECUTOR_IMAGE_DAMAGED",
            Self::Unsupported { .. } => "EXECUTOR_IMAGE_UNSUPPORTED",
            Self::Limit { .. } => "EXECUTOR_IMAGE_LIMIT",
            Self::Config { .. } => "EXECUTOR_IMAGE_CONFIG",
            Self::Row { .. } => "EXECUTOR_IMAGE_ROW",
            Self::Empty => "EXECUTOR_IMAGE_EMPTY",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Format { .. } | Self::Damaged { .. } | Self::Unsupported { .. } => ErrorKind::Data,
            Self::Limit { .. } => ErrorKind::Limit,
            Self::Config { .. } | Self::Row { .. } | Self::Empty => ErrorKind::Config,
        }
    }
}
