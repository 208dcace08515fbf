//! Boards from tables: push batches, merge collectors, finish.
//!
//! A [`Board`] collects what it needs of each batch. `push`, `merge` and `finish` give the same bytes however the rows
//! are cut into batches, shared out over collectors and ordered: sums are exact, the order is total (score, tie keys,
//! item), and of rows that are alike in all three only one is kept.
//!
//! Without metrics the rows are the candidates, and a board keeps the best k + slack items of each group, each with its
//! best row. With metrics the rows are events: a board keeps the metrics of every item in every group, and ranks them in
//! the end. So it does with rows whose score compares them with others (z-score, percentile): it keeps the columns that it
//! reads of every eligible row.
//!
//! # The order of operations
//!
//! 1. eligibility: which rows count; of items with metrics also `having`;
//! 2. hide: what operators do not want to show is no candidate;
//! 3. boost and bury: factors, then additions, within their bounds;
//! 4. the best k + slack of each group by score, tie keys and item;
//! 5. diversity, then constraints;
//! 6. pins: an item that is not eligible or is hidden is not pinned;
//! 7. positions, from 1.
//!
//! What could not be done is in the [`Report`], and [`BoardResult::explain`] says of an item why it stands where it does.

mod boosted;
mod candidate;
mod codes;
mod collect;
mod column_codes;
mod compile;
mod contest;
mod effects;
mod error;
mod events;
mod explain;
mod explanation;
mod input;
mod items;
mod kept;
mod keys;
mod layout;
mod list;
mod many;
mod memo;
mod metric;
mod metrics;
mod moment;
mod numbering;
mod numbers;
mod offers;
mod operators;
mod place;
mod pool;
mod population;
mod rank;
mod report;
mod result;
mod scan;
mod scope;
mod shown;
mod spec;
mod state;
mod sums;
mod terms;
mod wanted;
mod word_codes;
mod words;

pub use collect::Board;
pub use error::BoardError;
pub use explanation::{Absence, BoostExplanation, Explanation, InterventionEffect, TermExplanation};
pub use many::Boards;
pub use report::{EndedEarly, GroupName, InterventionReport, Report, Unmet, UnmetReason, UnpinnedItem};
pub use result::BoardResult;
pub use scope::Reason;
pub use spec::{
    BandSpec, BayesianStep, BoardSpec, BoostBounds, BoostSpec, BurySpec, CapStep, ConstraintKind,
    ConstraintSpec, Context, DiversitySpec, Effect, FloorStep, HackerNewsStep, HalfLifeStep,
    InterventionSpec, MetricKind, MetricSpec, MinMaxStep, Population, QuantileStep, RedditHotStep, ScoreSpec,
    ShowSpec, Step, TermSpec, TieOrder, TieSpec, WilsonStep, WindowSpec, ZScoreStep, is_in_share,
};
