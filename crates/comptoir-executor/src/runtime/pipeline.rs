//! A pipeline: threads, lanes and models, from its start to its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::core::{Inner, Phase, moment_after};
use super::settings::{ModelSpec, PipelineSpec};
use super::stages::{Model, Stages};
use super::versions::{Version, Versions};
use super::warm::warm;
use super::{clock, cpu, lanes};
use crate::error::Error;

/// A model server without a server: takes items, gives results, keeps the device busy.
///
/// Any number of threads may share one. Dropping it closes it: what is inside ends with [`Error::Closed`].
///
/// # Examples
/// ```
/// use comptoir_executor::runtime::{Functions, ModelSpec, Pipeline, PipelineSpec, RowMut, Rows};
/// use comptoir_executor::tensor::{DType, TensorSpec};
/// use comptoir_executor::Error;
///
/// // A model of two numbers: their sum, for all rows of the batch at once.
/// let model = |batch: &Rows| -> Result<Vec<f32>, Error> {
///     Ok(batch.tensor::<f32>(0)?.chunks(2).map(|row| row.iter().sum()).collect())
/// };
/// let stages = Functions::new(
///     |text: &'static str, row: &mut RowMut| {
///         for (number, word) in row.tensor_mut::<f32>(0)?.iter_mut().zip(text.split(' ')) {
///             *number = word.parse().map_err(|_| Error::stage("preprocess", format!("`{word}` is no number")))?;
///         }
///         Ok(())
///     },
///     |sums: &Vec<f32>, row| Ok(sums.get(row).copied().unwrap_or_default()),
/// );
/// let spec = ModelSpec { shapes: Some(vec![vec![TensorSpec::new("x", DType::F32, &[2])]]), ..ModelSpec::default() };
/// let pipeline = Pipeline::start(PipelineSpec::default(), stages, model, spec)?;
///
/// assert_eq!(pipeline.submit("1.5 2")?.wait(), Ok(3.5));
/// let error = pipeline.submit("1.5 two")?.wait().unwrap_err();
/// assert_eq!(error.to_string(), "preprocess: `two` is no number");
/// # Ok::<(), Error>(())
/// ```
pub struct Pipeline<S: Stages> {
    inner: Arc<Inner<S>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<S: Stages> std::fmt::Debug for Pipeline<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(formatter)
    }
}

/// One of the models of a pipeline: its settings, its stages and the model itself, loaded.
pub struct Endpoint<S: Stages> {
    /// Name, shapes, weight.
    pub spec: ModelSpec,
    /// What is done before and after it.
    pub stages: S,
    /// The model, and the name of its version.
    pub model: Arc<dyn Model<S::Predictions>>,
    /// Name of the version, for statistics.
    pub version: String,
}

impl<S: Stages> Pipeline<S> {
    /// Starts a pipeline with one model: warms it, then takes requests.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that cannot be used; the model's error where it cannot be warmed.
    pub fn start(
        spec: PipelineSpec,
        stages: S,
        model: impl Model<S::Predictions>,
        model_spec: ModelSpec,
    ) -> Result<Self, Error> {
        let version = "1".to_owned();
        Self::start_all(spec, vec![Endpoint { spec: model_spec, stages, model: Arc::new(model), version }])
    }

    /// Starts a pipeline with several models, which share CPU threads and the device by weight.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that cannot be used; the error of the first model that cannot be warmed.
    pub fn start_all(spec: PipelineSpec, endpoints: Vec<Endpoint<S>>) -> Result<Self, Error> {
        spec.check()?;
        check_names(&endpoints)?;
        let mut models = Vec::with_capacity(endpoints.len());
        for endpoint in endpoints {
            let latency = warm(&spec, &endpoint.spec, &*endpoint.model)?;
            let version = Version::new(&endpoint.version, endpoint.model, latency);
            models.push((endpoint.spec, Arc::new(endpoint.stages), Versions::new(version)));
        }
        let inner = Inner::new(spec, models)?.shared();
        Self { inner, threads: Mutex::new(Vec::new()) }.with_threads()
    }

