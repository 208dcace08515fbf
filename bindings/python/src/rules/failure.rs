//! Errors of rules as exceptions with their places.

use comptoir::rules::syntax::{Diagnostic, DiagnosticCode};
use comptoir::rules::{Error, Fault, Program, RuleSetError};
use comptoir::types::ErrorCode;
use pyo3::prelude::*;

use super::raised::Scope;
use super::shared::{code, error_of};
use crate::enter::enter_with;
use crate::errors::{Place, from_host, rule_exception};

/// The exception for an expression that does not compile, or a table that it cannot read.
#[expect(clippy::needless_pass_by_value, reason = "the form that `enter_with` takes")]
pub fn from_error(py: Python<'_>, error: Error) -> PyErr {
    at_path(py, &error, &error.to_string(), None)
}

/// The same for an expression at a field of a larger whole, with the message of that.
pub fn at_path(py: Python<'_>, error: &Error, message: &str, path: Option<&str>) -> PyErr {
    let path = path.map(str::to_owned);
    let place = match error {
        Error::Compile(diagnostics) => {
            let position = diagnostics.list().first().map(|first| first.span.position(diagnostics.source()));
            Place {
                line: position.map(|position| position.line),
                column: position.map(|position| position.column),
                rendered: Some(diagnostics.render()),
                path,
            }
        }
        Error::Json(json) => {
            Place { line: Some(json.line), column: Some(json.column), path, ..Place::default() }
        }
        // A table that lacks a column is no error of a rule.
        Error::Column(column) => return from_host(py, &column.clone().into()),
        Error::Env(declaration) => {
            Place { path: path.or_else(|| Some(declaration.name.clone())), ..Place::default() }
        }
        _ => Place { path, ..Place::default() },
    };
    rule_exception(py, error.kind(), error.code(), message, place)
}

/// Evaluates a table detached from the interpreter. Where a function of the host ended it on this thread, what it raised
/// is the cause.
pub fn enter_table<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error> + Send) -> PyResult<T> {
    let scope = Scope::begin();
    let outcome = enter_with(py, work, |py, error| {
        if let Some(interrupt) = scope.interrupt(py) {
            return interrupt;
        }
        let cause = scope.cause(&error.to_string());
        let raised = from_error(py, error);
        if cause.is_some() {
            raised.set_cause(py, cause);
        }
        raised
    });
    scope.interrupt(py).map_or(outcome, Err)
}

/// The exception for a rule set that is refused.
#[expect(clippy::needless_pass_by_value, reason = "the form that `enter_with` takes")]
pub fn from_set_error(py: Python<'_>, error: RuleSetError) -> PyErr {
    if let RuleSetError::Column(column) = &error {
        return from_host(py, &column.clone().into());
    }
    let position = error.position();
    let place = Place {
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        rendered: Some(error.render()),
        path: Some(error.path().to_owned()),
    };
    rule_exception(py, error.kind(), error.code(), &error.to_string(), place)
}

/// The exception for an evaluation without a value. Where Python code raised, its exception is the cause.
pub fn from_fault(py: Python<'_>, program: &Program, fault: Fault, scope: &Scope) -> PyErr {
    let mut place = Place::default();
    let mut cause = None;
    if let Some(error) = error_of(&fault) {
        cause = scope.cause(&error.message);
        if let Some(span) = error.span {
            let position = span.position(program.source());
            (place.line, place.column) = (Some(position.line), Some(position.column));
            // Only the message, the place and the line are written.
            let shown = Diagnostic::new(DiagnosticCode::TypeMismatch, span, error.message.clone());
            place.rendered = Some(shown.render(program.source()));
        }
    }
    let (code, message) = (code(&fault), fault.to_string());
    let raised = rule_exception(py, Error::from(fault).kind(), code, &message, place);
    if cause.is_some() {
        raised.set_cause(py, cause);
    }
    raised
}
