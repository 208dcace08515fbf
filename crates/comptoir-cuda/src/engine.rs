//! The stream on which batches are normalised and computed, one after the other, and recordings of that.

use std::collections::HashMap;
use std::sync::Arc;

use comptoir_executor::Error as Failure;
use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};
use cudarc::driver::{CudaFunction, CudaGraph, CudaStream, LaunchConfig, PushKernelArg};
use cudarc::nvrtc::Ptx;

use crate::compiler::{Compiler, Image};
use crate::compute::{Compute, DeviceBatch, DeviceOutput, Recording, Room};
use crate::device::Device;
use crate::error::{Error, call};
use crate::inputs::PerInput;
use crate::memory::DeviceMemory;
use crate::normalise::Normalise;

/// The kernel for one setting, on one device.
#[derive(Debug)]
pub(crate) struct Kernel {
    function: CudaFunction,
    spec: Normalise,
}

/// Threads of a block: enough to hide the memory's latency, few enough for every device.
const BLOCK: u32 = 256;

/// The most rows of a batch: the kernel counts them by the grid's second side.
pub(crate) const MOST_ROWS: usize = 65_535;

impl Kernel {
    pub(crate) fn new(device: &Device, spec: &Normalise, compiler: &Compiler) -> Result<Self, Error> {
        spec.check()?;
        let image = match spec.compile(compiler, compiler.target(device.capability())?)? {
            Image::Ptx(text) => Ptx::from_src(text),
            Image::Cubin(bytes) => Ptx::from_binary(bytes),
        };
        let module = device.context.load_module(image).map_err(call("loading the kernel"))?;
        let function = module.load_function("normalise").map_err(call("finding the kernel"))?;
        Ok(Self { function, spec: spec.clone() })
    }

    /// Schedules the normalisation of `rows` pictures.
    ///
    /// # Safety
    /// There are as many of the setting's size in `pictures`, and there is room for them, normalised, in `tensor`.
    unsafe fn launch(
        &self,
        stream: &CudaStream,
        pictures: &DeviceMemory,
        tensor: &DeviceMemory,
        rows: usize,
    ) -> Result<(), Error> {
        let too_many =
            || Error::Config { field: "batch.max_size", message: format!("must be at most {MOST_ROWS}") };
        let rows = u32::try_from(rows).ok().filter(|&rows| rows as usize <= MOST_ROWS);
        let (rows, pixels) = rows.zip(u32::try_from(self.spec.pixels()).ok()).ok_or_else(too_many)?;
        let (pictures, tensor) = (pictures.address(), tensor.address());
        let config = LaunchConfig {
            grid_dim: (pixels.div_ceil(BLOCK), rows, 1),
            block_dim: (BLOCK, 1, 1),
            shared_mem_bytes: 0,
        };
        let mut launch = stream.launch_builder(&self.function);
        launch.arg(&pictures).arg(&tensor).arg(&pixels).arg(&self.spec.scale);
        self.spec.mean.iter().chain(&self.spec.std).for_each(|number| {
            launch.arg(number);
        });
        // SAFETY: the arguments are those of `normalise` in normalise.cu: two addresses, u32, seven f32. It touches `rows`
        // times 3 * pixels bytes and as many elements, which are there by the caller's promise.
        unsafe { launch.launch(config) }.map_err(call("launching the kernel"))?;
        Ok(())
    }
}

/// Recordings of what is scheduled on one compute stream. Behind a lock, so that batches are scheduled whole.
#[derive(Debug)]
pub(crate) struct Engine {
    stream: Arc<CudaStream>,
    /// Per lane and number of rows; none where such a batch has run once, which loads what a recording must not load.
    recorded: HashMap<(usize, usize), Option<Recorded>>,
}

/// What is done to so many rows in the memory of one lane.
struct Recorded {
    graph: CudaGraph,
    outputs: Arc<Vec<DeviceOutput>>,
    /// The memory that is written into the recording.
    room: Arc<Room>,
}

