//! What rows say, compared whatever their order in the input.

use std::cmp::Ordering;

use arrow_array::ArrayRef;
use hashbrown::{HashMap, HashSet};

use super::Source;
use crate::reject::{Fault, RejectCode};
use crate::repeats::{self, Repeats};
use crate::valuation::columns::{Columns, Units};

/// The rows of a history with what their columns mean.
pub(super) struct Content<'a> {
    source: &'a Source,
    columns: &'a Columns,
    /// Rows that cannot be read: they stand behind all others.
    unreadable: HashSet<u32>,
}

impl<'a> Content<'a> {
    pub fn new(source: &'a Source, columns: &'a Columns, faults: &[(u32, Fault)]) -> Self {
        Self { source, columns, unreadable: repeats::unreadable(faults) }
    }

    /// What becomes of rows whose id occurred before, each given with the first row that has it.
    pub fn repeats(&self, repeats: Vec<(u32, u32)>) -> Repeats {
        repeats::choose(repeats, |one, other| self.order(one, other))
    }

    /// The row that gives the class of each of some items: the first in time, then by id.
    pub fn classes(&self, items: &HashSet<u32>) -> HashMap<u32, u32> {
        repeats::leaders(items, &self.columns.item, |one, other| {
            let by_time = self.readable_at(one).cmp(&self.readable_at(other));
            by_time.then_with(|| self.columns.ids.compare(one, other)).then_with(|| self.order(one, other))
        })
    }

    fn readable_at(&self, row: u32) -> (bool, Option<i64>) {
        (self.unreadable.contains(&row), self.numbers(row)[0])
    }

    /// Order by time, then by the other columns; equal where all of them say the same.
    fn order(&self, one: u32, other: u32) -> Ordering {
        let by_time = self.readable_at(one).cmp(&self.readable_at(other));
        by_time.then_with(|| self.numbers(one).cmp(&self.numbers(other))).then_with(|| {
            if self.has_same_codes(one, other) { Ordering::Equal } else { self.compare_texts(one, other) }
        })
    }

    fn numbers(&self, row: u32) -> [Option<i64>; 5] {
        let Some((chunk, place)) = self.columns.locate(row) else {
            return [None; 5];
        };
        let [at, quantity, amount, unit_cost] = [&chunk.at, &chunk.quantity, &chunk.amount, &chunk.unit_cost]
            .map(|column: &Units| column.get(place).copied());
        [at, chunk.kind.get(place).map(|kind| i64::from(*kind)), quantity, amount, unit_cost]
    }

    /// Whether the coded columns are the same, a short way to find that the texts are.
    fn has_same_codes(&self, one: u32, other: u32) -> bool {
        let columns = self.columns;
        let coded = [&columns.item, &columns.pool, &columns.lot, &columns.group];
        coded.iter().all(|column| Columns::code(column, one) == Columns::code(column, other))
            && self
                .compare(&[&self.source.reference, &self.source.class, &self.source.document], one, other)
                .is_eq()
    }

    fn compare_texts(&self, one: u32, other: u32) -> Ordering {
        let Source { item, pool, lot, group, reference, class, document, .. } = self.source;
        self.compare(&[item, pool, lot, group, reference, class, document], one, other)
    }

    fn compare(&self, columns: &[&Vec<ArrayRef>], one: u32, other: u32) -> Ordering {
        let text = |chunks: &[ArrayRef], row| self.source.text(chunks, row);
        let orders = columns.iter().map(|chunks| text(chunks, one).cmp(&text(chunks, other)));
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

/// Rows whose class is not that of their item's, which `first` gives by item.
pub(super) fn class_conflicts(class: &[u32], item: &[u32], first: &[u64]) -> Vec<(u32, Fault)> {
    let conflict = |(row, (own, item)): (u32, (&u32, &u32))| {
        let first = first.get(*item as usize).and_then(|first| usize::try_from(*first).ok())?;
        let differs = class.get(first) != Some(own);
        differs.then(|| (row, Fault::with(RejectCode::ClassConflict, 0, i64::try_from(first).unwrap_or(0))))
    };
    (0u32..).zip(class.iter().zip(item)).filter_map(conflict).collect()
}
