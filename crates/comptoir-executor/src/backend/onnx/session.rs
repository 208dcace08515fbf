//! Sessions of ONNX Runtime: its library, providers, and what a model says of its inputs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::{CPU, CUDA, ExecutionProviderDispatch, TensorRT};
use ort::session::{Session, builder::GraphOptimizationLevel};
use ort::value::{Outlet, TensorElementType, ValueType};

use super::{OnnxSpec, Provider};
use crate::error::Error;
use crate::tensor::{DType, TensorSpec};

/// A session of ONNX Runtime over a model, for those who run it by themselves; [`super::OnnxModel`] is the model that a
/// pipeline runs.
pub struct OnnxSession {
    /// The session.
    pub session: Session,
    /// The inputs of a row.
    pub inputs: Vec<TensorSpec>,
    /// What it runs on, without what was left out because it is missing.
    pub providers: Vec<Provider>,
}

impl fmt::Debug for OnnxSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("OnnxSession");
        shown.field("inputs", &self.inputs).field("providers", &self.providers).finish_non_exhaustive()
    }
}

impl OnnxSession {
    /// Opens a session, leaving out what is missing where that is allowed.
    ///
    /// # Errors
    /// As [`super::OnnxModel::load`].
    pub fn open(spec: &OnnxSpec) -> Result<Self, Error> {
        Self::open_with(spec, &|options| options)
    }

    /// The same with the options of each provider as `change` gives them.
    ///
    /// # Errors
    /// As [`super::OnnxModel::load`].
    pub fn open_with(
        spec: &OnnxSpec,
        change: &dyn Fn(ProviderOptions) -> ProviderOptions,
    ) -> Result<Self, Error> {
        if spec.path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(Error::config("path", "no path has a byte of zero"));
        }
        let environment = environment(spec.library.as_deref())?;
        let mut providers = spec.providers.clone();
        let session = loop {
            match session(spec, &environment, &providers, change) {
                Err(_) if spec.fall_back && providers.len() > 1 => {
                    providers.remove(0);
                }
                opened => break opened?,
            }
        };
        let inputs =
            session.inputs().iter().map(|input| input_spec(input, spec)).collect::<Result<_, _>>()?;
        Ok(Self { session, inputs, providers })
    }
}

/// Options of a provider, as ONNX Runtime takes them.
#[derive(Debug, Clone)]
pub enum ProviderOptions {
    /// Of [`Provider::Cpu`].
    Cpu(CPU),
    /// Of [`Provider::Cuda`].
    Cuda(CUDA),
    /// Of [`Provider::Tensorrt`].
    Tensorrt(TensorRT),
}

impl ProviderOptions {
    fn new(provider: &Provider) -> Self {
        match provider {
            Provider::Cpu => Self::Cpu(CPU::default()),
            Provider::Cuda { device } => Self::Cuda(CUDA::default().with_device_id(*device)),
            Provider::Tensorrt { device, fp16, engine_cache } => {
                let mut provider = TensorRT::default().with_device_id(*device).with_fp16(*fp16);
                if let Some(path) = engine_cache {
                    provider = provider.with_engine_cache(true).with_engine_cache_path(path.display());
                }
                Self::Tensorrt(provider)
            }
        }
    }

    fn dispatch(self) -> ExecutionProviderDispatch {
        let built = match self {
            Self::Cpu(provider) => provider.build(),
            Self::Cuda(provider) => provider.build(),
            Self::Tensorrt(provider) => provider.build(),
        };
        built.error_on_failure()
    }
}

/// The process's environment of ONNX Runtime, made at the first call. The lock is held over the loading.
fn environment(library: Option<&Path>) -> Result<Environment, Error> {
    static MADE: Mutex<Option<Environment>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*made {
        return Ok(environment.clone());
    }
    let from = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    let path = library.map(Path::to_path_buf).or(from).unwrap_or_else(|| PathBuf::from("libonnxruntime.so"));
    let missing = |error: String| {
        Error::Unavailable(format!(
            "ONNX Runtime cannot be loaded: {error}; install the Python package onnxruntime or onnxruntime-gpu, or give \
             the path of libonnxruntime.so as `library` or in ORT_DYLIB_PATH"
        ))
    };
    let builder = ort::init_from(&path).map_err(|error| missing(error.to_string()))?;
    let environment = builder.build().map_err(|error| missing(error.to_string()))?;
    Ok(made.insert(environment).clone())
}

fn session(
    spec: &OnnxSpec,
    environment: &Environment,
    providers: &[Provider],
    change: &dyn Fn(ProviderOptions) -> ProviderOptions,
) -> Result<Session, Error> {
    let failed = |what: &str, error: String| Error::Unavailable(format!("{what}: {error}"));
    let names: Vec<String> = providers.iter().map(|provider| format!("`{provider}`")).collect();
    let names = names.join(", ");
    let file = spec.path.display().to_string();
    let runtime = |error: String| failed("ONNX Runtime", error);
    let dispatches: Vec<ExecutionProviderDispatch> =
        providers.iter().map(|provider| change(ProviderOptions::new(provider)).dispatch()).collect();
    let builder = Session::builder(environment).map_err(|error| runtime(error.to_string()))?;
    let builder = builder
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(|error| runtime(error.to_string()))?;
    let builder = builder.with_intra_threads(spec.threads).map_err(|error| runtime(error.to_string()))?;
    let mut builder = builder
        .with_execution_providers(dispatches)
        .map_err(|error| failed(&format!("provider {names}"), error.to_string()))?;
    builder
        .commit_from_file(&spec.path)
        .map_err(|error| failed(&format!("model `{file}`"), error.to_string()))
}

/// The input of a row: the model's input without its first side, which must be open.
fn input_spec(input: &Outlet, spec: &OnnxSpec) -> Result<TensorSpec, Error> {
    let name = input.name();
    let refused = |message: String| Error::config(format!("inputs.{name}"), message);
    let &ValueType::Tensor { ty, ref shape, ref dimension_symbols } = input.dtype() else {
        return Err(refused("is no tensor".to_owned()));
    };
    let dtype =
        onnx_dtype(ty).ok_or_else(|| refused(format!("has elements of {ty}, which no row can have")))?;
    let mut sides = shape.iter().zip(dimension_symbols.iter());
    match sides.next() {
        Some((-1, _)) => {}
        Some((batch, _)) => {
            let message = format!("has a fixed batch of {batch}: export the model with an open first side");
            return Err(refused(message));
        }
        None => return Err(refused("has no batch dimension".to_owned())),
    }
    let side = |(&side, symbol): (&i64, &String)| match usize::try_from(side) {
        Ok(side) => Ok(side),
        Err(_) => spec.sides.get(symbol.as_str()).copied().ok_or_else(|| {
            let symbol = if symbol.is_empty() { "without a name" } else { symbol.as_str() };
            refused(format!("has the open side `{symbol}`, whose size must be declared in `sides`"))
        }),
    };
    Ok(TensorSpec { name: name.to_owned(), dtype, shape: sides.map(side).collect::<Result<_, _>>()? })
}

/// The type of elements of ONNX as one of rows; none where no row can have it.
#[must_use]
pub fn onnx_dtype(element: TensorElementType) -> Option<DType> {
    Some(match element {
        TensorElementType::Uint8 => DType::U8,
        TensorElementType::Int32 => DType::I32,
        TensorElementType::Int64 => DType::I64,
        TensorElementType::Float16 => DType::F16,
        TensorElementType::Float32 => DType::F32,
        TensorElementType::Float64 => DType::F64,
        _ => return None,
    })
}
