//! A live leaderboard.

use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, downcast_integer_array};
use arrow_schema::DataType;
use comptoir::ranking::Score;
use comptoir::ranking::leaderboard::Leaderboard;
use comptoir::types::{ErrorCode, ErrorKind};
use comptoir_host::Fault;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyList;

use super::class;
use super::count::{self, Given, GivenScore};
use super::group::OwnItem;
use super::normalise::doubles;
use crate::arrow::import_column;
use crate::enter::enter;
use crate::errors;

/// Live leaderboard: members change their score at any time and ask for their rank.
///
/// Members stand by score, the highest first, then by member, the smallest first; integers stand before text. Scores
/// are floats and never NaN. A change and a rank take about a microsecond among a million members. Any number of
/// threads may share one.
///
/// Examples
/// --------
/// >>> from comptoir import ranking
/// >>> board = ranking.Leaderboard()
/// >>> board.update_many(["ann", "bob", "cid"], [30, 50, 40])
/// >>> board.rank_of("cid")
/// 2
/// >>> board.update("cid", 60)
/// 40.0
/// >>> board.top(2)
/// [Entry(position=1, item='cid', score=60.0), Entry(position=2, item='bob', score=50.0)]
#[pyclass(name = "Leaderboard", module = "comptoir.ranking", frozen)]
pub struct RankingLeaderboard(Mutex<Leaderboard<OwnItem>>);

/// Why a score is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("member `{member}`: a score cannot be NaN or null")]
    NoScore { member: String },
    #[error("expected one score for each of the {members} members, found {scores}")]
    Length { members: usize, scores: usize },
    #[error("`members`: expected integers of 64 bits or text without nulls, found {found}")]
    Members { found: String },
}

impl ErrorCode for Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::NoScore { .. } => "RANKING_SCORE_NAN",
            Self::Length { .. } => "RANKING_LENGTH",
            Self::Members { .. } => "RANKING_ITEM_KIND",
        }
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Data
    }
}

impl From<Refused> for Fault {
    fn from(error: Refused) -> Self {
        Self::plain(&error)
    }
}

impl RankingLeaderboard {
    /// The members. Who waits for them lets the interpreter go.
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Leaderboard<OwnItem>> {
        self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

/// The score of a member, if it is one.
pub(super) fn scored(member: &OwnItem, score: Option<f64>) -> Result<Score, Refused> {
    score.and_then(Score::new).ok_or_else(|| Refused::NoScore { member: member.to_string() })
}

#[pymethods]
impl RankingLeaderboard {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(Leaderboard::new()))
    }

    /// Give a member a score.
    ///
    /// Parameters
    /// ----------
    /// member : int or str
    ///     The member; a new one is added.
    /// score : float
    ///     Its score from now on.
    ///
    /// Returns
    /// -------
    /// float or None
    ///     The score that it had.
    ///
    /// Raises
    /// ------
    /// DataError
    ///     For a score that is NaN, None or too large, and a member that is an integer of more than 64 bits.
    /// ArgumentError
    ///     For a member or a score of another type.
    fn update(&self, py: Python<'_>, member: OwnItem, score: GivenScore) -> PyResult<Option<f64>> {
        let score = scored(&member, score.0).map_err(|error| errors::from_core(py, &error))?;
        Ok(self.lock(py).update(member, score).map(Score::get))
    }

    /// Give many members a score, in order.
    ///
    /// Parameters
    /// ----------
    /// members : Arrow array, NumPy array or iterable
    ///     Integers or text.
    /// scores : Arrow array, NumPy array or iterable
    ///     A number for each.
    ///
    /// Raises
    /// ------
    /// DataError
    ///     For a score that is NaN or null, or another number of scores; then no score is changed.
    fn update_many(&self, members: &Bound<'_, PyAny>, scores: &Bound<'_, PyAny>) -> PyResult<()> {
        let (chunks, scores) = (import_column("members", members)?, doubles("scores", scores)?);
        enter(members.py(), || {
            let members = chunks.iter().map(own_items).collect::<Result<Vec<_>, _>>()?.concat();
            if members.len() != scores.len() {
                return Err(Refused::Length { members: members.len(), scores: scores.len() });
            }
            let scored = members.iter().zip(scores).map(|(member, score)| scored(member, score));
            let scores = scored.collect::<Result<Vec<_>, _>>()?;
            let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (member, score) in members.into_iter().zip(scores) {
                board.update(member, score);
            }
            Ok(())
        })
    }

