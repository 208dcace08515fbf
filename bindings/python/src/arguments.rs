//! Errors for arguments as Python gives them, which name the argument.

use comptoir::types::ErrorKind;
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
    text.to_str().map_err(|failure| {
        let py = given.py();
        let message = format!("`{name}` is no UTF-8: {}", failure.value(py));
        at(py, exception(py, ErrorKind::Data, "HOST_UTF8", &message), name)
    })
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
