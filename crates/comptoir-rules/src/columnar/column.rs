use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer, i256};
use arrow_schema::DataType;
use comptoir_types::{WideDecimal, decimal};

use super::numbers::Numbers;
use super::rows::Rows;
use crate::types::StructType;
use crate::value::{Bytes, Duration, EvalCode, EvalError, MapBuilder, Row, Struct, Timestamp, Value};

/// A column as the type that an expression expects of it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) shape: Shape,
    /// Rows that are null; none where the shape is a constant.
    pub(super) nulls: Option<NullBuffer>,
    /// Rows in which there is nothing to be null: those of a struct that is null itself.
    pub(super) absent: Option<NullBuffer>,
}

#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// The same for all rows.
    Constant(Value<'static>),
    Bool(BooleanBuffer),
    Int(Numbers),
    Uint(Numbers),
    Double(Numbers),
    Text(Texts),
    Bytes(ArrayRef),
    Decimal(Decimals),
    /// Moments since 1970, and how many of their unit a second has.
    Time(ScalarBuffer<i64>, i64),
    /// Spans, and how many nanoseconds their unit has.
    Span(ScalarBuffer<i64>, i64),
    List(Offsets, Box<Column>),
    Struct(Arc<StructType>, Vec<Column>),
    /// A struct as a map from its names.
    Fields(Vec<Arc<str>>, Vec<Column>),
    Map(Offsets, Box<Column>, Box<Column>),
    /// Keys, and the values that they are positions of.
    Dictionary(Numbers, Box<Column>),
}

/// Where the elements of each list are.
#[derive(Debug, Clone)]
pub(super) enum Offsets {
    Small(OffsetBuffer<i32>),
    Large(OffsetBuffer<i64>),
    Fixed(usize),
}

impl Offsets {
    /// The first element of each of `count` lists, and the end of the last.
    pub(super) fn bounds(&self, start: usize, count: usize) -> Vec<usize> {
        if let Self::Small(offsets) = self
            && let Some(offsets) = offsets.get(start..=start + count)
        {
            return offsets.iter().map(|offset| offset.cast_unsigned() as usize).collect();
        }
        let mut bounds: Vec<usize> = (start..start + count).map(|row| self.range(row).0).collect();
        bounds.push(self.range((start + count).saturating_sub(1)).1);
        bounds
    }

    /// First element and the one behind the last.
    #[inline]
    pub(super) fn range(&self, row: usize) -> (usize, usize) {
        let size = |offset: i64| usize::try_from(offset).unwrap_or(0);
        match self {
            Self::Small(offsets) => match (offsets.get(row), offsets.get(row + 1)) {
                (Some(start), Some(end)) => (size((*start).into()), size((*end).into())),
                _ => (0, 0),
            },
            Self::Large(offsets) => match (offsets.get(row), offsets.get(row + 1)) {
                (Some(start), Some(end)) => (size(*start), size(*end)),
                _ => (0, 0),
            },
            Self::Fixed(width) => (row * width, (row + 1) * width),
        }
    }
}

/// Text in the layout that it has.
#[derive(Debug, Clone)]
pub(super) enum Texts {
    Small(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
}

impl Texts {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Small(array) => array.len(),
            Self::Large(array) => array.len(),
            Self::View(array) => array.len(),
        }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> &str {
        match self {
            Self::Small(array) if row < array.len() => array.value(row),
            Self::Large(array) if row < array.len() => array.value(row),
            Self::View(array) if row < array.len() => array.value(row),
            _ => "",
        }
    }
}

/// Decimals in the width that they have.
#[derive(Debug, Clone)]
pub(super) struct Decimals {
    pub(super) units: Units,
    pub(super) scale: i8,
}

#[derive(Debug, Clone)]
pub(super) enum Units {
    Whole(Numbers),
    D32(ScalarBuffer<i32>),
    D64(ScalarBuffer<i64>),
    D128(ScalarBuffer<i128>),
    D256(ScalarBuffer<i256>),
}

impl Decimals {
    /// The units of rows, where the width is one that is calculated with.
    pub(super) fn wide<'a>(&'a self, rows: &Rows, count: usize) -> Option<Cow<'a, [i128]>> {
        Some(match &self.units {
            Units::D128(values) => rows.of(values, count),
            Units::D64(values) => rows.map(values, count, i128::from),
            Units::D32(values) => rows.map(values, count, i128::from),
            Units::Whole(_) | Units::D256(_) => return None,
        })
    }

    fn at(&self, row: usize) -> Option<WideDecimal> {
        let units = match &self.units {
            Units::Whole(Numbers::U64(values)) => i128::from(*values.get(row)?),
            Units::Whole(values) => i128::from(values.int_at(row)?),
            Units::D32(values) => i128::from(*values.get(row)?),
            Units::D64(values) => i128::from(*values.get(row)?),
            Units::D128(values) => *values.get(row)?,
            Units::D256(values) => return widest(*values.get(row)?, self.scale),
        };
        match u8::try_from(self.scale) {
            Ok(scale) if scale <= decimal::MAX_SCALE => WideDecimal::new(units, scale).ok(),
            _ => widest(i256::from_i128(units), self.scale),
        }
    }
}

