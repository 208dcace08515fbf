//! What all threads of a pipeline share, behind one lock that is held for moments only.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::request::{Owner, Shared, Timings};
use super::rows::{BufferPool, Forming, HostMemory, RowLayout};
use super::settings::{ModelSpec, PipelineSpec};
use super::stages::Stages;
use super::stats::{Counts, Outcome};
use super::trace::Trace;
use super::versions::Versions;
use crate::error::Error;
use crate::policy::{BatchPolicy, Flow, Nanos, Schedule};
use crate::tensor::TensorSpec;

/// Everything behind a [`super::Pipeline`].
pub(super) struct Inner<S: Stages> {
    pub(super) spec: PipelineSpec,
    /// The fixed part of each model.
    pub(super) endpoints: Vec<Endpoint<S>>,
    core: Mutex<Core<S>>,
    /// CPU threads without work.
    pub(super) cpu: Condvar,
    /// Lanes without a batch.
    pub(super) lanes: Condvar,
    /// The thread that watches deadlines.
    pub(super) clock: Condvar,
    /// Who waits for the last request, or for an old model.
    pub(super) settled: Condvar,
    origin: Instant,
    pub(super) trace: Trace,
    /// For handles, which must not keep the pipeline.
    me: Weak<Self>,
}

/// A model's name, stages and batching, which do not change.
pub(super) struct Endpoint<S: Stages> {
    pub(super) name: String,
    pub(super) stages: Arc<S>,
    pub(super) batch: BatchPolicy,
    /// Whether the first request may declare the shape.
    pub(super) open_shape: bool,
    /// Free buffers that are kept for each shape.
    pub(super) buffers: usize,
}

/// What changes.
pub(super) struct Core<S: Stages> {
    pub(super) phase: Phase,
    pub(super) models: Vec<ModelState<S>>,
    /// Rows whose predictions wait for `postprocess`.
    pub(super) posts: VecDeque<Post<S>>,
    /// Requests with a deadline and without an outcome.
    pub(super) deadlines: BTreeMap<(Nanos, u64), Arc<Shared<S::Output>>>,
    /// Whose turn it is on CPU threads and lanes.
    pub(super) schedule: Schedule,
    /// Per CPU thread and then per lane: the requests that are in a stage there.
    pub(super) at_work: Vec<Vec<Arc<Shared<S::Output>>>>,
    /// CPU threads that sleep.
    pub(super) idle_cpu: usize,
    /// Lanes that sleep.
    pub(super) idle_lanes: usize,
    /// Requests that are somewhere in the pipeline.
    pub(super) live: usize,
    pub(super) next_id: u64,
}

/// Whether requests are taken, and whether threads go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Requests are taken.
    Open,
    /// No new requests; those inside are finished.
    Draining,
    /// Threads end.
    Stopped,
}

/// Requests of one model, by where they are.
pub(super) struct ModelState<S: Stages> {
    pub(super) flow: Flow<Queued<S>>,
    pub(super) forming: Vec<Forming<Ready<S>>>,
    pub(super) versions: Versions<S::Predictions>,
    /// Requests that were cancelled since the queue was last cleared of them.
    pub(super) cancelled: usize,
    pub(super) counts: Counts,
}

/// A request that waits for the CPU stage.
pub(super) struct Queued<S: Stages> {
    pub(super) shared: Arc<Shared<S::Output>>,
    pub(super) item: S::Item,
}

/// A request whose row is full.
pub(super) struct Ready<S: Stages> {
    pub(super) shared: Arc<Shared<S::Output>>,
    pub(super) context: S::Context,
    pub(super) arrived: Nanos,
    pub(super) ready: Nanos,
    pub(super) deadline: Option<Nanos>,
    pub(super) timings: Timings,
}

/// A request whose prediction is there.
pub(super) struct Post<S: Stages> {
    pub(super) flight: Ready<S>,
    pub(super) predictions: Arc<S::Predictions>,
    pub(super) row: usize,
    pub(super) inferred: Nanos,
}

impl<S: Stages> Inner<S> {
    pub(super) fn new(
        spec: PipelineSpec,
        models: Vec<(ModelSpec, Arc<S>, Versions<S::Predictions>)>,
    ) -> Result<Self, Error> {
        // Asked once: the system reads files to answer.
        let spec = PipelineSpec { cpu_threads: spec.threads(), ..spec };
        let weights: Vec<u32> = models.iter().map(|(model, ..)| model.weight).collect();
        let mut endpoints = Vec::with_capacity(models.len());
        let mut states = Vec::with_capacity(models.len());
        for (model, stages, versions) in models {
            let endpoint = Endpoint::new(&model, stages, &spec);
            states.push(ModelState::new(&model, &endpoint, versions, &spec)?);
            endpoints.push(endpoint);
        }
        let core = Core {
            phase: Phase::Open,
            models: states,
            posts: VecDeque::new(),
            deadlines: BTreeMap::new(),
            schedule: Schedule::new(&weights, spec.instances, spec.depth)?,
            at_work: vec![Vec::new(); spec.threads() + spec.instances * spec.depth],
            idle_cpu: 0,
            idle_lanes: 0,
            live: 0,
            next_id: 0,
        };
        let trace = Trace::new(spec.trace_events);
        Ok(Self {
            spec,
            endpoints,
            core: Mutex::new(core),
            cpu: Condvar::new(),
            lanes: Condvar::new(),
            clock: Condvar::new(),
            settled: Condvar::new(),
            origin: Instant::now(),
            trace,
            me: Weak::new(),
        })
    }

    /// The shared state. No stage ever runs while it is held.
    pub(super) fn lock(&self) -> MutexGuard<'_, Core<S>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the pipeline started.
    pub(super) fn now(&self) -> Nanos {
        nanos(self.origin.elapsed())
    }

