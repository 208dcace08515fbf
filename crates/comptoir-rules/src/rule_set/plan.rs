use std::sync::Arc;

use super::clause::{Clause, General, number};
use super::vocabulary::{Axis, Dictionary};
use crate::ir::Slot;

/// The compiled rules of a set, numbered in the order in which they count.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub inputs: Vec<Slot>,
    /// The slots after the inputs: the variable that each comes from, and its name.
    pub derived: Vec<(u32, Arc<str>)>,
    pub variables: Vec<Variable>,
    pub dictionaries: Vec<Dictionary>,
    pub axes: Vec<Axis>,
    pub clauses: Vec<Clause>,
    pub generals: Vec<General>,
    pub budget: u64,
    /// Where the branches of each rule end.
    branches: Vec<u32>,
    /// Where the clauses of each branch end.
    ends: Vec<u32>,
    operands: Vec<u32>,
}

/// A value that is computed once for an event.
#[derive(Debug)]
pub(super) struct Variable {
    pub general: u32,
    /// The slots that are parts of it, with the fields that lead there.
    pub slots: Vec<(u32, Vec<Arc<str>>)>,
}

impl Plan {
    /// Adds the next rule.
    pub(super) fn push(&mut self, branches: &[Vec<u32>]) {
        for branch in branches {
            self.operands.extend(branch);
            self.ends.push(number(self.operands.len()));
        }
        self.branches.push(number(self.ends.len()));
    }

    pub(super) const fn rules(&self) -> usize {
        self.branches.len()
    }

    /// The alternatives of a rule.
    #[inline]
    pub(super) fn branches(&self, rule: u32) -> std::ops::Range<u32> {
        span(&self.branches, rule)
    }

    /// The clauses of an alternative.
    #[inline]
    pub(super) fn operands(&self, branch: u32) -> &[u32] {
        let range = span(&self.ends, branch);
        self.operands.get(range.start as usize..range.end as usize).unwrap_or(&[])
    }

    /// The type of an expression's values.
    #[cfg(feature = "arrow")]
    pub(super) fn type_of(&self, general: u32) -> crate::types::Type {
        let node = self.generals.get(general as usize).and_then(|of| of.nodes.last());
        node.map_or(crate::types::Type::Dyn, |node| node.ty.clone())
    }

    pub(super) fn clause(&self, clause: u32) -> Option<&Clause> {
        self.clauses.get(clause as usize)
    }

    /// Gives back the memory that building took beyond what is there.
    pub(super) fn shrink(&mut self) {
        self.clauses.shrink_to_fit();
        self.generals.shrink_to_fit();
        self.branches.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.operands.shrink_to_fit();
    }

    /// Bytes of clauses and of the lists of them, without the index.
    pub(super) fn bytes(&self) -> usize {
        let clauses: usize = self
            .clauses
            .iter()
            .map(|clause| {
                let codes = match clause {
                    Clause::In { codes, .. } | Clause::Any { codes, .. } => codes.len() * 4,
                    Clause::Share(share) => size_of_val(&**share) + share.salt.len(),
                    _ => 0,
                };
                size_of::<Clause>() + codes
            })
            .sum();
        clauses
            + self.generals.iter().map(General::bytes).sum::<usize>()
            + 4 * (self.branches.len() + self.ends.len() + self.operands.len())
    }
}

#[inline]
fn span(ends: &[u32], index: u32) -> std::ops::Range<u32> {
    let end = ends.get(index as usize).copied().unwrap_or(0);
    let start = match index.checked_sub(1) {
        Some(before) => ends.get(before as usize).copied().unwrap_or(0),
        None => 0,
    };
    start..end
}
