//! The scalar evaluator: one input, one value.

mod access;
mod arithmetic;
mod build;
mod equality;
mod fold;
mod logic;
mod machine;
mod meter;
mod pattern;
mod quick;
mod scope;
mod time;

pub(crate) use access::field_of;
pub(crate) use arithmetic::binary;
#[cfg(feature = "arrow")]
pub(crate) use arithmetic::negate;
pub(crate) use equality::{contains, equal};
pub(crate) use fold::{sort, sort_cost};
#[cfg(feature = "arrow")]
pub(crate) use logic::holds;
pub(crate) use logic::relate;
pub(crate) use machine::{Inputs, Machine, no_overload, regex_cost};
pub use meter::Meter;
pub(crate) use pattern::Patterns;
pub use pattern::{AttributePattern, PatternError};
pub(crate) use quick::{Quick, quick_truth, quick_ways};
