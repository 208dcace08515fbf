//! Texts, numbers and lists, as Python gives them: what does not go is an error of the package that names the argument.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::arguments::{out_of_bounds, text as argument_text, wrong};

/// The argument `name` as text.
///
/// # Errors
/// An `ArgumentError` where it is none.
pub fn text<'a>(name: &str, given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    argument_text(name, "RANKING_TEXT", given)
}

/// The argument `name` as a float.
///
/// # Errors
/// With this code a `ConfigError` where no float can hold it, an `ArgumentError` where it is no number.
pub fn number(name: &str, code: &str, given: &Bound<'_, PyAny>) -> PyResult<f64> {
    given.extract().map_err(|failure: PyErr| match failure.is_instance_of::<PyOverflowError>(given.py()) {
        true => out_of_bounds(name, code, "a number that a float can hold", given),
        false => wrong(name, code, "a number", given),
    })
}

/// What the argument `name` gives, one after the other.
///
/// # Errors
/// An `ArgumentError` where it gives nothing, and what it raises on its way.
pub fn each<'py>(name: &str, given: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    match given.try_iter() {
        Ok(iterator) => iterator.collect(),
        Err(_) => Err(wrong(name, "RANKING_ITERABLE", "an iterable", given)),
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
        Err(_) => Err(wrong(&format!("{name}[{place}]"), "RANKING_PAIR", "a pair of two values", given)),
    }
}
