//! Rows of forming batches: each request writes its tensors straight into its row, and a batch is a range of rows.
//!
//! This module is the only place of the runtime with `unsafe` code: rows of one buffer are written by several threads
//! while others are read, and no type of the language says that rows are apart. Who may touch a row is said by values
//! that cannot be copied: a [`RowMut`] is the right to write one row, [`Rows`] the right to read a range that nobody
//! writes to any more. Only [`Forming`] makes them.
#![allow(unsafe_code)]

mod buffer;
mod forming;

use std::sync::Arc;

use zerocopy::FromBytes;

pub use buffer::{ALIGNMENT, BufferPool, HostBlock, HostMemory, RowLayout};
pub use forming::{Forming, Taken};

use crate::error::Error;
use crate::tensor::{Element, TensorSpec};
use buffer::Buffer;

/// The right to write one row of a forming batch.
#[derive(Debug)]
pub struct RowMut {
    buffer: Arc<Buffer>,
    /// Which of the buffers of its `Forming`.
    serial: u64,
    row: usize,
}

impl RowMut {
    /// The inputs of the row.
    #[must_use]
    pub fn inputs(&self) -> &[TensorSpec] {
        self.buffer.layout().inputs()
    }

    /// The place of the input that a tensor is for: the input of its name, or without a name the one at `at`, the
    /// tensor's own place.
    #[must_use]
    pub fn place(&self, name: &str, at: usize) -> usize {
        self.inputs().iter().position(|input| input.name == name).unwrap_or(at)
    }

    /// The bytes of input `input`, aligned for its element type; empty where there is no such input. They hold
    /// whatever was there before.
    pub fn bytes_mut(&mut self, input: usize) -> &mut [u8] {
        // SAFETY: `self` is the only right to this row, and it is borrowed mutably.
        unsafe { self.buffer.write(input, self.row) }
    }

    /// The elements of input `input`.
    ///
    /// # Errors
    /// Where the input has elements of another type, or there is no such input.
    pub fn tensor_mut<T: Element>(&mut self, input: usize) -> Result<&mut [T], Error> {
        check_type::<T>(self.inputs(), input)?;
        <[T]>::mut_from_bytes(self.bytes_mut(input)).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Rows of a batch, to be read. Whoever keeps a clone keeps the memory.
#[derive(Debug, Clone)]
pub struct Rows {
    buffer: Arc<Buffer>,
    start: usize,
    len: usize,
}

impl Rows {
    /// A batch of zeros, at most as large as a buffer: what a model is warmed with.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn zeros(pool: &Arc<BufferPool>, len: usize) -> Result<Self, Error> {
        Ok(Self { buffer: Arc::new(pool.zeros()?), start: 0, len: len.min(pool.layout().capacity()) })
    }

    /// Rows in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The inputs of each row.
    #[must_use]
    pub fn inputs(&self) -> &[TensorSpec] {
        self.buffer.layout().inputs()
    }

    /// The bytes of input `input` of all rows, one after the other; empty where there is no such input.
    #[must_use]
    pub fn bytes(&self, input: usize) -> &[u8] {
        // SAFETY: `Forming` gives a range of rows out once, when nobody writes to them any more.
        unsafe { self.buffer.read(input, self.start, self.len) }
    }

    /// The elements of input `input` of all rows.
    ///
    /// # Errors
    /// Where the input has elements of another type, or there is no such input.
    pub fn tensor<T: Element>(&self, input: usize) -> Result<&[T], Error> {
        check_type::<T>(self.inputs(), input)?;
        <[T]>::ref_from_bytes(self.bytes(input)).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Some of the rows: `len` from row `start` on, as far as there are so many.
    #[must_use]
    pub fn slice(&self, start: usize, len: usize) -> Self {
        let start = start.min(self.len);
        let len = len.min(self.len - start);
        Self { buffer: Arc::clone(&self.buffer), start: self.start + start, len }
    }
}

fn check_type<T: Element>(inputs: &[TensorSpec], input: usize) -> Result<(), Error> {
    match inputs.get(input) {
        Some(spec) if spec.dtype == T::DTYPE => Ok(()),
        Some(spec) => Err(Error::DType {
            input: spec.name.clone(),
            expected: spec.dtype.name().to_owned(),
            found: T::DTYPE.name().to_owned(),
        }),
        None => Err(Error::Config {
            field: "inputs".to_owned(),
            message: format!("there is no input {input}: the batch has {}", inputs.len()),
        }),
    }
}
