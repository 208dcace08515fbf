//! Memory with the rows of batches, and the pool it goes back to.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::tensor::TensorSpec;

/// Alignment of every tensor of a batch: a cache line, which is also what vector instructions want.
pub const ALIGNMENT: usize = 64;

/// Inputs of a model for one shape, and where they lie in a buffer of `capacity` rows.
#[derive(Debug, PartialEq, Eq)]
pub struct RowLayout {
    inputs: Vec<TensorSpec>,
    /// Per input: offset of its first row, bytes of a row.
    places: Vec<(usize, usize)>,
    capacity: usize,
    bytes: usize,
}

impl RowLayout {
    /// The layout of `capacity` rows of `inputs`: each input contiguous over the rows, as models take it.
    ///
    /// # Errors
    /// Where the bytes do not fit into memory.
    pub fn new(inputs: &[TensorSpec], capacity: usize) -> Result<Self, Error> {
        let mut bytes = 0_usize;
        let mut places = Vec::with_capacity(inputs.len());
        for input in inputs {
            let too_large = || too_large(input, capacity);
            let row = input.row_bytes().ok_or_else(too_large)?;
            places.push((bytes, row));
            bytes = row
                .checked_mul(capacity)
                .and_then(|all| all.checked_next_multiple_of(ALIGNMENT))
                .and_then(|all| bytes.checked_add(all))
                .filter(|&all| isize::try_from(all).is_ok())
                .ok_or_else(too_large)?;
        }
        Ok(Self { inputs: inputs.to_vec(), places, capacity, bytes })
    }

    /// The inputs, in the order of the model.
    #[must_use]
    pub fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    /// Rows of a buffer.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes of a buffer.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is said where there is no memory for a buffer: which input takes the most of it.
    fn too_large(&self) -> Error {
        match self.inputs.iter().max_by_key(|input| input.row_bytes()) {
            Some(input) => too_large(input, self.capacity),
            None => Error::config("inputs", "no memory for a batch"),
        }
    }
}

fn too_large(input: &TensorSpec, rows: usize) -> Error {
    let message = format!("{rows} rows of shape {:?} do not fit into memory", input.shape);
    Error::config(format!("inputs.{}", input.name), message)
}

/// Buffers of one layout that wait to be used again. Buffers in use are bounded by whoever takes them.
#[derive(Debug)]
pub struct BufferPool {
    layout: Arc<RowLayout>,
    free: Mutex<Vec<Memory>>,
    keep: usize,
    host: Option<Arc<dyn HostMemory>>,
}

impl BufferPool {
    /// A pool that keeps up to `keep` free buffers.
    #[must_use]
    pub fn new(layout: RowLayout, keep: usize) -> Arc<Self> {
        Self::on(layout, keep, None)
    }

    /// A pool whose `keep` buffers lie in memory from `host`, as far as it gives any. They are asked for now, since a
    /// buffer is taken where the model's code must not run; what is needed beyond comes from the system.
    #[must_use]
    pub fn on(layout: RowLayout, keep: usize, host: Option<Arc<dyn HostMemory>>) -> Arc<Self> {
        let pool = Self { layout: Arc::new(layout), free: Mutex::new(Vec::new()), keep, host };
        let given = (0..keep).map_while(|_| pool.given()).collect();
        Arc::new(Self { free: Mutex::new(given), ..pool })
    }

    fn given(&self) -> Option<Memory> {
        let block = self.host.as_ref()?.allocate(self.layout.bytes)?;
        let fits = block.len >= self.layout.bytes;
        fits.then(|| Memory { start: block.start, source: Source::Host { _owner: block.owner } })
    }

    /// The layout of every buffer.
    #[must_use]
    pub fn layout(&self) -> &RowLayout {
        &self.layout
    }

    /// A buffer; its rows hold whatever was there before.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn take(self: &Arc<Self>) -> Result<Buffer, Error> {
        let memory = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        self.buffer(memory)
    }

    /// A fresh buffer whose rows are all zero.
    pub(super) fn zeros(self: &Arc<Self>) -> Result<Buffer, Error> {
        self.buffer(self.given())
    }

    fn buffer(self: &Arc<Self>, memory: Option<Memory>) -> Result<Buffer, Error> {
        let memory = memory.or_else(|| Memory::zeroed(self.layout.bytes));
        let memory = Some(memory.ok_or_else(|| self.layout.too_large())?);
        Ok(Buffer { memory, pool: Arc::clone(self) })
    }
}

/// The rows of a batch, or of several batches one after the other. Goes back to its pool when dropped.
#[derive(Debug)]
pub struct Buffer {
    /// None only while it is being dropped.
    memory: Option<Memory>,
    pool: Arc<BufferPool>,
}

impl Buffer {
    /// Where its inputs lie.
    #[must_use]
    pub fn layout(&self) -> &RowLayout {
        &self.pool.layout
    }

