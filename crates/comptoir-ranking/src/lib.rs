//! Product boards: what decides the place of an item, in an order that is total and a result that does not depend on
//! how the work was cut.
//!
//! [`board`] makes boards of tables by `push`, `merge` and `finish`. What it stands on knows neither tables nor files: a
//! [`Score`] with a total order, exact [`sum`]s of floats, the formulas by which scores are made in [`normalise`],
//! [`rank`] numbers, a live [`leaderboard`]. [`arrange`] turns an organic order into the one that is shown, [`compare`]
//! says what changed, and [`snapshot`] publishes boards to readers in other processes.

#![deny(unsafe_code)]

pub mod arrange;
#[cfg(feature = "arrow")]
pub mod board;
pub mod compare;
pub mod evaluate;
pub mod leaderboard;
pub mod live;
pub mod normalise;
pub mod rank;
mod score;
pub mod snapshot;
pub mod sum;

pub use score::Score;
