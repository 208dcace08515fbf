use arrow_array::{
    Decimal32Array, Decimal64Array, Decimal128Array, Decimal256Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, LargeStringArray, NullArray, StringArray, StringViewArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorCode;

fn decimal128(values: Vec<Option<i128>>, scale: i8) -> Decimal128Array {
    Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap()
}

#[test]
fn every_shape_gives_the_same_units() {
    let arrays: Vec<Box<dyn Array>> = vec![
        Box::new(Int8Array::from(vec![Some(5), None, Some(120)])),
        Box::new(Int16Array::from(vec![Some(5), None, Some(120)])),
        Box::new(Int32Array::from(vec![Some(5), None, Some(120)])),
        Box::new(Int64Array::from(vec![Some(5), None, Some(120)])),
        Box::new(UInt8Array::from(vec![Some(5), None, Some(120)])),
        Box::new(UInt16Array::from(vec![Some(5), None, Some(120)])),
        Box::new(UInt32Array::from(vec![Some(5), None, Some(120)])),
        Box::new(UInt64Array::from(vec![Some(5), None, Some(120)])),
        Box::new(
            Decimal32Array::from(vec![Some(500), None, Some(12_000)]).with_precision_and_scale(9, 2).unwrap(),
        ),
        Box::new(
            Decimal64Array::from(vec![Some(50), None, Some(1200)]).with_precision_and_scale(18, 1).unwrap(),
        ),
        Box::new(decimal128(vec![Some(5_000), None, Some(120_000)], 3)),
        Box::new(decimal128(vec![Some(5 * 10_i128.pow(18)), None, Some(120 * 10_i128.pow(18))], 18)),
        Box::new(
            Decimal256Array::from(vec![Some(i256::from_i128(5_000)), None, Some(i256::from_i128(120_000))])
                .with_precision_and_scale(76, 3)
                .unwrap(),
        ),
        Box::new(StringArray::from(vec![Some("5"), None, Some("120.000")])),
        Box::new(LargeStringArray::from(vec![Some("5.0"), None, Some("+120")])),
        Box::new(StringViewArray::from(vec![Some("5.00"), None, Some("120.0000000000000")])),
    ];
    for array in arrays {
        let units = read_units(array.as_ref(), "amount", 2).unwrap();
        assert!(units.faults.is_empty(), "{:?}: {:?}", array.data_type(), units.faults);
        let nulls = units.nulls.unwrap();
        assert_eq!((units.values[0], units.values[2]), (500, 12_000), "{:?}", array.data_type());
        assert_eq!((nulls.null_count(), nulls.is_null(1)), (1, true));
    }
}

#[test]
fn a_column_in_the_right_form_is_shared() {
    let whole = Int64Array::from(vec![1, 2, 3]);
    assert_eq!(read_units(&whole, "quantity", 0).unwrap().values.as_ptr(), whole.values().as_ptr());
    let cents = Decimal64Array::from(vec![1, 2, 3]).with_precision_and_scale(18, 2).unwrap();
    assert_eq!(read_units(&cents, "amount", 2).unwrap().values.as_ptr(), cents.values().as_ptr());
}

#[test]
fn a_value_that_does_not_fit_is_a_fault_of_its_row() {
    let array = decimal128(vec![Some(1234), Some(-1001), None, Some(i128::MAX / 2), Some(1230), Some(0)], 3);
    let units = read_units(&array, "amount", 2).unwrap();
    let faults: Vec<_> = units.faults.iter().map(|(row, error)| (*row, error.code())).collect();
    assert_eq!(faults, [(0, "TYPES_EXCESS_SCALE"), (1, "TYPES_EXCESS_SCALE"), (3, "TYPES_EXCESS_SCALE")]);
    assert_eq!((units.values[4], units.values[5]), (123, 0));
    assert_eq!(
        units.faults[1].1.to_string(),
        "column `amount`: `-1.001` has more than 2 decimal places, and digits are never dropped silently"
    );
    let large = Int64Array::from(vec![MAX_UNITS, MAX_UNITS + 1, i64::MIN]);
    let units = read_units(&large, "amount", 0).unwrap();
    assert_eq!(units.values[0], MAX_UNITS);
    assert_eq!(units.faults.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2]);
    let unsigned = UInt64Array::from(vec![u64::MAX, 1]);
    assert_eq!(read_units(&unsigned, "amount", 0).unwrap().faults[0].1.code(), "TYPES_DECIMAL_OVERFLOW");
    let text = StringArray::from(vec!["1e3", "0.5", "0.005"]);
    let units = read_units(&text, "amount", 2).unwrap();
    let codes: Vec<_> = units.faults.iter().map(|(row, error)| (*row, error.code())).collect();
    assert_eq!(codes, [(0, "TYPES_DECIMAL_SYNTAX"), (2, "TYPES_EXCESS_SCALE")]);
}

