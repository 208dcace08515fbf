//! Short ways for the clauses that most rules are made of: a leaf compared with a constant, looked up in a set of
//! literals, or tested as text, comparisons of sums and products of doubles, and chains of these. What a short way does
//! not cover (an input that is absent, unknown or of another type) goes the long way, with the same result and cost.
//!
//! A clause is compiled to an object whose code knows where its operand stands and what it is compared with: for the
//! processor that is one predictable jump, where walking the nodes takes several.

mod clause;
mod plan;

use std::fmt::Debug;
use std::sync::Arc;

use clause::add;
pub(crate) use plan::quick_ways;

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

impl Quick {
    /// `wanted` if an element is; `None` where an element is not covered, or the budget is too small.
    fn any<'a>(
        &self,
        wanted: bool,
        elements: &[Value<'a>],
        frame: &Frame<'_, 'a>,
        cost: &mut u64,
    ) -> Option<bool> {
        if cost.wrapping_add(elements.len() as u64) > frame.limit {
            return None;
        }
        let mut inner = Frame { slots: frame.slots, row: &[], around: None, limit: frame.limit };
        for value in elements {
            if let Some(of) = &self.row {
                let Value::Struct(value) = value else { return None };
                inner.row = value.fields_of(of)?;
            }
            add(cost, 1);
            let truth = if self.reads_scope {
                let scope = Scope::pair(frame.around, value, value);
                self.clause.test(&Frame { around: Some(&scope), ..inner }, cost)
            } else {
                self.clause.test(&inner, cost)
            };
            if truth != Some(!wanted) {
                return truth;
            }
        }
        Some(!wanted)
    }
}
