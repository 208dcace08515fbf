//! Embeddable computation cores for e-commerce back ends.
#![forbid(unsafe_code)]
#[cfg(feature = "costing")]
pub use comptoir_costing as costing;
#[cfg(feature = "cuda")]
pub use comptoir_cuda as cuda;
#[cfg(feature = "executor")]
pub use comptoir_executor as executor;
#[cfg(feature = "ranking")]
pub use comptoir_ranking as ranking;
#[cfg(feature = "rules")]
pub use comptoir_rules as rules;
pub use comptoir_types as types;
