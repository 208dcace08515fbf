//! The user's functions before and after the model.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use comptoir::executor::error::Cause;
use comptoir::executor::runtime::{Predicted, Slot, Stages};
use comptoir::executor::tensor::{DType, TensorSpec};
use comptoir::executor::{Error, runtime::RowMut};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::array::ArrayRef;
use super::image::ExecutorImage;
use super::model::Predictions;
use super::processes::{Processes, Row, loads};

/// `preprocess` and `postprocess`.
pub struct PyStages {
    pub preprocess: Preprocess,
    /// Where the functions run that are not run here.
    pub processes: Option<Arc<Processes>>,
    pub postprocess: Option<Py<PyAny>>,
    /// Where what `preprocess` gives is no tensor: what it gave, until the model has had it.
    pub objects: Option<Arc<Objects>>,
}

/// What turns an item into arrays.
pub enum Preprocess {
    /// The item is the array.
    Nothing,
    /// A function of the user.
    Python(Py<PyAny>),
    /// Our own, which runs without the interpreter.
    Image(Py<ExecutorImage>),
}

impl Preprocess {
    /// The kind of what was given.
    pub fn new(py: Python<'_>, given: Option<Py<PyAny>>) -> Self {
        let Some(given) = given else { return Self::Nothing };
        match given.bind(py).cast::<ExecutorImage>() {
            Ok(image) => Self::Image(image.clone().unbind()),
            Err(_) => Self::Python(given),
        }
    }
}

/// Python objects that wait for the model; the rows of the batch hold their numbers.
#[derive(Default)]
pub struct Objects {
    next: AtomicI64,
    waiting: Mutex<HashMap<i64, Py<PyAny>>>,
}

/// What travels with a request.
pub struct Context {
    /// What `preprocess` gave beside the tensors.
    value: Option<Py<PyAny>>,
    /// The same, pickled by a worker process.
    pickled: Option<Vec<u8>>,
    object: Option<(i64, Arc<Objects>)>,
    /// How long `postprocess` is waited for.
    deadline: Option<Instant>,
}

impl Objects {
    /// The shape of a row that holds the number of an object.
    pub fn shape() -> Vec<TensorSpec> {
        vec![TensorSpec::new("object", DType::I64, &[])]
    }

    fn put(&self, object: Py<PyAny>) -> i64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, object);
        number
    }

    /// The object of this number; it stays, since a batch that fails is run again.
    pub fn get(&self, py: Python<'_>, number: i64) -> Option<Py<PyAny>> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&number).map(|object| object.clone_ref(py))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some((number, objects)) = self.object.take() {
            let gone = objects.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
            // Its own code may run here, so the map is not locked any more.
            drop(gone);
        }
    }
}

impl Stages for PyStages {
    type Item = Py<PyAny>;
    type Context = Context;
    type Predictions = Predictions;
    type Output = Py<PyAny>;

    fn preprocess(&self, item: Py<PyAny>, slot: &mut Slot<'_>) -> Result<Context, Error> {
        Python::attach(|py| {
            let item = item.into_bound(py);
            if let Some(processes) = self.processes.as_ref().filter(|processes| processes.preprocess) {
                return self.preprocess_elsewhere(processes, &item, slot);
            }
            let value = match &self.preprocess {
                Preprocess::Nothing => item,
                Preprocess::Python(function) => {
                    function.bind(py).call1((item,)).map_err(|error| raised("preprocess", error))?
                }
                Preprocess::Image(image) => {
                    let value = image.get().fill(&item, slot)?;
                    return Ok(Context { value, pickled: None, object: None, deadline: slot.deadline() });
                }
            };
            let (tensors, value) = split(value)?;
            let object = match &self.objects {
                None => {
                    write(&tensors, slot)?;
                    None
                }
                Some(objects) => Some(keep(objects, tensors, slot)?),
            };
            let value = value.map(Bound::unbind);
            Ok(Context { value, pickled: None, object, deadline: slot.deadline() })
        })
    }

    fn postprocess(
        &self,
        predictions: &Predictions,
        row: usize,
        context: Context,
    ) -> Result<Py<PyAny>, Error> {
        Python::attach(|py| {
            if let Some(processes) = self.postprocess_elsewhere() {
                let mut outcomes = processes.postprocess(py, vec![context.row(predictions.row(py, row))]);
                return outcomes.pop().unwrap_or(Err(Error::Closed));
            }
            let prediction = predictions.row(py, row)?;
            let Some(function) = &self.postprocess else { return Ok(prediction.unbind()) };
            let function = function.bind(py);
            let result = match &context.value {
                None => function.call1((prediction,)),
                Some(value) => function.call1((prediction, value)),
            };
            result.map(Bound::unbind).map_err(|error| raised("postprocess", error))
        })
    }

    fn postprocess_at_once(&self) -> usize {
        self.postprocess_elsewhere().map_or(1, |processes| processes.rows_at_once())
    }

