//! `has` of inputs and of fields.

use super::bits::Bits;
use super::column::{Column, Shape};
use super::frame::Frame;
use super::rows::Rows;
use super::vector::{Truth, missing};
use super::walk::Walk;
use crate::ir::NodeId;
use crate::value::Value;

impl<'a> Walk<'a> {
    #[inline(never)]
    pub(super) fn has_slot(&self, slot: u32, frame: &Frame<'_, 'a>, mask: &Bits) -> Truth {
        match self.column(slot, frame) {
            Some(column) => has(column, &frame.rows(frame.depth()), frame.count, mask),
            None => Truth::sure(Bits::NONE),
        }
    }

    #[inline(never)]
    pub(super) fn has_field(
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
        let fault = missing(column.nulls.as_ref(), &rows, frame.count).or(&absent);
        let field = of.position(name).and_then(|index| fields.get(index));
        let found = field.map_or(Bits::NONE, |field| set_rows(field, &rows, frame.count, mask));
        Truth { is: found.without(&fault), fault: fault.and(mask) }
    }
}

/// The rows of a column where something is, and not null.
fn set_rows(column: &Column, rows: &Rows, count: usize, mask: &Bits) -> Bits {
    if let Shape::Constant(_) = column.shape {
        return mask.filter(|row| !matches!(column.get(rows.at(row)), Value::Absent | Value::Null));
    }
    let absent = missing(column.absent.as_ref(), rows, count);
    mask.without(&absent).without(&missing(column.nulls.as_ref(), rows, count))
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
    Truth { is, fault: fault.into() }
}
