use std::fmt::Debug;
use std::sync::Arc;

use super::test::{Test, add};
use super::{Clause, Frame, Quick};
use crate::eval::scope::Place;
use crate::syntax::BinaryOp;
use crate::types::StructType;
use crate::value::{List, Value};

/// Where a value stands.
pub(super) trait Source: Debug + Send + Sync {
    fn read<'p, 'a>(&self, frame: &Frame<'p, 'a>) -> Option<&'p Value<'a>>;
}

/// An input.
#[derive(Debug)]
pub(super) struct SlotAt(pub usize);

impl Source for SlotAt {
    #[inline(always)]
    fn read<'p, 'a>(&self, frame: &Frame<'p, 'a>) -> Option<&'p Value<'a>> {
        frame.slots.get(self.0)
    }
}

/// A field of the innermost macro variable.
#[derive(Debug)]
pub(super) struct RowAt(pub usize);

impl Source for RowAt {
    #[inline(always)]
    fn read<'p, 'a>(&self, frame: &Frame<'p, 'a>) -> Option<&'p Value<'a>> {
        frame.row.get(self.0)
    }
}

/// A macro variable, or a field of one.
#[derive(Debug)]
pub(super) struct LocalAt {
    pub up: u16,
    pub index: u16,
    pub field: Option<(Arc<StructType>, usize)>,
}

impl Source for LocalAt {
    fn read<'p, 'a>(&self, frame: &Frame<'p, 'a>) -> Option<&'p Value<'a>> {
        match (frame.around?.place(self.up, self.index), &self.field) {
            (Place::Value(value), None) => Some(value),
            (Place::Value(Value::Struct(value)), Some((of, field))) => value.peek(of, *field),
            _ => None,
        }
    }
}

/// A chain of tests of values that stand in one place, in one loop: `&&` looks for false, `||` for true.
#[derive(Debug)]
pub(super) struct Steps<S> {
    pub wanted: bool,
    pub cost: u64,
    pub steps: Box<[(S, Test)]>,
}

impl<S: Source> Clause for Steps<S> {
    #[inline(always)]
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        // A copy may stay in a register.
        let mut own = cost.wrapping_add(self.cost);
        let mut truth = !self.wanted;
        for (source, test) in &self.steps {
            truth = test.holds(source.read(frame)?, frame, &mut own)?;
            if truth == self.wanted {
                break;
            }
        }
        *cost = own;
        Some(truth)
    }
}

/// Doubles computed from leaves.
#[derive(Debug)]
pub(super) enum Number {
    Constant(f64),
    Slot(SlotAt),
    Row(RowAt),
    Computed(BinaryOp, Box<(Number, Number)>),
}

impl Number {
    /// Leaves without a call, what is computed with one.
    #[inline(always)]
    fn value(&self, frame: &Frame<'_, '_>) -> Option<f64> {
        let read = |value: &Value<'_>| match value {
            Value::Double(value) => Some(*value),
            _ => None,
        };
        match self {
            Self::Constant(value) => Some(*value),
            Self::Slot(source) => read(source.read(frame)?),
            Self::Row(source) => read(source.read(frame)?),
            Self::Computed(op, operands) => Self::compute(*op, operands, frame),
        }
    }

    fn compute(op: BinaryOp, operands: &(Self, Self), frame: &Frame<'_, '_>) -> Option<f64> {
        let (left, right) = (operands.0.value(frame)?, operands.1.value(frame)?);
        Some(match op {
            BinaryOp::Add => left + right,
            BinaryOp::Subtract => left - right,
            BinaryOp::Multiply => left * right,
            _ => left / right,
        })
    }
}

/// A comparison that is known to the code of a clause.
pub(super) trait Relation: Debug + Send + Sync + Default {
    fn holds(&self, left: f64, right: f64) -> bool;
}

macro_rules! relations {
    ($($name:ident: $op:tt),*) => {
        $(#[derive(Debug, Default)]
        pub(super) struct $name;

        impl Relation for $name {
            #[inline(always)]
            fn holds(&self, left: f64, right: f64) -> bool {
                left $op right
            }
        })*
    };
}
relations!(Less: <, LessEqual: <=, Greater: >, GreaterEqual: >=, Equal: ==, NotEqual: !=);

/// A comparison of computed doubles.
#[derive(Debug)]
pub(super) struct Numbers<R> {
    pub left: Number,
    pub right: Number,
    pub cost: u64,
    pub relation: R,
}

impl<R: Relation> Clause for Numbers<R> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        Some(self.relation.holds(self.left.value(frame)?, self.right.value(frame)?))
    }
}

/// A chain of `||`, which looks for true, or of `&&`, which looks for false.
#[derive(Debug)]
pub(super) struct Chain {
    pub wanted: bool,
    pub clauses: Box<[Box<dyn Clause>]>,
    pub cost: u64,
}

impl Clause for Chain {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        for clause in &self.clauses {
            let truth = clause.test(frame, cost);
            if truth != Some(!self.wanted) {
                return truth;
            }
        }
        Some(!self.wanted)
    }
}

/// A chain of two that costs nothing beside them, which many are.
#[derive(Debug)]
pub(super) struct Pair {
    pub wanted: bool,
    pub first: Box<dyn Clause>,
    pub second: Box<dyn Clause>,
}

impl Clause for Pair {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        let truth = self.first.test(frame, cost);
        // Not what is looked for: the second decides, whatever it is.
        if truth == Some(!self.wanted) { self.second.test(frame, cost) } else { truth }
    }
}

/// `!`
#[derive(Debug)]
pub(super) struct Not {
    pub clause: Box<dyn Clause>,
    pub cost: u64,
}

impl Clause for Not {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        self.clause.test(frame, cost).map(|truth| !truth)
    }
}

/// `exists`, which looks for true, or `all`, which looks for false, over a list at hand.
#[derive(Debug)]
pub(super) struct Any<S> {
    pub source: S,
    pub wanted: bool,
    pub body: Quick,
    pub cost: u64,
}

impl<S: Source> Clause for Any<S> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        let elements: &[Value<'_>] = match self.source.read(frame)? {
            Value::List(List::Ref(elements)) => elements,
            Value::List(List::Shared(elements)) => elements,
            _ => return None,
        };
        if cost.wrapping_add(elements.len() as u64) > frame.limit {
            return None;
        }
        self.body.clause.any(self.wanted, &self.body, elements, frame, cost)
    }
}
