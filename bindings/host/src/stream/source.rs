//! The arrays of a stream, one after the other.

use std::ffi::CStr;

use arrow_array::ArrayRef;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_schema::Field;

use super::{array_of, field_of};
use crate::TableError;

/// A stream that is being read. It is released when this goes.
#[derive(Debug)]
pub struct Source {
    stream: FFI_ArrowArrayStream,
    field: Field,
    /// Arrays so far.
    read: usize,
}

impl Source {
    /// Asks a stream for its type.
    ///
    /// # Errors
    /// [`TableError::Protocol`] for a stream that was released or lacks a callback; [`TableError::Stream`] with the
    /// producer's own words.
    pub fn open(stream: FFI_ArrowArrayStream) -> Result<Self, TableError> {
        let unusable = |problem: &str| TableError::Protocol { what: "stream", problem: problem.to_owned() };
        if stream.release().is_none() {
            return Err(unusable("it was already released"));
        }
        let (Some(get_schema), Some(_)) = (stream.get_schema(), stream.get_next()) else {
            return Err(unusable("it lacks a callback"));
        };
        let mut source = Self { stream, field: Field::new("", arrow_schema::DataType::Null, true), read: 0 };
        let mut schema = FFI_ArrowSchema::empty();
        // SAFETY: the stream was not released, and its producer vouches for its callbacks.
        let code = unsafe { get_schema(&raw mut source.stream, &raw mut schema) };
        if code != 0 {
            return Err(source.failed("schema", code));
        }
        // SAFETY: the producer vouches for what it gave.
        source.field = unsafe { field_of(&schema) }?;
        Ok(source)
    }

    /// The type of the arrays.
    #[must_use]
    pub const fn field(&self) -> &Field {
        &self.field
    }

    /// The failure of a callback in the producer's own words, where it gave any.
    fn failed(&mut self, what: &str, code: i32) -> TableError {
        let own = self.stream.get_last_error().and_then(|last_error| {
            // SAFETY: the stream was not released, and a callback has just failed.
            let text = unsafe { last_error(&raw mut self.stream) };
            // SAFETY: the producer vouches that it ends with NUL and stays until the next call.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().trim_end().to_owned())
        });
        let message = own.unwrap_or_else(|| format!("the producer gave no {what}, but error {code}"));
        TableError::Stream { batch: self.read, message }
    }
}

impl Iterator for Source {
    type Item = Result<ArrayRef, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let get_next = self.stream.get_next()?;
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: the stream was not released, and its producer vouches for its callbacks.
        let code = unsafe { get_next(&raw mut self.stream, &raw mut array) };
        if code != 0 {
            return Some(Err(self.failed("array", code)));
        }
        if array.is_released() {
            return None;
        }
        // SAFETY: the producer vouches that its arrays have the type of the stream.
        let made = unsafe { array_of(array, &self.field) };
        let place = self.read;
        self.read += 1;
        Some(made.map_err(|error| match error {
            TableError::Stream { message, .. } => TableError::Stream { batch: place, message },
            other => other,
        }))
    }
}
