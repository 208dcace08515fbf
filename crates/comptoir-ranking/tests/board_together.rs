//! Boards that are made together are those that are made alone, whatever they have in common.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use comptoir_ranking::board::{Board, BoardResult, BoardSpec, Boards, Context};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Country, number of a shop, item, units, a moment.
type Row = (Option<u8>, u8, Option<u8>, Option<i8>, u8);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let name = |count: u8| prop_oneof![9 => (0..count).prop_map(Some), 1 => Just(None)];
    let units = prop_oneof![9 => (-4..5_i8).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((name(3), 0..3_u8, name(30), units, 0..9_u8), 0..300)
}

fn table(rows: &[Row]) -> RecordBatch {
    let country: StringArray = rows.iter().map(|row| row.0.map(|country| format!("c{country}"))).collect();
    let shop: Int64Array = rows.iter().map(|row| Some(i64::from(row.1) << 40)).collect();
    let brand: Decimal128Array = rows.iter().map(|row| Some(i128::from(row.4 % 2))).collect();
    let item: StringArray = rows.iter().map(|row| row.2.map(|item| format!("item {item:02}"))).collect();
    let units: Int64Array = rows.iter().map(|row| row.3.map(i64::from)).collect();
    let price: Float64Array =
        rows.iter().map(|row| row.3.map(|units| 0.1 * f64::from(units) + f64::from(row.4))).collect();
    let day: Date32Array = rows.iter().map(|row| Some(19_000 + i32::from(row.4))).collect();
    let columns: [(&str, ArrayRef); 7] = [
        ("country", Arc::new(country)),
        ("shop", Arc::new(shop)),
        ("brand", Arc::new(brand)),
        ("item", Arc::new(item)),
        ("units", Arc::new(units)),
        ("price", Arc::new(price)),
        ("day", Arc::new(day)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// Few of each, so that boards have much in common.
fn spec() -> impl Strategy<Value = Json> {
    let group = prop::sample::select(vec![
        json!([]),
        json!(["country"]),
        json!(["shop"]),
        json!(["brand"]),
        json!(["country", "shop"]),
        json!(["shop", "brand", "country"]),
    ]);
    let eligibility = prop::sample::select(vec![None, Some("price > 2.0"), Some("12 / units > 3")]);
    let sums = json!({"n": {"sum": "units"}, "people": {"distinct": "shop"}, "days": {"max": "day"}});
    let recent = json!({"n": {"count": "units > 0"}, "takings": {"sum": "price", "window": "4d"},
        "each": {"ratio": ["takings", "n"]}, "late": {"last": "units"}});
    // Some of those above, by other names and with faults of their own, and one metric twice.
    let others = json!({"n": {"sum": "12 / units"}, "items": {"sum": "units"}, "again": {"sum": "units"},
        "seen": {"max": "day", "where": "12 / units > 1"}});
    let mixed = json!({"n": {"sum": "price", "window": "4d"}, "last": {"last": "units"}, "old": {"min": "day", "window": "4d"},
        "each": {"ratio": ["n", "parts"]}, "parts": {"sum": "12 / units"}});
    let metrics = prop::sample::select(vec![None, Some(sums), Some(recent), Some(others), Some(mixed)]);
    let (terms, k) = (0..3_u8, 1..4_usize);
    let operators = prop::sample::select(vec![
        json!([]),
        json!([{"id": "h", "items": ["item 03"], "hide": true}]),
        json!([{"id": "p", "items": ["item 04", "item 05"], "pin": 1}]),
    ]);
    let parts = (group, eligibility, metrics, terms, k, operators);
    parts.prop_map(|(group, eligibility, metrics, terms, k, operators)| {
        let value = if metrics.is_some() { "n" } else { "units" };
        let term = |steps: Json| json!([{"name": "t", "value": value, "normalise": steps, "missing": 0.0}]);
        let score = match terms {
            0 => json!(value),
            1 => term(json!(["log1p"])),
            _ => term(json!(["z_score"])),
        };
        let mut spec = json!({"id": "b", "group": group, "item": "item", "time": "day", "k": k,
            "score": score, "interventions": operators});
        if let Some(eligibility) = eligibility {
            spec["eligibility"] = json!(eligibility);
        }
        if let Some(metrics) = metrics {
            spec["metrics"] = metrics;
        }
        spec
    })
}

fn read(specs: &[Json]) -> Vec<BoardSpec> {
    specs.iter().map(|spec| BoardSpec::from_json(&spec.to_string()).unwrap()).collect()
}

fn context() -> Context {
    Context { now: Some("2022-01-15T00:00:00Z".to_owned()), ..Context::default() }
}

fn together(specs: &[Json]) -> Boards {
    Boards::new(read(specs), &context()).unwrap()
}

fn alone(spec: &BoardSpec, batches: &[RecordBatch]) -> BoardResult {
    let mut board = Board::new(spec.clone(), context()).unwrap();
    board.push_all(batches, 1).unwrap();
    board.finish().unwrap()
}

/// A table in chunks.
fn chunks(table: &RecordBatch, size: usize) -> Vec<RecordBatch> {
    let starts = (0..table.num_rows()).step_by(size);
    starts.map(|start| table.slice(start, size.min(table.num_rows() - start))).collect()
}

fn check(specs: &[Json], batches: &[RecordBatch], found: &[BoardResult]) -> Result<(), TestCaseError> {
    prop_assert_eq!(specs.len(), found.len());
    for (spec, found) in read(specs).iter().zip(found) {
        let expected = alone(spec, batches);
        prop_assert_eq!(&expected.table, &found.table, "{}", json!(spec));
        prop_assert_eq!(&expected.report, &found.report, "{}", json!(spec));
        let explained = |result: &BoardResult| result.explain("item 07", None).unwrap();
        prop_assert_eq!(explained(&expected), explained(found));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn boards_of_one_scan(rows in rows(), specs in prop::collection::vec(spec(), 1..9), size in 1..120_usize) {
        let batches = chunks(&table(&rows), size);
        for threads in [1, 3] {
            let (first, rest) = batches.split_at(batches.len() / 2);
            let mut boards = together(&specs);
            boards.push_all(first, threads).unwrap();
            let mut boards = Boards::from_boards(boards.into_boards()).unwrap();
            boards.push_all(rest, threads).unwrap();
            check(&specs, &batches, &boards.finish().unwrap())?;
        }
    }

    #[test]
    fn boards_of_shards(rows in rows(), specs in prop::collection::vec(spec(), 1..9), cut in 0..300_usize) {
        let all = table(&rows);
        let (first, rest) = rows.split_at(cut.min(rows.len()));
        let mut boards = together(&specs);
        boards.push_all(&chunks(&table(first), 40), 2).unwrap();
        let mut others = together(&specs);
        others.push(&table(rest)).unwrap();
        boards.merge(others).unwrap();
        check(&specs, &[all], &boards.finish().unwrap())?;
    }

    /// Each board goes its own way after a scan with the others.
    #[test]
    fn boards_that_part(rows in rows(), specs in prop::collection::vec(spec(), 2..7), cut in 0..300_usize) {
        let all = table(&rows);
        let (first, rest) = rows.split_at(cut.min(rows.len()));
        let (first, rest) = (table(first), table(rest));
        let mut boards = together(&specs);
        boards.push(&first).unwrap();
        let mut found = Vec::new();
        for (place, mut board) in boards.into_boards().into_iter().enumerate() {
            let pushed = [&[][..], std::slice::from_ref(&rest)][place % 2];
            board.push_all(pushed, 2).unwrap();
            found.push(board);
        }
        let mut boards = Boards::from_boards(found).unwrap();
        boards.push(&rest).unwrap();
        let twice = RecordBatch::try_new(all.schema(), all.columns().to_vec()).unwrap();
        for (place, (spec, found)) in read(&specs).iter().zip(boards.finish().unwrap()).enumerate() {
            let batches = [&[twice.clone()][..], &[twice.clone(), rest.clone()]][place % 2].to_vec();
            let expected = alone(spec, &batches);
            prop_assert_eq!(&expected.table, &found.table, "{}", json!(spec));
            prop_assert_eq!(&expected.report, &found.report, "{}", json!(spec));
        }
    }
}

/// Merged with a board of its own scan, a board has the events of both.
#[test]
fn boards_of_one_scan_that_are_merged() {
    let rows: Vec<Row> = (0..50).map(|row| (Some(row % 3), row % 2, Some(row % 7), Some(1), 0)).collect();
    let spec = json!({"id": "b", "group": ["country"], "item": "item", "k": 9, "score": "n",
        "metrics": {"n": {"sum": "units"}}});
    let mut boards = together(&[spec.clone(), spec.clone()]);
    boards.push(&table(&rows)).unwrap();
    let [mut first, second] = <[Board; 2]>::try_from(boards.into_boards()).unwrap();
    first.merge(second).unwrap();
    let expected = alone(&read(&[spec])[0], &[table(&rows), table(&rows)]);
    assert_eq!(first.finish().unwrap().table, expected.table);
}

/// A metric that does not fit is an error of the boards that have it, by their names for it.
#[test]
fn a_metric_that_does_not_fit_is_one_of_its_boards() {
    let rows: Vec<Row> = (0..6).map(|row| (Some(0), 0, Some(row % 2), Some(4), 0)).collect();
    let board = |metrics: Json| json!({"id": "b", "item": "item", "k": 9, "score": "n", "metrics": metrics});
    let large = "units * 1000000000000000000";
    let specs = [
        board(json!({"n": {"count": "true"}})),
        board(json!({"n": {"sum": large}})),
        board(json!({"n": {"count": "true"}, "large": {"sum": large}})),
    ];
    let mut boards = together(&specs);
    boards.push(&table(&rows)).unwrap();
    let found =
        boards.into_boards().into_iter().map(|board| board.finish().map_err(|error| error.to_string()));
    let [first, second, third] = <[_; 3]>::try_from(found.collect::<Vec<_>>()).unwrap();
    assert_eq!(first.unwrap().table.num_rows(), 2);
    let wrong = |name: &str| {
        format!("metric `{name}` of item `item 00`: the sum does not fit in an integer of 64 bits")
    };
    assert_eq!(second.unwrap_err(), wrong("n"));
    assert_eq!(third.unwrap_err(), wrong("large"));
}

/// Boards of which one does not go with the columns are as they were, and collect what they are to.
#[test]
fn boards_after_columns_that_do_not_go() {
    let rows: Vec<Row> = (0..50).map(|row| (Some(row % 3), row % 2, Some(row % 7), Some(1), 0)).collect();
    let board = |score: &str, metric: Json| json!({"id": "b", "item": "item", "k": 9, "score": score, "metrics": {"n": metric}});
    let specs = [
        board("n", json!({"sum": "units"})),
        board("n", json!({"max": "units"})),
        board("n", json!({"min": "units"})),
    ];
    let mut boards = together(&specs);
    let whole = table(&rows);
    let lacking = whole.project(&[3]).unwrap();
    assert!(boards.push(&lacking).is_err());
    boards.push(&whole).unwrap();
    check(&specs, std::slice::from_ref(&whole), &boards.finish().unwrap()).unwrap();
    // The second one is refused after the first has looked at its columns.
    let wrong = board("n", json!({"sum": "unit"}));
    let mut boards = together(&[specs[0].clone(), specs[1].clone(), wrong]);
    assert!(boards.push(&whole).is_err());
    let mut boards = boards.into_boards();
    boards.truncate(2);
    let mut boards = Boards::from_boards(boards).unwrap();
    boards.push(&whole).unwrap();
    check(&specs[..2], &[whole], &boards.finish().unwrap()).unwrap();
}
