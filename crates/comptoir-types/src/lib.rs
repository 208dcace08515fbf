//! What all comptoir cores share: exact [decimals](decimal), [dates and clocks](time), [error codes](error) and, behind
//! features, reading of Arrow columns in all the shapes that producers send (`arrow`) and of configuration as JSON or YAML
//! text (`config`).
//!
//! Money and quantities are scaled integers, never floats. Every operation is checked: what does not fit is an
//! [`Error`] with a stable code, not a wrapped number.
//!
//! ```
//! use comptoir_types::{Decimal, Rounding};
//!
//! let price: Decimal = "12.30".parse()?;
//! let qty: Decimal = "3".parse()?;
//! assert_eq!(price.checked_mul(qty)?.to_string(), "36.90");
//! assert_eq!(price.div_round(Decimal::from(7), 4, Rounding::HalfEven)?.to_string(), "1.7571");
//! # Ok::<(), comptoir_types::Error>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg(feature = "config")]
pub mod config;
pub mod decimal;
pub mod error;
mod position;
pub mod simd;
pub mod time;

pub use decimal::{Decimal, Rounding, WideDecimal};
pub use error::{Error, ErrorCode, ErrorKind};
pub use position::Position;
pub use time::{Clock, Date};
