//! Reading the streams of a producer. No buffer is copied.

use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StructArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{Table, TableError};
use crate::stream::Source;

/// Rows of a stream that are held at a time by [`read_parts`].
const PART_ROWS: usize = 1 << 20;

/// Reads a stream to its end. The stream is released when the reader goes, on success and on failure alike.
///
/// # Errors
/// [`TableError::Stream`] with the producer's message, [`TableError::NotTable`], [`TableError::NullRow`].
pub fn read_stream(stream: FFI_ArrowArrayStream) -> Result<Table, TableError> {
    let source = Source::open(stream)?;
    let schema = table_schema(source.field())?;
    let batches = source
        .enumerate()
        .map(|(batch, array)| to_batch(batch, &schema, array?))
        .collect::<Result<_, _>>()?;
    Ok(Table { schema, batches })
}

/// Reads a stream of any type to its end: its type and its arrays.
///
/// # Errors
/// [`TableError::Stream`].
pub fn read_chunks(stream: FFI_ArrowArrayStream) -> Result<(Field, Vec<ArrayRef>), TableError> {
    let source = Source::open(stream)?;
    let field = source.field().clone();
    Ok((field, source.collect::<Result<_, _>>()?))
}

/// Gives the batches of a stream to `take`, a part at a time, so that memory does not grow with the stream. The first
/// part has at least one batch, which is empty where there are no rows.
///
/// # Errors
/// As [`read_stream`], and what `take` gives.
pub fn read_parts<E: From<TableError>>(
    stream: FFI_ArrowArrayStream,
    take: &mut dyn FnMut(&[RecordBatch]) -> Result<(), E>,
) -> Result<(), E> {
    let source = Source::open(stream)?;
    let schema = table_schema(source.field())?;
    let (mut part, mut rows) = (vec![RecordBatch::new_empty(schema.clone())], 0);
    for (number, array) in source.enumerate() {
        let batch = to_batch(number, &schema, array?)?;
        rows += batch.num_rows();
        part.push(batch);
        if rows >= PART_ROWS {
            take(&part)?;
            part.clear();
            rows = 0;
        }
    }
    if part.is_empty() { Ok(()) } else { take(&part) }
}

/// The fields of a struct as the schema of a table.
///
/// # Errors
/// [`TableError::NotTable`] for any other type.
pub fn table_schema(field: &Field) -> Result<SchemaRef, TableError> {
    match field.data_type() {
        DataType::Struct(fields) => {
            Ok(Arc::new(Schema::new_with_metadata(fields.clone(), field.metadata().clone())))
        }
        other => Err(TableError::NotTable { found: type_name(other) }),
    }
}

/// A struct array as batch number `batch` of a table.
///
/// # Errors
/// [`TableError::NotTable`], [`TableError::NullRow`], and [`TableError::Stream`] where it does not fit the schema.
pub fn to_batch(batch: usize, schema: &SchemaRef, array: ArrayRef) -> Result<RecordBatch, TableError> {
    let Some(rows) = array.as_any().downcast_ref::<StructArray>() else {
        return Err(TableError::NotTable { found: type_name(array.data_type()) });
    };
    if let Some(row) = first_null(rows) {
        return Err(TableError::NullRow { batch, row });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(schema.clone(), rows.columns().to_vec(), &options)
        .map_err(|error| stream_error(batch, &error))
}

/// The first row that is null as a whole.
fn first_null(rows: &StructArray) -> Option<usize> {
    let nulls = rows.nulls().filter(|nulls| nulls.null_count() > 0)?;
    nulls.iter().position(|valid| !valid)
}

/// The failure of batch number `batch` in the producer's own words, where it gave any.
#[must_use]
pub fn stream_error(batch: usize, error: &ArrowError) -> TableError {
    let text = error.to_string();
    let message = text.split_once("Producer error: ").map_or(text.as_str(), |(_, own)| own);
    TableError::Stream { batch, message: message.trim_end().to_owned() }
}

/// An Arrow type in the words of Arrow's specification, such as `string` or `decimal64(18, 2)`.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::LargeUtf8 => "large_string".to_owned(),
        DataType::Utf8View => "string_view".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Timestamp(unit, None) => format!("timestamp[{}]", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp[{}, {zone}]", unit_name(*unit)),
        DataType::Dictionary(keys, values) => {
            format!("dictionary<{}, {}>", type_name(keys), type_name(values))
        }
        other => other.to_string().to_lowercase(),
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}
