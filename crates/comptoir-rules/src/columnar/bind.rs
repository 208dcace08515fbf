//! Slots of a program to columns of a table.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};
use comptoir_types::Error as ColumnError;
use comptoir_types::arrow::{column, optional_column, type_name};

use super::column::{Column, Decimals, Offsets, Shape, Texts, Units};
use super::numbers::Numbers;
use crate::host::Activation;
use crate::ir::Slot;
use crate::types::{Env, Type};
use crate::value::Value;

/// The columns of all slots. A slot without a column has the value that `shared` gives for all rows.
///
/// # Errors
/// A slot for which there is neither, and a column of a type that cannot be what the slot was declared as.
pub(super) fn bind(
    slots: &[Slot],
    env: &Env,
    batch: &RecordBatch,
    shared: &dyn Activation,
) -> Result<Vec<Column>, ColumnError> {
    let mut columns = Vec::with_capacity(slots.len());
    for (index, slot) in slots.iter().enumerate() {
        columns.push(match find(slot, env, batch)? {
            Some(column) => column,
            None => match shared.slot(index, slot) {
                Value::Absent => return Err(missing(batch, slot)),
                value => Column::constant(value.into_owned()),
            },
        });
    }
    Ok(columns)
}

fn missing(batch: &RecordBatch, slot: &Slot) -> ColumnError {
    match column(batch.schema_ref(), std::slice::from_ref(batch), &slot.name) {
        Err(error) => error,
        Ok(_) => ColumnError::ColumnMissing { column: slot.name.to_string(), hint: String::new() },
    }
}

/// A column with the name of the slot, or a column of structs with the fields of its path, or several columns that
/// are the fields of a struct.
fn find(slot: &Slot, env: &Env, batch: &RecordBatch) -> Result<Option<Column>, ColumnError> {
    let steps: Vec<&str> = slot.path.iter().flat_map(|part| part.split('.')).collect();
    for count in (1..=steps.len()).rev() {
        let (root, fields) = steps.split_at(count);
        let name = root.join(".");
        let found = optional_column(batch.schema_ref(), std::slice::from_ref(batch), &name)?;
        if let Some(array) = found.and_then(|chunks| chunks.into_iter().next()) {
            return nested(&array, fields, slot, env);
        }
    }
    let Type::Struct(of) = &slot.ty else { return Ok(None) };
    let Some(of) = env.struct_type(of) else { return Ok(None) };
    let mut fields = Vec::with_capacity(of.fields().len());
    let mut is_any = false;
    for field in of.fields() {
        let path = slot.path.iter().chain([&field.name]).cloned().collect();
        let name = Arc::from(format!("{}.{}", slot.name, field.name));
        let found = find(&Slot { path, name, ty: field.ty.clone() }, env, batch)?;
        is_any |= found.is_some();
        fields.push(found.unwrap_or(Column::constant(Value::Absent)));
    }
    let shape = Shape::Struct(of.clone(), fields);
    Ok(is_any.then_some(Column { shape, nulls: None, absent: None }))
}

fn nested(array: &ArrayRef, fields: &[&str], slot: &Slot, env: &Env) -> Result<Option<Column>, ColumnError> {
    let mut array = array.clone();
    let mut absent = None;
    for field in fields {
        let Some(of) = array.as_struct_opt() else { return Ok(None) };
        absent = NullBuffer::union(absent.as_ref(), of.nulls());
        let Some(inner) = of.column_by_name(field) else { return Ok(None) };
        array = inner.clone();
    }
    let column = read(&array, &slot.ty, env, &slot.name)?;
    Ok(Some(hidden(column, absent.as_ref())))
}

/// A column of a struct: it has nothing where the struct is null, and so have its own fields.
fn hidden(mut column: Column, valid: Option<&NullBuffer>) -> Column {
    column.absent = NullBuffer::union(column.absent.as_ref(), valid);
    if let Shape::Struct(_, fields) = &mut column.shape {
        let inner = std::mem::take(fields);
        *fields = inner.into_iter().map(|field| hidden(field, valid)).collect();
    }
    column
}

/// A column as a type.
pub(super) fn read(array: &ArrayRef, ty: &Type, env: &Env, name: &str) -> Result<Column, ColumnError> {
    let nulls = match array.data_type() {
        DataType::Null => Some(NullBuffer::new_null(array.len())),
        _ => array.logical_nulls().filter(|nulls| nulls.null_count() > 0),
    };
    let shape = shape(array, ty.without_null(), env, name)?;
    Ok(Column { shape, nulls, absent: None })
}

