//! Taking a table from any object with the Arrow PyCapsule interface.
//!
//! Ownership: a capsule owns its C structure until the consumer moves the structure out, which nulls the `release`
//! callback left behind. So each structure is released exactly once: by our arrays when they are dropped, or by
//! the capsule when we never got as far as taking it.
#![expect(unsafe_code, reason = "C structures behind capsules are read here, and only here")]

use std::ffi::CStr;
use std::ptr::NonNull;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, SchemaRef};
use comptoir_host::stream::{Source, array_of, field_of};
use comptoir_host::table::{read_chunks, read_parts, read_stream, table_schema, to_batch};
use comptoir_host::{Table, TableError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyType};

use super::array::ArrowArray;
use super::error::BoundaryError;
use super::table::ArrowTable;
use crate::enter::{enter, enter_with};
use crate::errors;

/// A table in chunks: its schema, and batches that all have it.
pub type Batches = (SchemaRef, Vec<RecordBatch>);

/// The schema and batches of `object`, which has `__arrow_c_stream__` or else `__arrow_c_array__`. No buffer is copied.
///
/// The stream is read detached from the interpreter. A producer written in Python takes the interpreter lock in its
/// callback, as it must for every consumer in C; holding the lock here instead would deadlock with producers that
/// wait for worker threads which need it (pyarrow's dataset scanner over a Python generator).
///
/// # Errors
///
/// `NotArrowError` for an object without the interface; the producer's own exception when the export itself raises;
/// otherwise the exception for a [`BoundaryError`], of which `ARROW_STREAM` carries the producer's message.
pub fn import_stream(object: &Bound<'_, PyAny>) -> PyResult<Batches> {
    if let Ok(table) = object.cast::<ArrowTable>() {
        return Ok(table.get().parts());
    }
    // A class has the method too, but only its instances have data.
    if object.is_instance_of::<PyType>() {
        return Err(not_arrow(object));
    }
    if let Some(export) = object.getattr_opt("__arrow_c_stream__")? {
        let stream = take_stream(object, &export.call0()?)?;
        return enter(object.py(), || read_stream(stream)).map(|Table { schema, batches }| (schema, batches));
    }
    if let Some(export) = object.getattr_opt("__arrow_c_array__")? {
        let (array, field) = take_array(object, &export.call0()?)?;
        return enter(object.py(), || read_array(array, &field));
    }
    Err(not_arrow(object))
}

/// The type and the chunks of `object`, whatever they are: arrays, or tables as arrays of structs; none where it has no
/// Arrow interface. No buffer is copied.
///
/// # Errors
///
/// As [`import_stream`].
pub fn import_chunks(object: &Bound<'_, PyAny>) -> PyResult<Option<(Field, Vec<ArrayRef>)>> {
    if let Ok(array) = object.cast::<ArrowArray>() {
        let array = array.get().get();
        return Ok(Some((Field::new("", array.data_type().clone(), true), vec![array])));
    }
    if let Some(export) = object.getattr_opt("__arrow_c_stream__")? {
        let stream = take_stream(object, &export.call0()?)?;
        return enter(object.py(), || read_chunks(stream)).map(Some);
    }
    if let Some(export) = object.getattr_opt("__arrow_c_array__")? {
        let (array, field) = take_array(object, &export.call0()?)?;
        let array = enter(object.py(), || column_of(array, &field))?;
        return Ok(Some((field, vec![array])));
    }
    Ok(None)
}

/// The schema of `object`, which is a schema (`__arrow_c_schema__`) or a table; no row of a table is read from a stream.
///
/// # Errors
///
/// As [`import_stream`].
pub fn import_schema(object: &Bound<'_, PyAny>) -> PyResult<SchemaRef> {
    let is_class = object.is_instance_of::<PyType>();
    if !is_class && let Some(export) = object.getattr_opt("__arrow_c_schema__")? {
        let field = read_field(object, &export.call0()?)?;
        return enter(object.py(), || table_schema(&field));
    }
    if !is_class && let Some(export) = object.getattr_opt("__arrow_c_stream__")? {
        let stream = take_stream(object, &export.call0()?)?;
        return enter(object.py(), || {
            let source = Source::open(stream)?;
            table_schema(source.field())
        });
    }
    Ok(import_stream(object)?.0)
}

/// What may end the reading of a stream.
enum Ended<E> {
    Producer(TableError),
    Consumer(E),
}

impl<E> From<TableError> for Ended<E> {
    fn from(error: TableError) -> Self {
        Self::Producer(error)
    }
}