    fn postprocess_rows(&self, rows: Vec<Predicted<Self>>) -> Vec<Result<Py<PyAny>, Error>> {
        let Some(processes) = self.postprocess_elsewhere() else {
            return rows
                .into_iter()
                .map(|row| self.postprocess(&row.predictions, row.row, row.context))
                .collect();
        };
        Python::attach(|py| {
            let rows = rows.iter().map(|row| row.context.row(row.predictions.row(py, row.row)));
            processes.postprocess(py, rows.collect())
        })
    }

    fn postprocess_is_quick(&self) -> bool {
        self.postprocess.is_none()
    }

    fn scope(&self, work: &mut dyn FnMut()) {
        Python::attach(|_| work());
    }

    fn thread(&self, work: &mut (dyn FnMut() + Send)) {
        // The interpreter keeps what it knows of a thread until the first entry is left: made anew for every stage it costs
        // several system calls, and what functions keep in a `threading.local` would be gone each time.
        Python::attach(|py| py.detach(work));
    }
}

impl Context {
    /// The row of a prediction, for a worker process.
    fn row<'py>(&self, prediction: Result<Bound<'py, PyAny>, Error>) -> Result<Row<'py, '_>, Error> {
        let (context, deadline) = (self.pickled.as_deref(), self.deadline);
        prediction.map(|prediction| Row { prediction, context, deadline })
    }
}

impl PyStages {
    /// The worker processes that run `postprocess`.
    fn postprocess_elsewhere(&self) -> Option<&Arc<Processes>> {
        self.processes.as_ref().filter(|processes| processes.postprocess)
    }

    /// Runs `preprocess` in a worker process.
    fn preprocess_elsewhere(
        &self,
        processes: &Processes,
        item: &Bound<'_, PyAny>,
        slot: &mut Slot<'_>,
    ) -> Result<Context, Error> {
        let raise = |error| raised("preprocess", error);
        let Some(objects) = &self.objects else {
            let pickled = processes.preprocess(item, slot)?;
            return Ok(Context { value: None, pickled, object: None, deadline: slot.deadline() });
        };
        let pair = loads(item.py(), &processes.preprocess_object(item, slot.deadline())?).map_err(raise)?;
        let (object, pickled) = pair.extract::<(Bound<'_, PyAny>, Option<Vec<u8>>)>().map_err(raise)?;
        let object = Some(keep(objects, object, slot)?);
        Ok(Context { value: None, pickled, object, deadline: slot.deadline() })
    }
}

/// Keeps an object for the model, and writes its number into the row.
fn keep(
    objects: &Arc<Objects>,
    object: Bound<'_, PyAny>,
    slot: &mut Slot<'_>,
) -> Result<(i64, Arc<Objects>), Error> {
    let number = objects.put(object.unbind());
    slot.reserve()?.bytes_mut(0).copy_from_slice(&number.to_ne_bytes());
    Ok((number, Arc::clone(objects)))
}

/// Takes what `preprocess` gave apart: the tensors, and what `postprocess` gets beside the prediction.
fn split(value: Bound<'_, PyAny>) -> Result<(Bound<'_, PyAny>, Option<Bound<'_, PyAny>>), Error> {
    let Ok(pair) = value.cast::<PyTuple>() else { return Ok((value, None)) };
    if pair.len() != 2 {
        let message = format!(
            "it gave a tuple of {}: expected tensors, or a pair of tensors and a context for postprocess",
            pair.len()
        );
        return Err(Error::stage("preprocess", message));
    }
    let item = |at| pair.get_item(at).map_err(|error| raised("preprocess", error));
    Ok((item(0)?, Some(item(1)?)))
}

/// Writes tensors into the row of the forming batch: an array for a model with one input, or a dict by name.
fn write(tensors: &Bound<'_, PyAny>, slot: &mut Slot<'_>) -> Result<(), Error> {
    let arrays = match tensors.cast::<PyDict>() {
        Ok(named) => named
            .iter()
            .map(|(name, array)| ArrayRef::new(&name.to_string(), &array))
            .collect::<Result<Vec<_>, _>>()?,
        Err(_) => vec![ArrayRef::new("", tensors)?],
    };
    let specs: Vec<TensorSpec> = arrays.iter().map(|array| array.spec.clone()).collect();
    let row = slot.reserve_for(&specs)?;
    for (at, array) in arrays.iter().enumerate() {
        copy(array, at, row);
    }
    Ok(())
}

fn copy(array: &ArrayRef<'_>, at: usize, row: &mut RowMut) {
    let input = row.place(&array.spec.name, at);
    let (target, source) = (row.bytes_mut(input), array.bytes());
    if target.len() == source.len() {
        target.copy_from_slice(source);
    }
}

/// What a function of the user raised, which the request's future raises again.
pub fn raised(stage: &'static str, error: PyErr) -> Error {
    let message = error.to_string();
    Error::Stage { stage, message, cause: Some(Cause(Arc::new(error))) }
}
