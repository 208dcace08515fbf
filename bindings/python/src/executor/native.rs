//! Models that comptoir brings, for Python.

use std::sync::Arc;

use comptoir::executor::Error;
use comptoir::executor::backend::{OnnxModel, OnnxSpec, Simulated, SimulatedSpec, Tensors};
use comptoir::executor::runtime::Model;
use comptoir_cuda::{Compute, CudaModel, CudaSpec, Echo, Span};
use pyo3::prelude::*;

use super::cuda::Function;
use super::settings::parse;
use crate::enter::{enter, enter_with};
use crate::errors;

/// A model of ours, loaded.
#[pyclass(name = "ExecutorModel", module = "comptoir.executor", frozen)]
pub struct ExecutorModel {
    pub model: Arc<dyn Model<Tensors>>,
    /// The inputs of a row as JSON, where the model knows them.
    inputs: Option<String>,
    /// Where it runs.
    providers: Vec<String>,
    /// Gives the steps of batches on the device, for a model that notes them.
    timeline: Option<Timeline>,
}

type Timeline = Arc<dyn Fn() -> Vec<Span> + Send + Sync>;

#[pymethods]
impl ExecutorModel {
    /// A simulated device, from its settings as JSON.
    #[staticmethod]
    fn simulated(py: Python<'_>, spec: &str) -> PyResult<Self> {
        enter(py, || {
            let spec: SimulatedSpec = parse("simulated", spec)?;
            let model = Arc::new(Simulated::new(spec)?);
            Ok::<_, Error>(Self {
                model,
                inputs: None,
                providers: vec!["simulated".to_owned()],
                timeline: None,
            })
        })
    }

    /// A model in ONNX, from its settings as JSON.
    #[staticmethod]
    fn onnx(py: Python<'_>, spec: &str) -> PyResult<Self> {
        enter(py, || {
            let spec: OnnxSpec = parse("onnx", spec)?;
            let model = OnnxModel::load(&spec)?;
            let inputs = serde_json::to_string(model.inputs());
            let inputs = inputs.map_err(|error| Error::Internal(error.to_string()))?;
            let providers = model.providers().iter().map(ToString::to_string).collect();
            Ok::<_, Error>(Self { model: Arc::new(model), inputs: Some(inputs), providers, timeline: None })
        })
    }

    /// A function on an NVIDIA GPU, from its settings as JSON; without a function the batch on the device is the
    /// prediction.
    #[staticmethod]
    fn cuda(py: Python<'_>, spec: &str, function: Option<Py<PyAny>>) -> PyResult<Self> {
        let spec: CudaSpec = parse("cuda", spec).map_err(|error| errors::from_host(py, &error.into()))?;
        match function {
            Some(function) => Self::on_cuda(py, spec, Function::new(function)),
            None => Self::on_cuda(py, spec, Echo),
        }
    }

    /// The latest steps of batches on the device, as JSON.
    fn timeline(&self, py: Python<'_>) -> PyResult<String> {
        enter(py, || {
            let spans = self.timeline.as_ref().map(|timeline| timeline()).unwrap_or_default();
            serde_json::to_string(&spans).map_err(|error| Error::Internal(error.to_string()))
        })
    }

    /// Where it runs.
    #[getter]
    fn providers(&self) -> Vec<String> {
        self.providers.clone()
    }

    /// The inputs of a row as JSON, where the model knows them.
    #[getter]
    fn inputs(&self) -> Option<&str> {
        self.inputs.as_deref()
    }
}

impl ExecutorModel {
    fn on_cuda(py: Python<'_>, spec: CudaSpec, compute: impl Compute) -> PyResult<Self> {
        let open = move || CudaModel::open(&spec, compute);
        let model = Arc::new(enter_with(py, open, |py, error| errors::from_core(py, &error))?);
        let inputs = enter(py, || {
            serde_json::to_string(model.inputs()).map_err(|error| Error::Internal(error.to_string()))
        })?;
        let timed = Arc::clone(&model);
        Ok(Self {
            inputs: Some(inputs),
            providers: vec![format!("cuda {}", model.device().info().name)],
            timeline: Some(Arc::new(move || timed.timeline())),
            model,
        })
    }
}
