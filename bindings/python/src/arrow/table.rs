//! `comptoir.Table`: what every core gives back to Python.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use comptoir_host::table::type_name;
use comptoir_host::{Table, TableError, ipc};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PyType};

use super::export::{array_capsule, schema_capsule, stream_capsule};
use super::import::import_stream;
use super::values::{self, Values};
use crate::enter::{enter, enter_with};
use crate::errors;

/// Table of Arrow columns that any Arrow library reads without a copy.
///
/// It has the Arrow PyCapsule interface, so it can be passed as it is to
/// ``pyarrow.table``, ``polars.DataFrame``, ``pandas.DataFrame.from_arrow``,
/// to a DuckDB query and to every function of comptoir. It is immutable.
/// Decimals of 32 and 64 bits are widened to 128 bits, which every library reads.
///
/// Parameters
/// ----------
/// data : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
///     A table of pyarrow, polars, pandas 3 or DuckDB; its buffers are shared.
///
/// Raises
/// ------
/// NotArrowError
///     If `data` does not have the Arrow PyCapsule interface.
/// DataError
///     If the producer fails while it is read; carries its message.
///
/// Examples
/// --------
/// >>> import comptoir, pyarrow
/// >>> table = comptoir.Table(pyarrow.table({"item": ["tea", "jam"], "quantity": [3, 4]}))
/// >>> table
/// Table(2 rows: item string, quantity int64)
/// >>> table.to_pylist()
/// [{'item': 'tea', 'quantity': 3}, {'item': 'jam', 'quantity': 4}]
#[pyclass(name = "Table", module = "comptoir", frozen)]
pub struct ArrowTable(Table);

impl ArrowTable {
    /// A table of `batches`, each of which has `schema`; narrow decimals are widened ([`Table::new`]).
    /// May copy, so call it inside [`enter`].
    ///
    /// # Errors
    ///
    /// [`TableError::Inconsistent`] when a batch has other columns than `schema`.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self, TableError> {
        Table::new(schema, batches).map(Self)
    }

    /// Its schema and batches, sharing all buffers.
    pub fn parts(&self) -> (SchemaRef, Vec<RecordBatch>) {
        (self.0.schema.clone(), self.0.batches.clone())
    }

    fn rows(&self) -> usize {
        self.0.rows()
    }

    /// Each column as name and Python values of all rows.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&str, Values<'py>)>> {
        let fields = self.0.schema.fields().iter().enumerate();
        fields
            .map(|(index, field)| {
                let mut column = Vec::with_capacity(self.rows());
                for batch in &self.0.batches {
                    column.extend(values::to_python(py, field.name(), batch.column(index))?);
                }
                Ok((field.name().as_str(), column))
            })
            .collect()
    }
}

#[pymethods]
impl ArrowTable {
    #[new]
    fn from_python(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (schema, batches) = import_stream(data)?;
        enter(data.py(), || Self::new(schema, batches))
    }

    /// Number of rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.rows()
    }

    /// Number of columns.
    #[getter]
    fn num_columns(&self) -> usize {
        self.0.schema.fields().len()
    }

    /// Names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.0.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// The columns as text: one line each, with name and Arrow type.
    #[getter]
    fn schema(&self) -> String {
        self.described_columns().join("\n")
    }

    fn __len__(&self) -> usize {
        self.rows()
    }

    fn __repr__(&self) -> String {
        format!("Table({} rows: {})", self.rows(), self.described_columns().join(", "))
    }

    /// Export as an Arrow stream of the chunks as they are, without a copy.
    ///
    /// Parameters
    /// ----------
    /// requested_schema : capsule, optional
    ///     Not followed, as the protocol allows: the consumer casts.
    ///
    /// Returns
    /// -------
    /// capsule
    ///     Named ``arrow_array_stream``.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        stream_capsule(py, &self.0.schema, &self.0.batches)
    }

    /// Export as one Arrow struct array; several chunks are copied into one.
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
        let batch = enter(py, || self.0.one_batch())?;
        Ok((schema_capsule(py, &self.0.schema)?, array_capsule(py, batch)?))
    }

    /// Export the schema as an Arrow struct type.
    ///
    /// Returns
    /// -------
    /// capsule
    ///     Named ``arrow_schema``.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0.schema)
    }

    /// Write the table as bytes in Arrow's IPC stream format, the same bytes in every host.
    ///
    /// Returns
    /// -------
    /// bytes
    ///
    /// Examples
    /// --------
    /// >>> import comptoir, pyarrow
    /// >>> table = comptoir.Table(pyarrow.table({"item": ["tea", "jam"]}))
    /// >>> pyarrow.ipc.open_stream(table.to_ipc()).read_all()["item"].to_pylist()
    /// ['tea', 'jam']
    fn to_ipc<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = enter_with(py, || ipc::write_bytes(&self.0), |py, fault| errors::from_host(py, &fault))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Give the table to pyarrow, without a copy.
    ///
    /// Returns
    /// -------
    /// pyarrow.Table
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If pyarrow is not installed.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        library(slf.py(), "pyarrow")?.call_method1("table", (slf,))
    }

    /// Give the table to polars, without a copy where polars has the type.
    ///
    /// Returns
    /// -------
    /// polars.DataFrame
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If polars is not installed.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        library(slf.py(), "polars")?.call_method1("DataFrame", (slf,))
    }

    /// Convert the table to pandas; decimals become `decimal.Decimal` or Arrow-backed values as pandas chooses.
    ///
    /// Returns
    /// -------
    /// pandas.DataFrame
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If pandas, or pyarrow which it needs for this, is not installed.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let frame_type = library(slf.py(), "pandas")?.getattr("DataFrame")?;
        match frame_type.getattr_opt("from_arrow")? {
            Some(from_arrow) => from_arrow.call1((slf,)),
            None => Self::to_pyarrow(slf)?.call_method0("to_pandas"),
        }
    }

    /// Columns as plain Python lists, without any third-party library.
    ///
    /// Returns
    /// -------
    /// dict
    ///     Name to values; decimals are `decimal.Decimal`, dates `datetime.date`,
    ///     timestamps `datetime.datetime`, nulls None.
    ///
    /// Raises
    /// ------
    /// SchemaError
    ///     If a column is nested or binary, which has no plain form.
    fn to_pydict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, column) in self.columns(py)? {
            dict.set_item(name, column)?;
        }
        Ok(dict)
    }

    /// Rows as plain Python dicts, without any third-party library.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     One dict a row, with values as in `to_pydict`.
    ///
    /// Raises
    /// ------
    /// SchemaError
    ///     If a column is nested or binary, which has no plain form.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows: Vec<_> = (0..self.rows()).map(|_| PyDict::new(py)).collect();
        for (name, column) in self.columns(py)? {
            for (row, value) in rows.iter().zip(column) {
                row.set_item(name, value)?;
            }
        }
        PyList::new(py, rows)
    }

    /// Pickles as Arrow data, by pyarrow.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, (Bound<'py, PyAny>,))> {
        Ok((slf.get_type(), (Self::to_pyarrow(slf)?,)))
    }
}

impl ArrowTable {
    fn described_columns(&self) -> Vec<String> {
        let fields = self.0.schema.fields().iter();
        fields.map(|field| format!("{} {}", field.name(), type_name(field.data_type()))).collect()
    }
}

/// Imports a library that only this conversion needs.
pub fn library<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(name).map_err(|cause| {
        let error = PyImportError::new_err(format!("to_{name}() needs {name}: run `pip install {name}`"));
        error.set_cause(py, Some(cause));
        error
    })
}
