//! Columns of integers, and of dates and times, which are integers too.

use arrow_array::{Array, ArrayRef, make_array};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;

use super::error::BoardError;

/// The values of a column of integers in the width that it has.
#[derive(Debug, Clone)]
pub enum Words {
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
    U8(ScalarBuffer<u8>),
    U16(ScalarBuffer<u16>),
    U32(ScalarBuffer<u32>),
    U64(ScalarBuffer<u64>),
}

/// An integer as an unsigned one of 64 bits with the same order.
pub trait Word: ArrowNativeType {
    fn word(self) -> u64;
    fn of_word(word: u64) -> Self;
}

/// The bit that makes unsigned order of signed order.
const SIGN: u64 = 1 << 63;

macro_rules! signed {
    ($($native:ty),*) => {$(
        impl Word for $native {
            #[inline]
            fn word(self) -> u64 {
                i64::from(self).cast_unsigned() ^ SIGN
            }

            #[allow(clippy::cast_possible_truncation, reason = "words come from values of this type")]
            #[allow(clippy::unnecessary_cast, reason = "one of the types is i64 itself")]
            fn of_word(word: u64) -> Self {
                (word ^ SIGN).cast_signed() as Self
            }
        }
    )*};
}

macro_rules! unsigned {
    ($($native:ty),*) => {$(
        impl Word for $native {
            #[inline]
            fn word(self) -> u64 {
                u64::from(self)
            }

            #[allow(clippy::cast_possible_truncation, reason = "words come from values of this type")]
            #[allow(clippy::unnecessary_cast, reason = "one of the types is u64 itself")]
            fn of_word(word: u64) -> Self {
                word as Self
            }
        }
    )*};
}

signed!(i8, i16, i32, i64);
unsigned!(u8, u16, u32, u64);

/// Does the same with the values of each width.
macro_rules! each_width {
    ($words:expr, $values:ident => $body:expr) => {
        match $words {
            Words::I8($values) => $body,
            Words::I16($values) => $body,
            Words::I32($values) => $body,
            Words::I64($values) => $body,
            Words::U8($values) => $body,
            Words::U16($values) => $body,
            Words::U32($values) => $body,
            Words::U64($values) => $body,
        }
    };
}
pub(super) use each_width;

/// Widths of integers in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Signed(usize),
    Unsigned(usize),
}

fn width(data_type: &DataType) -> Option<Width> {
    use DataType as D;
    if matches!(data_type, D::Interval(_)) {
        return None;
    }
    if data_type.is_unsigned_integer() {
        return data_type.primitive_width().map(Width::Unsigned);
    }
    let is_signed = data_type.is_signed_integer()
        || data_type.is_temporal()
        || matches!(data_type, D::Decimal32(..) | D::Decimal64(..));
    data_type.primitive_width().filter(|_| is_signed).map(Width::Signed)
}

impl Words {
    /// The values of an array; `None` unless it is of integers, dates, times or narrow decimals.
    pub fn of(array: &dyn Array) -> Option<Self> {
        fn values<T: ArrowNativeType>(data: &ArrayData) -> Option<ScalarBuffer<T>> {
            Some(ScalarBuffer::new(data.buffers().first()?.clone(), data.offset(), data.len()))
        }
        let width = width(array.data_type())?;
        let data = array.to_data();
        Some(match width {
            Width::Signed(1) => Self::I8(values(&data)?),
            Width::Signed(2) => Self::I16(values(&data)?),
            Width::Signed(4) => Self::I32(values(&data)?),
            Width::Signed(8) => Self::I64(values(&data)?),
            Width::Unsigned(1) => Self::U8(values(&data)?),
            Width::Unsigned(2) => Self::U16(values(&data)?),
            Width::Unsigned(4) => Self::U32(values(&data)?),
            Width::Unsigned(8) => Self::U64(values(&data)?),
            Width::Signed(_) | Width::Unsigned(_) => return None,
        })
    }

    /// The value of a row; 0 past the end.
    pub fn word(&self, row: usize) -> u64 {
        each_width!(self, values => values.get(row).map_or(0, |value| value.word()))
    }

    /// The values of some rows.
    pub fn words(&self, rows: &[u32]) -> Vec<u64> {
        each_width!(self, values => {
            rows.iter().map(|row| values.get(*row as usize).map_or(0, |value| value.word())).collect()
        })
    }
}

/// Words as a column of the type that they come from.
pub fn column(
    data_type: &DataType,
    words: &[u64],
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, BoardError> {
    fn buffer<T: Word>(words: &[u64]) -> Buffer {
        Buffer::from_vec(words.iter().map(|word| T::of_word(*word)).collect::<Vec<T>>())
    }
    let values = match width(data_type) {
        Some(Width::Signed(1)) => buffer::<i8>(words),
        Some(Width::Signed(2)) => buffer::<i16>(words),
        Some(Width::Signed(4)) => buffer::<i32>(words),
        Some(Width::Signed(_)) => buffer::<i64>(words),
        Some(Width::Unsigned(1)) => buffer::<u8>(words),
        Some(Width::Unsigned(2)) => buffer::<u16>(words),
        Some(Width::Unsigned(4)) => buffer::<u32>(words),
        Some(Width::Unsigned(_)) => buffer::<u64>(words),
        None => return Err(BoardError::internal(format!("{data_type} is no integer"))),
    };
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    let data = ArrayData::builder(data_type.clone()).len(words.len()).add_buffer(values).nulls(nulls);
    data.build().map(make_array).map_err(BoardError::internal)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Array, ArrayRef, Date32Array, Int8Array, TimestampMillisecondArray, UInt64Array};

    use super::{Words, column};

    #[test]
    fn values_come_back_and_keep_their_order() {
        let arrays: [ArrayRef; 4] = [
            Arc::new(Int8Array::from(vec![-128, -1, 0, 127])),
            Arc::new(UInt64Array::from(vec![0, 1, 1 << 63, u64::MAX])),
            Arc::new(Date32Array::from(vec![-5, 0, 5, 20_000])),
            Arc::new(TimestampMillisecondArray::from(vec![i64::MIN, -1, 0, i64::MAX]).with_timezone("UTC")),
        ];
        for array in arrays {
            let words = Words::of(&array.slice(1, 3)).unwrap().words(&[0, 1, 2]);
            assert!(words.is_sorted_by(|left, right| left < right), "{:?}", array.data_type());
            assert_eq!(&column(array.data_type(), &words, None).unwrap(), &array.slice(1, 3));
        }
        assert!(Words::of(&arrow_array::StringArray::from(vec!["a"])).is_none());
    }
}
