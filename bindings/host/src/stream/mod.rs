//! Tables across the border by Arrow's C structures, without a copy in either direction.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface.html>, <https://arrow.apache.org/docs/format/CStreamInterface.html>
//!
//! Ownership: a structure that is taken is moved out of the caller's memory, whose `release` is null afterwards, whatever
//! else goes wrong; a structure that is given belongs to the caller, who releases it.
#![expect(unsafe_code, reason = "C structures are read and written here, and only here")]

mod shape;
mod sound;
mod source;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator, make_array};
use arrow_schema::{ArrowError, Field};

pub use shape::field as field_of;
pub use source::Source;

use crate::table::{read_parts, read_stream, stream_error, table_schema, to_batch};
use crate::{Fault, Table, TableError};

/// Moves a stream out of the caller's memory and reads it to its end.
///
/// # Errors
/// `ARROW_PROTOCOL` for a pointer that is null or misaligned, and a stream that was released; those of
/// [`crate::table::read_stream`].
///
/// # Safety
/// A pointer that is neither null nor misaligned points to an initialised structure, whose callbacks may be called on
/// this thread.
pub unsafe fn take(stream: *mut FFI_ArrowArrayStream) -> Result<Table, Fault> {
    // SAFETY: the caller's promise.
    Ok(read_stream(unsafe { moved(stream) }?)?)
}

/// Moves a stream out of the caller's memory and gives its batches to `push`, a part at a time.
///
/// # Errors
/// As [`take`], and what `push` gives.
///
/// # Safety
/// As for [`take`].
pub unsafe fn take_parts(
    stream: *mut FFI_ArrowArrayStream,
    push: &mut (dyn FnMut(&[RecordBatch]) -> Result<(), Fault> + Send),
) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    read_parts(unsafe { moved(stream) }?, push)
}

/// Moves one struct array out of the caller's memory, as a table of one batch. The schema is only read.
///
/// # Errors
/// As [`take`].
///
/// # Safety
/// As for [`take`], for both pointers; the array has the type of the schema.
pub unsafe fn take_array(schema: *const FFI_ArrowSchema, array: *mut FFI_ArrowArray) -> Result<Table, Fault> {
    check("array", array)?;
    // SAFETY: it is aligned, and by the caller's promise initialised.
    let array = unsafe { FFI_ArrowArray::from_raw(array) };
    if array.is_released() {
        return Err(protocol("array", "it was already released"));
    }
    check("schema", schema)?;
    // SAFETY: it is aligned, and by the caller's promise initialised.
    let schema = unsafe { &*schema };
    // SAFETY: the caller's promise.
    let field = unsafe { shape::field(schema) }.map_err(|error| match error {
        // Nothing was read from a stream yet.
        TableError::Stream { message, .. } => protocol("schema", &message),
        other => other.into(),
    })?;
    let schema = table_schema(&field)?;
    // SAFETY: by the caller's promise the array has this type.
    let batch = to_batch(0, &schema, unsafe { array_of(array, &field) }?)?;
    Ok(Table { schema, batches: vec![batch] })
}

/// An array of C as one of ours, which shares its buffers. What its structure tells is checked first.
///
/// # Errors
/// [`TableError::Protocol`] for lengths, buffers or children that cannot be; [`TableError::Stream`] for a type or buffer that
/// cannot be taken.
///
/// # Safety
/// The array has the type of the field, and buffers as long as its length says.
pub unsafe fn array_of(array: FFI_ArrowArray, field: &Field) -> Result<ArrayRef, TableError> {
    // SAFETY: the caller's promise.
    unsafe { sound::check(&array, field.data_type()) }?;
    // SAFETY: the caller's promise.
    let data = unsafe { from_ffi_and_data_type(array, field.data_type().clone()) };
    Ok(make_array(data.map_err(|error| stream_error(0, &error))?))
}

/// Writes a stream over a table into the caller's memory. The stream shares the table's buffers.
///
/// # Errors
/// `ARROW_PROTOCOL` for a pointer that is null or misaligned.
///
/// # Safety
/// The pointer may be written if it is neither null nor misaligned. What is there is overwritten and not released.
pub unsafe fn give(table: Table, stream: *mut FFI_ArrowArrayStream) -> Result<(), Fault> {
    check("stream", stream)?;
    let Table { schema, batches } = table;
    let batches: Vec<Result<RecordBatch, ArrowError>> = batches.into_iter().map(Ok).collect();
    let made = FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new(batches, schema)));
    // SAFETY: it is aligned, and by the caller's promise writable.
    unsafe { stream.write(made) };
    Ok(())
}

/// Moves a stream out of the caller's memory and releases it unread.
///
/// # Errors
/// `ARROW_PROTOCOL` for a pointer that is null or misaligned.
///
/// # Safety
/// As for [`take`].
pub unsafe fn release(stream: *mut FFI_ArrowArrayStream) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    unsafe { moved(stream) }.map(drop)
}

/// # Safety
/// As for [`take`].
unsafe fn moved(stream: *mut FFI_ArrowArrayStream) -> Result<FFI_ArrowArrayStream, Fault> {
    check("stream", stream)?;
    // SAFETY: it is aligned, and by the caller's promise initialised.
    Ok(unsafe { FFI_ArrowArrayStream::from_raw(stream) })
}

fn check<T>(what: &'static str, pointer: *const T) -> Result<(), Fault> {
    if pointer.is_null() {
        return Err(protocol(what, "the pointer is null"));
    }
    if !pointer.is_aligned() {
        return Err(protocol(what, "the pointer is not aligned"));
    }
    Ok(())
}

fn protocol(what: &'static str, problem: &str) -> Fault {
    TableError::Protocol { what, problem: problem.to_owned() }.into()
}
