//! A value among the values of its group.

use std::ops::RangeInclusive;

use crate::sum::ExactSum;

/// What the values of a group are like: their number, ends, mean and standard deviation. Sums are exact, so that the
/// result depends neither on the order of the values nor on how they were shared out.
///
/// ```
/// use comptoir_ranking::normalise::Spread;
///
/// let mut spread = Spread::default();
/// [2.0, 4.0, 6.0].into_iter().for_each(|value| spread.push(value));
/// assert_eq!(spread.min_max(5.0), 0.75);
/// assert_eq!(spread.z_score(4.0), 0.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Spread {
    count: u64,
    ends: Option<(f64, f64)>,
    sum: ExactSum,
    squares: ExactSum,
}

impl Spread {
    /// Adds a value; NaN is left out.
    pub fn push(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1;
        self.widen(value, value);
        self.sum.add(value);
        self.squares.add_product(value, value);
    }

    /// Adds the values of another group.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        if let Some((low, high)) = other.ends {
            self.widen(low, high);
        }
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    /// How many values there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The arithmetic mean; NaN without values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no group has 2^53 values")]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.sum.value() / self.count as f64 }
    }

    /// The standard deviation of the population, √(Σ(x - mean)² / n); NaN without values, and where their squares are too
    /// large or too small for doubles.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no group has 2^53 values")]
    pub fn deviation(&self) -> f64 {
        // The mean of equal values may be rounded.
        if self.ends.is_some_and(|(low, high)| low == high) {
            return 0.0;
        }
        let largest = self.ends.map_or(0.0, |(low, high)| low.abs().max(high.abs()));
        if !SQUARED.contains(&largest) {
            return f64::NAN;
        }
        let (count, mean) = (self.count as f64, self.mean());
        // Σ(x - mean)² = Σx² - mean·rest with rest = 2·Σx - n·mean, kept as two doubles: of numbers that are close
        // together nothing would be left otherwise.
        let mut rest = self.sum.clone();
        rest.merge(&self.sum);
        rest.add_product(-count, mean);
        let high = rest.value();
        rest.add(-high);
        let mut squares = self.squares.clone();
        squares.add_product(-mean, high);
        squares.add_product(-mean, rest.value());
        (squares.value().max(0.0) / count).sqrt()
    }

    /// The smallest and the largest value; `None` without values.
    #[must_use]
    pub const fn ends(&self) -> Option<(f64, f64)> {
        self.ends
    }

    /// [`min_max`] between the ends of the group; NaN without values.
    #[must_use]
    pub fn min_max(&self, value: f64) -> f64 {
        self.ends.map_or(f64::NAN, |(low, high)| min_max(value, low, high))
    }

    /// [`z_score`] by mean and deviation of the group; NaN without values.
    #[must_use]
    pub fn z_score(&self, value: f64) -> f64 {
        z_score(value, self.mean(), self.deviation())
    }

    fn widen(&mut self, low: f64, high: f64) {
        let ends = self.ends.unwrap_or((low, high));
        self.ends = Some((ends.0.min(low), ends.1.max(high)));
    }
}

/// The largest of some values whose squares add up without loss: 2^-480 to 2^480.
const SQUARED: RangeInclusive<f64> = 3.203_332_952_292_961_5e-145..=3.121_748_550_315_992_2e144;

/// (`value` - `low`) / (`high` - `low`): 0 at `low` and 1 at `high`; 0 where `high` is not above `low`.
#[must_use]
pub fn min_max(value: f64, low: f64, high: f64) -> f64 {
    let width = high - low;
    if width.is_infinite() && low.is_finite() && high.is_finite() {
        // Halves of numbers so large are exact.
        return (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    }
    if high > low { (value - low) / width } else { (value + low + high) * 0.0 }
}

/// (`value` - `mean`) / `deviation`: how many standard deviations a value lies above the mean; 0 without deviation.
#[must_use]
pub fn z_score(value: f64, mean: f64, deviation: f64) -> f64 {
    if deviation == 0.0 { value * 0.0 } else { (value - mean) / deviation }
}

/// The share of `sorted` values that are below `value`, with half of those that equal it: 0 to 1, the mid-rank
/// percentile ("mean" in scipy's `percentileofscore`). NaN without values. `sorted` is ascending and has no NaN.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no group has 2^52 values")]
pub fn percentile(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|other| *other < value);
    let not_above = sorted.partition_point(|other| *other <= value);
    if value.is_nan() { f64::NAN } else { (below + not_above) as f64 / (2 * sorted.len()) as f64 }
}

/// The `share` quantile of `sorted` values, with linear interpolation between neighbours: definition 7 of R. J. Hyndman
/// and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50, 1996, the default of NumPy.
/// NaN without values. `sorted` is ascending and has no NaN.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no group has 2^52 values, and a place is not below zero"
)]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor();
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(below), at(place.ceil()));
    let share = place - below;
    let width = high - low;
    if low == high {
        low
    } else if width.is_infinite() && low.is_finite() && high.is_finite() {
        low * (1.0 - share) + high * share
    } else if share < 0.5 {
        low + width * share
    } else {
        // From the nearer end, as NumPy does: at the end itself the result is exact.
        high - width * (1.0 - share)
    }
}

#[cfg(test)]
mod tests {
    use super::{SQUARED, Spread, percentile, quantile};

    fn spread(values: &[f64]) -> Spread {
        let mut spread = Spread::default();
        values.iter().for_each(|value| spread.push(*value));
        spread
    }

    #[test]
    fn equal_values_have_no_spread() {
        let flat = spread(&[0.1, 0.1, 0.1]);
        assert_eq!((flat.min_max(0.1), flat.z_score(0.1)), (0.0, 0.0));
        assert!(Spread::default().z_score(1.0).is_nan());
    }

    #[test]
    fn the_deviation_of_large_close_values_is_not_lost() {
        let close = spread(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
        assert_eq!((close.mean(), close.deviation()), (1e9 + 10.0, 22.5_f64.sqrt()));
    }

    #[test]
    fn the_largest_doubles_have_a_width() {
        let wide = spread(&[1e308, -1e308, 5e307]);
        assert_eq!([1e308, 0.0, -1e308].map(|value| wide.min_max(value)), [1.0, 0.5, 0.0]);
        assert_eq!(
            [0.0, 0.25, 0.5, 1.0].map(|share| quantile(&[-1e308, 1e308], share)),
            [-1e308, -5e307, 0.0, 1e308]
        );
    }

    #[test]
    fn a_deviation_that_no_double_holds_is_none() {
        assert_eq!((*SQUARED.start(), *SQUARED.end()), (2.0_f64.powi(-480), 2.0_f64.powi(480)));
        for values in
            [[1e308, -1e308], [1e-320, 0.0], [f64::INFINITY, 1.0], [f64::INFINITY, f64::NEG_INFINITY]]
        {
            let spread = spread(&values);
            assert!(values.iter().all(|value| spread.z_score(*value).is_nan()), "{values:?}");
        }
        for size in [*SQUARED.start(), 1e-100, 1e100, *SQUARED.end()] {
            assert_eq!([size, -size].map(|value| spread(&[size, -size]).z_score(value)), [1.0, -1.0]);
        }
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(
            [0.0, 0.5, 0.9, 1.0].map(|share| quantile(&sorted, share)),
            [1.0, 3.0, 6.800_000_000_000_001, 8.0]
        );
        assert_eq!([1.0, 3.0, 9.0].map(|value| percentile(&sorted, value)), [0.125, 0.5, 1.0]);
    }
}
