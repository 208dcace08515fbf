//! Findings in decision tables: gaps, overlaps, rows that never count.

use comptoir_rules::rule_set::{Check, Finding, RuleSet, RuleSetSpec, TableReport, TableSpec};

use crate::fault::{Fault, Severity};
use crate::place::Places;

/// What the checks of all tables found. Tables with errors are left out: their rows are not what is meant.
pub fn findings(spec: &RuleSetSpec, set: &RuleSet, places: &Places<'_>, errors: &[Fault]) -> Vec<Fault> {
    let mut found = Vec::new();
    for (number, table) in spec.tables.iter().enumerate() {
        let path = format!("tables[{number}]");
        if errors.iter().any(|error| error.path.starts_with(&path)) {
            continue;
        }
        let Ok(report) = table.check(set.env()) else { continue };
        let own = Table { spec, set, table, number, path, places };
        found.extend(report.findings.iter().filter_map(|finding| own.finding(finding)));
        found.extend(own.overlaps(&report));
        found.extend(own.limits(&report));
    }
    found
}

/// What the checks look for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Gaps,
    Overlaps,
    Shadowed,
}

struct Table<'t> {
    spec: &'t RuleSetSpec,
    set: &'t RuleSet,
    table: &'t TableSpec,
    number: usize,
    path: String,
    places: &'t Places<'t>,
}

impl Table<'_> {
    fn finding(&self, finding: &Finding) -> Option<Fault> {
        let (what, row) = match finding {
            Finding::Gap { .. } => (What::Gaps, None),
            Finding::Overlap { second, .. } => (What::Overlaps, Some(*second)),
            // Where every row counts, none takes anything from another.
            Finding::Shadowed { .. } if !self.set.hit_policy().is_single() => return None,
            Finding::Shadowed { row, .. } => (What::Shadowed, Some(*row)),
        };
        let is_forbidden = self.is_forbidden(what);
        // Where the first row counts, a later one for the rest is how a table is written.
        if what == What::Overlaps && !is_forbidden && self.set.hit_policy().is_single() {
            return None;
        }
        let severity = if is_forbidden { Severity::Error } else { Severity::Warning };
        Some(self.fault(severity, finding.to_string(), row))
    }

    /// Overlaps where the first row counts, in one line.
    fn overlaps(&self, report: &TableReport) -> Option<Fault> {
        if self.is_forbidden(What::Overlaps) || !self.set.hit_policy().is_single() {
            return None;
        }
        let pairs: Vec<String> = report
            .findings
            .iter()
            .filter_map(|finding| match finding {
                Finding::Overlap { first, second } => Some(format!("{first} and {second}")),
                _ => None,
            })
            .collect();
        if pairs.is_empty() {
            return None;
        }
        let message = format!("rows {} have inputs in common: the first of them counts", pairs.join(", "));
        Some(self.fault(Severity::Note, message, None))
    }

    /// What was not looked at.
    fn limits(&self, report: &TableReport) -> Vec<Fault> {
        let mut found = Vec::new();
        if !report.opaque.is_empty() {
            let rows: Vec<String> = report.opaque.iter().map(ToString::to_string).collect();
            let message = format!("not checked: rows with an expression in a cell ({})", rows.join(", "));
            found.push(self.fault(Severity::Note, message, None));
        }
        if !report.is_complete {
            let message = "not checked to the end: the table has too many combinations";
            found.push(self.fault(Severity::Note, message.to_owned(), None));
        }
        found
    }

    fn fault(&self, severity: Severity, message: String, row: Option<usize>) -> Fault {
        let row = row.and_then(|row| row.checked_sub(1));
        let (path, place) = match row {
            None => (self.path.clone(), self.places.field(self.spec, &format!("{}.id", self.path)).place),
            Some(row) => {
                (format!("{}.rows[{row}]", self.path), self.places.cell(self.spec, self.number, row, None))
            }
        };
        let message = format!("table `{}`: {message}", self.table.id);
        Fault::new("RULES_TABLE", path, message).with_severity(severity).at(place)
    }

    fn is_forbidden(&self, what: What) -> bool {
        let checks = self.table.checks;
        let check = match what {
            What::Gaps => checks.gaps,
            What::Overlaps => checks.overlaps,
            What::Shadowed => checks.shadowed,
        };
        check == Check::Forbid
    }
}
