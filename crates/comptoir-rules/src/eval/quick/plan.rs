use std::sync::Arc;

use super::clause::{
    Any, Chain, Equal, Greater, GreaterEqual, Less, LessEqual, LocalAt, Not, NotEqual, Number, Numbers, Pair,
    Relation, RowAt, SlotAt, Source, Steps,
};
use super::test::{Range, Test, TestKind, TextTest};
use super::{Clause, Quick};
use crate::ir::{FoldNode, Node, NodeId, NodeKind, each_operand};
use crate::syntax::{Access, BinaryOp, FoldKind};
use crate::types::StructType;
use crate::value::Value;

/// The short ways of all nodes of a program.
///
/// A chain inside of a chain has none of its own, so that the work stays in proportion to the nodes; its clauses have.
pub(crate) fn quick_ways(nodes: &[Node]) -> Box<[Option<Quick>]> {
    let mut ways: Vec<Option<Quick>> = nodes.iter().map(|_| None).collect();
    let mut inside = vec![false; nodes.len()];
    // Nodes come after their operands, so that this order meets the outer ones first.
    for (index, node) in nodes.iter().enumerate().rev() {
        let is_chain =
            matches!(node.kind, NodeKind::And(_) | NodeKind::Or(_) | NodeKind::Not(_) | NodeKind::Fold(_));
        let is_inside = inside.get(index).is_some_and(|inside| *inside);
        let way = if is_chain && is_inside { None } else { Planner::new(nodes).quick(node) };
        if way.is_some() || is_inside {
            each_operand(&node.kind, |operand| {
                if let Some(inside) = inside.get_mut(operand.index()) {
                    *inside = true;
                }
            });
        }
        if let Some(slot) = ways.get_mut(index) {
            *slot = way;
        }
    }
    ways.into()
}

struct Planner<'p> {
    nodes: &'p [Node],
    /// The struct type of the innermost macro variable; all that is read from it has the same.
    row: Option<Arc<StructType>>,
    reads_scope: bool,
}

/// A leaf that a clause reads.
enum Leaf {
    Slot(SlotAt),
    Row(RowAt),
    Local(LocalAt),
}

/// A clause in the making.
enum Part {
    /// Tests of inputs.
    Slots(Vec<(SlotAt, Test)>),
    /// Tests of fields of the innermost macro variable.
    Fields(Vec<(RowAt, Test)>),
    Other(Box<dyn Clause>),
}

impl Part {
    fn of(leaf: Leaf, kind: TestKind, cost: u64) -> Self {
        let test = Test { kind, is_negated: false, cost };
        match leaf {
            Leaf::Slot(at) => Self::Slots(vec![(at, test)]),
            Leaf::Row(at) => Self::Fields(vec![(at, test)]),
            Leaf::Local(at) => Self::Other(steps(false, 0, vec![(at, test)])),
        }
    }

    /// The clause of a part that is no chain: one test, for which it does not matter what is looked for.
    fn clause(self) -> Box<dyn Clause> {
        self.chain(false, 0)
    }

    fn chain(self, wanted: bool, cost: u64) -> Box<dyn Clause> {
        match self {
            Self::Slots(tests) => steps(wanted, cost, tests),
            Self::Fields(tests) => steps(wanted, cost, tests),
            Self::Other(clause) => clause,
        }
    }

    fn negated(mut self, cost: u64) -> Self {
        let test = match &mut self {
            Self::Slots(tests) => tests.first_mut().map(|(_, test)| test),
            Self::Fields(tests) => tests.first_mut().map(|(_, test)| test),
            Self::Other(_) => None,
        };
        match test {
            Some(test) => {
                test.is_negated = !test.is_negated;
                test.cost += cost;
                self
            }
            None => Self::Other(Box::new(Not { clause: self.clause(), cost })),
        }
    }

    /// Adds the tests of the next operand of a chain, or gives it back where they are of another place.
    fn join(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Slots(tests), Self::Slots(more)) => tests.extend(more),
            (Self::Fields(tests), Self::Fields(more)) => tests.extend(more),
            (_, next) => return Some(next),
        }
        None
    }
}

