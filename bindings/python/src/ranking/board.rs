//! Boards from tables.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;
use comptoir::ranking::board::{Board, BoardError, BoardResult, BoardSpec, Boards, Context, Explanation};
use comptoir::ranking::snapshot::GroupValue;
use comptoir::types::config;
use comptoir_host::Table;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::count::count;
use super::group::{Group, OwnItem};
use crate::arrow::{ArrowTable, import_in_parts, import_stream};
use crate::enter::{enter, enter_with};
use crate::errors;

/// Collects the rows of a board; `comptoir.ranking.Board` is its public face. Nothing once it is finished.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RankingBoard {
    spec: BoardSpec,
    board: Mutex<Option<Board>>,
}

/// A finished board; `comptoir.ranking.Result` is its public face.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RankingResult(BoardResult);

/// The exception for a board that cannot be made: one of rules where an expression is wrong.
fn refused(py: Python<'_>, error: BoardError) -> PyErr {
    let is_expression = matches!(error, BoardError::Expression { .. });
    let fault = error.into();
    if is_expression { errors::rule_exception(py, &fault) } else { errors::from_host(py, &fault) }
}

/// An error without its place in a text that was made from a mapping, and that nobody has seen.
fn of_mapping(mut error: BoardError) -> BoardError {
    if let BoardError::Spec { position, .. } = &mut error {
        *position = None;
    }
    error
}

fn finished() -> PyErr {
    PyValueError::new_err("the board is finished, or was merged into another one")
}

/// Adds the rows of a table to several boards, in one pass over it, on so many threads or, for none, on all cores.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
pub fn ranking_push(
    boards: Vec<Bound<'_, RankingBoard>>,
    table: &Bound<'_, PyAny>,
    threads: Option<i64>,
) -> PyResult<()> {
    let boards: Vec<&RankingBoard> = boards.iter().map(Bound::get).collect();
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.map(|threads| count(table.py(), "threads", threads, 0)).transpose()?;
    let threads = threads.filter(|threads| *threads > 0).unwrap_or_else(cores);
    let mut is_open = true;
    let take = |batches: &[RecordBatch]| {
        let (outcome, all) = push_together(&boards, batches, threads);
        is_open &= all;
        outcome
    };
    import_in_parts(table, take, refused)?;
    if is_open { Ok(()) } else { Err(finished()) }
}

/// Adds batches to boards that share what they evaluate. Also gives whether all were open.
fn push_together(
    boards: &[&RankingBoard],
    batches: &[RecordBatch],
    threads: usize,
) -> (Result<(), BoardError>, bool) {
    // All locks in one order, so that two calls with the same boards do not wait for each other for ever.
    let mut order: Vec<&RankingBoard> = boards.to_vec();
    order.sort_by_key(|board| std::ptr::from_ref(*board));
    order.dedup_by_key(|board| std::ptr::from_ref(*board));
    let mut locked: HashMap<_, _> = order
        .iter()
        .map(|board| (std::ptr::from_ref(*board), board.board.lock().unwrap_or_else(PoisonError::into_inner)))
        .collect();
    let mut open = Vec::new();
    let mut taken = Vec::new();
    for board in boards.iter().map(|board| std::ptr::from_ref(*board)) {
        if let Some(own) = locked.get_mut(&board).and_then(|place| place.take()) {
            open.push(board);
            taken.push(own);
        }
    }
    let all = open.len() == boards.len();
    let mut together = match Boards::from_boards(taken) {
        Ok(together) => together,
        Err(error) => return (Err(error), all),
    };
    let outcome = together.push_all(batches, threads);
    for (board, own) in open.iter().zip(together.into_boards()) {
        if let Some(place) = locked.get_mut(board) {
            **place = Some(own);
        }
    }
    (outcome, all)
}

#[pymethods]
impl RankingBoard {
    #[new]
    fn new(py: Python<'_>, form: &str, text: &str, context: &str) -> PyResult<Self> {
        let made = || {
            let spec = match form {
                "yaml" => BoardSpec::from_yaml(text)?,
                "json" => BoardSpec::from_json(text)?,
                _ => BoardSpec::from_json(text).map_err(of_mapping)?,
            };
            let context: Context =
                config::from_json(context).map_err(|error| of_mapping(error.within("context").into()))?;
            Ok(Self { board: Mutex::new(Some(Board::new(spec.clone(), context)?)), spec })
        };
        enter_with(py, made, refused)
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
        enter_with(py, finish, refused)?.map(RankingResult).ok_or_else(finished)
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
        let batch = self.0.table.clone();
        enter(py, || ArrowTable::new(batch.schema(), vec![batch]))
    }

    /// What became of the rows, as JSON text.
    fn report(&self, py: Python<'_>) -> PyResult<String> {
        enter_with(py, || json(&self.0.report), refused)
    }

    /// Why an item stands where it does, as JSON text.
    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn explain(
        &self,
        py: Python<'_>,
        item: OwnItem,
        group: Option<Group>,
        rows: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let texts = group.as_ref().map(Group::texts);
        let values: Option<Vec<_>> = texts.map(|texts| texts.into_iter().map(GroupValue::read).collect());
        let item = item.to_string();
        let found: Vec<Explanation> = match rows {
            None => enter_with(py, || self.0.explain(&item, values.as_deref()), refused)?,
            Some(rows) => {
                let (schema, batches) = import_stream(rows)?;
                let rows = enter(py, || Table { schema, batches }.one_batch())?;
                enter_with(py, || self.0.explain_in(&rows, &item, values.as_deref()), refused)?
            }
        };
        enter_with(py, || json(&found), refused)
    }

    /// The spec as JSON text with every field, and its hash.
    fn spec(&self, py: Python<'_>) -> PyResult<(String, [u8; 32])> {
        described(py, self.0.spec())
    }

    /// The hash of what operators do, and for whom.
    fn rules_hash(&self, py: Python<'_>) -> PyResult<[u8; 32]> {
        enter_with(py, || self.0.spec().rules_hash(self.0.context()), refused)
    }
}

fn described(py: Python<'_>, spec: &BoardSpec) -> PyResult<(String, [u8; 32])> {
    enter_with(py, || Ok((json(spec)?, spec.hash()?)), refused)
}

fn json(value: &impl serde::Serialize) -> Result<String, BoardError> {
    serde_json::to_string(value).map_err(|error| BoardError::Internal { message: error.to_string() })
}
