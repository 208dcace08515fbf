//! Columns of moments.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

use super::error::BoardError;

/// Moments or durations as the integers that they are.
pub fn ticks(array: &ArrayRef) -> Result<ArrayRef, BoardError> {
    retyped(array, DataType::Int64)
}

/// Integers of 64 bits as another type of 64 bits, or back.
pub fn retyped(array: &ArrayRef, data_type: DataType) -> Result<ArrayRef, BoardError> {
    if *array.data_type() == DataType::Null {
        return Ok(arrow_array::new_null_array(&data_type, array.len()));
    }
    let data = array.to_data().into_builder().data_type(data_type).build();
    data.map(arrow_array::make_array).map_err(BoardError::internal)
}

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
