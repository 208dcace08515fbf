//! Product boards: what decides the place of an item, in an order that is total and a result that does not depend on
//! how the work was cut.
//!
//! The parts in this crate know neither tables nor files: a [`Score`] with a total order, the [`top`] k of each group by
//! `push`, `merge` and `finish`, [`rank`] numbers, exact [`sum`]s of floats, the formulas by which scores are made in
//! [`normalise`], and a live [`leaderboard`].
//!
//! ```
//! use comptoir_ranking::Score;
//! use comptoir_ranking::top::{Candidate, TopK};
//!
//! let candidate = |score, item| Candidate { score: Score::new(score).unwrap(), ties: (), item };
//! let mut morning = TopK::new(2);
//! morning.push("FR", candidate(7.0, "mug"));
//! morning.push("FR", candidate(9.0, "bag"));
//! let mut evening = TopK::new(2);
//! evening.push("FR", candidate(9.0, "bell"));
//! morning.merge(evening);
//! let boards = morning.finish();
//! let items: Vec<_> = boards[0].entries.iter().map(|entry| entry.item).collect();
//! assert_eq!(items, ["bag", "bell"]);
//! ```
#![deny(unsafe_code)]

pub mod arrange;
#[cfg(feature = "arrow")]
pub mod board;
pub mod compare;
pub mod leaderboard;
pub mod normalise;
pub mod rank;
mod score;
pub mod snapshot;
pub mod sum;
pub mod top;

pub use score::Score;
