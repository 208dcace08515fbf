//! Functions by which the tests look at the border itself; no part of the public face.

use std::time::Duration;

use pyo3::prelude::*;

use crate::arrow::{ArrowTable, BoundaryError, import_stream};
use crate::enter::enter;

/// Adds the test functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_echo, module)?)?;
    module.add_function(wrap_pyfunction!(_sleep, module)?)?;
    module.add_function(wrap_pyfunction!(_panic, module)?)
}

/// Imports `table` and gives it back: shows that data crosses both ways without a copy.
#[pyfunction]
fn _echo(table: &Bound<'_, PyAny>) -> PyResult<ArrowTable> {
    let (schema, batches) = import_stream(table)?;
    enter(table.py(), || ArrowTable::new(schema, batches))
}

/// Sleeps for `milliseconds` in a core call: shows that other threads go on meanwhile.
#[pyfunction]
fn _sleep(py: Python<'_>, milliseconds: u64) -> PyResult<()> {
    enter(py, || {
        std::thread::sleep(Duration::from_millis(milliseconds));
        Ok::<(), BoundaryError>(())
    })
}

/// Panics in a core call: shows that a panic arrives as `comptoir.InternalError`.
#[pyfunction]
fn _panic(py: Python<'_>) -> PyResult<()> {
    #[expect(clippy::panic, reason = "the panic is what this function is for")]
    enter(py, || -> Result<(), BoundaryError> { panic!("panic on purpose") })
}
