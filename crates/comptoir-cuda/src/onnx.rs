//! Models in ONNX between the copies: inputs and outputs are bound to memory of the device.

use std::ffi::{CString, c_void};
use std::fmt;
use std::ptr::with_exposed_provenance_mut;
use std::sync::{Arc, Mutex, PoisonError};

use comptoir_executor::Error as Failure;
use comptoir_executor::backend::{OnnxSession, OnnxSpec, Provider, ProviderOptions, onnx_dtype};
use comptoir_executor::tensor::{DType, TensorSpec};
use cudarc::driver::{CudaEvent, CudaStream};
use ort::AsPointer;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, NoSelectedOutputs, RunOptions, Session};
use ort::value::{DynTensorValueType, DynValue, PrimitiveTensorElementType, Shape, TensorRefMut, ValueType};

use crate::compute::{Compute, DeviceBatch, DeviceInput, DeviceOutput};
use crate::device::Device;
use crate::error::{Error, call};
use crate::memory::DeviceMemory;
use crate::model::{CudaModel, CudaSpec};

/// A model in ONNX that computes a batch where the lane has put it, and leaves its outputs on the device.
///
/// Each compute stream has a session, whose provider schedules its work there: it is in order behind the copy and the
/// normalisation of the batch, and nothing waits for it but the copy of its outputs.
pub struct Onnx {
    sessions: Vec<Bound>,
    inputs: Vec<TensorSpec>,
    /// The names of the inputs for ONNX Runtime, in the same order.
    names: Vec<CString>,
    outputs: Vec<String>,
    providers: Vec<Provider>,
    memory: MemoryInfo<'static>,
    /// The provider does not wait for the stream when a run has been scheduled.
    options: RunOptions<NoSelectedOutputs>,
    runs_on: RunsOn,
}

/// Where the nodes of a session run, at least some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunsOn {
    /// On the device, behind what is scheduled on the stream.
    Device(i32),
    /// On the CPU, at once.
    Host,
}

/// The session of a stream. The session goes before its stream.
struct Bound {
    session: Mutex<Session>,
    before: CudaEvent,
    stream: Arc<CudaStream>,
}

impl fmt::Debug for Onnx {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Onnx");
        shown.field("inputs", &self.inputs).field("providers", &self.providers).finish_non_exhaustive()
    }
}

impl CudaModel<Onnx> {
    /// Opens the device with a model in ONNX on it. With `inputs` of the settings left out, rows are the model's own
    /// inputs.
    ///
    /// # Errors
    /// As [`CudaModel::open`] and [`Onnx::load`]; [`Error::Config`] where the model does not take what rows give.
    pub fn onnx(spec: &CudaSpec, model: &OnnxSpec) -> Result<Self, Error> {
        Self::open_with(spec, |device, streams| Onnx::load(model, device, streams))
    }
}

impl Onnx {
    /// Loads a model, once for each stream.
    ///
    /// # Errors
    /// [`Error::Compute`] as [`comptoir_executor::backend::OnnxModel::load`]; [`Error::Config`] for providers of another
    /// device or of none, a number of sessions other than that of the streams, and outputs that no prediction can be.
    pub fn load(spec: &OnnxSpec, device: &Device, streams: &[Arc<CudaStream>]) -> Result<Self, Error> {
        check(spec, device, streams.len())?;
        let mut opened = Vec::with_capacity(streams.len());
        let mut spec = spec.clone();
        for stream in streams {
            let on_stream = |options| on_stream(options, stream);
            let session = OnnxSession::open_with(&spec, &on_stream).map_err(Error::Compute)?;
            spec = spec.on(&session.providers);
            opened.push((session, Arc::clone(stream)));
        }
        let runs_on = runs_on(&spec.providers, device)?;
        let first = opened.first().map(|(session, _)| session);
        let inputs = first.map(|session| session.inputs.clone()).unwrap_or_default();
        let outputs = first.map_or_else(|| Ok(Vec::new()), |session| outputs(&session.session))?;
        let name = |input: &TensorSpec| CString::new(&*input.name).map_err(|error| unusable(&error));
        let bound = |(session, stream): (OnnxSession, Arc<CudaStream>)| {
            let before = device.context.new_event(None).map_err(call("making an event"))?;
            Ok(Bound { session: Mutex::new(session.session), before, stream })
        };
        Ok(Self {
            names: inputs.iter().map(name).collect::<Result<_, _>>()?,
            sessions: opened.into_iter().map(bound).collect::<Result<_, Error>>()?,
            inputs,
            outputs,
            providers: spec.providers,
            memory: memory(runs_on).map_err(|error| unusable(&error))?,
            options: options().map_err(|error| unusable(&error))?,
            runs_on,
        })
    }

