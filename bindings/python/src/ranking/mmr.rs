//! Relevance against likeness.

use comptoir::ranking::arrange::{cosine, mmr};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::count::count;
use super::normalise::doubles;

/// The first `k` candidates by maximal marginal relevance. `rows` are vectors, or with `is_likeness` a square of
/// likenesses.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
pub fn ranking_mmr(
    py: Python<'_>,
    relevance: &Bound<'_, PyAny>,
    rows: Vec<Vec<f64>>,
    is_likeness: bool,
    lambda: f64,
    k: i64,
) -> PyResult<Vec<usize>> {
    let k = count(py, "k", k, 0)?;
    let relevance: Vec<f64> =
        doubles("relevance", relevance)?.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let width = if is_likeness { relevance.len() } else { rows.first().map_or(0, Vec::len) };
    if rows.len() != relevance.len() || rows.iter().any(|row| row.len() != width) {
        let message = format!(
            "there are {} candidates: expected as many rows of one length, found {} rows",
            relevance.len(),
            rows.len()
        );
        return Err(PyValueError::new_err(message));
    }
    let row = |number: usize| rows.get(number).map_or(&[][..], Vec::as_slice);
    let likeness = |left: usize, right: usize| match is_likeness {
        true => row(left).get(right).copied().unwrap_or(f64::NAN),
        false => cosine(row(left), row(right)),
    };
    Ok(py.detach(|| mmr(&relevance, likeness, lambda, k)))
}
