//! Several chunks as one.

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, SchemaRef};

use super::TableError;

/// All batches as one: the batch itself when there is only one, otherwise a copy.
pub(super) fn one_batch(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, TableError> {
    match batches {
        [] => Ok(RecordBatch::new_empty(schema.clone())),
        [batch] => Ok(batch.clone()),
        several => concat(schema, several),
    }
}

fn concat(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, TableError> {
    let failed = |column: &str, error: ArrowError| TableError::Concat {
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
