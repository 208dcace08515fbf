//! Quotients of totals.

use comptoir_types::Rounding;
use comptoir_types::decimal::{divide, pow10_wide};

/// `numerator / denominator` in units of `scale` decimal places, rounded half to even once; `None` where the denominator
/// is not positive (the ratio then means nothing) or the result leaves 128 bits.
pub(super) fn ratio(numerator: i128, denominator: i128, scale: u8) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    divide(numerator.checked_mul(pow10_wide(scale)?)?, denominator, Rounding::HalfEven)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_round_once_and_refuse_what_means_nothing() {
        assert_eq!(ratio(2, 3, 2), Some(67));
        assert_eq!(ratio(-1, 8, 2), Some(-12));
        assert_eq!(ratio(1, 0, 2), None);
        assert_eq!(ratio(1, -1, 2), None);
        assert_eq!(ratio(i128::MAX, 1, 2), None);
    }
}