/// A decimal of any scale, if it has at most 38 digits and 18 places.
fn widest(units: i256, scale: i8) -> Option<WideDecimal> {
    let ten = i256::from_i128(10);
    let limit = i8::try_from(decimal::MAX_SCALE).ok()?;
    let mut units = units;
    let mut scale = scale;
    while scale < 0 {
        units = units.checked_mul(ten)?;
        scale += 1;
    }
    while scale > limit || (scale > 0 && units.to_i128().is_none()) {
        if units.wrapping_rem(ten) != i256::ZERO {
            return None;
        }
        units = units.wrapping_div(ten);
        scale -= 1;
    }
    WideDecimal::new(units.to_i128()?, u8::try_from(scale).ok()?).ok()
}

impl Column {
    pub(super) const fn constant(value: Value<'static>) -> Self {
        Self { shape: Shape::Constant(value), nulls: None, absent: None }
    }

    /// Whether there is nothing at a row.
    #[inline]
    pub(super) fn is_absent(&self, row: usize) -> bool {
        self.absent.as_ref().is_some_and(|valid| row >= valid.len() || valid.is_null(row))
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|valid| row >= valid.len() || valid.is_null(row))
    }

    /// The value at a row.
    pub(super) fn get(&self, row: usize) -> Value<'_> {
        if self.is_absent(row) {
            return Value::Absent;
        }
        if self.is_null(row) {
            return Value::Null;
        }
        self.read(row).unwrap_or_else(unfit)
    }

    fn read(&self, row: usize) -> Option<Value<'_>> {
        Some(match &self.shape {
            Shape::Constant(value) => value.borrowed(),
            Shape::Bool(values) => Value::Bool(row < values.len() && values.value(row)),
            Shape::Int(values) => Value::Int(values.int_at(row)?),
            Shape::Uint(values) => Value::Uint(values.uint_at(row)?),
            Shape::Double(values) => Value::Double(values.double_at(row)?),
            Shape::Text(texts) => Value::str(texts.get(row)),
            Shape::Bytes(array) => Value::Bytes(Bytes::Ref(bytes_at(array, row)?)),
            Shape::Decimal(values) => Value::Decimal(values.at(row)?.into()),
            Shape::Time(ticks, unit) => Value::Timestamp(moment(*ticks.get(row)?, *unit)?),
            Shape::Span(ticks, unit) => {
                Value::Duration(Duration::from_nanos(ticks.get(row)?.checked_mul(*unit)?))
            }
            Shape::List(offsets, elements) => {
                let (start, end) = offsets.range(row);
                Value::list((start..end).map(|element| elements.get(element)).collect())
            }
            Shape::Struct(of, fields) => {
                let fields = fields.iter().map(|field| field.get(row)).collect();
                Value::Struct(Struct::Shared(Arc::new(Row::new(of.clone(), fields))))
            }
            Shape::Fields(names, fields) => {
                let entries =
                    names.iter().zip(fields).map(|(name, field)| (Value::str(name), field.get(row)));
                map(entries)
            }
            Shape::Map(offsets, keys, values) => {
                let (start, end) = offsets.range(row);
                map((start..end).map(|entry| (keys.get(entry), values.get(entry))))
            }
            Shape::Dictionary(keys, values) => {
                let key = *keys.positions(&Rows::Span(row), 1).first()?;
                values.get(key as usize)
            }
        })
    }
}

/// A moment from ticks of a unit.
pub(super) fn moment(ticks: i64, unit: i64) -> Option<Timestamp> {
    let rest = ticks.rem_euclid(unit) * (1_000_000_000 / unit);
    Timestamp::new(ticks.div_euclid(unit), u32::try_from(rest).ok()?).ok()
}

/// A cell that the type of the column can hold and the language cannot.
fn unfit<'a>() -> Value<'a> {
    Value::Error(Arc::new(EvalError::new(EvalCode::Range, "the value of the column does not fit its type")))
}

/// Keys that no map can have, and those that were there before, are left out.
fn map<'a>(entries: impl Iterator<Item = (Value<'a>, Value<'a>)>) -> Value<'a> {
    let mut builder = MapBuilder::default();
    for (key, value) in entries {
        let _ = builder.insert(key, value);
    }
    Value::Map(builder.finish())
}

fn bytes_at(array: &ArrayRef, row: usize) -> Option<&[u8]> {
    if row >= array.len() {
        return None;
    }
    Some(match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().value(row),
        DataType::LargeBinary => array.as_binary::<i64>().value(row),
        DataType::BinaryView => array.as_binary_view().value(row),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row),
        _ => return None,
    })
}
