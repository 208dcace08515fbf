//! Cells of tables as what a snapshot holds.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, StringArray, downcast_integer_array};
use arrow_schema::DataType;
use comptoir_types::Clock;
use comptoir_types::arrow::{read_ticks, text_at, type_name};

use super::build::Item;
use super::error::SnapshotError;
use super::group::GroupValue;
use crate::Score;

/// A score, exact for comparisons.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// An integer of the order of the numbers of the column.
    pub key: i128,
    /// The nearest double.
    pub score: Score,
}

/// The item of each row.
pub fn items<'c>(name: &str, chunks: &'c [ArrayRef]) -> Result<Vec<Item<'c>>, SnapshotError> {
    let mut items = Vec::new();
    for chunk in chunks {
        no_nulls(name, items.len(), chunk)?;
        downcast_integer_array!(
            chunk => for value in chunk.values() {
                let item = i64::try_from(*value).map_err(|_| SnapshotError::ItemKind {
                    item: value.to_string(), expected: "integers below 2^63",
                })?;
                items.push(Item::Int(item));
            },
            DataType::Utf8 => items.extend(chunk.as_string::<i32>().iter().flatten().map(Item::Text)),
            DataType::LargeUtf8 => items.extend(chunk.as_string::<i64>().iter().flatten().map(Item::Text)),
            DataType::Utf8View => items.extend(chunk.as_string_view().iter().flatten().map(Item::Text)),
            DataType::Dictionary(..) => items.extend(packed(name, chunk)?),
            DataType::Null => {}
            other => return Err(wrong_type(name, "integers or text", other)),
        );
    }
    Ok(items)
}

/// The items of a dictionary, row by row.
fn packed<'c>(name: &str, chunk: &'c ArrayRef) -> Result<Vec<Item<'c>>, SnapshotError> {
    let Some(dictionary) = chunk.as_any_dictionary_opt() else { return Ok(Vec::new()) };
    if dictionary.is_empty() {
        return Ok(Vec::new());
    }
    let distinct = items(name, std::slice::from_ref(dictionary.values()))?;
    let keys = dictionary.normalized_keys();
    Ok(keys.into_iter().filter_map(|key| distinct.get(key).copied()).collect())
}

/// The score of each row.
pub fn numbers(name: &str, chunks: &[ArrayRef]) -> Result<Vec<Number>, SnapshotError> {
    let mut numbers = Vec::new();
    for chunk in chunks {
        no_nulls(name, numbers.len(), chunk)?;
        for row in 0..chunk.len() {
            let number = number(chunk, row).ok_or_else(|| wrong_type(name, "numbers", chunk.data_type()))?;
            let place = numbers.len() as u64;
            numbers.push(
                number.ok_or_else(|| SnapshotError::NotANumber { column: name.to_owned(), row: place })?,
            );
        }
    }
    Ok(numbers)
}

/// A number; the outer `None` for another type, the inner one for NaN.
#[expect(clippy::cast_precision_loss, reason = "a score in a snapshot is a double")]
fn number(chunk: &ArrayRef, row: usize) -> Option<Option<Number>> {
    let exact = |key: i128, number: f64| Score::new(number).map(|score| Number { key, score });
    let double = |number: f64| Score::new(number).map(|score| Number { key: score.key().into(), score });
    downcast_integer_array!(
        chunk => {
            let key = i128::from(chunk.value(row));
            Some(exact(key, key as f64))
        },
        DataType::Float16 => Some(double(chunk.as_primitive::<Float16Type>().value(row).into())),
        DataType::Float32 => Some(double(chunk.as_primitive::<Float32Type>().value(row).into())),
        DataType::Float64 => Some(double(chunk.as_primitive::<Float64Type>().value(row))),
        DataType::Decimal128(_, scale) => {
            let key = chunk.as_primitive::<Decimal128Type>().value(row);
            Some(exact(key, key as f64 / 10_f64.powi((*scale).into())))
        },
        _ => None,
    )
}

/// The position of each row.
pub fn positions(name: &str, chunks: &[ArrayRef]) -> Result<Vec<i128>, SnapshotError> {
    let mut positions = Vec::new();
    for chunk in chunks {
        no_nulls(name, positions.len(), chunk)?;
        downcast_integer_array!(
            chunk => positions.extend(chunk.values().iter().map(|value| i128::from(*value))),
            DataType::Null => {}
            other => return Err(wrong_type(name, "integers", other)),
        );
    }
    Ok(positions)
}

/// The texts of a chunk of group values.
pub fn group_texts(name: &str, chunk: &ArrayRef) -> Result<StringArray, SnapshotError> {
    let ticks = chunk.data_type().is_temporal().then(|| read_ticks(chunk, name)).transpose()?;
    let text = |row: usize| -> Option<String> {
        if chunk.is_null(row) {
            return Some(GroupValue::Null.text().into_owned());
        }
        if let Some(ticks) = &ticks {
            let ticks = (ticks.clock, ticks.values.get(row).copied()?);
            // A `date64` counts milliseconds, and is a date all the same.
            let (clock, ticks) = match chunk.data_type() {
                DataType::Date64 => (Clock::DAY, ticks.0.day_number(ticks.1, 0)),
                _ => ticks,
            };
            return Some(GroupValue::Moment(clock, ticks).text().into_owned());
        }
        let text = text_at(chunk, row);
        let value = match (plain_type(chunk.data_type()), &text) {
            (_, None) => GroupValue::Null,
            (decimal, Some(digits)) if decimal.is_decimal() => GroupValue::Decimal(digits),
            (plain, Some(text)) if plain.is_string() => GroupValue::Text(text),
            // Digits, `true` and `false` are their own texts.
            (plain, Some(text)) if plain.is_integer() || *plain == DataType::Boolean => {
                GroupValue::Text(text)
            }
            _ => return None,
        };
        Some(value.text().into_owned())
    };
    let texts: Option<Vec<String>> = (0..chunk.len()).map(text).collect();
    let expected = "text, integers, decimals, booleans, dates or times";
    Ok(StringArray::from(texts.ok_or_else(|| wrong_type(name, expected, chunk.data_type()))?))
}

/// The type of values, whether they are packed as a dictionary or not.
pub fn plain_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

pub fn wrong_type(name: &str, expected: &'static str, found: &DataType) -> SnapshotError {
    let (column, found, advice) = (name.to_owned(), type_name(found), String::new());
    SnapshotError::Column(comptoir_types::Error::ColumnType { column, expected, found, advice })
}

/// An error at the first null of a chunk, whose rows are counted from `first`.
fn no_nulls(name: &str, first: usize, chunk: &ArrayRef) -> Result<(), SnapshotError> {
    let null = chunk.logical_nulls().and_then(|nulls| nulls.iter().position(|is_valid| !is_valid));
    null.map_or(Ok(()), |row| Err(comptoir_types::Error::Null.at_row(name, (first + row) as u64).into()))
}
