//! A pipeline, for Python.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use comptoir::executor::error::Cause;
use comptoir::executor::runtime::{
    Canceller, Endpoint, Model, ModelSpec, Options, Pipeline, PipelineSpec, Swap, Timings,
};
use comptoir::executor::{Error, worker};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::model::{NativeModel, Predictions, PyModel};
use super::native::ExecutorModel;
use super::processes::{self, ProcessSpec, Processes};
use super::settings::parse;
use super::stages::{Objects, Preprocess, PyStages};
use crate::enter::enter;
use crate::errors;

/// Pipeline; `comptoir.executor.Pipeline` is its face.
#[pyclass(name = "ExecutorPipeline", module = "comptoir.executor", frozen)]
pub struct ExecutorPipeline {
    /// None once it is dropped.
    pipeline: Mutex<Option<Arc<Pipeline<PyStages>>>>,
    /// Per model: where objects wait that are no tensors.
    objects: Vec<Option<Arc<Objects>>>,
    names: Vec<String>,
    /// Per model that has any.
    processes: Vec<(String, Arc<Processes>)>,
}

/// The right to give a request up.
#[pyclass(name = "ExecutorTicket", module = "comptoir.executor", frozen)]
pub struct ExecutorTicket(Canceller<Py<PyAny>>);

/// Settings as JSON, the functions before and after, the model and the name of its version, and whether the model
/// takes a list of objects instead of tensors; then how worker processes are started and what they read, if there are any.
type Setup =
    (String, Option<Py<PyAny>>, Py<PyAny>, Option<Py<PyAny>>, String, bool, Option<(String, Vec<u8>)>);

fn load(model: &Bound<'_, PyAny>, objects: Option<Arc<Objects>>) -> Arc<dyn Model<Predictions>> {
    match model.cast::<ExecutorModel>() {
        Ok(native) => Arc::new(NativeModel(Arc::clone(&native.get().model))),
        Err(_) => Arc::new(PyModel { function: model.clone().unbind(), objects }),
    }
}

