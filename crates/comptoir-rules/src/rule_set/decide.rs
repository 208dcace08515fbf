use std::borrow::BorrowMut;
use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::block::Found;
use super::clause::number;
use super::frame::{Frame, Truth};
use super::ones::{collect_ones, set};
use super::spec::HitPolicy;
use super::{Output, OutputValue, RuleSet, Strategy};
use crate::host::Activation;
use crate::value::{Fault, Value};

/// What a set says about an event.
#[derive(Debug, Clone)]
pub struct Decision<'s> {
    set: &'s RuleSet,
    pub(super) fired: Vec<u32>,
    pub(super) shadow: Vec<u32>,
    pub(super) faults: Vec<(u32, Fault)>,
    computed: HashMap<(u32, u32), Value<'static>>,
}

/// An output of a rule that fired.
#[derive(Debug, Clone, Copy)]
pub struct OutputRef<'d> {
    /// The rule.
    pub rule: &'d str,
    /// The output.
    pub name: &'d str,
    /// Its value.
    pub value: &'d Value<'static>,
}

impl RuleSet {
    /// The decision on an event given by a host.
    #[must_use]
    pub fn decide(&self, event: &dyn Activation) -> Decision<'_> {
        self.decide_frame(&mut self.frame(event))
    }

    /// The decision on an event by the values of [`RuleSet::inputs`], in their order: the fastest way.
    #[must_use]
    pub fn decide_slots(&self, inputs: &[Value<'_>]) -> Decision<'_> {
        self.decide_frame(&mut Frame::new(&self.plan, inputs.iter().map(Value::borrowed)))
    }

    /// The decision on an event in JSON: an object whose fields are the variables.
    #[must_use]
    pub fn decide_json(&self, event: &Json) -> Decision<'_> {
        self.decide_slots(&self.inputs_from_json(event))
    }

    pub(super) fn frame<'e>(&self, event: &'e dyn Activation) -> Frame<'_, 'e> {
        let inputs = self.plan.inputs.iter().enumerate().map(|(index, slot)| event.slot(index, slot));
        Frame::new(&self.plan, inputs)
    }

    fn decide_frame<'s>(&'s self, frame: &mut Frame<'s, '_>) -> Decision<'s> {
        let Found { certain: mut fired, mut possible, has_copies, is_mixed } = match self.strategy {
            Strategy::Index => self.index.search(frame),
            Strategy::Scan => {
                Found { possible: (0..number(self.plan.rules())).collect(), ..Found::default() }
            }
        };
        sort(&mut possible, self.plan.rules());
        possible.dedup();
        let mut faults = Vec::new();
        let certain = fired.len();
        for rule in possible {
            match frame.rule(rule) {
                Truth::True => fired.push(rule),
                Truth::Fault => faults.push((rule, frame.fault(rule))),
                Truth::False => {}
            }
        }
        if is_mixed || (0 < certain && certain < fired.len()) {
            sort(&mut fired, self.plan.rules());
        }
        if has_copies {
            fired.dedup();
        }
        self.settle(fired, faults, || frame)
    }

    /// The decision where these rules are true, in order, and these have no truth.
    pub(super) fn settle<'s, 'e, F: BorrowMut<Frame<'s, 'e>>>(
        &'s self,
        mut fired: Vec<u32>,
        mut faults: Vec<(u32, Fault)>,
        frame: impl FnOnce() -> F,
    ) -> Decision<'s> {
        let mut shadow = Vec::new();
        if self.has_shadow {
            (shadow, fired) = fired.into_iter().partition(|rule| self.is_shadow(*rule));
        }
        if self.hit_policy().is_single()
            && let Some(winner) = fired.first().copied()
        {
            fired.truncate(1);
            // Faults of rules behind the one that counts do not matter.
            faults.retain(|(rule, _)| *rule < winner || self.is_shadow(*rule));
        }
        let mut decision = Decision { set: self, fired, shadow, faults, computed: HashMap::new() };
        if self.has_computed && (!decision.fired.is_empty() || !decision.shadow.is_empty()) {
            decision.compute(frame().borrow_mut());
        }
        decision
    }

    fn is_shadow(&self, rule: u32) -> bool {
        self.is_shadow.get(rule as usize).copied().unwrap_or(false)
    }

    fn outputs_of(&self, rule: u32) -> &[Output] {
        let place = self.order.get(rule as usize);
        place.and_then(|place| self.outputs.get(*place as usize)).map_or(&[], |list| list)
    }
}

/// Sorts rules: many of them by marking each in a map of all, which also finds copies.
fn sort(list: &mut Vec<u32>, rules: usize) {
    if list.is_sorted() {
        return;
    }
    if list.len() * 16 < rules {
        list.sort_unstable();
        return;
    }
    let mut marks = vec![0; rules.div_ceil(64)];
    list.iter().for_each(|rule| set(&mut marks, *rule));
    list.clear();
    collect_ones(&marks, 0, list);
}

impl<'s> Decision<'s> {
    fn compute(&mut self, frame: &mut Frame<'s, '_>) {
        for rule in self.fired.iter().chain(&self.shadow) {
            for (place, output) in (0..).zip(self.set.outputs_of(*rule)) {
                let OutputValue::Computed(general) = output.value else { continue };
                match frame.value(general) {
                    Ok(value) => {
                        self.computed.insert((*rule, place), value);
                    }
                    Err(fault) => self.faults.push((*rule, fault)),
                }
            }
        }
    }

