//! Cells of tables as what a snapshot holds.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, StringArray, downcast_integer_array};
use arrow_schema::DataType;
use comptoir_types::arrow::type_name;

use super::build::Item;
use super::error::SnapshotError;
use super::group::{GroupValue, group_text, is_moment, plain_type};
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
                // All integers fit in 128 bits, so that the conversion to 64 may fail for each type.
                let item = i64::try_from(i128::from(*value)).map_err(|_| SnapshotError::ItemKind {
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
    let plain = plain_type(chunk.data_type());
    let is_name = plain.is_integer() || plain.is_string() || plain.is_decimal() || is_moment(plain);
    if !is_name && !matches!(plain, DataType::Boolean | DataType::Null) {
        let expected = "text, integers, decimals, booleans, dates or times";
        return Err(wrong_type(name, expected, chunk.data_type()));
    }
    let text = |row: usize| {
        let text = group_text(chunk, row);
        text.as_deref().map_or(GroupValue::Null, GroupValue::Text).text().into_owned()
    };
    Ok(StringArray::from_iter_values((0..chunk.len()).map(text)))
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
