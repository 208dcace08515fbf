//! Traces of rule sets as Python objects.

use comptoir::rules::Value;
use comptoir::rules::rule_set::{ClauseTrace, Mode, Reason, RuleTrace, Verdict};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::give::to_python;

/// Alternative, text, truth, fault and values of a clause. An input that is not there has no value.
pub type Clause<'py> = (usize, String, Option<bool>, Option<String>, Bound<'py, PyDict>);

/// Id, mode, truth, fault and clauses of a rule.
pub type Rule<'py> = (String, &'static str, Option<bool>, Option<String>, Vec<Clause<'py>>);

/// A rule's trace.
///
/// # Errors
/// What Python raises while objects are made.
pub fn rule<'py>(py: Python<'py>, rule: &RuleTrace) -> PyResult<Rule<'py>> {
    let (truth, fault) = verdict(&rule.verdict);
    let clauses = rule.clauses.iter().map(|one| clause(py, one)).collect::<PyResult<_>>()?;
    Ok((rule.id.to_string(), mode(rule.mode), truth, fault, clauses))
}

fn clause<'py>(py: Python<'py>, clause: &ClauseTrace) -> PyResult<Clause<'py>> {
    let values = PyDict::new(py);
    for (name, value) in &clause.values {
        if !matches!(value, Value::Absent) {
            values.set_item(&**name, to_python(py, value)?)?;
        }
    }
    let (truth, fault) = verdict(&clause.verdict);
    Ok((clause.alternative, clause.text.clone(), truth, fault, values))
}

fn verdict(verdict: &Verdict) -> (Option<bool>, Option<String>) {
    match verdict {
        Verdict::True => (Some(true), None),
        Verdict::False => (Some(false), None),
        Verdict::Fault(fault) => (None, Some(fault.to_string())),
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::Shadow => "shadow",
        Mode::Off => "off",
    }
}

/// The reason as a word, and the rule that counts before.
pub fn reason(reason: &Reason) -> (&'static str, Option<String>) {
    match reason {
        Reason::Fired => ("fired", None),
        Reason::Mode => ("mode", None),
        Reason::Behind(other) => ("behind", Some(other.to_string())),
        Reason::False => ("false", None),
        Reason::Fault => ("fault", None),
    }
}
