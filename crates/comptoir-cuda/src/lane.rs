//! One lane: its streams, its memory, and the way of a batch through it.

use std::sync::Arc;

use comptoir_executor::backend::{Tensor, Tensors};
use comptoir_executor::runtime::Rows;
use comptoir_executor::tensor::TensorSpec;
use cudarc::driver::CudaStream;

use crate::compute::{DeviceOutput, Room};
use crate::device::Device;
use crate::error::{Error, call};
use crate::inputs::PerInput;
use crate::memory::{DeviceMemory, Pinned};
use crate::timeline::{Marks, mark};

/// A lane. It runs one batch at a time; that of another lane overlaps with it.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) number: usize,
    pub(crate) marks: Marks,
    device: Device,
    copy_in: Arc<CudaStream>,
    copy_out: Arc<CudaStream>,
    room: Option<Arc<Room>>,
    predictions: Option<Pinned>,
}

/// A batch that is under way. Dropping it waits until the device has nothing more to do with its memory.
pub(crate) struct Flight {
    streams: [Arc<CudaStream>; 3],
    landed: bool,
}

impl Flight {
    /// The device has done everything for the batch.
    pub(crate) fn land(mut self) {
        self.landed = true;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            for stream in &self.streams {
                // An error here is one of the device, which has stopped then; the batch fails with its first error.
                let _ = stream.synchronize();
            }
        }
    }
}

impl Lane {
    pub(crate) fn new(device: &Device, number: usize) -> Result<Self, Error> {
        let stream = || device.context.new_stream().map_err(call("making a stream"));
        Ok(Self {
            number,
            marks: Marks::new(&device.context)?,
            device: device.clone(),
            copy_in: stream()?,
            copy_out: stream()?,
            room: None,
            predictions: None,
        })
    }

    /// Device memory for so many rows, made anew where it is too small. No batch of the lane is under way.
    pub(crate) fn room(&mut self, rows: usize, of_row: &PerInput<TensorSpec>) -> Result<Arc<Room>, Error> {
        if let Some(room) = self.room.as_ref().filter(|room| room.rows >= rows) {
            return Ok(Arc::clone(room));
        }
        // What is too small goes first, so that both need not be there at once.
        self.room = None;
        let memory = of_row.try_map(|row| {
            let bytes = row.row_bytes().and_then(|bytes| bytes.checked_mul(rows));
            let too_much = Error::OutOfMemory { call: "device memory for a batch", bytes: usize::MAX };
            DeviceMemory::new(&self.device.context, bytes.ok_or(too_much)?)
        })?;
        let room = Arc::new(Room { rows, memory });
        self.room = Some(Arc::clone(&room));
        Ok(room)
    }

    /// What waits for the device should the batch not come to its end.
    pub(crate) fn flight(&self, compute: &Arc<CudaStream>) -> Flight {
        let streams = [&self.copy_in, compute, &self.copy_out].map(Arc::clone);
        Flight { streams, landed: false }
    }

    /// Schedules the copies of a batch to the device.
    ///
    /// # Safety
    /// The memory of `batch`, and `room`, outlive the [`Flight`] that was begun before, and `room` is the lane's own.
    pub(crate) unsafe fn copy_in(&self, batch: &Rows, room: &Room) -> Result<(), Error> {
        let (start, end) = &self.marks.copy_in;
        mark(start, &self.copy_in)?;
        for (input, memory) in room.memory.copied().iter().enumerate() {
            // SAFETY: the flight waits for this stream before the bytes may go, and only work behind this copy uses the
            // room: the batch before has landed.
            unsafe { memory.fill(batch.bytes(input), &self.copy_in) }?;
        }
        mark(end, &self.copy_in)
    }

    /// Copies predictions back when the computation has come to its end mark, waits for them and gives them.
    pub(crate) fn copy_out(
        &mut self,
        outputs: &[DeviceOutput],
        rows: usize,
    ) -> Result<Tensors, comptoir_executor::Error> {
        let mut places = Vec::with_capacity(outputs.len());
        let mut total = 0_usize;
        for output in outputs {
            let bytes = output.bytes(rows)?;
            places.push((total, bytes));
            total = total.saturating_add(bytes.next_multiple_of(64));
        }
        self.schedule_out(outputs, &places, total)?;
        self.marks.copy_out.1.synchronize().map_err(call("waiting for predictions"))?;
        let copied = self.predictions.as_ref().map(Pinned::bytes).unwrap_or_default();
        let mut tensors = Tensors::default();
        for (output, (at, bytes)) in outputs.iter().zip(places) {
            let mut tensor = Tensor::zeros(output.dtype, &output.shape)?;
            let source = copied.get(at..at + bytes).unwrap_or_default();
            if tensor.bytes().len() == source.len() {
                tensor.bytes_mut().copy_from_slice(source);
            }
            tensors.outputs.push((output.name.clone(), tensor));
        }
        Ok(tensors)
    }

    fn schedule_out(
        &mut self,
        outputs: &[DeviceOutput],
        places: &[(usize, usize)],
        total: usize,
    ) -> Result<(), Error> {
        if self.predictions.as_ref().is_none_or(|room| room.len() < total) {
            self.predictions = None;
            self.predictions = Some(Pinned::new(&self.device.context, total)?);
        }
        let (start, end) = &self.marks.copy_out;
        self.copy_out.wait(&self.marks.compute.1).map_err(call("waiting for the computation"))?;
        mark(start, &self.copy_out)?;
        if let Some(target) = &mut self.predictions {
            for (output, &(at, bytes)) in outputs.iter().zip(places).filter(|(_, place)| place.1 > 0) {
                // SAFETY: the output holds its memory, by the promise of `DeviceOutput::new`, and the caller holds the
                // output until its flight has ended; this memory is not touched before `copy_out` has waited.
                unsafe { target.fill(at, bytes, output.address, &self.copy_out) }?;
            }
        }
        mark(end, &self.copy_out)
    }
}
