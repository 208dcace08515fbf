//! The one way from Python into a core.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use comptoir::types::ErrorKind;
use comptoir_host::Fault;
use pyo3::prelude::*;

use crate::errors;

/// Runs `work` detached from the interpreter, so that other Python threads go on, and turns its error into the
/// matching `comptoir.Error`.
///
/// A panic, which would be a defect of ours, becomes `comptoir.InternalError` with code `INTERNAL`. PyO3 alone
/// would raise a `PanicException`, which derives from `BaseException` and so ends services that catch `Exception`.
/// No panic hook is installed: the hook belongs to the host.
pub fn enter<T, E, F>(py: Python<'_>, work: F) -> PyResult<T>
where
    T: Send,
    E: Into<Fault> + Send,
    F: FnOnce() -> Result<T, E> + Send,
{
    enter_with(py, work, |py, error| errors::from_host(py, &error.into()))
}

/// The same with another way from error to exception.
pub fn enter_with<T, E, F>(
    py: Python<'_>,
    work: F,
    exception: impl FnOnce(Python<'_>, E) -> PyErr,
) -> PyResult<T>
where
    T: Send,
    E: Send,
    F: FnOnce() -> Result<T, E> + Send,
{
    // `work` is consumed and nothing it borrowed mutably is looked at after a panic.
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(exception(py, error)),
        Err(panic) => Err(internal(py, &*panic)),
    }
}

/// Runs short work that reads Python objects and so stays attached to the interpreter. A panic is handled as in
/// [`enter`].
pub fn attached<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(internal(py, &*panic)))
}

fn internal(py: Python<'_>, panic: &(dyn Any + Send)) -> PyErr {
    errors::exception(py, ErrorKind::Internal, "INTERNAL", &panic_text(panic))
}

/// The message of a panic as an error text that asks for a report.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let cause = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("internal error, please report it: {cause}")
}
