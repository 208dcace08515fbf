//! Finds where in a file a fault of its rule set stands.

use comptoir_rules::rule_set::RuleSetSpec;
use serde_json::Value as Json;

use crate::locate::{Locator, Place};
use crate::repair::element;
use crate::source::{Form, Source};

/// Places of a file's rule set.
#[derive(Debug)]
pub struct Places<'s> {
    source: &'s Source,
    locator: Locator,
    /// Of a policy.
    tree: Option<Json>,
}

/// A field of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its path in the file.
    pub path: String,
    /// Where it stands.
    pub place: Option<Place>,
}

impl<'s> Places<'s> {
    /// Reads where the fields of a file stand.
    pub fn new(source: &'s Source) -> Self {
        let text = if source.form == Form::Csv { "" } else { &source.text };
        let tree = if source.form == Form::Policy { source.tree() } else { None };
        Self { source, locator: Locator::new(text), tree }
    }

    /// A field of the set.
    pub fn field(&self, spec: &RuleSetSpec, path: &str) -> Field {
        if let Some((table, row, column)) = cell(spec, path) {
            return Field { path: path.to_owned(), place: self.cell(spec, table, row, column) };
        }
        let path = match self.source.form {
            Form::Policy => self.policy_path(spec, path),
            _ => path.to_owned(),
        };
        let place = self.locator.field(&path);
        Field { path, place }
    }

    /// The name of a field of the set, or the field around it.
    pub fn name(&self, path: &str) -> Option<Place> {
        self.locator.name(path).or_else(|| self.locator.field(path))
    }

    /// A declaration of the environment by its name.
    pub fn declaration(&self, name: &str) -> Option<Place> {
        let variable = format!("environment.variables.{name}");
        if self.locator.has(&variable) {
            return self.locator.field(&variable);
        }
        let end = format!(".{name}");
        let is_field = |path: &&str| path.starts_with("environment.types.") && path.ends_with(&end);
        let first = self.locator.paths().filter(is_field).min()?;
        self.locator.field(first)
    }

    /// A part of an expression of the set, by bytes; `None` where just the field is known.
    pub fn inside(&self, path: &str, expression: &str, start: usize, end: usize) -> Option<Field> {
        if self.source.form == Form::Policy {
            return None;
        }
        let value = format!("{path}.cel");
        let path = if self.locator.has(&value) { value } else { path.to_owned() };
        let place = self.locator.inside(&path, expression, start, end);
        place.map(|place| Field { path, place: Some(place) })
    }

    /// As [`Places::inside`] in a policy, whose conditions are joined to one for each rule.
    pub fn inside_policy(&self, spec: &RuleSetSpec, path: &str, start: usize, end: usize) -> Option<Field> {
        let tree = self.tree.as_ref()?;
        let (path, start, end) = match element(path) {
            Some(("rules", index, "when")) => condition(tree, &spec.rules.get(index)?.id, start, end)?,
            _ => (self.policy_path(spec, path), start, end),
        };
        let value = text_at(tree, &path)?;
        let place = self.locator.inside(&path, value, start, end);
        place.map(|place| Field { path, place: Some(place) })
    }

    /// Where a field of the set stands in a policy: rules are named after their place, variables by their name.
    fn policy_path(&self, spec: &RuleSetSpec, path: &str) -> String {
        let found = match element(path) {
            Some(("rules", index, field)) => spec.rules.get(index).map(|rule| {
                let field = field.strip_prefix("outputs.").unwrap_or(field);
                let field = if field == "when" { "condition" } else { field };
                format!("rule.{}.{field}", rule.id)
            }),
            Some(("variables", index, field)) => spec.variables.get(index).and_then(|variable| {
                let is_it = |path: &&str| {
                    path.starts_with("rule") && path.contains(".variables[") && path.ends_with(".name")
                };
                let named = |path: &&str| self.locator.scalar(path) == variable.name;
                let found = self.locator.paths().filter(is_it).filter(named).min()?;
                Some(format!("{}.{field}", found.strip_suffix(".name")?))
            }),
            _ => None,
        };
        found.unwrap_or_else(|| path.to_owned())
    }

    /// A row of a table, or a cell of it.
    pub fn cell(&self, spec: &RuleSetSpec, table: usize, row: usize, column: Option<usize>) -> Option<Place> {
        let path = format!("tables[{table}]");
        let Some(text) = spec.tables.get(table).and_then(|table| table.csv.as_ref()) else {
            let row = format!("{path}.rows[{row}]");
            let cell = column.map(|column| format!("{row}[{column}]")).filter(|cell| self.locator.has(cell));
            return self.locator.field(&cell.unwrap_or(row));
        };
        let (start, end) = record(text, row, column)?;
        if self.source.form == Form::Csv {
            return place(text, start, end);
        }
        let path = format!("{path}.csv");
        self.locator.inside(&path, text, start, end).or_else(|| self.locator.field(&path))
    }
}

