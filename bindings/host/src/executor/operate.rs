//! What an operator does with a running pipeline: change models, look inside.

use std::time::Duration;

use comptoir::executor::runtime::Swap;

use super::HostPipeline;
use super::code::{HostCode, load};
use super::config::SwapConfig;
use crate::{Fault, parse, render};

impl HostPipeline {
    /// Lets a new version of a model take over, while requests go on; none is lost. `config` is JSON text: `{"model":
    /// "faces", "version": "2", "share": 0.1, "onnx": {...}}`. Without `model` it is the first one, without `share` all of
    /// its traffic. The version is one of `onnx`, `simulated` or, with neither, the host's own `infer`; the stage before
    /// the model stays. It is loaded and warmed beside the old one, which takes as long as it takes, on this thread. With
    /// a share below 1 both serve until [`HostPipeline::set_share`]. Any thread.
    ///
    /// # Errors
    /// `HOST_JSON`; `HOST_ARGUMENT` for none or several of `onnx`, `simulated` and `infer`, and for a `preprocess`; a share
    /// that is none, a model that is unknown, a version that cannot be loaded or warmed. The old version then goes on as
    /// before.
    pub fn swap(&self, config: &str, code: HostCode) -> Result<(), Fault> {
        let config: SwapConfig = parse("config", config)?;
        if code.preprocess.is_some() {
            return Err(Fault::argument(
                "a version has no `preprocess` of its own: the stage before the model stays",
            ));
        }
        let loaded = load(config.onnx.as_ref(), config.simulated, code.infer)?;
        let SwapConfig { model, version, share, .. } = config;
        Ok(self.0.swap(Swap { model, version, code: loaded.model, share })?)
    }

    /// Changes the share of the version that is taking over: 1 makes it the one that serves, 0 takes it back. An empty
    /// `model` is the first one. Any thread.
    ///
    /// # Errors
    /// `EXECUTOR_CONFIG` where no version is taking over, or the share is not between 0 and 1; `EXECUTOR_UNKNOWN_MODEL`.
    pub fn set_share(&self, model: &str, share: f64) -> Result<(), Fault> {
        let model = Some(model).filter(|model| !model.is_empty());
        Ok(self.0.set_share(model, share)?)
    }

    /// Waits until versions that serve no more have finished their last batch, at most for `limit`; whether they have.
    /// Any thread but those of the pipeline, whose own batch it would wait for.
    #[must_use]
    pub fn drain(&self, limit: Duration) -> bool {
        self.0.drain_versions(limit)
    }

    /// What has happened, as JSON. Any thread.
    ///
    /// # Errors
    /// None is known.
    pub fn stats(&self) -> Result<String, Fault> {
        render(&self.0.stats())
    }

    /// What has happened, in the text format of Prometheus. Any thread.
    #[must_use]
    pub fn prometheus(&self) -> String {
        self.0.stats().prometheus()
    }

    /// The timeline of the latest `trace_events` events as JSON in Chrome's Trace Event Format, for
    /// <https://ui.perfetto.dev> or `chrome://tracing`; without events unless the pipeline has that setting. Any thread.
    ///
    /// # Errors
    /// None is known.
    pub fn trace(&self) -> Result<String, Fault> {
        render(&self.0.trace())
    }
}