fn steps<S: Source + 'static>(wanted: bool, cost: u64, steps: Vec<(S, Test)>) -> Box<dyn Clause> {
    Box::new(Steps { wanted, cost, steps: steps.into() })
}

fn numbers<R: Relation + 'static>(left: Number, right: Number, cost: u64) -> Part {
    Part::Other(Box::new(Numbers { left, right, cost, relation: R::default() }))
}

impl<'p> Planner<'p> {
    const fn new(nodes: &'p [Node]) -> Self {
        Self { nodes, row: None, reads_scope: false }
    }

    fn quick(mut self, node: &Node) -> Option<Quick> {
        let clause = self.part(node)?.clause();
        Some(Quick { clause, row: self.row, reads_scope: self.reads_scope })
    }

    fn node(&self, id: NodeId) -> Option<&'p Node> {
        self.nodes.get(id.index())
    }

    fn part(&mut self, node: &Node) -> Option<Part> {
        let cost = u64::from(node.charge);
        match &node.kind {
            NodeKind::Binary { op, left, right } => self.comparison(*op, *left, *right, cost),
            NodeKind::And(operands) => self.chain(false, operands, cost),
            NodeKind::Or(operands) => self.chain(true, operands, cost),
            NodeKind::Not(operand) => Some(self.operand(*operand)?.negated(cost)),
            NodeKind::Fold(fold) => self.fold(fold, cost),
            NodeKind::Matches { operand, regex } => {
                Some(Part::of(self.leaf(*operand)?, TestKind::Matched(regex.clone()), cost))
            }
            NodeKind::InSet { operand, set } => {
                Some(Part::of(self.leaf(*operand)?, TestKind::Member(set.clone()), cost))
            }
            NodeKind::Call { function, args, overloads } => {
                let ([target, needle], [overload]) = (&**args, &**overloads) else { return None };
                let test = match &**function {
                    "startsWith" => TextTest::StartsWith,
                    "endsWith" => TextTest::EndsWith,
                    "contains" => TextTest::Contains,
                    _ => return None,
                };
                match self.constant(*needle)? {
                    Value::String(text) if overload.is_library() => {
                        let kind = TestKind::Text(test, (**text).into());
                        Some(Part::of(self.leaf(*target)?, kind, cost))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `all` and `exists` with one variable over a list at hand.
    fn fold(&mut self, fold: &FoldNode, cost: u64) -> Option<Part> {
        let wanted = match fold.kind {
            FoldKind::Exists => true,
            FoldKind::All => false,
            _ => return None,
        };
        if fold.is_pair || fold.filter.is_some() {
            return None;
        }
        let mut planner = Planner::new(self.nodes);
        let clause = planner.operand(fold.body)?.clause();
        let body = Quick { clause, row: planner.row, reads_scope: planner.reads_scope };
        // What the body reads from scopes further out is read by way of this one.
        self.reads_scope |= body.reads_scope;
        Some(Part::Other(match self.leaf(fold.range)? {
            Leaf::Slot(source) => Box::new(Any { source, wanted, body, cost }),
            Leaf::Row(source) => Box::new(Any { source, wanted, body, cost }),
            Leaf::Local(source) => Box::new(Any { source, wanted, body, cost }),
        }))
    }

    /// A chain whose operands all have short ways; tests of one place that follow each other become one clause.
    fn chain(&mut self, wanted: bool, operands: &[NodeId], cost: u64) -> Option<Part> {
        let mut parts: Vec<Part> = Vec::with_capacity(operands.len());
        for operand in operands {
            let next = Some(self.operand(*operand)?);
            let next = match parts.last_mut() {
                Some(last) => next.and_then(|next| last.join(next)),
                None => next,
            };
            parts.extend(next);
        }
        let clauses: Vec<Box<dyn Clause>> = parts.into_iter().map(|part| part.chain(wanted, 0)).collect();
        Some(Part::Other(match <[_; 2]>::try_from(clauses) {
            Ok([first, second]) if cost == 0 => Box::new(Pair { wanted, first, second }),
            Ok(both) => Box::new(Chain { wanted, clauses: both.into(), cost }),
            Err(mut clauses) => match clauses.pop() {
                Some(only) if clauses.is_empty() && cost == 0 => only,
                last => Box::new(Chain { wanted, clauses: clauses.into_iter().chain(last).collect(), cost }),
            },
        }))
    }

    /// A clause, or a leaf that is a bool itself.
    fn operand(&mut self, id: NodeId) -> Option<Part> {
        match self.part(self.node(id)?) {
            Some(part) => Some(part),
            None => Some(Part::of(self.leaf(id)?, TestKind::Flag, 0)),
        }
    }

    fn comparison(&mut self, op: BinaryOp, left: NodeId, right: NodeId, cost: u64) -> Option<Part> {
        if op == BinaryOp::In {
            let NodeKind::Slot(list) = self.node(right)?.kind else { return None };
            return Some(Part::of(self.leaf(left)?, TestKind::Listed(list as usize), cost));
        }
        if let (Some(leaf), Some(wanted)) = (self.leaf(left), self.constant(right)) {
            let kind = match wanted {
                Value::Int(wanted) => TestKind::Int(Range::of_ints(op, *wanted)?),
                Value::Double(wanted) => TestKind::Double(Range::of_doubles(op, *wanted)?),
                Value::String(text) if op == BinaryOp::Equal => {
                    TestKind::Text(TextTest::Equal, (**text).into())
                }
                Value::String(text) if op == BinaryOp::NotEqual => {
                    TestKind::Text(TextTest::NotEqual, (**text).into())
                }
                _ => return None,
            };
            return Some(Part::of(leaf, kind, cost));
        }
        // Doubles that are computed from leaves; the cost then has all that is under them.
        let mut cost = cost;
        let (left, right) = (self.number(left, &mut cost)?, self.number(right, &mut cost)?);
        Some(match op {
            BinaryOp::Less => numbers::<Less>(left, right, cost),
            BinaryOp::LessEqual => numbers::<LessEqual>(left, right, cost),
            BinaryOp::Greater => numbers::<Greater>(left, right, cost),
            BinaryOp::GreaterEqual => numbers::<GreaterEqual>(left, right, cost),
            BinaryOp::Equal => numbers::<Equal>(left, right, cost),
            BinaryOp::NotEqual => numbers::<NotEqual>(left, right, cost),
            _ => return None,
        })
    }

    fn number(&mut self, id: NodeId, cost: &mut u64) -> Option<Number> {
        let node = self.node(id)?;
        match &node.kind {
            NodeKind::Const(Value::Double(value)) => Some(Number::Constant(*value)),
            NodeKind::Binary { op, left, right } => {
                if !matches!(op, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide) {
                    return None;
                }
                let operands = (self.number(*left, cost)?, self.number(*right, cost)?);
                *cost += u64::from(node.charge);
                Some(Number::Computed(*op, Box::new(operands)))
            }
            _ => match self.leaf(id)? {
                Leaf::Slot(source) => Some(Number::Slot(source)),
                Leaf::Row(source) => Some(Number::Row(source)),
                Leaf::Local(_) => None,
            },
        }
    }

    fn constant(&self, id: NodeId) -> Option<&'p Value<'static>> {
        match &self.node(id)?.kind {
            NodeKind::Const(value) => Some(value),
            _ => None,
        }
    }

    fn leaf(&mut self, id: NodeId) -> Option<Leaf> {
        match &self.node(id)?.kind {
            NodeKind::Slot(index) => Some(Leaf::Slot(SlotAt(*index as usize))),
            NodeKind::Local { up, index } => {
                Some(Leaf::Local(LocalAt { up: *up, index: *index, field: None }))
            }
            NodeKind::Field { operand, place: Some((of, field)), access: Access::Plain, .. } => {
                let NodeKind::Local { up, index } = self.node(*operand)?.kind else { return None };
                let field = *field as usize;
                if (up, index) == (0, 0) && self.row.as_ref().is_none_or(|row| Arc::ptr_eq(row, of)) {
                    self.row = Some(of.clone());
                    return Some(Leaf::Row(RowAt(field)));
                }
                self.reads_scope = true;
                Some(Leaf::Local(LocalAt { up, index, field: Some((of.clone(), field)) }))
            }
            _ => None,
        }
    }
}
