//! Which items may be valued the short way: those that only receive and issue, in one pool, under an ordinary method.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rayon::prelude::*;

use super::bucket::Job;
use super::columns::{Chunk, Columns};
use crate::movement::Kind;
use crate::policy::{Method, Scope};
use crate::posting::NONE;

/// By item code, whether the engine must value it. What shows only on the way (a shortage, a number near the limits) comes later.
pub(super) fn engine_items(job: &Job<'_>) -> Vec<bool> {
    let columns = job.columns;
    let marks = Marks { columns, pools: pools(job), items: by_rules(job) };
    job.plan.ranges.par_iter().for_each(|(chunk, rows)| {
        if let Some(chunk) = columns.chunks.get(*chunk) {
            marks.other_kinds(chunk, rows.clone());
            marks.links(chunk.start + rows.start..chunk.start + rows.end);
        }
    });
    marks.items.into_iter().map(AtomicBool::into_inner).collect()
}

/// Items whose choices need the engine.
fn by_rules(job: &Job<'_>) -> Vec<AtomicBool> {
    let columns = job.columns;
    let lots_apart = job.policy.scope == Scope::Lot && !columns.lot.is_empty();
    let needs_engine: Vec<bool> = job
        .rules
        .iter()
        .map(|own| {
            lots_apart
                || own.switch_at.is_some()
                || !matches!(own.rules.method, Method::MovingAverage | Method::Fifo)
        })
        .collect();
    let of_item = |item: u32| needs_engine.get(columns.rules_of(item)).copied().unwrap_or(true);
    (0u32..).take(columns.items).map(|item| AtomicBool::new(of_item(item))).collect()
}

/// The first pool seen of every item, where pools tell keys apart: 0 for none yet, 1 for null, and code + 2.
fn pools(job: &Job<'_>) -> Vec<AtomicU32> {
    if job.policy.scope == Scope::Item || job.columns.pool.is_empty() {
        return Vec::new();
    }
    (0..job.columns.items).map(|_| AtomicU32::new(0)).collect()
}

struct Marks<'a> {
    columns: &'a Columns,
    pools: Vec<AtomicU32>,
    items: Vec<AtomicBool>,
}

impl Marks<'_> {
    fn mark(&self, item: u32) {
        if let Some(mark) = self.items.get(item as usize) {
            mark.store(true, Ordering::Relaxed);
        }
    }

    /// Marks the items of movements that are neither a receipt nor an issue.
    fn other_kinds(&self, chunk: &Chunk, rows: std::ops::Range<usize>) {
        let kinds = chunk.kind.get(rows.clone()).unwrap_or_default();
        let items = self.columns.item.get(chunk.start + rows.start..chunk.start + rows.end);
        let is_other = |kind: &u8| *kind != Kind::Receipt as u8 && *kind != Kind::Issue as u8;
        for (kinds, items) in kinds.chunks(1024).zip(items.unwrap_or_default().chunks(1024)) {
            if kinds.iter().fold(false, |other, kind| other | is_other(kind)) {
                let others = kinds.iter().zip(items).filter(|(kind, _)| is_other(kind));
                others.for_each(|(_, item)| self.mark(*item));
            }
        }
    }

    /// Marks the items of movements in a group, and those with movements in several pools.
    fn links(&self, rows: std::ops::Range<usize>) {
        let items = self.columns.item.get(rows.clone()).unwrap_or_default();
        let groups = self.columns.group.get(rows.clone()).unwrap_or_default();
        items.iter().zip(groups).filter(|(_, group)| **group != NONE).for_each(|(item, _)| self.mark(*item));
        if self.pools.is_empty() {
            return;
        }
        for (item, pool) in items.iter().zip(self.columns.pool.get(rows).unwrap_or_default()) {
            let Some(first) = self.pools.get(*item as usize) else { continue };
            // Null is the largest code; the one below it is reserved.
            let own = pool.wrapping_add(2);
            let seen = first.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed);
            if seen.is_err_and(|seen| seen != own) {
                self.mark(*item);
            }
        }
    }
}
