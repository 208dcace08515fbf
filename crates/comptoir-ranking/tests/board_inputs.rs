//! What a board refuses of its input rather than guess.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch};
use comptoir_ranking::board::{Board, BoardError, BoardResult, BoardSpec, Context};
use comptoir_types::{ErrorCode, ErrorKind};
use serde_json::{Value as Json, json};

fn table(vectors: &[Option<&[f64]>]) -> RecordBatch {
    let vectors = vectors.iter().map(|vector| vector.map(|vector| vector.iter().copied().map(Some)));
    let vectors = ListArray::from_iter_primitive::<Float64Type, _, _>(vectors);
    let rows = i64::try_from(arrow_array::Array::len(&vectors)).unwrap();
    let item: ArrayRef = Arc::new((1..=rows).collect::<Int64Array>());
    let score: ArrayRef = Arc::new((1..=rows).map(|row| Some(-(row as f64))).collect::<Float64Array>());
    RecordBatch::try_from_iter([("item", item), ("s", score), ("v", Arc::new(vectors) as ArrayRef)]).unwrap()
}

fn run(extra: Json, rows: &RecordBatch) -> Result<BoardResult, BoardError> {
    let mut spec = json!({"id": "b", "item": "item", "score": "s", "k": 3});
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let mut board = Board::new(BoardSpec::from_json(&spec.to_string())?, Context::default())?;
    board.push(rows)?;
    board.finish()
}

/// A number that is written otherwise is another item.
#[test]
fn items_of_interventions_are_written_as_integers_are() {
    let rows = table(&[None, None, None]);
    let hide = |item: Json| {
        run(json!({"interventions": [{"id": "h", "items": [item], "hide": true}]}), &rows)
            .map(|result| result.table.num_rows())
            .map_err(|error| error.to_string())
    };
    assert_eq!(hide(json!("3")), Ok(2));
    assert_eq!(hide(json!(3)), Ok(2));
    for text in ["+3", "03", " 3", "-0", "3.0"] {
        let reason = format!("`{text}` cannot stand in column `item` of int64");
        assert_eq!(hide(json!(text)), Err(format!("board spec, interventions[0].items: {reason}")));
    }
}

#[test]
fn vectors_of_several_lengths_are_refused_with_their_item() {
    let diverse = || json!({"diversity": {"lambda": 0.5, "vector": "v"}});
    assert!(run(diverse(), &table(&[Some(&[1.0, 0.0]), None, Some(&[0.0, 1.0])])).is_ok());
    for (rows, found) in [
        (table(&[Some(&[1.0, 0.0]), None, Some(&[1.0])]), 1),
        (table(&[Some(&[1.0, 0.0]), None, Some(&[])]), 0),
    ] {
        let error = run(diverse(), &rows).unwrap_err();
        assert_eq!((error.code(), error.kind()), ("RANKING_VECTORS", ErrorKind::Data));
        let expected = "column `v` of item `3`: expected a vector of 2 numbers as before, found";
        assert_eq!(error.to_string(), format!("{expected} {found}"));
    }
}

/// Where candidates are kept until all are known, too.
#[test]
fn a_tie_key_without_order_is_refused_by_the_first_push() {
    let score = json!([{"name": "t", "value": "s", "normalise": ["z_score"]}]);
    let spec = json!({"id": "b", "item": "item", "score": score, "k": 3, "ties": [{"by": "v"}]});
    let mut board = Board::new(BoardSpec::from_json(&spec.to_string()).unwrap(), Context::default()).unwrap();
    let error = board.push(&table(&[None])).unwrap_err().to_string();
    assert!(
        error.contains("column `v`") && error.ends_with("the board spec reads it in ties[0].by"),
        "{error}"
    );
}
