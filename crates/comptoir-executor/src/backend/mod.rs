//! Models that comptoir brings: a simulated device. Any closure over [`crate::runtime::Rows`] is a model too.

mod simulated;
mod tensors;

pub use simulated::{Simulated, SimulatedSpec};
pub use tensors::{Tensor, Tensors};
