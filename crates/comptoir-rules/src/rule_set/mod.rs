//! Many rules as one thing: read from YAML or JSON, compiled once, decided for one event after the other, swapped while
//! others decide.
//!
//! ```
//! use comptoir_rules::rule_set::{RuleSet, RuleSetSpec};
//!
//! let spec = RuleSetSpec::from_yaml(r#"
//! name: order guard
//! version: 7
//! environment:
//!   types: {Line: {price: decimal, floor: decimal, qty: int}}
//!   variables: {line: Line}
//! variables:
//!   - {name: share, expression: "line.floor * decimal('0.9')"}
//! outputs: {action: string}
//! rules:
//!   - {id: zero, when: "line.price == decimal('0')", outputs: {action: review}}
//!   - {id: below-floor, when: "line.price < variables.share && line.qty > 0", outputs: {action: block}}
//! "#)?;
//! let set = RuleSet::build(spec)?;
//! let event = serde_json::json!({"line": {"price": "8.99", "floor": "10.00", "qty": 1}});
//! let decision = set.decide_json(&event);
//! assert_eq!(decision.fired().collect::<Vec<_>>(), ["below-floor"]);
//! assert_eq!(decision.version(), "7");
//! let why = set.why_not("zero", &set.json_event(&event)).unwrap();
//! assert_eq!(why.to_string(), "`zero` did not fire: `line.price == decimal(\"0\")` is false (line.price = 8.99)");
//! # Ok::<(), comptoir_rules::RuleSetError>(())
//! ```

#[cfg(feature = "arrow")]
mod arrow;
mod batch;
mod block;
mod build;
mod clause;
mod decide;
mod diff;
mod error;
mod explain;
mod frame;
mod handle;
mod index;
mod ones;
mod plan;
mod policy;
mod reader;
mod share;
mod slots;
mod spec;
mod table;
#[cfg(test)]
mod tests;
mod threads;
mod variables;
mod vocabulary;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

#[cfg(feature = "arrow")]
pub use arrow::{Decisions, Selected, TableFault};
pub use decide::{Decision, OutputRef};
pub use diff::{Diff, OutputChange, RuleChange, Sample};
pub use error::RuleSetError;
pub use explain::{ClauseTrace, Reason, RuleTrace, Trace, Verdict, WhyNot};
pub use handle::RuleSetHandle;
pub use spec::{
    CelSpec, EnvironmentSpec, HitPolicy, Mode, OutputSpec, RolloutSpec, RuleSetSpec, RuleSpec, VariableSpec,
};
pub use table::{Check, Finding, RowRef, TableChecks, TableReport, TableSpec};

use crate::host::{Activation, slots_from_json};
use crate::ir::Slot;
use crate::types::Env;
use crate::value::Value;
use index::Index;
use plan::Plan;

/// A compiled rule set. It never changes: any number of threads may decide with it at once.
#[derive(Debug)]
pub struct RuleSet {
    /// The spec without its rules.
    head: RuleSetSpec,
    /// All rules in the order of the file, those of tables after the others.
    rules: Vec<Rule>,
    /// The places of rules by id.
    numbers: HashMap<Box<str>, u32>,
    /// For each rule of the plan its place in `rules`.
    order: Vec<u32>,
    /// For each rule of the plan.
    is_shadow: Vec<bool>,
    has_shadow: bool,
    /// Whether any output is an expression.
    has_computed: bool,
    names: Vec<Arc<str>>,
    outputs: Vec<Box<[Output]>>,
    plan: Plan,
    index: Index,
    env: Env,
    hash: String,
    strategy: Strategy,
}

/// What is kept of a rule beside its compiled form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub id: Box<str>,
    /// Its condition.
    pub when: Box<str>,
    /// Words to find it by.
    pub tags: Box<[String]>,
    /// The first moment at which it applies.
    pub valid_from: Option<Box<str>>,
    /// The first moment at which it no longer applies.
    pub valid_until: Option<Box<str>>,
    /// Its priority.
    pub priority: i64,
    /// The units for which it counts.
    pub rollout: Option<Box<RolloutSpec>>,
    /// Whether it counts.
    pub mode: Mode,
}

impl From<RuleSpec> for Rule {
    fn from(spec: RuleSpec) -> Self {
        Self {
            id: spec.id.into(),
            when: spec.when.into(),
            tags: spec.tags.into(),
            valid_from: spec.valid_from.map(Into::into),
            valid_until: spec.valid_until.map(Into::into),
            priority: spec.priority,
            rollout: spec.rollout,
            mode: spec.mode,
        }
    }
}

#[derive(Debug)]
struct Output {
    /// Its place in `RuleSet::names`.
    name: u32,
    value: OutputValue,
}

#[derive(Debug)]
enum OutputValue {
    Literal(Value<'static>),
    Computed(u32),
}

/// How the rules that fire are found. The decision is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// By the index.
    Index,
    /// By looking at every rule.
    Scan,
}

/// Bytes of memory that a set takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Clauses and compiled expressions.
    pub clauses: usize,
    /// The index.
    pub index: usize,
    /// Ids, sources and outputs.
    pub texts: usize,
}

impl RuleSet {
    /// The same set, deciding in another way.
    #[must_use]
    pub const fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// What the set is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// The author's label.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.head.version
    }

    /// A hash of the content: equal for equal sets, whether they came from YAML or from JSON.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Which rules count.
    #[must_use]
    pub const fn hit_policy(&self) -> HitPolicy {
        self.head.hit_policy
    }

    /// All rules in the order of the file, those of tables after the others.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The inputs that an event has to give, in the order of [`RuleSet::decide_slots`].
    #[must_use]
    pub fn inputs(&self) -> &[Slot] {
        &self.plan.inputs
    }

    /// The names of all outputs.
    pub fn output_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The environment with the set's variables.
    #[must_use]
    pub const fn env(&self) -> &Env {
        &self.env
    }

    /// An event from a JSON object whose fields are the variables of the environment.
    #[must_use]
    pub const fn json_event<'e>(&'e self, json: &'e Json) -> JsonEvent<'e> {
        JsonEvent { json, env: &self.env }
    }

    /// The values of [`RuleSet::inputs`] from a JSON object.
    #[must_use]
    pub fn inputs_from_json<'e>(&self, json: &'e Json) -> Vec<Value<'e>> {
        slots_from_json(&self.plan.inputs, &self.env, json)
    }

    /// Bytes of memory, without what the allocator adds.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let texts = |rule: &Rule| size_of::<Rule>() + 2 * rule.id.len() + rule.when.len() + 32;
        let outputs: usize = self.outputs.iter().map(|list| 16 + list.len() * size_of::<Output>()).sum();
        Memory {
            clauses: self.plan.bytes(),
            index: self.index.bytes(),
            texts: self.rules.iter().map(texts).sum::<usize>() + outputs,
        }
    }

    fn rule_of(&self, number: u32) -> Option<&Rule> {
        self.rules.get(*self.order.get(number as usize)? as usize)
    }

    fn id_of(&self, number: u32) -> &str {
        self.rule_of(number).map_or("", |rule| &rule.id)
    }
}

/// A JSON object as an event.
#[derive(Debug, Clone, Copy)]
pub struct JsonEvent<'e> {
    json: &'e Json,
    env: &'e Env,
}

impl Activation for JsonEvent<'_> {
    fn slot<'s>(&'s self, _: usize, slot: &Slot) -> Value<'s> {
        slots_from_json(std::slice::from_ref(slot), self.env, self.json).pop().unwrap_or(Value::Absent)
    }
}
