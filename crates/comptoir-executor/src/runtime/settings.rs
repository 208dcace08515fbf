//! What a pipeline is configured with; the same fields in every host.

use std::num::NonZero;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

use super::shapes::twice;
use crate::error::Error;
use crate::policy::BatchPolicy;
use crate::tensor::TensorSpec;

/// Settings of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineSpec {
    /// Threads for `preprocess` and `postprocess`; 0: one for each core.
    pub cpu_threads: usize,
    /// Instances of each model on the device, which run batches at the same time.
    pub instances: usize,
    /// Batches that an instance has under way at once: 2 or 3 where copies to and from the device overlap with the
    /// computation, else 1.
    pub depth: usize,
    /// Requests that may wait for the CPU stage, for each model; what comes beyond is refused as overloaded.
    pub queue_limit: usize,
    /// Deadline of a request that names none, in milliseconds from its submission; none: no deadline.
    pub deadline_ms: Option<f64>,
    /// How batches are made, where the model does not say.
    pub batch: BatchPolicy,
    /// Events that the timeline keeps, the latest ones; 0: no timeline.
    pub trace_events: usize,
}

/// Settings of one model of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSpec {
    /// The name that requests give.
    pub name: String,
    /// Its share of the CPU threads and of the device where several models want them.
    pub weight: u32,
    /// How batches are made, where it differs from the pipeline.
    pub batch: Option<BatchPolicy>,
    /// The shapes that rows may have, each the list of the model's inputs; rows of different shapes are never in one
    /// batch. None: the first row declares the one shape.
    pub shapes: Option<Vec<Vec<TensorSpec>>>,
    /// Whether batches of zeros are run before requests are taken, so that the first request is not a slow one and a
    /// model that does not work fails at the start. It needs `shapes`.
    pub warm_up: bool,
}

impl Default for PipelineSpec {
    fn default() -> Self {
        Self {
            cpu_threads: 0,
            instances: 1,
            depth: 1,
            queue_limit: 1024,
            deadline_ms: None,
            batch: BatchPolicy::default(),
            trace_events: 0,
        }
    }
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self { name: "model".to_owned(), weight: 1, batch: None, shapes: None, warm_up: true }
    }
}

impl ModelSpec {
    /// Whether the shapes that are declared say what a row is.
    ///
    /// # Errors
    /// [`Error::Config`] with the field, within the model's settings.
    pub fn check_shapes(&self) -> Result<(), Error> {
        let Some(shapes) = &self.shapes else { return Ok(()) };
        if shapes.is_empty() {
            return Err(Error::config("shapes", "is empty: declare a shape, or leave it out"));
        }
        for (shape, inputs) in shapes.iter().enumerate() {
            if inputs.is_empty() {
                return Err(Error::config(format!("shapes[{shape}]"), "has no input"));
            }
            if let Some(name) = twice(inputs) {
                return Err(Error::config(
                    format!("shapes[{shape}]"),
                    format!("input `{name}` is there twice"),
                ));
            }
        }
        Ok(())
    }
}

impl PipelineSpec {
    /// CPU threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        match self.cpu_threads {
            0 => available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        }
    }

    /// Whether the settings can be used.
    ///
    /// # Errors
    /// [`Error::Config`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        let at_least_one =
            [("instances", self.instances), ("depth", self.depth), ("queue_limit", self.queue_limit)];
        for (field, value) in at_least_one {
            if value == 0 {
                return Err(Error::config(field, "must be at least 1"));
            }
        }
        for (field, value) in
            [("cpu_threads", self.cpu_threads), ("instances", self.instances), ("depth", self.depth)]
        {
            if value > MOST_THREADS {
                return Err(Error::config(field, format!("must be at most {MOST_THREADS}, found {value}")));
            }
        }
        if let Some(deadline) = self.deadline_ms
            && !(deadline > 0.0 && deadline <= MOST_DEADLINE_MS)
        {
            let message = format!("must be more than 0 and at most {MOST_DEADLINE_MS}, found {deadline}");
            return Err(Error::config("deadline_ms", message));
        }
        self.batch.check()
    }
}

/// A day.
const MOST_DEADLINE_MS: f64 = 86_400_000.0;

/// Far more than helps, and few enough that a slip of the pen does not end the process.
const MOST_THREADS: usize = 1024;
