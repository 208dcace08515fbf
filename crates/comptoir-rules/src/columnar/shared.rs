//! What is the same for all rows: nodes that read nothing but inputs that are given for the whole batch, and lists
//! that `in` looks in. It is computed once, when it is first needed.

use super::bits::Bits;
use super::column::{Column, Shape};
use super::frame::Frame;
use super::plan::Plan;
use super::text_set::{TextSet, set_of};
use super::vector::{Truth, Vector};
use super::walk::Walk;
use crate::eval::{Inputs, Machine};
use crate::ir::{LiteralSet, Node, NodeId, NodeKind};
use crate::syntax::BinaryOp;
use crate::value::{Fault, List, Value};

/// The value of a node that is the same for all rows.
#[derive(Debug)]
pub(super) struct SharedValue {
    /// `None` where it is an error.
    value: Option<Value<'static>>,
    /// Work that it takes for a row.
    spent: u64,
}

/// A list to the right of `in` that is the same for all rows, of texts, numbers and truth values only.
#[derive(Debug)]
pub(super) struct Members {
    set: LiteralSet,
    texts: Option<TextSet>,
    /// Work of a search for a text, number or moment.
    simple: u64,
    /// Work of a search for anything.
    most: u64,
}

impl Members {
    fn of(list: &List<'static>) -> Option<Self> {
        let mut deep = 0;
        for value in list.iter() {
            match value {
                Value::String(text) => deep += text.len() as u64 / 10,
                Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Bool(_) => {}
                _ => return None,
            }
        }
        let set = LiteralSet::new(list);
        let simple = list.len() as u64;
        Some(Self { texts: set_of(&set), set, simple, most: simple.saturating_add(deep) })
    }
}

impl Plan<'_> {
    /// Whether the value of a slot is given for the whole batch.
    pub(super) fn is_shared_slot(&self, slot: u32) -> bool {
        self.columns.get(slot as usize).is_some_and(|column| column.shared().is_some())
    }

    /// How many scopes around it a node reads; `None` where it reads something that may differ from row to row, or
    /// calls the host.
    pub(super) fn reach(&self, node: &Node, before: &[Option<u16>]) -> Option<u16> {
        let of = |id: NodeId| before.get(id.index()).copied().flatten();
        let inside = |id: NodeId| of(id).map(|scopes| scopes.saturating_sub(1));
        let most = |parts: &[Option<u16>]| parts.iter().try_fold(0, |most, part| Some((*part)?.max(most)));
        match &node.kind {
            NodeKind::Slot(slot) | NodeKind::HasSlot(slot) => self.is_shared_slot(*slot).then_some(0),
            NodeKind::Local { up, .. } => Some(up.saturating_add(1)),
            NodeKind::Call { overloads, .. } if !overloads.iter().all(|overload| overload.is_library()) => {
                None
            }
            NodeKind::Fold(fold) => {
                most(&[of(fold.range), fold.filter.map_or(Some(0), inside), inside(fold.body)])
            }
            NodeKind::Block { bindings, body } => {
                bindings.iter().chain([body]).try_fold(0, |most, id| Some(inside(*id)?.max(most)))
            }
            NodeKind::OptionalMap { target, body, .. } => most(&[of(*target), inside(*body)]),
            kind => crate::ir::operands(kind).try_fold(0, |most, id| Some(of(id)?.max(most))),
        }
    }

    /// The value of a node that is the same for all rows and more than a leaf.
    pub(super) fn shared(&self, id: NodeId) -> Option<&SharedValue> {
        let way = self.way(id);
        if !way.is_shared || matches!(self.kind(id), NodeKind::Const(_) | NodeKind::Slot(_)) {
            return None;
        }
        Some(way.shared.get_or_init(|| self.make_shared(id)))
    }

    fn make_shared(&self, id: NodeId) -> SharedValue {
        let slots = self.shared_slots();
        let machine = Machine::new(
            self.program.nodes(),
            self.program.quick(),
            Inputs::Slots(&slots, self.program.slots()),
            self.program.budget(),
        );
        let outcome = machine.run(id);
        let spent = match outcome {
            Err(Fault::Exhausted(_)) => u64::MAX,
            _ => machine.meter.spent(),
        };
        SharedValue { value: outcome.ok().map(Value::into_owned), spent }
    }

    /// The values of all slots that are the same for all rows.
    pub(super) fn shared_slots(&self) -> Vec<Value<'_>> {
        self.columns.iter().map(|column| column.shared().map_or(Value::Absent, Value::borrowed)).collect()
    }

    /// What `in` looks in, where that is the same for all rows.
    pub(super) fn members(&self, id: NodeId) -> Option<&Members> {
        let NodeKind::Binary { op: BinaryOp::In, right, .. } = self.kind(id) else { return None };
        if !self.way(*right).is_shared {
            return None;
        }
        let list = || match self.kind(*right) {
            NodeKind::Slot(slot) => self.columns.get(*slot as usize)?.shared(),
            _ => self.shared(*right)?.value.as_ref(),
        };
        let make = || match list() {
            Some(Value::List(list)) => Members::of(list).map(Box::new),
            _ => None,
        };
        self.way(id).members.get_or_init(make).as_deref()
    }
}

impl Column {
    /// The value that all rows have.
    const fn shared(&self) -> Option<&Value<'static>> {
        match (&self.shape, &self.absent, &self.nulls) {
            (Shape::Constant(value), None, None) => Some(value),
            _ => None,
        }
    }
}

impl<'a> Walk<'a> {
    /// A value that all rows have, or an error of all rows.
    #[inline(never)]
    pub(super) fn shared(&self, shared: &'a SharedValue, count: usize, mask: &Bits) -> Vector<'a> {
        if !mask.is_empty() {
            self.charge(shared.spent);
        }
        match &shared.value {
            Some(value) => Vector::Const(value.borrowed()),
            None => Vector::Values(vec![None; count]),
        }
    }

    #[inline(never)]
    pub(super) fn shared_truth(&self, shared: &'a SharedValue, count: usize, mask: &Bits) -> Truth {
        self.shared(shared, count, mask).truth(mask)
    }

    /// `in` with a list that all rows have.
    #[inline(never)]
    pub(super) fn is_member(
        &self,
        left: NodeId,
        members: &Members,
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Truth {
        let operand = self.operand(left, frame, mask);
        if !mask.is_empty() {
            let is_any = matches!(&*operand, Vector::Const(_) | Vector::Column(..) | Vector::Values(_));
            self.charge(if is_any { members.most } else { members.simple });
        }
        self.in_set(&operand, &members.set, members.texts.as_ref(), mask)
    }
}
