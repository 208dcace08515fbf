use std::sync::Arc;

use comptoir::rules::rule_set::{Mode, RuleSetHandle, RuleTrace, Verdict};
use comptoir::rules::{Decision, RuleSet, RuleSetSpec, Value};
use comptoir::types::ErrorKind;
use serde_json::{Value as Json, json};

use super::batch::Faulty;
use super::environment::shared;
use super::set_batch::{decide_set, select_set};
use crate::{Fault, Table, render};

/// A compiled rule set, which never changes; any number of threads may decide with it at once.
#[derive(Debug, Clone)]
pub struct CompiledSet(Arc<RuleSet>);

/// A place for the set that counts now: it is replaced while others decide.
#[derive(Debug)]
pub struct LiveSet(RuleSetHandle);

impl CompiledSet {
    /// Reads and compiles a set from JSON or YAML text; JSON begins with `{`.
    ///
    /// # Errors
    /// A set that is refused, with the field, and the place in an expression.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let spec = match text.trim_start().starts_with('{') {
            true => RuleSetSpec::from_json(text)?,
            false => RuleSetSpec::from_yaml(text)?,
        };
        Ok(Self(Arc::new(RuleSet::build(spec)?)))
    }

    /// The set: its inputs, its rules, and decisions by slots.
    #[must_use]
    pub fn set(&self) -> &RuleSet {
        &self.0
    }

    /// Name, version, hash, inputs and rules, as JSON.
    ///
    /// # Errors
    /// None is known.
    pub fn describe(&self) -> Result<String, Fault> {
        let input =
            |slot: &comptoir::rules::ir::Slot| json!({"name": &*slot.name, "type": slot.ty.to_string()});
        let inputs: Vec<_> = self.0.inputs().iter().map(input).collect();
        let rules: Vec<&str> = self.0.rules().iter().map(|rule| &*rule.id).collect();
        let outputs: Vec<&str> = self.0.output_names().collect();
        render(&json!({
            "name": self.0.name(), "version": self.0.version(), "hash": self.0.hash(),
            "inputs": inputs, "outputs": outputs, "rules": rules,
        }))
    }

    /// The decision on an event in JSON, as JSON text.
    ///
    /// # Errors
    /// `RULES_JSON` for text that is no JSON object.
    pub fn decide_json(&self, event: &[u8]) -> Result<String, Fault> {
        render(&self.0.decide_json(&read_event(event)?).to_json())
    }

    /// The decision on the values of the inputs, in their order.
    #[must_use]
    pub fn decide(&self, inputs: &[Value<'_>]) -> Decision<'_> {
        self.0.decide_slots(inputs)
    }

    /// What each rule came to for an event in JSON, clause by clause, as JSON text.
    ///
    /// # Errors
    /// As [`CompiledSet::decide_json`].
    pub fn explain_json(&self, event: &[u8]) -> Result<String, Fault> {
        let event = read_event(event)?;
        let trace = self.0.trace(&self.0.json_event(&event));
        let rules: Vec<Json> = trace.rules.iter().map(rule_json).collect();
        render(&rules)
    }

    /// The decisions on the rows of a table; `shared_variables` is a JSON object of inputs without a column.
    ///
    /// # Errors
    /// A column that is missing or of a wrong type. A rule without a truth is no error: it is in `faults`.
    pub fn decide_table(&self, table: &Table, shared_variables: &str) -> Result<Faulty, Fault> {
        let shared = shared(self.0.env(), shared_variables)?;
        let mut decided = decide_set(&self.0, table, &shared)?;
        decided.values = Table::new(decided.values.schema, decided.values.batches)?;
        Ok(decided)
    }

    /// The numbers of the rows for which a rule counts, as column `row`.
    ///
    /// # Errors
    /// As [`CompiledSet::decide_table`].
    pub fn select(&self, table: &Table, shared_variables: &str) -> Result<Faulty, Fault> {
        let shared = shared(self.0.env(), shared_variables)?;
        Ok(select_set(&self.0, table, &shared)?)
    }
}

impl LiveSet {
    /// A place with a first set.
    #[must_use]
    pub fn new(set: &CompiledSet) -> Self {
        Self(RuleSetHandle::new(set.0.clone()))
    }

    /// The set that counts now. It stays as it is for as long as it is held.
    #[must_use]
    pub fn current(&self) -> CompiledSet {
        CompiledSet(self.0.load())
    }

    /// Puts another set in its place. Whoever decides at that moment ends with the set that it began with.
    pub fn replace(&self, set: &CompiledSet) {
        self.0.swap(set.0.clone());
    }
}

fn read_event(event: &[u8]) -> Result<Json, Fault> {
    let read: Result<Json, _> = serde_json::from_slice(event);
    read.map_err(|error| {
        let message = format!("the event is no JSON: {error}");
        let mut fault = Fault::new(ErrorKind::Data, "RULES_JSON", message);
        (fault.place.line, fault.place.column) = (error.line(), error.column());
        fault
    })
}

fn rule_json(rule: &RuleTrace) -> Json {
    let mode = match rule.mode {
        Mode::Enforce => "enforce",
        Mode::Shadow => "shadow",
        Mode::Off => "off",
    };
    let clause = |clause: &comptoir::rules::rule_set::ClauseTrace| {
        let values = clause.values.iter().filter(|(_, value)| !matches!(value, Value::Absent));
        let values: serde_json::Map<_, _> =
            values.map(|(name, value)| (name.to_string(), value.to_json())).collect();
        let (truth, fault) = verdict(&clause.verdict);
        json!({"alternative": clause.alternative, "text": clause.text, "truth": truth, "fault": fault, "values": values})
    };
    let (truth, fault) = verdict(&rule.verdict);
    let clauses: Vec<Json> = rule.clauses.iter().map(clause).collect();
    json!({"rule": &*rule.id, "mode": mode, "truth": truth, "fault": fault, "clauses": clauses})
}

fn verdict(verdict: &Verdict) -> (Option<bool>, Option<String>) {
    match verdict {
        Verdict::True => (Some(true), None),
        Verdict::False => (Some(false), None),
        Verdict::Fault(fault) => (None, Some(fault.to_string())),
    }
}
