//! Finds every fault of a rule set.

use std::collections::HashSet;

use comptoir_rules::rule_set::{EnvironmentSpec, RuleSet, RuleSetError, RuleSetSpec, TableChecks};
use comptoir_rules::syntax::Diagnostic;
use comptoir_types::config::plain;
use comptoir_types::{ErrorCode, Position};

use crate::fault::{Fault, Severity, nearest};
use crate::locate::Place;
use crate::place::{Field, Places};
use crate::repair;
use crate::source::{Form, Source};
use crate::tables;

/// Faults of a file that are looked for.
const MOST: usize = 100;

/// What was found in a file.
#[derive(Debug)]
pub struct Checked {
    /// Faults in the order of the file.
    pub faults: Vec<Fault>,
    /// Rules and rows of tables.
    pub rules: usize,
    /// The set where it has no errors, and its spec.
    pub set: Option<(RuleSet, RuleSetSpec)>,
}

/// Reads and compiles a file and looks for faults in all of it.
pub fn check(source: &Source, environment: &EnvironmentSpec) -> Checked {
    // Most files are right, and need no places.
    let built = source.spec(environment).and_then(|spec| Ok((RuleSet::build(spec.clone())?, spec)));
    if let Ok((set, spec)) = built
        && spec.tables.is_empty()
        && !set.rules().is_empty()
    {
        return Checked { faults: Vec::new(), rules: set.rules().len(), set: Some((set, spec)) };
    }
    let mut check = Check { places: Places::new(source), faults: Vec::new(), seen: HashSet::new() };
    let found = check.spec(source, environment).and_then(|spec| {
        let set = check.build(&spec)?;
        check.faults.extend(tables::findings(&spec, &set, &check.places, &check.faults));
        if set.rules().is_empty() {
            let fault = Fault::new("RULES_SET_EMPTY", "rules", "the set has no rules");
            check.faults.push(fault.with_severity(Severity::Warning));
        }
        Some((set, spec))
    });
    let mut faults = check.faults;
    faults.sort_by_key(|fault| fault.place.map_or((usize::MAX, 0), |place| (place.line, place.column)));
    let rules = found.as_ref().map_or(0, |(set, _)| set.rules().len());
    let is_right = faults.iter().all(|fault| fault.severity != Severity::Error);
    Checked { faults, rules, set: found.filter(|_| is_right) }
}

struct Check<'s> {
    places: Places<'s>,
    faults: Vec<Fault>,
    /// One condition of a policy is a part of several rules.
    seen: HashSet<(Option<Place>, String)>,
}

