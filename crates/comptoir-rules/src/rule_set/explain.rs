use std::fmt;
use std::sync::Arc;

use super::RuleSet;
use super::build::AT;
use super::decide::Decision;
use super::frame::Frame;
use super::share::bucket_of;
use super::spec::{Mode, RolloutSpec};
use crate::eval::{Inputs, Machine, relate};
use crate::host::Activation;
use crate::ir::{NodeId, NodeKind, Slot};
use crate::program::Program;
use crate::syntax::{BinaryOp, Written, unparse_with};
use crate::types::Type;
use crate::value::{Fault, Timestamp, Value};

/// What every rule of a set came to for one event.
#[derive(Debug, Clone)]
pub struct Trace {
    /// One for each rule, in the order of [`RuleSet::rules`].
    pub rules: Vec<RuleTrace>,
}

/// What a rule came to.
#[derive(Debug, Clone)]
pub struct RuleTrace {
    /// The rule.
    pub id: Box<str>,
    /// Its mode.
    pub mode: Mode,
    /// The condition as a whole.
    pub verdict: Verdict,
    /// Its clauses, each evaluated, also those behind a false one.
    pub clauses: Vec<ClauseTrace>,
}

/// What a clause came to.
#[derive(Debug, Clone)]
pub struct ClauseTrace {
    /// The alternative of the condition's `||` that it belongs to, from 0.
    pub alternative: usize,
    /// The clause as text.
    pub text: String,
    /// Its truth.
    pub verdict: Verdict,
    /// The inputs and variables that it reads, and their values; one that is not there is [`Value::Absent`].
    pub values: Vec<(Arc<str>, Value<'static>)>,
}

/// True, false, or why neither.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It has no truth.
    Fault(Fault),
}

/// Why a rule did not count.
#[derive(Debug, Clone)]
pub struct WhyNot {
    /// The reason.
    pub reason: Reason,
    /// The rule with all its clauses.
    pub rule: RuleTrace,
}

/// Reasons for which a rule does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It does count.
    Fired,
    /// Its mode is not `enforce`.
    Mode,
    /// Its condition is true, but this one counts before it.
    Behind(Box<str>),
    /// Its condition is false.
    False,
    /// Its condition has no truth.
    Fault,
}

impl RuleSet {
    /// What each rule came to, clause by clause. Each rule is compiled anew: this is for people, not for every event.
    #[must_use]
    pub fn trace(&self, event: &dyn Activation) -> Trace {
        let mut frame = self.frame(event);
        let places = 0..self.rules.len();
        Trace { rules: places.filter_map(|place| self.trace_rule(place, &mut frame)).collect() }
    }

    /// Why a rule does not count for an event; `None` where the set has no such rule.
    #[must_use]
    pub fn why_not(&self, id: &str, event: &dyn Activation) -> Option<WhyNot> {
        let place = *self.numbers.get(id)? as usize;
        let rule = self.trace_rule(place, &mut self.frame(event))?;
        let decision = self.decide(event);
        Some(WhyNot { reason: reason(&rule, &decision), rule })
    }

    fn trace_rule(&self, place: usize, frame: &mut Frame<'_, '_>) -> Option<RuleTrace> {
        let rule = self.rules.get(place)?;
        let mut clauses = Vec::new();
        let mut verdict = Verdict::True;
        for (bound, op, name) in [
            (&rule.valid_from, BinaryOp::GreaterEqual, "valid_from"),
            (&rule.valid_until, BinaryOp::Less, "valid_until"),
        ] {
            let Some(bound) = bound else { continue };
            let clause = validity(frame, bound, op, name);
            verdict = verdict.and(clause.verdict.clone());
            clauses.push(clause);
        }
        if !rule.when.trim().is_empty() {
            let (truth, own) = self.trace_condition(&rule.when, frame)?;
            verdict = verdict.and(truth);
            clauses.extend(own);
        }
        if let Some(rollout) = &rule.rollout {
            let clause = self.trace_rollout(&rule.id, rollout, frame)?;
            verdict = verdict.and(clause.verdict.clone());
            clauses.push(clause);
        }
        Some(RuleTrace { id: rule.id.clone(), mode: rule.mode, verdict, clauses })
    }
}

