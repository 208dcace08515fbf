use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::text::{format_units, parse};
use super::{MAX_SCALE, MAX_UNITS, Rounding, WideDecimal, divide, pow10_wide};
use crate::error::Error;

/// An exact decimal of at most 18 digits: `units / 10^scale`.
///
/// ```
/// use comptoir_types::{Decimal, Rounding};
///
/// let amount: Decimal = "19.99".parse()?;
/// assert_eq!((amount.units(), amount.scale()), (1999, 2));
/// assert_eq!(amount.round_to(1, Rounding::HalfEven)?.to_string(), "20.0");
/// assert!(amount.rescale_exact(1).is_err());
/// # Ok::<(), comptoir_types::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Decimal {
    units: i64,
    scale: u8,
}

impl Decimal {
    /// Zero, with no decimal places.
    pub const ZERO: Self = Self { units: 0, scale: 0 };

    /// The decimal `units / 10^scale`.
    ///
    /// # Errors
    /// `TYPES_SCALE_RANGE` above 18 decimal places, `TYPES_DECIMAL_OVERFLOW` above 18 digits.
    pub fn new(units: i64, scale: u8) -> Result<Self, Error> {
        Self::from_wide(i128::from(units), scale, || format_units(i128::from(units), scale.min(MAX_SCALE)))
    }

    /// The scaled integer: for money at scale 2, cents.
    #[must_use]
    pub const fn units(self) -> i64 {
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
    /// `TYPES_DECIMAL_OVERFLOW` where the sum needs more than 18 digits.
    pub fn checked_add(self, other: Self) -> Result<Self, Error> {
        let scale = self.scale.max(other.scale);
        let sum = self.units_at(scale) + other.units_at(scale);
        Self::from_wide(sum, scale, || format!("{self} + {other}"))
    }

    /// The difference, at the larger of the two scales.
    ///
    /// # Errors
    /// `TYPES_DECIMAL_OVERFLOW` where the difference needs more than 18 digits.
    pub fn checked_sub(self, other: Self) -> Result<Self, Error> {
        let scale = self.scale.max(other.scale);
        let difference = self.units_at(scale) - other.units_at(scale);
        Self::from_wide(difference, scale, || format!("{self} - {other}"))
    }

    /// The value with the opposite sign; the range is symmetric, so that this cannot fail.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self { units: -self.units, scale: self.scale }
    }

    /// The exact product, at the sum of the two scales.
    ///
    /// # Errors
    /// `TYPES_SCALE_RANGE` where the scales add up to more than 18, `TYPES_DECIMAL_OVERFLOW` above 18 digits. Use
    /// [`Decimal::mul_round`] for a product at a chosen scale.
    pub fn checked_mul(self, other: Self) -> Result<Self, Error> {
        let product = i128::from(self.units) * i128::from(other.units);
        Self::from_wide(product, self.scale + other.scale, || format!("{self} * {other}"))
    }

    /// The product rounded to `scale` decimal places, in one rounding.
    ///
    /// # Errors
    /// `TYPES_SCALE_RANGE` above 18 decimal places, `TYPES_DECIMAL_OVERFLOW` above 18 digits.
    pub fn mul_round(self, other: Self, scale: u8, rounding: Rounding) -> Result<Self, Error> {
        let product = i128::from(self.units) * i128::from(other.units);
        let exponent = i16::from(scale) - i16::from(self.scale) - i16::from(other.scale);
        Self::scaled_quotient(product, 1, exponent, scale, rounding, || format!("{self} * {other}"))
    }

    /// The quotient rounded to `scale` decimal places, in one rounding.
    ///
    /// # Errors
    /// `TYPES_DIVISION_BY_ZERO`, `TYPES_SCALE_RANGE` above 18 decimal places, `TYPES_DECIMAL_OVERFLOW` above 18 digits.
    pub fn div_round(self, other: Self, scale: u8, rounding: Rounding) -> Result<Self, Error> {
        if other.units == 0 {
            return Err(Error::DivisionByZero { text: self.to_string() });
        }
        let exponent = i16::from(scale) + i16::from(other.scale) - i16::from(self.scale);
        let (dividend, divisor) = (i128::from(self.units), i128::from(other.units));
        Self::scaled_quotient(dividend, divisor, exponent, scale, rounding, || format!("{self} / {other}"))
    }

