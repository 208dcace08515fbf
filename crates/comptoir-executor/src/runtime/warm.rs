//! Warm-up: batches of zeros before the first request, which also tell how long batches take.

use std::time::Instant;

use super::core::nanos;
use super::lanes::guarded;
use super::rows::{BufferPool, RowLayout, Rows};
use super::settings::{ModelSpec, PipelineSpec};
use super::stages::Model;
use crate::error::Error;
use crate::policy::{BatchPolicy, LatencyModel};

/// Runs a model on every lane with its smallest and its largest batch of every shape, and gives what batches of the
/// first shape took, the first run of each not counted: it loads and compiles.
pub(super) fn warm<P: 'static>(
    spec: &PipelineSpec,
    model: &ModelSpec,
    code: &dyn Model<P>,
) -> Result<LatencyModel, Error> {
    let mut latency = LatencyModel::unknown();
    let batch = model.batch.as_ref().unwrap_or(&spec.batch);
    if !model.warm_up {
        return Ok(latency);
    }
    for (number, inputs) in model.shapes.iter().flatten().enumerate() {
        let pool = BufferPool::on(RowLayout::new(inputs, batch.max_size)?, 0, code.memory());
        for lane in 0..spec.instances * spec.depth {
            for rows in sizes(batch) {
                let zeros = Rows::zeros(&pool, rows)?;
                run(model, code, lane, &zeros)?;
                let start = Instant::now();
                run(model, code, lane, &zeros)?;
                if number == 0 && lane == 0 {
                    latency.observe(rows, nanos(start.elapsed()));
                }
            }
        }
    }
    Ok(latency)
}

/// Sizes of batches to warm: one row, the preferred sizes, the most.
fn sizes(batch: &BatchPolicy) -> Vec<usize> {
    let mut sizes = vec![1, batch.max_size];
    sizes.extend(&batch.preferred);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

fn run<P: 'static>(model: &ModelSpec, code: &dyn Model<P>, lane: usize, rows: &Rows) -> Result<(), Error> {
    guarded(code, lane, rows).map(drop).map_err(|error| match error {
        Error::Stage { message, cause, .. } => {
            let message = format!(
                "model `{}` failed on a batch of {} rows of zeros: {message}",
                model.name,
                rows.len()
            );
            Error::Stage { stage: "warm-up", message, cause }
        }
        other => other,
    })
}
