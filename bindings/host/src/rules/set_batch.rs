//! Decisions of rule sets on tables.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use comptoir::rules::rule_set::{Decisions, TableFault};
use comptoir::rules::{Error, RuleSet, Variables};

use super::batch::{Faulty, columns};
use crate::Table;

/// The decisions on the rows of a table: a chunk for each of its chunks.
///
/// # Errors
/// A column that is missing or of a wrong type. A rule without a truth is no error: it is in `faults`.
pub fn decide_set(set: &RuleSet, table: &Table, shared: &Variables<'static>) -> Result<Faulty, Error> {
    let (mut batches, mut faults, mut row) = (Vec::new(), SetFaults::default(), 0);
    for batch in table.chunks() {
        let decisions = set.decide_table(&batch, shared)?;
        faults.add(row, decisions.faults, decisions.fault_count);
        batches.push(decisions.batch);
        row += batch.num_rows();
    }
    let schema = batches.first().map_or(table.schema.clone(), RecordBatch::schema);
    let fault_count = faults.count;
    Ok(Faulty { values: Table { schema, batches }, faults: faults.table(), fault_count })
}

/// The numbers of the rows for which a rule counts, as column `row`.
///
/// # Errors
/// As [`decide_set`].
pub fn select_set(set: &RuleSet, table: &Table, shared: &Variables<'static>) -> Result<Faulty, Error> {
    let (mut rows, mut faults, mut row) = (Vec::new(), SetFaults::default(), 0);
    for batch in table.chunks() {
        let selected = set.select_table(&batch, shared)?;
        faults.add(row, selected.faults, selected.fault_count);
        rows.extend(selected.rows.values().iter().map(|chosen| row as u64 + chosen));
        row += batch.num_rows();
    }
    let fault_count = faults.count;
    let values = columns([("row", Arc::new(UInt64Array::from(rows)) as ArrayRef)]);
    Ok(Faulty { values, faults: faults.table(), fault_count })
}

/// The first rules without a truth in a table, and how many there are.
#[derive(Default)]
struct SetFaults {
    first: Vec<TableFault>,
    count: usize,
}

impl SetFaults {
    fn add(&mut self, first_row: usize, faults: Vec<TableFault>, count: usize) {
        self.count += count;
        let room = Decisions::MAX_FAULTS - self.first.len();
        let moved = |fault: TableFault| TableFault { row: first_row + fault.row, ..fault };
        self.first.extend(faults.into_iter().take(room).map(moved));
    }

    fn table(self) -> Table {
        let texts = |text: fn(&TableFault) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(self.first.iter().map(text)))
        };
        let rows = self.first.iter().map(|fault| fault.row as u64);
        columns([
            ("row", Arc::new(UInt64Array::from_iter_values(rows)) as ArrayRef),
            ("rule", texts(|fault| &fault.rule)),
            ("code", texts(|fault| fault.code)),
            ("message", texts(|fault| &fault.message)),
        ])
    }
}
