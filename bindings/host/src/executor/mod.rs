//! Model inference: a pipeline around models of ours or of the host.

mod code;
mod config;
mod operate;

use std::sync::Arc;
use std::time::{Duration, Instant};

use comptoir::executor::Error;
use comptoir::executor::backend::Tensors;
use comptoir::executor::runtime::{Callback, Canceller, Endpoint, Options, Pipeline};
use serde::Deserialize;

pub use code::{HostCode, Infer, Item, OwnTensor, Prediction, Preprocess};
use code::{HostStages, load};
use config::Config;

use crate::{Fault, parse};

/// A pipeline; any number of threads may share it.
#[derive(Debug)]
pub struct HostPipeline(Pipeline<HostStages>);

/// What a request asks for beside its item: `{"model": "faces", "deadline_ms": 50, "priority": 2}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestOptions {
    /// Name of the model; none: the first.
    pub model: Option<String>,
    /// Milliseconds from now after which the result is of no use; none: as the pipeline says.
    pub deadline_ms: Option<f64>,
    /// From 0, which can wait, to 3, which comes first; none: 1.
    pub priority: Option<u8>,
}

/// The right to give a request up.
pub type Ticket = Canceller<Prediction>;

/// Who is told of the outcome of a request, once, on a thread of the pipeline.
pub type Done = Box<dyn FnOnce(Result<Prediction, Fault>) + Send>;

impl HostPipeline {
    /// Starts a pipeline from JSON text: `{"pipeline": {...}, "models": [{"spec": {...}, "version": "1", "onnx": {...},
    /// "image": {...}}]}`. `pipeline` and `spec` are the settings of the executor; each model is one of `onnx`,
    /// `simulated` or, with neither, the host's own `infer`; `image` turns encoded pictures into rows. `code` is the host's
    /// code for each model, in the same order; it may be shorter.
    ///
    /// # Errors
    /// Settings that cannot be used, with the field; a model that cannot be loaded or warmed.
    pub fn start(config: &str, code: Vec<HostCode>) -> Result<Self, Fault> {
        let config: Config = parse("config", config)?;
        let mut code = code.into_iter();
        let mut endpoints = Vec::with_capacity(config.models.len());
        for (place, model) in config.models.into_iter().enumerate() {
            let own = code.next().unwrap_or_default();
            let loaded = load(model.onnx.as_ref(), model.simulated, own.infer)
                .map_err(|fault| fault.at(format!("models[{place}]")))?;
            let mut spec = model.spec;
            let stages = HostStages::new(model.image, own.preprocess)?;
            if spec.shapes.is_none() {
                spec.shapes = loaded.inputs.or_else(|| stages.inputs()).map(|inputs| vec![inputs]);
            }
            endpoints.push(Endpoint { spec, stages, model: loaded.model, version: model.version });
        }
        Ok(Self(Pipeline::start_all(config.pipeline, endpoints)?))
    }

    /// Takes an item; `done` is told the outcome.
    ///
    /// # Errors
    /// `EXECUTOR_OVERLOADED`, `EXECUTOR_DEADLINE_EXCEEDED`, `EXECUTOR_UNKNOWN_MODEL`, `EXECUTOR_CLOSED`,
    /// `EXECUTOR_CONFIG`: `done` is not called then.
    pub fn submit(&self, item: Item, options: RequestOptions, done: Done) -> Result<Ticket, Fault> {
        let deadline = options.deadline_ms.map(moment).transpose()?;
        let options = Options { model: options.model, deadline, priority: options.priority };
        let callback: Callback<Prediction> = Box::new(move |result, _| done(result.map_err(Fault::from)));
        Ok(self.0.submit_with(item, &options, Some(callback))?.canceller())
    }

    /// Takes an item and waits for its outcome.
    ///
    /// # Errors
    /// As [`HostPipeline::submit`], and what the stages and the model say.
    pub fn run(&self, item: Item, options: RequestOptions) -> Result<Prediction, Fault> {
        let deadline = options.deadline_ms.map(moment).transpose()?;
        let options = Options { model: options.model, deadline, priority: options.priority };
        Ok(self.0.submit_with(item, &options, None)?.wait()?)
    }

    /// Takes no more requests, waits for those inside for up to `grace`, and stops; whether all could finish.
    #[must_use]
    pub fn close(&self, grace: Duration) -> bool {
        self.0.close(grace)
    }
}

impl RequestOptions {
    /// Reads options from JSON text; empty text asks for nothing.
    ///
    /// # Errors
    /// `HOST_JSON`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "" => Ok(Self::default()),
            text => parse("options", text),
        }
    }
}

/// A deadline in milliseconds from now; one that has passed is now.
fn moment(from_now: f64) -> Result<Instant, Error> {
    let now = Instant::now();
    if from_now <= 0.0 {
        return Ok(now);
    }
    let limit = Duration::try_from_secs_f64(from_now / 1e3);
    limit.ok().and_then(|limit| now.checked_add(limit)).ok_or_else(|| {
        let message = format!("must be milliseconds from now that a clock can hold, found {from_now:?}");
        Error::config("deadline_ms", message)
    })
}

/// A row of predictions.
impl Prediction {
    /// The predictions of the whole batch, which it keeps.
    #[must_use]
    pub fn tensors(&self) -> &Arc<Tensors> {
        &self.tensors
    }

    /// Its row.
    #[must_use]
    pub const fn row(&self) -> usize {
        self.row
    }
}