#[test]
fn a_null_may_hide_any_value() {
    let nulls = Some(NullBuffer::from(vec![true, false]));
    let array =
        Decimal128Array::new(vec![100, i128::MAX].into(), nulls).with_precision_and_scale(38, 2).unwrap();
    let units = read_units(&array, "amount", 2).unwrap();
    assert!(units.faults.is_empty());
    assert_eq!(units.values[0], 100);
}

#[test]
fn scales_beyond_64_bits_are_exact() {
    let value = i256::from_i128(10).checked_pow(60).unwrap();
    let array = Decimal256Array::from(vec![value, value.wrapping_add(i256::ONE)])
        .with_precision_and_scale(76, 58)
        .unwrap();
    let units = read_units(&array, "amount", 2).unwrap();
    assert_eq!(units.values[0], 10_000);
    assert_eq!(units.faults[0].1.code(), "TYPES_EXCESS_SCALE");
    let array = decimal128(vec![Some(7), Some(0)], -17);
    let units = read_units(&array, "amount", 0).unwrap();
    assert_eq!((units.values[0], units.values[1]), (700_000_000_000_000_000, 0));
    let units = read_units(&array, "amount", 18).unwrap();
    assert_eq!((units.faults.len(), units.faults[0].0), (1, 0));
    assert!(units.faults[0].1.to_string().contains("`700000000000000000`"));
}

#[test]
fn floats_are_refused_with_advice() {
    let error = read_units(&Float64Array::from(vec![0.1]), "amount", 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column `amount`: expected decimal, integer or decimal text, found float64: floats are not exact, so send \
         decimal(18, 2), or text such as `12.30`"
    );
    assert_eq!(error.code(), "TYPES_COLUMN_TYPE");
    assert_eq!(read_units(&NullArray::new(2), "amount", 2).unwrap().nulls.unwrap().null_count(), 2);
    assert_eq!(read_units(&NullArray::new(2), "amount", 19).unwrap_err().code(), "TYPES_SCALE_RANGE");
}

proptest! {
    #[test]
    fn rescaling_matches_big_integers(
        values in prop::collection::vec(
            prop_oneof![-2000_i128..2000, any::<i64>().prop_map(i128::from), -10_i128.pow(37)..10_i128.pow(37),
                (-10_i128.pow(18)..10_i128.pow(18)).prop_map(|value| value * 10_i128.pow(16))],
            0..8),
        from in -5_i8..=38,
        to in 0_u8..=18,
    ) {
        let array = decimal128(values.iter().copied().map(Some).collect(), from);
        let units = read_units(&array, "amount", to).unwrap();
        for (row, value) in values.iter().enumerate() {
            let power = |exponent: i16| BigInt::from(10).pow(u32::try_from(exponent.max(0)).unwrap());
            let shift = i16::from(to) - i16::from(from);
            let numerator = BigInt::from(*value) * power(shift);
            let expected = (&numerator % power(-shift) == BigInt::from(0)).then(|| numerator / power(-shift));
            let expected = expected.filter(|value| value.magnitude() <= BigInt::from(MAX_UNITS).magnitude());
            let faulty = units.faults.iter().any(|(fault, _)| *fault == row);
            prop_assert_eq!(faulty, expected.is_none());
            if let Some(expected) = expected {
                prop_assert_eq!(BigInt::from(units.values[row]), expected);
            }
        }
    }
}
