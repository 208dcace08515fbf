use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorCode;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn text_keeps_its_scale() {
    for text in ["12.30", "-0.5", "0", "0.00", "-1", "999999999999999999", "0.000000000000000001"] {
        assert_eq!(decimal(text).to_string(), text);
    }
    assert_eq!(decimal("+7").to_string(), "7");
    assert_eq!(decimal("-0").to_string(), "0");
    assert_eq!(format!("{:>8}", decimal("1.5")), "     1.5");
}

#[test]
fn bad_text_is_refused_with_the_reason() {
    let message = |text: &str| text.parse::<Decimal>().unwrap_err().to_string();
    assert!(message("1e3").contains("exponents are not accepted"));
    assert!(message("1,000").contains("separators"));
    assert!(message("").contains("no digits") && message("-").contains("no digits"));
    assert!(message(".5").contains("both sides") && message("5.").contains("both sides"));
    assert!(message("1.2.3").contains("one point"));
    assert!(message(" 1").contains("spaces"));
    assert!(message("NaN").starts_with("`NaN` is not a decimal number"));
    assert_eq!(
        message("1000000000000000000"),
        "`1000000000000000000` is out of range: at most 18 digits fit, 0 of them after the point"
    );
    assert!(message("0.0000000000000000001").contains("18 decimal places"));
    assert!(message(&"9".repeat(60)).contains("38 digits"));
}

#[test]
fn lost_digits_are_an_error_only_if_they_are_not_zero() {
    assert_eq!(decimal("1.50").rescale_exact(1).unwrap().to_string(), "1.5");
    assert_eq!(decimal("1.5").rescale_exact(3).unwrap().to_string(), "1.500");
    assert_eq!(decimal("1.55").rescale_exact(1).unwrap_err().code(), "TYPES_EXCESS_SCALE");
    assert_eq!(decimal("999999999999999999").rescale_exact(1).unwrap_err().code(), "TYPES_DECIMAL_OVERFLOW");
    assert_eq!(decimal("1").rescale_exact(19).unwrap_err().code(), "TYPES_SCALE_RANGE");
}

#[test]
fn equal_values_hash_alike() {
    let set: std::collections::HashSet<Decimal> = ["1.5", "1.50", "1.500"].map(decimal).into_iter().collect();
    assert_eq!(set.len(), 1);
}

#[test]
fn division_by_zero_is_named() {
    let error = decimal("3").div_round(Decimal::ZERO, 2, Rounding::HalfEven).unwrap_err();
    assert_eq!(error.code(), "TYPES_DIVISION_BY_ZERO");
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    let units = prop_oneof![-MAX_UNITS..=MAX_UNITS, -1000_i64..=1000, Just(MAX_UNITS), Just(-MAX_UNITS)];
    (units, 0_u8..=18).prop_map(|(units, scale)| Decimal::new(units, scale).unwrap())
}

fn big_pow(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// Rounded quotient by the definition of each mode, on twice the distance to the floor.
fn oracle(numerator: &BigInt, denominator: &BigInt, rounding: Rounding) -> BigInt {
    let zero = BigInt::from(0);
    let (numerator, denominator) = if *denominator < zero {
        (-numerator.clone(), -denominator.clone())
    } else {
        (numerator.clone(), denominator.clone())
    };
    let mut remainder = &numerator % &denominator;
    if remainder < zero {
        remainder += &denominator;
    }
    let floor = (&numerator - &remainder) / &denominator;
    if remainder == zero {
        return floor;
    }
    let ceiling = &floor + 1;
    let (toward, away) = if numerator < zero { (&ceiling, &floor) } else { (&floor, &ceiling) };
    let twice: BigInt = &remainder * 2;
    let nearest = match twice.cmp(&denominator) {
        Ordering::Less => &floor,
        Ordering::Greater => &ceiling,
        Ordering::Equal if rounding == Rounding::HalfUp => away,
        Ordering::Equal if &floor % 2 == zero => &floor,
        Ordering::Equal => &ceiling,
    };
    match rounding {
        Rounding::HalfEven | Rounding::HalfUp => nearest.clone(),
        Rounding::Down => toward.clone(),
        Rounding::Up => away.clone(),
        Rounding::Floor => floor,
        Rounding::Ceiling => ceiling,
    }
}

fn check(got: Result<Decimal, Error>, expected: &BigInt) -> Result<(), TestCaseError> {
    match got {
        Ok(value) => prop_assert_eq!(&BigInt::from(value.units()), expected),
        Err(error) => {
            prop_assert_eq!(error.code(), "TYPES_DECIMAL_OVERFLOW");
            prop_assert!(expected.magnitude() > BigInt::from(MAX_UNITS).magnitude());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn sums_and_order_match_big_integers(a in any_decimal(), b in any_decimal()) {
        let scale = a.scale().max(b.scale());
        let left = BigInt::from(a.units()) * big_pow(u32::from(scale - a.scale()));
        let right = BigInt::from(b.units()) * big_pow(u32::from(scale - b.scale()));
        check(a.checked_add(b), &(&left + &right))?;
        check(a.checked_sub(b), &(&left - &right))?;
        prop_assert_eq!(a.cmp(&b), left.cmp(&right));
        prop_assert_eq!(a.widen().cmp(&b.widen()), left.cmp(&right));
    }

    #[test]
    fn products_match_big_integers(a in any_decimal(), b in any_decimal(), scale in 0_u8..=18, mode in 0_usize..6) {
        let rounding = Rounding::ALL[mode];
        let product = BigInt::from(a.units()) * BigInt::from(b.units());
        let own = u32::from(a.scale() + b.scale());
        let expected = oracle(&(&product * big_pow(u32::from(scale))), &big_pow(own), rounding);
        check(a.mul_round(b, scale, rounding), &expected)?;
        if own <= 18 {
            check(a.checked_mul(b), &product)?;
        }
    }

    #[test]
    fn quotients_match_big_integers(a in any_decimal(), b in any_decimal(), scale in 0_u8..=18, mode in 0_usize..6) {
        prop_assume!(!b.is_zero());
        let rounding = Rounding::ALL[mode];
        let numerator = BigInt::from(a.units()) * big_pow(u32::from(scale + b.scale()));
        let denominator = BigInt::from(b.units()) * big_pow(u32::from(a.scale()));
        check(a.div_round(b, scale, rounding), &oracle(&numerator, &denominator, rounding))?;
    }

    #[test]
    fn rounding_matches_big_integers(a in any_decimal(), scale in 0_u8..=18, mode in 0_usize..6) {
        let rounding = Rounding::ALL[mode];
        let numerator = BigInt::from(a.units()) * big_pow(u32::from(scale));
        let expected = oracle(&numerator, &big_pow(u32::from(a.scale())), rounding);
        check(a.round_to(scale, rounding), &expected)?;
        let text: Decimal = a.to_string().parse().unwrap();
        prop_assert_eq!((text.units(), text.scale()), (a.units(), a.scale()));
    }
}
