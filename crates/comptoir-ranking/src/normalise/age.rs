//! Scores that fall with age.

/// `value` x 2^(-`age` / `half_life`): exponential decay, the half after each half-life. Age and half-life in the same
/// unit; NaN for a half-life that is not above zero. An age below zero counts as zero: what lies in the future is not
/// worth more.
#[must_use]
pub fn half_life(value: f64, age: f64, half_life: f64) -> f64 {
    if half_life > 0.0 { value * libm::exp2(-passed(age) / half_life) } else { f64::NAN }
}

/// (`votes` - 1) / (`age_hours` + 2)^`gravity`: the rank of a story on Hacker News, with 1.8 as gravity (P. Graham,
/// news.arc, 2008). An age below zero counts as zero.
///
/// ```
/// let score = comptoir_ranking::normalise::hacker_news(10.0, 1.0, 1.8);
/// assert!((score - 1.2457309396155174).abs() < 1e-15);
/// ```
#[must_use]
pub fn hacker_news(votes: f64, age_hours: f64, gravity: f64) -> f64 {
    (votes - 1.0) / libm::pow(passed(age_hours) + 2.0, gravity)
}

/// sign(s) x log10(max(|s|, 1)) + (`seconds` - 1134028003) / 45000, rounded to seven places: the "hot" order of Reddit,
/// where `points` s are votes up minus votes down and `seconds` is the time since 1970 (reddit, r2/lib/db/_sorts.pyx).
/// Ten times the points are worth twelve and a half hours.
#[must_use]
pub fn reddit_hot(points: f64, seconds: f64) -> f64 {
    if points.is_nan() {
        return f64::NAN;
    }
    let order = libm::log10(points.abs().max(1.0));
    let sign = if points > 0.0 {
        1.0
    } else if points < 0.0 {
        -1.0
    } else {
        0.0
    };
    libm::round((sign * order + (seconds - 1_134_028_003.0) / 45_000.0) * 1e7) / 1e7
}

/// An age, zero for what lies in the future; one that is not known stays so, and `max` would make it zero.
fn passed(age: f64) -> f64 {
    if age < 0.0 { 0.0 } else { age }
}

#[cfg(test)]
mod tests {
    use super::{hacker_news, half_life, reddit_hot};

    #[test]
    fn a_value_halves_with_each_half_life() {
        assert_eq!([0.0, 7.0, 14.0].map(|age| half_life(8.0, age, 7.0)), [8.0, 4.0, 2.0]);
        assert_eq!(half_life(8.0, -1.0, 7.0), 8.0);
        assert!(half_life(8.0, 1.0, 0.0).is_nan());
    }

    #[test]
    fn an_age_that_is_not_known_gives_no_value() {
        assert!(half_life(8.0, f64::NAN, 7.0).is_nan());
        assert!(hacker_news(8.0, f64::NAN, 1.8).is_nan());
        assert!(reddit_hot(8.0, f64::NAN).is_nan());
        assert!(reddit_hot(f64::NAN, 1_262_304_000.0).is_nan());
    }

    #[test]
    fn published_formulas_give_their_values() {
        assert!((hacker_news(100.0, 5.0, 1.8) - 2.981_664_142_813_482_2).abs() < 1e-14);
        assert_eq!(reddit_hot(100.0, 1_262_304_000.0), 2_852.577_711_1);
        assert_eq!(reddit_hot(10.0, 1_262_349_000.0), 2_852.577_711_1);
        assert_eq!(reddit_hot(-5.0, 1_262_304_000.0), 2_849.878_741_1);
    }
}
