use comptoir::executor::backend::{OnnxSpec, SimulatedSpec};
use comptoir::executor::image::ImageSpec;
use comptoir::executor::runtime::{ModelSpec, PipelineSpec};
use serde::Deserialize;

/// A pipeline with its models.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Threads, queues, batches.
    pub pipeline: PipelineSpec,
    /// The models, of which the first serves requests that name none.
    pub models: Vec<ModelConfig>,
}

/// One model.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ModelConfig {
    /// Name, shapes, weight.
    pub spec: ModelSpec,
    /// Name of its version, for statistics.
    pub version: String,
    /// A model in ONNX.
    pub onnx: Option<OnnxSpec>,
    /// A device that only takes its time.
    pub simulated: Option<SimulatedSpec>,
    /// How encoded pictures become rows.
    pub image: Option<ImageSpec>,
}

/// A new version of a model that serves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SwapConfig {
    /// Name of the model; none: the first.
    #[serde(default)]
    pub model: Option<String>,
    /// Name of the version, for statistics.
    pub version: String,
    /// Its share of the rows, more than 0 and at most 1.
    #[serde(default = "all")]
    pub share: f64,
    /// A model in ONNX.
    #[serde(default)]
    pub onnx: Option<OnnxSpec>,
    /// A device that only takes its time.
    #[serde(default)]
    pub simulated: Option<SimulatedSpec>,
}

const fn all() -> f64 {
    1.0
}
