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
