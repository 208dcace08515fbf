//! Columns of numbers of any width.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;

use super::bits::Bits;
use super::rare::Rare;
use super::rows::Rows;
use super::table::Flags;

/// The values of a column of numbers, in the width that it has.
#[derive(Debug, Clone)]
pub(super) enum Numbers {
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
    U8(ScalarBuffer<u8>),
    U16(ScalarBuffer<u16>),
    U32(ScalarBuffer<u32>),
    U64(ScalarBuffer<u64>),
    F32(ScalarBuffer<f32>),
    F64(ScalarBuffer<f64>),
}

macro_rules! each {
    ($numbers:expr, $values:ident => $body:expr) => {
        match $numbers {
            Numbers::I8($values) => $body,
            Numbers::I16($values) => $body,
            Numbers::I32($values) => $body,
            Numbers::I64($values) => $body,
            Numbers::U8($values) => $body,
            Numbers::U16($values) => $body,
            Numbers::U32($values) => $body,
            Numbers::U64($values) => $body,
            Numbers::F32($values) => $body,
            Numbers::F64($values) => $body,
        }
    };
}

impl Numbers {
    /// The numbers of an array, if it has numbers.
    pub(super) fn of(array: &dyn Array) -> Option<Self> {
        fn values<T: arrow_array::ArrowPrimitiveType>(array: &dyn Array) -> ScalarBuffer<T::Native> {
            array.as_primitive::<T>().values().clone()
        }
        Some(match array.data_type() {
            DataType::Int8 => Self::I8(values::<Int8Type>(array)),
            DataType::Int16 => Self::I16(values::<Int16Type>(array)),
            DataType::Int32 => Self::I32(values::<Int32Type>(array)),
            DataType::Int64 => Self::I64(values::<Int64Type>(array)),
            DataType::UInt8 => Self::U8(values::<UInt8Type>(array)),
            DataType::UInt16 => Self::U16(values::<UInt16Type>(array)),
            DataType::UInt32 => Self::U32(values::<UInt32Type>(array)),
            DataType::UInt64 => Self::U64(values::<UInt64Type>(array)),
            DataType::Float16 => {
                let halves: &PrimitiveArray<Float16Type> = array.as_primitive();
                Self::F32(halves.values().iter().map(|half| half.to_f32()).collect())
            }
            DataType::Float32 => Self::F32(values::<Float32Type>(array)),
            DataType::Float64 => Self::F64(values::<Float64Type>(array)),
            _ => return None,
        })
    }

    pub(super) const fn is_float(&self) -> bool {
        matches!(self, Self::F32(_) | Self::F64(_))
    }

    /// Whether every value is an int.
    pub(super) const fn is_int(&self) -> bool {
        !matches!(self, Self::U64(_) | Self::F32(_) | Self::F64(_))
    }

