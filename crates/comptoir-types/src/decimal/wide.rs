use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::fixed::check_scale;
use super::text::{format_units, parse};
use super::{Decimal, MAX_SCALE, MAX_WIDE_UNITS, Rounding, divide, pow10_wide};
use crate::error::Error;

/// An exact decimal of at most 38 digits, for totals over many [`Decimal`]s.
///
/// 10^20 decimals of 18 digits can be added up before a total overflows.
#[derive(Debug, Clone, Copy, Default)]
pub struct WideDecimal {
    units: i128,
    scale: u8,
}

impl WideDecimal {
    /// Zero, with no decimal places.
    pub const ZERO: Self = Self { units: 0, scale: 0 };

    /// The decimal `units / 10^scale`.
    ///
    /// # Errors
    /// `TYPES_SCALE_RANGE` above 18 decimal places, `TYPES_DECIMAL_OVERFLOW` above 38 digits.
    pub fn new(units: i128, scale: u8) -> Result<Self, Error> {
        check_scale(scale)?;
        if units.unsigned_abs() > MAX_WIDE_UNITS.unsigned_abs() {
            return Err(overflow(format_units(units, scale), scale));
        }
        Ok(Self { units, scale })
    }

    /// The scaled integer.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.units
    }

    /// The number of decimal places.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Whether the value is zero, at any scale.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.units == 0
    }

    /// The sum, at the larger of the two scales.
    ///
    /// # Errors
    /// `TYPES_DECIMAL_OVERFLOW` where an operand or the sum needs more than 38 digits at that scale.
    pub fn checked_add(self, other: Self) -> Result<Self, Error> {
        let scale = self.scale.max(other.scale);
        let sum = self.units_at(scale).zip(other.units_at(scale)).and_then(|(a, b)| a.checked_add(b));
        sum.and_then(|units| Self::new(units, scale).ok())
            .ok_or_else(|| overflow(format!("{self} + {other}"), scale))
    }

    /// The difference, at the larger of the two scales.
    ///
    /// # Errors
    /// As [`WideDecimal::checked_add`].
    pub fn checked_sub(self, other: Self) -> Result<Self, Error> {
        self.checked_add(other.negated())
    }

    /// The value with the opposite sign; the range is symmetric, so that this cannot fail.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self { units: -self.units, scale: self.scale }
    }

    /// The value rounded to `scale` decimal places.
    ///
    /// # Errors
    /// `TYPES_SCALE_RANGE` above 18 decimal places, `TYPES_DECIMAL_OVERFLOW` above 38 digits.
    pub fn round_to(self, scale: u8, rounding: Rounding) -> Result<Self, Error> {
        check_scale(scale)?;
        let units = if scale >= self.scale {
            self.units_at(scale)
        } else {
            pow10_wide(self.scale - scale).and_then(|power| divide(self.units, power, rounding))
        };
        units.and_then(|units| Self::new(units, scale).ok()).ok_or_else(|| overflow(self.to_string(), scale))
    }

    /// The same value with `scale` decimal places.
    ///
    /// # Errors
    /// `TYPES_EXCESS_SCALE` where digits other than zero would be lost, else as [`WideDecimal::round_to`].
    pub fn rescale_exact(self, scale: u8) -> Result<Self, Error> {
        let rescaled = self.round_to(scale, Rounding::Down)?;
        if rescaled == self {
            Ok(rescaled)
        } else {
            Err(Error::ExcessScale { text: self.to_string(), scale })
        }
    }

    /// The same value in the 18-digit form, at the same scale.
    ///
    /// # Errors
    /// `TYPES_DECIMAL_OVERFLOW` above 18 digits.
    pub fn narrow(self) -> Result<Decimal, Error> {
        Decimal::from_wide(self.units, self.scale, || self.to_string())
    }

    fn units_at(self, scale: u8) -> Option<i128> {
        self.units.checked_mul(pow10_wide(scale.saturating_sub(self.scale))?)
    }

    /// Whole part and fraction in units of 10^-18, both rounded down: equal values have equal parts at any scale.
    fn parts(self) -> (i128, i128) {
        let power = pow10_wide(self.scale).unwrap_or(1);
        let fill = pow10_wide(MAX_SCALE.saturating_sub(self.scale)).unwrap_or(1);
        (self.units.div_euclid(power), self.units.rem_euclid(power) * fill)
    }
}

fn overflow(text: String, scale: u8) -> Error {
    Error::DecimalOverflow { text, digits: 38, scale }
}

impl From<Decimal> for WideDecimal {
    fn from(value: Decimal) -> Self {
        Self { units: i128::from(value.units()), scale: value.scale() }
    }
}

impl From<i64> for WideDecimal {
    fn from(value: i64) -> Self {
        Self { units: i128::from(value), scale: 0 }
    }
}

impl FromStr for WideDecimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (units, scale) = parse(text)?;
        Self::new(units, scale)
    }
}

impl fmt::Display for WideDecimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format_units(self.units, self.scale))
    }
}

impl Ord for WideDecimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for WideDecimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for WideDecimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for WideDecimal {}

impl Hash for WideDecimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sums_beyond_64_bits_are_exact_and_bounded() {
        let large: WideDecimal = "999999999999999999.99".parse().unwrap();
        assert_eq!(large.checked_add(large).unwrap().to_string(), "1999999999999999999.98");
        let limit = WideDecimal::new(MAX_WIDE_UNITS, 0).unwrap();
        assert!(limit.checked_add(WideDecimal::from(1)).is_err());
        assert!(WideDecimal::new(MAX_WIDE_UNITS + 1, 0).is_err());
        assert!(WideDecimal::new(i128::MIN, 0).is_err());
    }

    #[test]
    fn values_compare_across_scales_at_the_extremes() {
        let limit = WideDecimal::new(MAX_WIDE_UNITS, 0).unwrap();
        let small = WideDecimal::new(MAX_WIDE_UNITS, 18).unwrap();
        assert!(small < limit && limit.negated() < small.negated());
        assert_eq!(WideDecimal::new(-150, 2).unwrap(), WideDecimal::new(-15, 1).unwrap());
    }

    proptest! {
        #[test]
        fn text_round_trips(units in -MAX_WIDE_UNITS..=MAX_WIDE_UNITS, scale in 0_u8..=18) {
            let value = WideDecimal::new(units, scale).unwrap();
            let back: WideDecimal = value.to_string().parse().unwrap();
            prop_assert_eq!((back.units(), back.scale()), (units, scale));
        }
    }
}
