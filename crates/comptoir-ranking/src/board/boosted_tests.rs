use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

use super::super::numbers::NumberKind;
use super::{Boosted, boosted};
use crate::Score;

/// The number behind a result: an exact one where whole numbers made one, else its double.
fn value(kind: NumberKind, number: i128, factor: f64, addition: f64, found: Boosted) -> BigRational {
    let rational = |number: f64| BigRational::from_float(number).unwrap();
    let unit = BigInt::from(10).pow(kind.scale().unwrap());
    let score = BigRational::new(number.into(), unit.clone());
    let score = if number < 0 { score / rational(factor) } else { score * rational(factor) };
    let score = score + rational(addition);
    let is_whole = factor.fract() == 0.0 && addition.fract() == 0.0;
    let units = &score * unit;
    let is_held = units.numer().magnitude() < BigInt::from(super::LIMIT).magnitude();
    let is_exact = is_whole && units.is_integer() && is_held;
    if is_exact { score } else { rational(found.nearest) }
}

fn key(found: Boosted) -> (Score, i128) {
    (Score::new(found.nearest).unwrap(), found.beyond)
}

/// Numbers of a kind that lie close together, some at what doubles can hold.
fn numbers(kind: NumberKind) -> impl Strategy<Value = i128> {
    let (low, high) = match kind {
        NumberKind::Int => (i128::from(i64::MIN), i128::from(i64::MAX)),
        NumberKind::Uint => (0, i128::from(u64::MAX)),
        _ => (1 - 10_i128.pow(38), 10_i128.pow(38) - 1),
    };
    let near = (0..126_u32, prop::bool::ANY, -3..4_i128).prop_map(move |(bits, is_negative, more)| {
        let power = 1_i128 << bits;
        ((if is_negative { -power } else { power }) + more).clamp(low, high)
    });
    prop_oneof![near, low..=high, -3..4_i128].prop_map(move |number| number.clamp(low, high))
}

fn effects() -> impl Strategy<Value = (f64, f64)> {
    let factors = prop::sample::select(vec![1.0, 1.0, 2.0, 3.0, 1.5, 0.5, 0.1, 10.0]);
    let additions =
        prop::sample::select(vec![0.0, 0.0, 1.0, -1.0, 0.25, 1e15, -0.1, 9_007_199_254_740_992.0]);
    (factors, additions)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// The order is that of the numbers, as rationals, whatever their sizes and what became of them.
    #[test]
    fn the_order_is_that_of_the_numbers(
        (kind, left, right) in prop::sample::select(vec![NumberKind::Int, NumberKind::Uint, NumberKind::Decimal])
            .prop_flat_map(|kind| (Just(kind), (numbers(kind), effects()), (numbers(kind), effects()))),
        is_close in prop::option::of(-2..3_i128),
    ) {
        let (left, (number, effects)) = (left, right);
        // Half of the pairs are neighbours.
        let number = match is_close {
            Some(step) if kind != NumberKind::Uint || left.0 + step >= 0 => left.0 + step,
            _ => number,
        };
        let of = |number: i128, (factor, addition): (f64, f64)| {
            let found = boosted(kind, number, factor, addition);
            (value(kind, number, factor, addition, found), found)
        };
        let ((left_value, left), (right_value, right)) = (of(left.0, left.1), of(number, effects));
        prop_assert_eq!(left_value.cmp(&right_value), key(left).cmp(&key(right)), "{:?} {:?}", left, right);
    }

    /// What is shown is the nearest double, as text is read.
    #[test]
    fn the_nearest_double_is_shown(number in numbers(NumberKind::Decimal)) {
        let sign = if number < 0 { "-" } else { "" };
        let (whole, fraction) = (number.unsigned_abs() / 10_u128.pow(18), number.unsigned_abs() % 10_u128.pow(18));
        let read: f64 = format!("{sign}{whole}.{fraction:018}").parse().unwrap();
        let found = boosted(NumberKind::Decimal, number, 1.0, 0.0).nearest;
        let rational = |double: f64| BigRational::from_float(double).unwrap();
        let exact = BigRational::new(number.into(), BigInt::from(10).pow(18));
        let away = |double: f64| (rational(double) - &exact).pow(2);
        prop_assert_eq!(away(found), away(read), "{} {}", found, read);
    }
}

#[test]
fn whole_boosts_leave_integers_exact() {
    let large = 1_i128 << 60;
    let one = boosted(NumberKind::Int, large + 1, 2.0, 3.0);
    assert_eq!(one, Boosted { nearest: (2.0_f64).powi(61), beyond: 10 });
    assert_eq!(boosted(NumberKind::Int, -10, 2.0, 1.0), Boosted { nearest: -4.0, beyond: 0 });
    assert_eq!(boosted(NumberKind::Int, 3, 1.5, 0.0), Boosted { nearest: 4.5, beyond: 1 });
    // A double that no unit of the kind reaches, and one that is larger than all.
    assert_eq!(boosted(NumberKind::Decimal, 1, 0.5, 0.0), Boosted { nearest: 5e-19, beyond: 1 });
    assert_eq!(boosted(NumberKind::Int, 1, 1.5, 1e300), Boosted { nearest: 1e300, beyond: 0 });
}
