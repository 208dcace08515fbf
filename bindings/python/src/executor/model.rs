//! The user's model, and what it predicts.

use std::sync::Arc;

use comptoir::executor::Error;
use comptoir::executor::backend::Tensors;
use comptoir::executor::runtime::{HostMemory, Model, Rows};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyFrozenSet, PyList, PySet, PyString, PyTuple};

use super::stages::{Objects, raised};
use super::view::TensorView;

/// The predictions for a batch.
pub enum Predictions {
    /// Whatever a Python model returned, with one entry for each row.
    Object(Py<PyAny>),
    /// The outputs of a model of ours.
    Tensors(Arc<Tensors>),
}

/// A Python callable over a batch.
pub struct PyModel {
    pub function: Py<PyAny>,
    pub objects: Option<Arc<Objects>>,
}

/// A model of ours.
pub struct NativeModel(pub Arc<dyn Model<Tensors>>);

impl Model<Predictions> for NativeModel {
    fn infer(&self, lane: usize, batch: &Rows) -> Result<Predictions, Error> {
        self.0.infer(lane, batch).map(|tensors| Predictions::Tensors(Arc::new(tensors)))
    }

    fn copy_in(&self, rows: usize) -> std::time::Duration {
        self.0.copy_in(rows)
    }

    fn memory(&self) -> Option<Arc<dyn HostMemory>> {
        self.0.memory()
    }
}

impl Model<Predictions> for PyModel {
    fn infer(&self, _lane: usize, batch: &Rows) -> Result<Predictions, Error> {
        Python::attach(|py| {
            let input = match &self.objects {
                Some(objects) => self.list(py, objects, batch)?,
                None => arrays(py, batch).map_err(|error| raised("infer", error))?,
            };
            let output = self.function.bind(py).call1((input,)).map_err(|error| raised("infer", error))?;
            check_rows(&output, batch.len())?;
            Ok(Predictions::Object(output.unbind()))
        })
    }
}

impl PyModel {
    /// The objects of a batch. Rows of zeros, from a warm-up, never come here: there is none without tensors.
    fn list<'py>(
        &self,
        py: Python<'py>,
        objects: &Objects,
        batch: &Rows,
    ) -> Result<Bound<'py, PyAny>, Error> {
        let list = PyList::empty(py);
        for number in batch.bytes(0).as_chunks::<8>().0 {
            let object = objects.get(py, i64::from_ne_bytes(*number));
            list.append(object).map_err(|error| raised("infer", error))?;
        }
        Ok(list.into_any())
    }
}

/// The batch as an array, or as a dict of arrays for a model with several inputs.
fn arrays<'py>(py: Python<'py>, batch: &Rows) -> PyResult<Bound<'py, PyAny>> {
    let array = |input: usize| -> PyResult<Bound<'py, PyAny>> {
        match TensorView::batch(batch, input) {
            Some(view) => view.into_numpy(py),
            None => Ok(py.None().into_bound(py)),
        }
    };
    if batch.inputs().len() == 1 {
        return array(0);
    }
    let named = PyDict::new(py);
    for (input, spec) in batch.inputs().iter().enumerate() {
        named.set_item(&spec.name, array(input)?)?;
    }
    Ok(named.into_any())
}

/// Whether there is a prediction for each row.
fn check_rows(output: &Bound<'_, PyAny>, rows: usize) -> Result<(), Error> {
    let check = |what: &str, value: &Bound<'_, PyAny>| match value.len() {
        Ok(found) if found == rows && !is_no_list(value) => Ok(()),
        Ok(found) if !is_no_list(value) => {
            Err(Error::stage("infer", format!("{what} has {found} rows for a batch of {rows}")))
        }
        _ => {
            let name = value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
            Err(Error::stage(
                "infer",
                format!("{what} is `{name}`: expected an array or list with a row for each item"),
            ))
        }
    };
    // A dict or tuple says nothing of rows by its own length.
    let several = output.is_instance_of::<PyDict>() || output.is_instance_of::<PyTuple>();
    if several && output.is_empty().unwrap_or(false) {
        return Err(Error::stage("infer", format!("there is no output for a batch of {rows}")));
    }
    if let Ok(named) = output.cast::<PyDict>() {
        return named.iter().try_for_each(|(name, value)| check(&format!("output `{name}`"), &value));
    }
    match output.cast::<PyTuple>() {
        Ok(outputs) => {
            outputs.iter().enumerate().try_for_each(|(at, value)| check(&format!("output {at}"), &value))
        }
        Err(_) => check("the output", output),
    }
}

/// Whether a value has a length, but no rows: text, or a set, which has no order.
fn is_no_list(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
}

impl Predictions {
    /// The prediction for a row: of a dict or tuple of outputs, the same with the row of each.
    ///
    /// # Errors
    /// The exception that a Python model put in the place of a row; what indexing raises.
    pub fn row<'py>(&self, py: Python<'py>, row: usize) -> Result<Bound<'py, PyAny>, Error> {
        let raise = |error| raised("infer", error);
        match self {
            Self::Object(output) => pick(output.bind(py), row).map_err(raise),
            Self::Tensors(tensors) => self_row(py, tensors, row).map_err(raise),
        }
    }
}

fn pick<'py>(output: &Bound<'py, PyAny>, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(named) = output.cast::<PyDict>() {
        let picked = PyDict::new(output.py());
        for (name, value) in named.iter() {
            picked.set_item(name, entry(&value, row)?)?;
        }
        return Ok(picked.into_any());
    }
    if let Ok(outputs) = output.cast::<PyTuple>() {
        let rows = outputs.iter().map(|value| entry(&value, row)).collect::<PyResult<Vec<_>>>()?;
        return Ok(PyTuple::new(output.py(), rows)?.into_any());
    }
    entry(output, row)
}

/// What an output has for a row; an exception in its place is raised.
fn entry<'py>(output: &Bound<'py, PyAny>, row: usize) -> PyResult<Bound<'py, PyAny>> {
    let found = output.get_item(row)?;
    match found.cast::<PyBaseException>() {
        Ok(exception) => Err(PyErr::from_value(exception.clone().into_any())),
        Err(_) => Ok(found),
    }
}

/// A row of our own tensors: an array, or a dict of arrays where there are several outputs.
fn self_row<'py>(py: Python<'py>, tensors: &Arc<Tensors>, row: usize) -> PyResult<Bound<'py, PyAny>> {
    let array = |output: usize| match TensorView::prediction(tensors, output, row) {
        Some(view) => view.into_numpy(py),
        None => Ok(py.None().into_bound(py)),
    };
    if tensors.outputs.len() <= 1 {
        return array(0);
    }
    let named = PyDict::new(py);
    for (output, (name, _)) in tensors.outputs.iter().enumerate() {
        named.set_item(name, array(output)?)?;
    }
    Ok(named.into_any())
}
