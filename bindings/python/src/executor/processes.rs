//! The user's functions in worker processes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use comptoir::executor::Error;
use comptoir::executor::runtime::Slot;
use comptoir::executor::tensor::TensorSpec;
use comptoir::executor::worker::{Error as WorkerError, Reply, WorkerConfig, WorkerPool};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use super::stages::raised;

/// Number of `preprocess` among the functions of a worker.
pub const PREPROCESS: u32 = 0;
/// Number of `postprocess`.
pub const POSTPROCESS: u32 = 1;

/// Worker processes of one model.
pub struct Processes {
    pool: WorkerPool,
    pub preprocess: bool,
    pub postprocess: bool,
}

/// How workers are started, as `comptoir.executor` gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    command: PathBuf,
    args: Vec<String>,
    workers: usize,
    bytes: usize,
    timeout: f64,
    memory: Option<u64>,
    preprocess: bool,
    postprocess: bool,
}

/// What a worker says about its output.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Header {
    /// The tensors of a row.
    pub tensors: Vec<Placed>,
    /// Where another value lies, pickled: the result, or what `postprocess` gets beside the prediction.
    pub object: Option<(usize, usize)>,
}

/// A tensor and where it begins.
#[derive(Debug, Serialize, Deserialize)]
pub struct Placed {
    pub spec: TensorSpec,
    pub offset: usize,
}

/// A worker, for the statistics.
#[derive(Serialize)]
struct Status {
    pid: Option<u32>,
    phase: &'static str,
    calls: u64,
    failures: u64,
    restarts: u64,
    last_cause: Option<String>,
}

impl Processes {
    /// Starts the workers; `setup` is read by each of them.
    ///
    /// # Errors
    /// Where one does not come up, with what it wrote to its standard error.
    pub fn start(spec: ProcessSpec, setup: Vec<u8>) -> Result<Self, Error> {
        let timeout = Duration::try_from_secs_f64(spec.timeout).map_err(|_| {
            Error::config("worker_timeout", format!("must be seconds, found {}", spec.timeout))
        })?;
        let config = WorkerConfig {
            args: spec.args.into_iter().map(Into::into).collect(),
            setup,
            workers: spec.workers,
            input_bytes: spec.bytes,
            output_bytes: spec.bytes,
            call_timeout: timeout,
            memory_bytes: spec.memory,
            ..WorkerConfig::new(spec.command)
        };
        let pool = WorkerPool::start(config)?;
        Ok(Self { pool, preprocess: spec.preprocess, postprocess: spec.postprocess })
    }

    /// Runs `preprocess` in a worker and copies its tensors from shared memory into the row. Gives the pickled context.
    ///
    /// Each of these gives up at the request's deadline; what the worker does then is dropped when it is done.
    pub fn preprocess(&self, item: &Bound<'_, PyAny>, slot: &mut Slot<'_>) -> Result<Option<Vec<u8>>, Error> {
        let (py, deadline) = (item.py(), slot.deadline());
        let (kind, bytes) = encode(item).map_err(|error| raised("preprocess", error))?;
        let bytes = bytes.as_bytes();
        py.detach(|| self.pool.call(PREPROCESS, &[&[kind], bytes], deadline, |reply| fill(reply, slot)))?
    }

    /// Runs `preprocess` in a worker whose result is no tensor. Gives it, and the pickled context, in one pickled pair.
    pub fn preprocess_object(
        &self,
        item: &Bound<'_, PyAny>,
        deadline: Option<Instant>,
    ) -> Result<Vec<u8>, Error> {
        let py = item.py();
        let (kind, bytes) = encode(item).map_err(|error| raised("preprocess", error))?;
        let bytes = bytes.as_bytes();
        py.detach(|| self.pool.call(PREPROCESS, &[&[kind], bytes], deadline, object))?
    }

