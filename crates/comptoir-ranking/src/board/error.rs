use comptoir_types::config::{ConfigError, place};
use comptoir_types::{ErrorCode, ErrorKind, Position};

use super::report::GroupName;

/// Why a board cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// A field of a spec is wrong.
    #[error("board spec, {path}: {reason}{}", place(.position.as_ref()))]
    Spec {
        /// The field.
        path: String,
        /// What is wrong.
        reason: String,
        /// Where in the text of the spec, if it was read from one and its reader knows.
        position: Option<Position>,
    },
    /// An expression of a spec is none, or does not compile over the columns.
    #[error("board spec, {path}: {source}")]
    Expression {
        /// The field.
        path: String,
        /// What is wrong, with its place in the expression.
        source: Box<comptoir_rules::Error>,
    },
    /// A column is missing or has a type that does not go.
    #[error(transparent)]
    Column(#[from] comptoir_types::Error),
    /// A batch whose columns have other types than those before.
    #[error("column `{column}` was {expected} and is {found} in a later batch")]
    SchemaChange {
        /// The column.
        column: String,
        /// Its type so far.
        expected: String,
        /// Its type now.
        found: String,
    },
    /// Two collectors that are not of one board.
    #[error("only collectors of one board can be merged: the specs differ")]
    OtherBoard,
    /// Two collectors that are not made for one moment and audience.
    #[error("boards that are scanned together or merged are for one context: `{field}` differs")]
    OtherContext {
        /// What differs: `now`, `audience`, `unit` or `force`.
        field: &'static str,
    },
    /// A collector of which nobody knows what is in it.
    #[error("a push has failed: some of its rows may be in the board; build it anew")]
    PushFailed,
    /// A sum that does not fit.
    #[error("metric `{metric}` of item `{item}`{}: the sum does not fit in {limit}", of_group(group))]
    Overflow {
        /// The metric.
        metric: String,
        /// The group of the item, the first of those whose sums do not fit.
        group: GroupName,
        /// The item.
        item: String,
        /// What the sum has to be.
        limit: &'static str,
    },
    /// A vector that has another length than those before it.
    #[error(
        "column `{column}` of item `{item}`: expected a vector of {expected} numbers as before, found {found}"
    )]
    Vectors {
        /// The column.
        column: String,
        /// The item.
        item: String,
        /// The length of the first vector.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// More groups or items than are supported.
    #[error("more than 2^32 - 1 {what}")]
    TooMany {
        /// Groups or items.
        what: &'static str,
    },
    /// A defect of the library.
    #[error("internal error, please report it: {message}")]
    Internal {
        /// What happened.
        message: String,
    },
}

fn of_group(group: &GroupName) -> String {
    match group.is_empty() {
        true => String::new(),
        false => format!(" in group {}", serde_json::json!(group)),
    }
}

impl BoardError {
    pub(super) fn spec(path: &str, reason: impl std::fmt::Display) -> Self {
        Self::Spec { path: path.to_owned(), reason: reason.to_string(), position: None }
    }

    /// An error of a column with the field of a spec that reads it.
    pub(super) fn read_by(mut self, path: &str) -> Self {
        if let Self::Column(comptoir_types::Error::ColumnType { advice, .. }) = &mut self {
            *advice = format!(": the board spec reads it in {path}");
        }
        self
    }

    /// For what the Arrow library refuses and the checks before should have caught.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal { message: error.to_string() }
    }
}

impl From<ConfigError> for BoardError {
    fn from(error: ConfigError) -> Self {
        Self::Spec { path: error.path, reason: error.message, position: error.position }
    }
}

impl ErrorCode for BoardError {
    fn code(&self) -> &'static str {
        match self {
            Self::Spec { .. } => "RANKING_SPEC",
            Self::Expression { source, .. } => source.code(),
            Self::Column(error) => error.code(),
            Self::SchemaChange { .. } => "RANKING_SCHEMA_CHANGE",
            Self::OtherBoard => "RANKING_OTHER_BOARD",
            Self::OtherContext { .. } => "RANKING_OTHER_CONTEXT",
            Self::PushFailed => "RANKING_PUSH_FAILED",
            Self::Overflow { .. } => "RANKING_OVERFLOW",
            Self::Vectors { .. } => "RANKING_VECTORS",
            Self::TooMany { .. } => "RANKING_TOO_MANY",
            Self::Internal { .. } => "INTERNAL",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Spec { .. } | Self::OtherBoard | Self::OtherContext { .. } => ErrorKind::Config,
            Self::Expression { source, .. } => source.kind(),
            Self::Column(error) => error.kind(),
            Self::SchemaChange { .. } => ErrorKind::Schema,
            Self::Overflow { .. } | Self::Vectors { .. } => ErrorKind::Data,
            Self::TooMany { .. } => ErrorKind::Limit,
            Self::PushFailed => ErrorKind::Unavailable,
            Self::Internal { .. } => ErrorKind::Internal,
        }
    }
}
