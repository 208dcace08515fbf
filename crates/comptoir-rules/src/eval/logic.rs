use std::cmp::Ordering;

use super::machine::{Around, Machine, no_overload, regex_cost};
use crate::ir::{Node, NodeId, NodeKind};
use crate::syntax::BinaryOp;
use crate::value::{EvalCode, Fault, Order, Value};

/// Whether an operator gives a truth value.
pub(super) const fn is_relation(op: BinaryOp) -> bool {
    use BinaryOp as B;
    matches!(op, B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual | B::In)
}

impl<'a> Machine<'a> {
    /// The truth of a node, without making a value of it where it has an operator that gives one.
    #[inline]
    pub(super) fn truth(&self, id: NodeId, around: Around<'_, 'a>) -> Result<bool, Fault> {
        match self.quick(id, around) {
            Some(truth) => Ok(truth),
            None => self.long_truth(id, around),
        }
    }

    fn long_truth(&self, id: NodeId, around: Around<'_, 'a>) -> Result<bool, Fault> {
        let node = self.node(id);
        match &node.kind {
            NodeKind::And(_)
            | NodeKind::Or(_)
            | NodeKind::InSet { .. }
            | NodeKind::Not(_)
            | NodeKind::HasSlot(_)
            | NodeKind::Matches { .. }
            | NodeKind::HasField { .. } => {
                self.meter.charge(node.charge);
                self.predicate(id, node, around)
            }
            NodeKind::Binary { op, left, right } if is_relation(*op) => {
                self.relation(node, *op, *left, *right, around)
            }
            _ => self.value_truth(id, node, around),
        }
    }

    /// A value that must be a bool.
    fn value_truth(&self, id: NodeId, node: &'a Node, around: Around<'_, 'a>) -> Result<bool, Fault> {
        match self.eval(id, around)? {
            Value::Bool(truth) => Ok(truth),
            other => Err(not_bool(&other).at(node.span)),
        }
    }

    /// A node that gives a truth and has been paid for.
    fn predicate(&self, id: NodeId, node: &'a Node, around: Around<'_, 'a>) -> Result<bool, Fault> {
        match &node.kind {
            NodeKind::And(operands) => self.any(operands, false, around).map(|found| !found),
            NodeKind::Or(operands) => self.any(operands, true, around),
            NodeKind::InSet { operand, set } => Ok(set.contains(&self.eval(*operand, around)?)),
            NodeKind::Not(operand) => self.truth(*operand, around).map(|truth| !truth),
            NodeKind::HasSlot(index) => {
                if self.patterns.is_some() {
                    self.check_known(id, around)?;
                }
                self.has_slot(*index).map_err(|fault| fault.at(node.span))
            }
            NodeKind::Matches { operand, regex } => {
                self.pattern(*operand, regex, around).map_err(|fault| fault.at(node.span))
            }
            NodeKind::HasField { operand, name } => {
                self.has_field(id, *operand, name, around).map_err(|fault| fault.at(node.span))
            }
            _ => self.value_truth(id, node, around),
        }
    }

    fn pattern(&self, operand: NodeId, regex: &regex::Regex, around: Around<'_, 'a>) -> Result<bool, Fault> {
        if let Some(Value::String(text)) = self.peek(operand, around) {
            return self.matches(regex, text);
        }
        match self.eval(operand, around)? {
            Value::String(text) => self.matches(regex, &text),
            other => Err(no_overload("matches", &[other, Value::str("")])),
        }
    }

    fn matches(&self, regex: &regex::Regex, text: &str) -> Result<bool, Fault> {
        if text.len() >= 10 {
            self.meter.spend(regex_cost(text.len(), regex.as_str().len()))?;
        }
        Ok(regex.is_match(text))
    }