#[pymethods]
impl ExecutorPipeline {
    #[new]
    fn new(py: Python<'_>, spec: &str, models: Vec<Setup>) -> PyResult<Self> {
        let raise = |error: Error| errors::from_host(py, &error.into());
        let spec: PipelineSpec = parse("pipeline", spec).map_err(raise)?;
        let (mut endpoints, mut all_objects, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let mut all_processes = Vec::new();
        for (settings, preprocess, model, postprocess, version, as_list, workers) in models {
            let mut settings: ModelSpec = parse("model", &settings).map_err(raise)?;
            let objects = as_list.then(Arc::<Objects>::default);
            if as_list {
                settings.shapes = Some(vec![Objects::shape()]);
                settings.warm_up = false;
            }
            let processes = workers.map(|(spec, setup)| start_processes(py, &spec, setup)).transpose()?;
            all_processes.extend(processes.clone().map(|processes| (settings.name.clone(), processes)));
            let preprocess = Preprocess::new(py, preprocess);
            let model = load(model.bind(py), objects.clone());
            names.push(settings.name.clone());
            all_objects.push(objects.clone());
            endpoints.push(Endpoint {
                spec: settings,
                stages: PyStages { preprocess, processes, postprocess, objects },
                model,
                version,
            });
        }
        let pipeline = start(py, move || Pipeline::start_all(spec, endpoints))?;
        Ok(Self {
            pipeline: Mutex::new(Some(Arc::new(pipeline))),
            objects: all_objects,
            names,
            processes: all_processes,
        })
    }

    /// Takes an item; `future` is told its outcome. Returns the right to cancel.
    #[pyo3(signature = (item, future, model=None, deadline=None, priority=None, timings=false))]
    #[expect(clippy::too_many_arguments, reason = "one call for each request")]
    fn submit(
        &self,
        py: Python<'_>,
        item: Py<PyAny>,
        future: Py<PyAny>,
        model: Option<String>,
        deadline: Option<f64>,
        priority: Option<u8>,
        timings: bool,
    ) -> PyResult<ExecutorTicket> {
        let raise = |error: Error| errors::from_host(py, &error.into());
        let deadline = deadline.map(moment).transpose().map_err(raise)?;
        let options = Options { model, deadline, priority };
        let callback = Box::new(move |result, spent| {
            Python::attach(|py| tell(py, future.bind(py), result, timings.then_some(spent)));
        });
        let pipeline = self.get().map_err(raise)?;
        let handle = pipeline.submit_with(item, &options, Some(callback)).map_err(raise)?;
        Ok(ExecutorTicket(handle.canceller()))
    }

    /// Lets a new version of a model take over.
    fn swap(
        &self,
        py: Python<'_>,
        name: Option<String>,
        model: &Bound<'_, PyAny>,
        version: String,
        share: f64,
    ) -> PyResult<()> {
        let at = name.as_ref().map_or(Some(0), |name| self.names.iter().position(|other| other == name));
        let objects = at.and_then(|at| self.objects.get(at).cloned()).flatten();
        let code = load(model, objects);
        let pipeline = self.get().map_err(|error| errors::from_host(py, &error.into()))?;
        start(py, move || pipeline.swap(Swap { model: name, version, code, share }))
    }

    /// Changes the share of the version that is taking over.
    fn set_share(&self, py: Python<'_>, name: Option<&str>, share: f64) -> PyResult<()> {
        enter(py, || self.get()?.set_share(name, share))
    }

    /// Waits for batches on versions that serve no more.
    fn drain_versions(&self, py: Python<'_>, limit: f64) -> PyResult<bool> {
        let raise = |error: Error| errors::from_host(py, &error.into());
        let limit = seconds("timeout", limit).map_err(raise)?;
        let pipeline = self.get().map_err(raise)?;
        in_steps(py, limit, |step| pipeline.drain_versions(step))
    }

    /// What has happened, as JSON.
    fn stats(&self, py: Python<'_>) -> PyResult<String> {
        enter(py, || {
            serde_json::to_string(&self.get()?.stats()).map_err(|error| Error::Internal(error.to_string()))
        })
    }

    /// What has happened, in the text format of Prometheus.
    fn prometheus(&self, py: Python<'_>) -> PyResult<String> {
        enter(py, || {
            let workers =
                self.processes.iter().map(|(model, processes)| (model.as_str(), processes.status()));
            let workers: Vec<_> = workers.collect();
            Ok::<_, Error>(self.get()?.stats().prometheus() + &worker::prometheus(&workers))
        })
    }

    /// The timeline, as JSON.
    fn trace(&self, py: Python<'_>) -> PyResult<String> {
        enter(py, || Ok::<_, Error>(self.get()?.trace().to_string()))
    }

    /// Takes no more requests, waits for those inside for up to `grace` seconds, and stops.
    ///
    /// A signal such as Ctrl-C ends the wait, and with it what is still inside.
    fn close(&self, py: Python<'_>, grace: f64) -> PyResult<bool> {
        let raise = |error: Error| errors::from_host(py, &error.into());
        let grace = seconds("grace", grace).map_err(raise)?;
        let pipeline = self.get().map_err(raise)?;
        let waited = in_steps(py, grace, |step| pipeline.finish(step));
        enter(py, || {
            let finished = pipeline.close(Duration::ZERO);
            self.processes.iter().for_each(|(_, processes)| processes.close());
            Ok::<_, Error>(finished)
        })
        .and_then(|finished| waited.map(|waited| waited || finished))
    }

    /// Lets go of the pipeline in a process that was forked from its own, where it has no threads: what waits for them
    /// would wait for ever, and what ends workers would end those of the parent.
    fn abandon(&self) {
        // A thread of the parent may have held the lock at that moment; it will not come back.
        if let Ok(mut pipeline) = self.pipeline.try_lock() {
            std::mem::forget(pipeline.take());
        }
        self.processes.iter().for_each(|(_, processes)| std::mem::forget(Arc::clone(processes)));
    }

    /// What worker processes do, as JSON, for each model that has any, with its name.
    fn workers(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let stats = |(name, processes): &(String, Arc<Processes>)| (name.clone(), processes.stats());
        enter(py, || Ok::<_, Error>(self.processes.iter().map(stats).collect()))
    }
}

impl ExecutorPipeline {
    fn get(&self) -> Result<Arc<Pipeline<PyStages>>, Error> {
        self.pipeline.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)
    }
}

