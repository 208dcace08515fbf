//! Tables across the border by the Arrow PyCapsule interface, without a copy in either direction.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

mod array;
mod column;
mod error;
mod export;
mod import;
mod numpy;
mod objects;
mod table;
pub mod times;
mod values;

use pyo3::prelude::*;

pub use array::ArrowArray;
pub use column::{import_array, import_column};
pub use error::BoundaryError;
pub use import::{import_in_parts, import_schema, import_stream};
pub use numpy::from_numpy;
pub use objects::Cell;
pub use table::ArrowTable;

/// Adds `Table` and `Array` to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ArrowArray>()?;
    module.add_class::<ArrowTable>()
}
