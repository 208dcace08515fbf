//! The worker's side of worker processes, for `comptoir.executor._worker`.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use comptoir::executor::Error;
use comptoir::executor::worker::{Request, Worker};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::array::ArrayRef;
use super::pipeline::exception;
use super::processes::{Header, Placed};
use crate::enter::enter;
use crate::errors;

/// A worker process of a pipeline, seen from within; private to the package.
#[pyclass(name = "ExecutorWorker", module = "comptoir.executor", frozen)]
pub struct ExecutorWorker {
    worker: Mutex<Worker>,
    /// The call that is to be answered, and since when.
    request: Mutex<Option<(Request, Instant)>>,
}

/// Outputs begin at multiples of this.
const ALIGNMENT: usize = 64;

#[pymethods]
impl ExecutorWorker {
    /// Joins the pool that started this process by its last argument.
    #[new]
    fn new(py: Python<'_>, argument: &str) -> PyResult<Self> {
        enter(py, || {
            let worker = Worker::attach(argument)?;
            Ok::<_, Error>(Self { worker: Mutex::new(worker), request: Mutex::new(None) })
        })
    }

    /// What the pipeline gave to all workers.
    fn setup<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.worker.lock().unwrap_or_else(PoisonError::into_inner).setup())
    }

    /// Says that calls may come.
    fn ready(&self) {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).ready();
    }

    /// Waits for a call: the number of its function and its parts; none when the pipeline closes.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<(u32, Bound<'py, PyList>)>> {
        let next = py.detach(|| self.worker.lock().unwrap_or_else(PoisonError::into_inner).next_request());
        let Some(request) = next else { return Ok(None) };
        let parts = PyList::new(py, request.parts().into_iter().map(|part| PyBytes::new(py, part)))?;
        let function = request.function();
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = Some((request, Instant::now()));
        Ok(Some((function, parts)))
    }

    /// Says that one of the call's rows is done.
    fn step(&self) {
        if let Some((request, _)) = &*self.request.lock().unwrap_or_else(PoisonError::into_inner) {
            request.step();
        }
    }

    /// Answers the call with arrays by name, which are written straight into shared memory, and a pickled value. Raises
    /// what is wrong with an array, and leaves the call to be answered.
    fn reply(
        &self,
        py: Python<'_>,
        arrays: Vec<(String, Bound<'_, PyAny>)>,
        value: Option<&[u8]>,
    ) -> PyResult<()> {
        let raise = |error: Error| errors::from_core(py, &error);
        let arrays =
            arrays.iter().map(|(name, array)| ArrayRef::new(name, array)).collect::<Result<Vec<_>, _>>();
        let arrays = arrays.map_err(|error| exception(py, &error))?;
        let (mut request, start) = self.take().map_err(raise)?;
        let mut header = Header::default();
        let mut end = 0_usize;
        let output = request.output();
        for array in arrays {
            put(output, end, array.bytes());
            header.tensors.push(Placed { spec: array.spec.clone(), offset: end });
            end = (end + array.bytes().len()).next_multiple_of(ALIGNMENT);
        }
        if let Some(value) = value {
            put(output, end, value);
            header.object = Some((end, value.len()));
            end += value.len();
        }
        header.nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let header =
            serde_json::to_vec(&header).map_err(|error| raise(Error::Internal(error.to_string())))?;
        request.reply(&header, end);
        Ok(())
    }

    /// Answers that the function failed: in words, with the traceback, and the pickled exception.
    fn fail(&self, py: Python<'_>, message: &str, traceback: &str, detail: &[u8]) -> PyResult<()> {
        let (request, _) = self.take().map_err(|error| errors::from_core(py, &error))?;
        request.fail(message, traceback, detail);
        Ok(())
    }
}

impl ExecutorWorker {
    fn take(&self) -> Result<(Request, Instant), Error> {
        let request = self.request.lock().unwrap_or_else(PoisonError::into_inner).take();
        request.ok_or_else(|| Error::Internal("there is no call to answer".to_owned()))
    }
}

/// Writes what fits; what does not is told by the length of the reply.
fn put(output: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(target) = at.checked_add(bytes.len()).and_then(|end| output.get_mut(at..end)) {
        target.copy_from_slice(bytes);
    }
}
