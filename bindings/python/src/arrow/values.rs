//! Arrow values as Python's own objects, for a look at small tables without any third-party library.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use comptoir_host::table::type_name;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use super::error::BoundaryError;
use super::times;
use crate::errors;

/// The values of a column as Python objects.
pub type Values<'py> = Vec<Bound<'py, PyAny>>;

/// One Python object a row: `int`, `float`, `bool`, `str`, `decimal.Decimal`, `datetime.date`, `datetime.datetime`,
/// or None for null.
///
/// # Errors
///
/// [`BoundaryError::NoPythonValue`] for nested and binary types, naming `column`.
pub fn to_python<'py>(py: Python<'py>, column: &str, array: &ArrayRef) -> PyResult<Values<'py>> {
    match array.data_type() {
        DataType::Null => Ok(vec![py.None().into_bound(py); array.len()]),
        DataType::Boolean => objects(py, array.as_boolean()),
        DataType::Utf8 => objects(py, array.as_string::<i32>()),
        DataType::LargeUtf8 => objects(py, array.as_string::<i64>()),
        DataType::Utf8View => objects(py, array.as_string_view()),
        DataType::Dictionary(_, _) => dictionary(py, column, array),
        DataType::Date32 | DataType::Date64 => times::dates(py, column, array),
        DataType::Timestamp(_, _) => times::timestamps(py, column, array),
        numeric => numbers(py, numeric, array).unwrap_or_else(|| Err(no_value(py, column, numeric))),
    }
}

/// The values of a numeric column; None for a type which is not numeric.
fn numbers<'py>(py: Python<'py>, data_type: &DataType, array: &ArrayRef) -> Option<PyResult<Values<'py>>> {
    Some(match data_type {
        DataType::Int8 => objects(py, array.as_primitive::<Int8Type>()),
        DataType::Int16 => objects(py, array.as_primitive::<Int16Type>()),
        DataType::Int32 => objects(py, array.as_primitive::<Int32Type>()),
        DataType::Int64 => objects(py, array.as_primitive::<Int64Type>()),
        DataType::UInt8 => objects(py, array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => objects(py, array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => objects(py, array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => objects(py, array.as_primitive::<UInt64Type>()),
        DataType::Float32 => objects(py, array.as_primitive::<Float32Type>()),
        DataType::Float64 => objects(py, array.as_primitive::<Float64Type>()),
        DataType::Decimal32(_, _) => decimals(py, array.as_primitive::<Decimal32Type>()),
        DataType::Decimal64(_, _) => decimals(py, array.as_primitive::<Decimal64Type>()),
        DataType::Decimal128(_, _) => decimals(py, array.as_primitive::<Decimal128Type>()),
        DataType::Decimal256(_, _) => decimals(py, array.as_primitive::<Decimal256Type>()),
        _ => return None,
    })
}

/// Each value as PyO3 converts it, None for null.
fn objects<'py, T>(py: Python<'py>, values: impl IntoIterator<Item = Option<T>>) -> PyResult<Values<'py>>
where
    T: IntoPyObject<'py>,
{
    values
        .into_iter()
        .map(|value| match value {
            Some(value) => value.into_bound_py_any(py),
            None => Ok(py.None().into_bound(py)),
        })
        .collect()
}

/// Each value as a `decimal.Decimal` of the column's scale.
fn decimals<'py, T>(py: Python<'py>, array: &PrimitiveArray<T>) -> PyResult<Values<'py>>
where
    T: DecimalType + ArrowPrimitiveType,
{
    let class = py.import("decimal")?.getattr("Decimal")?;
    (0..array.len())
        .map(|row| match array.is_null(row) {
            true => Ok(py.None().into_bound(py)),
            false => class.call1((array.value_as_string(row),)),
        })
        .collect()
}

/// Converts each distinct value once.
fn dictionary<'py>(py: Python<'py>, column: &str, array: &ArrayRef) -> PyResult<Values<'py>> {
    let dictionary = array.as_any_dictionary();
    let none = py.None().into_bound(py);
    if dictionary.values().is_empty() {
        // Every row is null; Arrow's key kernel panics on a dictionary without values.
        return Ok(vec![none; array.len()]);
    }
    let distinct = to_python(py, column, dictionary.values())?;
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let at = |(row, key): (usize, usize)| match dictionary.is_null(row) {
        true => none.clone(),
        false => distinct.get(key).unwrap_or(&none).clone(),
    };
    Ok(keys.map(at).collect())
}

fn no_value(py: Python<'_>, column: &str, data_type: &DataType) -> PyErr {
    let error = BoundaryError::NoPythonValue { column: column.to_owned(), found: type_name(data_type) };
    errors::from_core(py, &error)
}
