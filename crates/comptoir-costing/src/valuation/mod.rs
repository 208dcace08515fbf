//! The batch call: a whole history of movements in, postings, layers, balances and rejected rows out.
//!
//! [`route`] tells the items that only receive and issue from all others. [`plain`] values the former at the speed of the memory. For the
//! latter [`partition`] checks rows and sorts them into buckets by item, [`bucket`] puts each item in book order and values it by the
//! engine, and [`engine_lines`] brings the lines back into the order of the input. All run in parallel and give the same bytes for any
//! number of threads.

mod book;
mod bucket;
mod check;
pub(crate) mod columns;
mod engine_lines;
mod lines;
mod order;
mod partition;
mod plain;
mod plan;
mod route;
mod run;
mod ties;
mod unit_cost;

use std::sync::{Arc, OnceLock};

use comptoir_types::Date;
use rayon::prelude::*;

pub use bucket::Key;

pub(crate) use bucket::RowCorrection;
use columns::Columns;
#[cfg(feature = "arrow")]
pub(crate) use lines::REJECTED;
pub(crate) use lines::RangePostings;
#[cfg(feature = "arrow")]
pub(crate) use unit_cost::UnitCost;

use crate::engine::Context;
use crate::error::Error;
use crate::policy::Policy;
use crate::posting::OpenLayer;
use crate::reject::{Fault, RejectCode};

/// A valued history.
#[derive(Debug)]
pub struct Valuation {
    pub(crate) columns: Arc<Columns>,
    pub(crate) policy: Policy,
    pub(crate) context: Context,
    pub(crate) ranges: Vec<RangePostings>,
    pub(crate) corrections: Vec<RowCorrection>,
    pub(crate) faults: Vec<(u32, Fault)>,
    pub(crate) balances: Vec<Balance>,
    pub(crate) layers: Vec<OpenLayer>,
    /// Book order of the postings, by their places in the order of the input, once it was asked for; empty where both are the same.
    order: OnceLock<Vec<u32>>,
}

/// Quantity and value on hand of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The key.
    pub key: Key,
    /// Quantity on hand in units.
    pub quantity: i64,
    /// Value on hand in units of money.
    pub value: i64,
}

/// How many rows went where; `accepted + rejected == input`, and ignored duplicates are among the rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Rows of the input.
    pub input: u64,
    /// Movements in the books.
    pub accepted: u64,
    /// Rows that are not.
    pub rejected: u64,
    /// Of the rejected, exact repetitions of an earlier row.
    pub duplicates: u64,
    /// Correction postings beside the movements.
    pub corrections: u64,
}

/// Values coded columns.
pub(crate) fn value_columns(columns: Arc<Columns>, policy: Policy) -> Result<Valuation, Error> {
    let context = run::context(&columns, &policy)?;
    let outcome = run::run(&columns, &policy, &context, None)?;
    let run::Outcome { ranges, mut corrections, mut balances, mut layers, faults } = outcome;
    balances.par_sort_unstable_by_key(|balance| balance.key);
    layers.par_sort_by_key(|layer| (layer.item, layer.pool, layer.lot, layer.at));
    let mut valuation = Valuation {
        columns,
        policy,
        context,
        ranges,
        corrections: Vec::new(),
        faults,
        balances,
        layers,
        order: OnceLock::new(),
    };
    corrections.sort_by(|one, other| valuation.compare_corrections(one, other));
    valuation.corrections = corrections;
    Ok(valuation)
}

impl Valuation {
    /// How many rows went where.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let input = self.columns.rows as u64;
        let rejected = self.faults.len() as u64;
        let duplicates =
            self.faults.iter().filter(|(_, fault)| fault.code == RejectCode::DuplicateIgnored).count();
        Counts {
            input,
            accepted: input - rejected,
            rejected,
            duplicates: duplicates as u64,
            corrections: self.corrections.len() as u64,
        }
    }

    /// The policy under which the history was valued.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Quantity and value on hand at the end, by key.
    #[must_use]
    pub fn balances(&self) -> &[Balance] {
        &self.balances
    }

    /// Open layers at the end, for the methods that keep layers, oldest first within a key.
    #[must_use]
    pub fn layers(&self) -> &[OpenLayer] {
        &self.layers
    }

    /// Rows that are not in the books, ascending, each with its reason.
    #[must_use]
    pub fn rejected(&self) -> &[(u32, Fault)] {
        &self.faults
    }

    /// Decimal places of the quantities.
    #[must_use]
    pub fn quantity_scale(&self) -> u8 {
        self.columns.quantity_scale
    }

    /// Layers with their ages at the end of a day, for any method: what is in the books up to that day is valued again.
    ///
    /// Methods without layers age by first in, first out, and every layer has its share of the key's value. A shortage is one layer
    /// with a negative quantity, dated at the day. Any day of the calendar will do, also one that the clock of the input cannot say.
    ///
    /// # Errors
    /// As [`value`](crate::value).
    pub fn layers_as_of(&self, day: Date) -> Result<Vec<OpenLayer>, Error> {
        let clock = self.context.clock;
        let after = day.add_days(1).and_then(|next| clock.ticks(next)).unwrap_or_else(|_| {
            // A day beyond what the clock of the input can say.
            let (first, last) = clock.range();
            if day > Date::EPOCH { last.saturating_add(1) } else { first }
        });
        let border = after.saturating_sub(self.context.utc_offset);
        let context = Context { track_ages: true, ..self.context };
        let before = run::Before { border, rejected: &self.faults };
        let mut layers = run::run(&self.columns, &self.policy, &context, Some(before))?.layers;
        layers.par_sort_by_key(|layer| (layer.item, layer.pool, layer.lot, layer.at));
        Ok(layers)
    }
}
