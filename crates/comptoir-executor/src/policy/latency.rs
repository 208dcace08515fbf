//! How long a batch takes, learned while it runs.

use super::Nanos;

/// Device time of a batch of n rows as a + b x n, fitted by least squares with exponentially fading weights.
///
/// The newest batch weighs most; one of 50 batches ago weighs 1/e of it. A time above four times the estimate counts as
/// four times the estimate, so that a hiccup does not look like a slower device, while a device that has become slower
/// is believed within a few batches.
#[derive(Debug, Clone)]
pub struct LatencyModel {
    prior: (f64, f64),
    weight: f64,
    rows: f64,
    rows_squared: f64,
    time: f64,
    rows_time: f64,
    observed: u64,
    /// Slope of the last fit that batches of different sizes stood behind.
    slope: Option<f64>,
}

const FADE: f64 = 1.0 - 1.0 / 50.0;
const OUTLIER: f64 = 4.0;
/// Batches before an outlier can be told.
const SETTLED: u64 = 8;
/// Below this relative spread, sizes are too alike to tell the slope.
const LEAST_SPREAD: f64 = 0.02;

impl LatencyModel {
    /// A model with a known fixed time and time per row, used until batches have been observed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times far below 2^53 ns")]
    pub fn new(fixed: Nanos, per_row: Nanos) -> Self {
        Self {
            prior: (fixed as f64, per_row as f64),
            weight: 0.0,
            rows: 0.0,
            rows_squared: 0.0,
            time: 0.0,
            rows_time: 0.0,
            observed: 0,
            slope: None,
        }
    }

    /// A model that knows nothing and estimates 0 until the first batch.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(0, 0)
    }

    /// Learns from a batch of `rows` rows that took `took`.
    #[expect(clippy::cast_precision_loss, reason = "times far below 2^53 ns")]
    pub fn observe(&mut self, rows: usize, took: Nanos) {
        let (n, mut time) = (rows as f64, took as f64);
        if self.observed >= SETTLED {
            time = time.min(self.estimate(rows) as f64 * OUTLIER);
        }
        for (sum, value) in [
            (&mut self.weight, 1.0),
            (&mut self.rows, n),
            (&mut self.rows_squared, n * n),
            (&mut self.time, time),
            (&mut self.rows_time, n * time),
        ] {
            *sum = *sum * FADE + value;
        }
        self.observed += 1;
        if let Some(slope) = self.fitted_slope() {
            self.slope = Some(slope);
        }
    }

    /// Expected time of a batch of `rows` rows.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float saturates"
    )]
    pub fn estimate(&self, rows: usize) -> Nanos {
        let (fixed, per_row) = self.fit().unwrap_or(self.prior);
        (fixed + per_row * rows as f64) as Nanos
    }

    /// The fixed time and the time per row in nanoseconds, neither below 0; none before the first batch.
    #[must_use]
    pub fn fit(&self) -> Option<(f64, f64)> {
        if self.observed == 0 {
            return None;
        }
        let (mean_rows, mean_time) = (self.rows / self.weight, self.time / self.weight);
        // Sizes that were all alike say what they take together; the slope is then what it was.
        let slope = self.slope.unwrap_or(self.prior.1).clamp(0.0, mean_time / mean_rows.max(1.0));
        Some(((mean_time - slope * mean_rows).max(0.0), slope))
    }

    fn fitted_slope(&self) -> Option<f64> {
        let (mean_rows, mean_time) = (self.rows / self.weight, self.time / self.weight);
        let variance = self.rows_squared / self.weight - mean_rows * mean_rows;
        if variance <= (LEAST_SPREAD * mean_rows).powi(2) {
            return None;
        }
        Some((self.rows_time / self.weight - mean_rows * mean_time) / variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fit_finds_the_line() {
        let mut model = LatencyModel::unknown();
        assert_eq!((model.fit(), model.estimate(9)), (None, 0));
        for batch in 0..200_usize {
            let rows = 1 + batch * 13 % 32;
            model.observe(rows, 4_000_000 + 150_000 * rows as u64);
        }
        let (fixed, per_row) = model.fit().unwrap();
        assert!((fixed - 4e6).abs() < 1e3 && (per_row - 1.5e5).abs() < 1e2, "{fixed} {per_row}");
        assert!(model.estimate(32).abs_diff(8_800_000) < 10_000);
    }

    #[test]
    fn a_hiccup_hardly_moves_it_and_a_slower_device_does() {
        let mut model = LatencyModel::unknown();
        let feed = |model: &mut LatencyModel, from: usize, factor: u64| {
            for batch in from..from + 100 {
                let rows = 1 + batch * 13 % 32;
                model.observe(rows, factor * (4_000_000 + 150_000 * rows as u64));
            }
        };
        feed(&mut model, 0, 1);
        model.observe(8, 5_000_000_000);
        assert!(model.estimate(8) < 6_000_000, "{}", model.estimate(8));
        feed(&mut model, 0, 3);
        assert!(model.estimate(8) > 12_000_000, "{}", model.estimate(8));
    }

    #[test]
    fn batches_of_one_size_keep_the_slope_that_was_known() {
        let mut model = LatencyModel::unknown();
        model.observe(1, 4_150_000);
        model.observe(32, 8_800_000);
        (0..500).for_each(|_| model.observe(32, 8_800_000));
        assert!(model.estimate(1).abs_diff(4_150_000) < 200_000, "{}", model.estimate(1));
    }
}
