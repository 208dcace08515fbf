//! What is computed on the device, between the two copies.

use std::any::Any;
use std::sync::Arc;

use comptoir_executor::Error;
use comptoir_executor::tensor::{DType, TensorSpec};
use cudarc::driver::CudaStream;

use crate::memory::DeviceMemory;

/// A model on the device: takes a normalised batch there, and leaves its predictions there.
pub trait Compute: Send + Sync + 'static {
    /// Schedules the computation on the stream of the batch, and says where the predictions will lie. It need not
    /// wait for it. Batches of one stream come one after the other, those of different streams at the same time.
    ///
    /// # Errors
    /// Whatever makes the batch fail.
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Error>;

    /// Whether normalisation and computation may be recorded as one CUDA graph and replayed.
    fn recording(&self) -> Recording {
        Recording::Never
    }
}

/// Whether a computation is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// It is scheduled for each batch.
    Never,
    /// For each lane and number of rows, `schedule` is called once as it is and once while the stream records; all
    /// later batches replay the recording. So it must do nothing but schedule work on that stream (no allocation, no waiting, nothing that
    /// differs from batch to batch), and its outputs must stay where they are for as long as it holds them.
    Once,
}

/// The memory of one lane on the device: the bytes of a batch, and its tensor.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) rows: usize,
    pub(crate) pictures: DeviceMemory,
    pub(crate) tensor: DeviceMemory,
}

/// A normalised batch on the device. Its memory lies at the same address for every batch of a lane, unless a larger
/// batch than any before has come.
#[derive(Debug)]
pub struct DeviceBatch<'a> {
    pub(crate) room: &'a Arc<Room>,
    pub(crate) row: &'a TensorSpec,
    pub(crate) rows: usize,
    pub(crate) lane: usize,
    pub(crate) stream: &'a Arc<CudaStream>,
}

impl DeviceBatch<'_> {
    /// Address of its first element on the device.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.room.tensor.address()
    }

    /// Type of the elements.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.row.dtype
    }

    /// Rows, planes, height, width.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        let mut shape = vec![self.rows];
        shape.extend(&self.row.shape);
        shape
    }

    /// The lane that it runs on.
    #[must_use]
    pub fn lane(&self) -> usize {
        self.lane
    }

    /// The stream on which it was made and on which it is to be used.
    #[must_use]
    pub fn stream(&self) -> &Arc<CudaStream> {
        self.stream
    }

    /// The `CUstream` as a number, as other libraries take it.
    #[must_use]
    pub fn stream_address(&self) -> usize {
        self.stream.cu_stream().addr()
    }

    /// Whoever holds this keeps the memory of the batch; what it holds changes with the next batch of the lane.
    #[must_use]
    pub fn keeper(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(self.room) as Arc<dyn Any + Send + Sync>
    }
}

/// A prediction on the device, with one row for each row of the batch.
pub struct DeviceOutput {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    pub(crate) address: u64,
    _owner: Box<dyn Any + Send + Sync>,
}

impl std::fmt::Debug for DeviceOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("DeviceOutput");
        shown.field("name", &self.name).field("dtype", &self.dtype).field("shape", &self.shape).finish()
    }
}

impl DeviceOutput {
    /// An output that lies at `address` once the stream of the batch has come there. `owner` is dropped when it has
    /// been copied.
    ///
    /// # Safety
    /// Until `owner` is dropped, memory of the batch's device lies there with elements of the type, side by side, as
    /// many as the shape says, and after the scheduled work nobody writes to them.
    #[must_use]
    pub unsafe fn new(
        name: &str,
        dtype: DType,
        shape: Vec<usize>,
        address: u64,
        owner: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Self { name: name.to_owned(), dtype, shape, address, _owner: owner }
    }

    /// Bytes of all its rows; an error where it is no prediction for so many rows.
    pub(crate) fn bytes(&self, rows: usize) -> Result<usize, Error> {
        let refused = |why: &str| {
            Error::stage("infer", format!("output `{}` of shape {:?} {why}", self.name, self.shape))
        };
        if self.shape.first() != Some(&rows) {
            return Err(refused(&format!("has not one row for each of the {rows} of the batch")));
        }
        let bytes =
            self.shape.iter().try_fold(self.dtype.bytes(), |product, &side| product.checked_mul(side));
        bytes
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or_else(|| refused("does not fit into memory"))
    }
}

/// No model: the normalised batch itself is the prediction, named `image`. It is what normalisation is checked by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Normalised;

impl Compute for Normalised {
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Error> {
        let (address, owner) = (batch.address(), Box::new(batch.keeper()));
        // SAFETY: the batch's own tensor, which its keeper keeps; the next batch of the lane comes after the copy.
        let output = unsafe { DeviceOutput::new("image", batch.dtype(), batch.shape(), address, owner) };
        Ok(vec![output])
    }

    fn recording(&self) -> Recording {
        Recording::Once
    }
}
