//! Boards from tables.

use std::sync::{Mutex, PoisonError};

use comptoir::ranking::board::{Board, BoardError, BoardResult, BoardSpec, Report};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrow::{ArrowTable, import_in_parts};
use crate::enter::{enter, enter_with};
use crate::errors;
use crate::rules::failure;

/// Collects the rows of a board; `comptoir.ranking.Board` is its public face. Nothing once it is finished.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RankingBoard {
    spec: BoardSpec,
    board: Mutex<Option<Board>>,
}

/// A finished board; `comptoir.ranking.Result` is its public face.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RankingResult {
    spec: BoardSpec,
    result: BoardResult,
}

/// The exception for a board that cannot be made: one of rules where an expression is wrong.
#[expect(clippy::needless_pass_by_value, reason = "the form that `enter_with` takes")]
fn refused(py: Python<'_>, error: BoardError) -> PyErr {
    match &error {
        BoardError::Expression { path, source } => {
            failure::at_path(py, source, &error.to_string(), Some(path))
        }
        other => errors::from_core(py, other),
    }
}

fn finished() -> PyErr {
    PyValueError::new_err("the board is finished, or was merged into another one")
}

#[pymethods]
impl RankingBoard {
    #[new]
    fn new(py: Python<'_>, form: &str, text: &str) -> PyResult<Self> {
        let made = || {
            let spec = if form == "yaml" { BoardSpec::from_yaml(text)? } else { BoardSpec::from_json(text)? };
            Ok(Self { spec: spec.clone(), board: Mutex::new(Some(Board::new(spec)?)) })
        };
        enter_with(py, made, refused)
    }

    /// Adds the rows of a table.
    fn push(&self, table: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut is_open = true;
        let take = |batches: &[arrow_array::RecordBatch]| {
            let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
            match board.as_mut() {
                Some(board) => batches.iter().try_for_each(|batch| board.push(batch)),
                None => {
                    is_open = false;
                    Ok(())
                }
            }
        };
        import_in_parts(table, take, refused)?;
        if is_open { Ok(()) } else { Err(finished()) }
    }

    /// Adds what another collector has seen, which is then of no more use.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        if std::ptr::eq(self, other) {
            return Err(PyValueError::new_err("a board cannot be merged into itself"));
        }
        // One lock at a time, so that two boards that are merged into each other do not wait for ever.
        let other = py.detach(|| other.board.lock().unwrap_or_else(PoisonError::into_inner).take());
        let other = other.ok_or_else(finished)?;
        let merge = || {
            let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
            board.as_mut().map(|board| board.merge(other)).transpose()
        };
        enter_with(py, merge, refused)?.ok_or_else(finished)
    }

    /// The board of each group.
    fn finish(&self, py: Python<'_>) -> PyResult<RankingResult> {
        let finish = || {
            let board = self.board.lock().unwrap_or_else(PoisonError::into_inner).take();
            board.map(Board::finish).transpose()
        };
        let result = enter_with(py, finish, refused)?.ok_or_else(finished)?;
        Ok(RankingResult { spec: self.spec.clone(), result })
    }

    /// The spec as JSON text with every field, and its hash.
    fn spec(&self, py: Python<'_>) -> PyResult<(String, [u8; 32])> {
        described(py, &self.spec)
    }
}

#[pymethods]
impl RankingResult {
    /// The places.
    fn table(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let batch = self.result.table.clone();
        enter(py, || ArrowTable::new(batch.schema(), vec![batch]))
    }

    /// What became of the rows, as JSON text.
    fn report(&self) -> String {
        report(&self.result.report).to_string()
    }

    /// The spec as JSON text with every field, and its hash.
    fn spec(&self, py: Python<'_>) -> PyResult<(String, [u8; 32])> {
        described(py, &self.spec)
    }
}

fn described(py: Python<'_>, spec: &BoardSpec) -> PyResult<(String, [u8; 32])> {
    let internal = |error: serde_json::Error| BoardError::Internal { message: error.to_string() };
    enter_with(py, || Ok((serde_json::to_string(spec).map_err(internal)?, spec.hash()?)), refused)
}

fn report(report: &Report) -> serde_json::Value {
    let faults = report.faults.iter().map(|((path, code), (count, message))| {
        serde_json::json!({"path": path, "code": code, "count": count, "message": message})
    });
    serde_json::json!({
        "rows": report.rows,
        "not_eligible": report.not_eligible,
        "without_item": report.without_item,
        "below_floor": report.below_floor,
        "without_score": report.without_score,
        "candidates": report.candidates,
        "faults": faults.collect::<Vec<_>>(),
        "cut_ties": report.cut_ties,
    })
}
