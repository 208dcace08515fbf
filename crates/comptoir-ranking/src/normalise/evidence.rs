//! Scores of items with few observations.

/// The lower end of the Wilson score interval for a share of `successes` in `trials`; `z` is the quantile of the normal
/// distribution (1.96 for 95 %). 0 without trials; NaN for impossible counts.
///
/// (p + z²/2n - z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n) with p = successes / n (E. B. Wilson, "Probable inference, the law
/// of succession, and statistical inference", JASA 22, 1927).
///
/// ```
/// let lower = comptoir_ranking::normalise::wilson_lower(1.0, 29.0, 1.959963984540054);
/// assert!((lower - 0.006113214292762653).abs() < 1e-15);
/// ```
#[must_use]
pub fn wilson_lower(successes: f64, trials: f64, z: f64) -> f64 {
    wilson(successes, trials, z).map_or(if trials == 0.0 { 0.0 } else { f64::NAN }, |(low, _)| low)
}

/// The upper end of the Wilson score interval; 1 without trials. See [`wilson_lower`].
#[must_use]
pub fn wilson_upper(successes: f64, trials: f64, z: f64) -> f64 {
    wilson(successes, trials, z).map_or(if trials == 0.0 { 1.0 } else { f64::NAN }, |(_, high)| high)
}

fn wilson(successes: f64, trials: f64, z: f64) -> Option<(f64, f64)> {
    let is_possible = trials > 0.0 && successes >= 0.0 && successes <= trials && z >= 0.0;
    is_possible.then(|| {
        let share = successes / trials;
        let square = z * z;
        let middle = share + square / (2.0 * trials);
        let half = z * (share * (1.0 - share) / trials + square / (4.0 * trials * trials)).sqrt();
        let scale = 1.0 + square / trials;
        (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
    })
}

/// (`sum` + `weight` x `prior`) / (`count` + `weight`): the mean of `count` ratings with sum `sum`, drawn towards `prior`
/// as if `weight` more ratings of that value had been given. The prior where there is nothing to draw; NaN where both
/// count and weight are zero, or one of them is below it.
#[must_use]
pub fn bayesian_average(sum: f64, count: f64, prior: f64, weight: f64) -> f64 {
    let is_possible = count >= 0.0 && weight >= 0.0 && count + weight > 0.0;
    if is_possible { (sum + weight * prior) / (count + weight) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::{bayesian_average, wilson_lower, wilson_upper};

    #[test]
    fn without_trials_all_shares_are_possible() {
        assert_eq!((wilson_lower(0.0, 0.0, 1.96), wilson_upper(0.0, 0.0, 1.96)), (0.0, 1.0));
        assert!(wilson_lower(3.0, 2.0, 1.96).is_nan());
    }

    #[test]
    fn the_interval_is_that_of_newcombes_table() {
        let z = 1.959_963_984_540_054;
        assert_eq!(wilson_lower(0.0, 20.0, z), 0.0);
        assert!((wilson_upper(0.0, 20.0, z) - 0.161_125_158_052_818_38).abs() < 1e-15);
        assert!((wilson_upper(1.0, 29.0, z) - 0.171_755_218_793_202_88).abs() < 1e-15);
    }

    #[test]
    fn few_ratings_stay_near_the_prior() {
        assert_eq!(bayesian_average(5.0, 1.0, 3.0, 9.0), 3.2);
        for (count, weight) in [(0.0, 0.0), (1.0, -1.0), (-1.0, 9.0), (f64::NAN, 1.0)] {
            assert!(bayesian_average(5.0, count, 3.0, weight).is_nan());
        }
    }
}
