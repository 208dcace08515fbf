//! Relevance against likeness.

use comptoir::ranking::arrange::{cosine, mmr};
use comptoir::types::ErrorKind;
use pyo3::prelude::*;

use super::count::{Given, count};
use super::given::{each, number};
use super::normalise::doubles;
use crate::errors::exception;

/// The first `k` candidates by maximal marginal relevance. `rows` are vectors, or with `is_likeness` a square of
/// likenesses.
#[pyfunction]
pub fn ranking_mmr(
    py: Python<'_>,
    relevance: &Bound<'_, PyAny>,
    rows: &Bound<'_, PyAny>,
    is_likeness: bool,
    lambda: f64,
    k: Option<Given>,
) -> PyResult<Vec<usize>> {
    let name = if is_likeness { "likeness" } else { "vectors" };
    let rows = numbers(name, rows)?;
    let k = k.map_or(Ok(rows.len()), |k| count(py, "k", k, 0))?;
    let relevance: Vec<f64> =
        doubles("relevance", relevance)?.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let width = if is_likeness { relevance.len() } else { rows.first().map_or(0, Vec::len) };
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

/// Rows of numbers.
fn numbers(name: &str, rows: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<f64>>> {
    let row = |(place, row): (usize, &Bound<'_, PyAny>)| {
        let name = format!("{name}[{place}]");
        let of = |(place, value)| number(&format!("{name}[{place}]"), "RANKING_NUMBER", value);
        each(&name, row)?.iter().enumerate().map(of).collect()
    };
    each(name, rows)?.iter().enumerate().map(row).collect()
}
