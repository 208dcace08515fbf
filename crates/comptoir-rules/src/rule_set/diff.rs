use std::collections::{BTreeMap, BTreeSet, HashSet};

use comptoir_types::WideDecimal;
use serde_json::Value as Json;

use super::build::expect;
use super::error::RuleSetError;
use super::{Decision, RuleSet};
use crate::host::Activation;
use crate::program::Program;
use crate::types::Type;
use crate::value::{DecimalValue, Value};

/// What would change if one set took the place of another, over recorded events.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// Version and hash of the set before and of the set after.
    pub sets: [(String, String); 2],
    /// Events that were decided.
    pub events: usize,
    /// Events whose outputs or rules differ.
    pub changed: usize,
    /// The amount of those events, where one was chosen: the money at risk.
    pub amount: Option<WideDecimal>,
    /// Events whose amount is not known: absent, or of another type.
    pub without_amount: usize,
    /// For each rule that fires more or less.
    pub rules: BTreeMap<String, RuleChange>,
    /// For each output whose value differs.
    pub outputs: BTreeMap<String, OutputChange>,
}

/// How a rule's firing differs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleChange {
    /// Events for which it fires only in the new set.
    pub gained: usize,
    /// Events for which it fires only in the old set.
    pub lost: usize,
    /// The amount of both.
    pub amount: Option<WideDecimal>,
    /// The places of the first such events.
    pub samples: Vec<usize>,
}

/// How an output differs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutputChange {
    /// Events with another value.
    pub changed: usize,
    /// The amount of these.
    pub amount: Option<WideDecimal>,
    /// The first of them.
    pub samples: Vec<Sample>,
}

/// An output before and after; `null` where it is not given.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The place of the event.
    pub event: usize,
    /// The values before.
    pub before: Json,
    /// The values after.
    pub after: Json,
}

/// Samples that are kept of each change.
const SAMPLES: usize = 5;

impl RuleSet {
    /// Decides recorded events with both sets and compares. `amount` is an expression of type decimal, int or uint
    /// against the environment of this set, such as `order.pay`.
    ///
    /// # Errors
    /// An amount that does not compile or is of another type, or a total beyond 38 digits.
    pub fn diff<E: Activation>(
        &self,
        new: &RuleSet,
        events: &[E],
        amount: Option<&str>,
    ) -> Result<Diff, RuleSetError> {
        let amount = amount.map(|source| self.amount(source)).transpose()?;
        let mut diff = Diff::new(self, new, events.len(), amount.is_some());
        for (place, event) in events.iter().enumerate() {
            let worth = amount.as_ref().and_then(|program| evaluate(program, event));
            diff.add(place, worth, &self.decide(event), &new.decide(event))?;
        }
        Ok(diff)
    }

    /// The program of an amount.
    pub(super) fn amount(&self, source: &str) -> Result<Program, RuleSetError> {
        let program = self.env.compile(source).map_err(|error| RuleSetError::expression("amount", error))?;
        match program.result_type().without_null() {
            Type::Int | Type::Uint => {}
            other => expect(&Type::Decimal, other, || "amount".into())?,
        }
        Ok(program)
    }
}

fn evaluate(program: &Program, event: &dyn Activation) -> Option<WideDecimal> {
    DecimalValue::of(&program.eval(event).ok()?).map(DecimalValue::wide)
}

fn add(total: &mut Option<WideDecimal>, amount: Option<WideDecimal>) -> Result<(), RuleSetError> {
    let Some(amount) = amount else { return Ok(()) };
    let sum = total
        .unwrap_or(WideDecimal::ZERO)
        .checked_add(amount)
        .map_err(|error| RuleSetError::invalid("amount", format!("the total does not fit: {error}")))?;
    *total = Some(sum);
    Ok(())
}

impl Diff {
    pub(super) fn new(old: &RuleSet, new: &RuleSet, events: usize, has_amount: bool) -> Self {
        let label = |set: &RuleSet| (set.version().to_owned(), set.hash().to_owned());
        Self {
            sets: [label(old), label(new)],
            events,
            changed: 0,
            amount: has_amount.then_some(WideDecimal::ZERO),
            without_amount: 0,
            rules: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// Compares the decisions on an event.
    pub(super) fn add(
        &mut self,
        event: usize,
        worth: Option<WideDecimal>,
        old: &Decision<'_>,
        new: &Decision<'_>,
    ) -> Result<(), RuleSetError> {
        let has_other_rules = self.add_rules(event, worth, old, new)?;
        let has_other_outputs = self.add_outputs(event, worth, old, new)?;
        if has_other_rules || has_other_outputs {
            self.changed += 1;
            self.without_amount += usize::from(self.amount.is_some() && worth.is_none());
            add(&mut self.amount, worth)?;
        }
        Ok(())
    }

    fn add_rules(
        &mut self,
        event: usize,
        worth: Option<WideDecimal>,
        old: &Decision<'_>,
        new: &Decision<'_>,
    ) -> Result<bool, RuleSetError> {
        let (before, after): (Vec<&str>, Vec<&str>) = (old.fired().collect(), new.fired().collect());
        if before == after {
            return Ok(false);
        }
        let mut is_changed = false;
        for (ids, others, is_gain) in [(&before, &after, false), (&after, &before, true)] {
            let others: HashSet<&str> = others.iter().copied().collect();
            for id in ids.iter().filter(|id| !others.contains(**id)) {
                is_changed = true;
                let rule = self.rules.entry((*id).to_owned()).or_default();
                *(if is_gain { &mut rule.gained } else { &mut rule.lost }) += 1;
                add(&mut rule.amount, worth)?;
                if rule.samples.len() < SAMPLES {
                    rule.samples.push(event);
                }
            }
        }
        Ok(is_changed)
    }

    fn add_outputs(
        &mut self,
        event: usize,
        worth: Option<WideDecimal>,
        old: &Decision<'_>,
        new: &Decision<'_>,
    ) -> Result<bool, RuleSetError> {
        let (before, after) = (values(old), values(new));
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        let mut is_changed = false;
        for name in names {
            let (one, two) = (before.get(name), after.get(name));
            if same(one, two) {
                continue;
            }
            is_changed = true;
            let output = self.outputs.entry(name.to_owned()).or_default();
            output.changed += 1;
            add(&mut output.amount, worth)?;
            if output.samples.len() < SAMPLES {
                output.samples.push(Sample { event, before: json(one), after: json(two) });
            }
        }
        Ok(is_changed)
    }
}

type Values<'d> = Vec<&'d Value<'static>>;

fn values<'d>(decision: &'d Decision<'_>) -> BTreeMap<&'d str, Values<'d>> {
    let mut all: BTreeMap<&str, Values<'_>> = BTreeMap::new();
    for output in decision.outputs() {
        all.entry(output.name).or_default().push(output.value);
    }
    all
}

fn same(one: Option<&Values<'_>>, two: Option<&Values<'_>>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(left, right)| left.equals(right))
        }
        _ => false,
    }
}

/// One value as it is, several as a list.
fn json(values: Option<&Values<'_>>) -> Json {
    match values.map(Vec::as_slice) {
        None => Json::Null,
        Some([one]) => one.to_json(),
        Some(many) => Json::Array(many.iter().map(|value| value.to_json()).collect()),
    }
}
