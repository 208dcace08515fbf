//! Numbers, as Python gives them: what does not go is an error of the package that names the argument.

use comptoir::types::ErrorKind;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::arguments::{digits, out_of_bounds, type_name, wrong};
use crate::errors::{exception, exception_of};

/// An argument where a whole number is expected.
pub enum Given {
    /// One of 64 bits.
    Number(i64),
    /// One that has more, as text.
    Large(String),
    /// The type of something else.
    Other(String),
}

impl From<i64> for Given {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'py> FromPyObject<'_, 'py> for Given {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(match object.extract() {
            Ok(number) => Self::Number(number),
            Err(failure) if failure.is_instance_of::<PyOverflowError>(object.py()) => {
                Self::Large(digits(&object))
            }
            Err(_) => Self::Other(object.get_type().name()?.to_string()),
        })
    }
}

/// The argument `name` as a count.
///
/// # Errors
/// A `ConfigError` that names the argument, where it is less than `least` or has more than 64 bits; an `ArgumentError`
/// where it is no whole number.
pub fn count(py: Python<'_>, name: &str, given: impl Into<Given>, least: u32) -> PyResult<usize> {
    let found = match given.into() {
        Given::Number(number) => match usize::try_from(number) {
            Ok(count) if count >= least as usize => return Ok(count),
            _ => number.to_string(),
        },
        Given::Large(digits) if !digits.starts_with('-') => {
            let message = format!("`{name}` must be a number of 64 bits, found {digits}");
            return Err(exception(py, ErrorKind::Config, "RANKING_COUNT", &message));
        }
        Given::Large(digits) => digits,
        Given::Other(found) => {
            let message = format!("`{name}` must be a whole number, not `{found}`");
            return Err(exception_of(py, "ArgumentError", "RANKING_COUNT", &message));
        }
    };
    let message = format!("`{name}` must be {least} or more, found {found}");
    Err(exception(py, ErrorKind::Config, "RANKING_COUNT", &message))
}

/// The argument `seed`.
///
/// # Errors
/// A `ConfigError` where it does not fit in 64 bits without a sign, an `ArgumentError` where it is no whole number.
pub fn seed(given: &Bound<'_, PyAny>) -> PyResult<u64> {
    given.extract().map_err(|failure: PyErr| match failure.is_instance_of::<PyOverflowError>(given.py()) {
        true => out_of_bounds("seed", "RANKING_SEED", "between 0 and 2^64 - 1", given),
        false => wrong("seed", "RANKING_SEED", "a whole number", given),
    })
}

/// The score of a member; `None` is for the caller to refuse, who knows the member.
pub struct GivenScore(pub Option<f64>);

impl<'py> FromPyObject<'_, 'py> for GivenScore {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|failure: PyErr| {
            let py = object.py();
            if failure.is_instance_of::<PyOverflowError>(py) {
                let message = format!("a score is a float, which cannot hold {}", digits(&object));
                return exception(py, ErrorKind::Data, "RANKING_SCORE", &message);
            }
            let message = format!("a score is a number, not `{}`", type_name(&object));
            exception_of(py, "ArgumentError", "RANKING_SCORE", &message)
        })
    }
}
