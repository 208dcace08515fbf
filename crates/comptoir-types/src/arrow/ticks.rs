//! Moments: any date or timestamp column as ticks of its own unit.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, Date64Type};
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use crate::error::Error;
use crate::time::Clock;

/// A time column as ticks since 1970-01-01.
#[derive(Debug, Clone)]
pub struct Ticks {
    /// Ticks by row, in the column's own unit; unspecified where the row is null or faulty.
    pub values: ScalarBuffer<i64>,
    /// Rows without a moment.
    pub nulls: Option<NullBuffer>,
    /// Rows of this array, ascending, outside the calendar.
    pub faults: Vec<(usize, Error)>,
    /// The unit.
    pub clock: Clock,
    /// The time zone as the column's type states it.
    pub zone: Option<String>,
}

/// Reads `array` as moments: `date32`, `date64`, and timestamps in s, ms, us or ns with or without a time zone.
///
/// The buffer of a 64-bit column is shared, not copied.
///
/// # Errors
/// `TYPES_COLUMN_TYPE` for any other type; text is not parsed, because a text date has no one meaning.
pub fn read_ticks(array: &dyn Array, column: &str) -> Result<Ticks, Error> {
    let found = array.data_type();
    let (values, clock) = match found {
        DataType::Null => return Ok(nulls_only(array.len())),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().values();
            (days.iter().map(|day| i64::from(*day)).collect(), Clock::DAY)
        }
        DataType::Date64 => (shared::<Date64Type>(array), Clock::MILLISECOND),
        DataType::Timestamp(TimeUnit::Second, _) => (shared::<TimestampSecondType>(array), Clock::SECOND),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            (shared::<TimestampMillisecondType>(array), Clock::MILLISECOND)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            (shared::<TimestampMicrosecondType>(array), Clock::MICROSECOND)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (shared::<TimestampNanosecondType>(array), Clock::NANOSECOND)
        }
        other => return Err(type_error(other, column)),
    };
    let zone = match found {
        DataType::Timestamp(_, zone) => zone.as_ref().map(ToString::to_string),
        _ => None,
    };
    let faults = faults(&values, array.nulls(), clock, column);
    Ok(Ticks { values, nulls: array.nulls().cloned(), faults, clock, zone })
}

fn shared<T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array) -> ScalarBuffer<i64> {
    array.as_primitive::<T>().values().clone()
}

fn faults(values: &[i64], nulls: Option<&NullBuffer>, clock: Clock, column: &str) -> Vec<(usize, Error)> {
    let (first, last) = clock.range();
    // One pass without branches; only a column that has a moment outside is looked at row by row.
    if values.iter().fold(false, |bad, ticks| bad | (*ticks < first) | (*ticks > last)) {
        let bad = values.iter().enumerate().filter(|(row, ticks)| {
            !(first..=last).contains(*ticks) && nulls.is_none_or(|nulls| nulls.is_valid(*row))
        });
        return bad.map(|(row, ticks)| (row, clock.out_of_range(*ticks).in_column(column))).collect();
    }
    Vec::new()
}

fn nulls_only(rows: usize) -> Ticks {
    let nulls = Some(NullBuffer::new_null(rows));
    Ticks { values: vec![0; rows].into(), nulls, faults: Vec::new(), clock: Clock::DAY, zone: None }
}

fn type_error(found: &DataType, column: &str) -> Error {
    let advice = match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            ": cast the text to a date or a timestamp"
        }
        found if found.is_integer() => ": cast the integers to a timestamp of their unit",
        _ => "",
    };
    Error::ColumnType {
        column: column.to_owned(),
        expected: "date or timestamp",
        found: super::type_name(found),
        advice: advice.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        Date32Array, Date64Array, Int64Array, NullArray, StringArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    };

    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn every_unit_gives_the_same_day() {
        let day = 19_813; // 2024-03-31
        let arrays: [&dyn Array; 6] = [
            &Date32Array::from(vec![day]),
            &Date64Array::from(vec![i64::from(day) * 86_400_000]),
            &TimestampSecondArray::from(vec![i64::from(day) * 86_400]),
            &TimestampMillisecondArray::from(vec![i64::from(day) * 86_400_000]).with_timezone("UTC"),
            &TimestampMicrosecondArray::from(vec![i64::from(day) * 86_400_000_000]),
            &TimestampNanosecondArray::from(vec![i64::from(day) * 86_400_000_000_000]),
        ];
        for array in arrays {
            let ticks = read_ticks(array, "at").unwrap();
            assert_eq!(ticks.clock.date(ticks.values[0], 0).unwrap().to_string(), "2024-03-31");
            assert!(ticks.faults.is_empty() && ticks.nulls.is_none());
        }
        assert_eq!(read_ticks(arrays[3], "at").unwrap().zone.as_deref(), Some("UTC"));
    }

    #[test]
    fn a_64_bit_column_is_shared() {
        let array = TimestampMicrosecondArray::from(vec![1, 2, 3]);
        let ticks = read_ticks(&array, "at").unwrap();
        assert_eq!(ticks.values.as_ptr(), array.values().as_ptr());
    }

    #[test]
    fn a_moment_outside_the_calendar_is_a_fault_of_its_row() {
        let array = TimestampSecondArray::from(vec![Some(0), Some(i64::MAX), None, Some(i64::MIN)]);
        let ticks = read_ticks(&array, "at").unwrap();
        assert_eq!(ticks.faults.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(ticks.faults[0].1.code(), "TYPES_TIME_RANGE");
        assert!(ticks.faults[0].1.to_string().starts_with("column `at`: `9223372036854775807 s"));
    }

    #[test]
    fn other_types_are_refused_with_advice() {
        let message = |array: &dyn Array| read_ticks(array, "at").unwrap_err().to_string();
        assert_eq!(
            message(&StringArray::from(vec!["2024-03-31"])),
            "column `at`: expected date or timestamp, found utf8: cast the text to a date or a timestamp"
        );
        assert!(
            message(&Int64Array::from(vec![1])).ends_with("cast the integers to a timestamp of their unit")
        );
        assert_eq!(read_ticks(&NullArray::new(3), "at").unwrap().nulls.unwrap().null_count(), 3);
    }
}
