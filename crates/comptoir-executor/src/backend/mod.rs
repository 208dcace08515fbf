//! Models that comptoir brings: ONNX, and a simulated device. Any closure over [`crate::runtime::Rows`] is a model too.

#[cfg(feature = "onnx")]
mod onnx;
mod simulated;
mod tensors;

#[cfg(feature = "onnx")]
pub use onnx::{OnnxModel, OnnxSession, OnnxSpec, Provider, ProviderOptions, onnx_dtype};
pub use simulated::{Simulated, SimulatedSpec};
pub use tensors::{Tensor, Tensors};
