//! `value * numerator / denominator`, exact, with one rounding: the operation under every costing method.

use super::Rounding;

/// Bound on the magnitude of the value within which [`mul_div_half_even_small`] is exact: 2^49.
pub const SMALL_VALUE: i64 = 1 << 49;

/// Bound on the denominator within which [`mul_div_half_even_small`] is exact: 2^51.
pub const SMALL_DENOMINATOR: i64 = 1 << 51;

/// Computes `value * numerator / denominator` exactly and rounds once.
///
/// Any signs are allowed. The product never overflows, since it is formed in 128 bits wherever 64 do not
/// suffice. Returns `None` where the denominator is zero or the rounded quotient does not fit an `i64`.
///
/// ```
/// use comptoir_types::decimal::{Rounding, mul_div};
///
/// // Three of seven pieces that are worth 10.00 together cost 4.29.
/// assert_eq!(mul_div(1000, 3, 7, Rounding::HalfEven), Some(429));
/// assert_eq!(mul_div(1000, 3, 0, Rounding::HalfEven), None);
/// ```
#[must_use]
pub fn mul_div(value: i64, numerator: i64, denominator: i64, rounding: Rounding) -> Option<i64> {
    // Each conversion and each operation errs by a factor within 1 +- 2^-53, five factors in all, so an
    // estimate below 2^49 is within 0.32 of the quotient. A zero denominator gives an infinity or NaN, both
    // of which fail the comparison.
    let estimate = value as f64 * numerator as f64 / denominator as f64;
    let is_small = estimate.abs() < (1_u64 << 49) as f64 && denominator.unsigned_abs() < 1 << 61;
    if !is_small {
        return mul_div_wide(value, numerator, denominator, rounding);
    }
    // The quotient is within 0.82 of `nearest`, the remainder within 0.82 denominators: below 2^61, so that
    // the true difference of the products is what is left of them modulo 2^64.
    let nearest = nearest_integer(estimate);
    let remainder = value.wrapping_mul(numerator).wrapping_sub(nearest.wrapping_mul(denominator));
    let (remainder, divisor) =
        if denominator < 0 { (-remainder, -denominator) } else { (remainder, denominator) };
    let (floor, remainder) =
        if remainder < 0 { (nearest - 1, remainder + divisor) } else { (nearest, remainder) };
    Some(floor + i64::from(rounds_up(rounding, floor.into(), remainder.into(), divisor.into())))
}

/// [`mul_div`] half to even, for loops over millions of rows: without a branch on the data for operands of ordinary size.
#[inline(always)]
#[must_use]
pub fn mul_div_half_even(value: i64, numerator: i64, denominator: i64) -> Option<i64> {
    // As in `mul_div`: the quotient is within 0.82 of `nearest`, so one step up or down reaches the result.
    let estimate = value as f64 * numerator as f64 / denominator as f64;
    let is_small = estimate.abs() < (1_u64 << 49) as f64 && denominator > 0 && denominator < 1 << 61;
    if !is_small {
        return mul_div_wide(value, numerator, denominator, Rounding::HalfEven);
    }
    let nearest = nearest_integer(estimate);
    let remainder = value.wrapping_mul(numerator).wrapping_sub(nearest.wrapping_mul(denominator));
    Some(half_even(nearest, remainder, denominator))
}

/// The integer nearest to `nearest + remainder / denominator`, a tie to the even one; it is at most one away from `nearest`.
#[inline(always)]
fn half_even(nearest: i64, remainder: i64, denominator: i64) -> i64 {
    let twice = remainder.wrapping_mul(2);
    // A tie moves off an odd integer only: adding the lowest bit turns "greater" into "greater or equal" there.
    let odd = nearest & 1;
    let up = i64::from(twice.wrapping_add(odd) > denominator);
    let down = i64::from(twice.wrapping_sub(odd) < denominator.wrapping_neg());
    nearest.wrapping_add(up).wrapping_sub(down)
}

/// Computes `value * numerator / denominator` rounded half to even, without a branch, for loops over millions
/// of rows.
///
/// Exact if `|value| < 2^49`, `0 < denominator < 2^51` and `|numerator| <= denominator` (a share of a value,
/// the only form that costing needs). Outside these bounds the result is meaningless, but nothing panics: a
/// loop may compute it for every row and choose afterwards. [`mul_div`] takes any operands.
#[inline(always)]
#[must_use]
pub fn mul_div_half_even_small(value: i64, numerator: i64, denominator: i64) -> i64 {
    // The operands convert exactly; the product and the division each err by a factor within 1 +- 2^-53. The
    // quotient is below 2^49 in magnitude, so the estimate is within 2.01 * 2^-4 < 0.13 of it, and the
    // nearest integer to the estimate within 0.63. The remainder is therefore below 0.63 denominators: it is
    // equal to its residue modulo 2^64, and one step up or down reaches the result.
    let estimate = exact_float(value) * exact_float(numerator) / exact_float(denominator);
    let nearest = nearest_integer(estimate);
    half_even(
        nearest,
        value.wrapping_mul(numerator).wrapping_sub(nearest.wrapping_mul(denominator)),
        denominator,
    )
}