    /// Whether an operand is `wanted`. An operand that is decides, whatever the others are; else faults of the others
    /// come first.
    fn any(&self, operands: &[NodeId], wanted: bool, around: Around<'_, 'a>) -> Result<bool, Fault> {
        let mut fault: Option<Fault> = None;
        for operand in operands {
            match self.truth(*operand, around) {
                Ok(truth) if truth == wanted => return Ok(true),
                Ok(_) => {}
                Err(other) => fault = Some(absorb(fault, other)?),
            }
        }
        match fault {
            None => Ok(false),
            Some(fault) => Err(fault),
        }
    }

    fn relation(
        &self,
        node: &'a Node,
        op: BinaryOp,
        left: NodeId,
        right: NodeId,
        around: Around<'_, 'a>,
    ) -> Result<bool, Fault> {
        self.meter.charge(node.charge);
        if let (Some(left), Some(right)) = (self.peek(left, around), self.peek(right, around))
            && is_value(left)
            && is_value(right)
        {
            return self.relate(op, left, right).map_err(|fault| fault.at(node.span));
        }
        let (left, right) = self.pair(left, right, around)?;
        self.relate(op, &left, &right).map_err(|fault| fault.at(node.span))
    }

    #[inline]
    fn relate(&self, op: BinaryOp, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Fault> {
        match (left, right) {
            (Value::Int(left), Value::Int(right)) => return Ok(holds(op, left.cmp(right))),
            (Value::Double(left), Value::Double(right)) => return Ok(holds_for_doubles(op, *left, *right)),
            _ => {}
        }
        relate(op, left, right, &self.meter)
    }
}

/// A relation of any two values.
pub(crate) fn relate(
    op: BinaryOp,
    left: &Value<'_>,
    right: &Value<'_>,
    meter: &super::Meter,
) -> Result<bool, Fault> {
    match op {
        BinaryOp::Equal | BinaryOp::NotEqual => {
            Ok(super::equal(left, right, meter)? == (op == BinaryOp::Equal))
        }
        BinaryOp::In => match right {
            Value::List(list) => {
                meter.spend(list.len() as u64)?;
                super::contains(list, left, meter)
            }
            Value::Map(map) => Ok(map.contains_key(left)),
            _ => Err(no_overload("in", &[left.borrowed(), right.borrowed()])),
        },
        _ => match left.order(right) {
            Order::Is(order) => {
                meter.spend_deep(left)?;
                Ok(holds(op, order))
            }
            Order::Unordered => Ok(false),
            Order::Incomparable => Err(no_overload(op.symbol(), &[left.borrowed(), right.borrowed()])),
        },
    }
}

/// Adds a fault to those of the operands before; a spent budget ends the evaluation at once.
pub(super) fn absorb(before: Option<Fault>, fault: Fault) -> Result<Fault, Fault> {
    match (before, fault) {
        (_, exhausted @ Fault::Exhausted(_)) => Err(exhausted),
        (None, fault) => Ok(fault),
        (Some(before), fault) => Ok(before.and(fault)),
    }
}

/// Whether an input is a value, and neither absent nor a fault.
#[inline]
pub(super) const fn is_value(value: &Value<'_>) -> bool {
    !matches!(value, Value::Absent | Value::Error(_) | Value::Unknown(_))
}

#[inline]
pub(crate) fn holds(op: BinaryOp, order: Ordering) -> bool {
    match op {
        BinaryOp::Less => order.is_lt(),
        BinaryOp::LessEqual => order.is_le(),
        BinaryOp::Greater => order.is_gt(),
        BinaryOp::GreaterEqual => order.is_ge(),
        BinaryOp::Equal => order.is_eq(),
        BinaryOp::NotEqual => order.is_ne(),
        _ => false,
    }
}

#[inline]
pub(super) fn holds_for_doubles(op: BinaryOp, left: f64, right: f64) -> bool {
    match op {
        BinaryOp::Less => left < right,
        BinaryOp::LessEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterEqual => left >= right,
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        _ => false,
    }
}

#[cold]
fn not_bool(value: &Value<'_>) -> Fault {
    let message = format!("no such overload: expected bool, found {}", value.type_name());
    Fault::error(EvalCode::NoSuchOverload, message)
}
