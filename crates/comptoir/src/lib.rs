//! Embeddable computation cores for e-commerce back ends.
#![forbid(unsafe_code)]
pub use comptoir_types as types;
#[cfg(feature = "costing")]
pub use comptoir_costing as costing;
