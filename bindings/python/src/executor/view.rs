//! Tensors of a pipeline, given to Python without a copy.

use std::sync::Arc;

use comptoir::executor::backend::{Tensor, Tensors};
use comptoir::executor::runtime::Rows;
use comptoir::executor::tensor::DType;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::array::code;

/// A tensor in memory of a pipeline. The memory goes back to its pool when the last array over it has gone.
#[pyclass(name = "TensorView", module = "comptoir.executor", frozen)]
pub struct TensorView {
    memory: Memory,
    dtype: DType,
    shape: Vec<usize>,
}

/// What keeps the elements, and where they lie in it.
enum Memory {
    Rows(Rows, usize),
    Prediction { tensors: Arc<Tensors>, output: usize, row: usize },
    Tensor(Tensor),
}

impl TensorView {
    /// All rows of input `input` of a batch.
    pub fn batch(rows: &Rows, input: usize) -> Option<Self> {
        let spec = rows.inputs().get(input)?;
        let mut shape = vec![rows.len()];
        shape.extend(&spec.shape);
        Some(Self { memory: Memory::Rows(rows.clone(), input), dtype: spec.dtype, shape })
    }

    /// One row of an output.
    pub fn prediction(tensors: &Arc<Tensors>, output: usize, row: usize) -> Option<Self> {
        let (_, tensor) = tensors.outputs.get(output)?;
        let shape = tensor.shape().get(1..).unwrap_or_default().to_vec();
        let memory = Memory::Prediction { tensors: Arc::clone(tensors), output, row };
        Some(Self { memory, dtype: tensor.dtype(), shape })
    }

    /// A tensor of its own.
    pub fn own(tensor: Tensor) -> Self {
        Self { dtype: tensor.dtype(), shape: tensor.shape().to_vec(), memory: Memory::Tensor(tensor) }
    }

    fn bytes(&self) -> &[u8] {
        match &self.memory {
            Memory::Tensor(tensor) => tensor.bytes(),
            Memory::Rows(rows, input) => rows.bytes(*input),
            Memory::Prediction { tensors, output, row } => {
                let len = self.shape.iter().product::<usize>() * self.dtype.bytes();
                let all = tensors.outputs.get(*output).map(|(_, tensor)| tensor.bytes()).unwrap_or_default();
                all.get(row * len..(row + 1) * len).unwrap_or_default()
            }
        }
    }

    /// As a NumPy array over the same memory.
    pub fn into_numpy(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        numpy(py)?.call_method1("asarray", (self,))
    }
}

#[pymethods]
impl TensorView {
    /// What NumPy and others read the memory by.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("typestr", code(self.dtype))?;
        interface.set_item("shape", PyTuple::new(py, &self.shape)?)?;
        interface.set_item("data", (self.bytes().as_ptr().addr(), false))?;
        Ok(interface)
    }
}

/// The module `numpy`.
pub fn numpy(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static NUMPY: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    Ok(NUMPY.get_or_try_init(py, || py.import("numpy").map(Bound::unbind))?.bind(py))
}
