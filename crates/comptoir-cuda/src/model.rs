//! A model of a pipeline on a CUDA device.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comptoir_executor::Error as Failure;
use comptoir_executor::backend::Tensors;
use comptoir_executor::runtime::{HostMemory, Model, Rows};
use comptoir_executor::tensor::TensorSpec;
use cudarc::driver::CudaStream;
use serde::{Deserialize, Serialize};

use crate::compiler::Compiler;
use crate::compute::{Compute, DeviceBatch};
use crate::device::Device;
use crate::engine::{Engine, Kernel, MOST_ROWS};
use crate::error::{Error, call};
use crate::inputs::{Inputs, PerInput, list, same};
use crate::lane::Lane;
use crate::memory::PinnedRows;
use crate::normalise::Normalise;
use crate::timeline::{Span, Timeline, mark};

/// Settings of a model on a CUDA device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CudaSpec {
    /// Number of the device.
    pub device: usize,
    /// Compute streams, which lanes take in turn: as many as `instances` of the pipeline. Batches of one stream are
    /// computed one after the other; the copies of the lanes overlap with that in any case.
    pub streams: usize,
    /// What rows are. None: what the computation takes, as it is.
    pub inputs: Option<Inputs>,
    /// The library of NVRTC, which pictures need; none: where the system looks for libraries.
    pub nvrtc: Option<PathBuf>,
    /// Steps of batches that the timeline keeps, three for each batch, the latest ones.
    pub trace_events: usize,
}

impl Default for CudaSpec {
    fn default() -> Self {
        let inputs = Some(Inputs::Pictures(Normalise::default()));
        Self { device: 0, streams: 1, inputs, nvrtc: None, trace_events: 0 }
    }
}

/// A model on a CUDA device, as a pipeline runs it.
///
/// Rows lie in page-locked memory. Each lane has its own streams and its own memory on the device: while
/// one lane computes, another copies its batch in and a third its predictions out. With `depth` 2 or 3 of the pipeline all
/// three are under way at once.
pub struct CudaModel<C> {
    compute: C,
    device: Device,
    /// None where inputs are computed as they were copied.
    kernel: Option<Kernel>,
    per_row: PerInput<TensorSpec>,
    engines: Vec<(Arc<CudaStream>, Mutex<Engine>)>,
    lanes: Mutex<Vec<Arc<Mutex<Lane>>>>,
    timeline: Timeline,
    /// Smoothed nanoseconds in which a row is copied to the device.
    copy_in: AtomicU64,
}

impl<C> std::fmt::Debug for CudaModel<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CudaModel").field("device", self.device.info()).finish_non_exhaustive()
    }
}

/// Far more than helps.
const MOST_STREAMS: usize = 64;

impl<C: Compute> CudaModel<C> {
    /// Opens the device, compiles what it needs and makes the streams. Memory is taken with the first batches.
    ///
    /// # Errors
    /// Whatever is missing, by its name; [`Error::Config`] for settings that cannot be used.
    pub fn open(spec: &CudaSpec, compute: C) -> Result<Self, Error> {
        Self::open_with(spec, |_, _| Ok(compute))
    }

    /// The same with a computation that is made for the device and the streams on which batches will be computed.
    ///
    /// # Errors
    /// As [`CudaModel::open`], and what `make` says.
    pub fn open_with(
        spec: &CudaSpec,
        make: impl FnOnce(&Device, &[Arc<CudaStream>]) -> Result<C, Error>,
    ) -> Result<Self, Error> {
        spec.inputs.as_ref().map_or(Ok(()), Inputs::check)?;
        if !(1..=MOST_STREAMS).contains(&spec.streams) {
            let message = format!("must be from 1 to {MOST_STREAMS}, found {}", spec.streams);
            return Err(Error::Config { field: "streams", message });
        }
        let device = Device::open(spec.device)?;
        let stream = || device.context.new_stream().map_err(call("making a stream"));
        let streams = (0..spec.streams).map(|_| stream()).collect::<Result<Vec<_>, _>>()?;
        let compute = make(&device, &streams)?;
        // Weights that another library is still copying or converting on a stream of its own.
        device.context.synchronize().map_err(call("waiting for the device"))?;
        let inputs = resolve(spec.inputs.as_ref(), compute.takes())?;
        let kernel = match &inputs {
            Inputs::Pictures(normalise) => {
                Some(Kernel::new(&device, normalise, &Compiler::load(spec.nvrtc.as_deref())?)?)
            }
            Inputs::AsIs(_) => None,
        };
        let origin = stream()?;
        let timeline = Timeline::new(&origin, spec.trace_events)?;
        let engine = |stream: Arc<CudaStream>| (Arc::clone(&stream), Mutex::new(Engine::new(stream)));
        Ok(Self {
            compute,
            kernel,
            per_row: inputs.per_row(),
            engines: streams.into_iter().map(engine).collect(),
            lanes: Mutex::new(Vec::new()),
            timeline,
            copy_in: AtomicU64::new(0),
            device,
        })
    }

    /// What is computed.
    #[must_use]
    pub fn compute(&self) -> &C {
        &self.compute
    }