    /// Take a member off the board.
    ///
    /// Parameters
    /// ----------
    /// member : int or str
    ///     The member.
    ///
    /// Returns
    /// -------
    /// float or None
    ///     The score that it had; None if it was not there.
    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn remove(&self, py: Python<'_>, member: OwnItem) -> Option<f64> {
        self.lock(py).remove(&member).map(Score::get)
    }

    /// The rank of a member.
    ///
    /// Parameters
    /// ----------
    /// member : int or str
    ///     The member.
    ///
    /// Returns
    /// -------
    /// int or None
    ///     From 1; None if it is not there.
    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn rank_of(&self, py: Python<'_>, member: OwnItem) -> Option<usize> {
        self.lock(py).rank_of(&member)
    }

    /// The score of a member.
    ///
    /// Parameters
    /// ----------
    /// member : int or str
    ///     The member.
    ///
    /// Returns
    /// -------
    /// float or None
    ///     None if it is not there.
    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn score_of(&self, py: Python<'_>, member: OwnItem) -> Option<f64> {
        self.lock(py).score_of(&member).map(Score::get)
    }

    /// The first members.
    ///
    /// Parameters
    /// ----------
    /// count : int
    ///     How many at most.
    ///
    /// Returns
    /// -------
    /// list of Entry
    ///
    /// Raises
    /// ------
    /// ConfigError
    ///     For a negative count.
    #[pyo3(signature = (count=Given::Number(10)), text_signature = "($self, count=10)")]
    fn top<'py>(&self, py: Python<'py>, count: Given) -> PyResult<Bound<'py, PyList>> {
        let count = count::count(py, "count", count, 0)?;
        let board = self.lock(py);
        let places =
            (1..).zip(board.top(count)).map(|(rank, (member, score))| (rank, member.clone(), score.get()));
        let places: Vec<_> = places.collect();
        drop(board);
        entries(py, places)
    }

    /// The members around one.
    ///
    /// Parameters
    /// ----------
    /// member : int or str
    ///     The member.
    /// around : int
    ///     How many before it and after it.
    ///
    /// Returns
    /// -------
    /// list of Entry
    ///     Empty if it is not there.
    ///
    /// Raises
    /// ------
    /// ConfigError
    ///     For a negative `around`.
    #[pyo3(signature = (member, around=Given::Number(5)), text_signature = "($self, member, around=5)")]
    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn neighbours<'py>(
        &self,
        py: Python<'py>,
        member: OwnItem,
        around: Given,
    ) -> PyResult<Bound<'py, PyList>> {
        let around = count::count(py, "around", around, 0)?;
        let board = self.lock(py);
        let places = board.neighbours(&member, around);
        let places: Vec<_> =
            places.map(|(rank, member, score)| (rank, member.clone(), score.get())).collect();
        drop(board);
        entries(py, places)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.lock(py).len()
    }

    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn __contains__(&self, py: Python<'_>, member: OwnItem) -> bool {
        self.lock(py).score_of(&member).is_some()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Leaderboard({} members)", self.__len__(py))
    }
}

/// Places as `Entry`.
pub(super) fn entries(py: Python<'_>, places: Vec<(usize, OwnItem, f64)>) -> PyResult<Bound<'_, PyList>> {
    let class = class(py, "Entry")?;
    let entries = places.into_iter().map(|place| class.call1(place)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, entries)
}

/// The members of a chunk.
fn own_items(chunk: &ArrayRef) -> Result<Vec<OwnItem>, Refused> {
    let wrong = |found: &str| Refused::Members { found: found.to_owned() };
    if chunk.logical_null_count() > 0 {
        return Err(wrong("a null"));
    }
    let text = |text: Option<&str>| OwnItem::Text(text.unwrap_or_default().to_owned());
    downcast_integer_array!(
        chunk => chunk.values().iter().map(|value| {
            i64::try_from(i128::from(*value)).map(OwnItem::Int).map_err(|_| wrong(&value.to_string()))
        }).collect(),
        DataType::Utf8 => Ok(chunk.as_string::<i32>().iter().map(text).collect()),
        DataType::LargeUtf8 => Ok(chunk.as_string::<i64>().iter().map(text).collect()),
        DataType::Utf8View => Ok(chunk.as_string_view().iter().map(text).collect()),
        DataType::Dictionary(..) if !chunk.is_empty() => {
            let dictionary = chunk.as_any_dictionary();
            let distinct = own_items(dictionary.values())?;
            let keys = dictionary.normalized_keys().into_iter();
            Ok(keys.filter_map(|key| distinct.get(key).cloned()).collect())
        },
        _ if chunk.is_empty() => Ok(Vec::new()),
        other => Err(wrong(&other.to_string().to_lowercase())),
    )
}
