use std::fmt;

use comptoir_types::{Decimal, Rounding, WideDecimal, decimal};

use super::{EvalCode, Fault, Value};

/// An exact decimal of at most 38 digits, 18 of them after the point.
///
/// It is a [`WideDecimal`] in a form without alignment, so that it adds nothing to the size of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DecimalValue {
    units: [u8; 16],
    scale: u8,
}

impl DecimalValue {
    /// The number in the form that calculates.
    #[must_use]
    pub fn wide(self) -> WideDecimal {
        // The parts come from a decimal, so that they are one.
        WideDecimal::new(i128::from_ne_bytes(self.units), self.scale).unwrap_or(WideDecimal::ZERO)
    }

    /// The decimal that an int, a uint or a decimal is.
    #[must_use]
    pub fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Decimal(value) => Some(*value),
            Value::Int(value) => Self::whole(i128::from(*value)),
            Value::Uint(value) => Self::whole(i128::from(*value)),
            _ => None,
        }
    }

    fn whole(value: i128) -> Option<Self> {
        WideDecimal::new(value, 0).ok().map(Self::from)
    }

    /// Reads text such as `12.30`.
    ///
    /// # Errors
    /// `RULES_INVALID_ARGUMENT` for text that is no decimal.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        text.parse::<WideDecimal>().map(Self::from).map_err(invalid)
    }

    pub(crate) fn add(self, other: Self) -> Result<Self, Fault> {
        self.wide().checked_add(other.wide()).map(Self::from).map_err(range)
    }

    pub(crate) fn subtract(self, other: Self) -> Result<Self, Fault> {
        self.wide().checked_sub(other.wide()).map(Self::from).map_err(range)
    }

    /// The exact product. Where it has more than 18 places they must be zeros.
    pub(crate) fn multiply(self, other: Self) -> Result<Self, Fault> {
        let (left, right) = (self.wide(), other.wide());
        let (mut units, mut scale) = (left.units().checked_mul(right.units()), left.scale() + right.scale());
        while let Some(product) = units
            && scale > decimal::MAX_SCALE
            && product % 10 == 0
        {
            units = Some(product / 10);
            scale -= 1;
        }
        let overflow = || {
            Fault::error(
                EvalCode::Range,
                format!("`{left} * {right}` has more than 38 digits or 18 places: round first"),
            )
        };
        WideDecimal::new(units.ok_or_else(overflow)?, scale).map(Self::from).map_err(|_| overflow())
    }

    /// The quotient, rounded once to `scale` places.
    pub(crate) fn divide(self, other: Self, scale: u8, rounding: Rounding) -> Result<Self, Fault> {
        let (left, right) = (self.wide(), other.wide());
        if right.is_zero() {
            return Err(Fault::error(EvalCode::DivideByZero, format!("`{left}` cannot be divided by zero")));
        }
        let exponent = i16::from(scale) + i16::from(right.scale()) - i16::from(left.scale());
        let power = u8::try_from(exponent.unsigned_abs()).ok().and_then(decimal::pow10_wide);
        let quotient = power.and_then(|power| {
            let (mut dividend, mut divisor) = (left.units(), right.units());
            if exponent >= 0 {
                dividend = dividend.checked_mul(power)?;
            } else {
                divisor = divisor.checked_mul(power)?;
            }
            decimal::divide(dividend, divisor, rounding)
        });
        let overflow = || {
            Fault::error(
                EvalCode::Range,
                format!("`{left} / {right}` does not fit 38 digits at {scale} places"),
            )
        };
        WideDecimal::new(quotient.ok_or_else(overflow)?, scale).map(Self::from).map_err(|_| overflow())
    }

    /// Rounded to `scale` places.
    pub(crate) fn round(self, scale: u8, rounding: Rounding) -> Result<Self, Fault> {
        self.wide().round_to(scale, rounding).map(Self::from).map_err(range)
    }

    pub(crate) fn negated(self) -> Self {
        Self::from(self.wide().negated())
    }
}

impl From<WideDecimal> for DecimalValue {
    fn from(value: WideDecimal) -> Self {
        Self { units: value.units().to_ne_bytes(), scale: value.scale() }
    }
}

impl From<Decimal> for DecimalValue {
    fn from(value: Decimal) -> Self {
        value.widen().into()
    }
}

impl fmt::Display for DecimalValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wide().fmt(formatter)
    }
}

impl fmt::Debug for DecimalValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Decimal({self})")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
fn invalid(error: comptoir_types::Error) -> Fault {
    Fault::error(EvalCode::InvalidArgument, error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
fn range(error: comptoir_types::Error) -> Fault {
    Fault::error(EvalCode::Range, error.to_string())
}
