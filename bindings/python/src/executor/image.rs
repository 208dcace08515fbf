//! Pictures to tensors, for Python.

use std::cell::RefCell;

use comptoir::executor::Error;
use comptoir::executor::backend::Tensor;
use comptoir::executor::image::{ImageSpec, ImageTransform, Placement, Scratch};
use comptoir::executor::runtime::Slot;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyTuple};

use super::settings::parse;
use super::stages::raised;
use super::view::TensorView;
use crate::arguments::{CODE, wrong};
use crate::enter::enter;

/// From files to tensors; `comptoir.executor.ImageTransform` is its face.
#[pyclass(name = "ExecutorImage", module = "comptoir.executor", frozen)]
pub struct ExecutorImage {
    transform: ImageTransform,
    /// Whether `postprocess` is told where the picture lies in the tensor.
    gives_placement: bool,
}

thread_local! {
    /// Memory of each thread, used again for each picture.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

#[pymethods]
impl ExecutorImage {
    /// Compiles settings, given as JSON.
    #[new]
    fn new(py: Python<'_>, spec: &str, gives_placement: bool) -> PyResult<Self> {
        enter(py, || {
            let spec: ImageSpec = parse("image", spec)?;
            Ok::<_, Error>(Self { transform: ImageTransform::new(spec)?, gives_placement })
        })
    }

    /// The tensor of a file as a NumPy array, and where the picture lies in it.
    fn run<'py>(&self, py: Python<'py>, file: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Place)> {
        let file = bytes_of(file)?;
        let bytes = file.as_bytes();
        let (tensor, placement) = enter(py, || {
            SCRATCH.with_borrow_mut(|scratch| {
                let placement = self.transform.prepare(scratch, bytes)?;
                let output = self.transform.output();
                let mut tensor = Tensor::zeros(output.dtype, &output.shape)?;
                self.transform.write(scratch, tensor.bytes_mut())?;
                Ok::<_, Error>((tensor, placement))
            })
        })?;
        Ok((TensorView::own(tensor).into_numpy(py)?, place(placement)))
    }

    /// The tensor of a file as JSON: name, type, shape.
    fn output(&self, py: Python<'_>) -> PyResult<String> {
        enter(py, || {
            serde_json::to_string(&self.transform.output())
                .map_err(|error| Error::Internal(error.to_string()))
        })
    }
}

/// Width, height, scale across and down, left, top.
type Place = (u32, u32, f64, f64, f64, f64);

fn place(placement: Placement) -> Place {
    let Placement { width, height, scale_x, scale_y, left, top } = placement;
    (width, height, scale_x, scale_y, left, top)
}

fn bytes_of<'py>(file: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = file.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    // Such as a bytearray, which may change while the interpreter is let go, so it is copied. Of a number, `bytes` would
    // make as many zeros.
    let view = PyMemoryView::from(file).map_err(|_| wrong("file", CODE, "bytes", file))?;
    Ok(view.call_method0("tobytes")?.cast_into()?)
}

impl ExecutorImage {
    /// Writes the tensor of a file into the row of a request. Decoding and resizing run without the interpreter and
    /// before the row is taken, so that others do not wait for it.
    pub fn fill(&self, file: &Bound<'_, PyAny>, slot: &mut Slot<'_>) -> Result<Option<Py<PyAny>>, Error> {
        let py = file.py();
        let file = bytes_of(file).map_err(|error| raised("preprocess", error))?;
        let bytes = file.as_bytes();
        let placement = py.detach(|| {
            SCRATCH.with_borrow_mut(|scratch| {
                let placement = self.transform.prepare(scratch, bytes)?;
                let mut output = self.transform.output();
                // The model names its input as it likes.
                output.name.clear();
                let row = slot.reserve_for(&[output])?;
                self.transform.write(scratch, row.bytes_mut(0))?;
                Ok::<_, Error>(placement)
            })
        })?;
        if !self.gives_placement {
            return Ok(None);
        }
        let tuple: Bound<'_, PyTuple> =
            place(placement).into_pyobject(py).map_err(|error| raised("preprocess", error))?;
        Ok(Some(tuple.into_any().unbind()))
    }
}
