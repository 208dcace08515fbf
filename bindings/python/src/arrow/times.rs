//! Dates and timestamps as objects of Python's `datetime` module.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use comptoir_host::table::type_name;
use pyo3::intern;
use pyo3::prelude::*;

use super::error::BoundaryError;
use super::values::Values;
use crate::errors;
use crate::python::Classes;

/// Ordinal of 1970-01-01 in Python's proleptic calendar, where 0001-01-01 is 1.
const EPOCH_ORDINAL: i64 = 719_163;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Days since 1970-01-01 as `datetime.date`.
///
/// # Errors
///
/// [`BoundaryError::NoPythonValue`] for a moment within a day and for a day outside the years 1 to 9999.
pub fn dates<'py>(py: Python<'py>, column: &str, array: &ArrayRef) -> PyResult<Values<'py>> {
    let from_ordinal = py.import("datetime")?.getattr("date")?.getattr("fromordinal")?;
    let no_value = || no_value(py, column, array.data_type());
    let day = |days: Option<i64>| {
        let ordinal = days.and_then(|days| days.checked_add(EPOCH_ORDINAL)).ok_or_else(no_value)?;
        from_ordinal.call1((ordinal,)).map_err(|_| no_value())
    };
    let none = || Ok(py.None().into_bound(py));
    if let Some(millis) = array.as_primitive_opt::<Date64Type>() {
        let whole = |millis: i64| day((millis % MILLIS_PER_DAY == 0).then_some(millis / MILLIS_PER_DAY));
        return millis.iter().map(|millis| millis.map_or_else(none, whole)).collect();
    }
    let days = array.as_primitive::<Date32Type>().iter();
    days.map(|days| days.map_or_else(none, |days| day(Some(days.into())))).collect()
}

/// Instants as `datetime.datetime`: naive where the column has no zone, else in its zone.
///
/// # Errors
///
/// [`BoundaryError::NoPythonValue`] for an instant that is finer than a microsecond or outside the years 1 to 9999, and for a
/// zone that Python does not know.
pub fn timestamps<'py>(py: Python<'py>, column: &str, array: &ArrayRef) -> PyResult<Values<'py>> {
    let data_type = array.data_type();
    let DataType::Timestamp(unit, zone) = data_type else {
        return Ok(Vec::new());
    };
    let no_value = || no_value(py, column, data_type);
    let datetime = py.import("datetime")?;
    let zone = zone.as_deref().map(|name| time_zone(&datetime, name).map_err(|_| no_value())).transpose()?;
    let epoch = match zone {
        Some(_) => utc_epoch(&datetime)?,
        None => datetime.getattr("datetime")?.call1((1970, 1, 1))?,
    };
    let delta = datetime.getattr("timedelta")?;
    let instant = |ticks: i64| {
        let microseconds = microseconds(*unit, ticks).ok_or_else(no_value)?;
        let after = delta.call1((0, 0, microseconds)).map_err(|_| no_value())?;
        let instant = epoch.call_method1("__add__", (after,)).map_err(|_| no_value())?;
        match &zone {
            Some(zone) => instant.call_method1("astimezone", (zone,)).map_err(|_| no_value()),
            None => Ok(instant),
        }
    };
    let none = || Ok(py.None().into_bound(py));
    ticks(*unit, array).into_iter().map(|ticks| ticks.map_or_else(none, instant)).collect()
}

fn no_value(py: Python<'_>, column: &str, data_type: &DataType) -> PyErr {
    let error = BoundaryError::NoPythonValue { column: column.to_owned(), found: type_name(data_type) };
    errors::from_core(py, &error)
}

/// 1970-01-01 00:00:00 in UTC.
fn utc_epoch<'py>(datetime: &Bound<'py, PyModule>) -> PyResult<Bound<'py, PyAny>> {
    let utc = datetime.getattr("timezone")?.getattr("utc")?;
    datetime.getattr("datetime")?.call_method1("fromtimestamp", (0, utc))
}

/// A zone by its Arrow name: `+08:00` or a name of the IANA database.
fn time_zone<'py>(datetime: &Bound<'py, PyModule>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    if name.starts_with(['+', '-']) {
        let parsed = datetime.getattr("datetime")?.call_method1("strptime", (name, "%z"))?;
        return parsed.getattr("tzinfo");
    }
    datetime.py().import("zoneinfo")?.getattr("ZoneInfo")?.call1((name,))
}

/// Ticks of `unit` as microseconds, if that is exact and in range.
fn microseconds(unit: TimeUnit, ticks: i64) -> Option<i64> {
    match unit {
        TimeUnit::Second => ticks.checked_mul(1_000_000),
        TimeUnit::Millisecond => ticks.checked_mul(1_000),
        TimeUnit::Microsecond => Some(ticks),
        TimeUnit::Nanosecond => (ticks % 1_000 == 0).then_some(ticks / 1_000),
    }
}

fn ticks(unit: TimeUnit, array: &ArrayRef) -> Vec<Option<i64>> {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().iter().collect(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().iter().collect(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().iter().collect(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().iter().collect(),
    }
}

/// A `datetime` as microseconds since 1970-01-01 UTC; one without a zone is taken as UTC. None for any other object.
///
/// # Errors
/// What Python raises.
pub fn micros(object: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    let py = object.py();
    let classes = Classes::get(py)?;
    if !object.is_instance(classes.datetime.bind(py))? {
        return Ok(None);
    }
    let has_zone = !object.call_method0(intern!(py, "utcoffset"))?.is_none();
    let epoch = if has_zone { &classes.epoch_utc } else { &classes.epoch };
    let after = object.sub(epoch.bind(py))?;
    let part = |name| after.getattr(name)?.extract::<i64>();
    let (days, seconds) = (part("days")?, part("seconds")?);
    Ok(Some((days * 86_400 + seconds) * 1_000_000 + part("microseconds")?))
}

/// A `date` as days since 1970-01-01. None for any other object.
///
/// # Errors
/// What Python raises.
pub fn days(object: &Bound<'_, PyAny>) -> PyResult<Option<i32>> {
    let py = object.py();
    if !object.is_instance(Classes::get(py)?.date.bind(py))? {
        return Ok(None);
    }
    let ordinal: i64 = object.call_method0(intern!(py, "toordinal"))?.extract()?;
    Ok(i32::try_from(ordinal - EPOCH_ORDINAL).ok())
}

/// Microseconds since 1970-01-01 as a `datetime` in UTC.
///
/// # Errors
/// What Python raises for a moment outside the years 1 to 9999.
pub fn moment(py: Python<'_>, micros: i64) -> PyResult<Bound<'_, PyAny>> {
    let classes = Classes::get(py)?;
    let after = classes.timedelta.bind(py).call1((0, 0, micros))?;
    classes.epoch_utc.bind(py).add(after)
}
