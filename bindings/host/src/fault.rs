//! Errors in the form that a host gives on.

use std::fmt;

use comptoir::costing::Error as CostingError;
use comptoir::costing::reports::ReportError;
use comptoir::executor::Error as ExecutorError;
use comptoir::executor::error::Cause;
use comptoir::executor::image::Error as ImageError;
use comptoir::ranking::board::BoardError;
use comptoir::rules::syntax::{Diagnostic, DiagnosticCode};
use comptoir::rules::{Error as RulesError, Program, RuleSetError};
use comptoir::types::{Error as TypesError, ErrorCode, ErrorKind, Position};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The family, which a host maps to a status or to a class of exceptions.
    pub kind: ErrorKind,
    /// The stable code, such as `COSTING_NEGATIVE_STOCK`; the same in every host.
    pub code: &'static str,
    /// What happened, in a sentence that names the place where it is known.
    pub message: String,
    /// Where, in parts.
    pub place: Box<Place>,
}

/// Where an error lies; what is not known is empty or 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The field of the configuration, such as `rules[3].when`, or the column of the table.
    pub path: String,
    /// The message with the line of the expression and a caret under the place.
    pub rendered: String,
    /// Line in the expression or text, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// Row of the table, from 0.
    pub row: Option<u64>,
    /// The host's own error, which a callback of the executor gave.
    pub cause: Option<Cause>,
}

impl Fault {
    /// An error without a place.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), place: Box::default() }
    }

    /// An argument that a host gave and that cannot be used: `HOST_ARGUMENT`.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, "HOST_ARGUMENT", message)
    }

    /// A handle whose object is gone: `HOST_CLOSED`.
    pub fn closed(what: &str) -> Self {
        Self::new(ErrorKind::Unavailable, "HOST_CLOSED", format!("the {what} is closed"))
    }

    /// A defect of the library: `INTERNAL`.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, "INTERNAL", format!("internal error, please report it: {message}"))
    }

    /// The error of a core that knows no place beside its message.
    pub fn plain<E: ErrorCode + fmt::Display>(error: &E) -> Self {
        Self::new(error.kind(), error.code(), error.to_string())
    }

    /// The same at a field of the configuration.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.place.path = path.into();
        self
    }

    /// Why a program has no value for an event, with the place in its source.
    #[must_use]
    pub fn of_evaluation(program: &Program, fault: comptoir::rules::Fault) -> Self {
        let error = RulesError::from(fault);
        let mut made = Self::plain(&error);
        if let RulesError::Eval(error) = &error
            && let Some(span) = error.span
        {
            let position = span.position(program.source());
            // Only the message, the place and the line are written.
            let shown = Diagnostic::new(DiagnosticCode::TypeMismatch, span, error.message.clone());
            made.place.rendered = shown.render(program.source());
            (made.place.line, made.place.column) = (position.line, position.column);
        }
        made
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

impl From<TypesError> for Fault {
    fn from(error: TypesError) -> Self {
        let mut fault = Self::plain(&error);
        mark_column(&mut fault.place, &error);
        fault
    }
}

impl From<CostingError> for Fault {
    fn from(error: CostingError) -> Self {
        let mut fault = Self::plain(&error);
        match &error {
            CostingError::Policy { path, position, .. }
            | CostingError::Report(ReportError::TemplateSyntax { path, position, .. }) => {
                fault.place.path.clone_from(path);
                mark_position(&mut fault.place, *position);
            }
            CostingError::Column(column) => mark_column(&mut fault.place, column),
            CostingError::Argument { argument, .. } => fault.place.path.clone_from(argument),
            CostingError::Unknown { what, .. } => fault.place.path = (*what).to_owned(),
            CostingError::Report(ReportError::Edges { .. }) => fault.place.path = "buckets".to_owned(),
            CostingError::Report(ReportError::Rates { .. }) => fault.place.path = "rates".to_owned(),
            CostingError::Report(ReportError::Window { .. }) => fault.place.path = "last".to_owned(),
            _ => {}
        }
        fault
    }
}

impl From<ExecutorError> for Fault {
    fn from(error: ExecutorError) -> Self {
        let mut fault = Self::plain(&error);
        match error {
            ExecutorError::Stage { cause, .. } => {
                fault.place.cause = cause;
                fault
            }
            ExecutorError::Config { field, .. } => fault.at(field),
            ExecutorError::Image(ImageError::Config { field, .. }) => fault.at(field),
            _ => fault,
        }
    }
}

impl From<RulesError> for Fault {
    fn from(error: RulesError) -> Self {
        match error {
            RulesError::Column(column) => column.into(),
            error => {
                let mut fault = Self::plain(&error);
                mark(&mut fault.place, &error);
                fault
            }
        }
    }
}

impl From<RuleSetError> for Fault {
    fn from(error: RuleSetError) -> Self {
        if let RuleSetError::Column(column) = error {
            return column.into();
        }
        let mut fault = Self::plain(&error).at(error.path());
        fault.place.rendered = error.render();
        mark_position(&mut fault.place, error.position());
        fault
    }
}

impl From<BoardError> for Fault {
    fn from(error: BoardError) -> Self {
        let mut fault = Self::plain(&error);
        match &error {
            BoardError::Spec { path, position, .. } => {
                fault.place.path.clone_from(path);
                mark_position(&mut fault.place, *position);
            }
            BoardError::Expression { path, source } => {
                fault.place.path.clone_from(path);
                mark(&mut fault.place, source);
            }
            BoardError::Column(column) => mark_column(&mut fault.place, column),
            _ => {}
        }
        fault
    }
}

/// Errors that say all in their message.
macro_rules! plain {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::plain(&error)
            }
        }
    )*};
}
plain!(comptoir::ranking::rank::RankError, comptoir::ranking::snapshot::SnapshotError, crate::TableError);

