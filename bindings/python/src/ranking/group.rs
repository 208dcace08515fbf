//! Groups and items as callers give them.

use std::fmt;

use comptoir::ranking::snapshot::{GroupValue, Item};
use comptoir::types::{Clock, Date, ErrorKind};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyString, PyTuple};

use crate::arguments::{digits, type_name, utf8};
use crate::arrow::Cell;
use crate::errors::{exception, exception_of};

/// The values of a group as texts: those of a tuple or list, or one value by itself.
#[derive(Debug, Default)]
pub struct Group(Vec<String>);

impl Group {
    /// The texts, for who keeps them.
    pub fn into_texts(self) -> Vec<String> {
        self.0
    }

    /// The texts.
    pub fn texts(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

impl<'py> FromPyObject<'_, 'py> for Group {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(tuple) = object.cast::<PyTuple>() {
            return tuple.iter().map(|value| text(&value)).collect::<PyResult<_>>().map(Self);
        }
        if let Ok(list) = object.cast::<PyList>() {
            return list.iter().map(|value| text(&value)).collect::<PyResult<_>>().map(Self);
        }
        Ok(Self(vec![text(&object)?]))
    }
}

/// A value of a group as text, by the rule of [`GroupValue::text`].
fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return Ok(GroupValue::Text(utf8("a value of a group", text)?).text().into_owned());
    }
    let (py, cell) = (value.py(), Cell::of(value)?);
    let value = match &cell {
        Some(Cell::Null) => GroupValue::Null,
        Some(Cell::Bool(truth)) => GroupValue::Bool(*truth),
        Some(Cell::Int(number)) => GroupValue::Int(*number),
        Some(Cell::Decimal(digits)) => GroupValue::Decimal(digits),
        Some(Cell::Text(text)) => GroupValue::Text(text),
        Some(Cell::Date(days)) => match Date::from_days((*days).into()) {
            Ok(date) => GroupValue::Date(date),
            Err(_) => GroupValue::Int((*days).into()),
        },
        Some(Cell::Moment(micros)) => GroupValue::Moment(Clock::MICROSECOND, *micros),
        Some(Cell::Float(_)) | None => {
            let found = value.get_type().name()?;
            let message = format!(
                "a group has text, integers, decimals, booleans, dates, times and None as values, not `{found}`"
            );
            return Err(exception_of(py, "ArgumentError", "RANKING_GROUP_KIND", &message));
        }
    };
    Ok(value.text().into_owned())
}

/// An item of a board. Integers stand before texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnItem {
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
}

impl OwnItem {
    /// The item for a reader.
    pub fn borrowed(&self) -> Item<'_> {
        match self {
            Self::Int(item) => Item::Int(*item),
            Self::Text(item) => Item::Text(item),
        }
    }
}

impl fmt::Display for OwnItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrowed().fmt(formatter)
    }
}

impl<'py> IntoPyObject<'py> for OwnItem {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Int(item) => item.into_bound_py_any(py),
            Self::Text(item) => item.into_bound_py_any(py),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for OwnItem {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self::Text(utf8("an item", &text)?.to_owned()));
        }
        let (py, code) = (object.py(), "RANKING_ITEM_KIND");
        let too_large = || {
            let message = format!("an item is an integer of 64 bits or a text, found {}", digits(&object));
            exception(py, ErrorKind::Data, code, &message)
        };
        if object.is_exact_instance_of::<PyInt>() {
            return object.extract().map(Self::Int).map_err(|_| too_large());
        }
        match Cell::of(&object)? {
            Some(Cell::Int(item)) => i64::try_from(item).map(Self::Int).map_err(|_| too_large()),
            _ => {
                let message = format!("an item is an `int` or a `str`, not `{}`", type_name(&object));
                Err(exception_of(py, "ArgumentError", code, &message))
            }
        }
    }
}
