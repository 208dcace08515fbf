//! Runs the cases of a file.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comptoir_rules::rule_set::{Reason, RuleSet, RuleSetSpec};

use crate::cases::{self, Case};
use crate::compare::differences;
use crate::coverage::Coverage;
use crate::fault::nearest;
use crate::fields::undeclared;
use crate::report;
use crate::source::Source;
use crate::{Failure, Status};

/// What else is written.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// A line for every case.
    pub is_verbose: bool,
    /// The rules that no case fired.
    pub has_coverage: bool,
}

/// Rules whose clauses are shown for a case that fails.
const MOST: usize = 5;
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();

/// Decides the events of all cases and writes where a decision is not as expected.
///
/// # Errors
/// Those of the output.
pub fn run(
    set: &RuleSet,
    spec: &RuleSetSpec,
    source: &Source,
    options: Options,
    out: &mut dyn Write,
) -> Result<Status, Failure> {
    let cases = match cases::read(source) {
        Ok(cases) => cases,
        Err(fault) => {
            report::one(out, source, &fault)?;
            return Ok(Status::Faults);
        }
    };
    let mut coverage = Coverage::default();
    let mut failed = 0;
    for case in &cases {
        let lines = one(set, spec, case, &mut coverage);
        failed += usize::from(!lines.is_empty());
        write(out, source, case, &lines, options)?;
    }
    if options.has_coverage {
        coverage.write(out, set)?;
    }
    writeln!(out, "{} passed, {failed} failed", cases.len() - failed)?;
    Ok(if failed > 0 { Status::Faults } else { Status::Well })
}

/// What is wrong with a case: nothing where it passes.
fn one(set: &RuleSet, spec: &RuleSetSpec, case: &Case, coverage: &mut Coverage) -> Vec<String> {
    let mut lines = undeclared(&spec.environment, &case.event);
    lines.extend(unknown_rules(set, case));
    let decision = set.decide_json(&case.event);
    coverage.add(&decision);
    let found = differences(set, spec, &decision, &case.expect);
    lines.extend(found.lines);
    let event = set.json_event(&case.event);
    for id in found.rules.iter().take(MOST) {
        let Some(why) = set.why_not(id, &event) else { continue };
        if why.reason == Reason::Fired {
            let clauses: Vec<String> = why.rule.clauses.iter().map(ToString::to_string).collect();
            let clauses =
                if clauses.is_empty() { "it has no condition".to_owned() } else { clauses.join("; ") };
            lines.push(format!("`{id}` fired: {clauses}"));
        } else {
            lines.push(why.to_string());
        }
    }
    lines
}

/// Ids in what is expected that are no rules.
fn unknown_rules(set: &RuleSet, case: &Case) -> Vec<String> {
    let expected = [&case.expect.fired, &case.expect.shadow].into_iter().flatten().flatten();
    let is_known = |id: &&String| set.rules().iter().any(|rule| *rule.id == ***id);
    let message = |id: &String| {
        let near = nearest(id, set.rules().iter().map(|rule| &*rule.id));
        let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        format!("expect: `{id}` is no rule of the set{hint}")
    };
    expected.filter(|id| !is_known(id)).map(message).collect()
}

fn write(
    out: &mut dyn Write,
    source: &Source,
    case: &Case,
    lines: &[String],
    options: Options,
) -> io::Result<()> {
    if lines.is_empty() {
        return if options.is_verbose { writeln!(out, "{GREEN}ok{GREEN:#} {}", case.name) } else { Ok(()) };
    }
    let place = case.place.map_or(String::new(), |place| format!("{}:{}:", place.line, place.column));
    writeln!(out, "{}:{place} {RED}failed{RED:#}: {}", source.name, case.name)?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}