    /// Runs `postprocess` in a worker.
    pub fn postprocess(
        &self,
        prediction: &Bound<'_, PyAny>,
        context: Option<&[u8]>,
        deadline: Option<Instant>,
    ) -> Result<Py<PyAny>, Error> {
        let py = prediction.py();
        let raise = |error| raised("postprocess", error);
        let pickled = dumps(prediction).map_err(raise)?;
        let bytes = pickled.as_bytes();
        let parts: &[&[u8]] = match context {
            Some(context) => &[bytes, context],
            None => &[bytes],
        };
        let result = py.detach(|| self.pool.call(POSTPROCESS, parts, deadline, object))??;
        loads(py, &result).map(Bound::unbind).map_err(raise)
    }

    /// Ends the workers.
    pub fn close(&self) {
        self.pool.close(Duration::ZERO);
    }

    /// What the workers do, as JSON.
    pub fn stats(&self) -> String {
        let status: Vec<Status> = self
            .pool
            .stats()
            .workers
            .into_iter()
            .map(|worker| Status {
                pid: worker.pid,
                phase: worker.phase.name(),
                calls: worker.calls,
                failures: worker.failures,
                restarts: worker.restarts,
                last_cause: worker.last_cause,
            })
            .collect();
        serde_json::to_string(&status).unwrap_or_default()
    }
}

/// An item for a worker: bytes as they are, anything else pickled.
fn encode<'py>(item: &Bound<'py, PyAny>) -> PyResult<(u8, Bound<'py, PyBytes>)> {
    match item.cast::<PyBytes>() {
        Ok(bytes) => Ok((0, bytes.clone())),
        Err(_) => Ok((1, dumps(item)?)),
    }
}

fn dumps<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(value.py().import("pickle")?.call_method1("dumps", (value, 5))?.cast_into()?)
}

/// A value that a worker of ours has pickled.
pub fn loads<'py>(py: Python<'py>, pickled: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    py.import("pickle")?.call_method1("loads", (PyBytes::new(py, pickled),))
}

fn header(reply: &Reply<'_>) -> Result<Header, Error> {
    serde_json::from_slice(reply.header)
        .map_err(|error| Error::Internal(format!("a worker's header: {error}")))
}

fn part<'a>(reply: &Reply<'a>, (offset, len): (usize, usize)) -> Result<&'a [u8], Error> {
    let part = offset.checked_add(len).and_then(|end| reply.data.get(offset..end));
    part.ok_or_else(|| Error::Internal("a worker's header points outside its output".to_owned()))
}

/// Copies the tensors of a reply into the row.
fn fill(reply: Reply<'_>, slot: &mut Slot<'_>) -> Result<Option<Vec<u8>>, Error> {
    let header = header(&reply)?;
    let specs: Vec<TensorSpec> = header.tensors.iter().map(|placed| placed.spec.clone()).collect();
    let row = slot.reserve_for(&specs)?;
    for (at, placed) in header.tensors.iter().enumerate() {
        let source = part(&reply, (placed.offset, placed.spec.row_bytes().unwrap_or(usize::MAX)))?;
        let input = row.inputs().iter().position(|input| input.name == placed.spec.name).unwrap_or(at);
        let target = row.bytes_mut(input);
        if target.len() == source.len() {
            target.copy_from_slice(source);
        }
    }
    header.object.map(|place| part(&reply, place).map(<[u8]>::to_vec)).transpose()
}

fn object(reply: Reply<'_>) -> Result<Vec<u8>, Error> {
    let place = header(&reply)?.object;
    let place = place.ok_or_else(|| Error::Internal("a worker gave no value".to_owned()))?;
    part(&reply, place).map(<[u8]>::to_vec)
}

/// The exception that a function raised in a worker, with the worker's traceback as a note.
pub fn exception(py: Python<'_>, error: &Error) -> Option<PyErr> {
    let Error::Worker(WorkerError::Failed { traceback, detail, .. }) = error else { return None };
    let raised = loads(py, detail).ok()?;
    if !raised.is_instance_of::<pyo3::exceptions::PyBaseException>() {
        return None;
    }
    if !traceback.is_empty() {
        // Notes are there from Python 3.11 on.
        let _ = raised.call_method1("add_note", (format!("in a worker process:\n{}", traceback.trim_end()),));
    }
    Some(PyErr::from_value(raised))
}
