//! Two orders side by side.

use comptoir::ranking::compare::compare;
use pyo3::prelude::*;

/// Overlap, rank-biased overlap, Kendall's tau, and for each moved item its number and both positions.
type Parts = (f64, f64, Option<f64>, Vec<(u32, Option<usize>, Option<usize>)>);

/// Compares two orders of items that are given as numbers.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
pub fn ranking_compare(py: Python<'_>, old: Vec<u32>, new: Vec<u32>, persistence: f64) -> Parts {
    let found = py.detach(|| compare(&old, &new, persistence));
    let moved = found.moved.into_iter().map(|one| (one.item, one.from, one.to)).collect();
    (found.overlap, found.rank_biased_overlap, found.kendall_tau, moved)
}
