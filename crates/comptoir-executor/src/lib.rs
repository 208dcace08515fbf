//! Model inference whose CPU work is split from the device's work, batched and overlapped, inside any process.
//!
//! ```text
//! submit -> admission (bounded, deadline) -> CPU stage -> batcher -> device lanes -> CPU stage -> result
//! ```
//!
//! Every request ends in exactly one of: a result, an error of its own, deadline exceeded, overloaded, cancelled.
#![deny(unsafe_code)]

pub mod backend;
pub mod error;
#[cfg(feature = "image")]
pub mod image;
mod metrics;
pub mod plan;
pub mod policy;
pub mod runtime;
pub mod simulate;
pub mod tensor;
#[cfg(target_os = "linux")]
pub mod worker;

pub use error::Error;
