//! Boards from tables: push batches, merge collectors, finish.
//!
//! A [`Board`] collects what it needs of each batch. `push`, `merge` and `finish` give the same bytes however the rows
//! are cut into batches, shared out over collectors and ordered: sums are exact, the order is total (score, tie keys,
//! item), and of rows that are alike in all three only one is kept.
//!
//! Without metrics the rows are the candidates, and a board keeps the best k + slack items of each group, each with its
//! best row. With metrics the rows are events: a board keeps the metrics of every item in every group, and ranks them in
//! the end.

mod codes;
mod collect;
mod column_codes;
mod compile;
mod error;
mod items;
mod kept;
mod keys;
mod metric;
mod metrics;
mod numbers;
mod offers;
mod rank;
mod report;
mod scan;
mod spec;
mod wanted;
mod word_codes;
mod words;

pub use collect::{Board, BoardResult};
pub use error::BoardError;
pub use report::Report;
pub use spec::{BoardSpec, MetricKind, MetricSpec, TieOrder, TieSpec};
