//! Rows dealt to the buckets of their items, in row order.
//!
//! Reading is sequential and writing goes to a few hundred sequential streams, so that all random access happens later inside a
//! bucket that fits the cache.

use std::ops::Range;

use super::Buckets;
use crate::engine::{ABSENT, LIMIT};
use crate::movement::Kind;
use crate::reject::Fault;
use crate::valuation::check::Checks;
use crate::valuation::columns::{Chunk, Columns};

/// A movement on its way through a bucket: its time, its quantity (negative for an issue, zero where there is nothing to value), its
/// amount, and its row and item. Once valued: its value, the quantity and the value on hand, and again its row and item.
pub(super) type Slot = [i64; 4];

/// The row in a slot.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the lower half was packed from 32 bits"
)]
pub(super) const fn row_of(slot: &Slot) -> u32 {
    let [.., row_item] = slot;
    *row_item as u32
}

/// The item in a slot.
#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "the upper half was packed from 32 bits")]
pub(super) const fn item_of(slot: &Slot) -> u32 {
    let [.., row_item] = slot;
    (*row_item >> 32) as u32
}

/// The rows of a range, bucket after bucket.
#[derive(Debug, Default)]
pub(super) struct Dealt {
    slots: Vec<Slot>,
    /// Where each bucket begins.
    starts: Vec<u32>,
}

impl Dealt {
    /// The slots of every bucket.
    pub fn buckets(&mut self) -> impl Iterator<Item = &mut [Slot]> {
        let ends =
            self.starts.iter().skip(1).copied().chain([u32::try_from(self.slots.len()).unwrap_or(u32::MAX)]);
        let (mut rest, mut start) = (self.slots.as_mut_slice(), 0);
        ends.map(move |end| {
            let (bucket, after) = std::mem::take(&mut rest).split_at_mut((end - start) as usize);
            (rest, start) = (after, end);
            bucket
        })
    }

    /// The slots, and the next slot to read of every bucket.
    pub fn reader(&mut self) -> (&[Slot], &mut [u32]) {
        (&self.slots, &mut self.starts)
    }
}

/// What all ranges are dealt by.
pub(super) struct Dealer<'a> {
    columns: &'a Columns,
    checks: &'a Checks,
    buckets: Buckets,
    /// Rows without a line, ascending.
    excluded: &'a [(u32, Fault)],
    engine_items: &'a [bool],
    has_engine_items: bool,
}

impl<'a> Dealer<'a> {
    pub fn new(
        columns: &'a Columns,
        checks: &'a Checks,
        buckets: Buckets,
        excluded: &'a [(u32, Fault)],
        engine_items: &'a [bool],
    ) -> Self {
        let has_engine_items = engine_items.contains(&true);
        Self { columns, checks, buckets, excluded, engine_items, has_engine_items }
    }

    /// Deals the rows of a range of `chunk`, and gives those that fail their checks. Every row gets a slot.
    pub fn deal(&self, chunk: &Chunk, rows: Range<usize>, dealt: &mut Dealt) -> Vec<(u32, Fault)> {
        let first = chunk.start + rows.start;
        self.set_starts(self.columns.item.get(first..first + rows.len()).unwrap_or_default(), dealt);
        let mut next = dealt.starts.clone();
        let mut faults = Vec::new();
        self.each_block(chunk, rows, &mut faults, |row, items, at, block| {
            self.scatter(row, items, at, block, &mut next, &mut dealt.slots);
        });
        faults
    }

    /// Calls `visit` with block after block of the rows of a range of `chunk`: the first row, items, times, and what is to be valued.
    #[inline(always)]
    pub fn each_block(
        &self,
        chunk: &Chunk,
        rows: Range<usize>,
        faults: &mut Vec<(u32, Fault)>,
        mut visit: impl FnMut(u32, &[u32], &[i64], &Block),
    ) {
        let first = chunk.start + rows.start;
        let items = self.columns.item.get(first..first + rows.len()).unwrap_or_default();
        let mut block = Block { qty: [0; BLOCK], amount: [0; BLOCK] };
        for start in rows.clone().step_by(BLOCK) {
            let numbers = Numbers::new(chunk, start..(start + BLOCK).min(rows.end));
            let row = u32::try_from(chunk.start + start).unwrap_or(u32::MAX);
            let items = items.get(start - rows.start..).unwrap_or_default();
            let items = items.get(..numbers.at.len()).unwrap_or_default();
            if !block.read(self.checks, &numbers) || self.has_exceptions(row, items) {
                self.settle_exceptions(row, items, &numbers, &mut block, faults);
            }
            visit(row, items, numbers.at, &block);
        }
    }

    /// Writes a block's rows to the next slots of their buckets.
    #[inline(always)]
    fn scatter(
        &self,
        first: u32,
        items: &[u32],
        at: &[i64],
        block: &Block,
        next: &mut [u32],
        slots: &mut [Slot],
    ) {
        let movements = items.iter().zip(at).zip(block.qty.iter().zip(&block.amount));
        for (((item, at), (qty, amount)), row) in movements.zip(i64::from(first)..) {
            if let Some(next) = next.get_mut(self.buckets.of(*item)) {
                if let Some(slot) = slots.get_mut(*next as usize) {
                    *slot = [*at, *qty, *amount, (i64::from(*item) << 32) | row];
                }
                *next += 1;
            }
        }
    }

