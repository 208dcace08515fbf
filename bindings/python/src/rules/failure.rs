//! Errors of rules as exceptions with their places.

use comptoir::rules::{Error, Fault as EvalFault, Program, RuleSetError};
use comptoir_host::Fault;
use pyo3::prelude::*;

use super::raised::Scope;
use super::shared::error_of;
use crate::enter::enter_with;
use crate::errors::{from_host, rule_exception};

/// The exception for an expression that does not compile, or a table that it cannot read.
pub fn from_error(py: Python<'_>, error: Error) -> PyErr {
    // A table that lacks a column is no error of a rule.
    let is_column = matches!(error, Error::Column(_));
    let fault = error.into();
    if is_column { from_host(py, &fault) } else { rule_exception(py, &fault) }
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
pub fn from_set_error(py: Python<'_>, error: RuleSetError) -> PyErr {
    let is_column = matches!(error, RuleSetError::Column(_));
    let fault = error.into();
    if is_column { from_host(py, &fault) } else { rule_exception(py, &fault) }
}

/// The exception for an evaluation without a value. Where Python code raised, its exception is the cause.
pub fn from_fault(py: Python<'_>, program: &Program, fault: EvalFault, scope: &Scope) -> PyErr {
    let cause = error_of(&fault).and_then(|error| scope.cause(&error.message));
    let raised = rule_exception(py, &Fault::of_evaluation(program, fault));
    if cause.is_some() {
        raised.set_cause(py, cause);
    }
    raised
}