    /// Pointer to row `row` of input `input`, and the bytes of a row. None where there is no such row.
    fn place(&self, input: usize, row: usize) -> Option<(NonNull<u8>, usize)> {
        let &(offset, bytes) = self.pool.layout.places.get(input)?;
        if row > self.pool.layout.capacity {
            return None;
        }
        let memory = self.memory.as_ref()?;
        // SAFETY: offset + row * bytes is at most the length of the memory, by `RowLayout::new`.
        Some((unsafe { memory.start.add(offset + row * bytes) }, bytes))
    }

    /// The bytes of `rows` rows of an input from row `start`; empty where there are no such rows.
    ///
    /// # Safety
    /// No one writes to these rows while the result is alive.
    pub(super) unsafe fn read(&self, input: usize, start: usize, rows: usize) -> &[u8] {
        match self.place(input, start) {
            Some((pointer, bytes)) if start + rows <= self.pool.layout.capacity => {
                // SAFETY: the range lies inside the memory, which is initialised; the caller excludes writers.
                unsafe { std::slice::from_raw_parts(pointer.as_ptr(), rows * bytes) }
            }
            _ => &[],
        }
    }

    /// The bytes of one row of an input, to be written; empty where there is no such row.
    ///
    /// # Safety
    /// No one else reads or writes this row while the result is alive.
    #[expect(clippy::mut_from_ref, reason = "rows are apart, which the caller promises")]
    pub(super) unsafe fn write(&self, input: usize, row: usize) -> &mut [u8] {
        match self.place(input, row) {
            Some((pointer, bytes)) if row < self.pool.layout.capacity => {
                // SAFETY: the row lies inside the memory, which is initialised; the caller excludes others.
                unsafe { std::slice::from_raw_parts_mut(pointer.as_ptr(), bytes) }
            }
            _ => &mut [],
        }
    }

    /// Copies row `from` to row `to` of another buffer of the same layout, or of this one.
    ///
    /// # Safety
    /// No one writes to `from`, no one else uses `to`, and they are not the same row.
    pub(super) unsafe fn copy_row(&self, from: usize, target: &Self, to: usize) {
        for input in 0..self.pool.layout.places.len() {
            // SAFETY: as the caller promises.
            let (source, target) = unsafe { (self.read(input, from, 1), target.write(input, to)) };
            if source.len() == target.len() {
                target.copy_from_slice(source);
            }
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(memory) = self.memory.take() else { return };
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        // What the host gave is never lost to memory that was taken in its place.
        let wanted = self.pool.host.is_none() || matches!(memory.source, Source::Host { .. });
        if wanted && free.len() < self.pool.keep {
            free.push(memory);
        }
    }
}

/// Where the rows of batches lie, for a device that wants to read them by itself.
pub trait HostMemory: fmt::Debug + Send + Sync {
    /// A block of at least `bytes` bytes; none where there is no such memory left, and the system's is used.
    fn allocate(&self, bytes: usize) -> Option<HostBlock>;
}

/// Memory for rows, from elsewhere.
pub struct HostBlock {
    start: NonNull<u8>,
    len: usize,
    owner: Box<dyn Send + Sync>,
}

impl fmt::Debug for HostBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HostBlock").field("start", &self.start).field("len", &self.len).finish()
    }
}

impl HostBlock {
    /// A block of `len` bytes from `start` on; dropping `owner` gives it back.
    ///
    /// # Safety
    /// The bytes are zero, may be read and written by any thread, begin at a multiple of [`ALIGNMENT`], and belong to
    /// nobody else until `owner` is dropped.
    #[must_use]
    pub unsafe fn new(start: NonNull<u8>, len: usize, owner: Box<dyn Send + Sync>) -> Self {
        Self { start, len, owner }
    }
}

/// Bytes aligned to [`ALIGNMENT`], initialised with zeros.
struct Memory {
    start: NonNull<u8>,
    source: Source,
}

/// Who takes memory back.
enum Source {
    System(Layout),
    Host { _owner: Box<dyn Send + Sync> },
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").field("start", &self.start).finish()
    }
}

// SAFETY: plain bytes that are owned; an owner from elsewhere may be dropped by any thread.
unsafe impl Send for Memory {}
// SAFETY: shared access goes through the unsafe functions of `Buffer`, whose callers keep writers apart.
unsafe impl Sync for Memory {}

impl Memory {
    /// None where there is no such memory: how large rows are is up to what is submitted.
    fn zeroed(bytes: usize) -> Option<Self> {
        let layout = Layout::from_size_align(bytes.max(ALIGNMENT), ALIGNMENT).ok()?;
        // SAFETY: the size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        Some(Self { start: NonNull::new(start)?, source: Source::System(layout) })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Source::System(layout) = self.source {
            // SAFETY: allocated in `zeroed` with this layout.
            unsafe { dealloc(self.start.as_ptr(), layout) }
        }
    }
}