impl RuleSet {
    /// The condition as a whole, and its clauses. It was compiled when the set was built, so that it does again.
    fn trace_condition(&self, when: &str, frame: &mut Frame<'_, '_>) -> Option<(Verdict, Vec<ClauseTrace>)> {
        let program = self.env.compile(when).ok()?;
        let values = frame.values(program.slots());
        let budget = self.head.budget.unwrap_or(crate::DEFAULT_BUDGET);
        let truth = |node: NodeId| {
            let inputs = Inputs::Slots(&values, program.slots());
            Verdict::of(Machine::new(program.nodes(), &[], inputs, budget).run_truth(node))
        };
        let mut clauses = Vec::new();
        for (alternative, nodes) in split(&program).into_iter().enumerate() {
            clauses.extend(nodes.into_iter().map(|node| ClauseTrace {
                alternative,
                text: text(&program, node),
                verdict: truth(node),
                values: read(&program, node, &values),
            }));
        }
        Some((truth(program.root()), clauses))
    }

    fn trace_rollout(
        &self,
        id: &str,
        rollout: &RolloutSpec,
        frame: &mut Frame<'_, '_>,
    ) -> Option<ClauseTrace> {
        let program = self.env.compile(&rollout.unit).ok()?;
        let values = frame.values(program.slots());
        let budget = self.head.budget.unwrap_or(crate::DEFAULT_BUDGET);
        let machine = Machine::new(program.nodes(), &[], Inputs::Slots(&values, program.slots()), budget);
        let salt = rollout.salt.as_deref().unwrap_or(id);
        let bucket = machine.run(program.root()).and_then(|unit| bucket_of(salt, &unit));
        let mut values = read(&program, program.root(), &values);
        if let Ok(bucket) = bucket {
            values.push(("bucket".into(), Value::Int(bucket.into())));
        }
        Some(ClauseTrace {
            alternative: 0,
            text: format!("rollout to {} of {}", rollout.share, rollout.unit),
            verdict: Verdict::of(bucket.map(|bucket| rollout.share.holds(bucket))),
            values,
        })
    }
}

fn validity(frame: &mut Frame<'_, '_>, bound: &str, op: BinaryOp, name: &str) -> ClauseTrace {
    let slot = Slot { path: vec![AT.into()], name: AT.into(), ty: Type::Timestamp };
    let at = frame.values(&[slot]).pop().unwrap_or(Value::Absent).into_owned();
    let meter = crate::Meter::new(u64::MAX);
    let verdict = at.clone().settled("at").and_then(|at| {
        let bound: Timestamp =
            bound.parse().map_err(|_| Fault::error(crate::EvalCode::Range, "no moment"))?;
        relate(op, &at, &Value::Timestamp(bound), &meter)
    });
    ClauseTrace {
        alternative: 0,
        text: format!("{name} {bound}"),
        verdict: Verdict::of(verdict),
        values: vec![("at".into(), at)],
    }
}

/// The alternatives of a condition, each a list of clauses.
fn split(program: &Program) -> Vec<Vec<NodeId>> {
    let kind = |id: NodeId| program.nodes().get(id.index()).map(|node| &node.kind);
    let clauses = |id: NodeId| {
        let (mut stack, mut clauses) = (vec![id], Vec::new());
        while let Some(id) = stack.pop() {
            match kind(id) {
                Some(NodeKind::And(operands)) => stack.extend(operands.iter().rev()),
                _ => clauses.push(id),
            }
        }
        clauses
    };
    match kind(program.root()) {
        Some(NodeKind::Or(operands)) => operands.iter().map(|id| clauses(*id)).collect(),
        _ => vec![clauses(program.root())],
    }
}

