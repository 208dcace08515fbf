//! The requests of one model, as far as the schedule counts them.

use super::{BatchPolicy, Nanos, Queue, QueuePolicy};

/// The requests of one model from their arrival to their result.
#[derive(Debug)]
pub(crate) struct Flow<T> {
    /// Those that wait for the CPU stage.
    pub(crate) queue: Queue<T>,
    /// How batches are made.
    pub(super) batch: BatchPolicy,
    /// How many may be past the queue.
    permits: usize,
    /// How many are past the queue.
    staged: usize,
    /// How many of these are in `preprocess`.
    preprocessing: usize,
    /// Smoothed time of `preprocess`.
    cpu_time: Nanos,
}

impl<T> Flow<T> {
    /// No requests yet. Past the queue there are at most the rows of a full batch for each of `lanes` lanes, those of
    /// the batch that forms meanwhile, and one for each of `threads` CPU threads.
    pub(crate) fn new(batch: BatchPolicy, queue_limit: usize, lanes: usize, threads: usize) -> Self {
        Self {
            queue: Queue::new(queue_limit, QueuePolicy::default()),
            permits: batch.max_size * (lanes + 1) + threads,
            batch,
            staged: 0,
            preprocessing: 0,
            cpu_time: 0,
        }
    }

    /// Requests in `preprocess`.
    pub(crate) fn preprocessing(&self) -> usize {
        self.preprocessing
    }

    /// Expected time of `preprocess`; 0 before the first one has ended.
    pub(super) fn cpu_time(&self) -> Nanos {
        self.cpu_time
    }

    /// Whether a CPU thread has something to begin.
    pub(super) fn wants_cpu(&self) -> bool {
        !self.queue.is_empty() && self.staged < self.permits
    }

    /// A request has left the queue for `preprocess`.
    pub(super) fn begin(&mut self) {
        self.staged += 1;
        self.preprocessing += 1;
    }

    /// `preprocess` has filled a row, and taken so long: each time counts an eighth.
    pub(crate) fn filled(&mut self, took: Nanos) {
        self.preprocessing -= 1;
        self.cpu_time = if self.cpu_time == 0 { took } else { self.cpu_time - self.cpu_time / 8 + took / 8 };
    }

    /// A request leaves in `preprocess`.
    pub(crate) fn gave_up(&mut self) {
        self.preprocessing -= 1;
        self.left(1);
    }

    /// Requests past `preprocess` have left: others may follow.
    pub(crate) fn left(&mut self, count: usize) {
        self.staged -= count;
    }
}