/// Gives the batches of `object` to `take`, a part of the stream at a time, so that memory does not grow with it. The
/// first part has at least one batch, which is empty where there are no rows. All runs detached from the interpreter.
///
/// # Errors
///
/// As [`import_stream`], and what `take` gives, as `exception` makes it.
pub fn import_in_parts<E: Send>(
    object: &Bound<'_, PyAny>,
    mut take: impl FnMut(&[RecordBatch]) -> Result<(), E> + Send,
    exception: impl FnOnce(Python<'_>, E) -> PyErr,
) -> PyResult<()> {
    let is_class = object.is_instance_of::<PyType>();
    if !is_class
        && !object.is_instance_of::<ArrowTable>()
        && let Some(export) = object.getattr_opt("__arrow_c_stream__")?
    {
        let stream = take_stream(object, &export.call0()?)?;
        return enter_with(
            object.py(),
            || read_parts(stream, &mut |part: &[RecordBatch]| take(part).map_err(Ended::Consumer)),
            |py, ended| match ended {
                Ended::Producer(error) => errors::from_core(py, &error),
                Ended::Consumer(error) => exception(py, error),
            },
        );
    }
    let (schema, mut batches) = import_stream(object)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    enter_with(object.py(), || take(&batches), exception)
}

fn column_of(array: FFI_ArrowArray, field: &Field) -> Result<ArrayRef, TableError> {
    // SAFETY: `array` was moved out of a capsule whose schema is `field`; the producer vouches that they match.
    unsafe { array_of(array, field) }
}

/// Reads a single struct array as a table of one batch.
fn read_array(array: FFI_ArrowArray, field: &Field) -> Result<Batches, TableError> {
    let schema = table_schema(field)?;
    let batch = to_batch(0, &schema, column_of(array, field)?)?;
    Ok((schema, vec![batch]))
}

/// Moves the stream out of the capsule `exported` by `producer`.
fn take_stream(producer: &Bound<'_, PyAny>, exported: &Bound<'_, PyAny>) -> PyResult<FFI_ArrowArrayStream> {
    let pointer = capsule_pointer(producer, exported, c"arrow_array_stream")?;
    // SAFETY: a capsule of this name holds an aligned, initialised ArrowArrayStream (the protocol); it lives as long
    // as `exported`, and nobody else touches it while we are attached to the interpreter.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.cast().as_ptr()) };
    if stream.release().is_none() {
        return Err(protocol_error(producer, "the stream was already consumed"));
    }
    if stream.get_next().is_none() {
        return Err(protocol_error(producer, "the stream has no `get_next`"));
    }
    Ok(stream)
}

/// Moves the array out of the pair of capsules `exported` by `producer`, and reads its type.
fn take_array(producer: &Bound<'_, PyAny>, exported: &Bound<'_, PyAny>) -> PyResult<(FFI_ArrowArray, Field)> {
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = exported
        .extract()
        .map_err(|_| protocol_error(producer, "`__arrow_c_array__` must give a pair of capsules"))?;
    let field = read_field(producer, &schema)?;
    let pointer = capsule_pointer(producer, &array, c"arrow_array")?;
    // SAFETY: a capsule of this name holds an aligned, initialised ArrowArray, which moves to us.
    let array = unsafe { FFI_ArrowArray::from_raw(pointer.cast().as_ptr()) };
    if array.is_released() {
        return Err(protocol_error(producer, "the array was already consumed"));
    }
    Ok((array, field))
}

/// Reads the type behind the capsule `schema`.
fn read_field(producer: &Bound<'_, PyAny>, schema: &Bound<'_, PyAny>) -> PyResult<Field> {
    let pointer = capsule_pointer(producer, schema, c"arrow_schema")?;
    // SAFETY: a capsule of this name holds an aligned, initialised ArrowSchema; we only read it, its capsule frees it.
    let c_schema: &FFI_ArrowSchema = unsafe { pointer.cast().as_ref() };
    // SAFETY: the producer vouches for what its capsule holds.
    unsafe { field_of(c_schema) }.map_err(|error| protocol_error(producer, &error.to_string()))
}

/// The pointer of the capsule `exported`, which must carry `name`.
fn capsule_pointer(
    producer: &Bound<'_, PyAny>,
    exported: &Bound<'_, PyAny>,
    name: &'static CStr,
) -> PyResult<NonNull<std::ffi::c_void>> {
    let expected = name.to_string_lossy();
    let capsule = exported
        .cast::<PyCapsule>()
        .map_err(|_| protocol_error(producer, &format!("expected a capsule `{expected}`")))?;
    capsule
        .pointer_checked(Some(name))
        .map_err(|_| protocol_error(producer, &format!("expected a capsule named `{expected}`")))
}

fn protocol_error(producer: &Bound<'_, PyAny>, problem: &str) -> PyErr {
    let error = BoundaryError::Protocol { producer: python_type(producer), problem: problem.to_owned() };
    errors::from_core(producer.py(), &error)
}

fn not_arrow(object: &Bound<'_, PyAny>) -> PyErr {
    let found = python_type(object);
    let message = format!(
        "expected a table with the Arrow interface (pyarrow, polars, pandas 3 or DuckDB), found `{found}`; \
         make one with `pyarrow.table(...)`"
    );
    errors::exception_of(object.py(), "NotArrowError", "ARROW_NOT_ARROW", &message)
}

/// The name of an object's type, as Python users write it.
fn python_type(object: &Bound<'_, PyAny>) -> String {
    object.get_type().fully_qualified_name().map_or_else(|_| "unknown".to_owned(), |name| name.to_string())
}
