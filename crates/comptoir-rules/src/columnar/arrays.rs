//! Values as Arrow arrays.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, DurationNanosecondArray, Float64Array, Int64Array, ListArray,
    NullArray, PrimitiveArray, StructArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use comptoir_types::decimal::MAX_SCALE;

use crate::types::{Env, FieldType, StructType, Type};
use crate::value::Value;

/// Arrow types of values.
pub(super) struct Target<'e> {
    pub(super) env: &'e Env,
    /// The unit of timestamps.
    pub(super) unit: TimeUnit,
}

/// Structs may contain themselves by their declaration; deeper than this they are text.
const MAX_DEPTH: usize = 16;

impl Target<'_> {
    /// The Arrow type of values of a type.
    pub(super) fn data_type(&self, ty: &Type, depth: usize) -> DataType {
        match ty.without_null() {
            _ if depth > MAX_DEPTH => DataType::Utf8,
            Type::Bool => DataType::Boolean,
            Type::Int => DataType::Int64,
            Type::Uint => DataType::UInt64,
            Type::Double => DataType::Float64,
            Type::Bytes => DataType::Binary,
            Type::Timestamp => DataType::Timestamp(self.unit, Some("UTC".into())),
            Type::Duration => DataType::Duration(TimeUnit::Nanosecond),
            Type::Decimal => DataType::Decimal128(38, MAX_SCALE.cast_signed()),
            Type::Null => DataType::Null,
            Type::List(element) => DataType::List(self.element(element, depth)),
            Type::Struct(name) => match self.env.struct_type(name) {
                Some(of) => DataType::Struct(self.fields(of, depth)),
                None => DataType::Utf8,
            },
            other => match other.as_optional() {
                Some(inner) => self.data_type(inner, depth + 1),
                None => DataType::Utf8,
            },
        }
    }

    fn element(&self, ty: &Type, depth: usize) -> Arc<Field> {
        Arc::new(Field::new("item", self.data_type(ty, depth + 1), true))
    }

    fn fields(&self, of: &StructType, depth: usize) -> Fields {
        let field = |field: &FieldType| Field::new(&*field.name, self.data_type(&field.ty, depth + 1), true);
        of.fields().iter().map(field).collect()
    }

    /// An array of values; `lose` is told of each that does not fit.
    pub(super) fn build(
        &self,
        values: &[Value<'_>],
        ty: &Type,
        depth: usize,
        lose: &mut dyn FnMut(usize),
    ) -> ArrayRef {
        match self.data_type(ty, depth) {
            DataType::Boolean => Arc::new(values.iter().map(as_bool).collect::<BooleanArray>()),
            DataType::Binary => binary(values),
            DataType::List(_) => self.lists(values, ty, depth, lose),
            DataType::Struct(_) => self.structs(values, ty, depth, lose),
            DataType::Null => Arc::new(NullArray::new(values.len())),
            DataType::Utf8 => texts(values),
            other => primitive(values, &other, lose),
        }
    }

    fn lists(&self, values: &[Value<'_>], ty: &Type, depth: usize, lose: &mut dyn FnMut(usize)) -> ArrayRef {
        let inner = optional(ty);
        let Type::List(element) = inner else { return Arc::new(NullArray::new(values.len())) };
        let mut elements = Vec::new();
        let mut rows = Vec::new();
        let mut lengths = Vec::with_capacity(values.len());
        let mut valid = Vec::with_capacity(values.len());
        for (row, value) in values.iter().enumerate() {
            let before = elements.len();
            if let Value::List(list) = flat(value) {
                elements.extend(list.iter());
                rows.resize(elements.len(), row);
            }
            valid.push(matches!(flat(value), Value::List(_)));
            lengths.push(elements.len() - before);
        }
        let inner = self.build(&elements, element, depth + 1, &mut |at| {
            if let Some(row) = rows.get(at) {
                lose(*row);
            }
        });
        let offsets = OffsetBuffer::from_lengths(lengths);
        let field = Arc::new(Field::new("item", inner.data_type().clone(), true));
        let rows = valid.len();
        match ListArray::try_new(field, offsets, inner, Some(NullBuffer::from(valid))) {
            Ok(array) => Arc::new(array),
            Err(_) => Arc::new(NullArray::new(rows)),
        }
    }

    fn structs(
        &self,
        values: &[Value<'_>],
        ty: &Type,
        depth: usize,
        lose: &mut dyn FnMut(usize),
    ) -> ArrayRef {
        let of = match optional(ty) {
            Type::Struct(name) => self.env.struct_type(name),
            _ => None,
        };
        let Some(of) = of else { return Arc::new(NullArray::new(values.len())) };
        let columns = of.fields().iter().map(|field| {
            let parts: Vec<Value<'_>> = values
                .iter()
                .map(|value| match flat(value) {
                    Value::Struct(of) => of.field(&field.name),
                    _ => Value::Null,
                })
                .collect();
            self.build(&parts, &field.ty, depth + 1, lose)
        });
        let columns: Vec<ArrayRef> = columns.collect();
        let field = |(field, column): (&FieldType, &ArrayRef)| {
            Field::new(&*field.name, column.data_type().clone(), true)
        };
        let fields: Fields = of.fields().iter().zip(&columns).map(field).collect();
        let valid: Vec<bool> = values.iter().map(|value| matches!(flat(value), Value::Struct(_))).collect();
        match StructArray::try_new_with_length(fields, columns, Some(NullBuffer::from(valid)), values.len()) {
            Ok(array) => Arc::new(array),
            Err(_) => Arc::new(NullArray::new(values.len())),
        }
    }
}

/// Numbers, moments and spans.
fn primitive(values: &[Value<'_>], data_type: &DataType, lose: &mut dyn FnMut(usize)) -> ArrayRef {
    let mut fit = |row: usize, found: bool| {
        if !found {
            lose(row);
        }
    };
    match data_type {
        DataType::Int64 => Arc::new(numbers(values, &mut fit, |value| match value {
            Value::Int(value) => Some(*value),
            _ => None,
        }) as Int64Array),
        DataType::UInt64 => Arc::new(numbers(values, &mut fit, |value| match value {
            Value::Uint(value) => Some(*value),
            _ => None,
        }) as UInt64Array),
        DataType::Float64 => Arc::new(numbers(values, &mut fit, |value| match value {
            Value::Double(value) => Some(*value),
            _ => None,
        }) as Float64Array),
        DataType::Duration(_) => Arc::new(numbers(values, &mut fit, |value| match value {
            Value::Duration(value) => Some(value.nanos()),
            _ => None,
        }) as DurationNanosecondArray),
        DataType::Timestamp(unit, zone) => moments(values, *unit, zone.clone(), &mut fit),
        _ => decimals(values, &mut fit),
    }
}

fn moments(
    values: &[Value<'_>],
    unit: TimeUnit,
    zone: Option<Arc<str>>,
    fit: &mut impl FnMut(usize, bool),
) -> ArrayRef {
    if unit == TimeUnit::Nanosecond {
        let array: TimestampNanosecondArray = numbers(values, fit, |value| ticks(value, 1_000_000_000));
        return Arc::new(array.with_timezone_opt(zone));
    }
    let array: TimestampMicrosecondArray = numbers(values, fit, |value| ticks(value, 1_000_000));
    Arc::new(array.with_timezone_opt(zone))
}

fn decimals(values: &[Value<'_>], fit: &mut impl FnMut(usize, bool)) -> ArrayRef {
    let array: Decimal128Array = numbers(values, fit, |value| match value {
        Value::Decimal(value) => value.wide().rescale_exact(MAX_SCALE).ok().map(|value| value.units()),
        _ => None,
    });
    Arc::new(array.with_data_type(DataType::Decimal128(38, MAX_SCALE.cast_signed())))
}

fn binary(values: &[Value<'_>]) -> ArrayRef {
    let mut builder = BinaryBuilder::new();
    for value in values {
        match value {
            Value::Bytes(bytes) => builder.append_value(&**bytes),
            _ => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// What an optional holds.
fn flat<'v, 'a>(value: &'v Value<'a>) -> &'v Value<'a> {
    match value {
        Value::Optional(Some(inner)) => flat(inner),
        other => other,
    }
}

fn optional(ty: &Type) -> &Type {
    let ty = ty.without_null();
    ty.as_optional().map_or(ty, optional)
}

fn as_bool(value: &Value<'_>) -> Option<bool> {
    match flat(value) {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

fn numbers<T: arrow_array::ArrowPrimitiveType>(
    values: &[Value<'_>],
    fit: &mut dyn FnMut(usize, bool),
    read: impl Fn(&Value<'_>) -> Option<T::Native>,
) -> PrimitiveArray<T> {
    let cells = values.iter().enumerate().map(|(row, value)| match flat(value) {
        Value::Null | Value::Absent | Value::Optional(None) => None,
        value => {
            let found = read(value);
            fit(row, found.is_some());
            found
        }
    });
    cells.collect::<Vec<Option<T::Native>>>().into_iter().collect()
}

fn ticks(value: &Value<'_>, unit: i64) -> Option<i64> {
    let Value::Timestamp(moment) = value else { return None };
    let step = 1_000_000_000 / unit;
    let rest = i64::from(moment.nanos());
    let whole = moment.seconds().checked_mul(unit)?.checked_add(rest / step)?;
    (rest % step == 0).then_some(whole)
}

/// Text as it is, and anything else as JSON text.
fn texts(values: &[Value<'_>]) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for value in values {
        match flat(value) {
            Value::Null | Value::Absent | Value::Optional(None) => builder.append_null(),
            Value::String(text) => builder.append_value(&**text),
            other => builder.append_value(other.to_json().to_string()),
        }
    }
    Arc::new(builder.finish())
}
