//! What a pool says about its workers.

/// The workers of a pool at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStats {
    /// One entry for each worker, in the order of their numbers.
    pub workers: Vec<WorkerStatus>,
}

/// One worker at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Process number; none while there is no process.
    pub pid: Option<u32>,
    /// What the worker does.
    pub phase: WorkerPhase,
    /// Calls that it has or that wait for it.
    pub in_flight: usize,
    /// Slots whose callers have left at their deadline, and which the worker still has.
    pub quarantined: usize,
    /// Calls that it answered, failures included.
    pub calls: u64,
    /// Calls whose callable failed, and calls that were lost with it.
    pub failures: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it ended the last time.
    pub last_cause: Option<String>,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerPhase {
    /// Started, not yet ready.
    Starting,
    /// Takes calls.
    Up,
    /// Waits to be started again.
    Pausing,
    /// Ended for good.
    Stopped,
}

impl WorkerPhase {
    /// Its name, such as `starting`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Pausing => "pausing",
            Self::Stopped => "stopped",
        }
    }
}
