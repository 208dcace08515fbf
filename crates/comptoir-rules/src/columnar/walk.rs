//! The walk over the nodes of a program, block by block.

use std::cell::Cell;

use super::bits::Bits;
use super::column::{Column, Shape};
use super::frame::Frame;
use super::plan::Plan;
use super::rows::Rows;
use super::vector::{Lanes, Truth, Vector, missing};
use crate::eval::{Inputs, Machine, Meter};
use crate::ir::{NodeId, NodeKind};
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
    pub(super) fn truth(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        if frame.values.is_none()
            && let Some((table, keys, column)) = self.plan.table(id)
        {
            self.charge(table.spent);
            return table.look_up(keys, column, &frame.rows(frame.depth()), frame.count, mask);
        }
        self.charge(self.plan.node(id).map_or(0, |node| node.charge.into()));
        match self.plan.kind(id) {
            NodeKind::And(_) => self.chain(id, false, frame, mask),
            NodeKind::Or(_) => self.chain(id, true, frame, mask),
            NodeKind::Not(operand) => {
                let truth = self.truth(*operand, frame, mask);
                Truth { is: mask.minus(truth.is).minus(truth.fault), fault: truth.fault }
            }
            NodeKind::Binary { op, left, right } if is_relation(*op) => {
                let (left, right) = (self.vector(*left, frame, mask), self.vector(*right, frame, mask));
                self.compare(*op, &left, &right, frame.count, mask)
            }
            NodeKind::InSet { operand, set } => {
                let operand = self.vector(*operand, frame, mask);
                self.in_set(&operand, set, self.plan.way(id).set.as_ref(), mask)
            }
            NodeKind::Matches { operand, regex } => {
                let operand = self.vector(*operand, frame, mask);
                self.matches(&operand, regex, self.plan.way(id).pattern.as_ref(), frame.count, mask)
            }
            NodeKind::HasSlot(slot) => match self.column(*slot, frame) {
                Some(column) => has(column, &frame.rows(frame.depth()), frame.count, mask),
                None => Truth::sure(Bits::NONE),
            },
            NodeKind::HasField { operand, name } => self.has_field(id, *operand, name, frame, mask),
            NodeKind::Conditional { condition, then, otherwise }
                if self.plan.node(id).is_some_and(|node| node.ty == Type::Bool) =>
            {
                let condition = self.truth(*condition, frame, mask);
                let yes = mask.and(condition.is);
                let no = mask.minus(condition.is).minus(condition.fault);
                let (then, otherwise) = (self.truth(*then, frame, &yes), self.truth(*otherwise, frame, &no));
                Truth {
                    is: then.is.and(yes).or(otherwise.is.and(no)),
                    fault: condition.fault.or(then.fault.and(yes)).or(otherwise.fault.and(no)),
                }
            }
            NodeKind::Fold(fold) if !self.plan.way(id).is_scalar => {
                match self.quantify(id, fold, frame, mask) {
                    Some(truth) => truth,
                    None => self.values(id, frame, mask).truth(mask),
                }
            }
            NodeKind::Call { function, overloads, args } => {
                self.text_call(function, overloads, args, frame, mask)
            }
            _ => self.values(id, frame, mask).truth(mask),
        }
    }

    /// A chain of `&&` (or `||`): a row that a clause decides is left out of the clauses after it. Errors count only
    /// for rows that no clause decides, so that the order of clauses does not matter.
    fn chain(&self, id: NodeId, deciding: bool, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        let mut left = *mask;
        let mut fault = Bits::NONE;
        for operand in &self.plan.way(id).order {
            if left.is_empty() {
                break;
            }
            let truth = self.truth(*operand, frame, &left);
            fault = fault.or(truth.fault.and(left));
            let decided = if deciding { truth.is } else { Bits::first(frame.count).minus(truth.is) };
            left = left.minus(decided.minus(truth.fault));
        }
        let fault = fault.and(left);
        let is = if deciding { mask.minus(left) } else { left.minus(fault) };
        Truth { is, fault }
    }

    /// The values of a node for the rows in `mask`.
    pub(super) fn vector(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
        match self.plan.kind(id) {
            NodeKind::And(_)
            | NodeKind::Or(_)
            | NodeKind::Not(_)
            | NodeKind::InSet { .. }
            | NodeKind::Matches { .. }
            | NodeKind::HasSlot(_)
            | NodeKind::HasField { .. } => Vector::Bool(self.truth(id, frame, mask), Bits::NONE),
            NodeKind::Binary { op, .. } if is_relation(*op) => {
                Vector::Bool(self.truth(id, frame, mask), Bits::NONE)
            }
            NodeKind::Call { overloads, .. }
                if overloads.len() == 1 && overloads.iter().all(|one| one.result == Type::Bool) =>
            {
                Vector::Bool(self.truth(id, frame, mask), Bits::NONE)
            }
            _ => {
                self.charge(self.plan.node(id).map_or(0, |node| node.charge.into()));
                self.values(id, frame, mask)
            }
        }
    }

    /// The values of a node that gives more than truth.
    fn values(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
        if let Some((column, rows)) = self.leaf(id, frame) {
            return Vector::load(column, &rows, frame.count);
        }
        match self.plan.kind(id) {
            NodeKind::Const(value) => Vector::Const(value.borrowed()),
            NodeKind::Binary { op, left, right } => {
                let (left, right) = (self.vector(*left, frame, mask), self.vector(*right, frame, mask));
                self.arithmetic(*op, &left, &right, mask)
            }
            NodeKind::Negate(operand) => {
                let operand = self.vector(*operand, frame, mask);
                self.negate(operand, mask)
            }
            NodeKind::Conditional { condition, then, otherwise } => {
                let condition = self.truth(*condition, frame, mask);
                let yes = mask.and(condition.is);
                let no = mask.minus(condition.is).minus(condition.fault);
                let (then, otherwise) =
                    (self.vector(*then, frame, &yes), self.vector(*otherwise, frame, &no));
                blend(&then, yes, &otherwise, no, condition.fault, frame.count)
            }
            NodeKind::Call { function, overloads, args } => {
                let args: Vec<Vector<'a>> = args.iter().map(|arg| self.vector(*arg, frame, mask)).collect();
                self.call(function, overloads, &args, mask)
            }
            NodeKind::Fold(fold) if !self.plan.way(id).is_scalar => match self.collect(id, fold, frame, mask)
            {
                Some(vector) => vector,
                None => self.scalar(id, frame, mask),
            },
            _ => self.scalar(id, frame, mask),
        }
    }

    /// The column of a slot.
    fn column(&self, slot: u32, frame: &Frame<'_, 'a>) -> Option<&'a Column> {
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

    fn has_field(
        &self,
        id: NodeId,
        operand: NodeId,
        name: &str,
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Truth {
        let Some((column, rows)) = self.leaf(operand, frame) else {
            return self.scalar(id, frame, mask).truth(mask);
        };
        let Shape::Struct(of, fields) = &column.shape else {
            return self.scalar(id, frame, mask).truth(mask);
        };
        // The struct itself must be there.
        let absent = missing(column.absent.as_ref(), &rows, frame.count);
        let fault = missing(column.nulls.as_ref(), &rows, frame.count).or(absent);
        let field = of.position(name).and_then(|index| fields.get(index));
        let found = field.map_or(Bits::NONE, |field| set_rows(field, &rows, frame.count, mask));
        Truth { is: found.minus(fault), fault: fault.and(*mask) }
    }

    /// A node without a kernel: each row by the scalar evaluator, and only those rows that are left.
    fn scalar(&self, id: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Vector<'a> {
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

/// Whether an operator gives a truth value.
pub(super) const fn is_relation(op: BinaryOp) -> bool {
    use BinaryOp as B;
    matches!(op, B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual | B::In)
}

/// The rows of a column where something is, and not null.
fn set_rows(column: &Column, rows: &Rows, count: usize, mask: &Bits) -> Bits {
    if let Shape::Constant(_) = column.shape {
        return mask.filter(|row| !matches!(column.get(rows.at(row)), Value::Absent | Value::Null));
    }
    let absent = missing(column.absent.as_ref(), rows, count);
    mask.minus(absent).minus(missing(column.nulls.as_ref(), rows, count))
}

/// `has` of an input: a cell that does not fit its type is an error.
fn has(column: &Column, rows: &Rows, count: usize, mask: &Bits) -> Truth {
    use crate::value::EvalCode as C;
    let can_fail = matches!(
        column.shape,
        Shape::Constant(_)
            | Shape::Int(_)
            | Shape::Uint(_)
            | Shape::Decimal(_)
            | Shape::Time(..)
            | Shape::Span(..)
            | Shape::Dictionary(..)
    );
    if !can_fail {
        return Truth::sure(set_rows(column, rows, count, mask));
    }
    let mut fault = Bits::NONE;
    let is = mask.filter(|row| match column.get(rows.at(row)) {
        Value::Absent | Value::Null => false,
        Value::Error(error) if matches!(error.code, C::NoSuchField | C::NoSuchKey) => false,
        Value::Error(_) | Value::Unknown(_) => {
            fault.set(row);
            false
        }
        _ => true,
    });
    Truth { is, fault }
}

/// The values of the first for some rows, of the second for others.
fn blend<'a>(
    then: &Vector<'a>,
    yes: Bits,
    otherwise: &Vector<'a>,
    no: Bits,
    fault: Bits,
    count: usize,
) -> Vector<'a> {
    fn lanes<'a, T: Copy + Default>(
        (one, yes): (&Lanes<'_, T>, Bits),
        (two, no): (&Lanes<'_, T>, Bits),
        fault: Bits,
        count: usize,
    ) -> Lanes<'a, T> {
        let pick = |row| if yes.has(row) { one.values.get(row) } else { two.values.get(row) };
        Lanes {
            values: (0..count).map(|row| pick(row).copied().unwrap_or_default()).collect(),
            null: one.null.and(yes).or(two.null.and(no)),
            fault: one.fault.and(yes).or(two.fault.and(no)).or(fault),
        }
    }
    match (then, otherwise) {
        (Vector::Int(one), Vector::Int(two)) => Vector::Int(lanes((one, yes), (two, no), fault, count)),
        (Vector::Double(one), Vector::Double(two)) => {
            Vector::Double(lanes((one, yes), (two, no), fault, count))
        }
        _ => Vector::Values(
            (0..count)
                .map(|row| match () {
                    () if yes.has(row) => then.get(row),
                    () if no.has(row) => otherwise.get(row),
                    () => None,
                })
                .collect(),
        ),
    }
}
