//! Results of expressions as exact numbers.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array};
use arrow_buffer::BooleanBuffer;
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

/// Numbers of rows as integers of 64 bits with the same order.
#[derive(Debug)]
pub struct Keys<'s> {
    /// The chosen rows that have a number.
    pub valid: BooleanBuffer,
    /// A key for each row, any where there is no number.
    pub keys: Cow<'s, [i64]>,
    /// What is compared where keys are equal.
    pub low: Low<Vec<u64>, Vec<i128>>,
}

/// What a number has beyond its key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Low<H, B> {
    /// Nothing.
    #[default]
    None,
    /// The lower half of a wide number.
    Half(H),
    /// What it has beyond the double that is nearest to it.
    Beyond(B),
}

impl Low<Vec<u64>, Vec<i128>> {
    /// That of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Low<u64, i128> {
        match self {
            Self::None => Low::None,
            Self::Half(halves) => Low::Half(halves.get(row).copied().unwrap_or(0)),
            Self::Beyond(beyond) => Low::Beyond(beyond.get(row).copied().unwrap_or(0)),
        }
    }

    /// How many bytes it takes of a candidate.
    pub const fn width(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Half(_) => size_of::<u64>(),
            Self::Beyond(_) => size_of::<i128>(),
        }
    }
}

impl<'s> Keys<'s> {
    const fn new(valid: BooleanBuffer, keys: Cow<'s, [i64]>) -> Self {
        Self { valid, keys, low: Low::None }
    }
}

/// The bit that makes signed order of unsigned order.
const SIGN: u64 = 1 << 63;

const fn high(value: i128) -> i64 {
    (value >> 64) as i64
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn low(value: i128) -> u64 {
    value.cast_unsigned() as u64
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

    /// How many digits after the point its units have; `None` for doubles, which have no unit.
    pub const fn scale(self) -> Option<u32> {
        match self {
            Self::Int | Self::Uint => Some(0),
            Self::Decimal => Some(SCALE.unsigned_abs() as u32),
            Self::Double => None,
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

    /// The numbers of the chosen rows as keys of 64 bits.
    pub fn keys<'s>(self, scores: &'s ArrayRef, chosen: &BooleanBuffer) -> Keys<'s> {
        let valid = match scores.nulls().filter(|nulls| nulls.null_count() > 0) {
            Some(nulls) => chosen & nulls.inner(),
            None => chosen.clone(),
        };
        match self {
            Self::Int => Keys::new(valid, scores.as_primitive::<Int64Type>().values().as_ref().into()),
            Self::Uint => {
                let values = scores.as_primitive::<UInt64Type>().values();
                Keys::new(valid, values.iter().map(|value| (value ^ SIGN).cast_signed()).collect())
            }
            Self::Decimal => {
                let values = scores.as_primitive::<Decimal128Type>().values();
                let keys = Keys::new(valid, values.iter().map(|value| high(*value)).collect());
                Keys { low: Low::Half(values.iter().map(|value| low(*value)).collect()), ..keys }
            }
            Self::Double => {
                let values = scores.as_primitive::<Float64Type>().values();
                let valid = if values.iter().fold(false, |any, value| any | value.is_nan()) {
                    &valid
                        & &BooleanBuffer::collect_bool(values.len(), |row| {
                            values.get(row).is_some_and(|value| !value.is_nan())
                        })
                } else {
                    valid
                };
                Keys::new(valid, values.iter().map(|value| Score::key_of(*value)).collect())
            }
        }
    }

    /// The number behind a key and its lower half.
    pub fn whole(self, key: i64, low: u64) -> i128 {
        match self {
            Self::Uint => (key.cast_unsigned() ^ SIGN).into(),
            Self::Int | Self::Double => key.into(),
            Self::Decimal => (i128::from(key) << 64) | i128::from(low),
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

    /// The numbers behind so many keys and their lower halves as a column.
    pub fn column(self, keys: impl Iterator<Item = (i64, u64)>, count: usize) -> ArrayRef {
        fn collected<T>(values: impl Iterator<Item = T>, count: usize) -> Vec<T> {
            let mut all = Vec::with_capacity(count);
            all.extend(values);
            all
        }
        match self {
            Self::Int => Arc::new(Int64Array::from(collected(keys.map(|(key, _)| key), count))),
            Self::Uint => {
                let number = |(key, _): (i64, u64)| key.cast_unsigned() ^ SIGN;
                Arc::new(UInt64Array::from(collected(keys.map(number), count)))
            }
            Self::Decimal => {
                let units = collected(keys.map(|(key, low)| self.whole(key, low)), count);
                Arc::new(Decimal128Array::from(units).with_data_type(self.data_type()))
            }
            Self::Double => {
                let number = |(key, _): (i64, u64)| Score::from_key(key).get();
                Arc::new(Float64Array::from(collected(keys.map(number), count)))
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

    /// The numbers of this kind, in words.
    pub const fn limit(self) -> &'static str {
        match self {
            Self::Int => "an integer of 64 bits",
            Self::Uint => "an unsigned integer of 64 bits",
            Self::Decimal => "a decimal with 20 digits before the point and 18 after it",
            Self::Double => "a double",
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