fn shape(array: &ArrayRef, ty: &Type, env: &Env, name: &str) -> Result<Shape, ColumnError> {
    let data_type = array.data_type();
    if let DataType::Null = data_type {
        return Ok(Shape::Constant(Value::Null));
    }
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let keys = Numbers::of(dictionary.keys()).ok_or_else(|| mismatch(data_type, ty, name))?;
        return Ok(Shape::Dictionary(keys, Box::new(read(dictionary.values(), ty, env, name)?)));
    }
    let plain = match ty {
        Type::Bool => bools(array),
        Type::Int => whole(array).map(Shape::Int),
        Type::Uint => whole(array).map(Shape::Uint),
        Type::Double => Numbers::of(array.as_ref()).map(Shape::Double),
        Type::String => texts(array),
        Type::Bytes => bytes(array),
        Type::Decimal => decimals(array),
        Type::Timestamp => times(array),
        Type::Duration => spans(array),
        Type::Dyn | Type::Error | Type::Null | Type::Param(_) | Type::Variable(_) => natural(array),
        _ => None,
    };
    match plain {
        Some(shape) => Ok(shape),
        None => container(array, ty, env, name)?.ok_or_else(|| mismatch(data_type, ty, name)),
    }
}

fn natural(array: &ArrayRef) -> Option<Shape> {
    bools(array)
        .or_else(|| texts(array))
        .or_else(|| bytes(array))
        .or_else(|| times(array))
        .or_else(|| spans(array))
        .or_else(|| {
            let numbers = Numbers::of(array.as_ref())?;
            Some(match numbers {
                Numbers::F32(_) | Numbers::F64(_) => Shape::Double(numbers),
                Numbers::U64(_) => Shape::Uint(numbers),
                _ => Shape::Int(numbers),
            })
        })
        .or_else(|| decimals(array))
}

fn container(array: &ArrayRef, ty: &Type, env: &Env, name: &str) -> Result<Option<Shape>, ColumnError> {
    let inside = |array: &ArrayRef, ty: &Type| read(array, ty, env, name);
    let element = match ty {
        Type::List(element) => Some(&**element),
        Type::Dyn | Type::Error => Some(&Type::Dyn),
        _ => None,
    };
    if let (Some(element), Some((offsets, values))) = (element, lists(array)) {
        return Ok(Some(Shape::List(offsets, Box::new(inside(values, element)?))));
    }
    if let (Type::Map(_) | Type::Dyn | Type::Error, Some(map)) = (ty, array.as_map_opt()) {
        let (key, value) = match ty {
            Type::Map(entry) => (&entry.0, &entry.1),
            _ => (&Type::Dyn, &Type::Dyn),
        };
        let offsets = Offsets::Small(map.offsets().clone());
        let (keys, values) = (inside(map.keys(), key)?, inside(map.values(), value)?);
        return Ok(Some(Shape::Map(offsets, Box::new(keys), Box::new(values))));
    }
    let Some(of) = array.as_struct_opt() else { return Ok(None) };
    let under = |column: Result<Column, ColumnError>| column.map(|column| hidden(column, of.nulls()));
    if let Type::Struct(declared) = ty {
        let Some(declared) = env.struct_type(declared) else { return Ok(None) };
        let fields = declared.fields().iter().map(|field| match of.column_by_name(&field.name) {
            Some(inner) => under(read(inner, &field.ty, env, &format!("{name}.{}", field.name))),
            None => Ok(Column::constant(Value::Absent)),
        });
        return Ok(Some(Shape::Struct(declared.clone(), fields.collect::<Result<_, _>>()?)));
    }
    let value = match ty {
        Type::Map(entry) if entry.0 == Type::String => &entry.1,
        Type::Dyn | Type::Error => &Type::Dyn,
        _ => return Ok(None),
    };
    let names = of.column_names().iter().map(|name| Arc::from(*name)).collect();
    let fields = of.columns().iter().map(|inner| under(inside(inner, value)));
    Ok(Some(Shape::Fields(names, fields.collect::<Result<_, _>>()?)))
}