    /// Whether a block has rows that are excluded, or left to the engine.
    fn has_exceptions(&self, first: u32, items: &[u32]) -> bool {
        let from = self.excluded.partition_point(|(row, _)| *row < first);
        let is_excluded =
            self.excluded.get(from).is_some_and(|(row, _)| ((*row - first) as usize) < items.len());
        is_excluded || self.has_engine_items
    }

    /// Looks at every row of a block that is not all plain: those excluded and those of the engine's items are nothing to value, and
    /// those that the quick check did not pass are checked in full.
    #[inline(never)]
    fn settle_exceptions(
        &self,
        first: u32,
        items: &[u32],
        numbers: &Numbers<'_>,
        block: &mut Block,
        faults: &mut Vec<(u32, Fault)>,
    ) {
        let from = self.excluded.partition_point(|(row, _)| *row < first);
        let mut skip = self.excluded.get(from..).unwrap_or_default().iter().map(|(row, _)| *row).peekable();
        let slots = block.qty.iter_mut().zip(&mut block.amount);
        for (((place, item), (qty, amount)), row) in items.iter().enumerate().zip(slots).zip(first..) {
            let mut is_left_out = self.has_engine_items && self.is_for_engine(*item);
            while skip.next_if_eq(&row).is_some() {
                is_left_out = true;
            }
            let movement = if is_left_out {
                Ok((0, 0))
            } else if *qty != 0 {
                continue;
            } else {
                self.check(numbers.at(place))
            };
            (*qty, *amount) = movement.unwrap_or_else(|fault| {
                faults.push((row, fault));
                (0, 0)
            });
        }
    }

    fn is_for_engine(&self, item: u32) -> bool {
        self.engine_items.get(item as usize).copied().unwrap_or(true)
    }

    /// Signed quantity and amount of a receipt or an issue.
    fn check(&self, (at, kind, quantity, amount, unit_cost): Row) -> Result<(i64, i64), Fault> {
        let (kind, qty, amount) = self.checks.row(kind, at, quantity, amount, unit_cost)?;
        Ok((if kind == Kind::Receipt { qty } else { -qty }, amount))
    }

    /// Counts the rows of every bucket.
    fn set_starts(&self, items: &[u32], dealt: &mut Dealt) {
        let starts = &mut dealt.starts;
        starts.clear();
        starts.resize(self.buckets.count, 0);
        for item in items {
            if let Some(count) = starts.get_mut(self.buckets.of(*item)) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in starts {
            sum += std::mem::replace(start, sum);
        }
        dealt.slots.resize(items.len(), [0; 4]);
    }
}

/// Rows that are checked together, without a branch.
const BLOCK: usize = 256;

/// Signed quantity and amount of the rows of a block; a quantity of zero where there is nothing to value, or the quick check did not
/// pass.
pub(super) struct Block {
    pub qty: [i64; BLOCK],
    pub amount: [i64; BLOCK],
}

impl Block {
    /// Reads and checks the rows; whether all passed.
    #[inline(always)]
    fn read(&mut self, checks: &Checks, numbers: &Numbers<'_>) -> bool {
        let mut all = true;
        let slots = self.qty.iter_mut().zip(&mut self.amount);
        let basic = slots.zip(numbers.at.iter().zip(numbers.kind).zip(numbers.quantity));
        if numbers.unit_cost.is_empty() && !numbers.amount.is_empty() {
            for (((qty, amount), ((at, kind), quantity)), given) in basic.zip(numbers.amount) {
                (*qty, *amount) = checks.receipt_or_issue(*kind, *at, *quantity, *given, ABSENT);
                all &= *qty != 0;
            }
            return all;
        }
        for (place, ((qty, amount), _)) in basic.enumerate() {
            let (at, kind, quantity, given, unit_cost) = numbers.at(place);
            (*qty, *amount) = checks.receipt_or_issue(kind, at, quantity, given, unit_cost);
            all &= *qty != 0;
        }
        all
    }
}

/// Time, kind, quantity, amount and unit cost of a row.
type Row = (i64, u8, i64, i64, i64);

/// The numeric columns of consecutive rows; empty where the input lacks one.
struct Numbers<'a> {
    at: &'a [i64],
    kind: &'a [u8],
    quantity: &'a [i64],
    amount: &'a [i64],
    unit_cost: &'a [i64],
}

impl<'a> Numbers<'a> {
    fn new(chunk: &'a Chunk, rows: Range<usize>) -> Self {
        Self {
            at: chunk.at.get(rows.clone()).unwrap_or_default(),
            kind: chunk.kind.get(rows.clone()).unwrap_or_default(),
            quantity: chunk.quantity.get(rows.clone()).unwrap_or_default(),
            amount: chunk.amount.get(rows.clone()).unwrap_or_default(),
            unit_cost: chunk.unit_cost.get(rows).unwrap_or_default(),
        }
    }

    /// The numbers of one row; a column that the input lacks is absent in every row.
    fn at(&self, place: usize) -> Row {
        let number = |column: &[i64]| column.get(place).copied().unwrap_or(ABSENT);
        let kind = self.kind.get(place).copied().unwrap_or(u8::MAX);
        (number(self.at), kind, number(self.quantity), number(self.amount), number(self.unit_cost))
    }
}

const _: () = assert!(LIMIT < i64::MAX, "a checked quantity can be negated");
