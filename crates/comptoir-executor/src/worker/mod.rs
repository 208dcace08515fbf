//! Worker processes over shared memory, for callables that may be slow, hold an interpreter's lock, or crash.
//!
//! ```text
//! caller threads -> slots in shared memory -> ring and bell of a worker -> callable -> the caller's own slot -> reply
//! ```
//!
//! A call writes its input into a slot and puts the slot's number in the ring of a worker. The worker writes its output
//! into the same slot and rings the caller's own bell: no thread of the parent stands between. Both wait by looking
//! for some microseconds where calls come quickly, then asleep on a futex.
//!
//! A supervisor thread starts the workers, sees them die, hang or stop, fails or retries the calls they lost, and starts
//! them again. Workers end with their parent, whatever ends it.

mod bell;
mod child;
mod config;
mod error;
mod memory;
mod pool;
mod process;
mod slot;
mod state;
mod stats;
mod supervisor;
mod system;

pub use child::{Request, Worker, serve};
pub use config::WorkerConfig;
pub use error::Error;
pub use pool::{Reply, WorkerPool};
pub use stats::{WorkerPhase, WorkerStats, WorkerStatus, prometheus};

/// What the ring says to a worker that shall end.
const STOP: u32 = u32::MAX;
