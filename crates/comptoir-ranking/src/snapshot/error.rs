use std::io;
use std::path::{Path, PathBuf};

use comptoir_types::{ErrorCode, ErrorKind};

/// Why a snapshot cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The system refused: a full disk, a directory without rights.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A directory in which nothing has been published.
    #[error("`{}` has no published snapshot: there is no file `CURRENT` in it", directory.display())]
    NothingPublished {
        /// The directory.
        directory: PathBuf,
    },
    /// A file that is no snapshot.
    #[error("`{}` is no board snapshot: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How one can tell.
        reason: String,
    },
    /// A file of a format that came later.
    #[error("`{}` has format {format}, this version reads formats up to {known}", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The newest that is known.
        known: u32,
    },
    /// A file whose content is not what was written.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A version that does not exist, or no longer.
    #[error("version {version} is not there: kept are {kept}")]
    VersionUnknown {
        /// The version.
        version: u64,
        /// Those that are there.
        kept: String,
    },
    /// Another process publishes in the directory.
    #[error("`{}` has another publisher: only one at a time may publish in a directory", directory.display())]
    Busy {
        /// The directory.
        directory: PathBuf,
    },
    /// A board that was given twice.
    #[error("board `{board}` with group {group:?} is given twice")]
    BoardTwice {
        /// Its name.
        board: String,
        /// Its group values.
        group: Vec<String>,
    },
    /// An item that stands twice on one board.
    #[error("item `{item}` stands twice on board `{board}` with group {group:?}")]
    ItemTwice {
        /// The item.
        item: String,
        /// The board.
        board: String,
        /// Its group values.
        group: Vec<String>,
    },
    /// An item of another kind than the snapshot has.
    #[error("item `{item}` is not what this snapshot has: {expected}")]
    ItemKind {
        /// The item.
        item: String,
        /// The kind.
        expected: &'static str,
    },
    /// A column of a table that is missing or has a type that does not go, or a cell without a value.
    #[error(transparent)]
    Column(#[from] comptoir_types::Error),
    /// A score that is no number.
    #[error("column `{column}`, row {row}: a score cannot be NaN")]
    NotANumber {
        /// The column.
        column: String,
        /// The row, from 0.
        row: u64,
    },
    /// A position that is given to two items of one board.
    #[error("position {position} of board `{board}` with group {group:?} is given twice")]
    PositionTwice {
        /// The position.
        position: i128,
        /// The board.
        board: String,
        /// Its group values.
        group: Vec<String>,
    },
    /// More than the format holds.
    #[error("too large for a snapshot: {what}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
    },
    /// A table that does not hold boards.
    #[error("column `{column}`{}: {reason}", row.map(|row| format!(", row {row}")).unwrap_or_default())]
    Table {
        /// The column.
        column: &'static str,
        /// The row, from 0, where it is one.
        row: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// An Arrow file that cannot be written or read.
    #[error("cannot use the Arrow table: {reason}")]
    Arrow {
        /// What is wrong.
        reason: String,
    },
    /// Text that is no cursor.
    #[error("`{text}` is not a page cursor")]
    CursorSyntax {
        /// The text.
        text: String,
    },
    /// A cursor of another board.
    #[error("the page cursor belongs to another board")]
    CursorForeign,
}

impl SnapshotError {
    /// For `map_err` at a call of the system.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}

impl ErrorCode for SnapshotError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "RANKING_SNAPSHOT_IO",
            Self::NothingPublished { .. } => "RANKING_SNAPSHOT_NONE",
            Self::Foreign { .. } => "RANKING_SNAPSHOT_FOREIGN",
            Self::NewerFormat { .. } => "RANKING_SNAPSHOT_NEWER",
            Self::Damaged { .. } => "RANKING_SNAPSHOT_DAMAGED",
            Self::VersionUnknown { .. } => "RANKING_SNAPSHOT_VERSION",
            Self::Busy { .. } => "RANKING_PUBLISHER_BUSY",
            Self::BoardTwice { .. } => "RANKING_BOARD_TWICE",
            Self::ItemTwice { .. } => "RANKING_ITEM_TWICE",
            Self::ItemKind { .. } => "RANKING_ITEM_KIND",
            Self::Column(error) => error.code(),
            Self::NotANumber { .. } => "RANKING_SCORE_NAN",
            Self::PositionTwice { .. } => "RANKING_POSITION_TWICE",
            Self::TooLarge { .. } => "RANKING_SNAPSHOT_TOO_LARGE",
            Self::Table { .. } => "RANKING_SNAPSHOT_TABLE",
            Self::Arrow { .. } => "RANKING_SNAPSHOT_ARROW",
            Self::CursorSyntax { .. } => "RANKING_CURSOR_SYNTAX",
            Self::CursorForeign => "RANKING_CURSOR_FOREIGN",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. }
            | Self::NothingPublished { .. }
            | Self::Foreign { .. }
            | Self::NewerFormat { .. }
            | Self::Damaged { .. }
            | Self::VersionUnknown { .. }
            | Self::Busy { .. } => ErrorKind::Storage,
            Self::BoardTwice { .. }
            | Self::ItemTwice { .. }
            | Self::ItemKind { .. }
            | Self::NotANumber { .. }
            | Self::PositionTwice { .. }
            | Self::Table { .. }
            | Self::Arrow { .. }
            | Self::CursorSyntax { .. }
            | Self::CursorForeign => ErrorKind::Data,
            Self::Column(error) => error.kind(),
            Self::TooLarge { .. } => ErrorKind::Limit,
        }
    }
}
