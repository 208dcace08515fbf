//! The valuation engine: a state machine that values the movements of one component in order.
//!
//! A *component* is an item, or items that production groups link: what must be valued together. The batch call runs one
//! component after another; a running ledger feeds the same machine movement by movement. The engine does no I/O and knows no
//! file format: [`run::run_component`] takes events and a sink.

mod adjust;
mod checkpoint;
#[cfg(test)]
mod estimate_tests;
mod event;
#[cfg(test)]
mod group_tests;
mod history;
mod inflow;
mod late;
#[cfg(test)]
mod late_tests;
mod layers;
mod machine;
mod mixed;
mod outflow;
mod periodic;
mod production;
#[cfg(test)]
mod production_tests;
mod provisional;
mod references;
mod replay;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod reversal_tests;
pub(crate) mod run;
mod settle;
mod shorts;
mod stock;
mod switched;
#[cfg(test)]
mod tests;

use comptoir_types::Rounding;
use comptoir_types::decimal::mul_div;

pub(crate) use event::{ABSENT, Auto, Context, Correction, Discard, Entry, Event, LIMIT, Line, Sink};
pub(crate) use layers::Layer;
pub(crate) use machine::KeyRules;
pub(crate) use provisional::with_month_borders;
pub(crate) use stock::Stock;

use crate::reject::{Fault, RejectCode};

/// The share of `value` that belongs to `part` of `whole`, rounded. `part` must not exceed `whole`, so the result always fits.
pub(crate) fn share(value: i64, part: i64, whole: i64, rounding: Rounding) -> i64 {
    mul_div(value, part, whole, rounding).unwrap_or(value)
}

/// `number`, if it lies within the limit of 18 digits.
pub(crate) fn bounded(number: i64) -> Result<i64, Fault> {
    if number.unsigned_abs() < LIMIT.unsigned_abs() { Ok(number) } else { Err(OVERFLOW) }
}

pub(crate) const OVERFLOW: Fault = Fault::new(RejectCode::Overflow);
