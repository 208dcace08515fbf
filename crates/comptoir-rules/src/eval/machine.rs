use std::cell::OnceCell;

use super::pattern::Patterns;
use super::quick::Quick;
use super::scope::{Place, Scope};
use super::{Meter, binary};
use crate::host::Activation;
use crate::ir::{Node, NodeId, NodeKind, Slot};
use crate::syntax::{Access, Span};
use crate::types::{Implementation, Overload};
use crate::value::{EvalCode, Fault, Outcome, Value};

/// One evaluation: a program, an input, a meter.
pub(crate) struct Machine<'a> {
    pub(super) nodes: &'a [Node],
    inputs: Inputs<'a>,
    /// The inputs that can be read in place: none where the host gives them or a part of them is unknown.
    pub(super) at_hand: &'a [Value<'a>],
    /// Short ways by node; none while constants are folded.
    pub(super) quick: &'a [Option<Quick>],
    pub(crate) meter: Meter,
    pub(super) patterns: Option<Patterns<'a>>,
}

/// Where the values of slots come from.
#[derive(Clone, Copy)]
pub(crate) enum Inputs<'a> {
    /// The values, and what they are.
    Slots(&'a [Value<'a>], &'a [Slot]),
    Host(&'a dyn Activation, &'a [Slot]),
}

/// The scope around a node.
pub(super) type Around<'s, 'a> = Option<&'s Scope<'s, 'a>>;

impl<'a> Machine<'a> {
    pub(crate) const fn new(
        nodes: &'a [Node],
        quick: &'a [Option<Quick>],
        inputs: Inputs<'a>,
        budget: u64,
    ) -> Self {
        let at_hand = match inputs {
            Inputs::Slots(values, _) => values,
            Inputs::Host(..) => &[],
        };
        Self { nodes, inputs, at_hand, quick, meter: Meter::new(budget), patterns: None }
    }

    pub(crate) fn with_patterns(mut self, patterns: Patterns<'a>) -> Self {
        self.patterns = Some(patterns);
        self.at_hand = &[];
        self
    }