// SAFETY: a graph may be used by any thread, by one at a time, which the lock around the engine sees to. Everything else
// in here is `Send` of its own.
unsafe impl Send for Recorded {}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recorded").field("outputs", &self.outputs).finish_non_exhaustive()
    }
}

/// Recordings that are kept; batches of further sizes are scheduled each time.
const MOST_RECORDED: usize = 512;

impl Engine {
    pub(crate) fn new(stream: Arc<CudaStream>) -> Self {
        Self { stream, recorded: HashMap::new() }
    }

    /// Schedules normalisation and computation of a batch, by its recording where there may be one, and says where its
    /// predictions will lie.
    pub(crate) fn run<C: Compute>(
        &mut self,
        kernel: Option<&Kernel>,
        compute: &C,
        batch: &DeviceBatch<'_>,
    ) -> Result<Arc<Vec<DeviceOutput>>, Failure> {
        let key = (batch.lane, batch.rows);
        let room = self.recorded.len() < MOST_RECORDED;
        match self.recorded.get(&key) {
            Some(Some(recorded)) if Arc::ptr_eq(&recorded.room, batch.room) => recorded.replay(),
            Some(_) if compute.recording() == Recording::Once => {
                let recorded = record(&self.stream, kernel, compute, batch)?;
                let outputs = recorded.replay()?;
                self.recorded.insert(key, Some(recorded));
                Ok(outputs)
            }
            known => {
                if known.is_none() && room && compute.recording() == Recording::Once {
                    self.recorded.insert(key, None);
                }
                schedule(&self.stream, kernel, compute, batch).map(Arc::new)
            }
        }
    }
}

impl Recorded {
    fn replay(&self) -> Result<Arc<Vec<DeviceOutput>>, Failure> {
        self.graph.launch().map_err(call("replaying a batch"))?;
        Ok(Arc::clone(&self.outputs))
    }
}

/// Schedules what is done to a batch between its copies.
fn schedule<C: Compute>(
    stream: &CudaStream,
    kernel: Option<&Kernel>,
    compute: &C,
    batch: &DeviceBatch<'_>,
) -> Result<Vec<DeviceOutput>, Failure> {
    if let (Some(kernel), PerInput::Pictures { copied, normalised }) = (kernel, &batch.room.memory) {
        // SAFETY: a room has memory for its rows as the settings say, which are those of the kernel, and a lane gives no
        // batch a room for fewer rows.
        unsafe { kernel.launch(stream, copied, normalised, batch.rows.min(batch.room.rows)) }?;
    }
    compute.schedule(batch)
}

/// Records what is scheduled for a batch, without running it.
fn record<C: Compute>(
    stream: &Arc<CudaStream>,
    kernel: Option<&Kernel>,
    compute: &C,
    batch: &DeviceBatch<'_>,
) -> Result<Recorded, Failure> {
    const WHAT: &str = "recording a batch";
    // Other threads go on allocating; only this one must not while it records.
    let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    stream.begin_capture(mode).map_err(call(WHAT))?;
    let mut recording = Capture { stream, open: true };
    let outputs = schedule(stream, kernel, compute, batch)?;
    // What is no prediction for the batch is not kept: it would fail every batch like it.
    outputs.iter().try_for_each(|output| output.bytes(batch.rows).map(drop))?;
    let graph = recording.end().map_err(call(WHAT))?;
    let graph = graph.ok_or_else(|| Failure::Internal("a recording is empty".to_owned()))?;
    Ok(Recorded { graph, outputs: Arc::new(outputs), room: Arc::clone(batch.room) })
}

/// A stream that records. It is ended also where the user's code fails or panics: a stream left in that state would
/// take no more work.
struct Capture<'a> {
    stream: &'a Arc<CudaStream>,
    open: bool,
}

impl Capture<'_> {
    fn end(&mut self) -> Result<Option<CudaGraph>, cudarc::driver::DriverError> {
        self.open = false;
        self.stream.end_capture(CUgraphInstantiate_flags(0))
    }
}

impl Drop for Capture<'_> {
    fn drop(&mut self) {
        if self.open {
            let _ = self.end();
        }
    }
}
