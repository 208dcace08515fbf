//! Embeddable computation cores for e-commerce back ends.
#![forbid(unsafe_code)]
#[cfg(feature = "costing")]
pub use comptoir_costing as costing;
pub use comptoir_types as types;
