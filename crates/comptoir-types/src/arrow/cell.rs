//! Single cells as text, for messages.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
};
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, downcast_integer_array};
use arrow_schema::{DataType, TimeUnit};

use crate::decimal::format_digits;
use crate::time::Clock;

/// The cell at `row` as a user would write it; `None` for null and for a row that does not exist. A cell of a type
/// that no column here has is given as the name of its type.
#[must_use]
pub fn text_at(array: &dyn Array, row: usize) -> Option<String> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    downcast_integer_array!(
        array => Some(array.value(row).to_string()),
        DataType::Null => None,
        DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Some(array.as_string_view().value(row).to_owned()),
        DataType::Boolean => Some(array.as_boolean().value(row).to_string()),
        DataType::Float32 => Some(array.as_primitive::<Float32Type>().value(row).to_string()),
        DataType::Float64 => Some(array.as_primitive::<Float64Type>().value(row).to_string()),
        DataType::Dictionary(_, _) => dictionary_text(array, row),
        _ => decimal_text(array, row).or_else(|| time_text(array, row)).or_else(|| Some(super::type_name(array.data_type()))),
    )
}

fn dictionary_text(array: &dyn Array, row: usize) -> Option<String> {
    let dictionary = array.as_any_dictionary_opt()?;
    let key = text_at(dictionary.keys(), row)?.parse().ok()?;
    text_at(dictionary.values().as_ref(), key)
}

fn decimal_text(array: &dyn Array, row: usize) -> Option<String> {
    let (digits, scale) = match array.data_type() {
        DataType::Decimal32(_, scale) => {
            (array.as_primitive::<Decimal32Type>().value(row).to_string(), scale)
        }
        DataType::Decimal64(_, scale) => {
            (array.as_primitive::<Decimal64Type>().value(row).to_string(), scale)
        }
        DataType::Decimal128(_, scale) => {
            (array.as_primitive::<Decimal128Type>().value(row).to_string(), scale)
        }
        DataType::Decimal256(_, scale) => {
            (array.as_primitive::<Decimal256Type>().value(row).to_string(), scale)
        }
        _ => return None,
    };
    Some(format_digits(&digits, i16::from(*scale)))
}

fn time_text(array: &dyn Array, row: usize) -> Option<String> {
    let (clock, ticks) = match array.data_type() {
        DataType::Date32 => (Clock::DAY, i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Date64 => (Clock::MILLISECOND, array.as_primitive::<Date64Type>().value(row)),
        DataType::Timestamp(TimeUnit::Second, _) => {
            (Clock::SECOND, array.as_primitive::<TimestampSecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            (Clock::MILLISECOND, array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            (Clock::MICROSECOND, array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (Clock::NANOSECOND, array.as_primitive::<TimestampNanosecondType>().value(row))
        }
        _ => return None,
    };
    Some(clock.format(ticks))
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int8Type;
    use arrow_array::{
        Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int16Array, NullArray, StringArray,
        StringViewArray, TimestampMicrosecondArray,
    };

    use super::*;

    #[test]
    fn cells_read_as_they_are_written() {
        let decimal = Decimal128Array::from(vec![-5]).with_precision_and_scale(10, 2).unwrap();
        let dictionary: DictionaryArray<Int8Type> = vec![Some("a"), None, Some("b")].into_iter().collect();
        let cells: [(&dyn Array, usize, Option<&str>); 11] = [
            (&decimal, 0, Some("-0.05")),
            (&dictionary, 2, Some("b")),
            (&dictionary, 1, None),
            (&Int16Array::from(vec![Some(-7), None]), 0, Some("-7")),
            (&Int16Array::from(vec![Some(-7), None]), 1, None),
            (&StringArray::from(vec!["x"]), 0, Some("x")),
            (
                &StringViewArray::from(vec!["a text beyond twelve bytes"]),
                0,
                Some("a text beyond twelve bytes"),
            ),
            (&Date32Array::from(vec![0]), 0, Some("1970-01-01")),
            (&TimestampMicrosecondArray::from(vec![1]), 0, Some("1970-01-01T00:00:00.000001Z")),
            (&Float64Array::from(vec![0.5]), 0, Some("0.5")),
            (&NullArray::new(1), 0, None),
        ];
        for (array, row, expected) in cells {
            assert_eq!(text_at(array, row).as_deref(), expected);
        }
        assert_eq!(text_at(&StringArray::from(vec!["x"]), 9), None);
    }
}