/// Estimates `value * numerator / denominator` in floating point alone, so that a loop over it runs in vector
/// registers.
///
/// Returns the nearest integer and a bound on its distance from the true quotient. For operands of at most 2^51 in
/// magnitude and a positive denominator, a bound below one half proves that the integer is the result of every half
/// rounding; a bound of one half or more (a tie, or a quotient so large that the estimate cannot tell) or NaN
/// proves nothing.
#[inline(always)]
#[must_use]
pub fn estimate_mul_div(value: i64, numerator: i64, denominator: i64) -> (i64, f64) {
    // The operands convert exactly; the product and the division each err by a factor within 1 +- 2^-53, so the
    // estimate errs by less than 2.01 * 2^-53 of itself. The bound counts twice that, 2^-51, which also covers the
    // rounding of the bound: where the sum rounds below one half, it is below one half. From 2^50 on it never is.
    const RELATIVE: f64 = 1.0 / (1_u64 << 51) as f64;
    let estimate = exact_float(value) * exact_float(numerator) / exact_float(denominator);
    let shifted = estimate + SHIFT;
    let bound = (estimate - (shifted - SHIFT)).abs() + estimate.abs() * RELATIVE;
    (shifted.to_bits().cast_signed().wrapping_sub(SHIFT.to_bits().cast_signed()), bound)
}

/// 1.5 * 2^52: between 2^52 and 2^53 the floats are the integers, and the low bits of one count up with it.
const SHIFT: f64 = 6_755_399_441_055_744.0;

/// The float equal to `integer`, for `|integer| <= 2^51`; anything else gives some float.
///
/// A plain cast writes half a vector register and so waits for whatever used that register before: in a loop
/// each row's conversion waits for the division of the row before it, which is most of the time of the row.
#[inline(always)]
fn exact_float(integer: i64) -> f64 {
    f64::from_bits(integer.wrapping_add(SHIFT.to_bits().cast_signed()).cast_unsigned()) - SHIFT
}

/// The integer nearest to `estimate`, for `|estimate| < 2^51`; anything else gives some integer.
///
/// Adding 1.5 * 2^52 leaves no bits for a fraction, so the sum's own rounding is to an integer, which then
/// stands in its low bits. This is two instructions on any processor; a cast saturates, which costs more than
/// the division saves.
#[inline(always)]
fn nearest_integer(estimate: f64) -> i64 {
    (estimate + SHIFT).to_bits().cast_signed().wrapping_sub(SHIFT.to_bits().cast_signed())
}

/// The same in 128 bits, for operands that the estimate cannot serve.
#[cold]
fn mul_div_wide(value: i64, numerator: i64, denominator: i64, rounding: Rounding) -> Option<i64> {
    if denominator == 0 {
        return None;
    }
    let product = i128::from(value) * i128::from(numerator);
    // The product is at most 2^126 in magnitude: its negation cannot overflow.
    let (product, divisor) = if denominator < 0 {
        (-product, -i128::from(denominator))
    } else {
        (product, i128::from(denominator))
    };
    let floor = product.div_euclid(divisor);
    let remainder = product.rem_euclid(divisor);
    i64::try_from(floor + i128::from(rounds_up(rounding, floor, remainder, divisor))).ok()
}

