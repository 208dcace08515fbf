//! Python face of comptoir: the extension module `comptoir._native`.
//!
//! The package `python/comptoir` re-exports what users see; this module is private to it. Every call that may
//! take long goes through `enter::enter`, every table crosses the border in `arrow`, and every error becomes an
//! exception in `errors`: the rest of the crate only unpacks arguments.
#![deny(unsafe_code)]

mod arguments;
mod arrow;
mod costing;
mod enter;
mod errors;
mod executor;
mod memory;
mod probe;
mod python;
mod ranking;
mod rules;

use pyo3::prelude::*;

#[global_allocator]
static MEMORY: memory::Memory = memory::Memory;

/// Native part of comptoir; import `comptoir` instead.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    arrow::register(module)?;
    costing::register(module)?;
    executor::register(module)?;
    ranking::register(module)?;
    rules::register(module)?;
    probe::register(module)?;
    // The module is private: it has no names to offer to `import *`.
    module.delattr("__all__")
}
