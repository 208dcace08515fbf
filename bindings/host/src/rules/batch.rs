//! Results for tables: a chunk for each chunk of the input, and the first rows without a value.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use comptoir::rules::{Error, Faults, Program, Variables};

use crate::{Table, TableError};

/// Faults that are kept.
const MAX_FAULTS: usize = 1_000;

/// A result for the rows of a table.
#[derive(Debug)]
pub struct Faulty {
    /// The result.
    pub values: Table,
    /// The first rows without one: `row`, `code`, `message`, and for rule sets `rule`.
    pub faults: Table,
    /// How many there are in all.
    pub fault_count: usize,
}

/// Rows without a value: the first of them, and how many there are.
#[derive(Debug, Default)]
pub struct RowFaults {
    rows: Vec<u64>,
    codes: Vec<&'static str>,
    messages: Vec<String>,
    /// All of them.
    pub count: usize,
}

impl RowFaults {
    fn add(&mut self, first_row: usize, faults: &Faults<'_>) {
        self.count += faults.len();
        for fault in faults.iter().take(MAX_FAULTS - self.rows.len()) {
            self.rows.push((first_row + fault.row) as u64);
            self.codes.push(fault.code());
            self.messages.push(fault.message());
        }
    }

    /// Row, code and message as a table.
    #[must_use]
    pub fn table(self) -> Table {
        columns([
            ("row", Arc::new(UInt64Array::from(self.rows)) as ArrayRef),
            ("code", Arc::new(StringArray::from(self.codes))),
            ("message", Arc::new(StringArray::from(self.messages))),
        ])
    }
}

/// Columns without nulls as one chunk. They must be of one length.
#[must_use]
pub fn columns<const N: usize>(columns: [(&str, ArrayRef); N]) -> Table {
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batches = RecordBatch::try_new(schema.clone(), arrays).into_iter().collect();
    Table { schema, batches }
}

/// The value for each row, as column `value`.
///
/// # Errors
/// A column that is missing or of a wrong type.
pub fn eval(
    program: &Program,
    table: &Table,
    shared: &Variables<'static>,
) -> Result<(Table, RowFaults), Error> {
    let mut faults = RowFaults::default();
    let (mut arrays, mut row) = (Vec::new(), 0);
    for batch in table.chunks() {
        let result = program.eval_batch_with(&batch, shared)?;
        faults.add(row, &result.faults);
        arrays.push(result.array);
        row += batch.num_rows();
    }
    let data_type = arrays.first().map_or(DataType::Null, |array| array.data_type().clone());
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("value", data_type, true)]));
    let batch = |array| RecordBatch::try_new(schema.clone(), vec![array]);
    let batches = arrays.into_iter().map(batch).collect::<Result<Vec<_>, _>>().map_err(|error| {
        // All chunks have one schema, so that their results have one type.
        comptoir::types::Error::ColumnType {
            column: "value".to_owned(),
            expected: "one type in all chunks",
            found: TableError::Inconsistent { message: error.to_string() }.to_string(),
            advice: String::new(),
        }
    })?;
    Ok((Table { schema, batches }, faults))
}

/// The numbers of the rows for which the expression is true, as column `row`.
///
/// # Errors
/// As [`eval`].
pub fn select(
    program: &Program,
    table: &Table,
    shared: &Variables<'static>,
) -> Result<(Table, RowFaults), Error> {
    let mut faults = RowFaults::default();
    let (mut rows, mut row) = (Vec::new(), 0);
    for batch in table.chunks() {
        let selection = program.select_with(&batch, shared)?;
        faults.add(row, &selection.faults);
        rows.extend(selection.rows.values().iter().map(|chosen| row as u64 + chosen));
        row += batch.num_rows();
    }
    Ok((columns([("row", Arc::new(UInt64Array::from(rows)) as ArrayRef)]), faults))
}
