//! Columns of moments.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

/// Seconds since 1970 of each row, NaN for null; `None` for a column of something else.
///
/// Doubles hold microseconds of this age exactly.
pub fn seconds(array: &ArrayRef) -> Option<Vec<f64>> {
    let ticks: (Vec<Option<i64>>, f64) = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            (array.as_primitive::<TimestampSecondType>().iter().collect(), 1.0)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            (array.as_primitive::<TimestampMillisecondType>().iter().collect(), 1e3)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            (array.as_primitive::<TimestampMicrosecondType>().iter().collect(), 1e6)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (array.as_primitive::<TimestampNanosecondType>().iter().collect(), 1e9)
        }
        DataType::Null => (vec![None; array.len()], 1.0),
        _ => return None,
    };
    #[expect(clippy::cast_precision_loss, reason = "ages are compared in hours")]
    let second = |tick: Option<i64>| tick.map_or(f64::NAN, |tick| tick as f64 / ticks.1);
    Some(ticks.0.into_iter().map(second).collect())
}
