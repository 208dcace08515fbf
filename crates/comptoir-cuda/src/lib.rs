//! Models of the executor on NVIDIA GPUs: the copies of one batch overlap with the computation of another. Rows are tensors
//! of any kind, or pictures that cross the bus as bytes and are normalised on the device.
//!
//! CUDA is loaded when a device is opened: the crate builds and links without it, and a missing part is an [`Error`] with
//! its name. [`CudaModel`] is the entry; what is computed between the copies is a [`Compute`]. With feature `onnx` one of them
//! is a model in ONNX, `Onnx`.
//!
//! ```text
//! rows (page-locked) -> copy in -> [normalise] -> compute -> copy out -> predictions
//!                       lane's      stream that lanes        lane's
//!                       stream      share                    stream
//! ```
//!
//! **No GPU has run this crate yet.** The kernel is compiled by NVRTC and, as C++ on the CPU, held against
//! [`Normalise::on_cpu`]; the way of batches runs against a driver that the tests bring, which does its work as late as it
//! may. Its memory is the host's, so that models in ONNX are bound to it on the CPU; the providers of CUDA and TensorRT have
//! not run.
//!
//! # Examples
//! ```
//! use comptoir_cuda::{CudaModel, CudaSpec, Echo};
//! use comptoir_executor::runtime::Model;
//!
//! match CudaModel::open(&CudaSpec::default(), Echo) {
//!     Ok(model) => println!("{:?} takes {:?}", model.device().info(), model.inputs()),
//!     Err(missing) => println!("{missing}"),
//! }
//! ```
#![deny(unsafe_code)]

#[allow(unsafe_code)]
mod compiler;
#[allow(unsafe_code)]
mod compute;
#[allow(unsafe_code)]
mod device;
#[allow(unsafe_code)]
mod engine;
mod error;
mod inputs;
#[allow(unsafe_code)]
mod lane;
#[allow(unsafe_code)]
mod memory;
#[allow(unsafe_code)]
mod model;
mod normalise;
#[cfg(feature = "onnx")]
#[allow(unsafe_code)]
mod onnx;
mod timeline;

pub use compiler::{Compiler, Image, Target};
pub use compute::{Compute, DeviceBatch, DeviceInput, DeviceOutput, Echo, Recording};
pub use device::{Device, DeviceInfo, devices};
pub use error::Error;
pub use inputs::Inputs;
pub use model::{CudaModel, CudaSpec};
pub use normalise::Normalise;
#[cfg(feature = "onnx")]
pub use onnx::Onnx;
pub use timeline::{Span, Step};
