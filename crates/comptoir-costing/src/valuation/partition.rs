//! First pass: every row is checked and its numbers are written to the bucket of its item, in row order.
//!
//! Reading is sequential and writing goes to a few hundred sequential streams, so that all random access happens later inside a
//! bucket that fits the cache.

use rayon::prelude::*;

use super::check::{Checked, Checks};
use super::columns::{Chunk, Columns, MISSING};
use super::plan::Plan;
use crate::engine::ABSENT;
use crate::movement::Kind;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

/// The numbers of one movement on its way through a bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub at: i64,
    pub qty: i64,
    pub amount: i64,
    pub row: u32,
    pub item: u32,
    pub pool: u32,
    pub kind: Kind,
}

/// Carries a record into its bucket and, once it is valued, its line back: both fit 40 bytes, so that one memory serves both ways.
pub(crate) type Slot = [i64; 5];

impl Record {
    fn into_slot(self) -> Slot {
        let pack = |low: u32, high: u32| (i64::from(high) << 32) | i64::from(low);
        [
            self.at,
            self.qty,
            self.amount,
            pack(self.row, self.item),
            pack(self.pool, u32::from(self.kind as u8)),
        ]
    }

    /// The record in a slot.
    #[inline]
    pub fn from_slot([at, qty, amount, row_item, pool_kind]: &Slot) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both halves were packed from 32 bits"
        )]
        let unpack = |packed: i64| (packed as u32, (packed >> 32) as u32);
        let ((row, item), (pool, kind)) = (unpack(*row_item), unpack(*pool_kind));
        let kind = u8::try_from(kind).ok().and_then(Kind::from_code).unwrap_or(Kind::Opening);
        Self { at: *at, qty: *qty, amount: *amount, row, item, pool, kind }
    }
}

/// The records of a range of rows, bucket after bucket, in row order within each.
#[derive(Debug, Default)]
pub(crate) struct Dealt {
    pub slots: Vec<Slot>,
    /// Where each bucket begins, and the end of the last.
    pub starts: Vec<usize>,
    /// How many slots of each bucket are used: rows that fail their checks leave theirs empty.
    pub used: Vec<usize>,
}

/// The records of all rows by range, and the rows that failed their checks.
#[derive(Debug)]
pub(crate) struct Partition {
    pub ranges: Vec<Dealt>,
    pub faults: Vec<(u32, Fault)>,
}

impl Partition {
    /// The used slots of every bucket, range after range.
    pub fn by_bucket(&mut self, buckets: usize) -> Vec<Vec<&mut [Slot]>> {
        let mut result: Vec<Vec<&mut [Slot]>> =
            (0..buckets).map(|_| Vec::with_capacity(self.ranges.len())).collect();
        for range in &mut self.ranges {
            let mut rest = range.slots.as_mut_slice();
            for ((window, used), parts) in range.starts.windows(2).zip(&range.used).zip(&mut result) {
                let length = window.last().zip(window.first()).map_or(0, |(end, start)| end - start);
                let (own, others) = rest.split_at_mut(length.min(rest.len()));
                let (own, _) = own.split_at_mut((*used).min(own.len()));
                parts.push(own);
                rest = others;
            }
        }
        result
    }
}

/// Distributes all rows of `items` that pass their checks; `excluded` (ascending) are left out and not checked.
pub(crate) fn partition(
    columns: &Columns,
    plan: &Plan,
    checks: &Checks,
    items: &[bool],
    excluded: &[(u32, Fault)],
) -> Partition {
    let parts: Vec<(Dealt, Vec<(u32, Fault)>)> = plan
        .ranges
        .par_iter()
        .map(|(chunk, rows)| match columns.chunks.get(*chunk) {
            Some(chunk) => {
                RangeReader { columns, plan, checks, chunk, wanted: items }.read(rows.clone(), excluded)
            }
            None => (Dealt::default(), Vec::new()),
        })
        .collect();
    let mut partition = Partition { ranges: Vec::with_capacity(parts.len()), faults: Vec::new() };
    for (dealt, bad) in parts {
        partition.ranges.push(dealt);
        partition.faults.extend(bad);
    }
    partition
}

struct RangeReader<'a> {
    columns: &'a Columns,
    plan: &'a Plan,
    checks: &'a Checks,
    chunk: &'a Chunk,
    /// By item code, whether its rows are read.
    wanted: &'a [bool],
}

