//! Models that comptoir brings, for Python.

use std::sync::Arc;

use comptoir::executor::Error;
use comptoir::executor::backend::{OnnxModel, OnnxSpec, Simulated, SimulatedSpec, Tensors};
use comptoir::executor::runtime::Model;
use comptoir_cuda::{Compute, CudaModel, CudaSpec, Echo, Onnx, Span};
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
            Some(function) => {
                let function = Function::new(function);
                Self::on_cuda(py, move || CudaModel::open(&spec, function), device)
            }
            None => Self::on_cuda(py, move || CudaModel::open(&spec, Echo), device),
        }
    }

    /// A model in ONNX on an NVIDIA GPU, from the settings of the device and of the model as JSON.
    #[staticmethod]
    fn cuda_onnx(py: Python<'_>, spec: &str, model: &str) -> PyResult<Self> {
        let refused = |error: Error| errors::from_host(py, &error.into());
        let spec: CudaSpec = parse("cuda", spec).map_err(refused)?;
        let model: OnnxSpec = parse("onnx", model).map_err(refused)?;
        let providers =
            |model: &CudaModel<Onnx>| model.compute().providers().iter().map(ToString::to_string).collect();
        Self::on_cuda(py, move || CudaModel::onnx(&spec, &model), providers)
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
    fn on_cuda<C: Compute>(
        py: Python<'_>,
        open: impl FnOnce() -> Result<CudaModel<C>, comptoir_cuda::Error> + Send,
        providers: impl FnOnce(&CudaModel<C>) -> Vec<String>,
    ) -> PyResult<Self> {
        let model = Arc::new(enter_with(py, open, |py, error| errors::from_core(py, &error))?);
        let inputs = enter(py, || {
            serde_json::to_string(model.inputs()).map_err(|error| Error::Internal(error.to_string()))
        })?;
        let timed = Arc::clone(&model);
        Ok(Self {
            inputs: Some(inputs),
            providers: providers(&model),
            timeline: Some(Arc::new(move || timed.timeline())),
            model,
        })
    }
}

/// The device that a function runs on.
fn device<C: Compute>(model: &CudaModel<C>) -> Vec<String> {
    vec![format!("cuda {}", model.device().info().name)]
}
