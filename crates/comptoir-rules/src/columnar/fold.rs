//! Macros over lists: the elements of a block's lists lie side by side, so that they are blocks of their own.

use std::rc::Rc;

use super::bits::{BLOCK, Bits, WORDS};
use super::column::{Column, Shape};
use super::frame::Frame;
use super::rows::Rows;
use super::vector::{Truth, Vector, missing};
use super::walk::Walk;
use crate::ir::{FoldNode, NodeId};
use crate::simd::wide;
use crate::syntax::FoldKind;
use crate::value::Value;

/// The lists of a block.
struct Lists<'a> {
    elements: &'a Column,
    /// First element of each row, and behind them the end of the last.
    bounds: Vec<usize>,
    /// Rows in which there is no list.
    fault: Bits,
}

/// A block of elements: which they are, those of rows that are left, and the rows that they belong to.
struct Part {
    start: usize,
    count: usize,
    mask: Bits,
    parents: Rc<[u32]>,
    /// First and last row with an element in it.
    rows: (usize, usize),
}

impl Part {
    /// The elements of a row that are in the part, by their places in it.
    fn span(&self, lists: &Lists<'_>, row: usize) -> (usize, usize) {
        let (start, end) = lists.range(row);
        (
            start.clamp(self.start, self.start + self.count) - self.start,
            end.clamp(self.start, self.start + self.count) - self.start,
        )
    }
}

impl Lists<'_> {
    #[inline]
    fn range(&self, row: usize) -> (usize, usize) {
        match (self.bounds.get(row), self.bounds.get(row + 1)) {
            (Some(start), Some(end)) => (*start, *end),
            _ => (0, 0),
        }
    }
}

impl<'a> Walk<'a> {
    fn lists(&self, range: NodeId, frame: &Frame<'_, 'a>) -> Option<Lists<'a>> {
        let (column, rows) = self.leaf(range, frame)?;
        let (Shape::List(offsets, elements), Rows::Span(start)) = (&column.shape, &rows) else { return None };
        let absent = missing(column.absent.as_ref(), &rows, frame.count);
        let fault = missing(column.nulls.as_ref(), &rows, frame.count).or(absent);
        Some(Lists { elements, bounds: offsets.bounds(*start, frame.count), fault })
    }

    /// `all`, `exists`, `exists_one`; `None` where the macro gives no truth.
    #[inline(never)]
    pub(super) fn quantify(
        &self,
        id: NodeId,
        fold: &FoldNode,
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Option<Truth> {
        let lists = self.lists(fold.range, frame)?;
        let mut left = mask.minus(lists.fault);
        let asked = left;
        let mut found = Bits::NONE;
        let mut fault = Bits::NONE;
        let mut counts = vec![0_usize; if fold.kind == FoldKind::ExistsOne { frame.count } else { 0 }];
        if !matches!(fold.kind, FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne) {
            return None;
        }
        self.parts(id, &lists, frame, mask, |part, inner| {
            let elements = if left == asked { part.mask } else { part.elements_of(&lists, &left) };
            let body = self.truth(fold.body, inner, &elements);
            let wrong = body.fault.and(elements);
            let hits = match fold.kind {
                FoldKind::All => elements.minus(body.is).minus(wrong),
                _ => elements.and(body.is),
            };
            if !wrong.is_empty() {
                fault = fault.or(part.rows_with(&lists, &wrong).and(left));
            }
            if hits.is_empty() {
                return;
            }
            if counts.is_empty() {
                found = found.or(part.rows_with(&lists, &hits).and(left));
                left = left.minus(found);
                return;
            }
            left.each_in(part.rows, |row| {
                let (start, end) = part.span(&lists, row);
                if let Some(count) = counts.get_mut(row) {
                    *count += hits.count_in(start, end);
                }
            });
        });
        let is = match fold.kind {
            FoldKind::All => asked.minus(found).minus(fault),
            FoldKind::Exists => found,
            _ => asked.minus(fault).filter(|row| counts.get(row) == Some(&1)),
        };
        Some(Truth { is, fault: fault.minus(found).or(lists.fault.and(*mask)) })
    }

    /// `map` and `filter`; `None` where the macro gives something else.
    #[inline(never)]
    pub(super) fn collect(
        &self,
        id: NodeId,
        fold: &FoldNode,
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Option<Vector<'a>> {
        if !matches!(fold.kind, FoldKind::Map | FoldKind::Filter) {
            return Some(Vector::Bool(self.quantify(id, fold, frame, mask)?, Bits::NONE));
        }
        let lists = self.lists(fold.range, frame)?;
        let left = mask.minus(lists.fault);
        let mut rows: Vec<Option<Vec<Value<'a>>>> =
            (0..frame.count).map(|row| left.has(row).then(Vec::new)).collect();
        self.parts(id, &lists, frame, mask, |part, inner| {
            let chosen = match fold.filter {
                Some(filter) => self.truth(filter, inner, &part.mask),
                None => Truth::sure(part.mask),
            };
            let elements = part.mask.and(chosen.is).minus(chosen.fault);
            let body = self.vector(fold.body, inner, &elements);
            left.each_in(part.rows, |row| {
                let (start, end) = part.span(&lists, row);
                let Some(place) = rows.get_mut(row) else { return };
                if chosen.fault.any_in(start, end) {
                    *place = None;
                }
                for element in (start..end).filter(|element| elements.has(*element)) {
                    match (body.get(element), place.as_mut()) {
                        (Some(value), Some(list)) => list.push(value),
                        _ => *place = None,
                    }
                }
            });
        });
        Some(Vector::Values(rows.into_iter().map(|row| row.map(Value::list)).collect()))
    }

    /// Visits the elements of all lists in blocks; those without an element of a row in `mask` are left out.
    fn parts(
        &self,
        id: NodeId,
        lists: &Lists<'a>,
        frame: &Frame<'_, 'a>,
        mask: &Bits,
        mut visit: impl FnMut(&Part, &Frame<'_, 'a>),
    ) {
        let rows = mask.minus(lists.fault);
        let reads_outside = self.plan.way(id).reads_outside;
        let (mut start, _) = lists.range(0);
        let (_, end) = lists.range(frame.count.saturating_sub(1));
        let lengths = lists.bounds.iter().zip(lists.bounds.iter().skip(1)).map(|(start, end)| end - start);
        let longest = lengths.max().unwrap_or(0);
        let mut most = 0;
        let mut first_row = 0;
        while start < end {
            let count = BLOCK.min(end - start);
            let mut part =
                Part { start, count, mask: Bits::NONE, parents: Rc::new([]), rows: (first_row, first_row) };
            part.fill(lists, frame.count, &rows, reads_outside);
            first_row = part.rows.1;
            start += count;
            if part.mask.is_empty() {
                continue;
            }
            let inner = Frame::of_elements(part.start, count, lists.elements, (frame, part.parents.clone()));
            let ((), units) = self.measure(|| visit(&part, &inner));
            most = units.max(most);
        }
        self.charge(most.saturating_add(1).saturating_mul(longest as u64));
    }
}

