//! `comptoir.ranking`: boards, ranks and published snapshots.
//!
//! `board` makes boards of tables. `publisher`, `reader` and `page` are the two sides of published boards, with groups as
//! texts by `group`. `leaderboard` and `live` are kept current from a stream. `rank`, `compare`, `evaluate`, `normalise`
//! and `mmr` are functions over columns. `count` checks arguments that say how many,
//! `given` texts, numbers and lists.

mod board;
mod compare;
mod count;
mod evaluate;
mod given;
mod group;
mod leaderboard;
mod live;
mod mmr;
mod normalise;
mod page;
mod publisher;
mod rank;
mod reader;

use pyo3::prelude::*;

/// Adds the classes and functions of rankings to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<board::RankingBoard>()?;
    module.add_class::<board::RankingResult>()?;
    module.add_class::<leaderboard::RankingLeaderboard>()?;
    module.add_class::<live::RankingLive>()?;
    module.add_class::<page::RankingPage>()?;
    module.add_class::<publisher::RankingPublisher>()?;
    module.add_class::<reader::RankingReader>()?;
    module.add_function(wrap_pyfunction!(board::ranking_push, module)?)?;
    module.add_function(wrap_pyfunction!(compare::ranking_compare, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate::ranking_dcg, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate::ranking_minimum_table, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate::ranking_ndcg, module)?)?;
    module.add_function(wrap_pyfunction!(mmr::ranking_mmr, module)?)?;
    module.add_function(wrap_pyfunction!(normalise::ranking_formula, module)?)?;
    module.add_function(wrap_pyfunction!(normalise::ranking_among, module)?)?;
    module.add_function(wrap_pyfunction!(normalise::ranking_quantile, module)?)?;
    module.add_function(wrap_pyfunction!(rank::ranking_rank, module)?)
}

/// An instance of a class of `comptoir.ranking._results`, in which the package says what users see.
///
/// # Errors
/// What Python raises.
fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("comptoir.ranking._results")?.getattr(name)
}