    /// The device that it runs on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The inputs of a row, as a pipeline is to declare them.
    #[must_use]
    pub fn inputs(&self) -> &[TensorSpec] {
        self.per_row.copied()
    }

    /// The latest steps of batches, by the device's own clock.
    #[must_use]
    pub fn timeline(&self) -> Vec<Span> {
        self.timeline.spans()
    }

    /// A lane by its number, made when it is first asked for.
    fn lane(&self, number: usize) -> Result<Arc<Mutex<Lane>>, Error> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        while lanes.len() <= number {
            let lane = Lane::new(&self.device, lanes.len())?;
            lanes.push(Arc::new(Mutex::new(lane)));
        }
        lanes
            .get(number)
            .cloned()
            .ok_or(Error::Config { field: "lane", message: "does not exist".to_owned() })
    }

    fn run(&self, lane: &mut Lane, batch: &Rows) -> Result<Tensors, Failure> {
        let rows = self.check(batch)?;
        let room = lane.room(rows, &self.per_row)?;
        let engine = self.engines.get(lane.number % self.engines.len().max(1));
        let (stream, engine) = engine.ok_or_else(|| Failure::Internal("a stream has gone".to_owned()))?;
        // Declared before the flight, so that they are dropped when it has ended.
        let outputs;
        let flight = lane.flight(stream);
        // SAFETY: the batch and the room are held to the end of this function, behind the flight.
        unsafe { lane.copy_in(batch, &room) }?;
        let given = self.per_row.given();
        let view = DeviceBatch { room: &room, given, rows, lane: lane.number, stream };
        {
            // Not before the copy is scheduled, which overlaps with the batch before.
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            stream.wait(&lane.marks.copy_in.1).map_err(call("waiting for a copy"))?;
            mark(&lane.marks.compute.0, stream)?;
            outputs = engine.run(self.kernel.as_ref(), &self.compute, &view)?;
            mark(&lane.marks.compute.1, stream)?;
        }
        let tensors = lane.copy_out(&outputs, rows)?;
        flight.land();
        Ok(tensors)
    }

    fn check(&self, batch: &Rows) -> Result<usize, Failure> {
        let (expected, found) = (self.inputs(), batch.inputs());
        // Several may be alike but for their names.
        let alike = |(one, other): (&TensorSpec, &TensorSpec)| {
            same(one, other) && (expected.len() == 1 || one.name == other.name)
        };
        if expected.len() != found.len() || !expected.iter().zip(found).all(alike) {
            let message = format!("expected rows of {}, found {}", list(expected), list(found));
            return Err(Failure::config("inputs", message));
        }
        // The kernel counts pictures by the grid's second side.
        let most = if self.kernel.is_some() { MOST_ROWS } else { usize::MAX };
        match batch.len() {
            0 => Err(Failure::config("batch", "must have at least 1 row, found 0")),
            rows if rows > most => {
                Err(Failure::config("batch", format!("must have from 1 to {most} rows, found {rows}")))
            }
            rows => Ok(rows),
        }
    }

    /// Remembers how long the copy of a batch took.
    fn observe(&self, lane: &Lane, rows: usize) -> Result<(), Error> {
        let (start, end) = &lane.marks.copy_in;
        let took = start.elapsed_ms(end).map_err(call("reading the device's clock"))?;
        let each = f64::from(took.max(0.0)) * 1e6 / f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
        let before = f64::from_bits(self.copy_in.load(Ordering::Relaxed));
        let smoothed = if before > 0.0 { before + (each - before) / 8.0 } else { each };
        self.copy_in.store(smoothed.to_bits(), Ordering::Relaxed);
        Ok(())
    }
}

/// What rows are: as is set, or else as the computation says. They are held against what it takes.
fn resolve(set: Option<&Inputs>, takes: Option<&[TensorSpec]>) -> Result<Inputs, Error> {
    match (set, takes) {
        (Some(inputs), Some(takes)) => inputs.check_against(takes).map(|()| inputs.clone()),
        (Some(inputs), None) => Ok(inputs.clone()),
        (None, Some(takes)) => {
            let inputs = Inputs::AsIs(takes.to_vec());
            inputs.check().map(|()| inputs)
        }
        (None, None) => {
            let message = "must be given: the computation does not say what it takes".to_owned();
            Err(Error::Config { field: "inputs", message })
        }
    }
}

impl<C: Compute> Model<Tensors> for CudaModel<C> {
    fn infer(&self, lane: usize, batch: &Rows) -> Result<Tensors, Failure> {
        let lane = self.lane(lane)?;
        let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
        let tensors = self.run(&mut lane, batch)?;
        self.observe(&lane, batch.len())?;
        self.timeline.keep(lane.number, batch.len(), &lane.marks)?;
        Ok(tensors)
    }

    fn copy_in(&self, rows: usize) -> Duration {
        let rows = f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
        let nanos = f64::from_bits(self.copy_in.load(Ordering::Relaxed)) * rows;
        Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::ZERO)
    }

    fn memory(&self) -> Option<Arc<dyn HostMemory>> {
        Some(Arc::new(PinnedRows(Arc::clone(&self.device.context))))
    }
}
