//! Results as objects of the Python package.

use pyo3::call::PyCallArgs;
use pyo3::prelude::*;

/// An instance of a class of `comptoir.rules._results`, in which the package says what users see.
///
/// # Errors
/// What Python raises.
pub fn result<'py>(py: Python<'py>, class: &str, parts: impl PyCallArgs<'py>) -> PyResult<Bound<'py, PyAny>> {
    py.import("comptoir.rules._results")?.getattr(class)?.call1(parts)
}
