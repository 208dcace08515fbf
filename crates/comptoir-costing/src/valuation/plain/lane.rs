//! A history in book order whose items have no layers: rows are valued one after the other, where they stand.
//!
//! One thread values while the others write the columns of what it has valued, which takes longer: nothing is dealt to buckets and
//! collected from them. Where the others fall behind, this thread writes too. Many threads would wait for the one: they deal.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::averages::{Averages, Rows};
use super::deal::Dealer;
use super::items::Items;
use crate::reject::Fault;
use crate::valuation::bucket::Job;
use crate::valuation::columns::Chunk;
use crate::valuation::lines::{Lines, Moved};
use crate::valuation::unit_cost::UnitCost;

/// More threads than these do more by dealing.
pub(super) const MOST_THREADS: usize = 4;

/// The lines of all rows by range, and the rows that failed their checks.
pub(super) fn run(job: &Job<'_>, dealer: &Dealer<'_>, items: &mut Items) -> (Vec<Lines>, Vec<(u32, Fault)>) {
    let mut lines: Vec<Lines> = job.plan.ranges.iter().map(|_| Lines::default()).collect();
    let mut faults = Vec::new();
    let most_waiting = 2 * (rayon::current_num_threads() - 1);
    let (waiting, spare) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let (waiting, spare) = (&waiting, &spare);
    rayon::scope(|scope| {
        for (lines, (chunk, rows)) in lines.iter_mut().zip(&job.plan.ranges) {
            let Some(chunk) = job.columns.chunks.get(*chunk) else { continue };
            let mut moved = spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
            value(dealer, items, chunk, rows.clone(), &mut moved, &mut faults);
            let write = move || {
                *lines = columns(job, chunk, rows.start, &moved);
                if let Ok(mut spare) = spare.lock() {
                    spare.push(moved);
                }
            };
            if waiting.load(Ordering::Relaxed) < most_waiting {
                waiting.fetch_add(1, Ordering::Relaxed);
                scope.spawn(move |_| {
                    write();
                    waiting.fetch_sub(1, Ordering::Relaxed);
                });
            } else {
                write();
            }
        }
    });
    (lines, faults)
}

/// Values the rows of a range of `chunk`.
fn value(
    dealer: &Dealer<'_>,
    items: &mut Items,
    chunk: &Chunk,
    rows: Range<usize>,
    moved: &mut Vec<Moved>,
    faults: &mut Vec<(u32, Fault)>,
) {
    moved.clear();
    moved.reserve(rows.len());
    let mut averages = Averages::default();
    dealer.each_block(chunk, rows, faults, |first, codes, at, block| {
        let rows = Rows { first, items: codes, at, qty: &block.qty, amount: &block.amount };
        items.post_rows(&rows, &mut averages, moved);
    });
}

/// The lines of the rows of `chunk` from `start` on.
fn columns(job: &Job<'_>, chunk: &Chunk, start: usize, moved: &[Moved]) -> Lines {
    let scale = UnitCost::new(job.context);
    let mut lines = Lines::with_capacity(moved.len());
    for (moved, start) in moved.chunks(super::BLOCK).zip((start..).step_by(super::BLOCK)) {
        lines.extend(chunk, start, moved, &scale);
    }
    lines
}