impl Drop for ExecutorPipeline {
    fn drop(&mut self) {
        // Its threads may wait for the interpreter, so it must not be held while they end.
        let pipeline = self.pipeline.lock().unwrap_or_else(PoisonError::into_inner).take();
        Python::attach(|py| py.detach(|| drop(pipeline)));
    }
}

#[pymethods]
impl ExecutorTicket {
    /// Gives the request up: false where its outcome is already decided.
    fn cancel(&self) -> bool {
        self.0.cancel()
    }
}

/// Starts worker processes, which takes as long as they import.
fn start_processes(py: Python<'_>, spec: &str, setup: Vec<u8>) -> PyResult<Arc<Processes>> {
    let spec: ProcessSpec = parse("workers", spec).map_err(|error| errors::from_host(py, &error.into()))?;
    start(py, || Processes::start(spec, setup)).map(Arc::new)
}

/// Runs work detached; an exception of the user's own code comes back as it was.
fn start<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error> + Send) -> PyResult<T> {
    crate::enter::enter_with(py, work, |py, error| exception(py, &error))
}

/// The exception for an error: the user's own, where a function of the user raised it.
pub fn exception(py: Python<'_>, error: &Error) -> PyErr {
    if let Error::Stage { cause: Some(Cause(cause)), .. } = error
        && let Some(raised) = cause.downcast_ref::<PyErr>()
    {
        return raised.clone_ref(py);
    }
    processes::exception(py, error)
        .unwrap_or_else(|| errors::from_host(py, &processes::renamed(error).into()))
}

/// Tells a future its outcome. One that was cancelled knows it already.
fn tell(
    py: Python<'_>,
    future: &Bound<'_, PyAny>,
    result: Result<Py<PyAny>, Error>,
    timings: Option<Timings>,
) {
    if let Some(timings) = timings
        && let Ok(seconds) = seconds_of(py, &timings)
    {
        let _ = future.setattr("_timings", seconds);
    }
    let _ = match result {
        Ok(value) => future.call_method1("set_result", (value,)),
        Err(Error::Cancelled) => return,
        Err(error) => future.call_method1("set_exception", (exception(py, &error),)),
    };
}

fn seconds_of<'py>(py: Python<'py>, timings: &Timings) -> PyResult<Bound<'py, PyTuple>> {
    let Timings { queued, preprocess, batching, infer, postprocess, batch_size } = *timings;
    let [queued, preprocess, batching, infer, postprocess] =
        [queued, preprocess, batching, infer, postprocess].map(|time| time.as_secs_f64());
    (queued, preprocess, batching, infer, postprocess, batch_size).into_pyobject(py)
}

fn seconds(field: &str, value: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| Error::config(field, format!("must be seconds from 0 on, found {value:?}")))
}

/// Waits until `done` says so, at most for `limit`, and looks for signals meanwhile: `done` waits for as long as it is
/// told.
fn in_steps(py: Python<'_>, limit: Duration, done: impl Fn(Duration) -> bool + Sync) -> PyResult<bool> {
    let start = Instant::now();
    loop {
        let left = limit.saturating_sub(start.elapsed());
        if enter(py, || Ok::<_, Error>(done(left.min(STEP))))? {
            return Ok(true);
        }
        if left <= STEP {
            return Ok(false);
        }
        py.check_signals()?;
    }
}

/// How long a signal may wait.
const STEP: Duration = Duration::from_millis(50);

/// A deadline in seconds from now; one that has passed is now.
fn moment(from_now: f64) -> Result<Instant, Error> {
    let now = Instant::now();
    if from_now <= 0.0 {
        return Ok(now);
    }
    let limit = Duration::try_from_secs_f64(from_now).ok();
    limit.and_then(|limit| now.checked_add(limit)).ok_or_else(|| {
        let message =
            format!("must be milliseconds from now that a clock can hold, found {:?}", from_now * 1e3);
        Error::config("deadline_ms", message)
    })
}
