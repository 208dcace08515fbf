//! A device that only takes time: for tests, for benchmarks of everything around a device, and for planning.

use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::tensors::{Tensor, Tensors};
use crate::error::Error;
use crate::runtime::{Model, Rows};

/// What a simulated device takes for a batch of n rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatedSpec {
    /// Fixed time of the computation, in milliseconds.
    pub fixed_ms: f64,
    /// Time of the computation for each row, in milliseconds.
    pub per_row_ms: f64,
    /// Time in which the input of a row is copied to the device, in milliseconds.
    pub copy_in_ms: f64,
    /// Time in which the output of a row is copied back, in milliseconds.
    pub copy_out_ms: f64,
    /// Elements of each row's first input that come back as its prediction; fewer where the row has fewer.
    pub echo: usize,
}

impl Default for SimulatedSpec {
    fn default() -> Self {
        Self { fixed_ms: 4.0, per_row_ms: 0.15, copy_in_ms: 0.0, copy_out_ms: 0.0, echo: 1 }
    }
}

/// A simulated device in real time: two copy engines and one for the computation, as a GPU has them. Each does one
/// batch at a time, so with two lanes for an instance the copies of one batch overlap with the computation of another.
#[derive(Debug)]
pub struct Simulated {
    spec: SimulatedSpec,
    engines: [Mutex<()>; 3],
}

impl Simulated {
    /// A device.
    ///
    /// # Errors
    /// [`Error::Config`] for a time below 0 or without end.
    pub fn new(spec: SimulatedSpec) -> Result<Self, Error> {
        for (field, time) in [
            ("fixed_ms", spec.fixed_ms),
            ("per_row_ms", spec.per_row_ms),
            ("copy_in_ms", spec.copy_in_ms),
            ("copy_out_ms", spec.copy_out_ms),
        ] {
            if !(0.0..=MOST_MS).contains(&time) {
                return Err(Error::config(field, format!("must be from 0 to {MOST_MS}, found {time}")));
            }
        }
        Ok(Self { spec, engines: Default::default() })
    }

    fn occupy(&self, engine: usize, milliseconds: f64) {
        if milliseconds > 0.0
            && let Some(engine) = self.engines.get(engine)
        {
            let held = engine.lock().unwrap_or_else(PoisonError::into_inner);
            sleep(Duration::from_secs_f64(milliseconds / 1e3));
            drop(held);
        }
    }
}

/// A minute for a row is no device.
const MOST_MS: f64 = 60_000.0;

impl Model<Tensors> for Simulated {
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    fn infer(&self, _lane: usize, batch: &Rows) -> Result<Tensors, Error> {
        let rows = batch.len() as f64;
        self.occupy(0, self.spec.copy_in_ms * rows);
        self.occupy(1, self.spec.fixed_ms + self.spec.per_row_ms * rows);
        let outputs = echo(batch, self.spec.echo)?;
        self.occupy(2, self.spec.copy_out_ms * rows);
        Ok(outputs)
    }

    fn copy_in(&self, rows: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        Duration::from_secs_f64(self.spec.copy_in_ms * rows as f64 / 1e3)
    }
}

/// The first elements of each row.
fn echo(batch: &Rows, elements: usize) -> Result<Tensors, Error> {
    let Some(input) = batch.inputs().first() else { return Ok(Tensors::default()) };
    let row_bytes = input.row_bytes().unwrap_or(0);
    let elements = elements.min(row_bytes / input.dtype.bytes());
    let mut tensor = Tensor::zeros(input.dtype, &[batch.len(), elements])?;
    let taken = elements * input.dtype.bytes();
    if taken > 0 {
        let rows = batch.bytes(0).chunks_exact(row_bytes);
        for (target, row) in tensor.bytes_mut().chunks_exact_mut(taken).zip(rows) {
            target.copy_from_slice(row.get(..taken).unwrap_or_default());
        }
    }
    Ok(Tensors { outputs: vec![("echo".to_owned(), tensor)] })
}