    /// A moment as time since the start; moments before it count as the start.
    pub(super) fn at(&self, moment: Instant) -> Nanos {
        nanos(moment.saturating_duration_since(self.origin))
    }

    /// The moment that is so long after the start.
    pub(super) fn moment(&self, time: Nanos) -> Instant {
        // A year stands for everything later, which no clock could hold.
        self.origin + Duration::from_nanos(time).min(Duration::from_secs(365 * 86_400))
    }

    /// The pipeline, where threads and handles share it.
    pub(super) fn shared(mut self) -> Arc<Self> {
        Arc::new_cyclic(|me| {
            self.me = Weak::clone(me);
            self
        })
    }

    pub(super) fn weak(&self) -> Weak<Self> {
        Weak::clone(&self.me)
    }

    /// Wakes a CPU thread, if one sleeps.
    pub(super) fn wake_cpu(&self, core: &Core<S>) {
        if core.idle_cpu > 0 {
            self.cpu.notify_one();
        }
    }

    /// Wakes a lane, if one sleeps; all of them where it matters which.
    pub(super) fn wake_lanes(&self, core: &Core<S>) {
        if core.idle_lanes == 0 {
        } else if self.spec.depth == 1 {
            self.lanes.notify_one();
        } else {
            self.lanes.notify_all();
        }
    }

    /// Watches the deadline of a request, if it has one.
    pub(super) fn watch(&self, core: &mut Core<S>, request: &Arc<Shared<S::Output>>) {
        let Some(deadline) = request.deadline else { return };
        let first = core.deadlines.first_key_value().is_none_or(|((first, _), _)| deadline < *first);
        core.deadlines.insert((deadline, request.id), Arc::clone(request));
        if first {
            self.clock.notify_one();
        }
    }

    /// Counts an outcome that has been decided, and forgets the request's deadline.
    pub(super) fn account(&self, core: &mut Core<S>, request: &Shared<S::Output>, outcome: Outcome) {
        if let Some(deadline) = request.deadline {
            core.deadlines.remove(&(deadline, request.id));
        }
        if let Some(model) = core.models.get_mut(request.model) {
            model.counts.outcome(outcome);
        }
    }

    /// Says which requests are in a stage at a CPU thread.
    pub(super) fn set_cpu(
        &self,
        core: &mut Core<S>,
        thread: usize,
        requests: impl IntoIterator<Item = Arc<Shared<S::Output>>>,
    ) {
        if let Some(place) = core.at_work.get_mut(thread) {
            place.clear();
            place.extend(requests);
        }
    }

    /// Says which requests are on the device in a lane.
    pub(super) fn set_lane(&self, core: &mut Core<S>, lane: usize, flights: &[Ready<S>]) {
        if let Some(place) = core.at_work.get_mut(self.spec.threads() + lane) {
            place.clear();
            place.extend(flights.iter().map(|flight| Arc::clone(&flight.shared)));
        }
    }

    /// Requests have left the pipeline.
    pub(super) fn left(&self, core: &mut Core<S>, count: usize) {
        core.live -= count;
        if core.live == 0 && core.phase != Phase::Open {
            self.settled.notify_all();
        }
    }
}

impl<S: Stages> std::fmt::Debug for Inner<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pipeline").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl<S: Stages> Owner<S::Output> for Inner<S> {
    fn cancelled(&self, request: &Shared<S::Output>) {
        // The request itself is skipped by the next stage that meets it.
        let mut core = self.lock();
        self.account(&mut core, request, Outcome::Cancelled);
        if let Some(state) = core.models.get_mut(request.model) {
            state.cancelled += 1;
        }
    }
}

impl<S: Stages> Endpoint<S> {
    fn new(model: &ModelSpec, stages: Arc<S>, spec: &PipelineSpec) -> Self {
        let lanes = spec.instances * spec.depth;
        let batch = model.batch.clone().unwrap_or_else(|| spec.batch.clone());
        let open_shape = model.shapes.is_none();
        Self { name: model.name.clone(), stages, batch, open_shape, buffers: lanes + 3 }
    }

    /// Rows of these inputs, in memory of the model where it is given.
    pub(super) fn forming(
        &self,
        inputs: &[TensorSpec],
        memory: Option<Arc<dyn HostMemory>>,
    ) -> Result<Forming<Ready<S>>, Error> {
        let layout = RowLayout::new(inputs, self.batch.max_size)?;
        Ok(Forming::new(BufferPool::on(layout, self.buffers, memory)))
    }
}

impl<S: Stages> ModelState<S> {
    fn new(
        model: &ModelSpec,
        endpoint: &Endpoint<S>,
        versions: Versions<S::Predictions>,
        spec: &PipelineSpec,
    ) -> Result<Self, Error> {
        let shapes = model.shapes.iter().flatten();
        let memory = versions.current().model.memory();
        Ok(Self {
            flow: Flow::new(
                endpoint.batch.clone(),
                spec.queue_limit,
                spec.instances * spec.depth,
                spec.threads(),
            ),
            forming: shapes
                .map(|inputs| endpoint.forming(inputs, memory.clone()))
                .collect::<Result<_, _>>()?,
            versions,
            cancelled: 0,
            counts: Counts::default(),
        })
    }
}

/// The moment `limit` from now; a year from now stands for everything later, which no clock could hold.
pub(super) fn moment_after(limit: Duration) -> Instant {
    Instant::now() + limit.min(A_YEAR)
}

const A_YEAR: Duration = Duration::from_secs(365 * 86_400);

/// A duration in nanoseconds; 584 years are enough.
pub(super) fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}
