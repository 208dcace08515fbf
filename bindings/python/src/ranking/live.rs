//! Boards that are kept current from a stream.

use std::sync::{Mutex, MutexGuard, PoisonError};

use comptoir::ranking::live::{Change, LiveBoard};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyList;

use super::count::{Given, GivenScore, count};
use super::given::{each, pair};
use super::group::{Group, OwnItem};
use super::leaderboard::{entries, scored};
use crate::errors;

/// The best of each group from a stream; `comptoir.ranking.LiveBoard` is its public face.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RankingLive(Mutex<LiveBoard<Vec<String>, OwnItem>>);

impl RankingLive {
    /// The boards. Who waits for them lets the interpreter go.
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, LiveBoard<Vec<String>, OwnItem>> {
        self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

/// 0 for nothing, 1 for another top, 2 for a group that is short.
const fn code(change: Change) -> u8 {
    match change {
        Change::None => 0,
        Change::Top => 1,
        Change::Underflow => 2,
    }
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
impl RankingLive {
    #[new]
    fn new(py: Python<'_>, k: Given, slack: Given) -> PyResult<Self> {
        let (k, slack) = (count(py, "k", k, 1)?, count(py, "slack", slack, 0)?);
        Ok(Self(Mutex::new(LiveBoard::new(k, slack))))
    }

    /// Gives a member of a group a score.
    fn update(&self, py: Python<'_>, group: Group, member: OwnItem, score: GivenScore) -> PyResult<u8> {
        let score = scored(&member, score.0).map_err(|error| errors::from_core(py, &error))?;
        Ok(code(self.lock(py).update(&group.into_texts(), member, score)))
    }

    /// Takes a member off a group.
    fn remove(&self, py: Python<'_>, group: Group, member: OwnItem) -> u8 {
        code(self.lock(py).remove(&group.into_texts(), &member))
    }

    /// Makes these the members of a group.
    fn refill(&self, py: Python<'_>, group: Group, members: &Bound<'_, PyAny>) -> PyResult<u8> {
        let members = each("members", members)?;
        let scored = |(place, given): (usize, &Bound<'_, PyAny>)| {
            let (member, score) = pair("members", place, given)?;
            let (member, GivenScore(score)): (OwnItem, GivenScore) = (member.extract()?, score.extract()?);
            let score = scored(&member, score).map_err(|error| errors::from_core(py, &error))?;
            Ok::<_, PyErr>((member, score))
        };
        let members = members.iter().enumerate().map(scored).collect::<PyResult<Vec<_>>>()?;
        Ok(code(self.lock(py).refill(&group.into_texts(), members)))
    }

    /// The first members of a group.
    fn top<'py>(&self, py: Python<'py>, group: Group) -> PyResult<Bound<'py, PyList>> {
        let group = group.into_texts();
        let board = self.lock(py);
        let top = board.top(&group);
        let places: Vec<_> =
            (1..).zip(top).map(|(place, (member, score))| (place, member.clone(), score.get())).collect();
        drop(board);
        entries(py, places)
    }

    /// Whether a group waits to be read again.
    fn is_short(&self, py: Python<'_>, group: Group) -> bool {
        self.lock(py).is_short(&group.into_texts())
    }

    /// How many members are kept.
    fn kept(&self, py: Python<'_>) -> usize {
        self.lock(py).kept()
    }

    /// Events, changes of a top, underflows, rescans, members read for them.
    fn counts(&self, py: Python<'_>) -> (u64, u64, u64, u64, u64) {
        let counts = self.lock(py).counts();
        (counts.events, counts.shown, counts.underflows, counts.rescans, counts.scanned)
    }
}
