//! Capacity planning for Python.

use comptoir::executor::Error;
use comptoir::executor::plan::{PlanSpec, plan};
use pyo3::prelude::*;

use super::settings::parse;
use crate::enter::enter;

/// Plans from settings as JSON; gives the plan as JSON, and as text.
#[pyfunction]
pub fn executor_plan(py: Python<'_>, spec: &str) -> PyResult<(String, String)> {
    enter(py, || {
        let spec: PlanSpec = parse("plan", spec)?;
        let plan = plan(&spec)?;
        let json = serde_json::to_string(&plan).map_err(|error| Error::Internal(error.to_string()))?;
        Ok::<_, Error>((json, plan.to_string()))
    })
}
