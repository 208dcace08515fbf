//! `comptoir.Array`: one column, that a core gives back or that a function of the host is given.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::{Array, ArrayRef};
use arrow_schema::Field;
use comptoir_host::table::type_name;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyIterator, PyList, PyType};

use super::column::{import_column, one_array};
use super::numpy::to_numpy;
use super::table::library;
use super::values;
use crate::enter::enter;

/// Column of values that any Arrow library reads without a copy.
///
/// It has the Arrow PyCapsule interface, so it can be passed as it is to ``pyarrow.array`` and ``polars.Series``;
/// ``numpy.asarray`` copies it. It is a sequence of Python's own values, None for null, and immutable.
///
/// Parameters
/// ----------
/// data : object
///     Arrow array or series, NumPy array, or an iterable of values of one kind.
///
/// Raises
/// ------
/// SchemaError
///     For values that have no common type, with the index of the first that does not fit.
///
/// Examples
/// --------
/// >>> import comptoir, pyarrow
/// >>> array = comptoir.Array([3, None, 5])
/// >>> array
/// Array(3 values: int64)
/// >>> array[2], list(array)
/// (5, [3, None, 5])
/// >>> pyarrow.array(array).null_count
/// 1
#[pyclass(name = "Array", module = "comptoir", frozen)]
pub struct ArrowArray {
    array: ArrayRef,
}

impl ArrowArray {
    /// An array for Python.
    pub const fn new(array: ArrayRef) -> Self {
        Self { array }
    }

    /// The array, sharing its buffers.
    pub fn get(&self) -> ArrayRef {
        self.array.clone()
    }
}

#[pymethods]
impl ArrowArray {
    #[new]
    fn from_python(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let chunks = import_column("data", data)?;
        Ok(Self { array: enter(data.py(), || one_array("data", &chunks))? })
    }

    /// Arrow type of the values, such as ``uint64``.
    #[getter]
    fn r#type(&self) -> String {
        type_name(self.array.data_type())
    }

    /// Number of nulls.
    #[getter]
    fn null_count(&self) -> usize {
        self.array.logical_null_count()
    }

    /// Values as a plain Python list, None for null.
    ///
    /// Returns
    /// -------
    /// list
    ///
    /// Raises
    /// ------
    /// SchemaError
    ///     If the values are nested or binary, which has no plain form.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, values::to_python(py, "values", &self.array)?)
    }

    /// Give the column to pyarrow, without a copy.
    ///
    /// Returns
    /// -------
    /// pyarrow.Array
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If pyarrow is not installed.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        library(slf.py(), "pyarrow")?.call_method1("array", (slf,))
    }

    fn __len__(&self) -> usize {
        self.array.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        let place =
            if index < 0 { self.array.len().checked_add_signed(index) } else { usize::try_from(index).ok() };
        let place = place.filter(|place| *place < self.array.len());
        let place = place.ok_or_else(|| PyIndexError::new_err("index out of range"))?;
        let mut one = values::to_python(py, "values", &self.array.slice(place, 1))?;
        one.pop().ok_or_else(|| PyIndexError::new_err("index out of range"))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.to_pylist(py)?.try_iter()
    }

    fn __repr__(&self) -> String {
        format!("Array({} values: {})", self.array.len(), self.r#type())
    }

    /// Copy the values to a NumPy array.
    ///
    /// Parameters
    /// ----------
    /// dtype : optional
    ///     Type to convert to.
    /// copy : bool, optional
    ///     The values are copied in any case, so that False is refused.
    ///
    /// Returns
    /// -------
    /// numpy.ndarray
    ///     Numbers, truth values and moments as such where none is null, anything else as Python objects.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     For ``copy=False``, as NumPy's protocol asks.
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if copy == Some(false) {
            return Err(PyValueError::new_err(
                "the values of an Array cannot be given to NumPy without a copy",
            ));
        }
        let array = to_numpy(py, &self.array)?;
        match dtype {
            Some(dtype) => array.call_method1("astype", (dtype,)),
            None => Ok(array),
        }
    }

    /// Export as an Arrow array, without a copy.
    ///
    /// Parameters
    /// ----------
    /// requested_schema : capsule, optional
    ///     Not followed, as the protocol allows: the consumer casts.
    ///
    /// Returns
    /// -------
    /// tuple of capsules
    ///     Named ``arrow_schema`` and ``arrow_array``.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        let array = FFI_ArrowArray::new(&self.array.to_data());
        Ok((self.__arrow_c_schema__(py)?, PyCapsule::new_with_value(py, array, c"arrow_array")?))
    }

    /// Export the type.
    ///
    /// Returns
    /// -------
    /// capsule
    ///     Named ``arrow_schema``.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let field = Field::new("", self.array.data_type().clone(), true);
        let schema =
            FFI_ArrowSchema::try_from(field).map_err(|error| PyValueError::new_err(error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// Pickles as Arrow data, by pyarrow.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, (Bound<'py, PyAny>,))> {
        Ok((slf.get_type(), (Self::to_pyarrow(slf)?,)))
    }
}
