//! Ranks of Arrow columns.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Float64Array, UInt64Array};
use arrow_schema::{DataType, TimeUnit};
use comptoir_types::arrow::{text_at, type_name};
use comptoir_types::{ErrorCode, ErrorKind};

use super::{Method, Nulls, Order, Ranks, UnknownName, rank};
use crate::Score;

/// Why a column cannot be ranked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RankError {
    /// Values of a type that has no order.
    #[error(transparent)]
    Column(#[from] comptoir_types::Error),
    /// A name of a method, an order or a place of nulls that does not exist.
    #[error(transparent)]
    Name(#[from] UnknownName),
    /// Ids that do not go with the values.
    #[error("the method `random` needs one id for each of the {values} values, found {ids}")]
    Ids {
        /// How many values there are.
        values: usize,
        /// How many ids.
        ids: usize,
    },
}

impl ErrorCode for RankError {
    fn code(&self) -> &'static str {
        match self {
            Self::Column(error) => error.code(),
            Self::Name(_) => "RANKING_NAME",
            Self::Ids { .. } => "RANKING_IDS",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Column(error) => error.kind(),
            Self::Name(_) => ErrorKind::Config,
            Self::Ids { .. } => ErrorKind::Data,
        }
    }
}

/// The rank of each value of a column that is given as chunks of one type: integers for the methods that number, doubles
/// for [`Method::Average`] and [`Method::Percent`]; null where a value has no rank. Null and NaN are missing values.
///
/// Numbers, dates, times and booleans are compared as they are, text by its bytes (which is the order of its characters).
/// `ids` are those of [`Method::Random`], as [`text_at`] writes them.
///
/// # Errors
/// `TYPES_COLUMN_TYPE` for nested and binary values, [`RankError::Ids`].
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Int64Array, UInt64Array};
/// use comptoir_ranking::rank::{Method, Nulls, Order, rank_column};
///
/// let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(9)]));
/// let ranks = rank_column(&[values], Method::Min, Order::Descending, Nulls::Keep, &[])?;
/// assert_eq!(ranks.as_ref(), &UInt64Array::from(vec![Some(2), None, Some(1)]) as &dyn arrow_array::Array);
/// # Ok::<(), comptoir_ranking::rank::RankError>(())
/// ```
pub fn rank_column(
    chunks: &[ArrayRef],
    method: Method,
    order: Order,
    nulls: Nulls,
    ids: &[ArrayRef],
) -> Result<ArrayRef, RankError> {
    let (values, found) = (rows(chunks), rows(ids));
    if matches!(method, Method::Random(_)) && values != found {
        return Err(RankError::Ids { values, ids: found });
    }
    let by = Choice { method, order, nulls, ids: texts(ids) };
    let data_type = chunks.first().map_or(DataType::Null, |chunk| chunk.data_type().clone());
    match &data_type {
        DataType::Dictionary(..) => {
            let plain = chunks.iter().map(unpacked).collect::<Option<Vec<_>>>();
            let plain = plain.ok_or_else(|| wrong_type(&data_type))?;
            rank_column(&plain, method, order, nulls, ids)
        }
        DataType::Null => Ok(by.ranks(&vec![None::<bool>; values])),
        DataType::Boolean => Ok(by.ranks(&collect(chunks, |chunk| chunk.as_boolean().iter()))),
        DataType::Utf8 => Ok(by.ranks(&collect(chunks, |chunk| chunk.as_string::<i32>().iter()))),
        DataType::LargeUtf8 => Ok(by.ranks(&collect(chunks, |chunk| chunk.as_string::<i64>().iter()))),
        DataType::Utf8View => Ok(by.ranks(&collect(chunks, |chunk| chunk.as_string_view().iter()))),
        number => by.numbers(chunks, number).ok_or_else(|| wrong_type(number)),
    }
}

/// How to rank.
struct Choice {
    method: Method,
    order: Order,
    nulls: Nulls,
    /// Asked only by the random method.
    ids: Vec<String>,
}

impl Choice {
    fn ranks<K: Ord>(&self, values: &[Option<K>]) -> ArrayRef {
        let id = |place: usize| self.ids.get(place).map_or(&[][..], String::as_bytes);
        match rank(values, self.method, self.order, self.nulls, id) {
            Ranks::Whole(ranks) => Arc::new(UInt64Array::from(ranks)),
            Ranks::Real(ranks) => Arc::new(Float64Array::from(ranks)),
        }
    }

