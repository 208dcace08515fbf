//! Relevance against likeness.

use comptoir::ranking::arrange::{cosine, mmr};
use comptoir::types::ErrorKind;
use pyo3::prelude::*;

use super::count::{Given, count};
use super::normalise::doubles;
use crate::errors::exception;

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
    k: Given,
) -> PyResult<Vec<usize>> {
    let k = count(py, "k", k, 0)?;
    let relevance: Vec<f64> =
        doubles("relevance", relevance)?.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let width = if is_likeness { relevance.len() } else { rows.first().map_or(0, Vec::len) };
    let name = if is_likeness { "likeness" } else { "vectors" };
    let refused = |message: &str| exception(py, ErrorKind::Data, "RANKING_LENGTH", message);
    if rows.len() != relevance.len() {
        let (candidates, rows) = (relevance.len(), rows.len());
        let message =
            format!("`{name}`: there are {candidates} candidates: expected a row for each, found {rows}");
        return Err(refused(&message));
    }
    if let Some((place, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != width) {
        let found = row.len();
        return Err(refused(&format!("`{name}`[{place}]: expected {width} numbers, found {found}")));
    }
    let row = |number: usize| rows.get(number).map_or(&[][..], Vec::as_slice);
    let likeness = |left: usize, right: usize| match is_likeness {
        true => row(left).get(right).copied().unwrap_or(f64::NAN),
        false => cosine(row(left), row(right)),
    };
    Ok(py.detach(|| mmr(&relevance, likeness, lambda, k)))
}
