//! Lists of Python's own values as Arrow arrays.

use std::fmt::Display;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, NullArray, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

use super::error::BoundaryError;
use super::times;
use crate::arguments::utf8;
use crate::errors;
use crate::python::Classes;

/// Any Python object.
pub type Object<'py> = Bound<'py, PyAny>;

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// Plain digits.
    Decimal(String),
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01 UTC.
    Moment(i64),
}

impl Cell {
    /// What an object is; none for one that is no value of a column.
    ///
    /// # Errors
    /// What Python raises.
    pub fn of(object: &Object<'_>) -> PyResult<Option<Self>> {
        if object.is_none() {
            return Ok(Some(Self::Null));
        }
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Some(Self::Text(utf8("a text", text)?.to_owned())));
        }
        if let Ok(truth) = object.cast::<PyBool>() {
            return Ok(Some(Self::Bool(truth.is_true())));
        }
        if object.is_instance_of::<PyInt>() {
            return Ok(object.extract().ok().map(Self::Int));
        }
        if let Ok(number) = object.cast::<PyFloat>() {
            return Ok(Some(Self::Float(number.value())));
        }
        Self::of_class(object)
    }

    fn of_class(object: &Object<'_>) -> PyResult<Option<Self>> {
        let classes = Classes::get(object.py())?;
        if object.is_instance(classes.decimal.bind(object.py()))? {
            let is_finite: bool = object.call_method0("is_finite")?.extract()?;
            if !is_finite {
                let is_nan: bool = object.call_method0("is_nan")?.extract()?;
                return Ok(is_nan.then_some(Self::Null));
            }
            return Ok(Some(Self::Decimal(object.call_method1("__format__", ("f",))?.extract()?)));
        }
        if let Some(moment) = times::micros(object)? {
            return Ok(Some(Self::Moment(moment)));
        }
        if let Some(days) = times::days(object)? {
            return Ok(Some(Self::Date(days)));
        }
        // A scalar of NumPy says itself what it is in Python.
        match (object.getattr_opt("dtype")?, object.getattr_opt("item")?) {
            (Some(_), Some(item)) => {
                let plain = item.call0()?;
                if plain.get_type().is(object.get_type()) { Ok(None) } else { Self::of(&plain) }
            }
            _ => Ok(None),
        }
    }

    /// Which values go together: those of one rank, and of ranks that [`Kind::with`] joins.
    const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Float(_) => Kind::Float,
            Self::Decimal(_) => Kind::Decimal,
            Self::Text(_) => Kind::Text,
            Self::Date(_) => Kind::Date,
            Self::Moment(_) => Kind::Moment,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Bool,
    Int,
    Float,
    Decimal,
    Text,
    Date,
    Moment,
}

impl Kind {
    /// The kind of a column that has values of both.
    const fn with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => Some(kind),
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Some(Self::Float),
            (Self::Int, Self::Decimal) | (Self::Decimal, Self::Int) => Some(Self::Decimal),
            (own, other) if own as u8 == other as u8 => Some(own),
            _ => None,
        }
    }
}

/// The values as one array. Integers beside floats become floats where that is exact, beside decimals decimals.
///
/// # Errors
///
/// [`BoundaryError::NoColumnValue`] at the first value that has no place in the column; what Python raises.
pub fn to_array(name: &'static str, py: Python<'_>, values: &[Object<'_>]) -> PyResult<ArrayRef> {
    let refused = |index: usize, problem: String| {
        errors::from_core(py, &BoundaryError::NoColumnValue { name, index, problem })
    };
    let mut kind = Kind::Null;
    let mut cells = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let class = || value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        let cell = Cell::of(value)?
            .ok_or_else(|| refused(index, format!("a `{}` is no value of a column", class())))?;
        kind = kind.with(cell.kind()).ok_or_else(|| {
            refused(index, format!("a `{}` does not go with the values before it", class()))
        })?;
        cells.push(cell);
    }
    array(kind, cells).map_err(|(index, problem)| refused(index, problem))
}

