//! Models in ONNX, run by an ONNX Runtime that is found when the first is loaded.

mod session;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, TensorRef, ValueType};
use serde::{Deserialize, Serialize};

pub use session::{OnnxSession, ProviderOptions, onnx_dtype};

use super::tensors::{Tensor, Tensors};
use crate::error::Error;
use crate::runtime::{Model, Rows};
use crate::tensor::{DType, Element, TensorSpec};

/// Where a model lies and how it is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnnxSpec {
    /// The model file.
    pub path: PathBuf,
    /// The shared library of ONNX Runtime. None: the environment variable `ORT_DYLIB_PATH`, or the system's library
    /// path. A process loads one library; later models use the first.
    pub library: Option<PathBuf>,
    /// Execution providers in the order in which they are asked for each node.
    pub providers: Vec<Provider>,
    /// Whether a provider that is missing is left out, which [`OnnxModel::providers`] then tells; else it is an error.
    pub fall_back: bool,
    /// Sessions, of which each has its own memory on the device; lanes beyond share them.
    pub sessions: usize,
    /// Threads of one run on the CPU; 0: as many as ONNX Runtime likes.
    pub threads: usize,
    /// Sizes of the sides that the model leaves open, by the symbol that it gives them, beside the batch.
    pub sides: BTreeMap<String, usize>,
}

/// Where the nodes of a model run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name", deny_unknown_fields)]
#[non_exhaustive]
pub enum Provider {
    /// The CPU.
    Cpu,
    /// NVIDIA CUDA.
    Cuda {
        /// Number of the device.
        #[serde(default)]
        device: i32,
    },
    /// NVIDIA TensorRT.
    Tensorrt {
        /// Number of the device.
        #[serde(default)]
        device: i32,
        /// Whether it may compute in half precision.
        #[serde(default)]
        fp16: bool,
        /// Directory in which built engines are kept; a build takes minutes.
        #[serde(default)]
        engine_cache: Option<PathBuf>,
    },
}

impl Default for OnnxSpec {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            library: None,
            providers: vec![Provider::Cpu],
            fall_back: false,
            sessions: 1,
            threads: 1,
            sides: BTreeMap::new(),
        }
    }
}

impl OnnxSpec {
    /// The same on these providers and no others: for further sessions beside one that has left out what is missing.
    #[must_use]
    pub fn on(&self, providers: &[Provider]) -> Self {
        Self { providers: providers.to_vec(), fall_back: false, ..self.clone() }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda { .. } => "cuda",
            Self::Tensorrt { .. } => "tensorrt",
        })
    }
}

/// A model in ONNX, loaded.
pub struct OnnxModel {
    sessions: Vec<Mutex<Session>>,
    inputs: Vec<TensorSpec>,
    providers: Vec<Provider>,
    name: String,
}

impl fmt::Debug for OnnxModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnnxModel").field("name", &self.name).field("inputs", &self.inputs).finish()
    }
}

impl OnnxModel {
    /// Loads a model.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where ONNX Runtime, a provider or the file is missing or cannot be used;
    /// [`Error::Config`] where the model has a fixed batch, or open sides that `sides` does not name.
    pub fn load(spec: &OnnxSpec) -> Result<Self, Error> {
        if spec.sessions == 0 {
            return Err(Error::config("sessions", "must be at least 1"));
        }
        let first = OnnxSession::open(spec)?;
        let chosen = spec.on(&first.providers);
        let mut sessions = vec![Mutex::new(first.session)];
        for _ in 1..spec.sessions {
            sessions.push(Mutex::new(OnnxSession::open(&chosen)?.session));
        }
        let (inputs, providers) = (first.inputs, first.providers);
        Ok(Self { sessions, inputs, providers, name: spec.path.display().to_string() })
    }

    /// The inputs of a row, as a pipeline is to declare them.
    #[must_use]
    pub fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    /// The providers that it runs on.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }
}

impl Model<Tensors> for OnnxModel {
    fn infer(&self, lane: usize, batch: &Rows) -> Result<Tensors, Error> {
        let session = self.sessions.get(lane % self.sessions.len());
        let session = session.ok_or_else(|| Error::Internal("a session has gone".to_owned()))?;
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (number, spec) in self.inputs.iter().enumerate() {
            inputs.push((spec.name.as_str(), view(batch, number, spec)?));
        }
        let failed = |error: ort::Error| Error::stage("infer", error.to_string());
        let outputs = session.run(inputs).map_err(failed)?;
        let mut tensors = Tensors::default();
        for (name, value) in &outputs {
            tensors.outputs.push((name.to_owned(), owned(name, &value, batch.len())?));
        }
        Ok(tensors)
    }
}

/// Calls a generic function with the Rust type of an element type.
macro_rules! with_type {
    ($dtype:expr, $function:ident($($argument:expr),*)) => {
        match $dtype {
            DType::U8 => $function::<u8>($($argument),*),
            DType::I32 => $function::<i32>($($argument),*),
            DType::I64 => $function::<i64>($($argument),*),
            DType::F16 => $function::<half::f16>($($argument),*),
            DType::F32 => $function::<f32>($($argument),*),
            DType::F64 => $function::<f64>($($argument),*),
        }
    };
}

/// An input of the batch, without a copy.
fn view<'a>(batch: &'a Rows, number: usize, spec: &TensorSpec) -> Result<SessionInputValue<'a>, Error> {
    fn typed<'a, T>(batch: &'a Rows, number: usize, shape: Vec<usize>) -> Result<SessionInputValue<'a>, Error>
    where
        T: Element + ort::value::PrimitiveTensorElementType + fmt::Debug,
    {
        let elements = batch.tensor::<T>(number)?;
        let tensor = TensorRef::from_array_view((shape, elements));
        tensor.map(Into::into).map_err(|error| Error::stage("infer", error.to_string()))
    }
    let mut shape = vec![batch.len()];
    shape.extend(&spec.shape);
    with_type!(spec.dtype, typed(batch, number, shape))
}

/// An output in memory of our own, which lives as long as its rows are referred to.
fn owned(name: &str, value: &DynValue, rows: usize) -> Result<Tensor, Error> {
    fn typed<T: Element + ort::value::PrimitiveTensorElementType>(
        value: &DynValue,
        shape: &[usize],
    ) -> Result<Tensor, Error> {
        let (_, elements) =
            value.try_extract_tensor::<T>().map_err(|error| Error::stage("infer", error.to_string()))?;
        Tensor::from_slice(shape, elements)
    }
    let refused = |message: String| Error::stage("infer", format!("output `{name}` {message}"));
    let ValueType::Tensor { ty, shape, .. } = value.dtype() else {
        return Err(refused("is no tensor".to_owned()));
    };
    let shape: Vec<usize> = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
    if shape.first() != Some(&rows) {
        return Err(refused(format!("has the shape {shape:?} for a batch of {rows}")));
    }
    let dtype = onnx_dtype(*ty).ok_or_else(|| refused(format!("has elements of {ty}")))?;
    with_type!(dtype, typed(value, &shape))
}
