//! Boards from tables, held against sorting everything.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::type_complexity
)]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use comptoir_ranking::board::{Board, BoardError, BoardResult, BoardSpec, Context};
use comptoir_types::ErrorCode;
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Row {
    group: Option<u8>,
    item: Option<u8>,
    quantity: i64,
    price: Option<f64>,
    order: u8,
}

fn batch(rows: &[Row]) -> RecordBatch {
    let text = |value: Option<u8>| value.map(|value| format!("{value:03}"));
    let group: ArrayRef = Arc::new(rows.iter().map(|row| text(row.group)).collect::<StringArray>());
    let item: ArrayRef = Arc::new(rows.iter().map(|row| text(row.item)).collect::<StringArray>());
    let quantity: ArrayRef = Arc::new(rows.iter().map(|row| row.quantity).collect::<Int64Array>());
    let price: ArrayRef = Arc::new(rows.iter().map(|row| row.price).collect::<Float64Array>());
    let order: ArrayRef = Arc::new(rows.iter().map(|row| i64::from(row.order)).collect::<Int64Array>());
    let columns =
        [("group", group), ("item", item), ("quantity", quantity), ("price", price), ("order", order)];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let price = prop_oneof![
        6 => (-3..3_i8).prop_map(|price| Some(f64::from(price) * 0.1)),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(-0.0)),
        1 => Just(None),
    ];
    let name = |count: u8| prop_oneof![9 => (0..count).prop_map(Some), 1 => Just(None)];
    let row = (name(3), name(8), -2..6_i64, price, 0..4_u8);
    let row =
        row.prop_map(|(group, item, quantity, price, order)| Row { group, item, quantity, price, order });
    prop::collection::vec(row, 0..most)
}

fn spec(text: &str) -> BoardSpec {
    BoardSpec::from_json(text).unwrap()
}

/// One collector for each part, each part in batches, all merged into the last.
fn collect(spec: &BoardSpec, rows: &[Row], cuts: [usize; 2]) -> BoardResult {
    let (left, right) = rows.split_at(cuts[0].min(rows.len()));
    let mut boards = [left, right].map(|part| {
        let mut board = Board::new(spec.clone(), Context::default()).unwrap();
        let (first, second) = part.split_at(cuts[1].min(part.len()));
        board.push(&batch(first)).unwrap();
        board.push(&batch(second)).unwrap();
        board
    });
    let [first, last] = &mut boards;
    std::mem::swap(first, last);
    let [mut first, last] = boards;
    first.merge(last).unwrap();
    first.finish().unwrap()
}