/// Index and reason of a value that does not fit.
type Misfit = (usize, String);

fn array(kind: Kind, cells: Vec<Cell>) -> Result<ArrayRef, Misfit> {
    macro_rules! plain {
        ($array:ty, $cell:ident) => {{
            let value = |cell| if let Cell::$cell(value) = cell { Some(value) } else { None };
            Ok(Arc::new(cells.into_iter().map(value).collect::<$array>()))
        }};
    }
    match kind {
        Kind::Null => Ok(Arc::new(NullArray::new(cells.len()))),
        Kind::Bool => plain!(BooleanArray, Bool),
        Kind::Text => plain!(StringArray, Text),
        Kind::Date => plain!(Date32Array, Date),
        Kind::Moment => {
            let value = |cell| if let Cell::Moment(value) = cell { Some(value) } else { None };
            let array: TimestampMicrosecondArray = cells.into_iter().map(value).collect();
            Ok(Arc::new(array.with_timezone("UTC")))
        }
        Kind::Float => floats(&cells),
        Kind::Int => integers(&cells),
        Kind::Decimal => decimals(&cells),
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "what is lost is refused")]
fn floats(cells: &[Cell]) -> Result<ArrayRef, Misfit> {
    let value = |(index, cell): (usize, &Cell)| match cell {
        Cell::Float(number) => Ok(Some(*number)),
        Cell::Int(number) if (*number as f64) as i128 == *number => Ok(Some(*number as f64)),
        Cell::Int(number) => Err((index, format!("{number} has no exact float, and the column has floats"))),
        _ => Ok(None),
    };
    Ok(Arc::new(cells.iter().enumerate().map(value).collect::<Result<Float64Array, _>>()?))
}

/// In the narrowest of 64 bits, 64 bits without sign, 38 digits.
fn integers(cells: &[Cell]) -> Result<ArrayRef, Misfit> {
    let numbers = || cells.iter().map(|cell| if let Cell::Int(number) = cell { Some(*number) } else { None });
    if numbers().flatten().all(|number| i64::try_from(number).is_ok()) {
        return Ok(Arc::new(numbers().map(|number| i64::try_from(number?).ok()).collect::<Int64Array>()));
    }
    if numbers().flatten().all(|number| u64::try_from(number).is_ok()) {
        return Ok(Arc::new(numbers().map(|number| u64::try_from(number?).ok()).collect::<UInt64Array>()));
    }
    decimals(cells)
}

fn decimals(cells: &[Cell]) -> Result<ArrayRef, Misfit> {
    let places = |digits: &str| digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let scale = cells.iter().map(|cell| if let Cell::Decimal(digits) = cell { places(digits) } else { 0 });
    let scale = scale.max().unwrap_or(0);
    let value = |(index, cell): (usize, &Cell)| {
        let wide =
            |text: &dyn Display| (index, format!("{text} does not fit in 38 digits beside the other values"));
        let digits = match cell {
            Cell::Int(number) => number.to_string(),
            Cell::Decimal(digits) => digits.clone(),
            _ => return Ok(None),
        };
        let missing = scale - places(&digits);
        let whole = digits.replace('.', "") + &"0".repeat(missing);
        match whole.parse::<i128>() {
            Ok(number) if number.unsigned_abs() < 10_u128.pow(38) => Ok(Some(number)),
            _ => Err(wide(&digits)),
        }
    };
    let array = cells.iter().enumerate().map(value).collect::<Result<Decimal128Array, _>>()?;
    let scaled = i8::try_from(scale).ok().and_then(|scale| array.with_precision_and_scale(38, scale).ok());
    scaled.map_or_else(
        || Err((0, format!("{scale} decimal places do not fit in 38 digits"))),
        |array| Ok(Arc::new(array) as ArrayRef),
    )
}
