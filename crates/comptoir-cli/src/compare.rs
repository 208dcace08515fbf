//! Holds a decision against what a case expects.

use std::collections::BTreeMap;

use comptoir_rules::rule_set::{Decision, HitPolicy, RuleSet, RuleSetSpec};
use comptoir_rules::{Fault, Type, Value, host};
use serde_json::Value as Json;

use crate::cases::Expect;

/// How a decision differs from what was expected: lines for people, and the rules that they are about.
#[derive(Debug, Default)]
pub struct Differences {
    /// What was expected, and what was found.
    pub lines: Vec<String>,
    /// Rules that should have fired and did not, or the other way round.
    pub rules: Vec<String>,
}

/// Compares a decision.
pub fn differences(
    set: &RuleSet,
    spec: &RuleSetSpec,
    decision: &Decision<'_>,
    expect: &Expect,
) -> Differences {
    let mut found = Differences::default();
    let fired: Vec<&str> = decision.fired().collect();
    let shadow: Vec<&str> = decision.shadow().collect();
    found.ids("fired", expect.fired.as_deref(), &fired);
    found.ids("shadow", expect.shadow.as_deref(), &shadow);
    found.faults(decision, expect.error.as_deref());
    if let Some(expected) = &expect.outputs {
        let outputs = outputs(decision);
        for (name, value) in expected {
            let values = outputs.get(&**name).map_or(&[][..], Vec::as_slice);
            if !is_same(set, spec, name, value, values) {
                found.lines.push(format!("output `{name}`: expected {value}, found {}", shown(set, values)));
                found.rules.extend(givers(spec, name, value, &fired));
            }
        }
        for (name, values) in outputs.iter().filter(|(name, _)| !expected.contains_key(**name)) {
            found.lines.push(format!("output `{name}`: expected none, found {}", shown(set, values)));
        }
    }
    found.rules.dedup();
    found
}

type Outputs<'d> = BTreeMap<&'d str, Vec<&'d Value<'static>>>;

fn outputs<'d>(decision: &'d Decision<'_>) -> Outputs<'d> {
    let mut all = Outputs::new();
    for output in decision.outputs() {
        all.entry(output.name).or_default().push(output.value);
    }
    all
}

impl Differences {
    fn ids(&mut self, what: &str, expected: Option<&[String]>, found: &[&str]) {
        let Some(expected) = expected else { return };
        if expected == found {
            return;
        }
        self.lines.push(format!("{what}: expected [{}], found [{}]", expected.join(", "), found.join(", ")));
        let missing = expected.iter().map(|id| &**id).filter(|id| !found.contains(id));
        let more = found.iter().copied().filter(|id| !expected.iter().any(|other| other == id));
        self.rules.extend(missing.chain(more).map(str::to_owned));
    }

    fn faults(&mut self, decision: &Decision<'_>, expected: Option<&str>) {
        let found: Vec<String> =
            decision.faults().map(|(rule, fault)| format!("{} in `{rule}`: {fault}", code(fault))).collect();
        match expected {
            None if found.is_empty() => {}
            None => self.lines.push(format!("error: expected none, found {}", found.join("; "))),
            Some(wanted) if decision.faults().any(|(_, fault)| code(fault) == wanted) => {}
            Some(wanted) => {
                let found = if found.is_empty() { "none".to_owned() } else { found.join("; ") };
                self.lines.push(format!("error: expected {wanted}, found {found}"));
            }
        }
    }
}

/// The stable code of a fault.
pub fn code(fault: &Fault) -> &'static str {
    match fault {
        Fault::Error(error) | Fault::Exhausted(error) => error.code.name(),
        Fault::Unknown(_) => "RULES_UNKNOWN_INPUT",
    }
}

/// Rules that would give an output the expected value, or may: those whose firing was expected, most likely.
fn givers(spec: &RuleSetSpec, name: &str, expected: &Json, fired: &[&str]) -> Vec<String> {
    use comptoir_rules::rule_set::OutputSpec;
    let gives = |output: &OutputSpec| match output {
        OutputSpec::Cel(_) => true,
        OutputSpec::Literal(value) => value == expected,
    };
    let rules = spec.rules.iter().filter(|rule| rule.outputs.get(name).is_some_and(gives));
    rules.map(|rule| rule.id.clone()).filter(|id| !fired.contains(&&**id)).take(3).collect()
}

/// Under `collect` an output is a list of what the rules gave; under `all` one value stands for itself.
fn is_same(
    set: &RuleSet,
    spec: &RuleSetSpec,
    name: &str,
    expected: &Json,
    found: &[&Value<'static>],
) -> bool {
    let one = |expected: &Json, found: &Value<'_>| is_same_value(set, spec, name, expected, found);
    match (found, set.hit_policy()) {
        ([], _) => false,
        ([only], HitPolicy::First | HitPolicy::Priority | HitPolicy::All) => one(expected, only),
        _ => expected.as_array().is_some_and(|list| {
            list.len() == found.len() && list.iter().zip(found).all(|(expected, found)| one(expected, found))
        }),
    }
}

/// Values are equal as CEL says: 5.00 is 5, and a decimal may be written as text.
fn is_same_value(set: &RuleSet, spec: &RuleSetSpec, name: &str, expected: &Json, found: &Value<'_>) -> bool {
    let declared = spec.outputs.get(name).and_then(|ty| Type::parse(ty).ok());
    let ty = declared.unwrap_or(match found {
        Value::Decimal(_) => Type::Decimal,
        Value::Timestamp(_) => Type::Timestamp,
        Value::Duration(_) => Type::Duration,
        _ => Type::Dyn,
    });
    let value = host::from_json(Some(expected), &ty, set.env());
    value.equals(found) || *expected == found.to_json()
}

fn shown(set: &RuleSet, values: &[&Value<'static>]) -> String {
    match (values, set.hit_policy()) {
        ([], _) => "none".to_owned(),
        ([only], HitPolicy::First | HitPolicy::Priority | HitPolicy::All) => only.to_json().to_string(),
        _ => Json::Array(values.iter().map(|value| value.to_json()).collect()).to_string(),
    }
}