    /// The value of a node and all under it.
    pub(crate) fn run(&self, root: NodeId) -> Outcome<'a> {
        self.charge_leaf(root);
        let outcome = self.eval(root, None);
        self.meter.check()?;
        if let Ok(value @ (Value::List(_) | Value::Map(_) | Value::Optional(_) | Value::Struct(_))) = &outcome
            && !super::equality::is_within(value, &mut self.meter.limit())
        {
            return Err(self.meter.exhausted());
        }
        outcome
    }

    /// The truth of a node and all under it.
    pub(crate) fn run_truth(&self, root: NodeId) -> Result<bool, Fault> {
        self.charge_leaf(root);
        let truth = self.truth(root, None);
        self.meter.check()?;
        truth
    }

    /// A leaf is paid for by what is above it; here there is nothing.
    fn charge_leaf(&self, root: NodeId) {
        let node = self.node(root);
        if crate::ir::is_leaf(&node.kind, self.nodes) {
            self.meter.charge(node.charge);
        }
    }

    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> &'a Node {
        static MISSING: Node = Node {
            kind: NodeKind::Const(Value::Null),
            ty: crate::types::Type::Dyn,
            span: Span { start: 0, end: 0 },
            expr: crate::syntax::ExprId(0),
            charge: 0,
        };
        // Numbers in a program refer to its own nodes.
        self.nodes.get(id.index()).unwrap_or(&MISSING)
    }

    /// The value of a node.
    pub(super) fn eval(&self, id: NodeId, around: Around<'_, 'a>) -> Outcome<'a> {
        let node = self.node(id);
        match &node.kind {
            NodeKind::Const(value) => Ok(value.borrowed()),
            NodeKind::Slot(index) => {
                if self.patterns.is_some() {
                    self.check_known(id, around)?;
                }
                self.slot(*index).map_err(|fault| fault.at(node.span))
            }
            NodeKind::Local { up, index } => self.local(*up, *index, around),
            NodeKind::Field { operand, name, place, access } => {
                self.field(id, node, *operand, name, place.as_ref(), *access, around)
            }
            NodeKind::And(_)
            | NodeKind::Or(_)
            | NodeKind::Not(_)
            | NodeKind::InSet { .. }
            | NodeKind::Matches { .. }
            | NodeKind::HasSlot(_)
            | NodeKind::HasField { .. } => self.truth(id, around).map(Value::Bool),
            NodeKind::Binary { op, left, right } => {
                if super::logic::is_relation(*op) {
                    return self.truth(id, around).map(Value::Bool);
                }
                self.meter.charge(node.charge);
                let (left, right) = self.pair(*left, *right, around)?;
                binary(*op, &left, &right, &self.meter).map_err(|fault| fault.at(node.span))
            }
            NodeKind::Conditional { condition, then, otherwise } => {
                self.meter.charge(node.charge);
                let branch = if self.truth(*condition, around)? { then } else { otherwise };
                self.eval(*branch, around)
            }
            _ => self.eval_rare(id, node, around),
        }
    }

    /// The kinds of nodes that work more than they are dispatched.
    fn eval_rare(&self, id: NodeId, node: &'a Node, around: Around<'_, 'a>) -> Outcome<'a> {
        self.meter.charge(node.charge);
        match &node.kind {
            NodeKind::Index { operand, index, access } => {
                self.index(id, node, *operand, *index, *access, around)
            }
            NodeKind::Negate(operand) => {
                let value = self.eval(*operand, around)?;
                super::arithmetic::negate(&value).map_err(|fault| fault.at(node.span))
            }
            NodeKind::Call { function, overloads, args } => {
                self.call(function, overloads, args, around).map_err(|fault| fault.at(node.span))
            }
            NodeKind::List(elements) => self.list(elements, around),
            NodeKind::Map(entries) => self.map(entries, around).map_err(|fault| fault.at(node.span)),
            NodeKind::Message(message) => self.message(message, around).map_err(|fault| fault.at(node.span)),
            NodeKind::Fold(fold) => self.fold(fold, node.span, around),
            NodeKind::Block { bindings, body } => {
                let cells: Box<[OnceCell<Outcome<'a>>]> = bindings.iter().map(|_| OnceCell::new()).collect();
                self.eval(*body, Some(&Scope::lazy(around, &cells, bindings)))
            }
            NodeKind::OptionalMap { target, body, flatness } => {
                self.optional_map(*target, *body, *flatness, around).map_err(|fault| fault.at(node.span))
            }
            NodeKind::OptionalOr { operand, alternative, flatness } => self
                .optional_or(*operand, *alternative, *flatness, around)
                .map_err(|fault| fault.at(node.span)),
            NodeKind::Fail(error) => Err(Fault::Error(Box::new((**error).clone())).at(node.span)),
            _ => Err(Fault::error(EvalCode::NoSuchOverload, "internal: a node without an evaluation")),
        }
    }

    /// Two operands; what both lack is merged.
    pub(super) fn pair(
        &self,
        left: NodeId,
        right: NodeId,
        around: Around<'_, 'a>,
    ) -> Result<(Value<'a>, Value<'a>), Fault> {
        match (self.eval(left, around), self.eval(right, around)) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (Err(left), Err(right)) => Err(left.and(right)),
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
        }
    }

    /// The value of a leaf without copying it, where it is at hand and a value.
    #[inline]
    pub(super) fn peek<'p>(&'p self, id: NodeId, around: Around<'p, 'a>) -> Option<&'p Value<'a>> {
        match &self.node(id).kind {
            NodeKind::Const(value) => Some(value),
            NodeKind::Slot(index) => self.at_hand.get(*index as usize),
            NodeKind::Local { up, index } => match around?.place(*up, *index) {
                Place::Value(value) => Some(value),
                _ => None,
            },
            NodeKind::Field { operand, place: Some((of, index)), access: Access::Plain, .. } => {
                match self.peek(*operand, around)? {
                    Value::Struct(value) => value.peek(of, *index as usize),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The value of an input.
    fn slot(&self, index: u32) -> Outcome<'a> {
        let index = index as usize;
        let (slot, value) = match self.inputs {
            Inputs::Slots(values, slots) => (slots.get(index), values.get(index).map(Value::borrowed)),
            Inputs::Host(host, slots) => {
                (slots.get(index), slots.get(index).map(|slot| host.slot(index, slot)))
            }
        };
        value.unwrap_or(Value::Absent).settled(slot.map_or("an input", |slot| &slot.name))
    }

    /// Whether an input is there: not absent, and as a field of a struct not null.
    pub(super) fn has_slot(&self, index: u32) -> Result<bool, Fault> {
        let value = match self.inputs {
            Inputs::Slots(values, _) => values.get(index as usize).map_or(Value::Absent, Value::borrowed),
            Inputs::Host(host, slots) => {
                slots.get(index as usize).map_or(Value::Absent, |slot| host.slot(index as usize, slot))
            }
        };
        match value {
            Value::Absent | Value::Null => Ok(false),
            Value::Error(error) if is_missing(error.code) => Ok(false),
            other => other.settled("").map(|_| true),
        }
    }

    fn local(&self, up: u16, index: u16, around: Around<'_, 'a>) -> Outcome<'a> {
        match around.map_or(Place::Missing, |scope| scope.place(up, index)) {
            Place::Value(value) => value.clone().settled("a macro's variable"),
            Place::Lazy(cell, binding, scope) => match cell.get() {
                Some(outcome) => outcome.clone(),
                None => {
                    self.meter.charge(1);
                    let outcome = self.eval(binding, Some(scope));
                    cell.get_or_init(|| outcome).clone()
                }
            },
            Place::Missing => Err(Fault::error(EvalCode::UnknownName, "internal: a local without a scope")),
        }
    }

    fn call(
        &self,
        function: &str,
        overloads: &[std::sync::Arc<Overload>],
        args: &[NodeId],
        around: Around<'_, 'a>,
    ) -> Outcome<'a> {
        let eval = |id: &NodeId| self.eval(*id, around);
        match args {
            [one] => self.apply(function, overloads, &[eval(one)?]),
            [one, two] => {
                let (one, two) = self.pair(*one, *two, around)?;
                self.apply(function, overloads, &[one, two])
            }
            many => {
                let mut values = Vec::with_capacity(many.len());
                let mut fault: Option<Fault> = None;
                for outcome in many.iter().map(eval) {
                    match outcome {
                        Ok(value) => values.push(value),
                        Err(other) => {
                            fault = Some(match fault {
                                None => other,
                                Some(before) => before.and(other),
                            });
                        }
                    }
                }
                match fault {
                    Some(fault) => Err(fault),
                    None => self.apply(function, overloads, &values),
                }
            }
        }
    }

    /// Calls the overload that takes the arguments.
    pub(crate) fn apply(
        &self,
        function: &str,
        overloads: &[std::sync::Arc<Overload>],
        args: &[Value<'a>],
    ) -> Outcome<'a> {
        let Some(overload) = overloads.iter().find(|overload| overload.takes(args)) else {
            return Err(no_overload(function, args));
        };
        if let Some(patterns) = &self.patterns
            && !overload.is_library()
            && let Some(unknown) = patterns.call(function)
        {
            return Err(unknown);
        }
        self.charge_call(overload, args)?;
        match &overload.implementation {
            Implementation::Builtin(builtin) => builtin(args, &self.meter),
            Implementation::Host(host) => host.call(args).map_err(|error| Fault::Error(Box::new(error))),
            Implementation::None => Err(Fault::error(
                EvalCode::UnknownName,
                format!("function `{function}` has no implementation"),
            )),
        }
    }

    fn charge_call(&self, overload: &Overload, args: &[Value<'a>]) -> Result<(), Fault> {
        use crate::types::CostRule;
        match overload.cost {
            CostRule::Constant => Ok(()),
            CostRule::Fixed(units) => self.meter.spend(units),
            CostRule::Linear => args.iter().try_for_each(|arg| self.meter.spend_deep(arg)),
            CostRule::Regex => match args {
                [Value::String(text), Value::String(pattern), ..] => {
                    self.meter.spend(regex_cost(text.len(), pattern.len()))
                }
                _ => Ok(()),
            },
        }
    }
}

/// Units of matching a text with a pattern.
pub(crate) fn regex_cost(text: usize, pattern: usize) -> u64 {
    let (text, pattern) = (text as u64 / 10 + 1, pattern as u64 / 4 + 1);
    text.saturating_mul(pattern)
}

fn is_missing(code: EvalCode) -> bool {
    matches!(code, EvalCode::NoSuchField | EvalCode::NoSuchKey)
}

/// The error of a call that no overload takes.
#[cold]
pub(crate) fn no_overload(function: &str, args: &[Value<'_>]) -> Fault {
    let types: Vec<String> = args.iter().map(|arg| arg.type_name().into_owned()).collect();
    Fault::error(
        EvalCode::NoSuchOverload,
        format!("no such overload: `{function}` does not take ({})", types.join(", ")),
    )
}
