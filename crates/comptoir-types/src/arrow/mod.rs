//! Arrow columns in all the shapes that real producers send.
//!
//! A table comes as chunks: a column is `&[ArrayRef]`, and a row is counted from 0 over all of its chunks. What is
//! read keeps the caller's buffers where their form allows it.
//!
//! | need | function | accepted |
//! |---|---|---|
//! | amounts, quantities | [`read_units`] | decimals of any width, integers of any width, decimal text |
//! | moments | [`read_ticks`] | dates, timestamps of any unit |
//! | a small closed vocabulary | [`read_kinds`] | text of any layout, dictionaries of text |
//! | codes of items, pools, lots | [`intern`] | text, integers, dictionaries of either |
//! | unique row names | [`IdIndex`] | text, integers, dictionaries of either |
//!
//! A column of the wrong type is an error that names the column and both types. A bad cell is a fault of its row
//! and leaves the other rows alone. A column of Arrow's null type is a column of nulls, whatever is expected of it.

mod cell;
mod columns;
mod ids;
mod intern;
mod keys;
mod kinds;
mod local;
mod table;
mod ticks;
mod units;

pub use cell::text_at;
pub use columns::{column, optional_column, type_name};
pub use ids::{IdIndex, MISSING, NONE};
pub use intern::{Interned, NULL_CODE, intern};
pub use kinds::{Kinds, read_kinds};
pub use ticks::{Ticks, read_ticks};
pub use units::{Units, read_units};
