//! First pass: every row is checked and its numbers are written to the bucket of its item, in row order.
//!
//! Reading is sequential and writing goes to a few hundred sequential streams, so that all random access happens later inside a
//! bucket that fits the cache.

use rayon::prelude::*;

use super::check::Checks;
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

/// The records of all rows, by bucket and then by range, and the rows that failed their checks.
#[derive(Debug)]
pub(crate) struct Partition {
    pub buckets: Vec<Vec<Vec<Record>>>,
    pub faults: Vec<(u32, Fault)>,
}

/// Distributes all rows that pass their checks; `excluded` (ascending) are left out and not checked.
pub(crate) fn partition(columns: &Columns, plan: &Plan, checks: &Checks, excluded: &[(u32, Fault)]) -> Partition {
    let parts: Vec<(Vec<Vec<Record>>, Vec<(u32, Fault)>)> = plan
        .ranges
        .par_iter()
        .map(|(chunk, rows)| match columns.chunks.get(*chunk) {
            Some(chunk) => RangeReader { columns, plan, checks, chunk }.read(rows.clone(), excluded),
            None => (Vec::new(), Vec::new()),
        })
        .collect();
    let mut buckets: Vec<Vec<Vec<Record>>> = (0..plan.buckets).map(|_| Vec::with_capacity(parts.len())).collect();
    let mut faults = Vec::new();
    for (records, bad) in parts {
        for (bucket, records) in buckets.iter_mut().zip(records) {
            bucket.push(records);
        }
        faults.extend(bad);
    }
    Partition { buckets, faults }
}

struct RangeReader<'a> {
    columns: &'a Columns,
    plan: &'a Plan,
    checks: &'a Checks,
    chunk: &'a Chunk,
}

impl RangeReader<'_> {
    fn read(&self, rows: std::ops::Range<usize>, excluded: &[(u32, Fault)]) -> (Vec<Vec<Record>>, Vec<(u32, Fault)>) {
        let first = self.chunk.start + rows.start;
        let items = self.columns.item.get(first..first + rows.len()).unwrap_or_default();
        let mut records = self.empty_buckets(items);
        let mut faults = Vec::new();
        let mut skip = excluded.iter().skip_while(|(row, _)| (*row as usize) < first).peekable();
        let at = self.chunk.at.get(rows.clone()).unwrap_or_default();
        let kinds = self.chunk.kind.get(rows.clone()).unwrap_or_default();
        let quantities = self.chunk.quantity.get(rows.clone()).unwrap_or_default();
        let numbers = items.iter().zip(at).zip(kinds).zip(quantities).enumerate();
        for (place, (((item, at), kind), quantity)) in numbers {
            let Ok(row) = u32::try_from(first + place) else { break };
            if skip.peek().is_some_and(|(excluded, _)| *excluded == row) {
                while skip.next_if(|(excluded, _)| *excluded == row).is_some() {}
                continue;
            }
            let amount = self.chunk.amount.get(rows.start + place).copied().unwrap_or(ABSENT);
            let unit_cost = self.chunk.unit_cost.get(rows.start + place).copied().unwrap_or(ABSENT);
            let checked = self.checks.row(*kind, *at, *quantity, amount, unit_cost);
            match checked.and_then(|(kind, qty, amount)| self.check_links(row, kind, amount).map(|()| (kind, qty, amount))) {
                Ok((kind, qty, amount)) => {
                    let record = Record { at: *at, qty, amount, row, item: *item, pool: Columns::code(&self.columns.pool, row), kind };
                    if let Some(bucket) = records.get_mut(self.plan.bucket(self.plan.component(*item))) {
                        bucket.push(record);
                    }
                }
                Err(fault) => faults.push((row, fault)),
            }
        }
        (records, faults)
    }

    /// A bucket's worth of memory for each bucket, counted beforehand so that nothing is moved while it grows.
    fn empty_buckets(&self, items: &[u32]) -> Vec<Vec<Record>> {
        let mut counts = vec![0_usize; self.plan.buckets];
        for item in items {
            if let Some(count) = counts.get_mut(self.plan.bucket(self.plan.component(*item))) {
                *count += 1;
            }
        }
        counts.into_iter().map(Vec::with_capacity).collect()
    }

    /// Checks of the movement referred to that do not depend on the order of the books.
    #[inline]
    fn check_links(&self, row: u32, kind: Kind, amount: i64) -> Result<(), Fault> {
        if kind == Kind::ProductionReceipt && amount == ABSENT && Columns::code(&self.columns.group, row) == NONE {
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
            let code = if reversed_twice { RejectCode::ReversalOfReversal } else { RejectCode::ReferenceKind };
            return Err(Fault::new(code));
        }
        let (own, other) = (Columns::code(&self.columns.pool, row), Columns::code(&self.columns.pool, reference));
        if follows_reference(kind) && own != NONE && own != other {
            return Err(Fault::new(RejectCode::ReferencePool));
        }
        Ok(())
    }
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
fn may_refer(kind: Kind, to: Kind) -> bool {
    use crate::movement::Direction;
    match kind {
        Kind::SalesReturn => matches!(to, Kind::Issue | Kind::ProductionIssue),
        Kind::PurchaseReturn | Kind::CostAdjustment => to.direction() == Direction::In && to != Kind::SalesReturn,
        Kind::TransferIn => to == Kind::TransferOut,
        Kind::Settlement => to == Kind::ProvisionalReceipt,
        Kind::Amendment => matches!(to.direction(), Direction::In | Direction::Out) && to != Kind::TransferIn,
        Kind::Reversal => !matches!(to, Kind::Amendment | Kind::Settlement | Kind::Reversal),
        _ => true,
    }
}
