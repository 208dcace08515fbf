//! Results of expressions as exact numbers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array};
use arrow_schema::DataType;

use crate::Score;

/// Kinds of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// `int` in CEL.
    Int,
    /// `uint` in CEL.
    Uint,
    /// `decimal` in CEL, in units of 10^-18.
    Decimal,
    /// `double` in CEL.
    Double,
}

/// Digits after the point of decimals: those that the results of expressions have.
const SCALE: i8 = 18;
const PRECISION: u8 = 38;

impl NumberKind {
    /// The kind of an array that an expression gave; `None` where it gave no numbers.
    pub const fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Int64 => Some(Self::Int),
            DataType::UInt64 => Some(Self::Uint),
            DataType::Decimal128(PRECISION, SCALE) => Some(Self::Decimal),
            DataType::Float64 => Some(Self::Double),
            _ => None,
        }
    }

    /// The type of a column of such numbers.
    pub const fn data_type(self) -> DataType {
        match self {
            Self::Int => DataType::Int64,
            Self::Uint => DataType::UInt64,
            Self::Decimal => DataType::Decimal128(PRECISION, SCALE),
            Self::Double => DataType::Float64,
        }
    }

    /// A number of the array as an integer whose order is that of the numbers. `None` for null and NaN.
    pub fn key(self, array: &dyn Array, row: usize) -> Option<i128> {
        if array.is_null(row) {
            return None;
        }
        match self {
            Self::Int => Some(array.as_primitive::<Int64Type>().value(row).into()),
            Self::Uint => Some(array.as_primitive::<UInt64Type>().value(row).into()),
            Self::Decimal => Some(array.as_primitive::<Decimal128Type>().value(row)),
            Self::Double => Some(Score::new(array.as_primitive::<Float64Type>().value(row))?.key().into()),
        }
    }

    /// Keys as a column of numbers. A key that is no number of this kind is null; [`NumberKind::fits`] tells before.
    pub fn array(self, keys: impl Iterator<Item = Option<i128>>) -> ArrayRef {
        match self {
            Self::Int => Arc::new(keys.map(|key| i64::try_from(key?).ok()).collect::<Int64Array>()),
            Self::Uint => Arc::new(keys.map(|key| u64::try_from(key?).ok()).collect::<UInt64Array>()),
            Self::Decimal => Arc::new(
                keys.collect::<Decimal128Array>().with_data_type(DataType::Decimal128(PRECISION, SCALE)),
            ),
            Self::Double => {
                let number = |key: Option<i128>| Some(Score::from_key(i64::try_from(key?).ok()?).get());
                Arc::new(keys.map(number).collect::<Float64Array>())
            }
        }
    }

    /// Whether a sum is a number of this kind.
    pub fn fits(self, key: i128) -> bool {
        match self {
            Self::Int => i64::try_from(key).is_ok(),
            Self::Uint => u64::try_from(key).is_ok(),
            Self::Decimal => key.unsigned_abs() < 10_u128.pow(PRECISION.into()),
            Self::Double => true,
        }
    }

    /// A key as the double that is nearest to the number.
    #[expect(clippy::cast_precision_loss, reason = "a ratio is a double")]
    pub fn double(self, key: i128) -> f64 {
        match self {
            Self::Int | Self::Uint => key as f64,
            Self::Decimal => key as f64 / 1e18,
            Self::Double => i64::try_from(key).map_or(f64::NAN, |key| Score::from_key(key).get()),
        }
    }
}