impl Check<'_> {
    fn add(&mut self, fault: Fault) {
        if fault.place.is_none() || self.seen.insert((fault.place, fault.message.clone())) {
            self.faults.push(fault);
        }
    }

    /// The set as data, without the fields that are wrong.
    fn spec(&mut self, source: &Source, environment: &EnvironmentSpec) -> Option<RuleSetSpec> {
        let mut error = match source.spec(environment) {
            Ok(spec) => return Some(spec),
            Err(error) => error,
        };
        // A text that is refused as a whole may be one that the parser would take too long for.
        let mut tree = if error.path() == "." { None } else { source.tree() };
        for round in 0..MOST {
            let is_text = tree.is_some();
            self.add(self.syntax_fault(&error, is_text, round == 0));
            let tree = tree.as_mut()?;
            if !repair::remove(tree, error.path()) {
                return None;
            }
            let text = tree.to_string();
            let read = match source.form {
                Form::Policy => RuleSetSpec::from_policy(&text, environment.clone()),
                _ => RuleSetSpec::from_json(&text),
            };
            match read.and_then(|spec| source.with_tables(spec)) {
                Ok(spec) => return Some(spec),
                Err(next) => error = next,
            }
        }
        None
    }

    /// A fault of the form. The parser says where it is, but for later ones, which come from a copy; a field of a text
    /// that can be parsed is found by its path.
    fn syntax_fault(&self, error: &RuleSetError, is_parsed: bool, is_first: bool) -> Fault {
        let (text, position) = match error {
            RuleSetError::Syntax { message, position, .. } => (message.clone(), *position),
            RuleSetError::Invalid { message, .. } => (message.clone(), None),
            other => (other.to_string(), None),
        };
        let place = position.map(|Position { line, column }| {
            let column = column.max(1);
            Place { line, column, end_column: column + 1 }
        });
        // The parser of YAML begins with a part of the path.
        let message = match text.split_once(": ") {
            Some((head, rest)) if !head.is_empty() && error.path().starts_with(head) => rest.to_owned(),
            _ => text,
        };
        let message = plain(&message);
        let named = if message.starts_with("unknown field") {
            self.places.name(error.path())
        } else {
            self.places.field(&RuleSetSpec::default(), error.path()).place
        };
        let mut fault = Fault::new(error.code(), error.path(), message);
        fault.hint = unknown_hint(&fault.message);
        let named = named.filter(|_| is_parsed && error.path() != ".");
        fault.at(named.or(place.filter(|_| is_first)))
    }

    /// The set without what is wrong in it.
    fn build(&mut self, spec: &RuleSetSpec) -> Option<RuleSet> {
        let mut right = spec.clone();
        for table in &mut right.tables {
            // What is refused is told with what is not, by `tables`.
            table.checks = TableChecks::default();
        }
        for round in 1..=MOST {
            match RuleSet::build(right.clone()) {
                Ok(set) => return Some(set),
                Err(error) => {
                    self.build_faults(spec, &error);
                    if !repair::repair(&mut right, &error, round) {
                        return None;
                    }
                }
            }
        }
        None
    }

    fn build_faults(&mut self, spec: &RuleSetSpec, error: &RuleSetError) {
        if let RuleSetError::Expression { path, source } = error
            && let comptoir_rules::Error::Compile(diagnostics) = &**source
        {
            for diagnostic in diagnostics.list() {
                self.add(self.expression_fault(spec, path, diagnostics.source(), diagnostic));
            }
            return;
        }
        let message = match error {
            RuleSetError::Expression { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        let head = format!("`{}`: ", error.path());
        let message = message.strip_prefix(&head).unwrap_or(&message);
        let field = match (error, repair::declaration(error)) {
            (_, Some(name)) => Field { path: error.path().to_owned(), place: self.places.declaration(name) },
            // Its name is wrong, not its value.
            _ if message.contains("is no output") => {
                Field { path: error.path().to_owned(), place: self.places.name(error.path()) }
            }
            (RuleSetError::Cycle { cycle }, _) => self.places.field(spec, &cycle_path(spec, cycle)),
            _ => self.places.field(spec, error.path()),
        };
        self.add(Fault::new(error.code(), field.path, message).at(field.place));
    }

    fn expression_fault(&self, spec: &RuleSetSpec, path: &str, source: &str, fault: &Diagnostic) -> Fault {
        let (start, end) = (fault.span.start as usize, fault.span.end as usize);
        let found = self
            .places
            .inside(path, source, start, end)
            .or_else(|| self.places.inside_policy(spec, path, start, end));
        let is_exact = found.is_some();
        let field = found.unwrap_or_else(|| self.places.field(spec, path));
        let mut made = Fault::new(fault.code.name(), field.path, &*fault.message).at(field.place);
        made.hint = fault.hint.clone();
        if !is_exact {
            let bare = Diagnostic { hint: None, ..fault.clone() };
            let rendered = bare.render(source);
            made.excerpt = rendered.split_once('\n').map(|(_, shown)| shown.replace(" |", "  |"));
        }
        made
    }
}

/// The expression of the first variable of `a -> b -> a`.
fn cycle_path(spec: &RuleSetSpec, cycle: &str) -> String {
    let first = cycle.trim_matches('`').split(" -> ").next();
    let place = spec.variables.iter().position(|variable| Some(&*variable.name) == first);
    place.map_or_else(|| "variables".to_owned(), |place| format!("variables[{place}].expression"))
}

/// For "unknown field `a`, expected one of `b`, `c`" the nearest of those.
fn unknown_hint(message: &str) -> Option<String> {
    let mut names = message.strip_prefix("unknown field `")?.split('`').step_by(2);
    let wrong = names.next()?;
    nearest(wrong, names).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_field_is_named() {
        let hint = unknown_hint("unknown field `wen`, expected one of `id`, `when`, `outputs`");
        assert_eq!(hint.as_deref(), Some("did you mean `when`?"));
        assert_eq!(unknown_hint("unknown field `colour`, expected `id` or `when`"), None);
    }
}
