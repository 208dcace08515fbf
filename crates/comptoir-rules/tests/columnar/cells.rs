//! Cells of a result and values as text, to be compared.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationNanosecondType, Float64Type, Int64Type, TimestampMicrosecondType,
    TimestampNanosecondType, UInt64Type,
};
use arrow_schema::{DataType, TimeUnit};
use comptoir_rules::Value;

pub fn cell(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return "null".into();
    }
    match array.data_type() {
        DataType::Null => "null".into(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::UInt64 => format!("{}u", array.as_primitive::<UInt64Type>().value(row)),
        DataType::Float64 => double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => format!("{:?}", array.as_string::<i32>().value(row)),
        DataType::Binary => format!("b{:?}", array.as_binary::<i32>().value(row)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            format!("@{}", i128::from(array.as_primitive::<TimestampNanosecondType>().value(row)))
        }
        DataType::Timestamp(_, _) => {
            format!("@{}", i128::from(array.as_primitive::<TimestampMicrosecondType>().value(row)) * 1000)
        }
        DataType::Duration(_) => format!("{}ns", array.as_primitive::<DurationNanosecondType>().value(row)),
        DataType::Decimal128(_, 18) => decimal(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            let cells: Vec<String> = (0..list.len()).map(|element| cell(list.as_ref(), element)).collect();
            format!("[{}]", cells.join(", "))
        }
        DataType::Struct(_) => {
            let of = array.as_struct();
            let cells: Vec<String> = of.columns().iter().map(|field| cell(field.as_ref(), row)).collect();
            format!("{{{}}}", cells.join(", "))
        }
        other => panic!("no result has type {other}"),
    }
}

pub fn show(value: &Value<'_>) -> String {
    match value {
        Value::Null | Value::Absent | Value::Optional(None) => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => double(*value),
        Value::String(value) => format!("{:?}", &**value),
        Value::Bytes(value) => format!("b{:?}", &**value),
        Value::Timestamp(value) => {
            format!("@{}", i128::from(value.seconds()) * 1_000_000_000 + i128::from(value.nanos()))
        }
        Value::Duration(value) => format!("{}ns", value.nanos()),
        Value::Decimal(value) => {
            let units = value.wide().units();
            decimal(units * 10_i128.pow(18 - u32::from(value.wide().scale())))
        }
        Value::List(list) => {
            format!("[{}]", list.iter().map(|value| show(&value)).collect::<Vec<_>>().join(", "))
        }
        Value::Struct(of) => {
            format!("{{{}}}", of.fields().map(|(_, value)| show(&value)).collect::<Vec<_>>().join(", "))
        }
        Value::Optional(Some(value)) => show(value),
        other => format!("{:?}", other.to_json().to_string()),
    }
}

fn decimal(units: i128) -> String {
    format!("{units}e-18")
}

fn double(value: f64) -> String {
    if value.is_nan() { "NaN".into() } else { format!("{value:?}") }
}
