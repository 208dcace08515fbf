//! The walk over the nodes of a program, block by block.

use std::cell::Cell;

use super::bits::Bits;
use super::column::Column;
use super::frame::Frame;
use super::plan::Plan;
use super::rare::Rare;
use super::rows::Rows;
use super::vector::{Truth, Vector};
use crate::eval::{Inputs, Machine, Meter};
use crate::ir::{FoldNode, NodeId, NodeKind};
use crate::syntax::{Access, BinaryOp};
use crate::types::Type;
use crate::value::{Fault, Value};

/// The evaluation of one block.
pub(super) struct Walk<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// Work that no row of the block exceeds, in the units of a budget.
    bound: Cell<u64>,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(plan: &'a Plan<'a>) -> Self {
        Self { plan, bound: Cell::new(0) }
    }

    /// Whether no row of the block can have spent the budget.
    pub(super) fn is_within_budget(&self) -> bool {
        self.bound.get() <= self.plan.program.budget()
    }

    pub(super) const fn bound(&self) -> u64 {
        self.bound.get()
    }

    pub(super) fn charge(&self, units: u64) {
        self.bound.set(self.bound.get().saturating_add(units));
    }

    /// What `body` charges, which is not counted yet.
    pub(super) fn measure<T>(&self, body: impl FnOnce() -> T) -> (T, u64) {
        let before = self.bound.replace(0);
        let result = body();
        (result, self.bound.replace(before))
    }

    /// The truth of a node for the rows in `mask`.
    ///
    /// The walk is as deep as the expression is nested, and a vector takes hundreds of bytes: so this function, as
    /// [`Walk::vector`], only finds which function does the work, operands are boxed, and nothing that needs much
    /// stack is inlined on the way down.
    pub(super) fn truth(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        if let Some(truth) = self.known_truth(id, frame, mask) {
            return truth;
        }
        match self.plan.kind(id) {
            NodeKind::And(_) => self.chain(id, false, frame, mask),
            NodeKind::Or(_) => self.chain(id, true, frame, mask),
            NodeKind::Not(operand) => self.not(*operand, frame, mask),
            NodeKind::Binary { op, left, right } if is_relation(*op) => match self.plan.members(id) {
                Some(members) => self.is_member(*left, members, frame, mask),
                None => self.relation(*op, (*left, *right), frame, mask),
            },
            NodeKind::InSet { operand, set } => {
                let operand = self.operand(*operand, frame, mask);
                self.in_set(&operand, set, self.plan.way(id).set.as_ref(), mask)
            }
            NodeKind::Matches { operand, regex } => {
                let operand = self.operand(*operand, frame, mask);
                self.matches(&operand, regex, self.plan.way(id).pattern.as_ref(), frame.count, mask)
            }
            NodeKind::HasSlot(slot) => self.has_slot(*slot, frame, mask),
            NodeKind::HasField { operand, name } => self.has_field(id, *operand, name, frame, mask),
            NodeKind::Conditional { condition, then, otherwise }
                if self.plan.node(id).is_some_and(|node| node.ty == Type::Bool) =>
            {
                self.choose_truth(*condition, (*then, *otherwise), frame, mask)
            }
            NodeKind::Fold(fold) if !self.plan.way(id).is_scalar => self.fold_truth(id, fold, frame, mask),
            NodeKind::Call { function, overloads, args } => {
                self.text_call(function, overloads, args, frame, mask)
            }
            _ => self.value_truth(id, frame, mask),
        }
    }

    /// The truth of a node that is the same for all rows, or is in a table by the key of a dictionary.
    #[inline]
    fn known_truth(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Option<Truth> {
        if let Some(shared) = self.plan.shared(id) {
            return Some(self.shared_truth(shared, frame.count, mask));
        }
        if frame.values.is_none()
            && let Some((table, keys, column)) = self.plan.table(id)
        {
            self.charge(table.spent);
            return Some(table.look_up(keys, column, &frame.rows(frame.depth()), frame.count, mask));
        }
        self.charge(self.plan.node(id).map_or(0, |node| node.charge.into()));
        None
    }

    #[inline(never)]
    fn not(&self, operand: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        let mut truth = self.truth(operand, frame, mask);
        truth.is = mask.minus(truth.is).without(&truth.fault);
        truth
    }

    #[inline(never)]
    fn relation(
        &self,
        op: BinaryOp,
        (left, right): (NodeId, NodeId),
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Truth {
        let (left, right) = (self.operand(left, frame, mask), self.operand(right, frame, mask));
        self.compare(op, &left, &right, frame.count, mask)
    }

    #[inline(never)]
    fn fold_truth(&self, id: NodeId, fold: &FoldNode, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        match self.quantify(id, fold, frame, mask) {
            Some(truth) => truth,
            None => self.value_truth(id, frame, mask),
        }
    }

    #[inline(never)]
    fn value_truth(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        self.values(id, frame, mask).truth(mask)
    }

    /// A chain of `&&` (or `||`): a row that a clause decides is left out of the clauses after it. Errors count only
    /// for rows that no clause decides, so that the order of clauses does not matter.
    #[inline(never)]
    fn chain(&self, id: NodeId, deciding: bool, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        let mut chain = Box::new(Chain { deciding, left: *mask, fault: Rare::NONE });
        for operand in &self.plan.way(id).order {
            if chain.left.is_empty() {
                break;
            }
            let truth = self.boxed_truth(*operand, frame, &chain.left);
            chain.add(&truth);
        }
        chain.finish(mask)
    }

    /// The truth of an operand, out of the stack.
    #[inline(never)]
    pub(super) fn boxed_truth(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Box<Truth> {
        Box::new(self.truth(id, frame, mask))
    }

    /// The values of a node for the rows in `mask`.
    pub(super) fn vector(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
        if let Some(shared) = self.plan.shared(id) {
            return self.shared(shared, frame.count, mask);
        }
        match self.plan.kind(id) {
            NodeKind::And(_)
            | NodeKind::Or(_)
            | NodeKind::Not(_)
            | NodeKind::InSet { .. }
            | NodeKind::Matches { .. }
            | NodeKind::HasSlot(_)
            | NodeKind::HasField { .. } => self.truth_vector(id, frame, mask),
            NodeKind::Binary { op, .. } if is_relation(*op) => self.truth_vector(id, frame, mask),
            NodeKind::Call { overloads, .. }
                if overloads.len() == 1 && overloads.iter().all(|one| one.result == Type::Bool) =>
            {
                self.truth_vector(id, frame, mask)
            }
            _ => {
                self.charge(self.plan.node(id).map_or(0, |node| node.charge.into()));
                self.values(id, frame, mask)
            }
        }
    }

    /// The values of an operand, out of the stack.
    #[inline(never)]
    pub(super) fn operand(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Box<Vector<'a>> {
        Box::new(self.vector(id, frame, mask))
    }

    #[inline(never)]
    fn truth_vector(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
        Vector::Bool(Box::new(self.truth(id, frame, mask)), Rare::NONE)
    }

    /// The values of a node that gives more than truth.
    #[inline(never)]
    fn values(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
        if let Some((column, rows)) = self.leaf(id, frame) {
            return Vector::load(column, &rows, frame.count);
        }
        match self.plan.kind(id) {
            NodeKind::Const(value) => Vector::Const(value.borrowed()),
            NodeKind::Binary { op, left, right } => {
                let (left, right) = (self.operand(*left, frame, mask), self.operand(*right, frame, mask));
                self.arithmetic(*op, &left, &right, mask)
            }
            NodeKind::Negate(operand) => self.negate(&self.operand(*operand, frame, mask), mask),
            NodeKind::Conditional { condition, then, otherwise } => {
                self.choose(*condition, (*then, *otherwise), frame, mask)
            }
            NodeKind::Call { function, overloads, args } => {
                if let Some(vector) = self.double_of_column(function, overloads, args, frame) {
                    return vector;
                }
                let args = self.operands(args, frame, mask);
                self.host_call(overloads, &args, frame.count, mask)
                    .unwrap_or_else(|| self.call(function, overloads, &args, mask))
            }
            NodeKind::Fold(fold) if !self.plan.way(id).is_scalar => self.fold_values(id, fold, frame, mask),
            _ => self.scalar(id, frame, mask),
        }
    }

    #[inline(never)]
    pub(super) fn operands(&self, ids: &[NodeId], frame: &Frame<'_, 'a>, mask: &Bits) -> Vec<Vector<'a>> {
        ids.iter().map(|id| self.vector(*id, frame, mask)).collect()
    }

    #[inline(never)]
    fn fold_values(&self, id: NodeId, fold: &FoldNode, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
        self.collect(id, fold, frame, mask).unwrap_or_else(|| self.scalar(id, frame, mask))
    }

    /// The column of a slot.
    pub(super) fn column(&self, slot: u32, frame: &Frame<'_, 'a>) -> Option<&'a Column> {
        match frame.values {
            Some((own, values)) if own == slot => Some(values),
            _ => self.plan.columns.get(slot as usize),
        }
    }

    /// The column that a node reads, and its rows.
    pub(super) fn leaf(&self, id: NodeId, frame: &Frame<'_, 'a>) -> Option<(&'a Column, Rows)> {
        match self.plan.kind(id) {
            NodeKind::Slot(slot) => Some((self.column(*slot, frame)?, frame.rows(frame.depth()))),
            NodeKind::Local { up, index: 0 } => {
                let up = usize::from(*up);
                Some((frame.column_up(up)?, frame.rows(up)))
            }
            NodeKind::Field { operand, place: Some((of, index)), access: Access::Plain, .. } => {
                let (column, rows) = self.leaf(*operand, frame)?;
                Some((column.field(of, *index)?, rows))
            }
            _ => None,
        }
    }

    /// A node without a kernel: each row by the scalar evaluator, and only those rows that are left.
    #[inline(never)]
    pub(super) fn scalar(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
        let plan = self.plan;
        let mut most = 0;
        let mut values = vec![None; frame.count];
        let rows = frame.rows(0);
        mask.each(|row| {
            let column =
                |slot: u32| self.column(slot, frame).map_or(Value::Absent, |column| column.get(rows.at(row)));
            let slots: Vec<Value<'_>> = (0..).zip(&plan.columns).map(|(slot, _)| column(slot)).collect();
            let machine = Machine::new(
                plan.program.nodes(),
                plan.program.quick(),
                Inputs::Slots(&slots, plan.program.slots()),
                plan.program.budget(),
            );
            let outcome = machine.run(id);
            most = machine.meter.spent().max(most);
            if let Err(Fault::Exhausted(_)) = outcome {
                most = u64::MAX;
            }
            if let (Some(place), Ok(value)) = (values.get_mut(row), outcome) {
                *place = Some(value.into_owned());
            }
        });
        self.charge(most);
        Vector::Values(values)
    }

    /// Applies `compute` to each row that is left, with a meter of its own.
    pub(super) fn each_row(&self, mask: &Bits, mut compute: impl FnMut(usize, &Meter) -> Result<(), Fault>) {
        let mut most = 0;
        mask.each(|row| {
            let meter = Meter::new(self.plan.program.budget());
            let outcome = compute(row, &meter);
            most = meter.spent().max(most);
            if let Err(Fault::Exhausted(_)) = outcome {
                most = u64::MAX;
            }
        });
        self.charge(most);
    }
}

/// A chain of `&&` or `||` in the making.
struct Chain {
    /// What decides a row.
    deciding: bool,
    /// Rows that are not decided.
    left: Bits,
    fault: Rare,
}

impl Chain {
    #[inline(never)]
    fn add(&mut self, truth: &Truth) {
        self.fault = self.fault.or(&truth.fault.and(&self.left));
        let open = if self.deciding { self.left.minus(truth.is) } else { self.left.and(truth.is) };
        self.left = open.with_rare(&truth.fault.and(&self.left));
    }

    #[inline(never)]
    fn finish(&self, mask: &Bits) -> Truth {
        let fault = self.fault.and(&self.left);
        let is = if self.deciding { mask.minus(self.left) } else { self.left.without(&fault) };
        Truth { is, fault }
    }
}

/// Whether an operator gives a truth value.
pub(super) const fn is_relation(op: BinaryOp) -> bool {
    use BinaryOp as B;
    matches!(op, B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual | B::In)
}
