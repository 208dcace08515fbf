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
    /// What is done to the pixels on the device.
    pub normalise: Normalise,
    /// The library of NVRTC; none: where the system looks for libraries.
    pub nvrtc: Option<PathBuf>,
    /// Steps of batches that the timeline keeps, three for each batch, the latest ones.
    pub trace_events: usize,
}

impl Default for CudaSpec {
    fn default() -> Self {
        Self { device: 0, streams: 1, normalise: Normalise::default(), nvrtc: None, trace_events: 0 }
    }
}

/// A model on a CUDA device, as a pipeline runs it.
///
/// Rows are pixels as bytes, in page-locked memory. Each lane has its own streams and its own memory on the device: while
/// one lane computes, another copies its batch in and a third its predictions out. With `depth` 2 or 3 of the pipeline all
/// three are under way at once.
pub struct CudaModel<C> {
    compute: C,
    device: Device,
    kernel: Kernel,
    input: TensorSpec,
    output: TensorSpec,
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
    /// Opens the device, compiles the kernel and makes the streams. Memory is taken with the first batches.
    ///
    /// # Errors
    /// Whatever is missing, by its name; [`Error::Config`] for settings that cannot be used.
    pub fn open(spec: &CudaSpec, compute: C) -> Result<Self, Error> {
        spec.normalise.check()?;
        if !(1..=MOST_STREAMS).contains(&spec.streams) {
            let message = format!("must be from 1 to {MOST_STREAMS}, found {}", spec.streams);
            return Err(Error::Config { field: "streams", message });
        }
        let device = Device::open(spec.device)?;
        // Weights that another library is still copying or converting on a stream of its own.
        device.context.synchronize().map_err(call("waiting for the device"))?;
        let compiler = Compiler::load(spec.nvrtc.as_deref())?;
        let kernel = Kernel::new(&device, &spec.normalise, &compiler)?;
        let mut engines = Vec::with_capacity(spec.streams);
        for _ in 0..spec.streams {
            let stream = device.context.new_stream().map_err(call("making a stream"))?;
            engines.push((Arc::clone(&stream), Mutex::new(Engine::new(stream))));
        }
        let origin = device.context.new_stream().map_err(call("making a stream"))?;
        Ok(Self {
            compute,
            kernel,
            input: spec.normalise.input(),
            output: spec.normalise.output(),
            engines,
            lanes: Mutex::new(Vec::new()),
            timeline: Timeline::new(&origin, spec.trace_events)?,
            copy_in: AtomicU64::new(0),
            device,
        })
    }

    /// The device that it runs on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The inputs of a row, as a pipeline is to declare them.
    #[must_use]
    pub fn inputs(&self) -> &[TensorSpec] {
        std::slice::from_ref(&self.input)
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
        let room = lane.room(rows, &self.input, &self.output)?;
        let engine = self.engines.get(lane.number % self.engines.len().max(1));
        let (stream, engine) = engine.ok_or_else(|| Failure::Internal("a stream has gone".to_owned()))?;
        // Declared before the flight, so that they are dropped when it has ended.
        let outputs;
        let flight = lane.flight(stream);
        // SAFETY: the batch and the room are held to the end of this function, behind the flight.
        unsafe { lane.copy_in(batch.bytes(0), &room) }?;
        let view = DeviceBatch { room: &room, row: &self.output, rows, lane: lane.number, stream };
        {
            // Not before the copy is scheduled, which overlaps with the batch before.
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            stream.wait(&lane.marks.copy_in.1).map_err(call("waiting for a copy"))?;
            mark(&lane.marks.compute.0, stream)?;
            outputs = engine.run(&self.kernel, &self.compute, &view)?;
            mark(&lane.marks.compute.1, stream)?;
        }
        let tensors = lane.copy_out(&outputs, rows)?;
        flight.land();
        Ok(tensors)
    }

    fn check(&self, batch: &Rows) -> Result<usize, Failure> {
        if batch.inputs().len() != 1 || !batch.inputs().iter().all(|input| same(input, &self.input)) {
            let found: Vec<String> = batch.inputs().iter().map(show).collect();
            let message = format!("expected rows of {}, found {}", show(&self.input), found.join(", "));
            return Err(Failure::config("inputs", message));
        }
        match batch.len() {
            rows @ 1..=MOST_ROWS => Ok(rows),
            rows => {
                Err(Failure::config("batch", format!("must have from 1 to {MOST_ROWS} rows, found {rows}")))
            }
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

fn same(one: &TensorSpec, other: &TensorSpec) -> bool {
    one.dtype == other.dtype && one.shape == other.shape
}

fn show(spec: &TensorSpec) -> String {
    format!("{} {:?}", spec.dtype.name(), spec.shape)
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
