//! A user's function on an NVIDIA GPU: takes a batch on the device, gives arrays there.

use std::any::Any;
use std::sync::Arc;

use comptoir::executor::Error;
use comptoir::executor::tensor::{DType, TensorSpec};
use comptoir_cuda::{Compute, DeviceBatch, DeviceInput, DeviceOutput};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::array::{code, dtype};
use super::stages::raised;
use crate::enter::enter_with;
use crate::errors;

/// The devices that the driver sees, as JSON.
#[pyfunction]
pub fn executor_cuda_devices(py: Python<'_>) -> PyResult<String> {
    let found = enter_with(py, comptoir_cuda::devices, |py, error| errors::from_core(py, &error))?;
    let text = serde_json::to_string(&found).map_err(|error| Error::Internal(error.to_string()));
    text.map_err(|error| errors::from_host(py, &error.into()))
}

/// An input of a batch on the device; valid until the function that got it returns.
#[pyclass(name = "DeviceArray", module = "comptoir.executor", frozen)]
pub struct DeviceArray {
    address: u64,
    dtype: DType,
    shape: Vec<usize>,
    stream: usize,
    lane: usize,
    /// Holds the memory.
    _keeper: Arc<dyn Any + Send + Sync>,
}

#[pymethods]
impl DeviceArray {
    /// What CuPy, Numba, PyTorch and others read memory of the device by.
    #[getter]
    fn __cuda_array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("typestr", code(self.dtype))?;
        interface.set_item("shape", PyTuple::new(py, &self.shape)?)?;
        interface.set_item("data", (self.address, false))?;
        interface.set_item("strides", py.None())?;
        interface.set_item("stream", self.stream)?;
        Ok(interface)
    }

    /// Rows, then the shape of one row: of pictures planes, height, width.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.shape)
    }

    /// The stream on which it is made, and on which it is to be used: a `CUstream` as a number.
    #[getter]
    fn stream(&self) -> usize {
        self.stream
    }

    /// The lane. A lane's batches lie at one address, unless a larger one than any before comes.
    #[getter]
    fn lane(&self) -> usize {
        self.lane
    }
}

/// A Python function from a [`DeviceArray`], or a dict of them by name, to arrays of the device.
pub struct Function(Py<PyAny>);

/// What keeps an output. Given up with the interpreter held, so that its memory goes at once.
struct Held(Option<Py<PyAny>>);

impl Function {
    pub fn new(function: Py<PyAny>) -> Self {
        Self(function)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = self.0.take();
        // Without an interpreter, at its end, PyO3 keeps it.
        let _ = Python::try_attach(|_| drop(held));
    }
}

impl Compute for Function {
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Error> {
        Python::attach(|py| {
            let given = arrays(py, batch).and_then(|arrays| self.0.bind(py).call1((arrays,)));
            outputs(&given.map_err(|error| raised("infer", error))?, batch.stream_address())
        })
    }
}

/// The batch as an array, or as a dict of arrays for a model with several inputs.
fn arrays<'py>(py: Python<'py>, batch: &DeviceBatch<'_>) -> PyResult<Bound<'py, PyAny>> {
    let array = |input: DeviceInput<'_>| {
        let array = DeviceArray {
            address: input.address,
            dtype: input.dtype,
            shape: input.shape,
            stream: batch.stream_address(),
            lane: batch.lane(),
            _keeper: batch.keeper(),
        };
        Bound::new(py, array).map(Bound::into_any)
    };
    let mut inputs = batch.inputs();
    if inputs.len() == 1
        && let Some(one) = inputs.next()
    {
        return array(one);
    }
    let named = PyDict::new(py);
    for input in inputs {
        named.set_item(input.name, array(input)?)?;
    }
    Ok(named.into_any())
}

/// The outputs of a function: one array, or several in a dict, tuple or list.
fn outputs(given: &Bound<'_, PyAny>, stream: usize) -> Result<Vec<DeviceOutput>, Error> {
    let raise = |error| raised("infer", error);
    if let Ok(named) = given.cast::<PyDict>() {
        return named.iter().map(|(name, array)| output(&name.to_string(), &array, stream)).collect();
    }
    if given.is_instance_of::<PyTuple>() || given.is_instance_of::<pyo3::types::PyList>() {
        let arrays = given.try_iter().map_err(raise)?;
        let named =
            arrays.enumerate().map(|(at, array)| output(&at.to_string(), &array.map_err(raise)?, stream));
        return named.collect();
    }
    Ok(vec![output("output", given, stream)?])
}

/// An array of the device by its interface.
#[expect(unsafe_code, reason = "memory of another library")]
fn output(name: &str, array: &Bound<'_, PyAny>, stream: usize) -> Result<DeviceOutput, Error> {
    let raise = |error| raised("infer", error);
    let interface = array.getattr("__cuda_array_interface__").map_err(raise)?;
    let interface = interface.cast_into::<PyDict>().map_err(|error| raise(error.into()))?;
    let field = |field: &str| interface.get_item(field).map_err(raise);
    let needed = |name: &'static str| {
        let missing = || Error::stage("infer", format!("the array interface has no `{name}`"));
        field(name)?.ok_or_else(missing)
    };
    let refused = |message: String| Error::stage("infer", format!("output `{name}` {message}"));
    let typestr: String = needed("typestr")?.extract().map_err(raise)?;
    let dtype = dtype(&typestr).ok_or_else(|| refused(format!("has elements of `{typestr}`")))?;
    let shape: Vec<usize> = needed("shape")?.extract().map_err(raise)?;
    let (address, _): (u64, bool) = needed("data")?.extract().map_err(raise)?;
    let strides: Option<Vec<isize>> =
        field("strides")?.map(|one| one.extract()).transpose().map_err(raise)?.flatten();
    let spec = TensorSpec::new(name, dtype, &shape);
    if strides.is_some_and(|strides| strides != side_by_side(&spec)) {
        return Err(refused("does not lie side by side: make it contiguous".to_owned()));
    }
    let made: Option<usize> = field("stream")?.map(|one| one.extract()).transpose().map_err(raise)?.flatten();
    if made.is_some_and(|made| made != stream) {
        return Err(refused(
            "was made on another stream: use that of the batch, its attribute `stream`".to_owned(),
        ));
    }
    let owner = Box::new(Held(Some(array.clone().unbind())));
    // SAFETY: the array has said by its interface that elements lie there side by side, and it is held. That nobody
    // writes to them meanwhile is the documented duty of the function, as for every array that is given away.
    Ok(unsafe { DeviceOutput::new(name, dtype, shape, address, owner) })
}

/// The strides of elements that lie side by side, in bytes.
fn side_by_side(spec: &TensorSpec) -> Vec<isize> {
    let mut step = spec.dtype.bytes();
    let mut strides: Vec<isize> = spec
        .shape
        .iter()
        .rev()
        .map(|&side| {
            let stride = isize::try_from(step).unwrap_or(isize::MAX);
            step = step.saturating_mul(side);
            stride
        })
        .collect();
    strides.reverse();
    strides
}