    /// Ranks of numbers; `None` for any other type. Narrow types are widened, so that few kinds are sorted.
    fn numbers(&self, chunks: &[ArrayRef], data_type: &DataType) -> Option<ArrayRef> {
        Some(match data_type {
            DataType::Int8 => self.signed::<Int8Type>(chunks),
            DataType::Int16 => self.signed::<Int16Type>(chunks),
            DataType::Int32 => self.signed::<Int32Type>(chunks),
            DataType::Int64 => self.signed::<Int64Type>(chunks),
            DataType::UInt8 => self.signed::<UInt8Type>(chunks),
            DataType::UInt16 => self.signed::<UInt16Type>(chunks),
            DataType::UInt32 => self.signed::<UInt32Type>(chunks),
            DataType::UInt64 => self.ranks(&values::<UInt64Type, _>(chunks, |value| value)),
            DataType::Float16 => self.floats::<Float16Type>(chunks),
            DataType::Float32 => self.floats::<Float32Type>(chunks),
            DataType::Float64 => self.floats::<Float64Type>(chunks),
            DataType::Decimal32(..) => self.signed::<Decimal32Type>(chunks),
            DataType::Decimal64(..) => self.signed::<Decimal64Type>(chunks),
            DataType::Decimal128(..) => self.ranks(&values::<Decimal128Type, _>(chunks, |value| value)),
            DataType::Decimal256(..) => self.ranks(&values::<Decimal256Type, _>(chunks, |value| value)),
            _ => return self.times(chunks, data_type),
        })
    }

    fn times(&self, chunks: &[ArrayRef], data_type: &DataType) -> Option<ArrayRef> {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};

        Some(match data_type {
            DataType::Date32 => self.signed::<Date32Type>(chunks),
            DataType::Date64 => self.signed::<Date64Type>(chunks),
            DataType::Time32(Second) => self.signed::<Time32SecondType>(chunks),
            DataType::Time32(Millisecond) => self.signed::<Time32MillisecondType>(chunks),
            DataType::Time64(Microsecond) => self.signed::<Time64MicrosecondType>(chunks),
            DataType::Time64(Nanosecond) => self.signed::<Time64NanosecondType>(chunks),
            DataType::Timestamp(Second, _) => self.signed::<TimestampSecondType>(chunks),
            DataType::Timestamp(Millisecond, _) => self.signed::<TimestampMillisecondType>(chunks),
            DataType::Timestamp(Microsecond, _) => self.signed::<TimestampMicrosecondType>(chunks),
            DataType::Timestamp(Nanosecond, _) => self.signed::<TimestampNanosecondType>(chunks),
            DataType::Duration(Second) => self.signed::<DurationSecondType>(chunks),
            DataType::Duration(Millisecond) => self.signed::<DurationMillisecondType>(chunks),
            DataType::Duration(Microsecond) => self.signed::<DurationMicrosecondType>(chunks),
            DataType::Duration(Nanosecond) => self.signed::<DurationNanosecondType>(chunks),
            _ => return None,
        })
    }

    fn signed<T: ArrowPrimitiveType>(&self, chunks: &[ArrayRef]) -> ArrayRef
    where
        i64: From<T::Native>,
    {
        self.ranks(&values::<T, _>(chunks, i64::from))
    }

    fn floats<T: ArrowPrimitiveType>(&self, chunks: &[ArrayRef]) -> ArrayRef
    where
        f64: From<T::Native>,
    {
        let scores = values::<T, _>(chunks, |value| Score::new(f64::from(value)));
        self.ranks(&scores.into_iter().map(Option::flatten).collect::<Vec<_>>())
    }
}

fn values<T: ArrowPrimitiveType, K>(chunks: &[ArrayRef], key: impl Fn(T::Native) -> K) -> Vec<Option<K>> {
    chunks.iter().flat_map(|chunk| chunk.as_primitive::<T>().iter()).map(|value| value.map(&key)).collect()
}

fn collect<'c, K, I: Iterator<Item = Option<K>>>(
    chunks: &'c [ArrayRef],
    values: impl Fn(&'c ArrayRef) -> I,
) -> Vec<Option<K>> {
    chunks.iter().flat_map(values).collect()
}

fn rows(chunks: &[ArrayRef]) -> usize {
    chunks.iter().map(|chunk| chunk.len()).sum()
}

fn texts(chunks: &[ArrayRef]) -> Vec<String> {
    let text = |chunk: &ArrayRef, row| text_at(chunk.as_ref(), row).unwrap_or_default();
    chunks.iter().flat_map(|chunk| (0..chunk.len()).map(move |row| text(chunk, row))).collect()
}

fn unpacked(array: &ArrayRef) -> Option<ArrayRef> {
    let dictionary = array.as_any_dictionary_opt()?;
    arrow_select::take::take(dictionary.values(), dictionary.keys(), None).ok()
}

fn wrong_type(found: &DataType) -> RankError {
    RankError::Column(comptoir_types::Error::ColumnType {
        column: "values".to_owned(),
        expected: "numbers, text, dates, times or booleans",
        found: type_name(found),
        advice: String::new(),
    })
}
