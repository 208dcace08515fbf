use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command `comptoir` with its arguments, of which the first is its name, and gives its exit status.
#[pyfunction]
pub fn rules_command(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    crate::enter::enter(py, || Ok::<_, comptoir_host::Fault>(comptoir_cli::run(arguments)))
}
