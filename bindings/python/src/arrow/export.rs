//! Handing a table out as Arrow capsules. Each capsule owns its C structure until a consumer moves it out.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchOptions, StructArray, make_array,
};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::error::BoundaryError;

/// A capsule `arrow_array_stream` over the batches, which share their buffers with it.
pub fn stream_capsule<'py>(
    py: Python<'py>,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> PyResult<Bound<'py, PyCapsule>> {
    let batches: Vec<Result<RecordBatch, ArrowError>> = batches.iter().cloned().map(Ok).collect();
    let reader = RecordBatchIterator::new(batches, schema.clone());
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
}

/// A capsule `arrow_schema` of the schema as a struct type.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref())
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// A capsule `arrow_array` of one batch as a struct array.
pub fn array_capsule(py: Python<'_>, batch: RecordBatch) -> PyResult<Bound<'_, PyCapsule>> {
    let array = FFI_ArrowArray::new(&StructArray::from(batch).to_data());
    PyCapsule::new_with_value(py, array, c"arrow_array")
}

/// All batches as one: the batch itself when there is only one, otherwise a copy.
///
/// # Errors
///
/// [`BoundaryError::Concat`] when a column's offsets or dictionary keys do not reach that far.
pub fn one_batch(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, BoundaryError> {
    match batches {
        [] => Ok(RecordBatch::new_empty(schema.clone())),
        [batch] => Ok(batch.clone()),
        several => concat(schema, several),
    }
}

fn concat(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, BoundaryError> {
    let failed = |column: &str, error: ArrowError| BoundaryError::Concat {
        column: column.to_owned(),
        message: error.to_string(),
    };
    let columns = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let chunks: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(index)).collect();
            concat_column(&chunks).map_err(|error| failed(field.name(), error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(|error| failed("", error))
}

/// Chunks of one column as one array.
///
/// # Errors
///
/// Offsets or dictionary keys that do not reach that far.
pub fn concat_column(chunks: &[&ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let data: Vec<_> = chunks.iter().map(|chunk| chunk.to_data()).collect();
    let rows = data.iter().map(|chunk| chunk.len()).sum();
    let mut joined = MutableArrayData::try_new(data.iter().collect(), false, rows)?;
    for (index, chunk) in data.iter().enumerate() {
        joined.try_extend(index, 0, chunk.len())?;
    }
    Ok(make_array(joined.freeze()))
}