/// (group, item, position, score) of each row, with missing groups as `None`.
fn places(result: &BoardResult) -> Vec<(Option<String>, String, u32, f64)> {
    let table = &result.table;
    let text = |name: &str, row: usize| {
        let column = table.column_by_name(name).unwrap().as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let position = table.column_by_name("position").unwrap().as_primitive::<UInt32Type>();
    let score = table.column_by_name("score").unwrap();
    let score = |row: usize| match score.as_primitive_opt::<Float64Type>() {
        Some(scores) => scores.value(row),
        None => score.as_primitive::<Int64Type>().value(row) as f64,
    };
    let place = |row| (text("group", row), text("item", row).unwrap(), position.value(row), score(row));
    (0..table.num_rows()).map(place).collect()
}

/// Null after all values.
fn null_last(group: Option<u8>) -> (bool, Option<u8>) {
    (group.is_none(), group)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn rows_as_candidates_rank_as_a_sort_does(rows in rows(80), k in 1..4_usize, cuts in [0..80_usize, 0..40_usize]) {
        let spec = spec(&format!(r#"{{
            "id": "b", "group": ["group"], "item": "item", "eligibility": "quantity > 0", "score": "price",
            "ties": [{{"by": "order", "order": "desc"}}], "k": {k}
        }}"#));
        let result = collect(&spec, &rows, cuts);

        let mut groups: BTreeMap<_, BTreeMap<u8, (Reverse<i64>, Reverse<u8>)>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.quantity > 0) {
            let (Some(item), Some(price)) = (row.item, row.price.filter(|price| !price.is_nan())) else { continue };
            // Tenths as integers: -0.0 is 0.
            let key = (Reverse((price * 10.0).round() as i64), Reverse(row.order));
            let best = groups.entry(null_last(row.group)).or_default().entry(item).or_insert(key);
            *best = key.min(*best);
        }
        let mut expected = Vec::new();
        let mut tied = Vec::new();
        for ((_, group), items) in groups {
            let mut items: Vec<_> = items.into_iter().map(|(item, key)| (key, item)).collect();
            items.sort();
            if items.len() > k && items[k].0.0 == items[k - 1].0.0 {
                tied.push(vec![group.map(|group| format!("{group:03}"))]);
            }
            for (((Reverse(price), _), item), position) in items.into_iter().take(k).zip(1..) {
                let group = group.map(|group| format!("{group:03}"));
                expected.push((group, format!("{item:03}"), position, price as f64 * 0.1));
            }
        }
        prop_assert_eq!(&result.report.cut_ties, &tied);
        let close = |found: &(Option<String>, String, u32, f64), wanted: &(Option<String>, String, u32, f64)| {
            (&found.0, &found.1, found.2) == (&wanted.0, &wanted.1, wanted.2) && (found.3 - wanted.3).abs() < 1e-9
        };
        let found = places(&result);
        prop_assert_eq!(found.len(), expected.len());
        prop_assert!(found.iter().zip(&expected).all(|(found, wanted)| close(found, wanted)), "{:?} {:?}", found, expected);

        let whole = collect(&spec, &rows, [0, 0]);
        prop_assert_eq!(&whole.table, &result.table);
        prop_assert_eq!(whole.report, result.report);
    }

    #[test]
    fn metrics_of_events_are_exact_and_rank_the_same(rows in rows(80), cuts in [0..80_usize, 0..40_usize]) {
        let spec = spec(r#"{
            "id": "b", "group": ["group"], "item": "item", "eligibility": "quantity != 0",
            "metrics": {
                "units": {"sum": "quantity"}, "orders": {"distinct": "order"}, "takings": {"sum": "price"},
                "sales": {"count": "quantity > 0"}, "largest": {"max": "quantity"}, "smallest": {"min": "quantity"},
                "last": {"last": "quantity", "by": "order"}, "each": {"ratio": ["units", "sales"]},
                "early": {"sum": "quantity", "where": "order < 2"}
            },
            "having": "orders >= 2", "score": "units * 1000 + orders * 100 + largest * 10 + smallest + last", "k": 3
        }"#);
        let result = collect(&spec, &rows, cuts);
        let mut groups: BTreeMap<_, BTreeMap<u8, Vec<&Row>>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.quantity != 0) {
            let Some(item) = row.item else { continue };
            groups.entry(null_last(row.group)).or_default().entry(item).or_default().push(row);
        }
        let mut expected = Vec::new();
        let mut below = 0;
        for ((_, group), items) in groups {
            let score = |events: &[&Row]| {
                let quantities = || events.iter().map(|row| row.quantity);
                let orders = events.iter().map(|row| row.order).collect::<BTreeSet<_>>().len() as i64;
                let last = events.iter().map(|row| (row.order, row.quantity)).max().unwrap().1;
                let largest = quantities().max().unwrap();
                quantities().sum::<i64>() * 1000 + orders * 100 + largest * 10 + quantities().min().unwrap() + last
            };
            let orders = |events: &[&Row]| events.iter().map(|row| row.order).collect::<BTreeSet<_>>().len();
            below += items.values().filter(|events| orders(events) < 2).count() as u64;
            let items = items.into_iter().filter(|(_, events)| orders(events) >= 2);
            let mut items: Vec<_> = items.map(|(item, events)| (Reverse(score(&events)), item)).collect();
            items.sort_unstable();
            for ((Reverse(score), item), position) in items.into_iter().take(3).zip(1..) {
                expected.push((group.map(|group| format!("{group:03}")), format!("{item:03}"), position, score as f64));
            }
        }
        prop_assert_eq!(places(&result), expected);
        prop_assert_eq!(result.report.below_floor, below);
        prop_assert_eq!(result.report.rows, rows.len() as u64);
    }

    #[test]
    fn a_shorter_board_is_the_beginning_of_a_longer_one(rows in rows(60)) {
        let board = |k: usize| {
            let spec = spec(&format!(r#"{{"id": "b", "item": "item", "score": "price", "k": {k}}}"#));
            let result = collect(&spec, &rows, [20, 10]);
            let items = result.table.column_by_name("item").cloned();
            items.map_or_else(Vec::new, |items| items.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
        };
        let (short, long) = (board(2), board(6));
        prop_assert_eq!(&short[..], &long[..short.len()]);
    }

    #[test]
    fn sums_of_doubles_do_not_depend_on_the_order_of_events(
        prices in prop::collection::vec((0..3_u8, -1e12..1e12_f64), 1..60), cuts in [0..60_usize, 0..30_usize],
    ) {
        let spec = spec(r#"{"id": "b", "item": "item", "metrics": {"m": {"sum": "price"}}, "score": "m", "k": 9}"#);
        let row = |(item, price): &(u8, f64)| {
            Row { group: None, item: Some(*item), quantity: 1, price: Some(*price), order: 0 }
        };
        let rows: Vec<_> = prices.iter().map(row).collect();
        let reversed: Vec<_> = rows.iter().rev().cloned().collect();
        prop_assert_eq!(collect(&spec, &rows, cuts).table, collect(&spec, &reversed, [0, 0]).table);
    }
}

#[test]
fn dictionaries_and_plain_columns_are_the_same() {
    let plain = StringArray::from(vec!["b", "a", "b"]);
    let packed: DictionaryArray<arrow_array::types::Int8Type> = vec!["b", "a", "b"].into_iter().collect();
    let score: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let table =
        |items: ArrayRef| RecordBatch::try_from_iter([("item", items), ("score", score.clone())]).unwrap();
    let spec = spec(r#"{"id": "b", "item": "item", "score": "score", "k": 5}"#);
    let mut board = Board::new(spec, Context::default()).unwrap();
    board.push(&table(Arc::new(packed))).unwrap();
    board.push(&table(Arc::new(plain))).unwrap();
    let result = board.finish().unwrap();
    let items = result.table.column_by_name("item").unwrap().as_string::<i32>();
    assert_eq!(items.iter().flatten().collect::<Vec<_>>(), ["b", "a"]);
}

#[test]
fn large_integers_keep_their_last_digit() {
    let row =
        |item: u8, quantity: i64| Row { group: None, item: Some(item), quantity, price: None, order: 0 };
    let spec = spec(r#"{"id": "b", "item": "item", "score": "quantity", "k": 2}"#);
    let mut board = Board::new(spec, Context::default()).unwrap();
    board.push(&batch(&[row(1, 1 << 60), row(2, (1 << 60) + 1)])).unwrap();
    let result = board.finish().unwrap();
    let scores = result.table.column_by_name("score").unwrap().as_primitive::<Int64Type>();
    assert_eq!(scores.values(), &[(1 << 60) + 1, 1 << 60]);
    assert!(result.report.cut_ties.is_empty());
}

fn push_error(spec_text: &str, rows: &[Row]) -> BoardError {
    Board::new(spec(spec_text), Context::default()).unwrap().push(&batch(rows)).unwrap_err()
}

#[test]
fn what_does_not_go_with_the_columns_is_named() {
    let with = |field: &str| format!(r#"{{"id": "b", "item": "item", "score": "price", "k": 1, {field}}}"#);
    let text = |field: &str| push_error(&with(field), &[]).to_string();
    assert_eq!(
        text(r#""eligibility": "quantty > 0""#),
        "board spec, eligibility: 1:1: undeclared name `quantty` (did you mean `quantity`?)"
    );
    assert_eq!(
        text(r#""eligibility": "quantity""#),
        "board spec, eligibility: expected a condition, found int: `quantity`"
    );
    assert!(
        text(r#""metrics": {"m": {"sum": "item"}}"#)
            .starts_with("board spec, metrics.m.sum: expected a number")
    );
    assert!(
        text(r#""metrics": {"m": {"sum": "price"}}"#)
            .starts_with("board spec, score: 1:1: undeclared name `price`")
    );
    let missing = push_error(r#"{"id": "b", "item": "itm", "score": "price", "k": 1}"#, &[]);
    assert_eq!(
        (missing.code(), missing.to_string().as_str()),
        ("TYPES_COLUMN_MISSING", "column `itm` is missing: did you mean `item`?")
    );
    let float = push_error(r#"{"id": "b", "item": "price", "score": "price", "k": 1}"#, &[]);
    assert_eq!(float.code(), "TYPES_COLUMN_TYPE");
}

#[test]
fn a_wrong_spec_is_named_by_its_field() {
    let error = |text: &str| BoardSpec::from_json(text).unwrap_err().to_string();
    let with = |field: &str| format!(r#"{{"id": "b", "item": "i", "score": "s", "k": 1, {field}}}"#);
    assert!(error(&with(r#""top": 3"#)).contains("unknown field `top`"));
    assert!(
        error(&with(r#""metrics": {"m": {"sum": "a", "max": "a"}}"#))
            .starts_with("board spec, metrics.m: expected only one")
    );
    assert!(error(&with(r#""metrics": {"m": {"last": "a"}}"#)).contains("`last` needs `by`"));
    assert!(error(&with(r#""metrics": {"m": {"ratio": ["a", "b"]}}"#)).contains("there is no metric `a`"));
    assert!(error(&with(r#""having": "m > 1""#)).contains("there are no metrics"));
    assert!(error(&with(r#""group": ["i"]"#)).contains("column `i` is named twice"));
    assert!(error(r#"{"id": "b", "item": "i", "score": "s", "k": 0}"#).contains("at least one place"));
    assert!(error("[1]").contains("expected a JSON object"));
}

#[test]
fn json_and_yaml_are_one_spec() {
    let json = spec(r#"{"id": "b", "item": "i", "metrics": {"m": {"count": "true"}}, "score": "m", "k": 2}"#);
    let yaml =
        BoardSpec::from_yaml("id: b\nitem: i\nmetrics:\n  m: {count: 'true'}\nscore: m\nk: 2\n").unwrap();
    assert_eq!((&yaml, yaml.hash().unwrap()), (&json, json.hash().unwrap()));
    let error = BoardSpec::from_yaml("id: b\nitem: i\nscore: m\nk: many\n").unwrap_err().to_string();
    assert!(error.starts_with("board spec, k: "), "{error}");
    let deep = BoardSpec::from_yaml(&format!("id: {}", "[".repeat(500))).unwrap_err().to_string();
    assert!(deep.contains("nested too deeply"), "{deep}");
}

#[test]
fn a_change_of_columns_between_batches_is_an_error() {
    let mut board =
        Board::new(spec(r#"{"id": "b", "item": "item", "score": "price", "k": 1}"#), Context::default())
            .unwrap();
    board.push(&batch(&[])).unwrap();
    let item: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let price: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let other = RecordBatch::try_from_iter([("item", item), ("price", price)]).unwrap();
    let error = board.push(&other).unwrap_err();
    assert_eq!(error.to_string(), "column `group` is missing: batches before had it");
    let mut renamed = batch(&[]);
    let quantity: ArrayRef = Arc::new(StringArray::new_null(0));
    let columns: Vec<_> = renamed
        .schema()
        .fields()
        .iter()
        .zip(renamed.columns())
        .map(|(field, array)| {
            let array = if field.name() == "quantity" { quantity.clone() } else { array.clone() };
            (field.name().clone(), array, true)
        })
        .collect();
    renamed = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let error = board.push(&renamed).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("RANKING_SCHEMA_CHANGE", "column `quantity` was int64 and is utf8 in a later batch")
    );
}

#[test]
fn rows_without_a_value_are_counted_with_their_reason() {
    let row =
        |item: u8, quantity: i64| Row { group: None, item: Some(item), quantity, price: Some(1.0), order: 0 };
    let text = r#"{"id": "b", "item": "item", "score": "100 / quantity", "k": 5}"#;
    let mut board = Board::new(spec(text), Context::default()).unwrap();
    board.push(&batch(&[row(1, 0), row(2, 5), row(3, 0)])).unwrap();
    let result = board.finish().unwrap();
    assert_eq!((result.report.candidates, result.report.without_score), (1, 2));
    let fault = result.report.faults.get(&("score".to_owned(), "RULES_DIVIDE_BY_ZERO".to_owned())).unwrap();
    assert_eq!(fault.0, 2);
}

#[test]
fn a_board_without_rows_is_empty() {
    let result =
        Board::new(spec(r#"{"id": "b", "item": "item", "score": "price", "k": 1}"#), Context::default())
            .unwrap()
            .finish()
            .unwrap();
    assert_eq!(result.table.num_rows(), 0);
    let mut board = Board::new(
        spec(r#"{"id": "b", "item": "item", "metrics": {"n": {"count": "true"}}, "score": "n", "k": 1}"#),
        Context::default(),
    )
    .unwrap();
    board.push(&batch(&[])).unwrap();
    let result = board.finish().unwrap();
    assert_eq!((result.table.num_rows(), result.table.num_columns()), (0, 3));
}
