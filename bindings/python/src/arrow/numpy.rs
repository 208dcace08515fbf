//! Columns to NumPy and back.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, DurationNanosecondType, Float64Type, Int64Type, TimestampMicrosecondType,
    TimestampNanosecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::values;

/// A copy of the values as a NumPy array: numbers, truth values and moments as such where none is null, anything else as
/// Python objects.
///
/// # Errors
/// Values without a plain form, and what NumPy raises.
pub fn to_numpy<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyAny>> {
    let numpy = py.import("numpy")?;
    if let Some((code, bytes)) = plain(array) {
        return numpy.call_method1("frombuffer", (PyBytes::new(py, &bytes), code));
    }
    let keywords = PyDict::new(py);
    keywords.set_item("dtype", "object")?;
    numpy.call_method("array", (values::to_python(py, "values", array)?,), Some(&keywords))
}

/// NumPy's code of a type and the bytes of the values, where they lie side by side without nulls.
fn plain(array: &ArrayRef) -> Option<(&'static str, Vec<u8>)> {
    fn bytes<T: ArrowPrimitiveType>(array: &ArrayRef) -> Vec<u8> {
        array.as_primitive::<T>().values().inner().as_slice().to_vec()
    }
    if array.null_count() > 0 {
        return None;
    }
    Some(match array.data_type() {
        DataType::Boolean => ("?", array.as_boolean().values().iter().map(u8::from).collect()),
        DataType::Int64 => ("<i8", bytes::<Int64Type>(array)),
        DataType::UInt64 => ("<u8", bytes::<UInt64Type>(array)),
        DataType::Float64 => ("<f8", bytes::<Float64Type>(array)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            ("<M8[us]", bytes::<TimestampMicrosecondType>(array))
        }
        DataType::Duration(TimeUnit::Nanosecond) => ("<m8[ns]", bytes::<DurationNanosecondType>(array)),
        _ => return None,
    })
}

/// The values of a NumPy array of one dimension, where they are numbers, truth values or moments; `None` for others.
///
/// # Errors
/// What NumPy raises.
pub fn from_numpy(object: &Bound<'_, PyAny>) -> PyResult<Option<ArrayRef>> {
    let dtype = object.getattr("dtype")?;
    let kind: String = dtype.getattr("kind")?.extract()?;
    let is_nano = dtype.str()?.to_string().contains("ns");
    let bytes = |code: &str| -> PyResult<Vec<u8>> {
        object.call_method1("astype", (code,))?.call_method0("tobytes")?.extract()
    };
    Ok(Some(match kind.as_str() {
        "b" => Arc::new(bytes("?")?.iter().map(|byte| Some(*byte != 0)).collect::<BooleanArray>()),
        "i" => numbers::<Int64Type>(&bytes("<i8")?, i64::from_le_bytes),
        "u" => numbers::<UInt64Type>(&bytes("<u8")?, u64::from_le_bytes),
        "f" => numbers::<Float64Type>(&bytes("<f8")?, f64::from_le_bytes),
        "M" if is_nano => moments::<TimestampNanosecondType>(&bytes("<M8[ns]")?),
        "M" => moments::<TimestampMicrosecondType>(&bytes("<M8[us]")?),
        "m" => moments::<DurationNanosecondType>(&bytes("<m8[ns]")?),
        _ => return Ok(None),
    }))
}

fn numbers<T: ArrowPrimitiveType>(bytes: &[u8], read: impl Fn([u8; 8]) -> T::Native) -> ArrayRef {
    let values: Vec<T::Native> = bytes.as_chunks::<8>().0.iter().map(|chunk| read(*chunk)).collect();
    Arc::new(PrimitiveArray::<T>::new(values.into(), None))
}

/// NumPy's "not a time" is null.
fn moments<T: ArrowPrimitiveType<Native = i64>>(bytes: &[u8]) -> ArrayRef {
    let ticks = bytes.as_chunks::<8>().0.iter().map(|chunk| i64::from_le_bytes(*chunk));
    Arc::new(ticks.map(|ticks| (ticks != i64::MIN).then_some(ticks)).collect::<PrimitiveArray<T>>())
}
