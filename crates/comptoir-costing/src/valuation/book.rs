//! Postings in book order, and in the order of the input.

use std::cmp::Ordering;

use comptoir_types::decimal::mul_div;
use rayon::prelude::*;

use super::bucket::RowCorrection;
use super::columns::{Chunk, Columns};
use super::lines::{REJECTED, RangePostings};
use super::ties::tie;
use super::{Key, Valuation};
use crate::engine::ABSENT;
use crate::movement::{Kind, Reason};
use crate::policy::Scope;
use crate::posting::{NONE, Posting};

impl Valuation {
    /// All postings in book order: by time, ties as the policy says, each movement followed by the corrections that it caused.
    ///
    /// The order costs a sort of the history the first time; [`Valuation::postings_by_row`] does without.
    pub fn postings(&self) -> impl Iterator<Item = Posting> + '_ {
        let (lines, places) = match self.order.get() {
            Some(places) => (self.lines_by_row(|_| true), places.as_slice()),
            None => {
                let lines = self.book_lines(|_| true);
                self.keep_order(&lines);
                (lines, [].as_slice())
            }
        };
        (0..lines.len()).filter_map(move |number| {
            let place = if places.is_empty() { number } else { *places.get(number)? as usize };
            lines.get(place).map(|line| line.posting)
        })
    }

    /// Keeps the order of all lines, unless they are more than have numbers.
    fn keep_order(&self, lines: &[BookLine]) {
        if u32::try_from(lines.len()).is_ok() {
            let is_by_row = lines.is_sorted_by_key(|line| line.place);
            let places = if is_by_row { Vec::new() } else { lines.iter().map(|line| line.place).collect() };
            let _first_wins = self.order.set(places);
        }
    }

    /// The postings of one item in book order; `item` is its code.
    #[must_use]
    pub fn postings_of(&self, item: u32) -> Vec<Posting> {
        self.book_lines(|posting| posting.item == item).into_iter().map(|line| line.posting).collect()
    }

    /// One posting for each accepted row, in the order of the input, then the corrections by time.
    pub fn postings_by_row(&self) -> impl Iterator<Item = Posting> + '_ {
        let rows = self.ranges.iter().flat_map(move |range| self.range_postings(range));
        rows.chain(self.corrections.iter().map(|correction| self.correction_posting(correction)))
    }

    /// The id of a row as text.
    #[must_use]
    pub fn movement_id(&self, row: u32) -> String {
        self.columns.ids.text(row)
    }

    /// A row's movement kind.
    #[must_use]
    pub fn kind_of(&self, row: u32) -> Option<Kind> {
        let (chunk, place) = self.columns.locate(row)?;
        chunk.kind.get(place).copied().and_then(Kind::from_code)
    }

    /// Lines in the order of [`Valuation::postings_by_row`].
    fn lines_by_row(&self, keep: impl Fn(&Posting) -> bool) -> Vec<BookLine> {
        let movements = self.ranges.iter().flat_map(|range| self.range_postings(range));
        let corrections = self.corrections.iter().map(|correction| self.correction_posting(correction));
        let ranked = movements.map(|posting| (posting, 0)).chain(corrections.zip(1u32..));
        (0u32..)
            .zip(ranked.filter(|(posting, _)| keep(posting)))
            .map(|(place, (posting, rank))| BookLine { posting, rank: self.rank(&posting, rank), place })
            .collect()
    }

    fn book_lines(&self, keep: impl Fn(&Posting) -> bool) -> Vec<BookLine> {
        let mut lines = self.lines_by_row(keep);
        if !lines.is_sorted_by(|one, other| self.compare(one, other) != Ordering::Greater) {
            lines.par_sort_by(|one, other| self.compare(one, other));
        }
        lines
    }

    /// A correction that settles an estimate stands before its movement, all others after it.
    fn rank(&self, posting: &Posting, number: u32) -> i64 {
        let before = posting.reason == Some(Reason::EstimateReversed);
        if before { i64::from(number) - i64::from(u32::MAX) } else { i64::from(number) }
    }

    fn compare(&self, one: &BookLine, other: &BookLine) -> Ordering {
        let by_time = one.posting.at.cmp(&other.posting.at);
        let stands_first = |line: &BookLine| {
            let Posting { row, at, reason, .. } = line.posting;
            reason.is_some_and(|reason| self.stands_first(row, at, reason))
        };
        let (own, others) = (stands_first(one), stands_first(other));
        by_time
            .then(others.cmp(&own))
            .then_with(|| {
                let (one, other) = (&one.posting, &other.posting);
                if own {
                    self.compare_own((one.row, one.reason), (other.row, other.reason))
                } else {
                    self.compare_rows(one.row, other.row)
                }
            })
            .then(one.rank.cmp(&other.rank))
    }

    /// Book order of corrections; those of one movement are equal and keep their order.
    pub(super) fn compare_corrections(&self, one: &RowCorrection, other: &RowCorrection) -> Ordering {
        let own = self.stands_first(one.row, one.at, one.reason);
        let others = self.stands_first(other.row, other.at, other.reason);
        let by_row = || {
            if own {
                self.compare_own((one.row, Some(one.reason)), (other.row, Some(other.reason)))
            } else {
                self.compare_rows(one.row, other.row)
            }
        };
        one.at.cmp(&other.at).then(others.cmp(&own)).then_with(by_row)
    }

    /// The engine's order of the lines that it makes itself at one instant, whichever item stands first in the input: a change of
    /// method first, then estimates in the book order of their receipts.
    fn compare_own(&self, one: (u32, Option<Reason>), other: (u32, Option<Reason>)) -> Ordering {
        let is_late = |reason: Option<Reason>| reason != Some(Reason::MethodSwitched);
        is_late(one.1)
            .cmp(&is_late(other.1))
            .then_with(|| self.at_of(one.0).cmp(&self.at_of(other.0)))
            .then_with(|| self.compare_rows(one.0, other.0))
    }

    /// Whether a line that the engine makes itself stands before all movements of its instant: also the cost of a shortage that is covered
    /// by an estimate which is made again, and not by the receipt itself at its own time.
    fn stands_first(&self, row: u32, at: i64, reason: Reason) -> bool {
        match reason {
            Reason::MonthStartReversal | Reason::Reestimated | Reason::MethodSwitched => true,
            Reason::ShortageCovered => self.at_of(row).is_some_and(|own| own != at),
            _ => false,
        }
    }

    fn at_of(&self, row: u32) -> Option<i64> {
        self.columns.locate(row).and_then(|(chunk, place)| chunk.at.get(place)).copied()
    }

    /// The policy's tie rule between the movements that caused two lines.
    fn compare_rows(&self, one: u32, other: u32) -> Ordering {
        if one == other { Ordering::Equal } else { tie(&self.columns, self.policy.ties, one, other) }
    }

    fn range_postings<'a>(&'a self, range: &'a RangePostings) -> impl Iterator<Item = Posting> + 'a {
        let chunk = self.columns.chunks.get(range.chunk);
        let start = chunk.map_or(0, |chunk| chunk.start);
        range.rows.clone().enumerate().filter_map(move |(place, row)| {
            let number = |column: &[i128]| column.get(place).and_then(|number| i64::try_from(*number).ok());
            let on_hand = number(&range.on_hand).filter(|on_hand| *on_hand != REJECTED)?;
            let chunk = chunk?;
            let kind = Kind::from_code(*chunk.kind.get(row - start)?)?;
            let row_code = u32::try_from(row).ok()?;
            let (value, variance) = (number(&range.value)?, number(&range.variance).unwrap_or(0));
            let amount = if kind == Kind::Settlement { self.amount(chunk, row - start) } else { None };
            Some(Posting {
                row: row_code,
                adjusts: NONE,
                item: Columns::code(&self.columns.item, row_code),
                pool: self.pool_of(row_code),
                at: *chunk.at.get(row - start)?,
                kind,
                adjusted_kind: self.stands_for(row_code, kind),
                reason: None,
                quantity: number(&range.quantity)?,
                value,
                on_hand,
                on_hand_value: number(&range.on_hand_value)?,
                variance,
                estimate: amount.map_or(0, |amount| amount.saturating_sub(value).saturating_sub(variance)),
            })
        })
    }

    /// The amount of an accepted row: its own, or that of its quantity at its unit cost.
    fn amount(&self, chunk: &Chunk, place: usize) -> Option<i64> {
        let given = |column: &[i64]| column.get(place).copied().filter(|number| *number != ABSENT);
        given(&chunk.amount).or_else(|| {
            let unit_cost = given(&chunk.unit_cost)?.checked_mul(self.context.price_up)?;
            mul_div(given(&chunk.quantity)?, unit_cost, self.context.price_down, self.context.rounding)
        })
    }

    /// The kind whose accounts a movement moves: a reversal or an amendment moves those of the movement in its `ref`.
    fn stands_for(&self, row: u32, kind: Kind) -> Kind {
        let (mut row, mut kind) = (row, kind);
        // Each step goes to an earlier movement, so that the way ends.
        while matches!(kind, Kind::Reversal | Kind::Amendment) {
            row = Columns::code(&self.columns.reference, row);
            let Some(other) = self.kind_of(row) else { break };
            kind = other;
        }
        kind
    }

    /// The pool whose stock a row changes: its own, or that of the movement that it follows.
    pub(crate) fn pool_of(&self, row: u32) -> u32 {
        Columns::code(&self.columns.pool, self.columns.stands_at(row))
    }

    pub(crate) fn correction_posting(&self, correction: &RowCorrection) -> Posting {
        let RowCorrection { row, adjusts, reason, key, at, line } = *correction;
        let kind = self.kind_of(row).unwrap_or(Kind::Receipt);
        let Key { item, pool, .. } = key;
        let pool = if self.policy.scope == Scope::Item { self.pool_of(adjusts) } else { pool };
        Posting {
            row,
            adjusts,
            item,
            pool,
            at,
            kind,
            adjusted_kind: self.stands_for(adjusts, self.kind_of(adjusts).unwrap_or(kind)),
            reason: Some(reason),
            quantity: line.quantity,
            value: line.value,
            on_hand: line.on_hand,
            on_hand_value: line.on_hand_value,
            variance: line.variance,
            estimate: 0,
        }
    }
}

struct BookLine {
    posting: Posting,
    rank: i64,
    /// Place in the order of the input.
    place: u32,
}
