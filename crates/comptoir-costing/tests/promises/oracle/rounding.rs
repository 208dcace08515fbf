//! Rounding of exact ratios, from the definition of each mode.

use comptoir_types::Rounding;
use num_bigint::BigInt;
use num_rational::Ratio;

/// A whole number of any size.
pub type Exact = Ratio<BigInt>;

/// `value * part / whole` without rounding.
pub fn exact(value: i128, part: i128, whole: i128) -> Exact {
    Ratio::new(BigInt::from(value) * BigInt::from(part), BigInt::from(whole))
}

/// The whole number that a mode gives for a ratio.
pub fn rounded(ratio: &Exact, mode: Rounding) -> i128 {
    let (floor, zero) = (ratio.floor(), Ratio::from_integer(BigInt::from(0)));
    let fraction = ratio - &floor;
    let half = Ratio::new(BigInt::from(1), BigInt::from(2));
    let negative = *ratio < zero;
    let is_odd = &floor.to_integer() % BigInt::from(2) != BigInt::from(0);
    let up = match mode {
        _ if fraction == zero => false,
        Rounding::Floor => false,
        Rounding::Ceiling => true,
        Rounding::Down => negative,
        Rounding::Up => !negative,
        Rounding::HalfUp => fraction > half || (fraction == half && !negative),
        Rounding::HalfEven => fraction > half || (fraction == half && is_odd),
    };
    let whole = floor.to_integer() + BigInt::from(i32::from(up));
    i128::try_from(whole).unwrap()
}

/// `value * part / whole` rounded.
pub fn share(value: i128, part: i128, whole: i128, mode: Rounding) -> i128 {
    rounded(&exact(value, part, whole), mode)
}
