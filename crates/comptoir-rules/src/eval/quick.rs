//! Short ways for the clauses that most rules are made of: a leaf compared with a constant, looked up in a set of
//! literals, or tested as text, and comparisons of sums and products of doubles. What a short way does not cover (an
//! input that is absent, unknown or of another type) goes the long way, with the same result and the same cost.

use std::sync::Arc;

use super::logic::holds;
use super::machine::{Around, Machine};
use super::scope::Place;
use crate::ir::{LiteralSet, Node, NodeId, NodeKind};
use crate::syntax::{Access, BinaryOp};
use crate::types::StructType;
use crate::value::Value;

/// The short way of a node, if it has one.
#[derive(Debug)]
pub(crate) struct Quick {
    kind: QuickKind,
    charge: u32,
}

#[derive(Debug)]
enum QuickKind {
    None,
    Int(BinaryOp, Source, i64),
    Double(BinaryOp, Source, f64),
    Doubles(BinaryOp, Number, Number),
    Text(TextTest, Source, Arc<str>),
    InSet(Source, Arc<LiteralSet>),
}

/// Where a value stands.
#[derive(Debug)]
enum Source {
    Slot(u32),
    Local { up: u16, index: u16 },
    LocalField { up: u16, index: u16, of: Arc<StructType>, field: u32 },
}

#[derive(Debug)]
enum Number {
    Constant(f64),
    Source(Source),
    Computed(BinaryOp, Box<(Number, Number)>),
}

#[derive(Debug, Clone, Copy)]
enum TextTest {
    Equal,
    NotEqual,
    StartsWith,
    EndsWith,
    Contains,
}

/// The short ways of all nodes of a program.
pub(crate) fn quick_ways(nodes: &[Node]) -> Box<[Quick]> {
    nodes
        .iter()
        .map(|node| {
            let mut charge = node.charge;
            let kind = quick_way(node, nodes, &mut charge).unwrap_or(QuickKind::None);
            Quick { kind, charge }
        })
        .collect()
}

