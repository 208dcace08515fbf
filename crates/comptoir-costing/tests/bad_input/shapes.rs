//! Tables of an unusual shape: without rows, without a column, with a wrong type, with one item or one row an item.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal64Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_empty_array,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use comptoir_costing::arrow::value_batches;
use comptoir_costing::{Policy, value};
use comptoir_types::ErrorCode;

use super::{policy, table};

#[test]
fn empty_input_gives_empty_books() {
    let schema = table(&[]).schema();
    for batches in [vec![], vec![table(&[])]] {
        let tables = value_batches(&schema, batches, &policy()).unwrap();
        assert_eq!(tables.valuation().counts(), comptoir_costing::Counts::default());
        assert_eq!(tables.valuation().postings().count(), 0);
        let (columns, rows) = tables.postings_table().unwrap();
        assert_eq!((columns.fields().len(), rows.iter().map(RecordBatch::num_rows).sum::<usize>()), (13, 0));
        assert!(tables.valuation().balances().is_empty());
    }
    assert!(value(&[], &policy()).unwrap().balances().is_empty());
}

/// A table with one column replaced or, without an array, left out.
fn with_column(name: &str, array: Option<ArrayRef>) -> RecordBatch {
    let batch = table(&["a receipt 1 1", "b issue 1"]);
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).filter_map(|(field, column)| {
        let column = if field.name() == name { array.clone()? } else { Arc::clone(column) };
        Some((field.name().clone(), column, true))
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

#[test]
fn missing_columns_are_named() {
    for name in ["movement_id", "item", "at", "kind", "quantity", "amount"] {
        let batch = with_column(name, None);
        let error = value_batches(&batch.schema(), vec![batch], &policy()).unwrap_err();
        assert_eq!(error.code(), "TYPES_COLUMN_MISSING");
        assert!(error.to_string().starts_with(&format!("column `{name}` is missing")), "{error}");
    }
}

#[test]
fn wrong_types_are_named_with_what_to_send() {
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let words: ArrayRef = Arc::new(StringArray::from(vec!["1", "2"]));
    let wrong = [
        ("quantity", &floats),
        ("amount", &floats),
        ("kind", &numbers),
        ("at", &words),
        ("item", &floats),
        ("movement_id", &floats),
        ("ref", &floats),
    ];
    for (name, array) in wrong {
        let batch = with_column(name, Some(Arc::clone(array)));
        let error = value_batches(&batch.schema(), vec![batch], &policy()).unwrap_err();
        assert_eq!(error.code(), "TYPES_COLUMN_TYPE", "{error}");
        assert!(error.to_string().starts_with(&format!("column `{name}`: expected")), "{error}");
    }
    let batch = with_column("amount", Some(floats));
    let error = value_batches(&batch.schema(), vec![batch], &policy()).unwrap_err().to_string();
    assert!(error.contains("decimal"), "{error}");
}

/// `rows` receipts and issues in turn over `items` items, integers for ids.
fn large(rows: i64, items: i64) -> RecordBatch {
    let numbers = |cell: fn(i64, i64) -> i64| (0..rows).map(move |row| cell(row, items));
    let kinds: StringArray =
        (0..rows).map(|row| Some(if (row / items) % 2 == 0 { "receipt" } else { "issue" })).collect();
    let amounts = (0..rows).map(|row| Some(row % 97 + 1)).collect::<Decimal64Array>();
    let column = |array: Int64Array| Arc::new(array) as ArrayRef;
    RecordBatch::try_from_iter([
        ("movement_id", column(numbers(|row, _| row).collect())),
        ("item", column(numbers(|row, items| row % items).collect())),
        ("at", Arc::new(numbers(|row, _| row).map(Some).collect::<TimestampMicrosecondArray>()) as ArrayRef),
        ("kind", Arc::new(kinds) as ArrayRef),
        ("quantity", column(numbers(|_, _| 1).collect())),
        ("amount", Arc::new(amounts.with_precision_and_scale(18, 2).unwrap()) as ArrayRef),
    ])
    .unwrap()
}

fn check_large(rows: i64, items: i64) {
    let batch = large(rows, items);
    let tables = value_batches(&batch.schema(), vec![batch], &Policy::default()).unwrap();
    let counts = tables.valuation().counts();
    assert_eq!((counts.input, counts.rejected), (rows.unsigned_abs(), 0));
    assert_eq!(i64::try_from(tables.valuation().balances().len()), Ok(items));
    let closing: i64 = tables.valuation().balances().iter().map(|balance| balance.quantity).sum();
    assert_eq!(closing, if rows == items { rows } else { 0 });
}

#[test]
fn one_item_with_many_rows_and_many_items_with_one() {
    check_large(100_000, 1);
    check_large(100_000, 100_000);
}

#[test]
fn one_item_with_ten_million_rows() {
    check_large(10_000_000, 1);
}

#[test]
fn ten_million_items_with_one_row() {
    check_large(10_000_000, 10_000_000);
}

#[test]
fn columns_without_rows_are_checked_too() {
    let fields = table(&[])
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let wrong = field.name() == "quantity";
            if wrong { Field::new("quantity", DataType::Float64, true) } else { field.as_ref().clone() }
        })
        .collect::<Vec<_>>();
    let schema = Arc::new(Schema::new(fields));
    let columns = schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let at = schema.field_with_name("at").unwrap().data_type();
    assert_eq!(*at, DataType::Timestamp(TimeUnit::Microsecond, None));
    let error = value_batches(&schema, vec![batch], &policy()).unwrap_err();
    assert_eq!(error.code(), "TYPES_COLUMN_TYPE", "{error}");
}
