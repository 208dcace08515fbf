use comptoir_types::config::{ConfigError, place};
use comptoir_types::{ErrorCode, ErrorKind, Position};

use crate::error::Error;

/// Why a rule set is refused. The path says where in the set: `rules[3].when`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RuleSetError {
    /// Text that is no rule set: wrong YAML, JSON or CSV, an unknown field, a wrong kind of value.
    #[error("`{path}`: {message}{}", place(.position.as_ref()))]
    Syntax {
        /// The field.
        path: String,
        /// What is wrong.
        message: String,
        /// Where in the text, if its reader knows.
        position: Option<Position>,
    },
    /// A part that does not go together with the others.
    #[error("`{path}`: {message}")]
    Invalid {
        /// The field.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Two rules or two variables with one name.
    #[error("`{path}`: `{id}` is there already, as `{first}`: give each its own id")]
    Duplicate {
        /// The second of them.
        path: String,
        /// The first of them.
        first: String,
        /// The name.
        id: String,
    },
    /// Variables that need each other.
    #[error("`variables`: {cycle} is a cycle: a variable may not need itself")]
    Cycle {
        /// The names on the way, the first one again at the end: `a -> b -> a`.
        cycle: String,
    },
    /// A fault in an expression. [`RuleSetError::render`] shows it with a caret.
    #[error("`{path}`: {source}")]
    Expression {
        /// The field with the expression.
        path: String,
        /// The fault.
        source: Box<Error>,
    },
    /// A value that is not of its declared type.
    #[error("`{path}`: expected {expected}, found {found}")]
    Type {
        /// The field.
        path: String,
        /// The declared type.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A decision table whose rows leave a gap, overlap or never apply, where the table forbids that.
    #[error("`{path}`: {message}")]
    Table {
        /// The table.
        path: String,
        /// The rows.
        message: String,
    },
    /// A table of events that lacks a column, or has one of a type that cannot be what was declared.
    #[cfg(feature = "arrow")]
    #[error(transparent)]
    Column(#[from] comptoir_types::Error),
}

impl RuleSetError {
    pub(super) fn syntax(path: impl Into<String>, message: impl ToString) -> Self {
        Self::Syntax { path: path.into(), message: one_line(&message.to_string()), position: None }
    }

    pub(super) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), message: message.into() }
    }

    pub(super) fn expression(path: impl Into<String>, source: impl Into<Error>) -> Self {
        Self::Expression { path: path.into(), source: Box::new(source.into()) }
    }

    /// The error for people: with the line of the expression and a caret under the place.
    #[must_use]
    pub fn render(&self) -> String {
        match self {
            Self::Expression { path, source } => match &**source {
                Error::Compile(diagnostics) => format!("`{path}`:\n{}", diagnostics.render()),
                _ => self.to_string(),
            },
            _ => self.to_string(),
        }
    }

    /// Line and column in the expression, where the error is one of an expression; in the text of the set, where that
    /// cannot be read.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Syntax { position, .. } => *position,
            Self::Expression { source, .. } => {
                let Error::Compile(diagnostics) = &**source else { return None };
                diagnostics.list().first().map(|first| first.span.position(diagnostics.source()))
            }
            _ => None,
        }
    }

    /// The field that it is about; nothing for an error of a table.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Syntax { path, .. }
            | Self::Invalid { path, .. }
            | Self::Duplicate { path, .. }
            | Self::Expression { path, .. }
            | Self::Type { path, .. }
            | Self::Table { path, .. } => path,
            Self::Cycle { .. } => "variables",
            #[cfg(feature = "arrow")]
            Self::Column(_) => "",
        }
    }
}

impl From<ConfigError> for RuleSetError {
    fn from(error: ConfigError) -> Self {
        Self::Syntax { path: error.path, message: error.message, position: error.position }
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

impl ErrorCode for RuleSetError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "RULES_SET_SYNTAX",
            Self::Invalid { .. } => "RULES_SET_INVALID",
            Self::Duplicate { .. } => "RULES_DUPLICATE_ID",
            Self::Cycle { .. } => "RULES_VARIABLE_CYCLE",
            Self::Expression { source, .. } => source.code(),
            Self::Type { .. } => "RULES_TYPE_MISMATCH",
            Self::Table { .. } => "RULES_TABLE",
            #[cfg(feature = "arrow")]
            Self::Column(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Expression { source, .. } => source.kind(),
            #[cfg(feature = "arrow")]
            Self::Column(error) => error.kind(),
            _ => ErrorKind::Config,
        }
    }
}