impl Part {
    /// Finds the rows with elements in the part.
    fn fill(&mut self, lists: &Lists<'_>, rows: usize, left: &Bits, with_parents: bool) {
        let end = self.start + self.count;
        let behind = lists.bounds.partition_point(|start| *start < end);
        self.rows.1 = behind.saturating_sub(1).min(rows.saturating_sub(1)).max(self.rows.0);
        if *left == Bits::first(rows) {
            self.mask = Bits::first(self.count);
        } else {
            self.mask = self.elements_of(lists, left);
        }
        if with_parents {
            let mut parents = vec![0_u32; self.count];
            for row in self.rows.0..=self.rows.1 {
                let (first, last) = self.span(lists, row);
                if let Some(parents) = parents.get_mut(first..last) {
                    parents.fill(u32::try_from(row).unwrap_or(u32::MAX));
                }
            }
            self.parents = parents.into();
        }
    }

    /// The elements of rows that are left: found by those of the others where these are fewer.
    fn elements_of(&self, lists: &Lists<'_>, left: &Bits) -> Bits {
        let mut rows = Bits::NONE;
        rows.set_range(self.rows.0, self.rows.1 + 1);
        let (left, others) = (rows.and(*left), rows.minus(*left));
        let is_most = others.count() < left.count();
        let mut runs = Bits::NONE;
        let visited = if is_most { others } else { left };
        visited.each_in(self.rows, |row| {
            let (first, last) = self.span(lists, row);
            runs.set_range(first, last);
        });
        if is_most { Bits::first(self.count).minus(runs) } else { runs }
    }

    /// The rows with one of these elements in the part.
    fn rows_with(&self, lists: &Lists<'_>, hits: &Bits) -> Bits {
        let (first, last) = self.rows;
        let bounds = lists.bounds.get(first..=last + 1).unwrap_or(&[]);
        let mut padded = [0; WORDS + 2];
        padded.iter_mut().zip(hits.words()).for_each(|(padded, word)| *padded = *word);
        let mut words = [0; WORDS];
        wide(
            #[inline(always)]
            || {
                let (mut word, mut row) = (0, first);
                for pair in bounds.windows(2) {
                    let [start, end] = pair else { continue };
                    let start = start.saturating_sub(self.start).min(self.count);
                    let end = end.saturating_sub(self.start).min(self.count);
                    word |= u64::from(any(&padded, hits, start, end)) << (row % 64);
                    row += 1;
                    if row % 64 == 0 || row > last {
                        if let Some(place) = words.get_mut((row - 1) / 64) {
                            *place = word;
                        }
                        word = 0;
                    }
                }
            },
        );
        Bits::from_words(words)
    }
}

/// Whether one of the elements from `start` to before `end` is set. Short lists are tested without a branch.
#[inline(always)]
fn any(padded: &[u64; WORDS + 2], hits: &Bits, start: usize, end: usize) -> bool {
    let count = end.saturating_sub(start);
    if count > 63 {
        return hits.any_in(start, end);
    }
    let (index, shift) = (start / 64, start % 64);
    let word = |index: usize| padded.get(index).copied().unwrap_or(0);
    // The upper part is shifted in two steps: by sixty-four it would not be shifted at all.
    let window = word(index) >> shift | word(index + 1) << 1 << (63 - shift);
    window & !(u64::MAX << count) != 0
}
