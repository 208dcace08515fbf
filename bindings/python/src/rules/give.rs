//! Values as Python objects.

use comptoir::rules::Value;
use comptoir::rules::value::{Duration, Timestamp};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::python::Classes;

/// The value as Python's own: `int`, `float`, `bool`, `str`, `bytes`, `Decimal`, `datetime` in UTC, `timedelta`, `list`,
/// `dict`, None. A nanosecond is dropped to its microsecond; addresses and types are text.
///
/// # Errors
/// What Python raises while objects are made.
pub fn to_python<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Int(value) => value.into_bound_py_any(py),
        Value::Uint(value) => value.into_bound_py_any(py),
        Value::Double(value) => value.into_bound_py_any(py),
        Value::String(text) | Value::Type(text) => Ok(PyString::new(py, text).into_any()),
        Value::Bytes(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
        Value::Decimal(value) => Classes::get(py)?.decimal.bind(py).call1((value.to_string(),)),
        Value::Timestamp(moment) => timestamp(py, *moment),
        Value::Duration(span) => duration(py, *span),
        Value::List(list) => {
            let elements =
                list.iter().map(|element| to_python(py, &element)).collect::<PyResult<Vec<_>>>()?;
            Ok(PyList::new(py, elements)?.into_any())
        }
        Value::Map(map) => {
            let dict = PyDict::new(py);
            for (key, value) in map.entries() {
                dict.set_item(to_python(py, &key)?, to_python(py, &value)?)?;
            }
            Ok(dict.into_any())
        }
        Value::Struct(value) => {
            let dict = PyDict::new(py);
            for (name, value) in value.fields() {
                dict.set_item(name, to_python(py, &value)?)?;
            }
            Ok(dict.into_any())
        }
        Value::Optional(Some(value)) => to_python(py, value),
        Value::Ip(address) => address.to_string().into_bound_py_any(py),
        Value::Cidr(address, prefix) => format!("{address}/{prefix}").into_bound_py_any(py),
        Value::Null | Value::Optional(None) | Value::Absent | Value::Error(_) | Value::Unknown(_) => {
            Ok(py.None().into_bound(py))
        }
    }
}

fn timestamp(py: Python<'_>, moment: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let classes = Classes::get(py)?;
    let after = classes.timedelta.bind(py).call1((0, moment.seconds(), moment.nanos() / 1_000))?;
    classes.epoch_utc.bind(py).add(after)
}

fn duration(py: Python<'_>, span: Duration) -> PyResult<Bound<'_, PyAny>> {
    Classes::get(py)?.timedelta.bind(py).call1((0, 0, span.nanos().div_euclid(1_000)))
}
