//! Taking one column: an Arrow array, a `NumPy` array, or a list of Python's own values.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::DataType;
use comptoir_host::TableError;
use comptoir_host::table::concat_column;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::error::BoundaryError;
use super::import::import_chunks;
use super::numpy::from_numpy;
use super::objects::{self, Object};
use crate::enter::enter;
use crate::errors;

/// The chunks of a column, all of one type. `name` is for messages.
///
/// An object with the Arrow interface is read without a copy: an array, a chunked array or series, a table of one column.
/// A `NumPy` array and any other iterable is read value by value.
///
/// # Errors
///
/// Those of [`super::import_stream`], `ARROW_NOT_COLUMN` for a table of several columns, `ARROW_NO_COLUMN_VALUE` for
/// values that have no common type, and what Python raises.
pub fn import_column(name: &'static str, object: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    if let Some(chunks) = arrow_chunks(object)? {
        let columns = chunks.into_iter().map(|chunk| one_column(name, chunk));
        return columns.collect::<Result<_, _>>().map_err(|error| errors::from_core(object.py(), &error));
    }
    if let Some(array) = numbers_of_numpy(object)? {
        return Ok(vec![array]);
    }
    let listed = listed(object)?;
    let iterator = listed.try_iter().map_err(|_| no_column(name, object))?;
    let values: Vec<Object<'_>> = iterator.collect::<PyResult<_>>()?;
    Ok(vec![objects::to_array(name, object.py(), &values)?])
}

/// The error for an object that gives no values.
fn no_column(name: &str, object: &Object<'_>) -> PyErr {
    let found = object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let message = format!("`{name}`: expected an Arrow array, a NumPy array or an iterable, not `{found}`");
    errors::exception_of(object.py(), "ArgumentError", "ARROW_NOT_COLUMN", &message)
}

/// A `NumPy` array of one dimension with numbers or truth values, which need no look at each; `None` for any other object.
/// Moments are not among them: as Python's own values they are moments of UTC.
fn numbers_of_numpy(object: &Object<'_>) -> PyResult<Option<ArrayRef>> {
    let (Some(data_type), true) = (object.getattr_opt("dtype")?, object.hasattr("tobytes")?) else {
        return Ok(None);
    };
    let kind = data_type.getattr_opt("kind")?.and_then(|kind| kind.extract::<String>().ok());
    let is_number = kind.is_some_and(|kind| matches!(kind.as_str(), "b" | "i" | "u" | "f"));
    let dimensions = object.getattr_opt("ndim")?.map(|count| count.extract::<usize>()).transpose()?;
    if is_number && dimensions == Some(1) { from_numpy(object) } else { Ok(None) }
}

/// One array from an object with the Arrow interface; several chunks are copied into one. `None` for an object without it.
///
/// # Errors
///
/// Those of [`super::import_stream`].
pub fn import_array(object: &Bound<'_, PyAny>) -> PyResult<Option<ArrayRef>> {
    let Some(chunks) = arrow_chunks(object)? else { return Ok(None) };
    enter(object.py(), || one_array("data", &chunks)).map(Some)
}

/// The chunks of an object with the Arrow interface.
fn arrow_chunks(object: &Object<'_>) -> PyResult<Option<Vec<ArrayRef>>> {
    if object.is_instance_of::<PyType>() {
        return Ok(None);
    }
    Ok(import_chunks(object)?.map(|(_, chunks)| chunks))
}

/// A `NumPy` array as a list of Python's own values; any other object as it is.
fn listed<'py>(object: &Object<'py>) -> PyResult<Object<'py>> {
    let (Some(data_type), Some(list)) = (object.getattr_opt("dtype")?, object.getattr_opt("tolist")?) else {
        return Ok(object.clone());
    };
    let kind: String = data_type.getattr_opt("kind")?.map_or(Ok(String::new()), |kind| kind.extract())?;
    if kind == "M" {
        // Nanoseconds would come as numbers.
        return object.call_method1("astype", ("datetime64[us]",))?.call_method0("tolist");
    }
    list.call0()
}

/// The only column of a table; an array that is no table as it is.
fn one_column(name: &'static str, chunk: ArrayRef) -> Result<ArrayRef, BoundaryError> {
    let DataType::Struct(fields) = chunk.data_type() else { return Ok(chunk) };
    let columns = fields.len();
    let table = chunk.as_any().downcast_ref::<StructArray>().filter(|rows| rows.null_count() == 0);
    let only = table.map(RecordBatch::from).filter(|_| columns == 1).map(|batch| batch.column(0).clone());
    only.ok_or(BoundaryError::NotColumn { name, columns })
}

/// One array of several chunks; the chunk itself where there is one.
///
/// # Errors
///
/// [`TableError::Concat`] where they do not fit in one.
pub fn one_array(name: &str, chunks: &[ArrayRef]) -> Result<ArrayRef, BoundaryError> {
    match chunks {
        [] => Ok(Arc::new(arrow_array::NullArray::new(0))),
        [chunk] => Ok(chunk.clone()),
        several => concat_column(&several.iter().collect::<Vec<_>>()).map_err(|error| {
            TableError::Concat { column: name.to_owned(), message: error.to_string() }.into()
        }),
    }
}