/// Whether `floor + remainder / divisor`, with `0 <= remainder < divisor`, rounds to `floor + 1`.
#[inline]
fn rounds_up(rounding: Rounding, floor: i128, remainder: i128, divisor: i128) -> bool {
    match rounding {
        Rounding::HalfEven => 2 * remainder + (floor & 1) > divisor,
        // Half away from zero: a tie goes up only where the quotient is positive.
        Rounding::HalfUp => 2 * remainder + i128::from(floor >= 0) > divisor,
        Rounding::Down => remainder > 0 && floor < 0,
        Rounding::Up => remainder > 0 && floor >= 0,
        Rounding::Floor => false,
        Rounding::Ceiling => remainder > 0,
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::*;

    const ROUNDINGS: [Rounding; 6] = [
        Rounding::HalfEven,
        Rounding::HalfUp,
        Rounding::Down,
        Rounding::Up,
        Rounding::Floor,
        Rounding::Ceiling,
    ];

    /// The definition, in integers without bound.
    fn oracle(value: i64, numerator: i64, denominator: i64, rounding: Rounding) -> Option<i64> {
        if denominator == 0 {
            return None;
        }
        let product = BigInt::from(value) * numerator;
        let truncated = &product / denominator;
        let rest = &product - &truncated * denominator;
        let zero = BigInt::ZERO;
        if rest == zero {
            return i64::try_from(truncated).ok();
        }
        let negative = (product < zero) != (denominator < 0);
        let away = &truncated + if negative { -1 } else { 1 };
        let half = (BigInt::from(2) * rest).magnitude().cmp(BigInt::from(denominator).magnitude());
        let truncated_is_odd = &truncated % 2 != zero;
        let takes_away = match rounding {
            Rounding::HalfEven => half.is_gt() || half.is_eq() && truncated_is_odd,
            Rounding::HalfUp => half.is_ge(),
            Rounding::Down => false,
            Rounding::Up => true,
            Rounding::Floor => negative,
            Rounding::Ceiling => !negative,
        };
        i64::try_from(if takes_away { away } else { truncated }).ok()
    }

    fn agrees(value: i64, numerator: i64, denominator: i64) -> Result<(), TestCaseError> {
        for rounding in ROUNDINGS {
            prop_assert_eq!(
                mul_div(value, numerator, denominator, rounding),
                oracle(value, numerator, denominator, rounding),
                "{} * {} / {} {:?}",
                value,
                numerator,
                denominator,
                rounding
            );
        }
        let half_even = mul_div_half_even(value, numerator, denominator);
        prop_assert_eq!(half_even, mul_div(value, numerator, denominator, Rounding::HalfEven));
        Ok(())
    }

    /// Integers of every magnitude, with the neighbours of powers of two and the extremes often among them.
    fn any_magnitude() -> impl Strategy<Value = i64> {
        prop_oneof![
            (any::<i64>(), 0_u32..64).prop_map(|(integer, shift)| integer >> shift),
            (0_u32..63, -2_i64..=2, any::<bool>()).prop_map(|(power, offset, negative)| {
                let integer = (1_i64 << power).saturating_add(offset);
                if negative { -integer } else { integer }
            }),
            Just(i64::MIN),
            Just(i64::MAX),
            -4_i64..=4,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_operands(value in any_magnitude(), numerator in any_magnitude(), denominator in any_magnitude()) {
            agrees(value, numerator, denominator)?;
        }

        #[test]
        fn ties(quotient in any_magnitude(), half in 1_i64..1_000_000, sign in prop_oneof![Just(-1_i64), Just(1)]) {
            // quotient + 1/2 = (2 * quotient + 1) * half / (2 * half)
            let odd = (quotient >> 1).wrapping_mul(2).wrapping_add(1);
            agrees(odd, half * sign, 2 * half)?;
            agrees(odd, half * sign, -2 * half)?;
        }

        #[test]
        fn near_integers_and_ties(quotient in -(1_i64 << 52)..(1_i64 << 52), denominator in 1_i64..1024, offset in -2_i64..=2) {
            let product = quotient.saturating_mul(denominator);
            agrees(product.saturating_add(offset), 1, denominator)?;
            agrees(product.saturating_add(denominator / 2 + offset), 1, denominator)?;
        }

        #[test]
        fn small_form_is_half_even(
            value in (1 - SMALL_VALUE..SMALL_VALUE, 0_u32..50).prop_map(|(integer, shift)| integer >> shift),
            denominator in (1..SMALL_DENOMINATOR, 0_u32..51).prop_map(|(integer, shift)| (integer >> shift).max(1)),
            share in any::<u64>(),
            negative in any::<bool>(),
        ) {
            let numerator = i64::try_from((i128::from(share) * i128::from(denominator)) >> 64).unwrap();
            for numerator in [numerator, numerator + 1, denominator, denominator - numerator, denominator / 2] {
                let numerator = if negative { -numerator } else { numerator };
                prop_assert_eq!(
                    Some(mul_div_half_even_small(value, numerator, denominator)),
                    oracle(value, numerator, denominator, Rounding::HalfEven),
                );
            }
        }

        #[test]
        fn small_form_never_panics(value in any_magnitude(), numerator in any_magnitude(), denominator in any_magnitude()) {
            let _ = mul_div_half_even_small(value, numerator, denominator);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn proven_estimates_are_right(
            value in exact_magnitude(), numerator in exact_magnitude(), denominator in exact_magnitude(), share in any::<u64>(),
        ) {
            let denominator = denominator.abs().max(1);
            let part = -i64::try_from((i128::from(share) * i128::from(denominator)) >> 64).unwrap();
            for numerator in [numerator, part, -denominator, -denominator / 2, -denominator / 2 - 1] {
                let (nearest, bound) = estimate_mul_div(value, numerator, denominator);
                if bound < 0.5 {
                    prop_assert_eq!(Some(nearest), oracle(value, numerator, denominator, Rounding::HalfEven));
                }
                let ordinary = |operand: i64| operand % (1 << 16);
                let (value, numerator) = (ordinary(value), ordinary(numerator));
                let is_tie = 2 * (value * numerator).rem_euclid(denominator) == denominator;
                prop_assert_eq!(estimate_mul_div(value, numerator, denominator).1 < 0.5, !is_tie);
            }
        }
    }

    /// Integers that are floats, of any size.
    fn exact_magnitude() -> impl Strategy<Value = i64> {
        (-(1_i64 << 51)..=1 << 51, 0_u32..52).prop_map(|(integer, shift)| integer >> shift)
    }

    #[test]
    fn extremes() {
        for value in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
            for numerator in [i64::MIN, -1, 0, 1, i64::MAX] {
                for denominator in [i64::MIN, -1, 0, 1, i64::MAX] {
                    agrees(value, numerator, denominator).unwrap();
                }
            }
        }
    }
}
