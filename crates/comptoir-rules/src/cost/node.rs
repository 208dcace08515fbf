use super::{Bounds, SizeHints};
use crate::eval::{regex_cost, sort_cost};
use crate::ir::{FoldNode, Node, NodeId, NodeKind, is_leaf};
use crate::program::Program;
use crate::syntax::{BinaryOp, FoldKind};
use crate::types::Type;
use crate::value::Value;

/// What is known about the value of a node: what it costs to make and how large it is.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    pub(super) cost: Bounds,
    pub(super) size: Bounds,
    pub(super) what: What,
}

/// Where the parts of a value come from.
#[derive(Debug, Clone)]
pub(super) enum What {
    Path(String),
    Constant(Value<'static>),
    Other,
}

pub(super) struct Estimator<'e> {
    nodes: &'e [Node],
    program: &'e Program,
    sizes: &'e dyn SizeHints,
    /// The places of the scopes around the node.
    scopes: Vec<Vec<Guess>>,
}

impl<'e> Estimator<'e> {
    pub(super) fn new(program: &'e Program, sizes: &'e dyn SizeHints) -> Self {
        Self { nodes: program.nodes(), program, sizes, scopes: Vec::new() }
    }

    pub(super) fn program(&mut self) -> Bounds {
        let root = self.program.root();
        let own = match self.nodes.get(root.index()) {
            Some(node) if is_leaf(&node.kind, self.nodes) => Bounds::exactly(u64::from(node.charge)),
            _ => Bounds::exactly(0),
        };
        own + self.guess(root).cost
    }

    pub(super) fn guess(&mut self, id: NodeId) -> Guess {
        let Some(node) = self.nodes.get(id.index()) else { return nothing() };
        let mut guess = match &node.kind {
            NodeKind::Const(value) => {
                Guess { cost: Bounds::exactly(0), size: size_of(value), what: What::Constant(value.clone()) }
            }
            NodeKind::Slot(index) => {
                let path = self.program.slots().get(*index as usize).map_or("", |slot| &slot.name);
                self.at_path(path.to_owned())
            }
            NodeKind::Local { up, index } => {
                let scope = self.scopes.iter().rev().nth(usize::from(*up));
                let mut found =
                    scope.and_then(|scope| scope.get(usize::from(*index))).cloned().unwrap_or_else(nothing);
                found.cost = Bounds::exactly(0);
                found
            }
            NodeKind::Field { operand, name, .. } => {
                let operand = self.guess(*operand);
                let part = self.part(&operand, &format!(".{name}"));
                Guess { cost: operand.cost, ..part }
            }
            NodeKind::Index { operand, index, .. } => {
                let (operand, index) = (self.guess(*operand), self.guess(*index));
                let part = self.part(&operand, "[]");
                Guess { cost: operand.cost + index.cost, ..part }
            }
            _ => self.computed(&node.kind),
        };
        if is_small(&node.ty) {
            guess.size = Bounds::exactly(1);
        }
        if !is_leaf(&node.kind, self.nodes) {
            guess.cost = guess.cost + Bounds::exactly(u64::from(node.charge));
        }
        guess
    }

