//! Decision tables: a compact form of rules that look at the same inputs.

mod cell;
mod check;
mod segments;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use check::{Finding, RowRef, TableReport};

use self::cell::{Cell, condition};
use super::build::compile as compile_expression;
use super::error::RuleSetError;
use super::spec::{CelSpec, HitPolicy, OutputSpec, RuleSpec};
use crate::types::{Env, Type};

/// A decision table. A row is a rule: its input cells must all hold, and its output cells are what it gives.
///
/// An input cell is empty or `-` for anything; a value; `>= 3`, `< 5`, `!= a`; a range `[10..20)`; a choice `a | b`;
/// or `= expression`, which must be of type bool. An output cell is a value, or `= expression`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableSpec {
    /// The name; rules are `NAME#1`, `NAME#2` and so on.
    pub id: String,
    /// Expressions of the input columns.
    pub inputs: Vec<String>,
    /// Names of the output columns.
    pub outputs: Vec<String>,
    /// The cells of each row: inputs, then outputs.
    pub rows: Vec<Vec<Json>>,
    /// The table as CSV in place of the three before: a header with the inputs and, marked by `=>`, the outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<String>,
    /// What is refused.
    pub checks: TableChecks,
}

/// What of a table is refused when the set is built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableChecks {
    /// Inputs that no row is for.
    pub gaps: Check,
    /// Two rows for one input.
    pub overlaps: Check,
    /// A row that the rows before it leave nothing for.
    pub shadowed: Check,
}

/// Whether something is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// It is reported only.
    #[default]
    Allow,
    /// The set is not built.
    Forbid,
}

/// A table with its cells read.
struct Table {
    inputs: Vec<(String, Type)>,
    outputs: Vec<String>,
    rows: Vec<(Vec<Cell>, Vec<Json>)>,
}

impl TableSpec {
    /// Looks for gaps, overlaps and shadowed rows.
    ///
    /// # Errors
    /// A table that does not compile: a cell that is no value of its column, a row of the wrong length.
    pub fn check(&self, env: &Env) -> Result<TableReport, RuleSetError> {
        Ok(check::report(&read(self, "table", env)?))
    }
}

/// The rows as rules, with their numbers.
pub(super) fn compile(
    spec: &TableSpec,
    path: &str,
    env: &Env,
    policy: HitPolicy,
) -> Result<Vec<(usize, RuleSpec)>, RuleSetError> {
    let table = read(spec, path, env)?;
    if spec.checks != TableChecks::default() {
        check::report(&table).refuse(spec.checks, policy, path)?;
    }
    let rules = table.rows.iter().enumerate().map(|(row, (cells, outputs))| {
        let clauses: Vec<String> =
            table.inputs.iter().zip(cells).filter_map(|((input, _), cell)| condition(input, cell)).collect();
        let outputs = table.outputs.iter().zip(outputs).filter(|(_, value)| !value.is_null());
        let outputs: BTreeMap<String, OutputSpec> =
            outputs.map(|(name, value)| (name.clone(), output(value))).collect();
        let id = format!("{}#{}", spec.id, row + 1);
        (row, RuleSpec { id, when: clauses.join(" && "), outputs, ..RuleSpec::default() })
    });
    Ok(rules.collect())
}

fn output(value: &Json) -> OutputSpec {
    match value.as_str().and_then(|text| text.strip_prefix('=')) {
        Some(source) => OutputSpec::Cel(CelSpec { cel: source.trim().to_owned() }),
        None => OutputSpec::Literal(value.clone()),
    }
}

fn read(spec: &TableSpec, path: &str, env: &Env) -> Result<Table, RuleSetError> {
    if spec.id.is_empty() {
        return Err(RuleSetError::invalid(format!("{path}.id"), "a table needs an id"));
    }
    let from_csv = spec.csv.as_ref().map(|text| csv_table(text, path)).transpose()?;
    let (inputs, outputs, rows) = match &from_csv {
        Some((inputs, outputs, rows)) => (inputs, outputs, rows),
        None => (&spec.inputs, &spec.outputs, &spec.rows),
    };
    let is_second = |(at, name): &(usize, &String)| outputs.iter().take(*at).any(|own| own == *name);
    if let Some((at, name)) = outputs.iter().enumerate().find(is_second) {
        let message = format!("output `{name}` stands twice: the last would count");
        return Err(RuleSetError::invalid(format!("{path}.outputs[{at}]"), message));
    }
    let typed = inputs.iter().enumerate().map(|(index, source)| {
        let program = compile_expression(env, source, &format!("{path}.inputs[{index}]"))?;
        Ok((source.clone(), program.result_type().without_null().clone()))
    });
    let typed = typed.collect::<Result<Vec<(String, Type)>, RuleSetError>>()?;
    let mut table = Table { inputs: typed, outputs: outputs.clone(), rows: Vec::with_capacity(rows.len()) };
    for (row, cells) in rows.iter().enumerate() {
        let place = format!("{path}.rows[{row}]");
        let expected = table.inputs.len() + table.outputs.len();
        if cells.len() != expected {
            let message = format!("expected {expected} cells, found {}", cells.len());
            return Err(RuleSetError::invalid(place, message));
        }
        let read = |((source, ty), cell): (&(String, Type), &Json)| {
            cell::read(cell, ty, env)
                .map_err(|message| RuleSetError::invalid(format!("{place}, column `{source}`"), message))
        };
        let own = table.inputs.iter().zip(cells).map(read).collect::<Result<Vec<Cell>, _>>()?;
        let outputs = cells.iter().skip(table.inputs.len()).cloned().collect();
        table.rows.push((own, outputs));
    }
    Ok(table)
}

type CsvTable = (Vec<String>, Vec<String>, Vec<Vec<Json>>);

/// Columns marked by `=>` are outputs and must follow the others.
fn csv_table(text: &str, path: &str) -> Result<CsvTable, RuleSetError> {
    let wrong = |error: csv::Error| RuleSetError::syntax(format!("{path}.csv"), error);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(wrong)?.clone();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for name in &header {
        match name.strip_prefix("=>") {
            Some(output) => outputs.push(output.trim().to_owned()),
            None if outputs.is_empty() => inputs.push(name.to_owned()),
            None => {
                let message =
                    format!("column `{name}`: inputs stand before outputs, which are marked by `=>`");
                return Err(RuleSetError::invalid(format!("{path}.csv"), message));
            }
        }
    }
    let width = inputs.len();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let cell = |(column, text): (usize, &str)| {
            if column < width { Json::from(text) } else { output_cell(text) }
        };
        rows.push(record.iter().enumerate().map(cell).collect());
    }
    Ok((inputs, outputs, rows))
}

/// Text of a CSV file as a value: a number or truth value where it is one. A decimal keeps its digits.
fn output_cell(text: &str) -> Json {
    match text {
        "" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ => match text.parse::<i64>() {
            Ok(number) if !text.starts_with('0') || text == "0" => Json::from(number),
            _ => Json::from(text),
        },
    }
}
