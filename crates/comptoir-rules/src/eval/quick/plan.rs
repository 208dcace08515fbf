use std::sync::Arc;

use super::clause::{
    Any, Chain, Double, Equal, Flag, Greater, GreaterEqual, Int, Less, LessEqual, Listed, LocalAt, Matched,
    Member, Not, NotEqual, Number, Numbers, Pair, Relation, RowAt, SlotAt, Source, Text, TextTest,
};
use super::{Clause, Quick};
use crate::ir::{FoldNode, Node, NodeId, NodeKind, operands};
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
            for operand in operands(&node.kind) {
                if let Some(inside) = inside.get_mut(operand.index()) {
                    *inside = true;
                }
            }
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

/// What a leaf is tested with; a clause is made for the place of the leaf.
trait Test {
    fn of<S: Source + 'static>(self, source: S) -> Box<dyn Clause>;
}

fn at(leaf: Leaf, test: impl Test) -> Box<dyn Clause> {
    match leaf {
        Leaf::Slot(source) => test.of(source),
        Leaf::Row(source) => test.of(source),
        Leaf::Local(source) => test.of(source),
    }
}

macro_rules! tests {
    ($($name:ident($($field:ident: $ty:ty),*) => $clause:ident),*) => {
        $(struct $name { $($field: $ty,)* cost: u64 }

        impl Test for $name {
            fn of<S: Source + 'static>(self, source: S) -> Box<dyn Clause> {
                Box::new($clause { source, $($field: self.$field,)* cost: self.cost })
            }
        })*
    };
}
tests! {
    MemberTest(set: Arc<crate::ir::LiteralSet>) => Member,
    TextualTest(test: TextTest, wanted: Box<str>) => Text,
    FlagTest() => Flag,
    ListedTest(list: SlotAt) => Listed,
    MatchedTest(regex: Arc<regex::Regex>) => Matched,
    AnyTest(wanted: bool, body: Quick) => Any
}

/// A number to compare with.
struct NumberTest<N, R> {
    wanted: N,
    cost: u64,
    relation: R,
}

impl<R: Relation + 'static> Test for NumberTest<i64, R> {
    fn of<S: Source + 'static>(self, source: S) -> Box<dyn Clause> {
        Box::new(Int { source, wanted: self.wanted, cost: self.cost, relation: self.relation })
    }
}

impl<R: Relation + 'static> Test for NumberTest<f64, R> {
    fn of<S: Source + 'static>(self, source: S) -> Box<dyn Clause> {
        Box::new(Double { source, wanted: self.wanted, cost: self.cost, relation: self.relation })
    }
}

/// What is compared.
enum Comparison<'v> {
    Leaf(Leaf, &'v Value<'static>),
    Numbers(Number, Number),
}

impl Comparison<'_> {
    fn clause<R: Relation + 'static>(self, cost: u64) -> Option<Box<dyn Clause>> {
        let relation = R::default();
        Some(match self {
            Self::Leaf(leaf, Value::Int(wanted)) => at(leaf, NumberTest { wanted: *wanted, cost, relation }),
            Self::Leaf(leaf, Value::Double(wanted)) => {
                at(leaf, NumberTest { wanted: *wanted, cost, relation })
            }
            Self::Leaf(..) => return None,
            Self::Numbers(left, right) => Box::new(Numbers { left, right, cost, relation }),
        })
    }
}

impl<'p> Planner<'p> {
    const fn new(nodes: &'p [Node]) -> Self {
        Self { nodes, row: None, reads_scope: false }
    }

    fn quick(mut self, node: &Node) -> Option<Quick> {
        let clause = self.clause(node)?;
        Some(Quick { clause, row: self.row, reads_scope: self.reads_scope })
    }

