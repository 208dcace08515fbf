use std::fmt::Debug;
use std::sync::Arc;

use super::{Clause, Frame, Quick};
use crate::eval::machine::regex_cost;
use crate::eval::scope::Place;
use crate::ir::LiteralSet;
use crate::syntax::BinaryOp;
use crate::types::StructType;
use crate::value::{List, Value, same_bytes};

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

/// A comparison that is known to the code of a clause.
pub(super) trait Relation: Debug + Send + Sync + Default {
    fn holds<T: PartialOrd>(&self, left: T, right: T) -> bool;
}

macro_rules! relations {
    ($($name:ident: $op:tt),*) => {
        $(#[derive(Debug, Default)]
        pub(super) struct $name;

        impl Relation for $name {
            #[inline(always)]
            fn holds<T: PartialOrd>(&self, left: T, right: T) -> bool {
                left $op right
            }
        })*
    };
}
relations!(Less: <, LessEqual: <=, Greater: >, GreaterEqual: >=, Equal: ==, NotEqual: !=);

/// A value compared with an int.
#[derive(Debug)]
pub(super) struct Int<S, R> {
    pub source: S,
    pub wanted: i64,
    pub cost: u64,
    pub relation: R,
}

impl<S: Source, R: Relation> Clause for Int<S, R> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        match self.source.read(frame)? {
            Value::Int(value) => Some(self.relation.holds(*value, self.wanted)),
            _ => None,
        }
    }
}

/// A value compared with a double.
#[derive(Debug)]
pub(super) struct Double<S, R> {
    pub source: S,
    pub wanted: f64,
    pub cost: u64,
    pub relation: R,
}

impl<S: Source, R: Relation> Clause for Double<S, R> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        match self.source.read(frame)? {
            Value::Double(value) => Some(self.relation.holds(*value, self.wanted)),
            _ => None,
        }
    }
}

/// Adds to a cost. A sum of costs that are bounded by sizes in memory stays far below the limit of 64 bits, so that
/// no check is needed; it would be a good part of a clause.
#[inline(always)]
pub(super) fn add(cost: &mut u64, units: u64) {
    *cost = cost.wrapping_add(units);
}

/// A value looked up in a set of literals.
#[derive(Debug)]
pub(super) struct Member<S> {
    pub source: S,
    pub set: Arc<LiteralSet>,
    pub cost: u64,
}

impl<S: Source> Clause for Member<S> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        match self.source.read(frame)? {
            value @ (Value::String(_) | Value::Int(_)) => Some(self.set.contains(value)),
            _ => None,
        }
    }
}

/// A value looked up in a list of the input.
#[derive(Debug)]
pub(super) struct Listed<S> {
    pub source: S,
    pub list: SlotAt,
    pub cost: u64,
}

impl<S: Source> Clause for Listed<S> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        match (self.source.read(frame)?, self.list.read(frame)?) {
            (value @ (Value::String(_) | Value::Int(_)), Value::List(list)) => {
                add(cost, self.cost.wrapping_add(list.len() as u64));
                Some(list.contains(value))
            }
            _ => None,
        }
    }
}

/// A text matched with a pattern.
#[derive(Debug)]
pub(super) struct Matched<S> {
    pub source: S,
    pub regex: Arc<regex::Regex>,
    pub cost: u64,
}

impl<S: Source> Clause for Matched<S> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        let Value::String(text) = self.source.read(frame)? else { return None };
        let work = if text.len() < 10 { 0 } else { regex_cost(text.len(), self.regex.as_str().len()) };
        *cost = cost.saturating_add(self.cost.saturating_add(work));
        // A text that is too long for the budget is left to the way that says so.
        if *cost > frame.limit { None } else { Some(self.regex.is_match(text)) }
    }
}

/// Tests of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTest {
    Equal,
    NotEqual,
    StartsWith,
    EndsWith,
    Contains,
}

/// A text tested with a literal.
#[derive(Debug)]
pub(super) struct Text<S> {
    pub source: S,
    pub test: TextTest,
    pub wanted: Box<str>,
    pub cost: u64,
}

impl<S: Source> Clause for Text<S> {
    /// Charges what the long way charges: a tenth for each byte that it goes over.
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        let Value::String(text) = self.source.read(frame)? else { return None };
        let text: &str = text;
        let wanted: &str = &self.wanted;
        let tenth = |length: usize| (length / 10) as u64;
        let walk = match self.test {
            TextTest::Equal | TextTest::NotEqual => tenth(text.len()),
            TextTest::StartsWith | TextTest::EndsWith => tenth(wanted.len()),
            TextTest::Contains => tenth(text.len()).wrapping_add(tenth(wanted.len())),
        };
        add(cost, self.cost.wrapping_add(walk));
        Some(match self.test {
            TextTest::Equal => same_bytes(text.as_bytes(), wanted.as_bytes()),
            TextTest::NotEqual => !same_bytes(text.as_bytes(), wanted.as_bytes()),
            TextTest::StartsWith => text.starts_with(wanted),
            TextTest::EndsWith => text.ends_with(wanted),
            TextTest::Contains => text.contains(wanted),
        })
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
    fn compute(&self, frame: &Frame<'_, '_>) -> Option<f64> {
        let read = |value: &Value<'_>| match value {
            Value::Double(value) => Some(*value),
            _ => None,
        };
        match self {
            Self::Constant(value) => Some(*value),
            Self::Slot(source) => read(source.read(frame)?),
            Self::Row(source) => read(source.read(frame)?),
            Self::Computed(op, operands) => {
                let (left, right) = (operands.0.compute(frame)?, operands.1.compute(frame)?);
                Some(match op {
                    BinaryOp::Add => left + right,
                    BinaryOp::Subtract => left - right,
                    BinaryOp::Multiply => left * right,
                    _ => left / right,
                })
            }
        }
    }
}

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
        Some(self.relation.holds(self.left.compute(frame)?, self.right.compute(frame)?))
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

/// A chain of two that costs nothing beside them, which most are.
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

/// A value that is a bool; what it is in pays for it.
#[derive(Debug)]
pub(super) struct Flag<S> {
    pub source: S,
    pub cost: u64,
}

impl<S: Source> Clause for Flag<S> {
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        match self.source.read(frame)? {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
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
        match self.source.read(frame)? {
            Value::List(List::Ref(elements)) => self.body.any(self.wanted, elements, frame, cost),
            Value::List(List::Shared(elements)) => self.body.any(self.wanted, elements, frame, cost),
            _ => None,
        }
    }
}
