//! Takes a fault out of a rule set, so that the next one is found: compiling stops at the first.

use comptoir_rules::rule_set::{RuleSetError, RuleSetSpec, RuleSpec, TableSpec};
use serde_json::Value as Json;

/// Fits anywhere, so that one fault gives one message.
const ANYTHING: &str = "dyn(null)";

/// Takes out what an error of compiling is about. `false` where it cannot be told.
pub fn repair(spec: &mut RuleSetSpec, error: &RuleSetError, round: usize) -> bool {
    let path = error.path();
    if let RuleSetError::Cycle { cycle } = error {
        return break_cycle(spec, cycle);
    }
    if path == "at" {
        spec.at = Some("timestamp(0)".to_owned());
        return true;
    }
    if let Some(name) = path.strip_prefix("outputs.") {
        return spec.outputs.insert(name.to_owned(), "dyn".to_owned()).is_some();
    }
    if path.starts_with("environment") {
        return repair_environment(spec, error);
    }
    let Some((list, index, field)) = element(path) else { return false };
    match list {
        "rules" => spec.rules.get_mut(index).is_some_and(|rule| repair_rule(rule, field, round)),
        "tables" => spec.tables.get_mut(index).is_some_and(|table| repair_table(table, field, round)),
        "variables" => {
            let Some(variable) = spec.variables.get_mut(index) else { return false };
            match field {
                "name" => variable.name = format!("fault_{round}_"),
                _ => variable.expression = ANYTHING.to_owned(),
            }
            true
        }
        _ => false,
    }
}

/// `rules[3].when` as `rules`, 3 and `when`.
pub fn element(path: &str) -> Option<(&str, usize, &str)> {
    let (list, rest) = path.split_once('[')?;
    let (index, field) = rest.split_once(']')?;
    Some((list, index.parse().ok()?, field.trim_start_matches('.')))
}

fn break_cycle(spec: &mut RuleSetSpec, cycle: &str) -> bool {
    let Some(name) = cycle.trim_matches('`').split(" -> ").next() else { return false };
    let Some(variable) = spec.variables.iter_mut().find(|variable| variable.name == name) else {
        return false;
    };
    variable.expression = ANYTHING.to_owned();
    true
}

fn repair_environment(spec: &mut RuleSetSpec, error: &RuleSetError) -> bool {
    let environment = &mut spec.environment;
    if let Some(name) = error.path().strip_prefix("environment.variables.") {
        if name.split('.').next() == Some("variables") {
            return environment.variables.remove(name).is_some();
        }
        return environment.variables.insert(name.to_owned(), "dyn".to_owned()).is_some();
    }
    let wanted = error.path().strip_prefix("environment.types.");
    let declared = declaration(error);
    let fields = environment.types.iter_mut().flat_map(|(name, fields)| {
        fields.iter_mut().map(move |(field, ty)| (format!("{name}.{field}"), field, ty))
    });
    let mut is_repaired = false;
    for (path, field, ty) in fields {
        if wanted == Some(&*path) || declared == Some(&**field) {
            *ty = "dyn".to_owned();
            is_repaired = true;
        }
    }
    if let Some(ty) = declared.and_then(|name| environment.variables.get_mut(name)) {
        *ty = "dyn".to_owned();
        is_repaired = true;
    }
    is_repaired
}

/// The name of a declaration that is wrong.
pub fn declaration(error: &RuleSetError) -> Option<&str> {
    let RuleSetError::Expression { source, .. } = error else { return None };
    match &**source {
        comptoir_rules::Error::Env(error) => Some(&error.name),
        _ => None,
    }
}

fn repair_rule(rule: &mut RuleSpec, field: &str, round: usize) -> bool {
    match field {
        "id" => rule.id = format!("{} (fault {round})", rule.id),
        "when" => rule.when = String::new(),
        "valid_from" => rule.valid_from = None,
        "valid_until" => rule.valid_until = None,
        _ => {
            let Some(output) = field.strip_prefix("outputs.") else { return false };
            return rule.outputs.remove(output).is_some();
        }
    }
    true
}

