//! Exact sums of doubles: the same bits in any order.
//!
//! A float sum depends on the order of its terms, so that a grouped sum on several threads changes from run to run and a
//! board with it. An [`ExactSum`] is a wide fixed-point number (a superaccumulator: Kulisch and Miranker, "The
//! Arithmetic of the Digital Computer", SIAM Review 28, 1986): every double is added without rounding, and the sum is
//! rounded once, when it is read. It keeps only the digits that the terms reach, three or four words for amounts of one
//! magnitude.

/// Bits of a digit. Digits are kept in 64 bits, so that 2^31 terms can be added before a carry must be passed on.
const BITS: u32 = 32;
/// The exponent of the lowest bit of the lowest digit: that of the smallest double.
const LOWEST: i32 = -1074;
/// Additions after which carries are passed on.
const PENDING: u32 = 1 << 30;

/// The exact sum of doubles.
///
/// ```
/// use comptoir_ranking::sum::ExactSum;
///
/// let sum: ExactSum = [1e100, 1.0, -1e100].into_iter().collect();
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    /// From the lowest; each is a signed number of units of its place.
    digits: Vec<i64>,
    /// The place of the first digit: the power of 2^32 above the lowest.
    first: usize,
    /// Additions since carries were passed on.
    pending: u32,
    specials: Specials,
}

/// Terms that are no finite numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Specials {
    has_nan: bool,
    has_positive: bool,
    has_negative: bool,
}

impl ExactSum {
    /// Adds a term.
    pub fn add(&mut self, term: f64) {
        let bits = term.to_bits();
        let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
        if exponent == 0x7ff {
            self.specials.add(term);
            return;
        }
        // Subnormal numbers have the exponent of the smallest normal ones, without the leading bit.
        let (shift, mantissa) =
            if exponent == 0 { (0, fraction) } else { (exponent - 1, fraction | 1 << 52) };
        if mantissa == 0 {
            return;
        }
        let place = usize::try_from(shift / u64::from(BITS)).unwrap_or(0);
        let wide = u128::from(mantissa) << (shift % u64::from(BITS));
        let sign = if term < 0.0 { -1 } else { 1 };
        self.reach(place, place + 3);
        for (nth, digit) in self.digits.iter_mut().skip(place - self.first).take(3).enumerate() {
            let part = ((wide >> (32 * nth)) & 0xffff_ffff) as i64;
            *digit += sign * part;
        }
        self.pending += 1;
        if self.pending == PENDING {
            self.carry();
        }
    }

    /// Adds the product of two numbers, without rounding as long as its last bit is not below the smallest double.
    pub fn add_product(&mut self, left: f64, right: f64) {
        let product = left * right;
        self.add(product);
        if product.is_finite() {
            self.add(libm::fma(left, right, -product));
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.specials.merge(other.specials);
        if other.digits.is_empty() {
            return;
        }
        self.carry();
        self.reach(other.first, other.first + other.digits.len());
        for (digit, term) in self.digits.iter_mut().skip(other.first - self.first).zip(&other.digits) {
            *digit += term;
        }
        self.carry();
    }

    /// The sum, rounded to the nearest double, half to even. Infinity where it is too large, or where terms were
    /// infinite; NaN where a term was, or where infinities of both signs were added.
    #[must_use]
    pub fn value(&self) -> f64 {
        if let Some(special) = self.specials.value() {
            return special;
        }
        let mut exact = self.clone();
        exact.carry();
        let is_negative = exact.digits.last().is_some_and(|digit| *digit < 0);
        if is_negative {
            exact.digits.iter_mut().for_each(|digit| *digit = -*digit);
            exact.carry();
        }
        let size = exact.rounded();
        if is_negative { -size } else { size }
    }

    /// Makes room for the digits from `start` to `end`.
    fn reach(&mut self, start: usize, end: usize) {
        if self.digits.is_empty() {
            self.first = start;
        }
        if start < self.first {
            let missing = self.first - start;
            self.digits.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = start;
        }
        if end > self.first + self.digits.len() {
            self.digits.resize(end - self.first, 0);
        }
    }

    /// Brings all digits but the last into 0..2^32; the last has the sign of the sum.
    fn carry(&mut self) {
        self.pending = 0;
        let mut carry = 0;
        let count = self.digits.len();
        for (nth, digit) in self.digits.iter_mut().enumerate() {
            let whole = *digit + carry;
            if nth + 1 == count {
                *digit = whole;
            } else {
                *digit = whole & 0xffff_ffff;
                carry = whole >> BITS;
            }
        }
        while let Some(&last) = self.digits.last() {
            if last >> BITS == 0 || last >> BITS == -1 {
                break;
            }
            if let Some(digit) = self.digits.last_mut() {
                *digit = last & 0xffff_ffff;
            }
            self.digits.push(last >> BITS);
        }
    }

    /// A carried sum of zero or more as a double.
    fn rounded(&self) -> f64 {
        let Some(top) = self.digits.iter().rposition(|digit| *digit != 0) else { return 0.0 };
        let digit =
            |back: usize| top.checked_sub(back).and_then(|at| self.digits.get(at)).map_or(0, |digit| *digit);
        // Four digits have at least 97 bits; what is below them only says whether the rest is exactly half.
        let wide = (0..4).fold(0_u128, |wide, back| wide << BITS | u128::from(digit(back).unsigned_abs()));
        let is_inexact = self.digits.iter().take(top.saturating_sub(3)).any(|digit| *digit != 0);
        let wide = wide | u128::from(is_inexact);
        let lowest = i32::try_from(self.first + top).map_or(i32::MAX, |place| (place - 3) * 32 + LOWEST);
        scaled(wide, lowest)
    }
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, terms: I) {
        terms.into_iter().for_each(|term| self.add(term));
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        sum.extend(terms);
        sum
    }
}

