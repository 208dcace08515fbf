//! The user's functions in worker processes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use comptoir::executor::Error;
use comptoir::executor::runtime::Slot;
use comptoir::executor::tensor::TensorSpec;
use comptoir::executor::worker::{Error as WorkerError, Reply, WorkerConfig, WorkerPool, WorkerStats};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use super::stages::raised;

/// Number of `preprocess` among the functions of a worker.
pub const PREPROCESS: u32 = 0;
/// Number of `postprocess`.
pub const POSTPROCESS: u32 = 1;
/// Number of `postprocess` for several rows.
pub const POSTPROCESS_ROWS: u32 = 2;

/// Rows that go to a worker at once: no more than this, and no more than take it so many nanoseconds. A call costs the two
/// processes some 150 us of processor time, whatever it does, so quicker rows are not worth a second worker.
const ROWS: usize = 16;
const ROWS_NANOS: u64 = 200_000;

/// Worker processes of one model.
pub struct Processes {
    pool: WorkerPool,
    pub preprocess: bool,
    pub postprocess: bool,
    /// What a worker takes for the `postprocess` of a row, smoothed; 0: not known yet.
    row_nanos: AtomicU64,
}

/// A row for `postprocess`.
pub struct Row<'py, 'a> {
    pub prediction: Bound<'py, PyAny>,
    /// What `preprocess` gave with it, pickled.
    pub context: Option<&'a [u8]>,
    pub deadline: Option<Instant>,
}

/// The same, pickled.
struct Pickled<'py, 'a> {
    prediction: Bound<'py, PyBytes>,
    context: Option<&'a [u8]>,
    deadline: Option<Instant>,
}

/// What became of a call for several rows.
enum Together {
    /// An outcome for each, in their order.
    Outcomes(Vec<Result<Py<PyAny>, Error>>),
    /// The worker did not come back from the row at this place.
    Hung(usize, Error),
    /// The call failed by something that may be one row's doing.
    Lost,
}

/// How workers are started, as `comptoir.executor` gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    command: PathBuf,
    args: Vec<String>,
    workers: usize,
    worker_bytes: usize,
    worker_timeout: f64,
    worker_memory: Option<u64>,
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
    /// What the worker took.
    pub nanos: u64,
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
    in_flight: usize,
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
        let timeout = Duration::try_from_secs_f64(spec.worker_timeout).map_err(|_| {
            Error::config("worker_timeout", format!("must be seconds, found {}", spec.worker_timeout))
        })?;
        let config = WorkerConfig {
            args: spec.args.into_iter().map(Into::into).collect(),
            setup,
            workers: spec.workers,
            input_bytes: spec.worker_bytes,
            output_bytes: spec.worker_bytes,
            call_timeout: timeout,
            memory_bytes: spec.worker_memory,
            ..WorkerConfig::new(spec.command)
        };
        let pool = WorkerPool::start(config)?;
        let (preprocess, postprocess) = (spec.preprocess, spec.postprocess);
        Ok(Self { pool, preprocess, postprocess, row_nanos: AtomicU64::new(0) })
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
        py.detach(|| self.pool.call(PREPROCESS, &[&[kind], bytes], deadline, object))?.map(|(pair, _)| pair)
    }

    /// How many rows a worker is given at once: several where they take it moments.
    pub fn rows_at_once(&self) -> usize {
        let quick = ROWS_NANOS.checked_div(self.row_nanos.load(Ordering::Relaxed)).unwrap_or(1);
        usize::try_from(quick).unwrap_or(ROWS).clamp(1, ROWS)
    }

    /// Runs `postprocess` in a worker for rows of one model: an outcome for each, in their order. A row from which the
    /// worker does not come back has had its time, so the others go without it. Where a call fails otherwise, the rows go
    /// to workers one by one, so that each ends with what is its own.
    pub fn postprocess(
        &self,
        py: Python<'_>,
        rows: Vec<Result<Row<'_, '_>, Error>>,
    ) -> Vec<Result<Py<PyAny>, Error>> {
        let rows: Vec<_> = rows.into_iter().map(|row| row.and_then(Row::pickled)).collect();
        let mut ended = BTreeMap::new();
        let mut left: Vec<(usize, &Pickled<'_, '_>)> = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            match row {
                Ok(row) => left.push((place, row)),
                Err(error) => drop(ended.insert(place, Err(error.clone()))),
            }
        }
        while left.len() > 1 {
            match self.together(py, &left) {
                Together::Outcomes(outcomes) => {
                    ended.extend(left.drain(..).map(|(place, _)| place).zip(outcomes));
                }
                Together::Hung(at, error) if at < left.len() => {
                    ended.insert(left.remove(at).0, Err(error));
                }
                Together::Hung(..) | Together::Lost => break,
            }
        }
        for (place, row) in left {
            ended.insert(place, self.alone(py, row));
        }
        let missing = || Err(Error::Internal("a worker left out a row".to_owned()));
        (0..rows.len()).map(|place| ended.remove(&place).unwrap_or_else(missing)).collect()
    }

    fn alone(&self, py: Python<'_>, row: &Pickled<'_, '_>) -> Result<Py<PyAny>, Error> {
        let (prediction, context) = (row.prediction.as_bytes(), row.context);
        let parts: &[&[u8]] = match &context {
            Some(context) => &[prediction, context],
            None => &[prediction],
        };
        let deadline = row.deadline;
        let (result, nanos) = py.detach(|| self.pool.call(POSTPROCESS, parts, deadline, object))??;
        self.observe(nanos);
        loads(py, &result).map(Bound::unbind).map_err(|error| raised("postprocess", error))
    }

    fn together(&self, py: Python<'_>, rows: &[(usize, &Pickled<'_, '_>)]) -> Together {
        let rows = rows.iter().map(|(_, row)| *row);
        let parts: Vec<&[u8]> = rows
            .clone()
            .flat_map(|row| [row.prediction.as_bytes(), row.context.unwrap_or_default()])
            .collect();
        // The last deadline; a request whose own is earlier has its outcome then, whatever is waited for here.
        let deadline = rows.clone().map(|row| row.deadline).collect::<Option<Vec<_>>>();
        let deadline = deadline.and_then(|all| all.into_iter().max());
        let called = py.detach(|| self.pool.call_with(0, POSTPROCESS_ROWS, &parts, deadline, object));
        match called {
            Ok(Ok((list, nanos))) => {
                self.observe(nanos / rows.len().max(1) as u64);
                outcomes(py, &list).map_or(Together::Lost, Together::Outcomes)
            }
            Err(error @ (WorkerError::Closed | WorkerError::DeadlineExceeded { .. })) => {
                Together::Outcomes(rows.map(|_| Err(error.clone().into())).collect())
            }
            Err(error @ WorkerError::Hung { steps: Some(steps), .. }) => {
                Together::Hung(usize::try_from(steps).unwrap_or(usize::MAX), error.into())
            }
            Ok(Err(_)) | Err(_) => Together::Lost,
        }
    }

    /// Smooths the time of a row: each one counts an eighth.
    fn observe(&self, nanos: u64) {
        let before = self.row_nanos.load(Ordering::Relaxed);
        let now = if before == 0 { nanos } else { before - before / 8 + nanos / 8 };
        self.row_nanos.store(now.max(1), Ordering::Relaxed);
    }

    /// Ends the workers.
    pub fn close(&self) {
        self.pool.close(Duration::ZERO);
    }

    /// What the workers do.
    pub fn status(&self) -> WorkerStats {
        self.pool.stats()
    }

    /// The same as JSON.
    pub fn stats(&self) -> String {
        let status: Vec<Status> = self
            .status()
            .workers
            .into_iter()
            .map(|worker| Status {
                pid: worker.pid,
                phase: worker.phase.name(),
                in_flight: worker.in_flight,
                calls: worker.calls,
                failures: worker.failures,
                restarts: worker.restarts,
                last_cause: worker.last_cause,
            })
            .collect();
        serde_json::to_string(&status).unwrap_or_default()
    }
}

