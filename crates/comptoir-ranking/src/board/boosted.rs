//! Scores after boosts, in the order of the numbers that they are.
//!
//! Boosts make doubles of integers and decimals, but only of those that they touch. On one board stand then numbers of
//! several kinds, and an order of doubles would tie integers beyond 2^53 that differ. So each score is the double that is
//! nearest to it and what it has beyond that: no double lies between a number and its nearest one, so that the nearest come
//! first in the comparison and what is beyond decides where they are equal.

use super::numbers::NumberKind;

/// A score after boosts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boosted {
    /// The double that is nearest to it.
    pub nearest: f64,
    /// What it has beyond that, in halves of a unit of its kind. An odd number is a double between two units.
    pub beyond: i128,
}

/// Decimals have 38 digits; no number beyond is exact.
const LIMIT: u128 = 10_u128.pow(38);

/// What a factor and an addition make of a number of a kind. A factor above 1 makes every score higher, also one below
/// zero. Where whole numbers make a number of the same kind, or nothing is changed, the result is exact, else a double.
pub fn boosted(kind: NumberKind, number: i128, factor: f64, addition: f64) -> Boosted {
    if let Some(exact) = exact(kind, number, factor, addition) {
        let nearest = nearest(kind, exact);
        // A double is less than half a step of doubles away, and that has at most 38 digits too.
        let (units, _) = units(kind, nearest).unwrap_or((exact, false));
        return Boosted { nearest, beyond: (exact - units) * 2 };
    }
    let score = nearest(kind, number);
    let score = if score < 0.0 { score / factor } else { score * factor };
    let nearest = score + addition;
    let is_between = units(kind, nearest).is_some_and(|(_, is_between)| is_between);
    Boosted { nearest, beyond: is_between.into() }
}

/// The result as a number of the kind, in its units.
#[expect(clippy::float_cmp, reason = "what is not touched has a factor of 1")]
fn exact(kind: NumberKind, number: i128, factor: f64, addition: f64) -> Option<i128> {
    let unit = 10_i128.pow(kind.scale()?);
    let product = if factor == 1.0 {
        number
    } else if number < 0 {
        let factor = whole(factor)?;
        (number.checked_rem(factor)? == 0).then(|| number.checked_div(factor))??
    } else {
        number.checked_mul(whole(factor)?)?
    };
    let result = product.checked_add(whole(addition)?.checked_mul(unit)?)?;
    Some(result).filter(|result| result.unsigned_abs() < LIMIT)
}

/// A double that is an integer.
#[expect(clippy::cast_possible_truncation, reason = "it is whole and within the limits")]
fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() < 1e38).then_some(number as i128)
}

/// The double that is nearest to a number of a kind; where two are equally near, one of them.
fn nearest(kind: NumberKind, number: i128) -> f64 {
    let first = kind.double(number);
    if kind != NumberKind::Decimal {
        return first;
    }
    // It was rounded twice, so that it may be beside the nearest.
    let size = number.saturating_abs();
    let mut double = first.abs();
    while double > 0.0 && is_below_middle(size, double.next_down()) {
        double = double.next_down();
    }
    while is_above_middle(size, double) {
        double = double.next_up();
    }
    double.copysign(first)
}

/// Whether a decimal is less than what lies in the middle between a double, not below zero, and the next one.
fn is_below_middle(number: i128, double: f64) -> bool {
    let (mantissa, exponent) = parts(double);
    let middle = scaled(NumberKind::Decimal, mantissa * 2 + 1, exponent - 1);
    middle.is_some_and(|(units, is_between)| number < units || (number == units && is_between))
}

fn is_above_middle(number: i128, double: f64) -> bool {
    let (mantissa, exponent) = parts(double);
    scaled(NumberKind::Decimal, mantissa * 2 + 1, exponent - 1).is_some_and(|(units, _)| number > units)
}

/// A double in units of a kind: how many whole ones, and whether there is more. `None` where no number of the kind is as
/// large.
fn units(kind: NumberKind, double: f64) -> Option<(i128, bool)> {
    let (mantissa, exponent) = parts(double);
    scaled(kind, mantissa, exponent)
}

/// `mantissa` x 2^`exponent` in units of a kind, rounded down, and whether there is more.
fn scaled(kind: NumberKind, mantissa: i128, exponent: i32) -> Option<(i128, bool)> {
    // 10^18 is 5^18 x 2^18.
    let scale = kind.scale()?;
    let product = mantissa.checked_mul(5_i128.pow(scale))?;
    let shift = exponent.checked_add_unsigned(scale)?;
    if shift >= 0 {
        let times = 2_i128.checked_pow(shift.unsigned_abs())?;
        return Some((product.checked_mul(times)?, false));
    }
    let shift = shift.unsigned_abs().min(i128::BITS - 1);
    let rest = product & !(-1_i128 << shift);
    Some((product >> shift, rest != 0))
}

/// A finite double as an integer times a power of two; any numbers for others.
fn parts(double: f64) -> (i128, i32) {
    const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = double.to_bits();
    let exponent = ((bits >> FRACTION) & 0x7ff) as i32;
    let fraction = i128::from(bits & ((1 << FRACTION) - 1));
    // Numbers near zero have no leading one.
    let (mantissa, exponent) = match exponent {
        0 => (fraction, 1),
        exponent => (fraction | (1 << FRACTION), exponent),
    };
    (if double.is_sign_negative() { -mantissa } else { mantissa }, exponent - 1_075)
}

#[cfg(test)]
#[path = "boosted_tests.rs"]
mod tests;
