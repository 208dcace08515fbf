//! The numbers of a pipeline in the text format of Prometheus.

use super::stats::{Distribution, ModelStats, Outcomes, Stats, VersionStats};
use crate::metrics::{Samples, Text, alone, count, labels};

impl Stats {
    /// The numbers in the text format of Prometheus; names begin with `comptoir_executor_`.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut text = Text::default();
        text.family("uptime_seconds", "gauge", "Time since the start.", alone(self.uptime));
        text.family("live_requests", "gauge", "Requests inside.", alone(count(self.live as u64)));
        self.requests(&mut text);
        self.batches(&mut text);
        let busy = self.utilisation.iter().enumerate();
        let busy = busy.map(|(at, &share)| (labels(&[("instance", &at.to_string())]), share)).collect();
        text.family("utilisation_ratio", "gauge", "Share of the time with a batch on the device.", busy);
        text.family("stage_seconds", "summary", "Time of requests by stage.", self.stage_samples());
        self.versions(&mut text);
        text.end()
    }

    /// What came, what became of it, and where it waits.
    fn requests(&self, text: &mut Text) {
        let submitted = self.each(|model| model.submitted);
        text.family("submitted_total", "counter", "Requests submitted.", submitted);
        text.family("requests_total", "counter", "Requests by outcome.", self.outcome_samples());
        let queued = self.each(|model| model.queued as u64);
        text.family("queued_requests", "gauge", "Waiting for the CPU stage.", queued);
        let preprocessing = self.each(|model| model.preprocessing as u64);
        text.family("preprocessing_requests", "gauge", "In preprocess.", preprocessing);
        let ready = self.each(|model| model.ready as u64);
        text.family("ready_rows", "gauge", "Rows waiting for the device.", ready);
        let waiting = alone(count(self.waiting_postprocess as u64));
        text.family("waiting_postprocess_rows", "gauge", "Predictions waiting for postprocess.", waiting);
    }

    fn batches(&self, text: &mut Text) {
        text.family("batches_total", "counter", "Batches run.", self.each(|model| model.batches));
        text.family("rows_total", "counter", "Rows in batches.", self.each(|model| model.rows));
        let sizes = self.models.iter().flat_map(size_samples).collect();
        text.family("batch_size", "histogram", "Batches by their rows.", sizes);
    }

    /// The versions that serve, with what a batch on each is expected to take.
    fn versions(&self, text: &mut Text) {
        let share = self.each_version(|version| Some(version.share));
        text.family("version_share_ratio", "gauge", "Share of the rows that a version gets.", share);
        let fixed = self.each_version(|version| version.latency.map(|(fixed, _)| fixed));
        text.family(
            "version_batch_fixed_seconds",
            "gauge",
            "Fitted time of a batch, without its rows.",
            fixed,
        );
        let row = self.each_version(|version| version.latency.map(|(_, row)| row));
        text.family("version_batch_row_seconds", "gauge", "Fitted time of a batch for each row.", row);
    }

    /// A number of each model.
    fn each(&self, value: impl Fn(&ModelStats) -> u64) -> Samples {
        let sample = |model: &ModelStats| (labels(&[("model", &model.name)]), count(value(model)));
        self.models.iter().map(sample).collect()
    }

    /// A number of each version, where there is one. Two versions may have one name, so the label `role` tells the
    /// one that serves from the one that takes over.
    fn each_version(&self, value: impl Fn(&VersionStats) -> Option<f64>) -> Samples {
        let mut samples = Vec::new();
        for model in &self.models {
            for (version, role) in model.versions.iter().zip(["serving", "taking over"]) {
                let pairs = [("model", model.name.as_str()), ("version", &version.name), ("role", role)];
                samples.extend(value(version).map(|value| (labels(&pairs), value)));
            }
        }
        samples
    }

    fn outcome_samples(&self) -> Samples {
        let of = |model: &ModelStats| {
            let Outcomes { done, failed, late, overloaded, cancelled, closed } = model.outcomes;
            [
                ("done", done),
                ("failed", failed),
                ("late", late),
                ("overloaded", overloaded),
                ("cancelled", cancelled),
                ("closed", closed),
            ]
            .map(|(outcome, number)| (labels(&[("model", &model.name), ("outcome", outcome)]), count(number)))
        };
        self.models.iter().flat_map(of).collect()
    }

    /// Quantiles, sum and count of each stage, as a summary has them.
    fn stage_samples(&self) -> Samples {
        let mut samples = Vec::new();
        for model in &self.models {
            for (stage, distribution) in model.stages.named() {
                let Distribution { count: number, sum, p50, p90, p99 } = distribution;
                let pairs = [("model", model.name.as_str()), ("stage", stage)];
                for (quantile, value) in [("0.5", p50), ("0.9", p90), ("0.99", p99)] {
                    let [model, stage] = pairs;
                    samples.push((labels(&[model, stage, ("quantile", quantile)]), value));
                }
                samples.push((format!("_sum{}", labels(&pairs)), sum));
                samples.push((format!("_count{}", labels(&pairs)), count(number)));
            }
        }
        samples
    }
}

/// Sizes of batches as a histogram has them: each bucket counts what is in the smaller ones too.
fn size_samples(model: &ModelStats) -> Samples {
    let name = ("model", model.name.as_str());
    let mut seen = 0;
    let mut samples = Vec::new();
    for &(most, number) in &model.batch_sizes {
        seen += number;
        samples.push((format!("_bucket{}", labels(&[name, ("le", &most.to_string())])), count(seen)));
    }
    samples.push((format!("_bucket{}", labels(&[name, ("le", "+Inf")])), count(model.batches)));
    samples.push((format!("_sum{}", labels(&[name])), count(model.rows)));
    samples.push((format!("_count{}", labels(&[name])), count(model.batches)));
    samples
}
