//! How good an order is, and what chance would make of it.

use comptoir::ranking::arrange::{adjusted_significance, fail_probability, minimum_table};
use comptoir::ranking::evaluate::{Gain, dcg, ndcg};
use pyo3::prelude::*;

use super::count::{Given, count};
use super::normalise::doubles;

/// The grades of a column; null and NaN are not relevant.
fn grades(name: &'static str, column: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let grades = doubles(name, column)?.into_iter();
    Ok(grades.map(|grade| grade.filter(|grade| !grade.is_nan()).unwrap_or(0.0)).collect())
}

const fn gain(is_exponential: bool) -> Gain {
    if is_exponential { Gain::Exponential } else { Gain::Linear }
}

/// The discounted cumulative gain of the first `k`.
#[pyfunction]
pub fn ranking_dcg(column: &Bound<'_, PyAny>, k: Given, is_exponential: bool) -> PyResult<f64> {
    let k = count(column.py(), "k", k, 0)?;
    let grades = grades("grades", column)?;
    Ok(dcg(grades.get(..k.min(grades.len())).unwrap_or_default(), gain(is_exponential)))
}

/// The same as a share of that of the best order of all grades.
#[pyfunction]
pub fn ranking_ndcg(
    column: &Bound<'_, PyAny>,
    ideal: &Bound<'_, PyAny>,
    k: Given,
    is_exponential: bool,
) -> PyResult<f64> {
    let k = count(column.py(), "k", k, 0)?;
    Ok(ndcg(&grades("grades", column)?, &grades("ideal", ideal)?, k, gain(is_exponential)))
}

/// The minimum table, the significance that it has, and how likely chance falls short of it.
#[pyfunction]
pub fn ranking_minimum_table(
    py: Python<'_>,
    k: Given,
    share: f64,
    alpha: f64,
    is_adjusted: bool,
    prefixes: Given,
) -> PyResult<(Vec<usize>, f64, f64)> {
    let (k, prefixes) = (count(py, "k", k, 0)?, count(py, "prefixes", prefixes, 0)?);
    Ok(py.detach(|| {
        let alpha = if is_adjusted { adjusted_significance(k, share, alpha, prefixes) } else { alpha };
        let table = minimum_table(k, share, alpha);
        let miss = fail_probability(table.get(..prefixes.min(k)).unwrap_or_default(), share);
        (table, alpha, miss)
    }))
}