    /// The label of the set that decided.
    #[must_use]
    pub fn version(&self) -> &'s str {
        self.set.version()
    }

    /// The content hash of the set that decided.
    #[must_use]
    pub fn hash(&self) -> &'s str {
        self.set.hash()
    }

    /// The ids of the rules that count, in the order in which they count.
    pub fn fired(&self) -> impl ExactSizeIterator<Item = &'s str> {
        let set = self.set;
        self.fired.iter().map(|rule| set.id_of(*rule))
    }

    /// The numbers of the rules that count: places in [`RuleSet::rules`].
    pub fn fired_rules(&self) -> impl ExactSizeIterator<Item = u32> {
        let order = &self.set.order;
        self.fired.iter().map(|rule| order.get(*rule as usize).copied().unwrap_or(u32::MAX))
    }

    /// The ids of the rules in shadow mode whose condition is true.
    pub fn shadow(&self) -> impl ExactSizeIterator<Item = &'s str> {
        let set = self.set;
        self.shadow.iter().map(|rule| set.id_of(*rule))
    }

    /// Rules without a truth, or outputs without a value, and why. They stop no other rule.
    pub fn faults(&self) -> impl ExactSizeIterator<Item = (&'s str, &Fault)> {
        let set = self.set;
        self.faults.iter().map(|(rule, fault)| (set.id_of(*rule), fault))
    }

    /// The outputs of the rules that count.
    pub fn outputs(&self) -> impl Iterator<Item = OutputRef<'_>> {
        self.fired.iter().flat_map(|rule| self.outputs_of(*rule))
    }

    /// The outputs that rules in shadow mode would give.
    pub fn shadow_outputs(&self) -> impl Iterator<Item = OutputRef<'_>> {
        self.shadow.iter().flat_map(|rule| self.outputs_of(*rule))
    }

    /// The first value of an output.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&Value<'static>> {
        self.outputs().find(|output| output.name == name).map(|output| output.value)
    }

    fn outputs_of(&self, rule: u32) -> impl Iterator<Item = OutputRef<'_>> {
        let set = self.set;
        self.values_of(rule).filter_map(move |(name, value)| {
            let name = set.names.get(name as usize)?;
            Some(OutputRef { rule: set.id_of(rule), name, value })
        })
    }

    /// The outputs of a rule by the numbers of their names.
    pub(super) fn values_of(&self, rule: u32) -> impl Iterator<Item = (u32, &Value<'static>)> {
        (0..).zip(self.set.outputs_of(rule)).filter_map(move |(place, output)| {
            let value = match &output.value {
                OutputValue::Literal(value) => value,
                OutputValue::Computed(_) => self.computed.get(&(rule, place))?,
            };
            Some((output.name, value))
        })
    }

    /// The decision as JSON: `version`, `hash`, `fired`, `outputs`, `shadow`, `faults`.
    ///
    /// Outputs are an object; under the policy `collect` each is a list; under `all` they are a list of objects with
    /// the `rule` that gave them.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let texts = |ids: &mut dyn Iterator<Item = &str>| Json::Array(ids.map(Json::from).collect());
        let faults = self.faults().map(|(rule, fault)| {
            serde_json::json!({"rule": rule, "code": code(fault), "message": fault.to_string()})
        });
        serde_json::json!({
            "version": self.version(),
            "hash": self.hash(),
            "fired": texts(&mut self.fired()),
            "outputs": self.outputs_json(&self.fired),
            "shadow": texts(&mut self.shadow()),
            "shadow_outputs": self.list_json(&self.shadow),
            "faults": faults.collect::<Vec<_>>(),
        })
    }

    fn outputs_json(&self, rules: &[u32]) -> Json {
        let mut all = Map::new();
        match self.set.hit_policy() {
            HitPolicy::All => return self.list_json(rules),
            HitPolicy::First | HitPolicy::Priority => {
                for output in self.outputs() {
                    all.insert(output.name.to_owned(), output.value.to_json());
                }
            }
            HitPolicy::Collect => {
                for output in self.outputs() {
                    let list = all.entry(output.name).or_insert_with(|| Json::Array(Vec::new()));
                    if let Json::Array(list) = list {
                        list.push(output.value.to_json());
                    }
                }
            }
        }
        Json::Object(all)
    }

    fn list_json(&self, rules: &[u32]) -> Json {
        let object = |rule: &u32| {
            let outputs: Map<String, Json> =
                self.outputs_of(*rule).map(|one| (one.name.to_owned(), one.value.to_json())).collect();
            serde_json::json!({"rule": self.set.id_of(*rule), "outputs": outputs})
        };
        Json::Array(rules.iter().map(object).collect())
    }
}

/// The stable code of a fault.
pub(super) fn code(fault: &Fault) -> &'static str {
    match fault {
        Fault::Error(error) | Fault::Exhausted(error) => error.code.name(),
        Fault::Unknown(_) => "RULES_UNKNOWN_INPUT",
    }
}