fn quick_way(node: &Node, nodes: &[Node], charge: &mut u32) -> Option<QuickKind> {
    match &node.kind {
        NodeKind::Binary { op, left, right } if super::logic::is_order(*op) => {
            let (Some(source), Some(value)) = (source(*left, nodes), constant(*right, nodes)) else {
                return doubles(*op, *left, *right, nodes, charge);
            };
            match (op, value) {
                (_, Value::Int(value)) => Some(QuickKind::Int(*op, source, *value)),
                (_, Value::Double(value)) => Some(QuickKind::Double(*op, source, *value)),
                (BinaryOp::Equal, Value::String(text)) => {
                    Some(QuickKind::Text(TextTest::Equal, source, (**text).into()))
                }
                (BinaryOp::NotEqual, Value::String(text)) => {
                    Some(QuickKind::Text(TextTest::NotEqual, source, (**text).into()))
                }
                _ => None,
            }
        }
        NodeKind::InSet { operand, set } => Some(QuickKind::InSet(source(*operand, nodes)?, set.clone())),
        NodeKind::Call { function, args, overloads } => {
            let ([target, needle], [overload]) = (&**args, &**overloads) else { return None };
            if !overload.is_library() {
                return None;
            }
            let test = match &**function {
                "startsWith" => TextTest::StartsWith,
                "endsWith" => TextTest::EndsWith,
                "contains" => TextTest::Contains,
                _ => return None,
            };
            match constant(*needle, nodes)? {
                Value::String(text) => Some(QuickKind::Text(test, source(*target, nodes)?, (**text).into())),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A comparison of doubles that are computed from leaves; the charge then has all that is under it.
fn doubles(op: BinaryOp, left: NodeId, right: NodeId, nodes: &[Node], charge: &mut u32) -> Option<QuickKind> {
    let mut under = 0;
    let (left, right) = (number(left, nodes, &mut under)?, number(right, nodes, &mut under)?);
    *charge = charge.saturating_add(under);
    Some(QuickKind::Doubles(op, left, right))
}

fn number(id: NodeId, nodes: &[Node], charge: &mut u32) -> Option<Number> {
    let node = nodes.get(id.index())?;
    match &node.kind {
        NodeKind::Const(Value::Double(value)) => Some(Number::Constant(*value)),
        NodeKind::Binary { op, left, right } => {
            if !matches!(op, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide) {
                return None;
            }
            let operands = (number(*left, nodes, charge)?, number(*right, nodes, charge)?);
            *charge = charge.saturating_add(node.charge);
            Some(Number::Computed(*op, Box::new(operands)))
        }
        _ => source(id, nodes).map(Number::Source),
    }
}

fn constant(id: NodeId, nodes: &[Node]) -> Option<&Value<'static>> {
    match &nodes.get(id.index())?.kind {
        NodeKind::Const(value) => Some(value),
        _ => None,
    }
}

fn source(id: NodeId, nodes: &[Node]) -> Option<Source> {
    match &nodes.get(id.index())?.kind {
        NodeKind::Slot(index) => Some(Source::Slot(*index)),
        NodeKind::Local { up, index } => Some(Source::Local { up: *up, index: *index }),
        NodeKind::Field { operand, place: Some((of, field)), access: Access::Plain, .. } => {
            match nodes.get(operand.index())?.kind {
                NodeKind::Local { up, index } => {
                    Some(Source::LocalField { up, index, of: of.clone(), field: *field })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

impl<'a> Machine<'a> {
    /// The truth of a node by its short way.
    #[inline]
    pub(super) fn quick(&self, id: NodeId, around: Around<'_, 'a>) -> Option<bool> {
        let quick = self.quick.get(id.index())?;
        let truth = match &quick.kind {
            QuickKind::None => return None,
            QuickKind::Int(op, source, wanted) => match self.read(source, around)? {
                Value::Int(value) => holds(*op, value.cmp(wanted)),
                _ => return None,
            },
            QuickKind::Double(op, source, wanted) => match self.read(source, around)? {
                Value::Double(value) => super::logic::holds_for_doubles(*op, *value, *wanted),
                _ => return None,
            },
            QuickKind::InSet(source, set) => match self.read(source, around)? {
                value @ (Value::String(_) | Value::Int(_)) => set.contains(value),
                _ => return None,
            },
            QuickKind::Text(test, source, wanted) => match self.read(source, around)? {
                Value::String(text) => self.test_text(*test, text, wanted)?,
                _ => return None,
            },
            QuickKind::Doubles(op, left, right) => {
                let (left, right) = (self.number(left, around)?, self.number(right, around)?);
                super::logic::holds_for_doubles(*op, left, right)
            }
        };
        self.meter.charge(quick.charge);
        Some(truth)
    }

    /// Charges what the long way charges for the same test; a text that is long goes the long way.
    #[inline]
    fn test_text(&self, test: TextTest, text: &str, wanted: &str) -> Option<bool> {
        const LONG: usize = 100;
        if text.len() >= LONG || wanted.len() >= LONG {
            return None;
        }
        let tenth = |length: usize| u32::try_from(length / 10).unwrap_or(u32::MAX);
        Some(match test {
            TextTest::Equal | TextTest::NotEqual => {
                self.meter.charge(tenth(text.len()));
                (text == wanted) == matches!(test, TextTest::Equal)
            }
            TextTest::StartsWith => {
                self.meter.charge(tenth(wanted.len()));
                text.starts_with(wanted)
            }
            TextTest::EndsWith => {
                self.meter.charge(tenth(wanted.len()));
                text.ends_with(wanted)
            }
            TextTest::Contains => {
                self.meter.charge(tenth(text.len()) + tenth(wanted.len()));
                text.contains(wanted)
            }
        })
    }

    fn number(&self, number: &Number, around: Around<'_, 'a>) -> Option<f64> {
        match number {
            Number::Constant(value) => Some(*value),
            Number::Source(source) => match self.read(source, around)? {
                Value::Double(value) => Some(*value),
                _ => None,
            },
            Number::Computed(op, operands) => {
                let (left, right) = (self.number(&operands.0, around)?, self.number(&operands.1, around)?);
                Some(match op {
                    BinaryOp::Add => left + right,
                    BinaryOp::Subtract => left - right,
                    BinaryOp::Multiply => left * right,
                    _ => left / right,
                })
            }
        }
    }

    #[inline(always)]
    fn read<'p>(&'p self, source: &Source, around: Around<'p, 'a>) -> Option<&'p Value<'a>> {
        match source {
            Source::Slot(index) => self.at_hand.get(*index as usize),
            Source::Local { up, index } => match around?.place(*up, *index) {
                Place::Value(value) => Some(value),
                _ => None,
            },
            Source::LocalField { up, index, of, field } => match around?.place(*up, *index) {
                Place::Value(Value::Struct(value)) => value.peek(of, *field as usize),
                _ => None,
            },
        }
    }
}