    /// The providers that it runs on.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Sees to it that whatever the session reads by itself, not on the stream, is read when it is there.
    fn order(&self, bound: &Bound) -> Result<(), Error> {
        const WHAT: &str = "waiting for the input of a session";
        match self.runs_on {
            // A CPU reads as soon as it is called.
            RunsOn::Host => bound.stream.synchronize().map_err(call(WHAT)),
            // An input that a node on the CPU takes is copied to it while it is bound: on the session's stream, or by
            // versions of ONNX Runtime that ask for none on the device's default stream, which waits for no stream of
            // ours unless it is told to. Nobody waits here.
            RunsOn::Device(_) => {
                bound.before.record(&bound.stream).map_err(call(WHAT))?;
                bound.stream.context().default_stream().wait(&bound.before).map_err(call(WHAT))
            }
        }
    }

    fn run(&self, bound: &Bound, batch: &DeviceBatch<'_>) -> Result<Vec<(String, DynValue)>, ort::Error> {
        let mut session = bound.session.lock().unwrap_or_else(PoisonError::into_inner);
        // A new one each time: outputs that are bound to a device are allocated for the first run alone.
        let mut binding = session.create_binding()?;
        for (spec, name) in self.inputs.iter().zip(&self.names) {
            let found = batch.inputs().find(|input| self.inputs.len() == 1 || input.name == spec.name);
            let input = found.ok_or_else(|| ort::Error::new(format!("there is no input `{}`", spec.name)))?;
            let bind: Bind = match input.dtype {
                DType::U8 => bind::<u8>,
                DType::I32 => bind::<i32>,
                DType::I64 => bind::<i64>,
                DType::F16 => bind::<half::f16>,
                DType::F32 => bind::<f32>,
                DType::F64 => bind::<f64>,
                other => return Err(ort::Error::new(format!("no input has elements of {}", other.name()))),
            };
            // SAFETY: memory of the lane, which is there until its batch has come back; it holds what the model takes,
            // which was looked at when it was opened, and is of the kind that `runs_on` found.
            unsafe { bind(&mut binding, name, &self.memory, &input) }?;
        }
        for name in &self.outputs {
            binding.bind_output_to_device(name, &self.memory)?;
        }
        let outputs = session.run_binding_with_options(&binding, &self.options)?;
        Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Compute for Onnx {
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Failure> {
        let bound = self.sessions.iter().find(|bound| bound.stream == *batch.stream());
        let bound = bound.ok_or_else(|| Failure::Internal("a stream has no session".to_owned()))?;
        self.order(bound)?;
        let outputs = self.run(bound, batch).map_err(|error| Failure::stage("infer", error.to_string()))?;
        outputs.into_iter().map(|(name, value)| output(&name, value, &bound.stream)).collect()
    }

    fn takes(&self) -> Option<&[TensorSpec]> {
        Some(&self.inputs)
    }
}

/// Refuses settings that cannot be meant.
fn check(spec: &OnnxSpec, device: &Device, streams: usize) -> Result<(), Error> {
    let refused = |field, message| Err(Error::Config { field, message });
    // One is what is not said.
    if spec.sessions != 1 && spec.sessions != streams {
        let message = format!("each of the {streams} streams has one, found {}", spec.sessions);
        return refused("sessions", message);
    }
    for provider in &spec.providers {
        let number = device.info().number;
        if let Some(other) = device_of(provider).filter(|&other| usize::try_from(other) != Ok(number)) {
            let message =
                format!("`{provider}` is to run on device {other}, and the model on device {number}");
            return refused("providers", message);
        }
    }
    Ok(())
}

/// The device of a provider; none for one of the CPU.
fn device_of(provider: &Provider) -> Option<i32> {
    match *provider {
        Provider::Cuda { device } | Provider::Tensorrt { device, .. } => Some(device),
        _ => None,
    }
}

/// Where sessions on these providers run. Those on the CPU alone read the memory of the device by its address, which only
/// a driver allows whose devices have no memory of their own, such as that of the tests.
fn runs_on(providers: &[Provider], device: &Device) -> Result<RunsOn, Error> {
    if let Some(number) = providers.iter().find_map(device_of) {
        return Ok(RunsOn::Device(number));
    }
    if DeviceMemory::new(&device.context, 1)?.is_hosts()? {
        return Ok(RunsOn::Host);
    }
    let message =
        "none of them runs on the device, whose memory a CPU cannot read: name `cuda` or `tensorrt`";
    Err(Error::Config { field: "providers", message: message.to_owned() })
}

/// Has a provider of the device schedule its work on a stream.
fn on_stream(options: ProviderOptions, stream: &CudaStream) -> ProviderOptions {
    let stream = stream.cu_stream().cast();
    match options {
        // SAFETY: a stream of the provider's device, which outlives the session: `Bound` and outputs hold it.
        ProviderOptions::Cuda(cuda) => ProviderOptions::Cuda(unsafe { cuda.with_compute_stream(stream) }),
        // SAFETY: the same.
        ProviderOptions::Tensorrt(rt) => ProviderOptions::Tensorrt(unsafe { rt.with_compute_stream(stream) }),
        ProviderOptions::Cpu(cpu) => ProviderOptions::Cpu(cpu),
    }
}

/// What ONNX Runtime calls the memory that a batch lies in.
fn memory(runs_on: RunsOn) -> Result<MemoryInfo<'static>, ort::Error> {
    let (device, number) = match runs_on {
        RunsOn::Device(number) => (AllocationDevice::CUDA, number),
        RunsOn::Host => (AllocationDevice::CPU, 0),
    };
    MemoryInfo::new(device, number, AllocatorType::Device, MemoryType::Default)
}

fn options() -> Result<RunOptions<NoSelectedOutputs>, ort::Error> {
    let mut options = RunOptions::new()?;
    options.disable_device_sync()?;
    Ok(options)
}

fn unusable(error: &dyn fmt::Display) -> Error {
    Error::Compute(Failure::Unavailable(format!("ONNX Runtime: {error}")))
}

/// The names of the outputs, each of which can be a prediction.
fn outputs(session: &Session) -> Result<Vec<String>, Error> {
    let name = |output: &ort::value::Outlet| match output.dtype() {
        ValueType::Tensor { ty, .. } if onnx_dtype(*ty).is_some() => Ok(output.name().to_owned()),
        other => {
            let message = format!("`{}` is {other}, which no prediction can be", output.name());
            Err(Error::Config { field: "outputs", message })
        }
    };
    session.outputs().iter().map(name).collect()
}

/// [`bind`] for elements of one type.
type Bind =
    unsafe fn(&mut IoBinding, &CString, &MemoryInfo<'static>, &DeviceInput<'_>) -> Result<(), ort::Error>;

/// Binds an input. `IoBinding::bind_input` of `ort` would copy memory that it does not own, so ONNX Runtime is called.
///
/// # Safety
/// Elements of `T` lie where the input says, in the kind of memory that `memory` says, until the stream has done the run.
unsafe fn bind<T: PrimitiveTensorElementType + fmt::Debug>(
    binding: &mut IoBinding,
    name: &CString,
    memory: &MemoryInfo<'static>,
    input: &DeviceInput<'_>,
) -> Result<(), ort::Error> {
    let shape: Shape = input.shape.iter().map(|&side| i64::try_from(side).unwrap_or(i64::MAX)).collect();
    let address = usize::try_from(input.address).map_err(|error| ort::Error::new(error.to_string()))?;
    let place = with_exposed_provenance_mut::<c_void>(address);
    // SAFETY: the caller's promise.
    let tensor = unsafe { TensorRefMut::<T>::from_raw(memory.clone(), place, shape) }?;
    // SAFETY: a binding, a text that ends with zero, and a value; the binding takes a reference of its own to the value.
    let status = unsafe { (ort::api().BindInput)(binding.ptr_mut(), name.as_ptr(), tensor.ptr()) };
    // SAFETY: the status that the call has just given.
    unsafe { ort::Error::result_from_status(status) }
}

/// An output where ONNX Runtime has put it.
fn output(name: &str, value: DynValue, stream: &Arc<CudaStream>) -> Result<DeviceOutput, Failure> {
    let refused = |message: String| Failure::stage("infer", format!("output `{name}` {message}"));
    let ValueType::Tensor { ty, shape, .. } = value.dtype() else {
        return Err(refused("is no tensor".to_owned()));
    };
    let dtype = onnx_dtype(*ty).ok_or_else(|| refused(format!("has elements of {ty}")))?;
    let shape = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
    let tensor = value.downcast::<DynTensorValueType>().map_err(|error| refused(error.to_string()))?;
    let address = tensor.data_ptr().expose_provenance() as u64;
    // The session allocates on its stream alone, and the stream outlives what the session has allocated.
    let owner = Box::new((tensor, Arc::clone(stream)));
    // SAFETY: the tensor holds its memory, on the device by its binding, with elements as it has just said. Whatever the
    // session writes there next, it writes on this stream when the tensor has been dropped.
    Ok(unsafe { DeviceOutput::new(name, dtype, shape, address, owner) })
}
