//! `condition ? then : otherwise`: each branch for the rows that take it.

use super::bits::Bits;
use super::frame::Frame;
use super::rare::Rare;
use super::vector::{Lanes, Truth, Vector};
use super::walk::Walk;
use crate::ir::NodeId;

/// The rows of a condition.
struct Branches {
    yes: Bits,
    no: Bits,
    fault: Rare,
}

impl Branches {
    #[inline(never)]
    fn new(condition: &Truth, mask: &Bits) -> Box<Self> {
        let no = mask.minus(condition.is).without(&condition.fault);
        Box::new(Self { yes: mask.and(condition.is), no, fault: condition.fault.clone() })
    }

    #[inline(never)]
    fn join(&self, then: &Truth, otherwise: &Truth) -> Truth {
        let (yes, no) = (self.yes, self.no);
        Truth {
            is: then.is.and(yes).or(otherwise.is.and(no)),
            fault: self.fault.or(&then.fault.and(&yes)).or(&otherwise.fault.and(&no)),
        }
    }
}

impl<'a> Walk<'a> {
    #[inline(never)]
    fn branches(&self, condition: NodeId, frame: &Frame<'_, 'a>, mask: &Bits) -> Box<Branches> {
        Branches::new(&self.truth(condition, frame, mask), mask)
    }

    /// The truth of a condition's branches.
    #[inline(never)]
    pub(super) fn choose_truth(
        &self,
        condition: NodeId,
        (then, otherwise): (NodeId, NodeId),
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Truth {
        let branches = self.branches(condition, frame, mask);
        let then = self.boxed_truth(then, frame, &branches.yes);
        let otherwise = self.boxed_truth(otherwise, frame, &branches.no);
        branches.join(&then, &otherwise)
    }

    /// The values of a condition's branches.
    #[inline(never)]
    pub(super) fn choose(
        &self,
        condition: NodeId,
        (then, otherwise): (NodeId, NodeId),
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Vector<'a> {
        let branches = self.branches(condition, frame, mask);
        let then = self.operand(then, frame, &branches.yes);
        let otherwise = self.operand(otherwise, frame, &branches.no);
        blend(&then, &otherwise, &branches, frame.count)
    }
}

/// The values of the first for some rows, of the second for others.
#[inline(never)]
fn blend<'a>(then: &Vector<'a>, otherwise: &Vector<'a>, branches: &Branches, count: usize) -> Vector<'a> {
    fn lanes<'a, T: Copy + Default>(
        (one, yes): (&Lanes<'_, T>, Bits),
        (two, no): (&Lanes<'_, T>, Bits),
        fault: &Rare,
        count: usize,
    ) -> Lanes<'a, T> {
        let pick = |row| if yes.has(row) { one.values.get(row) } else { two.values.get(row) };
        Lanes {
            values: (0..count).map(|row| pick(row).copied().unwrap_or_default()).collect(),
            null: one.null.and(&yes).or(&two.null.and(&no)),
            fault: one.fault.and(&yes).or(&two.fault.and(&no)).or(fault),
        }
    }
    let Branches { yes, no, ref fault } = *branches;
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
