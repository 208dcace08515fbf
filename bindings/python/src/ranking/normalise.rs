//! Formulas of scores over numbers and columns.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, Float64Array, downcast_integer_array};
use arrow_schema::DataType;
use comptoir::ranking::normalise::{
    Spread, bayesian_average, cap, hacker_news, half_life, log1p, percentile, quantile, reddit_hot,
    wilson_lower, wilson_upper,
};
use comptoir::types::ErrorKind;
use pyo3::prelude::*;

use super::given::number;
use crate::arrow::{ArrowArray, BoundaryError, import_column};
use crate::errors;

/// A number that is the same in all rows, or one for each row.
pub enum Argument {
    Number(Option<f64>),
    Column(Vec<Option<f64>>),
}

impl Argument {
    fn rows(&self) -> Option<usize> {
        match self {
            Self::Number(_) => None,
            Self::Column(values) => Some(values.len()),
        }
    }

    fn at(&self, row: usize) -> Option<f64> {
        match self {
            Self::Number(number) => *number,
            Self::Column(values) => values.get(row).copied().flatten(),
        }
    }
}

impl Argument {
    /// What was given for an argument.
    fn new(name: &'static str, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if object.is_none() {
            return Ok(Self::Number(None));
        }
        if object.getattr_opt("__len__")?.is_none()
            && let Ok(number) = object.extract::<f64>()
        {
            return Ok(Self::Number(Some(number)));
        }
        let is_column = |attribute| object.hasattr(attribute);
        if is_column("__iter__")? || is_column("__arrow_c_stream__")? || is_column("__arrow_c_array__")? {
            return doubles(name, object).map(Self::Column);
        }
        number(name, "RANKING_NUMBER", object).map(|number| Self::Number(Some(number)))
    }
}

/// The names of the arguments of a formula.
fn names(formula: &str) -> &'static [&'static str] {
    match formula {
        "log1p" => &["value"],
        "cap" => &["value", "low", "high"],
        "half_life" => &["value", "age", "half_life"],
        "hacker_news" => &["votes", "age_hours", "gravity"],
        "reddit_hot" => &["points", "seconds"],
        "wilson_lower" | "wilson_upper" => &["successes", "trials", "z"],
        "bayesian_average" => &["total", "count", "prior", "weight"],
        _ => &[],
    }
}

/// A column of numbers as doubles, null where there is none.
///
/// # Errors
/// `ARROW_NOT_NUMBERS` for a column of another type, and those of [`import_column`].
pub fn doubles(name: &'static str, object: &Bound<'_, PyAny>) -> PyResult<Vec<Option<f64>>> {
    let mut all = Vec::new();
    for chunk in import_column(name, object)? {
        let found = chunk.data_type().clone();
        let chunk = chunk_doubles(&chunk).ok_or_else(|| {
            let error = BoundaryError::NotNumbers { name, found: found.to_string().to_lowercase() };
            errors::from_core(object.py(), &error)
        })?;
        all.extend(chunk);
    }
    Ok(all)
}

#[expect(clippy::cast_precision_loss, reason = "scores are doubles")]
fn chunk_doubles(chunk: &ArrayRef) -> Option<Vec<Option<f64>>> {
    let all = downcast_integer_array!(
        chunk => chunk.iter().map(|value| value.map(|value| value as f64)).collect(),
        DataType::Null => vec![None; chunk.len()],
        DataType::Float16 => chunk.as_primitive::<Float16Type>().iter().map(|value| value.map(f64::from)).collect(),
        DataType::Float32 => chunk.as_primitive::<Float32Type>().iter().map(|value| value.map(f64::from)).collect(),
        DataType::Float64 => chunk.as_primitive::<Float64Type>().iter().collect(),
        DataType::Decimal128(_, scale) => {
            let unit = 10_f64.powi((*scale).into());
            let values = chunk.as_primitive::<Decimal128Type>().iter();
            values.map(|value| value.map(|value| value as f64 / unit)).collect()
        },
        DataType::Boolean => {
            chunk.as_boolean().iter().map(|value| value.map(|truth| if truth { 1.0 } else { 0.0 })).collect()
        },
        _ => return None,
    );
    Some(all)
}

/// A formula by its name, of numbers and columns; null where an argument is.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
pub fn ranking_formula<'py>(
    py: Python<'py>,
    name: &str,
    arguments: Vec<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let given = names(name).iter().zip(&arguments).map(|(name, given)| Argument::new(name, given));
    let arguments = given.collect::<PyResult<Vec<_>>>()?;
    let formula = |at: &dyn Fn(usize) -> f64| match name {
        "log1p" => log1p(at(0)),
        "cap" => cap(at(0), at(1), at(2)),
        "half_life" => half_life(at(0), at(1), at(2)),
        "hacker_news" => hacker_news(at(0), at(1), at(2)),
        "reddit_hot" => reddit_hot(at(0), at(1)),
        "wilson_lower" => wilson_lower(at(0), at(1), at(2)),
        "wilson_upper" => wilson_upper(at(0), at(1), at(2)),
        "bayesian_average" => bayesian_average(at(0), at(1), at(2), at(3)),
        _ => f64::NAN,
    };
    let row = |row: usize| {
        let values: Option<Vec<f64>> = arguments.iter().map(|argument| argument.at(row)).collect();
        values.map(|values| formula(&|place| values.get(place).copied().unwrap_or(f64::NAN)))
    };
    let named = names(name).iter().zip(&arguments);
    let mut lengths = named.filter_map(|(name, argument)| Some((name, argument.rows()?)));
    let Some((first, rows)) = lengths.next() else {
        return Ok(row(0).into_pyobject(py)?.into_any());
    };
    if let Some((other, found)) = lengths.find(|(_, found)| *found != rows) {
        let message = format!(
            "`{other}`: columns of one call have one length: `{first}` has {rows} values, found {found}"
        );
        return Err(errors::exception(py, ErrorKind::Data, "RANKING_LENGTH", &message));
    }
    let values: Float64Array = py.detach(|| (0..rows).map(row).collect());
    Ok(Bound::new(py, ArrowArray::new(Arc::new(values)))?.into_any())
}

/// Each value among all of them: `min_max`, `z_score` or `percentile`.
#[pyfunction]
pub fn ranking_among(py: Python<'_>, name: &str, values: &Bound<'_, PyAny>) -> PyResult<ArrowArray> {
    let values = doubles("values", values)?;
    let results: Float64Array = py.detach(|| {
        let mut spread = Spread::default();
        values.iter().flatten().for_each(|value| spread.push(*value));
        let sorted = if name == "percentile" { sorted(&values) } else { Vec::new() };
        let one = |value: f64| match name {
            "min_max" => spread.min_max(value),
            "z_score" => spread.z_score(value),
            _ => percentile(&sorted, value),
        };
        values.iter().map(|value| value.map(one)).collect()
    });
    Ok(ArrowArray::new(Arc::new(results)))
}

/// The value below which a share of the values lies.
#[pyfunction]
pub fn ranking_quantile(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    share: &Bound<'_, PyAny>,
) -> PyResult<f64> {
    let (values, share) = (doubles("values", values)?, number("share", "RANKING_SHARE", share)?);
    if !(0.0..=1.0).contains(&share) {
        let message = format!("`share` must be between 0 and 1, found {share}");
        return Err(errors::exception(py, ErrorKind::Config, "RANKING_SHARE", &message));
    }
    Ok(py.detach(|| quantile(&sorted(&values), share)))
}

fn sorted(values: &[Option<f64>]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}
