//! Boards from tables.

use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use comptoir::ranking::board::{Board, BoardError, BoardResult, BoardSpec, Boards, Context, Explanation};
use comptoir::ranking::snapshot::GroupValue;
use comptoir::types::config;
use comptoir_host::Table;
use comptoir_host::ranking::{finished, merged_into_itself};
use pyo3::prelude::*;

use super::count::{Given, count};
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

/// Why a call on a board is refused.
enum Refusal {
    /// It has none any more.
    Finished,
    Board(BoardError),
}

impl From<BoardError> for Refusal {
    fn from(error: BoardError) -> Self {
        Self::Board(error)
    }
}

fn exception(py: Python<'_>, refusal: Refusal) -> PyErr {
    match refusal {
        Refusal::Finished => errors::from_host(py, &finished()),
        Refusal::Board(error) => refused(py, error),
    }
}

/// Adds the rows of a table to several boards, in one pass over it, on so many threads or, for none, on all cores.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
pub fn ranking_push(
    boards: Vec<Bound<'_, RankingBoard>>,
    table: &Bound<'_, PyAny>,
    threads: Option<Given>,
) -> PyResult<()> {
    let py = table.py();
    let boards: Vec<&RankingBoard> = boards.iter().map(Bound::get).collect();
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.map(|threads| count(py, "threads", threads, 0)).transpose()?;
    let threads = threads.filter(|threads| *threads > 0).unwrap_or_else(cores);
    // Before anything is read of a stream.
    enter_with(py, || boards.iter().try_for_each(|board| board.check_open()), exception)?;
    let mut has_rows = false;
    let take = |batches: &[RecordBatch]| {
        let outcome = push_together(&boards, batches, threads);
        has_rows |= outcome.is_ok();
        outcome
    };
    let outcome = import_in_parts(table, take, exception);
    if outcome.is_err() && has_rows {
        py.detach(|| boards.iter().for_each(|board| board.mark_failed()));
    }
    outcome
}

/// Adds batches to boards that share what they evaluate.
fn push_together(boards: &[&RankingBoard], batches: &[RecordBatch], threads: usize) -> Result<(), Refusal> {
    let mut locked = locked(boards);
    if locked.len() < boards.len() || locked.iter().any(|board| board.is_none()) {
        return Err(Refusal::Finished);
    }
    let mut together = Boards::from_boards(locked.iter_mut().filter_map(|board| board.take()).collect())?;
    let outcome = together.push_all(batches, threads);
    for (board, own) in locked.iter_mut().zip(together.into_boards()) {
        **board = Some(own);
    }
    Ok(outcome?)
}

/// The boards, once each. All are locked in one order, so that two calls with the same ones do not wait for each other for
/// ever.
fn locked<'b>(boards: &[&'b RankingBoard]) -> Vec<MutexGuard<'b, Option<Board>>> {
    let mut order: Vec<(usize, &RankingBoard)> = boards.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, board)| std::ptr::from_ref(*board));
    order.dedup_by_key(|(_, board)| std::ptr::from_ref(*board));
    let mut locked: Vec<_> = order.into_iter().map(|(place, board)| (place, board.lock())).collect();
    locked.sort_by_key(|(place, _)| *place);
    locked.into_iter().map(|(_, board)| board).collect()
}

impl RankingBoard {
    fn lock(&self) -> MutexGuard<'_, Option<Board>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it takes rows.
    fn check_open(&self) -> Result<(), Refusal> {
        Ok(self.lock().as_ref().ok_or(Refusal::Finished)?.check_whole()?)
    }

    fn mark_failed(&self) {
        self.lock().iter_mut().for_each(Board::mark_failed);
    }
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

    /// Adds what another collector has seen, which is then of no more use. After an error both are as they were.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        if std::ptr::eq(self, other) {
            return Err(errors::from_host(py, &merged_into_itself()));
        }
        let merge = || match locked(&[self, other]).as_mut_slice() {
            [own, theirs] => {
                let own = own.as_mut().ok_or(Refusal::Finished)?;
                own.check_merge(theirs.as_ref().ok_or(Refusal::Finished)?)?;
                Ok(theirs.take().map_or(Ok(()), |theirs| own.merge(theirs))?)
            }
            _ => Err(Refusal::Finished),
        };
        enter_with(py, merge, exception)
    }

    /// Whether another collector can be merged into this one.
    fn check_merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        let check = || match locked(&[self, other]).as_slice() {
            [own, theirs] => {
                let own = own.as_ref().ok_or(Refusal::Finished)?;
                Ok(own.check_merge(theirs.as_ref().ok_or(Refusal::Finished)?)?)
            }
            _ => Ok(()),
        };
        enter_with(py, check, exception)
    }

    /// The board of each group.
    fn finish(&self, py: Python<'_>) -> PyResult<RankingResult> {
        let finish = || {
            let mut place = self.lock();
            place.as_ref().ok_or(Refusal::Finished)?.check_whole()?;
            let board = place.take();
            drop(place);
            Ok(board.ok_or(Refusal::Finished)?.finish()?)
        };
        enter_with(py, finish, exception).map(RankingResult)
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
