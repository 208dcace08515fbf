//! The result of a board does not depend on threads, chunks, the encodings of columns or the boards beside it.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::indexing_slicing)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, UInt16Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use comptoir_ranking::board::{Board, BoardError, BoardResult, BoardSpec, Boards, Context};
use comptoir_types::ErrorCode;
use proptest::prelude::*;

/// Group, region, item, score in halves, tie key.
type Row = (Option<u8>, u8, Option<u8>, Option<i8>, u8);

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let name = |count: u8| prop_oneof![9 => (0..count).prop_map(Some), 1 => Just(None)];
    let score = prop_oneof![9 => (-4..5_i8).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((name(4), 0..3_u8, name(40), score, 0..3_u8), 0..most)
}

/// Values as a column in one of the encodings of its family, all of which sort alike.
fn names(values: &[Option<u8>], encoding: usize) -> ArrayRef {
    let each = || values.iter().copied();
    let texts = || each().map(|value| value.map(|value| format!("name {value:03}")));
    match encoding {
        0 => Arc::new(texts().collect::<StringArray>()),
        1 => Arc::new(texts().collect::<LargeStringArray>()),
        2 => Arc::new(texts().collect::<StringViewArray>()),
        3 => {
            let texts: Vec<_> = texts().collect();
            Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int8Type>>())
        }
        4 => Arc::new(each().map(|value| value.map(|value| value.cast_signed() - 20)).collect::<Int8Array>()),
        5 => Arc::new(each().map(|value| value.map(|value| i16::from(value) - 20)).collect::<Int16Array>()),
        6 => Arc::new(each().map(|value| value.map(|value| i32::from(value) - 20)).collect::<Int32Array>()),
        // Too far apart for a table.
        7 => Arc::new(
            each().map(|value| value.map(|value| i64::from(value) * (1 << 40))).collect::<Int64Array>(),
        ),
        8 => Arc::new(each().collect::<UInt8Array>()),
        9 => Arc::new(each().map(|value| value.map(u16::from)).collect::<UInt16Array>()),
        10 => Arc::new(each().map(|value| value.map(u32::from)).collect::<UInt32Array>()),
        11 => Arc::new(
            each().map(|value| value.map(|value| u64::from(value) + (1 << 63))).collect::<UInt64Array>(),
        ),
        12 => Arc::new(each().map(|value| value.map(|value| i32::from(value) - 9)).collect::<Date32Array>()),
        13 => Arc::new(each().map(|value| value.map(i64::from)).collect::<TimestampSecondArray>()),
        14 => {
            let numbers = each().map(|value| value.map(i128::from)).collect::<Decimal128Array>();
            Arc::new(numbers.with_precision_and_scale(20, 2).unwrap())
        }
        _ => {
            let keys: UInt16Array = each().map(|value| value.map(u16::from)).collect();
            let values: Int64Array = (0..64).map(|value| Some(value - 9)).collect();
            Arc::new(DictionaryArray::<UInt16Type>::new(keys, Arc::new(values)))
        }
    }
}
const ENCODINGS: usize = 16;

