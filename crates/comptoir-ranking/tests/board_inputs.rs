//! What a board refuses of its input rather than guess.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, UInt64Array};
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

fn spec(extra: Json) -> Result<BoardSpec, BoardError> {
    let mut spec = json!({"id": "b", "item": "item", "score": "s", "k": 3});
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    BoardSpec::from_json(&spec.to_string())
}

fn run(extra: Json, rows: &RecordBatch) -> Result<BoardResult, BoardError> {
    let mut board = Board::new(spec(extra)?, Context::default())?;
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

/// Each expression of a spec that is none is an error of the spec, with field and place: no table is needed to find it.
#[test]
fn an_expression_that_is_none_is_an_error_of_the_spec() {
    let term = |step: Json| json!({"score": [{"name": "t", "value": "s", "normalise": [step]}]});
    let operator = |field: &str| {
        let (field, source) = (field.to_owned(), json!("s >\n== 1"));
        let given = json!({"id": "o", "boards": ["another"], "boost": {"factor": 2.0}, "items": [1]});
        let mut given = given.as_object().unwrap().clone();
        if field == "when" {
            given.remove("items");
        }
        given.insert(field, source);
        json!({"interventions": [given]})
    };
    let metric = |field: &str| {
        let mut given = json!({"count": "true", "by": null}).as_object().unwrap().clone();
        if field != "where" {
            given.remove("count");
        }
        given.insert(field.to_owned(), json!("s >\n== 1"));
        json!({"metrics": {"m": given}, "time": "t", "score": "m"})
    };
    let bad = "s >\n== 1";
    for (path, extra) in [
        ("eligibility", json!({"eligibility": bad})),
        ("metrics.m.sum", metric("sum")),
        ("metrics.m.count", metric("count")),
        ("metrics.m.min", metric("min")),
        ("metrics.m.max", metric("max")),
        ("metrics.m.last", metric("last")),
        ("metrics.m.where", metric("where")),
        ("having", json!({"metrics": {"m": {"count": "true"}}, "having": bad})),
        ("score", json!({"score": bad})),
        ("score[0].value", json!({"score": [{"name": "t", "value": bad}]})),
        ("score[0].normalise[0].floor.of", term(json!({"floor": {"of": bad, "least": 1.0}}))),
        ("score[0].normalise[0].wilson.trials", term(json!({"wilson": {"trials": bad}}))),
        (
            "score[0].normalise[0].bayesian.count",
            term(json!({"bayesian": {"count": bad, "prior": 1.0, "weight": 1.0}})),
        ),
        ("score[0].normalise[0].half_life.since", term(json!({"half_life": {"since": bad, "days": 1.0}}))),
        ("score[0].normalise[0].hacker_news.since", term(json!({"hacker_news": {"since": bad}}))),
        ("score[0].normalise[0].reddit_hot.since", term(json!({"reddit_hot": {"since": bad}}))),
        ("interventions[0].when", operator("when")),
        ("interventions[0].group", operator("group")),
        ("interventions[0].audience", operator("audience")),
        (
            "constraints[0].band.when",
            json!({"constraints": [{"id": "c", "band": {"when": bad, "at_least": 1}}]}),
        ),
        ("constraints[0].group", json!({"constraints": [{"id": "c", "one_per": "s", "group": bad}]})),
    ] {
        let error = spec(extra).unwrap_err();
        assert_eq!((error.code(), error.kind()), ("RULES_SYNTAX", ErrorKind::Config), "{path}: {error}");
        assert!(error.to_string().starts_with(&format!("board spec, {path}: 2:1: ")), "{path}: {error}");
    }
}

/// Codes of groups lie in a table as long as integers are near each other; the largest integer is the end of it.
#[test]
fn groups_and_distinct_values_are_found_to_the_ends_of_their_type() {
    let values = [u64::MAX, 0, u64::MAX - 1, 7, u64::MAX, 1 << 63, 0];
    for values in [values.to_vec(), values.iter().rev().copied().collect::<Vec<_>>()] {
        let group: ArrayRef = Arc::new(UInt64Array::from(values.clone()));
        let signed: ArrayRef =
            Arc::new(values.iter().map(|value| value.cast_signed()).collect::<Int64Array>());
        let item: ArrayRef = Arc::new(Int64Array::from(vec![1; values.len()]));
        let rows = RecordBatch::try_from_iter([("g", group), ("h", signed), ("item", item)]).unwrap();
        for group in ["g", "h"] {
            let counted = json!({"group": [group], "metrics": {"n": {"count": "true"}}, "score": "n"});
            let board = run(counted, &rows).unwrap();
            let total = |board: &BoardResult| {
                let score = board.table.column_by_name("score").unwrap();
                score.as_primitive::<Int64Type>().values().to_vec()
            };
            assert_eq!(total(&board).len(), 5, "{group}");
            assert_eq!(total(&board).iter().sum::<i64>(), 7);
            let distinct = json!({"metrics": {"n": {"distinct": group}}, "score": "n"});
            assert_eq!(total(&run(distinct, &rows).unwrap()), [5]);
        }
    }
}

#[test]
fn positions_of_pins_are_numbers_of_32_bits() {
    let rows = table(&[None, None, None]);
    let pinned = |position: u64| {
        let pin = json!({"id": "p", "items": [1, 2], "pin": position});
        run(json!({"interventions": [pin]}), &rows).map(|result| result.report.unpinned.len())
    };
    assert_eq!(pinned(9).unwrap(), 2);
    assert_eq!(pinned(u64::from(u32::MAX) - 1).unwrap(), 2);
    for position in [u64::from(u32::MAX), u64::MAX] {
        let error = pinned(position).unwrap_err().to_string();
        assert_eq!(error, "board spec, interventions[0].pin: `p`: positions go to 4294967295");
    }
}

#[test]
fn a_column_is_shown_once() {
    let error = run(json!({"show": {"columns": ["s", "v", "s"]}}), &table(&[None])).unwrap_err();
    assert_eq!(error.to_string(), "board spec, show.columns[2]: the column is shown already");
}
