//! Results for tables, for Python.

use comptoir_host::Table;
use pyo3::prelude::*;

use crate::arrow::ArrowTable;
use crate::enter::enter;

/// A table for Python.
pub fn table(py: Python<'_>, made: Table) -> PyResult<ArrowTable> {
    enter(py, || ArrowTable::new(made.schema, made.batches))
}
