//! Exact inventory valuation: what stock is worth, how old it is, and the vouchers that follow.
#![forbid(unsafe_code)]

#[cfg(feature = "arrow")]
pub mod arrow;
mod engine;
pub mod error;
pub mod kernels;
pub mod movement;
pub mod policy;
pub mod posting;
pub mod reject;
mod repeats;
pub mod reports;
mod rows;
mod valuation;

pub use error::Error;
pub use policy::Policy;
pub use rows::{Movement, value};
pub use valuation::{Balance, Counts, Key, Valuation};
