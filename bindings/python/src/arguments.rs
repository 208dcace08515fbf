//! Errors for arguments as Python gives them, which name the argument.

use std::path::PathBuf;

use comptoir::types::ErrorKind;
use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::{exception, exception_of};

/// The code of a call with an argument that cannot be used; a core may have more exact ones.
pub const CODE: &str = "HOST_ARGUMENT";

/// The `ArgumentError` for the argument `name`, where it is an object of a type that does not go. `expected` continues
/// "must be".
pub fn wrong(name: &str, code: &str, expected: &str, given: &Bound<'_, PyAny>) -> PyErr {
    let message = format!("`{name}` must be {expected}, not `{}`", type_name(given));
    at(given.py(), exception_of(given.py(), "ArgumentError", code, &message), name)
}

/// The `ConfigError` for the argument `name`, where it is of the right type and out of bounds.
pub fn out_of_bounds(name: &str, code: &str, expected: &str, given: &Bound<'_, PyAny>) -> PyErr {
    let message = format!("`{name}` must be {expected}, found {}", digits(given));
    at(given.py(), exception(given.py(), ErrorKind::Config, code, &message), name)
}

/// The argument `name` as text.
///
/// # Errors
/// An `ArgumentError` where it is none, a `DataError` with `HOST_UTF8` for half of a pair of surrogates.
pub fn text<'a>(name: &str, code: &str, given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    let text = given.cast::<PyString>().map_err(|_| wrong(name, code, "text", given))?;
    utf8(&format!("`{name}`"), text).map_err(|failure| at(given.py(), failure, name))
}

/// The characters of a text. `what` is for the message.
///
/// # Errors
/// A `DataError` with `HOST_UTF8` for half of a pair of surrogates, which Python's own error says nothing of.
pub fn utf8<'a>(what: &str, text: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    text.to_str().map_err(|failure| no_utf8(text.py(), what, &failure))
}

/// The argument `name` as the path of a file or directory.
///
/// # Errors
/// An `ArgumentError` where it is none, a `DataError` with `HOST_UTF8` for text that no path can hold.
pub fn path(name: &str, given: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    given.extract().map_err(|failure: PyErr| {
        let py = given.py();
        if failure.is_instance_of::<PyUnicodeEncodeError>(py) {
            return at(py, no_utf8(py, &format!("`{name}`"), &failure), name);
        }
        wrong(name, CODE, "text or a path", given)
    })
}

fn no_utf8(py: Python<'_>, what: &str, failure: &PyErr) -> PyErr {
    let message = format!("{what} is no UTF-8: {}", failure.value(py));
    exception(py, ErrorKind::Data, "HOST_UTF8", &message)
}

/// The exception with the argument as its `path`.
fn at(py: Python<'_>, raised: PyErr, name: &str) -> PyErr {
    match raised.value(py).setattr("path", name) {
        Ok(()) => raised,
        Err(failure) => failure,
    }
}

/// What an object is, for messages.
pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

/// A number as text; Python writes no number of very many digits.
pub fn digits(number: &Bound<'_, PyAny>) -> String {
    match number.str() {
        Ok(digits) if digits.to_string().len() <= 60 => digits.to_string(),
        _ => "a number of many digits".to_owned(),
    }
}