/// Notes where in a text something is.
fn mark_position(place: &mut Place, position: Option<Position>) {
    if let Some(Position { line, column }) = position {
        (place.line, place.column) = (line, column);
    }
}

/// Notes which column, and which row of it, an error is about.
fn mark_column(place: &mut Place, error: &TypesError) {
    match error {
        TypesError::At { column, row, .. } => (place.path, place.row) = (column.clone(), *row),
        TypesError::ColumnMissing { column, .. }
        | TypesError::ColumnAmbiguous { column, .. }
        | TypesError::ColumnType { column, .. } => place.path.clone_from(column),
        _ => {}
    }
}

/// Notes where in its source an expression is wrong.
fn mark(place: &mut Place, error: &RulesError) {
    match error {
        RulesError::Compile(diagnostics) => {
            place.rendered = diagnostics.render();
            if let Some(first) = diagnostics.list().first() {
                let position = first.span.position(diagnostics.source());
                (place.line, place.column) = (position.line, position.column);
            }
        }
        RulesError::Env(declaration) => place.path.clone_from(&declaration.name),
        RulesError::Json(json) => (place.line, place.column) = (json.line, json.column),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use comptoir::rules::Env;

    use super::*;

    #[test]
    fn an_expression_that_does_not_compile_has_its_place() {
        let env = Env::builder().variable_of("amount", "int").build().unwrap();
        let fault = Fault::from(env.compile("1 <\n  amout").unwrap_err());
        assert_eq!((fault.kind, fault.place.line, fault.place.column), (ErrorKind::Config, 2, 3));
        assert!(fault.place.rendered.contains('^'), "{}", fault.place.rendered);
    }

    #[test]
    fn an_evaluation_without_a_value_has_its_place() {
        let env = Env::builder().variable_of("n", "int").build().unwrap();
        let program = env.compile("10 / n").unwrap();
        let fault = program.eval_slots(&[comptoir::rules::Value::Int(0)]).unwrap_err();
        let fault = Fault::of_evaluation(&program, fault);
        assert_eq!((fault.code, fault.place.line, fault.place.column), ("RULES_DIVIDE_BY_ZERO", 1, 1));
    }

    #[test]
    fn a_value_of_a_column_has_column_and_row() {
        let fault = Fault::from(TypesError::Null.at_row("quantity", 7));
        assert_eq!((fault.place.path.as_str(), fault.place.row), ("quantity", Some(7)));
        let missing = TypesError::ColumnMissing { column: "item".to_owned(), hint: String::new() };
        assert_eq!(Fault::from(CostingError::from(missing)).place.path, "item");
    }

    #[test]
    fn a_setting_has_its_path() {
        let policy = comptoir::costing::Policy::from_json(r#"{"money_scale": 9}"#).unwrap_err();
        assert_eq!(Fault::from(policy).place.path, "money_scale");
        let executor = Fault::from(ExecutorError::config("batch.max_size", "must be at least 1"));
        assert_eq!(executor.place.path, "batch.max_size");
        let declaration = Env::builder().variable_of("n", "integer").build().unwrap_err();
        assert_eq!(Fault::from(RulesError::from(declaration)).place.path, "n");
    }
}
