use arrow_array::RecordBatch;

use crate::error::Error;
use crate::host::Activation;
use crate::rule_set::{RuleSet, clause::number};

/// The conditions of a small set, each evaluated for the whole table by columns.
#[derive(Debug)]
pub(super) struct Conditions {
    /// For each rule of the plan the rows for which it is true, in rising order.
    rules: Vec<Vec<u64>>,
    /// Rows for which some rule has no truth, in rising order: these are decided as events.
    faulty: Vec<u64>,
}

/// What is left of each list from some row on.
pub(super) struct Cursors<'c> {
    rules: Vec<&'c [u64]>,
    faulty: &'c [u64],
}

/// Rules up to which evaluating each for all rows takes less than looking up the inputs of each row.
const MOST: usize = 24;
/// Rows from which on it is worth while to compile the conditions anew.
const ROWS: usize = 512;

impl Conditions {
    /// None where the set is large, or where more than its conditions decides: variables, validity, rollouts.
    pub(super) fn new(
        set: &RuleSet,
        batch: &RecordBatch,
        shared: &dyn Activation,
    ) -> Result<Option<Self>, Error> {
        let is_plain = set.plan.rules() <= MOST && set.plan.variables.is_empty();
        if !is_plain || batch.num_rows() < ROWS {
            return Ok(None);
        }
        let mut all = Self { rules: Vec::new(), faulty: Vec::new() };
        for rule in 0..number(set.plan.rules()) {
            let Some(rule) = set.rule_of(rule).filter(|rule| rule.rollout.is_none()) else { return Ok(None) };
            if rule.when.trim().is_empty() {
                all.rules.push((0..batch.num_rows() as u64).collect());
                continue;
            }
            let program = set.env.compile(&rule.when)?.with_budget(set.plan.budget);
            let selection = program.select_with(batch, shared)?;
            all.rules.push(selection.rows.values().to_vec());
            all.faulty.extend(selection.faults.rows().map(|row| row as u64));
        }
        all.faulty.sort_unstable();
        all.faulty.dedup();
        Ok(Some(all))
    }

    pub(super) fn from(&self, row: usize) -> Cursors<'_> {
        let rest = |rows: &'_ Vec<u64>| rows.partition_point(|other| *other < row as u64);
        Cursors {
            rules: self.rules.iter().map(|rows| rows.get(rest(rows)..).unwrap_or(&[])).collect(),
            faulty: self.faulty.get(rest(&self.faulty)..).unwrap_or(&[]),
        }
    }
}

impl Cursors<'_> {
    /// The rules that are true for the next row; none where some rule has no truth.
    pub(super) fn next(&mut self, row: usize) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        for (rule, rows) in (0..).zip(&mut self.rules) {
            if take(rows, row) {
                found.push(rule);
            }
        }
        if take(&mut self.faulty, row) { None } else { Some(found) }
    }
}

fn take(rows: &mut &[u64], row: usize) -> bool {
    match rows.split_first() {
        Some((first, rest)) if *first == row as u64 => {
            *rows = rest;
            true
        }
        _ => false,
    }
}
