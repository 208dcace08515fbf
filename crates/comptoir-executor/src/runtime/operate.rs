//! What an operator does with a running pipeline: change models, look inside.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::{Core, ModelState, Phase, moment_after};
use super::pipeline::Pipeline;
use super::rows::Forming;
use super::settings::ModelSpec;
use super::stages::{Model, Stages};
use super::stats::{ModelStats, Stats, VersionStats};
use super::versions::Version;
use super::warm::warm;
use crate::error::Error;
use crate::policy::Nanos;

/// A new version of a model, and how much of the traffic it gets.
pub struct Swap<P> {
    /// Name of the model; none: the first.
    pub model: Option<String>,
    /// Name of the version, for statistics.
    pub version: String,
    /// The version, loaded.
    pub code: Arc<dyn Model<P>>,
    /// Its share of the rows, more than 0 and at most 1. Below 1 both versions serve.
    pub share: f64,
}

impl<S: Stages> Pipeline<S> {
    /// Lets a new version of a model take over: warms it beside the old one, then gives it its share of the batches.
    /// Requests under way finish on the version that they are on; none is lost.
    ///
    /// # Errors
    /// The error of its warm-up, in which case nothing has changed; [`Error::UnknownModel`], [`Error::Config`].
    pub fn swap(&self, swap: Swap<S::Predictions>) -> Result<(), Error> {
        if !(swap.share > 0.0 && swap.share <= 1.0) {
            return Err(Error::config(
                "share",
                format!("must be more than 0 and at most 1, found {}", swap.share),
            ));
        }
        let model = self.find(swap.model.as_deref())?;
        let inner = self.inner();
        let Some(endpoint) = inner.endpoints.get(model) else { return Err(Error::Closed) };
        let shapes = self.shapes(model);
        let batch = Some(endpoint.batch.clone());
        let spec =
            ModelSpec { name: endpoint.name.clone(), batch, shapes: Some(shapes), ..ModelSpec::default() };
        let latency = warm(&inner.spec, &spec, &*swap.code)?;
        let version = Version::new(&swap.version, swap.code, latency);
        let mut core = inner.lock();
        if core.phase != Phase::Open {
            return Err(Error::Closed);
        }
        let Some(state) = core.models.get_mut(model) else { return Err(Error::Closed) };
        let gone = state.versions.swap(version, swap.share);
        drop(core);
        drop(gone);
        Ok(())
    }

    /// Changes the share of the version that is taking over: 1 makes it the one that serves, 0 takes it back.
    ///
    /// # Errors
    /// [`Error::Config`] where no version is taking over, or the share is not between 0 and 1.
    pub fn set_share(&self, model: Option<&str>, share: f64) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::config("share", format!("must be between 0 and 1, found {share}")));
        }
        let model = self.find(model)?;
        let mut core = self.inner().lock();
        let changed = core.models.get_mut(model).and_then(|state| state.versions.set_share(share));
        drop(core);
        changed.map(drop).ok_or_else(|| Error::config("share", "no version is taking over"))
    }

    /// Waits until versions that serve no more have finished their last batch, at most for `limit`. True where they
    /// have.
    pub fn drain_versions(&self, limit: Duration) -> bool {
        let until = moment_after(limit);
        let inner = self.inner();
        let mut core = inner.lock();
        loop {
            if core.models.iter().all(|state| state.versions.leaving() == 0) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            core = inner
                .settled
                .wait_timeout(core, left)
                .map_or_else(|error| error.into_inner().0, |(core, _)| core);
        }
    }

    /// The shapes that a model takes: those declared, or the one that the first request gave.
    fn shapes(&self, model: usize) -> Vec<Vec<crate::tensor::TensorSpec>> {
        let core = self.inner().lock();
        let forming = core.models.get(model).map(|state| &state.forming);
        forming.into_iter().flatten().map(|forming| forming.inputs().to_vec()).collect()
    }

    /// What has happened so far, and what is inside now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let inner = self.inner();
        let core = inner.lock();
        let now = inner.now();
        let names = inner.endpoints.iter().map(|endpoint| endpoint.name.as_str());
        Stats {
            uptime: seconds(now),
            models: core.models.iter().zip(names).map(|(state, name)| state.stats(name)).collect(),
            utilisation: core.utilisation(now),
            waiting_postprocess: core.posts.len(),
            live: core.live,
        }
    }

    /// The timeline of the latest events in the Trace Event Format, for Perfetto or `chrome://tracing`; empty unless
    /// `trace_events` is set.
    #[must_use]
    pub fn trace(&self) -> serde_json::Value {
        self.inner().trace.chrome()
    }
}

impl<S: Stages> Core<S> {
    fn utilisation(&self, now: Nanos) -> Vec<f64> {
        let share = |busy: Nanos| if now == 0 { 0.0 } else { seconds(busy) / seconds(now) };
        self.schedule.instances().iter().map(|instance| share(instance.busy(now))).collect()
    }
}

impl<S: Stages> ModelState<S> {
    fn stats(&self, name: &str) -> ModelStats {
        let next = self.versions.next();
        let served = VersionStats::new(self.versions.current(), 1.0 - next.map_or(0.0, |(_, share)| share));
        let versions = std::iter::once(served);
        let versions = versions.chain(next.map(|(version, share)| VersionStats::new(version, share)));
        ModelStats {
            name: name.to_owned(),
            submitted: self.counts.submitted,
            outcomes: self.counts.outcomes,
            queued: self.flow.queue.len(),
            preprocessing: self.flow.preprocessing(),
            ready: self.forming.iter().map(Forming::ready).sum(),
            batches: self.counts.batches,
            rows: self.counts.rows,
            batch_sizes: self.counts.sizes(),
            stages: self.counts.stages(),
            versions: versions.collect(),
        }
    }
}

impl VersionStats {
    fn new<P>(version: &Version<P>, share: f64) -> Self {
        let latency = version.latency.fit().map(|(fixed, per_row)| (fixed / 1e9, per_row / 1e9));
        Self { name: version.name.clone(), share, rows: version.served, latency }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a time to be read by people")]
fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / 1e9
}