    fn computed(&mut self, kind: &NodeKind) -> Guess {
        let one = Bounds::exactly(1);
        match kind {
            NodeKind::Not(operand)
            | NodeKind::Negate(operand)
            | NodeKind::InSet { operand, .. }
            | NodeKind::HasField { operand, .. } => sized(self.guess(*operand).cost, one),
            NodeKind::Matches { operand, regex } => {
                let operand = self.guess(*operand);
                let work = regex_cost(to_usize(operand.size.max), regex.as_str().len());
                sized(operand.cost + Bounds::up_to(work), one)
            }
            NodeKind::Binary { op, left, right } => self.binary(*op, *left, *right),
            NodeKind::And(operands) | NodeKind::Or(operands) => self.chain(operands),
            NodeKind::Conditional { condition, then, otherwise } => {
                let condition = self.guess(*condition);
                let (then, otherwise) = (self.guess(*then), self.guess(*otherwise));
                sized(condition.cost + then.cost.or(otherwise.cost), then.size.or(otherwise.size))
            }
            NodeKind::Call { function, overloads, args } => self.call(function, overloads, args),
            NodeKind::List(elements) => self.parts(elements.iter().map(|(value, _)| *value), elements.len()),
            NodeKind::Map(entries) => {
                self.parts(entries.iter().flat_map(|(key, value, _)| [*key, *value]), entries.len())
            }
            NodeKind::Message(message) => {
                self.parts(message.fields.iter().map(|(_, value, _)| *value), message.fields.len())
            }
            NodeKind::Fold(fold) => self.fold(fold),
            NodeKind::Block { bindings, body } => self.block(bindings, *body),
            NodeKind::OptionalMap { target, body, .. } => self.optional_map(*target, *body),
            NodeKind::OptionalOr { operand, alternative, .. } => {
                let (operand, alternative) = (self.guess(*operand), self.guess(*alternative));
                sized(operand.cost + alternative.cost.or_nothing(), Bounds::OPEN)
            }
            _ => sized(Bounds::exactly(0), one),
        }
    }

    /// The first operand is always evaluated, the others where it does not decide.
    fn chain(&mut self, operands: &[NodeId]) -> Guess {
        let costs: Vec<Bounds> = operands.iter().map(|operand| self.guess(*operand).cost).collect();
        let first = costs.first().copied().unwrap_or(Bounds::exactly(0));
        let rest = costs.iter().skip(1).fold(Bounds::exactly(0), |sum, cost| sum + *cost);
        sized(first + rest.or_nothing(), Bounds::exactly(1))
    }

    fn optional_map(&mut self, target: NodeId, body: NodeId) -> Guess {
        let target = self.guess(target);
        let inner = sized(Bounds::exactly(0), Bounds::OPEN);
        let body = self.within(vec![inner.clone(), inner], body);
        sized(target.cost + body.cost.or_nothing(), body.size)
    }

    fn binary(&mut self, op: BinaryOp, left: NodeId, right: NodeId) -> Guess {
        let (left_type, right_type) = (self.ty(left), self.ty(right));
        let (left, right) = (self.guess(left), self.guess(right));
        let both = left.cost + right.cost;
        let one = Bounds::exactly(1);
        match op {
            BinaryOp::Add => {
                let size = left.size + right.size;
                sized(both + walk(&left_type, size).or_nothing(), size)
            }
            BinaryOp::In => match right_type {
                Type::List(_) => {
                    let each = self.comparison(&left_type, &left).or_nothing();
                    sized(both + right.size + right.size.times(each), one)
                }
                Type::Map(_) => sized(both, one),
                _ => sized(both + right.size.or_nothing(), one),
            },
            BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => sized(both, one),
            BinaryOp::Equal | BinaryOp::NotEqual => {
                sized(both + self.comparison(&left_type, &left).or_nothing(), one)
            }
            _ => sized(both + walk(&left_type, left.size).or_nothing(), one),
        }
    }

    /// What a comparison of two values goes over: elements of elements too.
    pub(super) fn comparison(&self, ty: &Type, guess: &Guess) -> Bounds {
        match ty.without_null() {
            Type::List(element) => {
                let each = self.comparison(element, &self.part(guess, "[]"));
                guess.size.times(Bounds::exactly(1) + each)
            }
            Type::String | Type::Bytes => walk(ty, guess.size),
            other if is_small(other) => Bounds::exactly(0),
            _ => Bounds::OPEN,
        }
    }

    fn parts(&mut self, parts: impl Iterator<Item = NodeId>, count: usize) -> Guess {
        let cost = parts.fold(Bounds::exactly(0), |sum, part| sum + self.guess(part).cost);
        sized(cost, Bounds::up_to(count as u64))
    }

