//! What the faces of comptoir in C, C++ and Java share, so that each only unpacks arguments.
//!
//! Every operation takes configuration as JSON text and data as a [`Table`], and gives a table, JSON text or a plain
//! value; what goes wrong is a [`Fault`]: the kind that hosts map to a status or an exception, the stable code, the
//! message, and the place. [`guard`] turns a panic into one. [`stream`] moves tables across the border by Arrow's C
//! structures; it is the only module with unsafe code.
#![deny(unsafe_code)]

pub mod costing;
pub mod executor;
mod fault;
mod guard;
pub mod ipc;
mod json;
pub mod ranking;
pub mod rules;
pub mod stream;
pub mod table;

pub use fault::{Fault, Place};
pub use guard::guard;
pub use json::{parse, render};
pub use serde_json::Value as Json;
pub use table::{Table, TableError};
