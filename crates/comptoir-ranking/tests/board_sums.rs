//! Sums of boards: what has to fit, and what they leave out.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use comptoir_ranking::board::{Board, BoardError, BoardResult, BoardSpec, Context};
use comptoir_types::ErrorCode;

fn summed(columns: Vec<(&str, ArrayRef)>) -> Result<BoardResult, BoardError> {
    let text = r#"{"id": "b", "group": ["country"], "item": "item", "metrics": {"m": {"sum": "amount"}}, "score": "m", "k": 9}"#;
    let mut board = Board::new(BoardSpec::from_json(text).unwrap(), Context::default()).unwrap();
    board.push(
        &RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap(),
    )?;
    board.finish()
}

#[test]
fn only_the_end_of_a_sum_has_to_fit() {
    let large = 9 * 10_i128.pow(37);
    for amounts in [[large, large, -large], [large, -large, large], [-large, large, large]] {
        let amounts = Decimal128Array::from(amounts.to_vec()).with_precision_and_scale(38, 18).unwrap();
        let names: ArrayRef = Arc::new(StringArray::from(vec!["a"; 3]));
        let result = summed(vec![("country", names.clone()), ("item", names), ("amount", Arc::new(amounts))]);
        let table = result.unwrap().table;
        assert_eq!(table.column_by_name("score").unwrap().as_primitive::<Decimal128Type>().value(0), large);
    }
}

#[test]
fn a_sum_that_does_not_fit_names_item_and_group() {
    let country: ArrayRef = Arc::new(StringArray::from(vec![Some("FR"), None, Some("DE"), Some("DE")]));
    let item: ArrayRef = Arc::new(StringArray::from(vec!["mug", "bag", "pen", "pen"]));
    let amount: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, i64::MAX, 1]));
    let error = summed(vec![("country", country), ("item", item), ("amount", amount)]).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (
            "RANKING_OVERFLOW",
            "metric `m` of item `pen` in group [\"DE\"]: the sum does not fit in an integer of 64 bits"
        )
    );
}

#[test]
fn what_a_metric_leaves_out_is_counted() {
    let names: ArrayRef = Arc::new(StringArray::from(vec!["a"; 4]));
    let amount: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None, Some(f64::NAN), Some(2.0)]));
    let result = summed(vec![("country", names.clone()), ("item", names), ("amount", amount)]).unwrap();
    assert_eq!(result.report.without_value, [("m".to_owned(), 2)].into());
}
