//! The pipeline in real time: admission, CPU threads, forming batches, lanes, outcomes.
//!
//! [`Pipeline`] is the entry; [`Stages`] and [`Model`] are what a user writes.

mod admission;
mod clock;
mod closing;
mod core;
mod cpu;
mod lanes;
mod leave;
mod operate;
mod pipeline;
mod prometheus;
mod request;
mod rows;
mod settings;
mod shapes;
mod slot;
mod stages;
mod stats;
mod trace;
mod versions;
mod warm;

pub use admission::Options;
pub use operate::Swap;
pub use pipeline::{Endpoint, Pipeline};
pub use request::{Callback, CancelOnDrop, Canceller, Handle, Timings};
pub use rows::{ALIGNMENT, HostBlock, HostMemory, RowMut, Rows};
pub use settings::{ModelSpec, PipelineSpec};
pub use slot::Slot;
pub use stages::{Functions, Model, Predicted, Stages};
pub use stats::{Distribution, ModelStats, Outcomes, Stages as StageTimes, Stats, VersionStats};
