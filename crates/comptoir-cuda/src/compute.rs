//! What is computed on the device, between the two copies.

use std::any::Any;
use std::sync::Arc;

use comptoir_executor::Error;
use comptoir_executor::tensor::{DType, TensorSpec};
use cudarc::driver::CudaStream;

use crate::inputs::PerInput;
use crate::memory::DeviceMemory;

/// A model on the device: takes a batch there, and leaves its predictions there.
pub trait Compute: Send + Sync + 'static {
    /// Schedules the computation on the stream of the batch, and says where the predictions will lie. It need not
    /// wait for it. Batches of one stream come one after the other, those of different streams at the same time.
    ///
    /// # Errors
    /// Whatever makes the batch fail.
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Error>;

    /// The inputs that it takes of a row, where it knows them: what the device will give it is held against them when
    /// the model is opened.
    fn takes(&self) -> Option<&[TensorSpec]> {
        None
    }

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
    /// later batches replay the recording. So it must do nothing but schedule work on that stream (no allocation, no
    /// waiting, nothing that differs from batch to batch), and its outputs must stay where they are for as long as it
    /// holds them.
    Once,
}

/// The memory of one lane on the device, for each input of a batch.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) rows: usize,
    pub(crate) memory: PerInput<DeviceMemory>,
}

/// A batch on the device. Its memory lies at the same addresses for every batch of a lane, unless a larger batch than any
/// before has come.
#[derive(Debug)]
pub struct DeviceBatch<'a> {
    pub(crate) room: &'a Arc<Room>,
    /// What lies in the room of each row.
    pub(crate) given: &'a [TensorSpec],
    pub(crate) rows: usize,
    pub(crate) lane: usize,
    pub(crate) stream: &'a Arc<CudaStream>,
}

/// One input of a batch on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInput<'a> {
    /// Its name: that of the declared tensor, `image` for normalised pictures.
    pub name: &'a str,
    /// Type of the elements, which lie side by side.
    pub dtype: DType,
    /// Rows, then the shape of one row: for normalised pictures planes, height, width.
    pub shape: Vec<usize>,
    /// Address of the first element on the device.
    pub address: u64,
}

impl DeviceBatch<'_> {
    /// The inputs, in the order of a row; for pictures the one that is normalised.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = DeviceInput<'_>> {
        self.given.iter().zip(self.room.memory.given()).map(|(row, memory)| {
            let mut shape = vec![self.rows];
            shape.extend(&row.shape);
            DeviceInput { name: &row.name, dtype: row.dtype, shape, address: memory.address() }
        })
    }

    /// Rows in the batch.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
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

/// No model: what lies on the device is the prediction, by the names of the inputs. It is what copies and normalisation are
/// checked by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Compute for Echo {
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Error> {
        let output = |input: DeviceInput<'_>| {
            let DeviceInput { name, dtype, shape, address } = input;
            // SAFETY: the batch's own memory, which its keeper keeps; the next batch of the lane comes after the copy.
            unsafe { DeviceOutput::new(name, dtype, shape, address, Box::new(batch.keeper())) }
        };
        Ok(batch.inputs().map(output).collect())
    }

    fn recording(&self) -> Recording {
        Recording::Once
    }
}
