use arrow_array::types::Int32Type;
use arrow_array::{
    BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int8Array, Int64Array,
    StringArray, StringViewArray, TimestampMillisecondArray, UInt64Array,
};
use comptoir_types::ErrorCode;

use super::super::tests::Directory;
use super::super::{Board, Publisher, Reader};
use super::*;

fn columns(group: &[&str], position: Option<&str>) -> TableColumns {
    TableColumns {
        board: "top".to_owned(),
        group: group.iter().map(|&name| name.to_owned()).collect(),
        item: "item".to_owned(),
        score: "score".to_owned(),
        position: position.map(str::to_owned),
    }
}

/// The boards of a table as text.
fn boards(columns: &TableColumns, batches: &[RecordBatch]) -> Result<Vec<String>, SnapshotError> {
    let schema = batches[0].schema();
    let mut builder = SnapshotBuilder::new(columns.item_kind(&schema)?);
    builder.table(columns, &schema, batches)?;
    let directory = Directory::new();
    Publisher::open(&directory.0, 1)?.publish(&builder)?;
    let reader = Reader::open(&directory.0)?;
    let snapshot = reader.load();
    let text = |board: Board<'_>| {
        let name = board.name().collect::<Vec<_>>().join(",");
        let entries = board.page(0, 99).map(|entry| format!(" {}={}", entry.item, entry.score));
        format!("{name}:{}", entries.collect::<String>())
    };
    Ok(snapshot.iter().map(text).collect())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn numbered(items: Vec<i64>, scores: Vec<f64>) -> Vec<(&'static str, ArrayRef)> {
    vec![("item", Arc::new(Int64Array::from(items))), ("score", Arc::new(Float64Array::from(scores)))]
}

#[test]
fn groups_of_all_types_become_text_and_meet_over_chunks() {
    let rows = |day: i32, flag: Option<bool>| {
        let mut columns = numbered(vec![i64::from(day)], vec![1.0]);
        columns.push(("day", Arc::new(Date32Array::from(vec![0]))));
        columns.push(("flag", Arc::new(BooleanArray::from(vec![flag]))));
        let price = Decimal128Array::from(vec![1250]).with_precision_and_scale(10, 2).unwrap();
        columns.push(("price", Arc::new(price)));
        columns.push(("at", Arc::new(TimestampMillisecondArray::from(vec![1_500]))));
        columns.push(("size", Arc::new(Int8Array::from(vec![-3]))));
        let dictionary: DictionaryArray<Int32Type> = vec!["a"].into_iter().collect();
        columns.push(("code", Arc::new(dictionary)));
        batch(columns)
    };
    let by = columns(&["day", "flag", "price", "at", "size", "code"], None);
    let found = boards(&by, &[rows(1, Some(true)), rows(2, None), rows(3, Some(true))]).unwrap();
    let shared = "12.5,1970-01-01T00:00:01.5Z,-3,a";
    assert_eq!(
        found,
        [format!("top,1970-01-01,true,{shared}: 1=1 3=1"), format!("top,1970-01-01,\0,{shared}: 2=1"),]
    );
}

#[test]
fn without_positions_large_scores_are_compared_exactly() {
    let scores: ArrayRef = Arc::new(UInt64Array::from(vec![1 << 60, (1 << 60) + 1, (1 << 60) + 1]));
    let items: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "c", "b"]));
    let found = boards(&columns(&[], None), &[batch(vec![("item", items), ("score", scores)])]).unwrap();
    assert_eq!(found, ["top: b=1152921504606847000 c=1152921504606847000 a=1152921504606847000"]);
}

#[test]
fn positions_decide_and_stand_once() {
    let with = |positions: Vec<i64>| {
        let mut columns = numbered(vec![7, 8, 9], vec![1.0, 3.0, 2.0]);
        columns.push(("position", Arc::new(Int64Array::from(positions))));
        batch(columns)
    };
    let by = columns(&[], Some("position"));
    assert_eq!(boards(&by, &[with(vec![3, 2, 1])]).unwrap(), ["top: 9=2 8=3 7=1"]);
    let twice = boards(&by, &[with(vec![1, 2, 1])]).unwrap_err();
    assert_eq!(twice.to_string(), "position 1 of board `top` with group [] is given twice");
}

#[test]
fn bad_cells_are_named() {
    let error = |columns_of: Vec<(&str, ArrayRef)>| {
        boards(&columns(&["item"], None), &[batch(columns_of)]).unwrap_err()
    };
    let nan = error(numbered(vec![1, 2], vec![1.0, f64::NAN]));
    assert_eq!(
        (nan.code(), nan.to_string().as_str()),
        ("RANKING_SCORE_NAN", "column `score`, row 1: a score cannot be NaN")
    );
    let items: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let scores: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
    let null = error(vec![("item", items), ("score", Arc::clone(&scores))]);
    assert_eq!(null.to_string(), "column `item`, row 1: null where a value is required");
    let wrong = error(vec![("item", Arc::clone(&scores)), ("score", scores)]);
    assert_eq!(wrong.to_string(), "column `item`: expected integers or text, found float64");
    let huge: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let huge = error(vec![("item", Arc::clone(&huge)), ("score", huge)]);
    assert_eq!(huge.code(), "RANKING_ITEM_KIND");
}
