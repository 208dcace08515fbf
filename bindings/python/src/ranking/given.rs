//! Texts, numbers and lists, as Python gives them: what does not go is an error of the package that names the argument.

use comptoir::types::ErrorKind;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::count::{digits, type_name};
use crate::errors::{exception, exception_of};

/// The argument `name` as text.
///
/// # Errors
/// An `ArgumentError` where it is none.
pub fn text<'a>(name: &str, given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    match given.cast::<PyString>() {
        Ok(text) => text.to_str(),
        Err(_) => Err(wrong(given, "RANKING_TEXT", &format!("`{name}` must be text"))),
    }
}

/// The argument `name` as a float.
///
/// # Errors
/// With this code a `ConfigError` where no float can hold it, an `ArgumentError` where it is no number.
pub fn number(name: &str, code: &str, given: &Bound<'_, PyAny>) -> PyResult<f64> {
    given.extract().map_err(|failure: PyErr| {
        let py = given.py();
        if failure.is_instance_of::<PyOverflowError>(py) {
            let message = format!("`{name}` must be a number that a float can hold, found {}", digits(given));
            return exception(py, ErrorKind::Config, code, &message);
        }
        wrong(given, code, &format!("`{name}` must be a number"))
    })
}

/// What the argument `name` gives, one after the other.
///
/// # Errors
/// An `ArgumentError` where it gives nothing, and what it raises on its way.
pub fn each<'py>(name: &str, given: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    match given.try_iter() {
        Ok(iterator) => iterator.collect(),
        Err(_) => Err(wrong(given, "RANKING_ITERABLE", &format!("`{name}` must be an iterable"))),
    }
}

/// Two values together, at a place of the argument `name`.
///
/// # Errors
/// An `ArgumentError` for something else.
pub fn pair<'py>(
    name: &str,
    place: usize,
    given: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    // A text of two characters is none.
    let values = match given.is_instance_of::<PyTuple>() || given.is_instance_of::<PyList>() {
        true => each(name, given)?,
        false => Vec::new(),
    };
    match <[_; 2]>::try_from(values) {
        Ok([first, second]) => Ok((first, second)),
        Err(_) => {
            Err(wrong(given, "RANKING_PAIR", &format!("`{name}[{place}]` must be a pair of two values")))
        }
    }
}

/// The error for an object of a type that does not go.
fn wrong(given: &Bound<'_, PyAny>, code: &str, expected: &str) -> PyErr {
    let message = format!("{expected}, not `{}`", type_name(given));
    exception_of(given.py(), "ArgumentError", code, &message)
}