    fn fold(&mut self, fold: &FoldNode) -> Guess {
        let range = self.guess(fold.range);
        let is_map = !matches!(self.ty(fold.range), Type::List(_));
        let element = self.part(&range, "[]");
        let key = if is_map {
            sized(Bounds::exactly(0), Bounds::OPEN)
        } else {
            sized(Bounds::exactly(0), Bounds::exactly(1))
        };
        let first = match (fold.is_pair, is_map) {
            (false, false) => element.clone(),
            _ => key,
        };
        self.scopes.push(vec![first, element]);
        let filter = fold.filter.map_or(Bounds::exactly(0), |filter| self.guess(filter).cost);
        let body = self.guess(fold.body);
        self.scopes.pop();
        let one = Bounds::exactly(1);
        let body_cost = if fold.filter.is_some() { body.cost.or_nothing() } else { body.cost };
        let step = one + filter + body_cost;
        let count = range.size;
        let steps = match fold.kind {
            FoldKind::All | FoldKind::Exists => Bounds::new(count.min.min(1), count.max),
            _ => count,
        };
        let sorting = if fold.kind == FoldKind::SortBy { sort_cost(to_usize(count.max)) } else { 0 };
        let size = match fold.kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => one,
            FoldKind::TransformMapEntry => Bounds::up_to(count.max.saturating_mul(body.size.max)),
            _ => count.or_nothing(),
        };
        sized(range.cost + steps.times(step) + Bounds::up_to(sorting), size)
    }

    fn block(&mut self, bindings: &[NodeId], body: NodeId) -> Guess {
        self.scopes.push(Vec::with_capacity(bindings.len()));
        let mut cost = Bounds::exactly(0);
        for binding in bindings {
            let guess = self.guess(*binding);
            cost = cost + (guess.cost + Bounds::exactly(1)).or_nothing();
            if let Some(scope) = self.scopes.last_mut() {
                scope.push(guess);
            }
        }
        let body = self.guess(body);
        self.scopes.pop();
        Guess { cost: cost + body.cost, ..body }
    }

    fn within(&mut self, scope: Vec<Guess>, body: NodeId) -> Guess {
        self.scopes.push(scope);
        let guess = self.guess(body);
        self.scopes.pop();
        guess
    }

    fn at_path(&self, path: String) -> Guess {
        let size = self.sizes.size(&path).unwrap_or(Bounds::OPEN);
        Guess { cost: Bounds::exactly(0), size, what: What::Path(path) }
    }

    /// A part of a value: any element, or a field.
    pub(super) fn part(&self, of: &Guess, step: &str) -> Guess {
        match &of.what {
            What::Path(path) => self.at_path(format!("{path}{step}")),
            What::Constant(Value::List(list)) if step == "[]" => {
                let sizes = list.iter().map(|value| size_of(&value)).reduce(Bounds::or);
                sized(Bounds::exactly(0), sizes.unwrap_or(Bounds::exactly(0)))
            }
            _ => sized(Bounds::exactly(0), Bounds::OPEN),
        }
    }

    pub(super) fn ty(&self, id: NodeId) -> Type {
        self.nodes.get(id.index()).map_or(Type::Dyn, |node| node.ty.clone())
    }
}

pub(super) fn sized(cost: Bounds, size: Bounds) -> Guess {
    Guess { cost, size, what: What::Other }
}

fn nothing() -> Guess {
    sized(Bounds::exactly(0), Bounds::OPEN)
}

/// What going over a value of a type and size costs.
pub(super) fn walk(ty: &Type, size: Bounds) -> Bounds {
    match ty.without_null() {
        Type::String | Type::Bytes => Bounds::new(size.min / 10, tenth(size.max)),
        other if is_small(other) => Bounds::exactly(0),
        _ => size,
    }
}

/// A tenth, and no bound of what has none.
pub(super) const fn tenth(size: u64) -> u64 {
    if size == u64::MAX { size } else { size / 10 }
}

/// Whether values of the type have no parts.
pub(super) fn is_small(ty: &Type) -> bool {
    matches!(
        ty.without_null(),
        Type::Null
            | Type::Bool
            | Type::Int
            | Type::Uint
            | Type::Double
            | Type::Timestamp
            | Type::Duration
            | Type::Decimal
            | Type::Type(_)
    )
}

pub(super) fn size_of(value: &Value<'_>) -> Bounds {
    Bounds::exactly(match value {
        Value::String(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        Value::List(list) => list.len() as u64,
        Value::Map(map) => map.len() as u64,
        _ => 1,
    })
}

pub(super) fn to_usize(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
