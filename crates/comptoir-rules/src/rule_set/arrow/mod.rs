//! Rule sets over Arrow tables. A row is an event: it has the decision that [`RuleSet::decide`] gives for it.

mod diff;
mod output;
mod part;

use std::ops::Range;

use arrow_array::{RecordBatch, UInt64Array};
use rayon::prelude::*;

use super::RuleSet;
use super::decide::{Decision, code};
use crate::columnar::Events;
use crate::error::Error;
use crate::host::Activation;
use crate::value::Fault;
use part::Part;

/// What a set says about the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Decisions {
    /// A row for each row of the input: a column for each output, in the order of [`RuleSet::output_names`], then
    /// `fired`, a list of the ids of the rules that count, and `shadow`, a list of the ids of the rules in shadow mode
    /// whose condition is true, where the set has such rules.
    ///
    /// An output has its declared type; without one, the type that all rules agree on, or else text. It is null where
    /// no rule gives it. Under the hit policy `collect` an output is a list of the values that are given; under `all`
    /// it is a list that goes with `fired`, with null for a rule that does not give it, and null where no rule fires.
    pub batch: RecordBatch,
    /// The first rules without a truth and outputs without a value, by row: at most [`Decisions::MAX_FAULTS`].
    pub faults: Vec<TableFault>,
    /// How many there are in all.
    pub fault_count: usize,
}

/// The rows for which a rule counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// Numbers of the rows, ascending.
    pub rows: UInt64Array,
    /// The first rules without a truth, by row: at most [`Decisions::MAX_FAULTS`].
    pub faults: Vec<TableFault>,
    /// How many there are in all.
    pub fault_count: usize,
}

/// A rule without a truth, or an output without a value, for one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFault {
    /// The number of the row.
    pub row: usize,
    /// The rule.
    pub rule: String,
    /// The stable code.
    pub code: &'static str,
    /// What happened, in one line.
    pub message: String,
}

impl Decisions {
    /// Faults that are kept.
    pub const MAX_FAULTS: usize = 1_000;
}

impl TableFault {
    fn new(set: &RuleSet, row: usize, rule: u32, fault: &Fault) -> Self {
        Self { row, rule: set.id_of(rule).to_owned(), code: code(fault), message: fault.to_string() }
    }
}

/// Rows that one thread decides at a time. The cut does not depend on the number of threads.
const CHUNK: usize = 1_024;

impl RuleSet {
    /// The decisions on the rows of a table, on all threads of the current rayon pool.
    ///
    /// Columns become inputs as in [`columnar`](crate::columnar); an input without a column has the value that
    /// `shared` gives for all rows.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::cast::AsArray;
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    /// use comptoir_rules::Variables;
    /// use comptoir_rules::rule_set::{RuleSet, RuleSetSpec};
    ///
    /// let spec = RuleSetSpec::from_yaml(r#"
    /// environment: {variables: {price: double, floor: double}}
    /// outputs: {action: string}
    /// hit_policy: first
    /// rules:
    ///   - {id: below-floor, when: "price < floor * 0.9", outputs: {action: block}}
    ///   - {id: near-floor, when: "price < floor", outputs: {action: review}}
    /// "#)?;
    /// let set = RuleSet::build(spec)?;
    /// let price: ArrayRef = Arc::new(Float64Array::from(vec![8.0, 9.5, 12.0]));
    /// let orders = RecordBatch::try_from_iter([("price", price)])?;
    /// let decisions = set.decide_table(&orders, &Variables::new().with("floor", 10.0))?;
    /// let action = decisions.batch["action"].as_string::<i32>();
    /// assert_eq!(action.iter().collect::<Vec<_>>(), [Some("block"), Some("review"), None]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `TYPES_COLUMN_MISSING` for an input that has neither, `TYPES_COLUMN_TYPE` for a column that cannot be what the
    /// input was declared as, `TYPES_COLUMN_AMBIGUOUS` for a name that occurs twice, also in the result (an output that
    /// is called `fired`), `TYPES_TOO_MANY_ROWS` where more rules fire than a column can hold. A rule without a truth
    /// is no error of the call.
    pub fn decide_table(&self, batch: &RecordBatch, shared: &dyn Activation) -> Result<Decisions, Error> {
        let events = Events::bind(self.inputs(), self.env(), batch, shared)?;
        let parts = chunks(batch.num_rows(), |rows| {
            let mut part = Part::new(self);
            rows.for_each(|row| part.push(row, &self.decide(&events.row(row))));
            part
        });
        Part::join(self, parts).finish(batch)
    }

    /// The rows of a table for which a rule counts: choosing items or users.
    ///
    /// # Errors
    /// As [`RuleSet::decide_table`].
    pub fn select_table(&self, batch: &RecordBatch, shared: &dyn Activation) -> Result<Selected, Error> {
        let events = Events::bind(self.inputs(), self.env(), batch, shared)?;
        let parts = chunks(batch.num_rows(), |rows| {
            let (mut chosen, mut faults) = (Vec::new(), FaultList::default());
            for row in rows {
                let event = events.row(row);
                let decision = self.decide(&event);
                faults.add(self, row, &decision);
                if !decision.fired.is_empty() {
                    chosen.push(row as u64);
                }
            }
            (chosen, faults)
        });
        let (mut rows, mut faults) = (Vec::new(), FaultList::default());
        for (more, others) in parts {
            rows.extend(more);
            faults.append(others);
        }
        Ok(Selected { rows: rows.into(), faults: faults.first, fault_count: faults.count })
    }
}

/// The results for consecutive ranges of rows, in their order.
fn chunks<T: Send>(rows: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let range = |chunk: usize| chunk * CHUNK..((chunk + 1) * CHUNK).min(rows);
    (0..rows.div_ceil(CHUNK)).into_par_iter().map(|chunk| work(range(chunk))).collect()
}

/// The first faults, and how many there are.
#[derive(Debug, Default)]
struct FaultList {
    first: Vec<TableFault>,
    count: usize,
}

impl FaultList {
    fn add(&mut self, set: &RuleSet, row: usize, decision: &Decision<'_>) {
        for (rule, fault) in &decision.faults {
            self.push(|| TableFault::new(set, row, *rule, fault));
        }
    }

    fn push(&mut self, fault: impl FnOnce() -> TableFault) {
        self.count += 1;
        if self.first.len() < Decisions::MAX_FAULTS {
            self.first.push(fault());
        }
    }

    fn append(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first.into_iter().take(Decisions::MAX_FAULTS - self.first.len()));
    }
}
