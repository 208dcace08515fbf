//! Models that comptoir brings, for Python.

use std::sync::Arc;

use comptoir::executor::Error;
use comptoir::executor::backend::{OnnxModel, OnnxSpec, Simulated, SimulatedSpec, Tensors};
use comptoir::executor::runtime::Model;
use pyo3::prelude::*;

use super::settings::parse;
use crate::enter::enter;

/// A model of ours, loaded.
#[pyclass(name = "ExecutorModel", module = "comptoir.executor", frozen)]
pub struct ExecutorModel {
    pub model: Arc<dyn Model<Tensors>>,
    /// The inputs of a row as JSON, where the model knows them.
    inputs: Option<String>,
    /// Where it runs.
    providers: Vec<String>,
}

#[pymethods]
impl ExecutorModel {
    /// A simulated device, from its settings as JSON.
    #[staticmethod]
    fn simulated(py: Python<'_>, spec: &str) -> PyResult<Self> {
        enter(py, || {
            let spec: SimulatedSpec = parse("simulated", spec)?;
            let model = Arc::new(Simulated::new(spec)?);
            Ok::<_, Error>(Self { model, inputs: None, providers: vec!["simulated".to_owned()] })
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
            Ok::<_, Error>(Self { model: Arc::new(model), inputs: Some(inputs), providers })
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
