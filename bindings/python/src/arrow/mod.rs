//! Tables across the border by the Arrow PyCapsule interface, without a copy in either direction.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

mod column;
mod error;
mod export;
mod import;
mod table;
mod times;
mod values;
mod widen;

use pyo3::prelude::*;

pub use column::{ArrowColumn, from_numpy};
pub use error::BoundaryError;
pub use import::{import_column, import_schema, import_stream};
pub use table::ArrowTable;

/// Adds `Table` and `Column` to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ArrowTable>()?;
    module.add_class::<ArrowColumn>()
}
