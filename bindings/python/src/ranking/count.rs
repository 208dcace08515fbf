//! Numbers of things, as Python gives them.

use comptoir::types::ErrorKind;
use pyo3::prelude::*;

use crate::errors::exception;

/// The argument `name` as a count.
///
/// # Errors
/// A `ConfigError` that names the argument, where it is less than `least`.
pub fn count(py: Python<'_>, name: &str, given: i64, least: u32) -> PyResult<usize> {
    match usize::try_from(given) {
        Ok(count) if count >= least as usize => Ok(count),
        _ => {
            let message = format!("`{name}` must be {least} or more, found {given}");
            Err(exception(py, ErrorKind::Config, "RANKING_COUNT", &message))
        }
    }
}