    /// Whole numbers as int; a row with a value beyond its range is in the second part.
    pub(super) fn ints<'a>(&'a self, rows: &Rows, count: usize) -> (Cow<'a, [i64]>, Rare) {
        match self {
            Self::I64(values) => (rows.of(values, count), Rare::NONE),
            Self::I8(values) => (rows.map(values, count, i64::from), Rare::NONE),
            Self::I16(values) => (rows.map(values, count, i64::from), Rare::NONE),
            Self::I32(values) => (rows.map(values, count, i64::from), Rare::NONE),
            Self::U8(values) => (rows.map(values, count, i64::from), Rare::NONE),
            Self::U16(values) => (rows.map(values, count, i64::from), Rare::NONE),
            Self::U32(values) => (rows.map(values, count, i64::from), Rare::NONE),
            Self::U64(values) => {
                let read = rows.of(values, count);
                let beyond = Bits::of(&read, |value| value > i64::MAX.unsigned_abs());
                (rows.map(values, count, u64::cast_signed), beyond.into())
            }
            Self::F32(_) | Self::F64(_) => (Cow::Owned(vec![0; count]), Bits::first(count).into()),
        }
    }

    /// Whole numbers as uint; a row with a value beyond its range is in the second part.
    pub(super) fn uints<'a>(&'a self, rows: &Rows, count: usize) -> (Cow<'a, [u64]>, Rare) {
        if let Self::U64(values) = self {
            return (rows.of(values, count), Rare::NONE);
        }
        let (ints, beyond) = self.ints(rows, count);
        let negative = Bits::of(&ints, |value| value < 0);
        (Cow::Owned(ints.iter().map(|value| value.cast_unsigned()).collect()), beyond.or(&negative.into()))
    }

    /// All numbers as double, a large whole number as the nearest.
    pub(super) fn doubles<'a>(&'a self, rows: &Rows, count: usize) -> Cow<'a, [f64]> {
        match self {
            Self::F64(values) => rows.of(values, count),
            Self::F32(values) => rows.map(values, count, f64::from),
            Self::I8(values) => rows.map(values, count, f64::from),
            Self::I16(values) => rows.map(values, count, f64::from),
            Self::I32(values) => rows.map(values, count, f64::from),
            Self::U8(values) => rows.map(values, count, f64::from),
            Self::U16(values) => rows.map(values, count, f64::from),
            Self::U32(values) => rows.map(values, count, f64::from),
            Self::I64(values) => rows.map(values, count, |value| value as f64),
            Self::U64(values) => rows.map(values, count, |value| value as f64),
        }
    }

    pub(super) fn int_at(&self, row: usize) -> Option<i64> {
        match self {
            Self::U64(values) => values.get(row).and_then(|value| i64::try_from(*value).ok()),
            Self::F32(_) | Self::F64(_) => None,
            others => others.ints(&Rows::Span(row), 1).0.first().copied(),
        }
    }

    pub(super) fn uint_at(&self, row: usize) -> Option<u64> {
        match self {
            Self::U64(values) => values.get(row).copied(),
            others => others.int_at(row).and_then(|value| u64::try_from(value).ok()),
        }
    }

    pub(super) fn double_at(&self, row: usize) -> Option<f64> {
        match self {
            Self::F64(values) => values.get(row).copied(),
            others => others.doubles(&Rows::Span(row), 1).first().copied(),
        }
    }

    /// Keys of a dictionary as positions; what is no position is 0.
    pub(super) fn positions(&self, rows: &Rows, count: usize) -> Vec<u32> {
        fn convert<T: Copy>(values: &[T], rows: &Rows, count: usize) -> Vec<u32>
        where
            u32: TryFrom<T>,
        {
            rows.of(values, count).iter().map(|key| u32::try_from(*key).unwrap_or(0)).collect()
        }
        match self {
            Self::I8(keys) => convert(keys, rows, count),
            Self::I16(keys) => convert(keys, rows, count),
            Self::I32(keys) => convert(keys, rows, count),
            Self::I64(keys) => convert(keys, rows, count),
            Self::U8(keys) => convert(keys, rows, count),
            Self::U16(keys) => convert(keys, rows, count),
            Self::U32(keys) => convert(keys, rows, count),
            Self::U64(keys) => convert(keys, rows, count),
            Self::F32(_) | Self::F64(_) => vec![0; count],
        }
    }

    /// The rows of `mask` whose key is in a table of flags.
    pub(super) fn look_up(&self, table: &Flags, rows: &Rows, count: usize, mask: &Bits) -> Bits {
        match self {
            Self::I8(keys) => table.of(&rows.of(keys, count), mask, |key| key.cast_unsigned().into()),
            Self::I16(keys) => table.of(&rows.of(keys, count), mask, |key| key.cast_unsigned().into()),
            Self::I32(keys) => table.of(&rows.of(keys, count), mask, i32::cast_unsigned),
            Self::U8(keys) => table.of(&rows.of(keys, count), mask, u32::from),
            Self::U16(keys) => table.of(&rows.of(keys, count), mask, u32::from),
            Self::U32(keys) => table.of(&rows.of(keys, count), mask, |key| key),
            Self::I64(_) | Self::U64(_) | Self::F32(_) | Self::F64(_) => {
                table.of(&self.positions(rows, count), mask, |key| key)
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        each!(self, values => values.len())
    }
}