fn text(program: &Program, node: NodeId) -> String {
    let expr = program.nodes().get(node.index()).map_or(program.ast().root(), |node| node.expr);
    unparse_with(program.ast(), expr, &mut |_| Written::Node)
}

/// The inputs under a node, with their values.
fn read(program: &Program, node: NodeId, values: &[Value<'_>]) -> Vec<(Arc<str>, Value<'static>)> {
    let mut stack = vec![node];
    let mut slots = Vec::new();
    while let Some(id) = stack.pop() {
        let Some(node) = program.nodes().get(id.index()) else { continue };
        if let NodeKind::Slot(slot) | NodeKind::HasSlot(slot) = &node.kind {
            slots.push(*slot as usize);
        }
        stack.extend(crate::ir::operands(&node.kind));
    }
    slots.sort_unstable();
    slots.dedup();
    let named = |slot: usize| {
        let value = values.get(slot).map_or(Value::Absent, |value| value.clone().into_owned());
        Some((program.slots().get(slot)?.name.clone(), value))
    };
    slots.into_iter().filter_map(named).collect()
}

fn reason(rule: &RuleTrace, decision: &Decision<'_>) -> Reason {
    if decision.fired().any(|id| *id == *rule.id) {
        return Reason::Fired;
    }
    match (&rule.verdict, decision.fired().next()) {
        (Verdict::False, _) => Reason::False,
        (Verdict::Fault(_), _) => Reason::Fault,
        (Verdict::True, _) if rule.mode != Mode::Enforce => Reason::Mode,
        (Verdict::True, first) => Reason::Behind(first.unwrap_or_default().into()),
    }
}

impl Verdict {
    fn of(truth: Result<bool, Fault>) -> Self {
        match truth {
            Ok(true) => Self::True,
            Ok(false) => Self::False,
            Err(fault) => Self::Fault(fault),
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (fault @ Self::Fault(_), _) | (_, fault @ Self::Fault(_)) => fault,
            (Self::True, Self::True) => Self::True,
        }
    }

    /// Whether it holds.
    #[must_use]
    pub const fn is_true(&self) -> bool {
        matches!(self, Self::True)
    }
}

impl RuleTrace {
    /// The clauses that are false or have no truth.
    pub fn blocking(&self) -> impl Iterator<Item = &ClauseTrace> {
        self.clauses.iter().filter(|clause| !clause.verdict.is_true())
    }
}

/// `clause` is false (input = value)
impl fmt::Display for ClauseTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` ", self.text)?;
        match &self.verdict {
            Verdict::True => formatter.write_str("is true")?,
            Verdict::False => formatter.write_str("is false")?,
            Verdict::Fault(fault) => write!(formatter, "has no truth: {fault}")?,
        }
        let values: Vec<String> =
            self.values.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
        if values.is_empty() { Ok(()) } else { write!(formatter, " ({})", values.join(", ")) }
    }
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Absent => "absent".into(),
        Value::Decimal(value) => value.to_string(),
        Value::Timestamp(value) => value.to_string(),
        Value::Duration(value) => value.to_string(),
        other => other.display(),
    }
}

/// In one line: why the rule did not count.
impl fmt::Display for WhyNot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.rule.id;
        match &self.reason {
            Reason::Fired => return write!(formatter, "`{id}` fired"),
            Reason::Mode => return write!(formatter, "`{id}` is true, but not enforced"),
            Reason::Behind(other) => {
                return write!(formatter, "`{id}` is true, but `{other}` counts before it");
            }
            Reason::False | Reason::Fault => write!(formatter, "`{id}` did not fire: ")?,
        }
        let clauses: Vec<String> = self.rule.blocking().map(ToString::to_string).collect();
        formatter.write_str(&clauses.join("; "))
    }
}
