//! Decimals of 32 and 64 bits as decimals of 128 bits.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::TableError;

/// The same table with every narrow decimal column widened, exactly; all other columns are shared.
///
/// Polars 2.1 reads decimals of 32 and 64 bits as if they had 128, which gives wrong amounts without any error. So a
/// table for Python never holds one. The cores keep results in 64 bits; this copy is the price of the border.
///
/// # Errors
///
/// [`TableError::Inconsistent`] when a batch has other columns than `schema`.
pub(super) fn wide_decimals(
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<(SchemaRef, Vec<RecordBatch>), TableError> {
    if !schema.fields().iter().any(|field| wide_type(field.data_type()).is_some()) {
        return Ok((schema, batches));
    }
    let fields: Vec<_> = schema.fields().iter().map(wide_field).collect();
    let wide = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let batches = batches
        .iter()
        .map(|batch| RecordBatch::try_new(wide.clone(), batch.columns().iter().map(wide_column).collect()))
        .collect::<Result<_, _>>()
        .map_err(|error| TableError::Inconsistent { message: error.to_string() })?;
    Ok((wide, batches))
}

fn wide_field(field: &Arc<Field>) -> Arc<Field> {
    match wide_type(field.data_type()) {
        Some(wide) => Arc::new(field.as_ref().clone().with_data_type(wide)),
        None => field.clone(),
    }
}

fn wide_column(column: &ArrayRef) -> ArrayRef {
    match (column.data_type(), wide_type(column.data_type())) {
        (DataType::Decimal32(_, _), Some(wide)) => widen::<Decimal32Type>(column, wide),
        (DataType::Decimal64(_, _), Some(wide)) => widen::<Decimal64Type>(column, wide),
        _ => column.clone(),
    }
}

fn wide_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            Some(DataType::Decimal128(*precision, *scale))
        }
        _ => None,
    }
}

fn widen<T>(column: &ArrayRef, wide: DataType) -> ArrayRef
where
    T: ArrowPrimitiveType,
    i128: From<T::Native>,
{
    let narrow: &PrimitiveArray<T> = column.as_primitive();
    Arc::new(narrow.unary::<_, Decimal128Type>(i128::from).with_data_type(wide))
}