/// `tables[0].rows[2]` and what is behind it as numbers of a table, a row and, where one is named, a column.
fn cell(spec: &RuleSetSpec, path: &str) -> Option<(usize, usize, Option<usize>)> {
    let ("tables", number, field) = element(path)? else { return None };
    let ("rows", row, rest) = element(field)? else { return None };
    let table = spec.tables.get(number)?;
    let columns = match &table.csv {
        None => table.inputs.iter().chain(&table.outputs).cloned().collect(),
        Some(text) => header(text),
    };
    let named = rest.strip_prefix(", column `").and_then(|name| name.strip_suffix('`'));
    let named = named.or_else(|| rest.strip_prefix("outputs."));
    let column = named.and_then(|name| columns.iter().position(|column| column == name));
    Some((number, row, column))
}

fn header(text: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let names = reader.headers().map(|header| header.iter().map(str::to_owned).collect::<Vec<_>>());
    let plain = |name: String| name.strip_prefix("=>").map(|name| name.trim().to_owned()).unwrap_or(name);
    names.unwrap_or_default().into_iter().map(plain).collect()
}

/// The bytes of a record of a CSV text, or of one of its cells where that is not quoted.
fn record(text: &str, row: usize, column: Option<usize>) -> Option<(usize, usize)> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let record = reader.records().nth(row)?.ok()?;
    let start = usize::try_from(record.position()?.byte()).ok()?;
    let rest = text.get(start..)?;
    let start = start + (rest.len() - rest.trim_start().len());
    let line = text.get(start..)?.lines().next()?;
    let whole = Some((start, start + line.trim_end().len()));
    let Some(column) = column.filter(|_| !line.contains('"')) else { return whole };
    let mut at = start;
    for (place, cell) in line.split(',').enumerate() {
        if place == column {
            let from = at + (cell.len() - cell.trim_start().len());
            return if cell.trim().is_empty() { whole } else { Some((from, from + cell.trim().len())) };
        }
        at += cell.len() + 1;
    }
    whole
}

/// Bytes of a text as a place.
fn place(text: &str, start: usize, end: usize) -> Option<Place> {
    let before = text.get(..start)?;
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next()?.chars().count() + 1;
    Some(Place { line, column, end_column: column + text.get(start..end)?.chars().count() })
}

/// The condition of a policy that a part of the joined one comes from, and the part in it.
fn condition(tree: &Json, id: &str, start: usize, end: usize) -> Option<(String, usize, usize)> {
    let path = format!("rule.{id}.condition");
    let own = text_at(tree, &path).unwrap_or("true");
    let Some((around_id, _)) = id.rsplit_once(".rule.") else { return Some((path, start, end)) };
    let around = joined(tree, around_id);
    if is_always(&around) {
        return Some((path, start, end));
    }
    if is_always(own) {
        return condition(tree, around_id, start, end);
    }
    // `(around) && (own)`
    let own_start = around.len() + 7;
    match start.checked_sub(own_start) {
        Some(start) => Some((path, start, end.saturating_sub(own_start))),
        None => condition(tree, around_id, start.saturating_sub(1), end.saturating_sub(1)),
    }
}

/// The condition of a match under those around it, as the reader of policies joins them.
fn joined(tree: &Json, id: &str) -> String {
    let own = text_at(tree, &format!("rule.{id}.condition")).unwrap_or("true");
    let around = id.rsplit_once(".rule.").map(|(around, _)| joined(tree, around)).unwrap_or_default();
    match (is_always(&around), is_always(own)) {
        (true, true) => String::new(),
        (true, false) => own.to_owned(),
        (false, true) => around,
        (false, false) => format!("({around}) && ({own})"),
    }
}

fn is_always(text: &str) -> bool {
    text.is_empty() || text.trim() == "true"
}

fn text_at<'t>(tree: &'t Json, path: &str) -> Option<&'t str> {
    let steps = path.split(['.', '[']).filter(|step| !step.is_empty());
    let found = steps.into_iter().try_fold(tree, |here, step| match step.strip_suffix(']') {
        Some(index) => here.get(index.parse::<usize>().ok()?),
        None => here.get(step),
    });
    found?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_table_in_csv_are_found() {
        let text = "level, category,=> rate\n>= 5,shoes,0.20\n\n 3 , bags ,x\n\"1\",a,2\n";
        let of = |row, column| record(text, row, column).and_then(|(start, end)| text.get(start..end));
        assert_eq!(of(0, Some(0)), Some(">= 5"));
        assert_eq!(of(1, Some(1)), Some("bags"));
        assert_eq!(of(1, None), Some("3 , bags ,x"));
        assert_eq!(of(2, Some(1)), Some("\"1\",a,2"));
        assert_eq!(of(3, None), None);
        assert_eq!(header(text), ["level", "category", "rate"]);
    }

    #[test]
    fn a_joined_condition_is_taken_apart() {
        let tree = serde_json::json!({"rule": {"match": [{"condition": "a > 1", "rule": {"match": [
            {"condition": "true", "rule": {"match": [{"condition": "b > 2", "output": "1"}]}},
        ]}}]}});
        let id = "match[0].rule.match[0].rule.match[0]";
        assert_eq!(joined(&tree, id), "(a > 1) && (b > 2)");
        assert_eq!(condition(&tree, id, 1, 2), Some(("rule.match[0].condition".into(), 0, 1)));
        assert_eq!(condition(&tree, id, 12, 13), Some((format!("rule.{id}.condition"), 0, 1)));
    }
}