fn table(rows: &[Row], group: usize, item: usize) -> RecordBatch {
    let column = |read: &dyn Fn(&Row) -> Option<u8>| rows.iter().map(read).collect::<Vec<_>>();
    let score: Float64Array = rows.iter().map(|row| row.3.map(|score| f64::from(score) / 2.0)).collect();
    let whole: Int64Array = rows.iter().map(|row| row.3.map(i64::from)).collect();
    let tie: StringArray = rows.iter().map(|row| Some(format!("{}", row.4))).collect();
    let columns: [(&str, ArrayRef); 6] = [
        ("group", names(&column(&|row| row.0), group)),
        ("region", names(&column(&|row| Some(row.1)), 0)),
        ("item", names(&column(&|row| row.2), item)),
        ("score", Arc::new(score)),
        ("whole", Arc::new(whole)),
        ("tie", Arc::new(tie)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// A table in chunks.
fn chunks(table: &RecordBatch, size: usize) -> Vec<RecordBatch> {
    let starts = (0..table.num_rows()).step_by(size);
    starts.map(|start| table.slice(start, size.min(table.num_rows() - start))).collect()
}

fn specs() -> Vec<BoardSpec> {
    let with = |id: &str, rest: &str| {
        let text = format!(r#"{{"id": "{id}", "item": "item", "eligibility": "score >= -1.5", {rest}}}"#);
        BoardSpec::from_json(&text).unwrap()
    };
    vec![
        with("plain", r#""group": ["group"], "score": "score", "k": 3"#),
        with(
            "ties",
            r#""group": ["group"], "score": "score", "k": 2, "ties": [{"by": "tie", "order": "desc"}]"#,
        ),
        with("pairs", r#""group": ["region", "group"], "score": "whole * 2", "k": 2"#),
        with("all", r#""score": "decimal(whole) * decimal('1000000000001.5')", "k": 5"#),
        with("faults", r#""group": ["region"], "score": "12 / whole", "k": 4"#),
        with(
            "shown",
            r#""group": ["group"], "score": "score", "k": 3, "show": {"columns": ["region", "whole"]}"#,
        ),
        with(
            "events",
            r#""group": ["region"], "metrics": {"n": {"count": "whole > 0"}}, "score": "n", "k": 3"#,
        ),
    ]
}

fn alone(spec: &BoardSpec, batches: &[RecordBatch], threads: usize) -> BoardResult {
    let mut board = Board::new(spec.clone(), Context::default()).unwrap();
    board.push_all(batches, threads).unwrap();
    board.finish().unwrap()
}

/// Items and positions, whatever the columns look like.
fn shape(result: &BoardResult, rank: &dyn Fn(&ArrayRef, usize) -> usize) -> Vec<(usize, u32)> {
    let items = result.table.column_by_name("item").unwrap();
    let positions = result.table.column_by_name("position").unwrap();
    let positions = positions.as_primitive::<arrow_array::types::UInt32Type>();
    (0..items.len()).map(|row| (rank(items, row), positions.value(row))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn encodings_of_groups_and_items_give_one_board(rows in rows(200), group in 0..ENCODINGS, item in 0..ENCODINGS) {
        // Each item's number, found by its value in the encoding.
        let all: Vec<Option<u8>> = (0..40).map(Some).collect();
        let rank = |encoding: usize| {
            let all = plain(&names(&all, encoding));
            move |items: &ArrayRef, row: usize| (0..40).find(|number| all.slice(*number, 1) == items.slice(row, 1)).unwrap()
        };
        for spec in specs() {
            let reference = alone(&spec, &[table(&rows, 0, 0)], 1);
            let found = alone(&spec, &[table(&rows, group, item)], 1);
            prop_assert_eq!(shape(&reference, &rank(0)), shape(&found, &rank(item)), "{}", spec.id);
            prop_assert_eq!(reference.report.candidates, found.report.candidates);
            prop_assert_eq!(reference.report.cut_ties.len(), found.report.cut_ties.len());
        }
    }

    #[test]
    fn a_board_among_others_is_the_board_alone(rows in rows(300), encoding in 0..4_usize, size in 1..120_usize) {
        let batches = chunks(&table(&rows, encoding, 6), size);
        for threads in [1, 2, 5] {
            let (first, rest) = batches.split_at(batches.len() / 2);
            let mut boards = Boards::new(specs(), &Context::default()).unwrap();
            boards.push_all(first, threads).unwrap();
            let mut boards = Boards::from_boards(boards.into_boards()).unwrap();
            boards.push_all(rest, threads).unwrap();
            for (spec, found) in specs().iter().zip(boards.finish().unwrap()) {
                let expected = alone(spec, &batches, 1);
                prop_assert_eq!(&expected.table, &found.table, "{} on {} threads", &spec.id, threads);
                prop_assert_eq!(&expected.report, &found.report);
            }
        }
    }

    #[test]
    fn threads_and_chunks_give_the_same_bytes(rows in rows(300), size in 1..120_usize) {
        let table = table(&rows, 3, 0);
        for spec in specs() {
            let expected = alone(&spec, &chunks(&table, 1_000), 1);
            for threads in [2, 7] {
                let found = alone(&spec, &chunks(&table, size), threads);
                prop_assert_eq!(&expected.table, &found.table, "{} on {} threads", &spec.id, threads);
                prop_assert_eq!(&expected.report, &found.report);
            }
        }
    }
}

/// A column without its dictionary.
fn plain(array: &ArrayRef) -> ArrayRef {
    match array.as_any_dictionary_opt() {
        Some(dictionary) => arrow_select::take::take(dictionary.values(), dictionary.keys(), None).unwrap(),
        None => array.clone(),
    }
}

/// Rows for several parts of several blocks.
fn many_rows() -> Vec<Row> {
    (0..400_000_u32)
        .map(|row| {
            let mixed = row.wrapping_mul(2_654_435_761) >> 8;
            (
                Some((mixed % 50) as u8),
                (mixed % 3) as u8,
                Some((mixed >> 9) as u8),
                Some((mixed >> 3) as i8),
                0,
            )
        })
        .collect()
}

/// Blocks and parts of a large table.
#[test]
fn many_blocks_on_many_threads() {
    let rows = many_rows();
    let table = table(&rows, 8, 8);
    for spec in specs().into_iter().step_by(3) {
        let expected = alone(&spec, std::slice::from_ref(&table), 1);
        let found = alone(&spec, &chunks(&table, 70_001), 3);
        assert_eq!((&expected.table, &expected.report), (&found.table, &found.report), "{}", spec.id);
    }
    assert!(rows.len() > 3 * 8 * 16 * 1024, "more parts than threads");
}

/// Collectors of threads go on with the next part of a stream, and are merged with those of another board.
#[test]
fn parts_of_a_stream_on_threads_and_boards_that_are_merged() {
    let table = table(&many_rows(), 0, 8);
    let parts = chunks(&table, 90_001);
    for spec in specs() {
        let scanned = |parts: &[RecordBatch]| {
            let mut board = Board::new(spec.clone(), Context::default()).unwrap();
            for part in parts {
                board.push_all(&chunks(part, 20_000), 3).unwrap();
            }
            board
        };
        let (first, rest) = parts.split_at(2);
        let mut board = scanned(first);
        board.merge(scanned(rest)).unwrap();
        let (expected, found) = (alone(&spec, std::slice::from_ref(&table), 1), board.finish().unwrap());
        assert_eq!((&expected.table, &expected.report), (&found.table, &found.report), "{}", spec.id);
    }
}

/// A batch that cannot be read ends all threads with the error of the first.
#[test]
fn an_error_on_a_thread_is_the_error_of_the_call() {
    let good = table(&[(Some(1), 0, Some(1), Some(1), 0)], 0, 0);
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let bad = RecordBatch::try_from_iter([("group", flags)]).unwrap();
    let mut board = Board::new(specs().remove(0), Context::default()).unwrap();
    let batches: Vec<_> =
        (0..40).map(|place| if place % 9 == 5 { bad.clone() } else { good.clone() }).collect();
    assert!(board.push_all(&batches, 4).is_err());
}

#[test]
fn boards_that_name_different_items_share_nothing() {
    // A table of one column is the table that lists of items are looked up in.
    let item: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let table = RecordBatch::try_from_iter([("item", item)]).unwrap();
    let spec = |hidden: &str| {
        BoardSpec::from_json(&format!(
            r#"{{"id": "b", "item": "item", "score": "1", "k": 5,
                "interventions": [{{"id": "h", "items": ["{hidden}"], "hide": true}}]}}"#
        ))
        .unwrap()
    };
    let mut boards = Boards::new(vec![spec("a"), spec("b")], &Context::default()).unwrap();
    boards.push(&table).unwrap();
    let shown: Vec<Vec<String>> = boards
        .finish()
        .unwrap()
        .iter()
        .map(|result| {
            let items = result.table.column_by_name("item").unwrap().as_string::<i32>();
            items.iter().flatten().map(str::to_owned).collect()
        })
        .collect();
    assert_eq!(shown, [["b", "c"], ["a", "c"]]);
}

/// Columns are looked at before any row is taken.
#[test]
fn a_push_of_other_columns_changes_nothing() {
    let good = table(&many_rows()[..1_000], 0, 0);
    let bad = RecordBatch::try_from_iter([("group", names(&[Some(1)], 0))]).unwrap();
    for spec in specs() {
        let mut board = Board::new(spec.clone(), Context::default()).unwrap();
        assert!(board.push(&bad).is_err());
        board.push(&good).unwrap();
        assert!(board.push_all(&[good.clone(), bad.clone()], 2).is_err());
        let (expected, found) = (alone(&spec, std::slice::from_ref(&good), 1), board.finish().unwrap());
        assert_eq!((&expected.table, &expected.report), (&found.table, &found.report), "{}", spec.id);
    }
}

#[test]
fn a_board_whose_push_has_failed_is_refused() {
    let good = table(&many_rows()[..1_000], 0, 0);
    let made = || {
        let mut board = Board::new(specs().remove(0), Context::default()).unwrap();
        board.push(&good).unwrap();
        board
    };
    let mut failed = made();
    failed.mark_failed();
    let is_refused = |outcome: Result<(), BoardError>| {
        assert_eq!(outcome.unwrap_err().code(), "RANKING_PUSH_FAILED");
    };
    is_refused(failed.push(&good));
    is_refused(failed.push_all(&[good.clone(), good.clone()], 2));
    is_refused(failed.merge(made()));
    is_refused(made().check_merge(&failed));
    is_refused(failed.finish().map(drop));
}

#[test]
fn collectors_that_do_not_go_together_stay_as_they_were() {
    let good = table(&many_rows()[..1_000], 0, 0);
    let (mut other_spec, context) = (specs().remove(0), Context::default());
    other_spec.k += 1;
    let of_unit = Context { unit: Some("ann".to_owned()), ..Context::default() };
    let board = |spec: BoardSpec, context: &Context| Board::new(spec, context.clone()).unwrap();
    let mut own = board(specs().remove(0), &context);
    own.push(&good).unwrap();
    let mut other_columns = board(specs().remove(0), &context);
    other_columns.push(&table(&many_rows()[..10], 1, 8)).unwrap();
    let mut code = |other: Board| own.merge(other).unwrap_err().code();
    assert_eq!(code(board(other_spec, &context)), "RANKING_OTHER_BOARD");
    assert_eq!(code(board(specs().remove(0), &of_unit)), "RANKING_OTHER_CONTEXT");
    assert_eq!(code(other_columns), "RANKING_SCHEMA_CHANGE");
    let (expected, found) =
        (alone(&specs().remove(0), std::slice::from_ref(&good), 1), own.finish().unwrap());
    assert_eq!((&expected.table, &expected.report), (&found.table, &found.report));
}

#[test]
fn the_order_of_columns_does_not_matter() {
    let rows = many_rows();
    let table = table(&rows[..2_000], 0, 8);
    let turned = table.project(&[5, 4, 3, 2, 1, 0]).unwrap();
    for mut spec in specs() {
        spec.show.columns =
            if spec.metrics.is_empty() { vec!["whole".into(), "region".into()] } else { vec![] };
        let mut board = Board::new(spec.clone(), Context::default()).unwrap();
        board.push(&table.slice(0, 700)).unwrap();
        let mut other = Board::new(spec.clone(), Context::default()).unwrap();
        other.push(&turned.slice(700, 1_300)).unwrap();
        board.merge(other).unwrap();
        let (expected, found) = (alone(&spec, std::slice::from_ref(&table), 1), board.finish().unwrap());
        assert_eq!((&expected.table, &expected.report), (&found.table, &found.report), "{}", spec.id);
    }
}
