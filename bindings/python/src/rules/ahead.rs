//! Arguments of what is said before an event is whole.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::source::as_mapping;
use crate::arguments::{CODE, out_of_bounds, text, wrong};

/// The patterns of `unknown`.
///
/// # Errors
/// An `ArgumentError` for what gives no texts; one text would give its characters.
pub fn unknown(given: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let refused = || wrong("unknown", CODE, "a sequence of texts", given);
    if given.is_instance_of::<PyString>() {
        return Err(refused());
    }
    let patterns = given.try_iter().map_err(|_| refused())?.enumerate();
    patterns.map(|(place, one)| Ok(text(&format!("unknown[{place}]"), CODE, &one?)?.to_owned())).collect()
}

/// The sizes of inputs by path: least and greatest.
///
/// # Errors
/// An `ArgumentError` for what is no mapping from text to sizes, a `ConfigError` for a size that is none.
pub fn sizes(given: &Bound<'_, PyAny>) -> PyResult<Vec<(String, (u64, u64))>> {
    let mapping = as_mapping(given)?.ok_or_else(|| wrong("sizes", CODE, "a mapping", given))?;
    let sizes = mapping.items()?.into_iter().map(|entry| {
        let (path, given): (Bound<'_, PyAny>, Bound<'_, PyAny>) = entry.extract()?;
        let path = text("a path in sizes", CODE, &path)?.to_owned();
        let size = size(&format!("sizes['{path}']"), &given)?;
        Ok((path, size))
    });
    sizes.collect()
}

/// A number, or the least and the greatest.
fn size(name: &str, given: &Bound<'_, PyAny>) -> PyResult<(u64, u64)> {
    let bound = |bound: &Bound<'_, PyAny>| {
        bound.extract::<u64>().map_err(|failure| {
            if failure.is_instance_of::<PyOverflowError>(given.py()) {
                return out_of_bounds(name, CODE, "between 0 and 2^64 - 1", bound);
            }
            wrong(name, CODE, "a whole number, or a pair of the least and the greatest", given)
        })
    };
    let pair: Vec<Bound<'_, PyAny>> = match (given.cast::<PyTuple>(), given.cast::<PyList>()) {
        (Ok(tuple), _) => tuple.iter().collect(),
        (_, Ok(list)) => list.iter().collect(),
        _ => Vec::new(),
    };
    match pair.as_slice() {
        [least, greatest] => Ok((bound(least)?, bound(greatest)?)),
        _ => bound(given).map(|size| (size, size)),
    }
}