impl RangeReader<'_> {
    fn read(&self, rows: std::ops::Range<usize>, excluded: &[(u32, Fault)]) -> (Dealt, Vec<(u32, Fault)>) {
        let first = self.chunk.start + rows.start;
        let items = self.columns.item.get(first..first + rows.len()).unwrap_or_default();
        let mut dealt = self.empty_buckets(items);
        let mut next = dealt.starts.clone();
        let mut faults = Vec::new();
        let mut skip =
            excluded.iter().skip(excluded.partition_point(|(row, _)| (*row as usize) < first)).peekable();
        let at = self.chunk.at.get(rows.clone()).unwrap_or_default();
        let kinds = self.chunk.kind.get(rows.clone()).unwrap_or_default();
        let quantities = self.chunk.quantity.get(rows.clone()).unwrap_or_default();
        let absent = vec![ABSENT; rows.len()];
        let amounts = self.chunk.amount.get(rows.clone()).unwrap_or(&absent);
        let unit_costs = self.chunk.unit_cost.get(rows.clone()).unwrap_or(&absent);
        let numbers =
            items.iter().zip(at).zip(kinds).zip(quantities).zip(amounts).zip(unit_costs).enumerate();
        for (place, (((((item, at), kind), quantity), amount), unit_cost)) in numbers {
            let Ok(row) = u32::try_from(first + place) else {
                break;
            };
            if skip.peek().is_some_and(|(excluded, _)| *excluded == row) {
                while skip.next_if(|(excluded, _)| *excluded == row).is_some() {}
                continue;
            }
            if !is_wanted(self.wanted, *item) {
                continue;
            }
            let movement = self.checks.row(*kind, *at, *quantity, *amount, *unit_cost);
            match movement.and_then(|movement| self.record(row, *item, *at, movement)) {
                Ok(record) => {
                    let Some(next) = next.get_mut(self.plan.bucket(self.plan.component(*item))) else {
                        continue;
                    };
                    if let Some(slot) = dealt.slots.get_mut(*next) {
                        *slot = record.into_slot();
                    }
                    *next += 1;
                }
                Err(fault) => faults.push((row, fault)),
            }
        }
        dealt.used =
            next.iter().zip(&dealt.starts).map(|(end, start)| end - start).take(self.plan.buckets).collect();
        (dealt, faults)
    }

    /// The record of a movement whose numbers passed their checks, if what it refers to does too.
    #[inline]
    fn record(&self, row: u32, item: u32, at: i64, (kind, qty, amount): Checked) -> Result<Record, Fault> {
        self.check_links(row, kind, amount)?;
        let pool = Columns::code(&self.columns.pool, row);
        Ok(Record { at, qty, amount, row, item, pool, kind })
    }

    /// Slots for all rows, with the place where each bucket begins.
    fn empty_buckets(&self, items: &[u32]) -> Dealt {
        let mut starts = vec![0_usize; self.plan.buckets + 1];
        for item in items.iter().filter(|item| is_wanted(self.wanted, **item)) {
            if let Some(count) = starts.get_mut(self.plan.bucket(self.plan.component(*item)) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Dealt { slots: vec![[0; 5]; sum], starts, used: Vec::new() }
    }

    /// Checks of the movement referred to that do not depend on the order of the books.
    #[inline]
    fn check_links(&self, row: u32, kind: Kind, amount: i64) -> Result<(), Fault> {
        if kind == Kind::ProductionReceipt
            && amount == ABSENT
            && Columns::code(&self.columns.group, row) == NONE
        {
            return Err(Fault::new(RejectCode::Amount));
        }
        if !uses_reference(kind) {
            return Ok(());
        }
        let reference = Columns::code(&self.columns.reference, row);
        match reference {
            NONE if kind.needs_reference() => Err(Fault::new(RejectCode::ReferenceMissing)),
            NONE => Ok(()),
            MISSING => Err(Fault::new(RejectCode::ReferenceUnknown)),
            _ => self.check_reference(row, kind, reference),
        }
    }

    fn check_reference(&self, row: u32, kind: Kind, reference: u32) -> Result<(), Fault> {
        let target = self.columns.locate(reference).and_then(|(chunk, place)| chunk.kind.get(place)).copied();
        let Some(target) = target.and_then(Kind::from_code) else {
            return Err(Fault::new(RejectCode::ReferenceRejected));
        };
        if Columns::code(&self.columns.item, row) != Columns::code(&self.columns.item, reference) {
            return Err(Fault::new(RejectCode::ReferenceItem));
        }
        let reversed_twice = kind == Kind::Reversal && target == Kind::Reversal;
        if !may_refer(kind, target) {
            let code =
                if reversed_twice { RejectCode::ReversalOfReversal } else { RejectCode::ReferenceKind };
            return Err(Fault::new(code));
        }
        let followed = self.columns.stands_at(reference);
        let (own, other) =
            (Columns::code(&self.columns.pool, row), Columns::code(&self.columns.pool, followed));
        if follows_reference(kind) && own != NONE && own != other {
            return Err(Fault::new(RejectCode::ReferencePool));
        }
        Ok(())
    }
}

/// Whether the rows of an item are read.
#[inline]
pub(crate) fn is_wanted(items: &[bool], item: u32) -> bool {
    items.get(item as usize).copied().unwrap_or(false)
}

/// Whether a kind reads its `ref`; others may carry one, such as an order number, that is nobody's business here.
pub(crate) const fn uses_reference(kind: Kind) -> bool {
    matches!(kind, Kind::SalesReturn | Kind::PurchaseReturn | Kind::TransferIn) || follows_reference(kind)
}

/// Whether a kind changes the stock where the movement in `ref` stands, whatever its own pool.
pub(crate) const fn follows_reference(kind: Kind) -> bool {
    matches!(kind, Kind::Settlement | Kind::CostAdjustment | Kind::Reversal | Kind::Amendment)
}

/// Whether a kind may refer to a movement of the other kind.
pub(crate) fn may_refer(kind: Kind, to: Kind) -> bool {
    use crate::movement::Direction;
    match kind {
        Kind::SalesReturn => matches!(to, Kind::Issue | Kind::ProductionIssue),
        Kind::PurchaseReturn | Kind::CostAdjustment => {
            to.direction() == Direction::In && to != Kind::SalesReturn
        }
        Kind::TransferIn => to == Kind::TransferOut,
        Kind::Settlement => to == Kind::ProvisionalReceipt,
        Kind::Amendment => matches!(to.direction(), Direction::In | Direction::Out) && to != Kind::TransferIn,
        Kind::Reversal => !matches!(to, Kind::Amendment | Kind::Settlement | Kind::Reversal),
        _ => true,
    }
}
