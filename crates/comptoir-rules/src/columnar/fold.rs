//! Macros over lists: the elements of a block's lists lie side by side, so that they are blocks of their own.

use std::rc::Rc;

use super::bits::{BLOCK, Bits, Ranks, WORDS};
use super::column::{Column, Shape};
use super::frame::Frame;
use super::rare::Rare;
use super::rows::Rows;
use super::vector::{Truth, Vector, missing};
use super::walk::Walk;
use crate::ir::{FoldNode, NodeId};
use crate::syntax::FoldKind;
use crate::value::Value;
use comptoir_types::simd::wide;

/// The lists of a block.
struct Lists<'a> {
    elements: &'a Column,
    /// First element of each row, and behind them the end of the last.
    bounds: Vec<usize>,
    /// Rows in which there is no list.
    fault: Rare,
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
        let fault = missing(column.nulls.as_ref(), &rows, frame.count).or(&absent);
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
        if !matches!(fold.kind, FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne) {
            return None;
        }
        let lists = self.lists(fold.range, frame)?;
        let mut quantifier = Box::new(Quantifier::new(fold.kind, &lists, frame.count, mask));
        self.parts(id, &lists, frame, mask, |part, inner| {
            let elements = quantifier.elements(part);
            let body = self.truth(fold.body, inner, &elements);
            quantifier.add(part, &elements, &body);
        });
        Some(quantifier.finish(mask))
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
            return Some(Vector::Bool(Box::new(self.quantify(id, fold, frame, mask)?), Rare::NONE));
        }
        let lists = self.lists(fold.range, frame)?;
        let left = mask.without(&lists.fault);
        let mut rows: Vec<Option<Vec<Value<'a>>>> =
            (0..frame.count).map(|row| left.has(row).then(Vec::new)).collect();
        self.parts(id, &lists, frame, mask, |part, inner| {
            let chosen = match fold.filter {
                Some(filter) => self.truth(filter, inner, &part.mask),
                None => Truth::sure(part.mask),
            };
            let elements = part.mask.and(chosen.is).without(&chosen.fault);
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
        let rows = mask.without(&lists.fault);
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

    /// The rows with one of these elements in the part: those before whose end more of them are set than before their start.
    /// Going from one element to the next would be a branch that is hard to guess.
    fn rows_with(&self, lists: &Lists<'_>, hits: &Bits) -> Bits {
        let (first, last) = self.rows;
        let bounds = lists.bounds.get(first..=last + 1).unwrap_or(&[]);
        let ranks = Ranks::of(hits);
        let [first, ends @ ..] = bounds else { return Bits::NONE };
        let mut words = [0; WORDS];
        wide(
            #[inline(always)]
            || {
                let rank = |bound: usize| ranks.before(bound.saturating_sub(self.start).min(self.count));
                let (mut before, mut ends, mut bit) = (rank(*first), ends, self.rows.0 % 64);
                for word in words.iter_mut().skip(self.rows.0 / 64) {
                    let (own, others) = ends.split_at((64 - bit).min(ends.len()));
                    for end in own {
                        let rank = rank(*end);
                        *word |= u64::from(rank != before) << bit;
                        before = rank;
                        bit += 1;
                    }
                    (ends, bit) = (others, 0);
                }
            },
        );
        Bits::from_words(words)
    }
}

/// The rows of `all`, `exists` or `exists_one` over the lists of a block, part by part.
struct Quantifier<'l, 'a> {
    kind: FoldKind,
    lists: &'l Lists<'a>,
    asked: Bits,
    /// Rows that no element decides yet.
    left: Bits,
    /// Rows that an element decides.
    found: Bits,
    fault: Bits,
    /// Elements for which the body holds, where they are counted.
    counts: Vec<u32>,
}

impl<'l, 'a> Quantifier<'l, 'a> {
    fn new(kind: FoldKind, lists: &'l Lists<'a>, count: usize, mask: &Bits) -> Self {
        let asked = mask.without(&lists.fault);
        let counts = vec![0; if kind == FoldKind::ExistsOne { count } else { 0 }];
        Self { kind, lists, asked, left: asked, found: Bits::NONE, fault: Bits::NONE, counts }
    }

    /// The elements of a part that may matter.
    fn elements(&self, part: &Part) -> Bits {
        if self.left == self.asked { part.mask } else { part.elements_of(self.lists, &self.left) }
    }

    fn add(&mut self, part: &Part, elements: &Bits, body: &Truth) {
        let wrong = body.fault.and(elements);
        if !wrong.is_none() {
            self.fault = self.fault.or(part.rows_with(self.lists, &wrong.bits()).and(self.left));
        }
        let hits = match self.kind {
            FoldKind::All => elements.minus(body.is).without(&wrong),
            _ => elements.and(body.is),
        };
        if hits.is_empty() {
            return;
        }
        if self.kind == FoldKind::ExistsOne {
            self.count(part, &hits);
            return;
        }
        self.found = self.found.or(part.rows_with(self.lists, &hits).and(self.left));
        self.left = self.left.minus(self.found);
    }

    fn count(&mut self, part: &Part, hits: &Bits) {
        let ranks = Ranks::of(hits);
        self.left.each_in(part.rows, |row| {
            let (start, end) = part.span(self.lists, row);
            if let Some(count) = self.counts.get_mut(row) {
                *count += ranks.before(end) - ranks.before(start);
            }
        });
    }

    fn finish(&self, mask: &Bits) -> Truth {
        let is = match self.kind {
            FoldKind::All => self.asked.minus(self.found).minus(self.fault),
            FoldKind::Exists => self.found,
            _ => self.asked.minus(self.fault).filter(|row| self.counts.get(row) == Some(&1)),
        };
        Truth { is, fault: Rare::from(self.fault.minus(self.found)).or(&self.lists.fault.and(mask)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(lengths: impl Iterator<Item = usize>, first: usize, elements: &Column) -> Lists<'_> {
        let mut bounds = vec![first];
        bounds.extend(lengths.scan(first, |end, length| {
            *end += length;
            Some(*end)
        }));
        Lists { elements, bounds, fault: Rare::NONE }
    }

    #[test]
    fn rows_with_an_element_are_those_where_one_is_found() {
        let elements = Column::constant(Value::Null);
        for (rows, length) in
            [(BLOCK, 3), (BLOCK, 1), (500, 12), (65, 150), (1, 20_000), (3, BLOCK), (100, 0)]
        {
            let lists = lists((0..rows).map(|row| row * 7 % (length + 1)), 1000, &elements);
            let end = lists.bounds.last().copied().unwrap_or(0);
            for (start, step) in
                (1000..end).step_by(BLOCK).zip([1, 3, 40, 700, 2047, 5000].into_iter().cycle())
            {
                let count = BLOCK.min(end - start);
                let mut part = Part { start, count, mask: Bits::NONE, parents: Rc::new([]), rows: (0, 0) };
                part.fill(&lists, rows, &Bits::first(rows), false);
                let hits =
                    Bits::first(count).filter(|element| (element + 1) % step == 0 || element + 1 == count);
                let has = |row: usize| {
                    let (first, last) = part.span(&lists, row);
                    (first..last).any(|element| hits.has(element))
                };
                let expected = Bits::first(rows).filter(has);
                assert!(part.rows_with(&lists, &hits) == expected, "{rows} {length} {start} {step}");
            }
        }
    }
}