    /// The same value with `scale` decimal places.
    ///
    /// # Errors
    /// `TYPES_EXCESS_SCALE` where digits other than zero would be lost, `TYPES_DECIMAL_OVERFLOW` above 18 digits,
    /// `TYPES_SCALE_RANGE` above 18 decimal places.
    pub fn rescale_exact(self, scale: u8) -> Result<Self, Error> {
        let rescaled = self.round_to(scale, Rounding::Down)?;
        if rescaled == self {
            Ok(rescaled)
        } else {
            Err(Error::ExcessScale { text: self.to_string(), scale })
        }
    }

    /// The value rounded to `scale` decimal places.
    ///
    /// # Errors
    /// `TYPES_SCALE_RANGE` above 18 decimal places, `TYPES_DECIMAL_OVERFLOW` above 18 digits.
    pub fn round_to(self, scale: u8, rounding: Rounding) -> Result<Self, Error> {
        let exponent = i16::from(scale) - i16::from(self.scale);
        Self::scaled_quotient(i128::from(self.units), 1, exponent, scale, rounding, || self.to_string())
    }

    /// The same value in the wide form.
    #[must_use]
    pub fn widen(self) -> WideDecimal {
        WideDecimal::from(self)
    }

    /// `dividend * 10^exponent / divisor` at `scale`. The dividend stays under 10^36 and the divisor under 10^18, so
    /// that an overflow of the scaled dividend (above 10^38) means a quotient above 10^18, which is out of range.
    fn scaled_quotient(
        dividend: i128,
        divisor: i128,
        exponent: i16,
        scale: u8,
        rounding: Rounding,
        text: impl Fn() -> String,
    ) -> Result<Self, Error> {
        check_scale(scale)?;
        let power = u8::try_from(exponent.unsigned_abs()).ok().and_then(pow10_wide);
        let quotient = power.and_then(|power| {
            if exponent >= 0 {
                divide(dividend.checked_mul(power)?, divisor, rounding)
            } else {
                divide(dividend, divisor.checked_mul(power)?, rounding)
            }
        });
        let Some(units) = quotient else {
            return Err(Error::DecimalOverflow { text: text(), digits: 18, scale });
        };
        Self::from_wide(units, scale, text)
    }

    /// Units at a scale not below the own one: under 10^36, so that it cannot wrap.
    fn units_at(self, scale: u8) -> i128 {
        i128::from(self.units) * pow10_wide(scale.saturating_sub(self.scale)).unwrap_or(1)
    }

    pub(super) fn from_wide(units: i128, scale: u8, text: impl Fn() -> String) -> Result<Self, Error> {
        check_scale(scale)?;
        match i64::try_from(units) {
            Ok(units) if (-MAX_UNITS..=MAX_UNITS).contains(&units) => Ok(Self { units, scale }),
            _ => Err(Error::DecimalOverflow { text: text(), digits: 18, scale }),
        }
    }
}

pub(super) fn check_scale(scale: u8) -> Result<(), Error> {
    if scale > MAX_SCALE { Err(Error::ScaleRange { scale: i16::from(scale) }) } else { Ok(()) }
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (units, scale) = parse(text)?;
        Self::from_wide(units, scale, || text.to_owned())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format_units(i128::from(self.units), self.scale))
    }
}

impl From<i32> for Decimal {
    fn from(value: i32) -> Self {
        Self { units: i64::from(value), scale: 0 }
    }
}

impl From<u32> for Decimal {
    fn from(value: u32) -> Self {
        Self { units: i64::from(value), scale: 0 }
    }
}

impl TryFrom<i64> for Decimal {
    type Error = Error;

    fn try_from(value: i64) -> Result<Self, Error> {
        Self::new(value, 0)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.units_at(scale).cmp(&other.units_at(scale))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal values at different scales must hash alike: both are brought to the largest scale.
        self.units_at(MAX_SCALE).hash(state);
    }
}

#[cfg(test)]
#[path = "fixed_tests.rs"]
mod tests;
