//! Decisions of rule sets as Python objects.

use comptoir::rules::rule_set::{HitPolicy, OutputRef};
use comptoir::rules::{Decision, RuleSet};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::give::to_python;
use super::shared::code;

/// Rule, code and message of a rule without a truth.
pub type RuleFault = (String, &'static str, String);

/// Fired rules, outputs, shadow rules, their outputs, faults.
pub type Parts<'py> = (Vec<String>, Bound<'py, PyAny>, Vec<String>, Bound<'py, PyAny>, Vec<RuleFault>);

/// The parts of a decision, its outputs in the form of the hit policy.
///
/// # Errors
/// What Python raises while objects are made.
pub fn parts<'py>(py: Python<'py>, set: &RuleSet, decision: &Decision<'_>) -> PyResult<Parts<'py>> {
    let owned = |ids: &mut dyn Iterator<Item = &str>| ids.map(str::to_owned).collect::<Vec<_>>();
    let fired = owned(&mut decision.fired());
    let shadow = owned(&mut decision.shadow());
    let outputs = match set.hit_policy() {
        HitPolicy::All => by_rule(py, &fired, decision.outputs())?.into_any(),
        HitPolicy::Collect => collected(py, decision.outputs())?.into_any(),
        HitPolicy::First | HitPolicy::Priority => {
            let outputs = PyDict::new(py);
            for output in decision.outputs() {
                outputs.set_item(output.name, to_python(py, output.value)?)?;
            }
            outputs.into_any()
        }
    };
    let shadow_outputs = by_rule(py, &shadow, decision.shadow_outputs())?.into_any();
    let faults = decision.faults().map(|(rule, fault)| (rule.to_owned(), code(fault), fault.to_string()));
    Ok((fired, outputs, shadow, shadow_outputs, faults.collect()))
}

/// A dict with `rule` and `outputs` for each rule.
fn by_rule<'py, 'd>(
    py: Python<'py>,
    rules: &[String],
    outputs: impl Iterator<Item = OutputRef<'d>>,
) -> PyResult<Bound<'py, PyList>> {
    let mut outputs = outputs.peekable();
    let list = PyList::empty(py);
    for rule in rules {
        let own = PyDict::new(py);
        while let Some(output) = outputs.next_if(|output| output.rule == rule) {
            own.set_item(output.name, to_python(py, output.value)?)?;
        }
        let entry = PyDict::new(py);
        entry.set_item("rule", rule)?;
        entry.set_item("outputs", own)?;
        list.append(entry)?;
    }
    Ok(list)
}

/// A list of values for each output.
fn collected<'py, 'd>(
    py: Python<'py>,
    outputs: impl Iterator<Item = OutputRef<'d>>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for output in outputs {
        let value = to_python(py, output.value)?;
        match dict.get_item(output.name)? {
            Some(list) => list.cast_into::<PyList>()?.append(value)?,
            None => dict.set_item(output.name, PyList::new(py, [value])?)?,
        }
    }
    Ok(dict)
}
