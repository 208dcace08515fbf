//! Core errors as Python exceptions.

use std::fmt::Display;

use comptoir::types::{ErrorCode, ErrorKind};
use comptoir_host::{Fault, Place};
use pyo3::prelude::*;

/// The Python exception for an error of a core: the class by its kind, `code` and text as they are.
pub fn from_core<E: ErrorCode + Display>(py: Python<'_>, error: &E) -> PyErr {
    exception(py, error.kind(), error.code(), &error.to_string())
}

/// The Python exception for a fault of what all hosts share, with its place.
pub fn from_host(py: Python<'_>, fault: &Fault) -> PyErr {
    let raised = exception(py, fault.kind, fault.code, &fault.message);
    match mark(raised.value(py), &fault.place) {
        Ok(()) => raised,
        Err(failure) => failure,
    }
}

/// Sets what is known of a place; `comptoir.Error` has `None` for the rest.
fn mark(raised: &Bound<'_, PyAny>, place: &Place) -> PyResult<()> {
    if !place.path.is_empty() {
        raised.setattr("path", &place.path)?;
    }
    if place.line > 0 {
        raised.setattr("line", place.line)?;
        raised.setattr("column", place.column)?;
    }
    place.row.map_or(Ok(()), |row| raised.setattr("row", row))
}

/// A `comptoir.RuleError` of the class for the kind of a fault, where there is one.
pub fn rule_exception(py: Python<'_>, fault: &Fault) -> PyErr {
    let name = match fault.kind {
        ErrorKind::Config => "RuleConfigError",
        ErrorKind::Data => "RuleDataError",
        ErrorKind::Limit => "RuleLimitError",
        _ => return from_host(py, fault),
    };
    let Place { line, column, rendered, path, .. } = &*fault.place;
    let number = |number: &usize| Some(*number).filter(|number| *number > 0);
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let known = (&*fault.message, fault.code, number(line), number(column), text(rendered), text(path));
    let instance = py
        .import("comptoir.errors")
        .and_then(|errors| errors.getattr(name))
        .and_then(|class| class.call1(known));
    match instance {
        Ok(instance) => PyErr::from_value(instance),
        Err(failure) => failure,
    }
}

/// A Python exception of the class for `kind`, carrying `code`.
pub fn exception(py: Python<'_>, kind: ErrorKind, code: &str, message: &str) -> PyErr {
    exception_of(py, class_name(kind), code, message)
}

/// A Python exception of the class `name` of `comptoir.errors`, carrying `code`.
pub fn exception_of(py: Python<'_>, name: &str, code: &str, message: &str) -> PyErr {
    let instance = py
        .import("comptoir.errors")
        .and_then(|errors| errors.getattr(name))
        .and_then(|class| class.call1((message, code)));
    match instance {
        Ok(instance) => PyErr::from_value(instance),
        Err(failure) => failure,
    }
}

/// The table from error kind to exception class.
fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Schema => "SchemaError",
        ErrorKind::Data => "DataError",
        ErrorKind::Config => "ConfigError",
        ErrorKind::Limit => "LimitError",
        ErrorKind::Storage => "StorageError",
        ErrorKind::Overloaded => "OverloadedError",
        ErrorKind::Timeout => "DeadlineError",
        ErrorKind::Cancelled => "CancelledError",
        ErrorKind::Unavailable => "UnavailableError",
        ErrorKind::Internal => "InternalError",
        // A kind that has no class yet is still caught as `comptoir.Error`.
        _ => "Error",
    }
}