    fn node(&self, id: NodeId) -> Option<&'p Node> {
        self.nodes.get(id.index())
    }

    fn clause(&mut self, node: &Node) -> Option<Box<dyn Clause>> {
        let cost = u64::from(node.charge);
        match &node.kind {
            NodeKind::Binary { op, left, right } => self.comparison(*op, *left, *right, cost),
            NodeKind::And(operands) => self.chain(false, operands, cost),
            NodeKind::Or(operands) => self.chain(true, operands, cost),
            NodeKind::Not(operand) => {
                let clause = self.operand(*operand)?;
                Some(Box::new(Not { clause, cost }))
            }
            NodeKind::Fold(fold) => self.fold(fold, cost),
            NodeKind::Matches { operand, regex } => {
                Some(at(self.leaf(*operand)?, MatchedTest { regex: regex.clone(), cost }))
            }
            NodeKind::InSet { operand, set } => {
                Some(at(self.leaf(*operand)?, MemberTest { set: set.clone(), cost }))
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
                        Some(at(self.leaf(*target)?, TextualTest { test, wanted: (**text).into(), cost }))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `all` and `exists` with one variable over a list at hand.
    fn fold(&mut self, fold: &FoldNode, cost: u64) -> Option<Box<dyn Clause>> {
        let wanted = match fold.kind {
            FoldKind::Exists => true,
            FoldKind::All => false,
            _ => return None,
        };
        if fold.is_pair || fold.filter.is_some() {
            return None;
        }
        let mut planner = Planner::new(self.nodes);
        let clause = planner.operand(fold.body)?;
        let body = Quick { clause, row: planner.row, reads_scope: planner.reads_scope };
        // What the body reads from scopes further out is read by way of this one.
        self.reads_scope |= body.reads_scope;
        Some(at(self.leaf(fold.range)?, AnyTest { wanted, body, cost }))
    }

    /// A chain whose operands all have short ways.
    fn chain(&mut self, wanted: bool, operands: &[NodeId], cost: u64) -> Option<Box<dyn Clause>> {
        let clauses: Box<[_]> =
            operands.iter().map(|operand| self.operand(*operand)).collect::<Option<_>>()?;
        Some(match <[_; 2]>::try_from(clauses.into_vec()) {
            Ok([first, second]) if cost == 0 => Box::new(Pair { wanted, first, second }),
            Ok(both) => Box::new(Chain { wanted, clauses: both.into(), cost }),
            Err(clauses) => Box::new(Chain { wanted, clauses: clauses.into(), cost }),
        })
    }

    /// A clause, or a leaf that is a bool itself.
    fn operand(&mut self, id: NodeId) -> Option<Box<dyn Clause>> {
        match self.clause(self.node(id)?) {
            Some(clause) => Some(clause),
            None => Some(at(self.leaf(id)?, FlagTest { cost: 0 })),
        }
    }

    fn comparison(
        &mut self,
        op: BinaryOp,
        left: NodeId,
        right: NodeId,
        cost: u64,
    ) -> Option<Box<dyn Clause>> {
        if op == BinaryOp::In {
            let NodeKind::Slot(list) = self.node(right)?.kind else { return None };
            return Some(at(self.leaf(left)?, ListedTest { list: SlotAt(list as usize), cost }));
        }
        let mut cost = cost;
        let comparison = match (self.leaf(left), self.constant(right)) {
            (Some(leaf), Some(Value::String(text))) => {
                let test = match op {
                    BinaryOp::Equal => TextTest::Equal,
                    BinaryOp::NotEqual => TextTest::NotEqual,
                    _ => return None,
                };
                return Some(at(leaf, TextualTest { test, wanted: (**text).into(), cost }));
            }
            (Some(leaf), Some(value)) => Comparison::Leaf(leaf, value),
            // Doubles that are computed from leaves; the cost then has all that is under them.
            _ => Comparison::Numbers(self.number(left, &mut cost)?, self.number(right, &mut cost)?),
        };
        match op {
            BinaryOp::Less => comparison.clause::<Less>(cost),
            BinaryOp::LessEqual => comparison.clause::<LessEqual>(cost),
            BinaryOp::Greater => comparison.clause::<Greater>(cost),
            BinaryOp::GreaterEqual => comparison.clause::<GreaterEqual>(cost),
            BinaryOp::Equal => comparison.clause::<Equal>(cost),
            BinaryOp::NotEqual => comparison.clause::<NotEqual>(cost),
            _ => None,
        }
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
