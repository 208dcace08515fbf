//! Tables to collectors: in blocks that fit the cache, and on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;

use super::collect::Board;
use super::error::BoardError;

/// Rows that are evaluated together: what is computed for them stays in the cache of a core.
const BLOCK: usize = 8 * 1024;

/// Rows that a thread takes at a time: enough that taking them costs nothing, and so few that all end together.
const PART: usize = 8 * BLOCK;

/// A batch in blocks; one without rows is a block.
pub fn blocks(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> + '_ {
    pieces(batch, BLOCK)
}

/// A batch that is no larger than a piece is given as it is: its columns stay the same.
fn pieces(batch: &RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> + '_ {
    let count = batch.num_rows().div_ceil(rows).max(1);
    (0..count).map(move |piece| {
        let start = piece * rows;
        match count {
            1 => batch.clone(),
            _ => batch.slice(start, rows.min(batch.num_rows() - start)),
        }
    })
}

/// What collects rows, alone or shared out over threads.
pub trait Collector: Sized + Send {
    /// Whether all that was pushed is in it.
    fn check_whole(&self) -> Result<(), BoardError>;
    /// Says that it is not.
    fn mark_failed(&mut self);
    /// One like this for another thread.
    fn fork(&mut self) -> Result<Self, BoardError>;
    /// Adds rows; after an error some of them may have been added.
    fn add(&mut self, batch: &RecordBatch) -> Result<(), BoardError>;
    /// Takes back one that was forked.
    fn join(&mut self, other: Self) -> Result<(), BoardError>;
}

/// Gives batches to a collector on so many threads, each with a collector that is forked from it. Once a row was taken
/// an error leaves the collector marked as failed.
pub fn scan<C: Collector>(
    collector: &mut C,
    batches: &[RecordBatch],
    threads: usize,
) -> Result<(), BoardError> {
    collector.check_whole()?;
    // All columns are looked at before any row. What is compiled for them is known before there are other threads, so
    // that these can share what is collected.
    for alike in batches.chunk_by(|left, right| Arc::ptr_eq(left.schema_ref(), right.schema_ref())) {
        alike.first().map_or(Ok(()), |batch| collector.add(&batch.slice(0, 0)))?;
    }
    let outcome = share_out(collector, batches, threads);
    if outcome.is_err() {
        collector.mark_failed();
    }
    outcome
}

fn share_out<C: Collector>(
    collector: &mut C,
    batches: &[RecordBatch],
    threads: usize,
) -> Result<(), BoardError> {
    let parts: Vec<RecordBatch> = match threads {
        0 | 1 => Vec::new(),
        _ => batches.iter().flat_map(|batch| pieces(batch, PART)).collect(),
    };
    let threads = threads.min(parts.len());
    if threads <= 1 {
        return batches.iter().try_for_each(|batch| collector.add(batch));
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(None));
    let others = (1..threads).map(|_| collector.fork()).collect::<Result<Vec<_>, _>>()?;
    let others = std::thread::scope(|scope| {
        let run = |mut other: C| {
            let (parts, next, wrong) = (&parts, &next, &wrong);
            scope.spawn(move || {
                push_parts(&mut other, parts, next, wrong);
                other
            })
        };
        let handles: Vec<_> = others.into_iter().map(run).collect();
        push_parts(collector, &parts, &next, &wrong);
        handles.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Result<Vec<_>, _>>()
    });
    if let Some((_, error)) = wrong.into_inner().unwrap_or(None) {
        return Err(error);
    }
    let others = others.map_err(|_| BoardError::internal("a thread that scans a table has ended early"))?;
    others.into_iter().try_for_each(|other| collector.join(other))
}

/// Takes parts until there are none left. Of several errors that of the first part is kept.
fn push_parts<C: Collector>(
    collector: &mut C,
    parts: &[RecordBatch],
    next: &AtomicUsize,
    wrong: &Mutex<Option<(usize, BoardError)>>,
) {
    loop {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(part) = parts.get(place) else { return };
        if let Err(error) = collector.add(part) {
            next.fetch_max(parts.len(), Ordering::Relaxed);
            if let Ok(mut known) = wrong.lock()
                && known.as_ref().is_none_or(|(before, _)| place < *before)
            {
                *known = Some((place, error));
            }
            return;
        }
    }
}

impl Board {
    /// Adds the rows of several batches on so many threads, as [`Board::push`] does with one. The result is
    /// the same for any number of threads. Where rows are ranked as they come the threads share what they keep, so that
    /// memory grows with groups times k + slack; metrics and kept rows each thread collects for itself.
    ///
    /// # Errors
    /// As [`Board::push`]; the columns of all batches are looked at before any row is taken.
    pub fn push_all(&mut self, batches: &[RecordBatch], threads: usize) -> Result<(), BoardError> {
        scan(self, batches, threads)
    }
}

impl Collector for Board {
    fn check_whole(&self) -> Result<(), BoardError> {
        Self::check_whole(self)
    }

    fn mark_failed(&mut self) {
        Self::mark_failed(self);
    }

    fn fork(&mut self) -> Result<Self, BoardError> {
        Self::fork(self)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        Self::add(self, batch)
    }

    fn join(&mut self, other: Self) -> Result<(), BoardError> {
        Self::join(self, other)
    }
}