impl<'py, 'a> Row<'py, 'a> {
    fn pickled(self) -> Result<Pickled<'py, 'a>, Error> {
        let prediction = dumps(&self.prediction).map_err(|error| raised("postprocess", error))?;
        Ok(Pickled { prediction, context: self.context, deadline: self.deadline })
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
        let input = row.place(&placed.spec.name, at);
        let target = row.bytes_mut(input);
        if target.len() == source.len() {
            target.copy_from_slice(source);
        }
    }
    header.object.map(|place| part(&reply, place).map(<[u8]>::to_vec)).transpose()
}

/// The pickled value of a reply, and what the worker took for it.
fn object(reply: Reply<'_>) -> Result<(Vec<u8>, u64), Error> {
    let Header { object, nanos, .. } = header(&reply)?;
    let place = object.ok_or_else(|| Error::Internal("a worker gave no value".to_owned()))?;
    Ok((part(&reply, place)?.to_vec(), nanos))
}

/// The outcomes of several rows: each a result, pickled, or a failure as words, traceback and pickled exception.
fn outcomes(py: Python<'_>, list: &[u8]) -> PyResult<Vec<Result<Py<PyAny>, Error>>> {
    let outcome = |entry: Bound<'_, PyAny>| match entry.cast::<PyBytes>() {
        Ok(result) => {
            Ok(loads(py, result.as_bytes()).map(Bound::unbind).map_err(|error| raised("postprocess", error)))
        }
        Err(_) => {
            let (message, traceback, detail) = entry.extract::<(String, String, Vec<u8>)>()?;
            Ok(Err(WorkerError::Failed { message, traceback, detail }.into()))
        }
    };
    loads(py, list)?.try_iter()?.map(|entry| outcome(entry?)).collect()
}

/// An error with the setting as Python calls it.
pub fn renamed(error: &Error) -> Error {
    match error {
        &Error::Worker(WorkerError::Size {
            what,
            needed,
            available,
            setting: "input_bytes" | "output_bytes",
        }) => WorkerError::Size { what, needed, available, setting: "worker_bytes" }.into(),
        other => other.clone(),
    }
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