    fn with_threads(self) -> Result<Self, Error> {
        let (cpu, lanes) = (self.inner.spec.threads(), self.inner.spec.instances * self.inner.spec.depth);
        for thread in 0..cpu {
            let work = move |inner: &_| in_thread(inner, &mut || cpu::run(inner, thread));
            self.spawn(format!("comptoir-cpu-{thread}"), work)?;
        }
        for lane in 0..lanes {
            let work = move |inner: &_| in_thread(inner, &mut || lanes::run(inner, lane));
            self.spawn(format!("comptoir-lane-{lane}"), work)?;
        }
        self.spawn("comptoir-clock".to_owned(), |inner| clock::run(inner))?;
        Ok(self)
    }

    fn spawn(&self, name: String, work: impl FnOnce(&Inner<S>) + Send + 'static) -> Result<(), Error> {
        let inner = Arc::clone(&self.inner);
        let thread = Builder::new()
            .name(name)
            .spawn(move || work(&inner))
            .map_err(|error| Error::Unavailable(format!("a thread cannot be started: {error}")))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    pub(super) fn inner(&self) -> &Arc<Inner<S>> {
        &self.inner
    }

    /// Takes no more requests, lets those inside finish for up to `grace`, ends the rest with [`Error::Closed`], and
    /// stops the threads. True where all could finish.
    ///
    /// A stage or model that never returns keeps its thread: such a thread is left behind, and its requests have
    /// their outcome all the same.
    pub fn close(&self, grace: Duration) -> bool {
        let until = moment_after(grace);
        let finished = self.finish(grace);
        let inner = &*self.inner;
        let mut core = inner.lock();
        core.phase = Phase::Stopped;
        let abandoned = inner.take_all(&mut core);
        drop(core);
        abandoned.end(inner);
        for condition in [&inner.cpu, &inner.lanes, &inner.clock, &inner.settled] {
            condition.notify_all();
        }
        self.join(until + STOP);
        finished
    }

    /// The first half of [`close`](Self::close): takes no more requests and waits for those inside, at most for
    /// `limit`, so that a host can look between two calls whether it is still to wait. True where none is left.
    pub fn finish(&self, limit: Duration) -> bool {
        let until = moment_after(limit);
        let inner = &*self.inner;
        let mut core = inner.lock();
        if core.phase == Phase::Open {
            core.phase = Phase::Draining;
            core.schedule.close();
            // Rows that wait for others need not any more.
            inner.lanes.notify_all();
        }
        while core.live > 0 && core.phase != Phase::Stopped {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            core = inner
                .settled
                .wait_timeout(core, left)
                .map_or_else(|error| error.into_inner().0, |(core, _)| core);
        }
        core.live == 0
    }

    /// Waits for threads until `until`; those that do not end are left behind.
    fn join(&self, until: Instant) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_micros(200));
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }
}

/// How long `close` waits for threads beyond the grace: a stage that is running may take that long to return.
const STOP: Duration = Duration::from_millis(200);

impl<S: Stages> Drop for Pipeline<S> {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

fn in_thread<S: Stages>(inner: &Inner<S>, work: &mut (dyn FnMut() + Send)) {
    match inner.endpoints.first() {
        Some(endpoint) => endpoint.stages.thread(work),
        None => work(),
    }
}

fn check_names<S: Stages>(endpoints: &[Endpoint<S>]) -> Result<(), Error> {
    if endpoints.is_empty() {
        return Err(Error::config("models", "a pipeline needs at least one model"));
    }
    for (at, endpoint) in endpoints.iter().enumerate() {
        if endpoints.iter().take(at).any(|other| other.spec.name == endpoint.spec.name) {
            return Err(Error::config(
                format!("models[{at}].name"),
                format!("`{}` is there twice", endpoint.spec.name),
            ));
        }
        if let Some(batch) = &endpoint.spec.batch {
            batch.check()?;
        }
        endpoint.spec.check_shapes()?;
    }
    Ok(())
}
