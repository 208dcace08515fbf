//! Short ways for the clauses that most rules are made of: a leaf compared with a constant, looked up in a set of
//! literals, or tested as text, comparisons of sums and products of doubles, and chains of these. What a short way does
//! not cover (an input that is absent, unknown or of another type) goes the long way, with the same result and cost.
//!
//! Tests of values that stand in one place, such as all inputs of a chain or all fields of a list's element, are one
//! object with one loop over them. What else there is are objects that call each other.

mod clause;
mod plan;
mod test;

use std::fmt::Debug;
use std::sync::Arc;

pub(crate) use plan::quick_ways;
use test::add;

use super::machine::{Around, Machine};
use super::scope::{Place, Scope};
use crate::ir::NodeId;
use crate::types::StructType;
use crate::value::Value;

/// The short way of a node.
#[derive(Debug)]
pub(crate) struct Quick {
    clause: Box<dyn Clause>,
    /// The struct type of the innermost macro variable, where a field of it is read.
    row: Option<Arc<StructType>>,
    /// Whether a macro variable is read by way of its scope.
    reads_scope: bool,
}

/// A truth that is computed from what a frame gives.
trait Clause: Debug + Send + Sync {
    /// The truth, and its cost added to `cost`; `None` where the values are not as expected.
    fn test(&self, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool>;

    /// `wanted` if it is for one of the elements; `None` where an element is not covered. Each clause has code of its
    /// own for this, so that there is no call for an element.
    fn any<'a>(
        &self,
        wanted: bool,
        quick: &Quick,
        elements: &[Value<'a>],
        frame: &Frame<'_, 'a>,
        cost: &mut u64,
    ) -> Option<bool> {
        let mut inner = Frame { slots: frame.slots, row: &[], around: None, limit: frame.limit };
        for value in elements {
            if let Some(of) = &quick.row {
                let Value::Struct(value) = value else { return None };
                inner.row = value.fields_of(of)?;
            }
            add(cost, 1);
            let truth = if quick.reads_scope {
                let scope = Scope::pair(frame.around, value, value);
                self.test(&Frame { around: Some(&scope), ..inner }, cost)
            } else {
                self.test(&inner, cost)
            };
            if truth != Some(!wanted) {
                return truth;
            }
        }
        Some(!wanted)
    }
}

/// What clauses read from.
#[derive(Clone, Copy)]
struct Frame<'p, 'a> {
    slots: &'p [Value<'a>],
    /// The fields of the innermost macro variable, of the type [`Quick::row`].
    row: &'p [Value<'a>],
    around: Around<'p, 'a>,
    /// What is left of the budget: past it the long way is taken, which reports it.
    limit: u64,
}

/// The truth of a root by its short way, without making a machine; `None` also where the budget is too small.
#[inline]
pub(crate) fn quick_truth(
    ways: &[Option<Quick>],
    root: NodeId,
    slots: &[Value<'_>],
    budget: u64,
) -> Option<bool> {
    let quick = ways.get(root.index())?.as_ref().filter(|quick| quick.row.is_none())?;
    let mut cost = 0;
    let frame = Frame { slots, row: &[], around: None, limit: budget };
    let truth = quick.clause.test(&frame, &mut cost)?;
    (cost <= budget).then_some(truth)
}

impl<'a> Machine<'a> {
    /// The truth of a node by its short way.
    #[inline]
    pub(super) fn quick(&self, id: NodeId, around: Around<'_, 'a>) -> Option<bool> {
        let quick = self.quick.get(id.index())?.as_ref()?;
        let row = match &quick.row {
            None => &[],
            Some(of) => match around?.place(0, 0) {
                Place::Value(Value::Struct(value)) => value.fields_of(of)?,
                _ => return None,
            },
        };
        let mut cost = 0;
        let frame = Frame { slots: self.at_hand, row, around, limit: self.meter.left() };
        let truth = quick.clause.test(&frame, &mut cost)?;
        self.meter.add(cost);
        Some(truth)
    }
}