fn repair_table(table: &mut TableSpec, field: &str, round: usize) -> bool {
    match (field, element(field)) {
        ("id", _) => table.id = format!("{} (fault {round})", table.id),
        (_, Some(("inputs", column, _))) => return blank_input(table, column),
        (_, Some(("rows", _, "id"))) => table.id = format!("{} (fault {round})", table.id),
        (_, Some(("rows", row, _))) => return blank_row(table, row),
        // A table that is no table at all.
        ("csv", _) => *table = TableSpec { id: table.id.clone(), ..TableSpec::default() },
        _ => return false,
    }
    true
}

fn blank_input(table: &mut TableSpec, column: usize) -> bool {
    let Some(mut records) = records(table) else {
        return table.inputs.get_mut(column).map(|input| ANYTHING.clone_into(input)).is_some();
    };
    let cell = records.first_mut().and_then(|header| header.get_mut(column));
    cell.map(|cell| ANYTHING.clone_into(cell)).is_some() && write(table, &records)
}

/// A row with nothing in it: the numbers of the others stay.
fn blank_row(table: &mut TableSpec, row: usize) -> bool {
    let Some(mut records) = records(table) else {
        let width = table.inputs.len() + table.outputs.len();
        return table.rows.get_mut(row).map(|cells| *cells = vec![Json::Null; width]).is_some();
    };
    let Some((header, rows)) = records.split_first_mut() else { return false };
    let Some(record) = rows.get_mut(row) else { return false };
    for (cell, name) in record.iter_mut().zip(header) {
        *cell = if name.starts_with("=>") { String::new() } else { "-".to_owned() };
    }
    write(table, &records)
}

/// The cells of a table in CSV, with the header.
fn records(table: &TableSpec) -> Option<Vec<Vec<String>>> {
    let text = table.csv.as_ref()?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let records = reader.records().map_while(Result::ok);
    Some(records.map(|record| record.iter().map(str::to_owned).collect()).collect())
}

fn write(table: &mut TableSpec, records: &[Vec<String>]) -> bool {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let is_written = records.iter().all(|record| writer.write_record(record).is_ok());
    let text = writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok());
    table.csv = text;
    is_written && table.csv.is_some()
}

/// Takes a field out of a tree. `false` where it is not there, or is needed.
pub fn remove(tree: &mut Json, path: &str) -> bool {
    if let Some((parent, name)) = split_last(path)
        && let Some(Json::Object(fields)) = find(tree, parent)
        && fields.remove(name).is_some()
    {
        return true;
    }
    let Some((list, index)) = path.strip_suffix(']').and_then(|path| path.rsplit_once('[')) else {
        return false;
    };
    let Some(Json::Array(elements)) = find(tree, list) else { return false };
    let Some(element) = index.parse().ok().and_then(|index: usize| elements.get_mut(index)) else {
        return false;
    };
    // The places of the others stay.
    let stub = match list {
        "rules" => serde_json::json!({"id": format!("(fault {index})")}),
        "variables" => serde_json::json!({"name": format!("fault_{index}"), "expression": ANYTHING}),
        "tables" => serde_json::json!({"id": format!("(fault {index})")}),
        _ => Json::from(""),
    };
    let is_new = *element != stub;
    *element = stub;
    is_new
}

fn split_last(path: &str) -> Option<(&str, &str)> {
    match path.rsplit_once('.') {
        Some((parent, name)) if !name.contains(']') => Some((parent, name)),
        Some(_) => None,
        None => Some(("", path)),
    }
}

fn find<'t>(tree: &'t mut Json, path: &str) -> Option<&'t mut Json> {
    let mut here = tree;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        here = match step.strip_suffix(']') {
            Some(index) => here.get_mut(index.parse::<usize>().ok()?)?,
            None => here.get_mut(step)?,
        };
    }
    Some(here)
}
