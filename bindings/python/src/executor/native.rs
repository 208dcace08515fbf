//! Models that comptoir brings, for Python.

use std::sync::Arc;

use comptoir::executor::backend::{Simulated, SimulatedSpec, Tensors};
use comptoir::executor::runtime::Model;
use comptoir::executor::Error;
use pyo3::prelude::*;

use crate::enter::enter;

/// A model of ours, loaded.
#[pyclass(name = "ExecutorModel", module = "comptoir.executor", frozen)]
pub struct ExecutorModel {
    pub model: Arc<dyn Model<Tensors>>,
    /// The inputs of a row as JSON, where the model knows them.
    pub inputs: Option<String>,
}

#[pymethods]
impl ExecutorModel {
    /// A simulated device, from its settings as JSON.
    #[staticmethod]
    fn simulated(py: Python<'_>, spec: &str) -> PyResult<Self> {
        enter(py, || {
            let spec: SimulatedSpec =
                serde_json::from_str(spec).map_err(|error| Error::config("simulated", error.to_string()))?;
            Ok::<_, Error>(Self { model: Arc::new(Simulated::new(spec)?), inputs: None })
        })
    }

    /// The inputs of a row as JSON, where the model knows them.
    #[getter]
    fn inputs(&self) -> Option<&str> {
        self.inputs.as_deref()
    }
}
