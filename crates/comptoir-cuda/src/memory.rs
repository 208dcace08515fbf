//! Memory of the device, and memory of the host that the device reads and writes by itself.

use std::ptr::NonNull;
use std::sync::Arc;

use comptoir_executor::runtime::{HostBlock, HostMemory};
use cudarc::driver::sys::{CU_MEMHOSTALLOC_PORTABLE, CUdeviceptr};
use cudarc::driver::{CudaContext, CudaStream, result};

use crate::error::{Error, allocation, call};

/// Bytes on the device.
#[derive(Debug)]
pub(crate) struct DeviceMemory {
    address: CUdeviceptr,
    bytes: usize,
    context: Arc<CudaContext>,
}

impl DeviceMemory {
    pub(crate) fn new(context: &Arc<CudaContext>, bytes: usize) -> Result<Self, Error> {
        const WHAT: &str = "device memory for a batch";
        context.bind_to_thread().map_err(call(WHAT))?;
        // SAFETY: not zero bytes. What they hold is undefined, and nobody on the host reads them.
        let address = unsafe { result::malloc_sync(bytes.max(1)) }.map_err(allocation(WHAT, bytes))?;
        Ok(Self { address, bytes, context: Arc::clone(context) })
    }

    pub(crate) fn address(&self) -> CUdeviceptr {
        self.address
    }

    /// Whether the host can read it by its address, as the driver says.
    #[cfg(feature = "onnx")]
    pub(crate) fn is_hosts(&self) -> Result<bool, Error> {
        use cudarc::driver::sys::{self, CUmemorytype, CUpointer_attribute};
        const WHAT: &str = "asking what memory the device has";
        self.context.bind_to_thread().map_err(call(WHAT))?;
        let mut kind = 0_u32;
        let asked = CUpointer_attribute::CU_POINTER_ATTRIBUTE_MEMORY_TYPE;
        // SAFETY: this attribute is written as a number of 32 bits, and the address is of the driver's.
        unsafe { sys::cuPointerGetAttribute((&raw mut kind).cast(), asked, self.address) }
            .result()
            .map_err(call(WHAT))?;
        Ok(kind == CUmemorytype::CU_MEMORYTYPE_HOST as u32)
    }

    /// Schedules a copy of `source` to the beginning of this memory.
    ///
    /// # Safety
    /// Until the stream has done it, `source` is neither written nor freed, and this memory is used by nobody but later
    /// work of the stream, or work that waits for it.
    pub(crate) unsafe fn fill(&self, source: &[u8], stream: &CudaStream) -> Result<(), Error> {
        const WHAT: &str = "copying a batch to the device";
        if source.len() > self.bytes {
            return Err(Error::Config {
                field: "inputs",
                message: "a batch larger than its memory".to_owned(),
            });
        }
        if source.is_empty() {
            return Ok(());
        }
        self.context.bind_to_thread().map_err(call(WHAT))?;
        // SAFETY: there is room for the source, by the check above; the rest is the caller's promise.
        unsafe { result::memcpy_htod_async(self.address, source, stream.cu_stream()) }.map_err(call(WHAT))
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        self.context.record_err(self.context.bind_to_thread());
        // SAFETY: from `malloc_sync`, and freed once. The driver waits for work that uses it.
        self.context.record_err(unsafe { result::free_sync(self.address) });
    }
}

/// Page-locked bytes of the host, zero at first.
#[derive(Debug)]
pub(crate) struct Pinned {
    start: NonNull<u8>,
    bytes: usize,
    context: Arc<CudaContext>,
}

// SAFETY: plain bytes that are owned; the driver's functions may be called by any thread.
unsafe impl Send for Pinned {}
// SAFETY: a shared reference reads only.
unsafe impl Sync for Pinned {}

impl Pinned {
    pub(crate) fn new(context: &Arc<CudaContext>, bytes: usize) -> Result<Self, Error> {
        const WHAT: &str = "page-locked memory for a batch";
        context.bind_to_thread().map_err(call(WHAT))?;
        let bytes = bytes.max(1);
        // SAFETY: what it holds is overwritten below before anybody reads it.
        let start = unsafe { result::malloc_host(bytes, CU_MEMHOSTALLOC_PORTABLE) };
        let start = NonNull::new(start.map_err(allocation(WHAT, bytes))?.cast::<u8>())
            .ok_or(Error::OutOfMemory { call: WHAT, bytes })?;
        // SAFETY: the driver gave as many bytes, and nobody else has them yet.
        unsafe { start.write_bytes(0, bytes) };
        Ok(Self { start, bytes, context: Arc::clone(context) })
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// The bytes. No copy from the device into them may be under way.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: initialised, owned, and alive as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    /// Schedules a copy of `len` bytes from the device to the place `at`.
    ///
    /// # Safety
    /// `source` is memory of the device with as many bytes, which stay as they are, and nobody touches this memory,
    /// until the stream has done it.
    pub(crate) unsafe fn fill(
        &mut self,
        at: usize,
        len: usize,
        source: CUdeviceptr,
        stream: &CudaStream,
    ) -> Result<(), Error> {
        const WHAT: &str = "copying predictions from the device";
        self.context.bind_to_thread().map_err(call(WHAT))?;
        // SAFETY: initialised, owned and borrowed mutably.
        let all = unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) };
        let room = at.checked_add(len).and_then(|end| all.get_mut(at..end));
        let room = room.ok_or(Error::OutOfMemory { call: WHAT, bytes: len })?;
        // SAFETY: there is room; the rest is the caller's promise.
        unsafe { result::memcpy_dtoh_async(room, source, stream.cu_stream()) }.map_err(call(WHAT))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.context.record_err(self.context.bind_to_thread());
        // SAFETY: from `malloc_host`, and freed once, when no copy is under way any more.
        self.context.record_err(unsafe { result::free_host(self.start.as_ptr().cast()) });
    }
}

/// Page-locked memory for the rows of a pipeline.
#[derive(Debug)]
pub(crate) struct PinnedRows(pub(crate) Arc<CudaContext>);

impl HostMemory for PinnedRows {
    fn allocate(&self, bytes: usize) -> Option<HostBlock> {
        // What cannot be page-locked comes from the system: copies are slower then, and still right.
        let block = Pinned::new(&self.0, bytes).ok()?;
        let (start, len) = (block.start, block.len());
        // SAFETY: zero, page-aligned, and given to nobody else until the block is dropped.
        Some(unsafe { HostBlock::new(start, len, Box::new(block)) })
    }
}
