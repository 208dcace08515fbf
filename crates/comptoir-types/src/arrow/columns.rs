//! Columns by name.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};

use crate::error::Error;

/// The chunks of the column `name`, one per batch.
///
/// # Errors
/// `TYPES_COLUMN_MISSING`, with the names that are alike; `TYPES_COLUMN_AMBIGUOUS` where the name occurs twice.
pub fn column(schema: &Schema, batches: &[RecordBatch], name: &str) -> Result<Vec<ArrayRef>, Error> {
    optional_column(schema, batches, name)?
        .ok_or_else(|| Error::ColumnMissing { column: name.to_owned(), hint: hint(schema, name) })
}

/// The chunks of the column `name`, or `None` where the table has no such column.
///
/// # Errors
/// `TYPES_COLUMN_AMBIGUOUS` where the name occurs twice; `TYPES_COLUMN_MISSING` where a batch lacks the column that
/// the schema promises.
pub fn optional_column(
    schema: &Schema,
    batches: &[RecordBatch],
    name: &str,
) -> Result<Option<Vec<ArrayRef>>, Error> {
    let count = schema.fields().iter().filter(|field| field.name() == name).count();
    match count {
        0 => Ok(None),
        1 => batches.iter().map(|batch| chunk(batch, name)).collect::<Result<_, _>>().map(Some),
        _ => Err(Error::ColumnAmbiguous { column: name.to_owned(), count }),
    }
}

fn chunk(batch: &RecordBatch, name: &str) -> Result<ArrayRef, Error> {
    batch.column_by_name(name).cloned().ok_or_else(|| Error::ColumnMissing {
        column: name.to_owned(),
        hint: ": a batch of the stream lacks it".to_owned(),
    })
}

/// A type as users know it: `float64`, `decimal128(38, 10)`, `dictionary<int32, utf8>`.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal32(precision, scale) => format!("decimal32({precision}, {scale})"),
        DataType::Decimal64(precision, scale) => format!("decimal64({precision}, {scale})"),
        DataType::Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        DataType::Decimal256(precision, scale) => format!("decimal256({precision}, {scale})"),
        DataType::Timestamp(unit, None) => format!("timestamp({})", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp({}, {zone})", unit_name(*unit)),
        DataType::Time32(unit) => format!("time32({})", unit_name(*unit)),
        DataType::Time64(unit) => format!("time64({})", unit_name(*unit)),
        DataType::Duration(unit) => format!("duration({})", unit_name(*unit)),
        DataType::Utf8View => "utf8_view".to_owned(),
        DataType::LargeUtf8 => "large_utf8".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Dictionary(key, value) => format!("dictionary<{}, {}>", type_name(key), type_name(value)),
        DataType::List(field) | DataType::LargeList(field) => {
            format!("list<{}>", type_name(field.data_type()))
        }
        DataType::Struct(_) => "struct".to_owned(),
        DataType::Map(..) => "map".to_owned(),
        DataType::Union(..) => "union".to_owned(),
        DataType::RunEndEncoded(..) => "run_end_encoded".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

const fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// Names that could have been meant; where none is near, all that there are.
fn hint(schema: &Schema, name: &str) -> String {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let list = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let near: Vec<&str> = names().filter(|found| is_near(found, name)).collect();
    if near.is_empty() {
        let all: Vec<&str> = names().collect();
        return if all.is_empty() {
            ": the table has no columns".to_owned()
        } else {
            format!(": found {}", list(all))
        };
    }
    format!(": did you mean {}?", list(near))
}

fn is_near(found: &str, name: &str) -> bool {
    let (found, name) = (found.to_lowercase(), name.to_lowercase());
    let allowed = 1 + name.chars().count() / 5;
    found == name || found.contains(&name) || edit_distance(&found, &name) <= allowed
}

/// Levenshtein distance in characters.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, character) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (above, other) in row.iter().skip(1).zip(&right) {
            let cost = diagonal + usize::from(character != *other);
            before = cost.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;
    use arrow_schema::Field;

    use super::*;
    use crate::error::{ErrorCode, ErrorKind};

    fn batch(names: &[&str]) -> RecordBatch {
        let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect();
        let array = || Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
        RecordBatch::try_new(Arc::new(Schema::new(fields)), names.iter().map(|_| array()).collect()).unwrap()
    }

    #[test]
    fn a_column_is_found_in_every_batch() {
        let batches = [batch(&["item", "quantity"]), batch(&["item", "quantity"])];
        let schema = batches[0].schema();
        assert_eq!(column(&schema, &batches, "quantity").unwrap().len(), 2);
        assert!(optional_column(&schema, &batches, "pool").unwrap().is_none());
        assert!(column(&schema, &[batch(&["item"])], "quantity").is_err());
    }

    #[test]
    fn a_missing_column_names_what_was_found() {
        let message = |names: &[&str], name| {
            let batch = batch(names);
            let error = column(&batch.schema(), std::slice::from_ref(&batch), name).unwrap_err();
            assert_eq!((error.code(), error.kind()), ("TYPES_COLUMN_MISSING", ErrorKind::Schema));
            error.to_string()
        };
        assert_eq!(
            message(&["item", "Quantity", "at"], "quantity"),
            "column `quantity` is missing: did you mean `Quantity`?"
        );
        assert_eq!(
            message(&["qantity", "at"], "quantity"),
            "column `quantity` is missing: did you mean `qantity`?"
        );
        assert_eq!(message(&["sku", "at"], "quantity"), "column `quantity` is missing: found `sku`, `at`");
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused() {
        let batch = batch(&["item", "item"]);
        let error = column(&batch.schema(), std::slice::from_ref(&batch), "item").unwrap_err();
        assert_eq!(error.to_string(), "column `item` occurs 2 times: names must be unique");
    }

    #[test]
    fn types_have_the_names_that_users_know() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert_eq!(type_name(&dictionary), "dictionary<int32, utf8>");
        assert_eq!(type_name(&DataType::Float64), "float64");
        assert_eq!(
            type_name(&DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
            "timestamp(us, UTC)"
        );
        assert_eq!(type_name(&DataType::Decimal128(38, 10)), "decimal128(38, 10)");
        assert_eq!(type_name(&DataType::Date32), "date32");
        assert_eq!(type_name(&DataType::Null), "null");
    }
}