impl Specials {
    fn add(&mut self, term: f64) {
        self.has_nan |= term.is_nan();
        self.has_positive |= term == f64::INFINITY;
        self.has_negative |= term == f64::NEG_INFINITY;
    }

    const fn merge(&mut self, other: Self) {
        self.has_nan |= other.has_nan;
        self.has_positive |= other.has_positive;
        self.has_negative |= other.has_negative;
    }

    const fn value(self) -> Option<f64> {
        match (self.has_nan, self.has_positive, self.has_negative) {
            (false, false, false) => None,
            (false, true, false) => Some(f64::INFINITY),
            (false, false, true) => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }
}

/// `number` x 2^`exponent`, rounded to the nearest double, half to even.
fn scaled(number: u128, exponent: i32) -> f64 {
    if number == 0 {
        return 0.0;
    }
    let bits = 128 - number.leading_zeros().cast_signed();
    // The exponent of the last bit that the result has: 53 bits, fewer for subnormal numbers.
    let last = (exponent + bits - 53).max(LOWEST);
    let Ok(drop) = u32::try_from(last - exponent) else {
        // Not more than 53 bits: exact.
        return exact(number, exponent);
    };
    if drop >= 128 {
        return 0.0;
    }
    let (kept, rest) = (number >> drop, number & ((1_u128 << drop) - 1));
    let half = if drop == 0 { u128::MAX } else { 1_u128 << (drop - 1) };
    let up = rest > half || (rest == half && kept & 1 == 1);
    exact(kept + u128::from(up), last)
}

/// `number` x 2^`exponent`, where `number` has at most 53 bits, or is 2^53, and the result needs no rounding but to
/// infinity.
fn exact(number: u128, exponent: i32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 53 bits, or 2^53")]
    let number = number as f64;
    // In two steps: 2^-1074 alone is exact, and so is each product.
    let half = exponent / 2;
    number * power_of_two(half) * power_of_two(exponent - half)
}

/// 2^`exponent` for exponents of normal doubles.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::try_from(exponent.clamp(-1022, 1023) + 1023).unwrap_or(0) << 52)
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use proptest::prelude::*;

    use super::ExactSum;

    /// Doubles of all sizes, many of them close to each other's negative.
    fn term() -> impl Strategy<Value = f64> {
        let finite = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |term| term.is_finite());
        let near =
            (any::<bool>(), 0_u64..1 << 53, -60..60_i32).prop_map(|(is_negative, mantissa, exponent)| {
                let size = mantissa as f64 * 2_f64.powi(exponent);
                if is_negative { -size } else { size }
            });
        prop_oneof![finite, near, (0_u64..1 << 52).prop_map(f64::from_bits)]
    }

    /// The exact sum as a rational number of units of the smallest double.
    fn rational(terms: &[f64]) -> BigRational {
        terms.iter().map(|term| BigRational::from_float(*term).unwrap()).sum()
    }

    /// Whether no double is nearer to the exact sum, and of two that are as near the value is the even one.
    fn is_nearest(value: f64, exact: &BigRational) -> bool {
        let distance = |number: f64| (BigRational::from_float(number).unwrap() - exact).to_owned();
        let size =
            |number: BigRational| if number < BigRational::from(BigInt::from(0)) { -number } else { number };
        let own = size(distance(value));
        [value.next_up(), value.next_down()].into_iter().filter(|other| other.is_finite()).all(|other| {
            let others = size(distance(other));
            own < others || (own == others && value.to_bits() & 1 == 0)
        })
    }

    proptest! {
        #[test]
        fn the_sum_is_the_double_nearest_to_the_exact_one(terms in prop::collection::vec(term(), 0..40)) {
            let value = terms.iter().copied().collect::<ExactSum>().value();
            let exact = rational(&terms);
            if value.is_finite() {
                prop_assert!(is_nearest(value, &exact), "{value:e} of {terms:?}");
            } else {
                let limit = BigRational::from_float(f64::MAX).unwrap();
                prop_assert!(exact > limit || exact < -limit);
            }
        }

        #[test]
        fn order_and_sharding_do_not_matter(terms in prop::collection::vec(term(), 0..40), cut in 0..40_usize) {
            let (left, right) = terms.split_at(cut.min(terms.len()));
            let mut merged: ExactSum = right.iter().rev().copied().collect();
            merged.merge(&left.iter().copied().collect());
            let all: ExactSum = terms.iter().copied().collect();
            prop_assert_eq!(merged.value().to_bits(), all.value().to_bits());
        }
    }

    #[test]
    fn infinities_cancel_to_nan() {
        let sum = |terms: [f64; 3]| terms.into_iter().collect::<ExactSum>().value();
        assert_eq!(sum([1.0, f64::INFINITY, -5.0]), f64::INFINITY);
        assert!(sum([f64::NEG_INFINITY, f64::INFINITY, 0.0]).is_nan());
        assert_eq!(sum([f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum([f64::MAX, f64::MAX, 1.0]), f64::INFINITY);
    }

    #[test]
    fn a_sum_of_nothing_is_zero() {
        assert_eq!(ExactSum::default().value().to_bits(), 0.0_f64.to_bits());
        assert_eq!([1.5, -1.5].into_iter().collect::<ExactSum>().value().to_bits(), 0);
    }
}