pub(super) fn lists(array: &ArrayRef) -> Option<(Offsets, &ArrayRef)> {
    if let Some(list) = array.as_list_opt::<i32>() {
        return Some((Offsets::Small(list.offsets().clone()), list.values()));
    }
    if let Some(list) = array.as_list_opt::<i64>() {
        return Some((Offsets::Large(list.offsets().clone()), list.values()));
    }
    let list = array.as_fixed_size_list_opt()?;
    Some((Offsets::Fixed(usize::try_from(list.value_length()).unwrap_or(0)), list.values()))
}

fn bools(array: &ArrayRef) -> Option<Shape> {
    array.as_boolean_opt().map(|values| Shape::Bool(values.values().clone()))
}

fn whole(array: &ArrayRef) -> Option<Numbers> {
    Numbers::of(array.as_ref()).filter(|numbers| !numbers.is_float())
}

fn texts(array: &ArrayRef) -> Option<Shape> {
    Some(Shape::Text(match array.data_type() {
        DataType::Utf8 => Texts::Small(array.as_string::<i32>().clone()),
        DataType::LargeUtf8 => Texts::Large(array.as_string::<i64>().clone()),
        DataType::Utf8View => Texts::View(array.as_string_view().clone()),
        _ => return None,
    }))
}

fn bytes(array: &ArrayRef) -> Option<Shape> {
    use DataType as D;
    let is_bytes =
        matches!(array.data_type(), D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_));
    is_bytes.then(|| Shape::Bytes(array.clone()))
}

fn decimals(array: &ArrayRef) -> Option<Shape> {
    let (units, scale) = match array.data_type() {
        DataType::Decimal32(_, scale) => {
            (Units::D32(array.as_primitive::<Decimal32Type>().values().clone()), *scale)
        }
        DataType::Decimal64(_, scale) => {
            (Units::D64(array.as_primitive::<Decimal64Type>().values().clone()), *scale)
        }
        DataType::Decimal128(_, scale) => {
            (Units::D128(array.as_primitive::<Decimal128Type>().values().clone()), *scale)
        }
        DataType::Decimal256(_, scale) => {
            (Units::D256(array.as_primitive::<Decimal256Type>().values().clone()), *scale)
        }
        _ => (Units::Whole(whole(array)?), 0),
    };
    Some(Shape::Decimal(Decimals { units, scale }))
}

fn times(array: &ArrayRef) -> Option<Shape> {
    const DAY: i64 = 86_400;
    let (ticks, unit): (ScalarBuffer<i64>, i64) = match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().values();
            (days.iter().map(|days| i64::from(*days) * DAY).collect(), 1)
        }
        DataType::Date64 => (array.as_primitive::<Date64Type>().values().clone(), 1_000),
        DataType::Timestamp(TimeUnit::Second, _) => {
            (array.as_primitive::<TimestampSecondType>().values().clone(), 1)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            (array.as_primitive::<TimestampMillisecondType>().values().clone(), 1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            (array.as_primitive::<TimestampMicrosecondType>().values().clone(), 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (array.as_primitive::<TimestampNanosecondType>().values().clone(), 1_000_000_000)
        }
        _ => return None,
    };
    Some(Shape::Time(ticks, unit))
}

fn spans(array: &ArrayRef) -> Option<Shape> {
    let (ticks, unit): (ScalarBuffer<i64>, i64) = match array.data_type() {
        DataType::Duration(TimeUnit::Second) => {
            (array.as_primitive::<DurationSecondType>().values().clone(), 1_000_000_000)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            (array.as_primitive::<DurationMillisecondType>().values().clone(), 1_000_000)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            (array.as_primitive::<DurationMicrosecondType>().values().clone(), 1_000)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            (array.as_primitive::<DurationNanosecondType>().values().clone(), 1)
        }
        _ => return None,
    };
    Some(Shape::Span(ticks, unit))
}

fn mismatch(found: &DataType, ty: &Type, name: &str) -> ColumnError {
    ColumnError::ColumnType {
        column: name.to_owned(),
        expected: expected(ty),
        found: type_name(found),
        advice: String::new(),
    }
}

const fn expected(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int | Type::Uint => "an integer",
        Type::Double => "a float or integer",
        Type::String => "text",
        Type::Bytes => "binary",
        Type::Decimal => "decimal or integer",
        Type::Timestamp => "timestamp or date",
        Type::Duration => "duration",
        Type::List(_) => "a list",
        Type::Map(_) => "a map or struct",
        Type::Struct(_) => "a struct",
        _ => "a type that expressions know",
    }
}
