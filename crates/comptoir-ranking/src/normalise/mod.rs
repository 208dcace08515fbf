//! The formulas by which a score is made of metrics, each with its source.
//!
//! Every function takes and gives plain doubles; a result that is not defined is NaN, and an item with a NaN score is
//! left out of a board and counted. Logarithms and powers come from `libm` and not from the system, so that every
//! machine gives the same bits.
//!
//! | what | functions |
//! |---|---|
//! | one value | [`log1p`], [`cap`] |
//! | a value among others | [`Spread`] for [`min_max`] and [`z_score`], [`percentile`], [`quantile`] |
//! | age | [`half_life`], [`hacker_news`], [`reddit_hot`] |
//! | few observations | [`wilson_lower`], [`wilson_upper`], [`bayesian_average`] |

mod age;
mod evidence;
mod spread;

pub use age::{hacker_news, half_life, reddit_hot};
pub use evidence::{bayesian_average, wilson_lower, wilson_upper};
pub use spread::{Spread, min_max, percentile, quantile, z_score};

/// ln(1 + `value`): a metric with few large values, such as sales, made comparable. 0 at 0, NaN below -1.
///
/// ```
/// assert_eq!(comptoir_ranking::normalise::log1p(0.0), 0.0);
/// ```
#[must_use]
pub fn log1p(value: f64) -> f64 {
    libm::log1p(value)
}

/// `value` within the bounds: an outlier counts as much as the bound. NaN stays NaN. Winsorizing, with bounds from
/// [`quantile`] or fixed (W. J. Dixon, "Simplified estimation from censored normal samples", 1960).
#[must_use]
pub fn cap(value: f64, low: f64, high: f64) -> f64 {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}
