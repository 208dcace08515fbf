//! When copies and computations ran, on the device's own clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::sys::CUevent_flags;
use cudarc::driver::{CudaContext, CudaEvent, CudaStream};
use serde::Serialize;

use crate::error::{Error, call};

/// One of the three things that happen to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Its bytes are copied to the device.
    CopyIn,
    /// It is normalised and computed.
    Compute,
    /// Its predictions are copied back.
    CopyOut,
}

/// When a step of a batch ran.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Span {
    /// The lane.
    pub lane: usize,
    /// The step.
    pub step: Step,
    /// Rows of the batch.
    pub rows: usize,
    /// Its beginning, in milliseconds since the model was opened. The driver counts in single precision: in
    /// steps of 4 microseconds after a minute, and of a quarter of a millisecond after an hour.
    pub start_ms: f32,
    /// Its end.
    pub end_ms: f32,
}

/// Events around the three steps of the batch that a lane is running.
#[derive(Debug)]
pub(crate) struct Marks {
    pub(crate) copy_in: (CudaEvent, CudaEvent),
    pub(crate) compute: (CudaEvent, CudaEvent),
    pub(crate) copy_out: (CudaEvent, CudaEvent),
}

impl Marks {
    pub(crate) fn new(context: &Arc<CudaContext>) -> Result<Self, Error> {
        let pair = || Ok((event(context)?, event(context)?));
        Ok(Self { copy_in: pair()?, compute: pair()?, copy_out: pair()? })
    }
}

/// An event that takes the time, and on which a thread sleeps instead of spinning.
fn event(context: &Arc<CudaContext>) -> Result<CudaEvent, Error> {
    context.new_event(Some(CUevent_flags::CU_EVENT_BLOCKING_SYNC)).map_err(call("making an event"))
}

/// Notes a moment on a stream.
pub(crate) fn mark(event: &CudaEvent, stream: &CudaStream) -> Result<(), Error> {
    event.record(stream).map_err(call("noting a moment"))
}

/// The latest spans.
#[derive(Debug)]
pub(crate) struct Timeline {
    limit: usize,
    origin: CudaEvent,
    spans: Mutex<VecDeque<Span>>,
}

impl Timeline {
    /// A timeline that keeps `limit` spans and begins now.
    pub(crate) fn new(stream: &CudaStream, limit: usize) -> Result<Self, Error> {
        let origin = event(stream.context())?;
        mark(&origin, stream)?;
        Ok(Self { limit, origin, spans: Mutex::new(VecDeque::new()) })
    }

    /// Keeps what the marks of a batch that has come back say.
    pub(crate) fn keep(&self, lane: usize, rows: usize, marks: &Marks) -> Result<(), Error> {
        if self.limit == 0 {
            return Ok(());
        }
        let since = |event| self.origin.elapsed_ms(event).map_err(call("reading the device's clock"));
        let mut found = Vec::with_capacity(3);
        for (step, (start, end)) in [
            (Step::CopyIn, &marks.copy_in),
            (Step::Compute, &marks.compute),
            (Step::CopyOut, &marks.copy_out),
        ] {
            found.push(Span { lane, step, rows, start_ms: since(start)?, end_ms: since(end)? });
        }
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.extend(found);
        let surplus = spans.len().saturating_sub(self.limit);
        spans.drain(..surplus);
        Ok(())
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
