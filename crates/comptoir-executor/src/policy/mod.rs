//! How requests are ordered and batches are made: pure functions and plain data, without threads or clocks.
//!
//! The pipeline in real time and the simulator in virtual time call the same code. A request is ordered by priority
//! and deadline once, in the [`Queue`] before the CPU stage; rows past it leave in the order in which they were
//! written, so a batch is a prefix of the ready rows, and [`decide`] says when it leaves and how large it is. The
//! schedule asks it for each of the models that share CPU threads and a device, and chooses among them by [`Fair`].

mod decide;
mod fair;
mod flow;
mod halves;
mod instance;
mod latency;
mod queue;
mod schedule;
mod soonest;

pub use decide::{BatchPolicy, Decision, DeviceState, Ready, decide, late};
pub use fair::Fair;
pub(crate) use flow::Flow;
pub(crate) use halves::Halves;
pub use latency::LatencyModel;
pub use queue::{Entry, Key, Queue, QueuePolicy, Rejected};
pub(crate) use schedule::{Lineup, Running, Schedule, Start, Turn};
pub use soonest::{Ahead, Rival, soonest};

/// Time in nanoseconds since some start.
pub type Nanos = u64;
