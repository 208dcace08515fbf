use std::fs;
use std::io::Cursor;
use std::sync::Arc;

use arrow_array::builder::{LargeListBuilder, ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    UInt32Array,
};
use arrow_schema::Schema;
use comptoir_types::ErrorCode;
use proptest::prelude::*;

use super::super::publish::version_path;
use super::super::tests::{Directory, score};
use super::super::{Item, ItemKind, Publisher, Snapshot, SnapshotBuilder, SnapshotError};
use super::{read_ipc, write_ipc};

/// The bytes of the published file after its header: the table of sections and the sections.
fn published(builder: &SnapshotBuilder) -> (Directory, Snapshot, Vec<u8>) {
    let directory = Directory::new();
    Publisher::open(&directory.0, 1).unwrap().publish(builder).unwrap();
    let path = version_path(&directory.0, 1);
    let content = fs::read(&path).unwrap().split_off(128);
    let snapshot = Snapshot::open(&path).unwrap();
    (directory, snapshot, content)
}

fn same_facts(left: &Snapshot, right: &Snapshot) -> bool {
    let facts = |of: &Snapshot| (of.watermark(), of.spec_hash(), of.rules_hash(), of.k(), of.item_kind());
    facts(left) == facts(right)
}

prop_compose! {
    fn builders()(
        kind in prop::sample::select(vec![ItemKind::Int, ItemKind::Text]),
        names in prop::collection::btree_map(
            ("[ab\u{e9}]{0,2}", prop::collection::vec("[ab]{0,2}", 0..3)),
            prop::collection::btree_map(-9..9_i64, prop::num::f64::ANY, 0..6),
            0..12,
        ),
        watermark in any::<i64>(),
        spec in any::<[u8; 32]>(),
        k in any::<u32>(),
    ) -> SnapshotBuilder {
        let mut builder = SnapshotBuilder::new(kind).watermark(watermark).hashes(spec, [7; 32]).k(k);
        for ((board, group), entries) in &names {
            let group: Vec<_> = group.iter().map(String::as_str).collect();
            let entries: Vec<_> = entries
                .iter()
                .filter_map(|(item, number)| Some((*item, item.to_string(), crate::Score::new(*number)?)))
                .collect();
            let entries = entries.iter().map(|(item, text, score)| match kind {
                ItemKind::Int => (Item::Int(*item), *score),
                ItemKind::Text => (Item::Text(text), *score),
            });
            builder.board(board, &group, entries).unwrap();
        }
        builder
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_table_gives_the_same_bytes_again(builder in builders(), cut in 0..30_usize) {
        let (_first, snapshot, content) = published(&builder);
        let batch = snapshot.to_record_batch().unwrap();
        // Boards may go on in the next batch.
        let cut = cut.min(batch.num_rows());
        let batches = [batch.slice(0, cut), batch.slice(cut, batch.num_rows() - cut)];
        let again = SnapshotBuilder::from_record_batches(&batch.schema(), &batches).unwrap();
        let (_second, read, read_content) = published(&again);
        prop_assert_eq!(&read_content, &content);
        prop_assert!(same_facts(&snapshot, &read));

        let mut file = Vec::new();
        write_ipc(&snapshot, &mut file).unwrap();
        let (_third, read, read_content) = published(&read_ipc(Cursor::new(&file)).unwrap());
        prop_assert_eq!(&read_content, &content);
        prop_assert!(same_facts(&snapshot, &read));
    }
}

/// Two boards as other producers might send them.
fn table(position: ArrayRef, item: ArrayRef, score: ArrayRef) -> RecordBatch {
    let mut group = ListBuilder::new(StringBuilder::new());
    for value in ["FR", "FR", "DE"] {
        group.values().append_value(value);
        group.append(true);
    }
    let board: ArrayRef = Arc::new(StringArray::from(vec!["top"; 3]));
    let columns = [
        ("board", board),
        ("group", Arc::new(group.finish())),
        ("position", position),
        ("item", item),
        ("score", score),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn read(batch: &RecordBatch) -> Result<SnapshotBuilder, SnapshotError> {
    SnapshotBuilder::from_record_batches(&batch.schema(), [batch])
}

fn positions(numbers: [i64; 3]) -> ArrayRef {
    Arc::new(Int64Array::from(numbers.to_vec()))
}

fn items() -> ArrayRef {
    Arc::new(StringArray::from(vec!["mug", "bag", "mug"]))
}

fn scores() -> ArrayRef {
    Arc::new(Float64Array::from(vec![3.0, 2.0, 1.0]))
}

#[test]
fn tables_of_others_are_read() {
    let mut builder = SnapshotBuilder::new(ItemKind::Text);
    builder
        .board("top", &["FR"], [(Item::Text("mug"), score(3.0)), (Item::Text("bag"), score(2.0))])
        .unwrap();
    builder.board("top", &["DE"], [(Item::Text("mug"), score(1.0))]).unwrap();
    let (_directory, _, content) = published(&builder);

    let narrow: ArrayRef = Arc::new(UInt32Array::from(vec![1, 2, 1]));
    let view: ArrayRef = Arc::new(StringViewArray::from(vec!["mug", "bag", "mug"]));
    let long: ArrayRef = Arc::new(LargeStringArray::from(vec!["mug", "bag", "mug"]));
    let mut group = LargeListBuilder::new(StringBuilder::new());
    for value in ["FR", "FR", "DE"] {
        group.values().append_value(value);
        group.append(true);
    }
    let board: ArrayRef = Arc::new(StringViewArray::from(vec!["top"; 3]));
    let columns: [(&str, ArrayRef); 5] = [
        ("score", scores()),
        ("board", board),
        ("group", Arc::new(group.finish())),
        ("position", narrow),
        ("item", long),
    ];
    for batch in [table(positions([1, 2, 1]), view, scores()), RecordBatch::try_from_iter(columns).unwrap()] {
        assert_eq!(published(&read(&batch).unwrap()).2, content);
    }
}

#[test]
fn what_is_wrong_with_a_table_is_named() {
    let holes: ArrayRef = Arc::new(StringArray::from(vec![Some("mug"), None, Some("mug")]));
    let not_numbers: ArrayRef = Arc::new(Float64Array::from(vec![3.0, f64::NAN, 1.0]));
    let none: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(1)]));
    let cases = [
        (table(positions([1, 3, 1]), items(), scores()), "column `position`, row 1: expected 2, found 3"),
        (table(positions([1, 2, 2]), items(), scores()), "column `position`, row 2: expected 1, found 2"),
        (table(positions([1, 2, -1]), items(), scores()), "column `position`, row 2: expected 1, found -1"),
        (table(positions([1, 1, 1]), items(), scores()), "board `top` with group [\"FR\"] is given twice"),
        (table(positions([1, 2, 1]), holes, scores()), "column `item`, row 1: null"),
        (table(positions([1, 2, 1]), items(), not_numbers), "column `score`, row 1: null or not a number"),
        (table(none, items(), scores()), "column `position`, row 1: null, but something stands there"),
        (table(scores(), items(), scores()), "column `position`: expected uint32, found float64"),
        (
            table(positions([1, 2, 1]), scores(), scores()),
            "column `item`: expected int64 or utf8, found float64",
        ),
        (table(positions([1, 2, 1]), items(), items()), "column `score`: expected float64, found utf8"),
    ];
    for (batch, message) in cases {
        assert_eq!(read(&batch).unwrap_err().to_string(), message);
    }
    let without = SnapshotBuilder::from_record_batches(&Schema::empty(), []).unwrap_err();
    assert_eq!(without.to_string(), "column `item`: missing");
    let batch = table(positions([1, 2, 1]), items(), scores());
    let metadata = [("comptoir.k", "many"), ("comptoir.spec_hash", "+f"), ("comptoir.watermark", "")];
    for (name, value) in metadata {
        let schema = batch.schema().as_ref().clone().with_metadata([(name.to_owned(), value.to_owned())]);
        let error = SnapshotBuilder::from_record_batches(&schema, [&batch]).unwrap_err();
        assert_eq!(error.code(), "RANKING_SNAPSHOT_ARROW");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn what_is_no_arrow_file_is_refused() {
    for bytes in [&b""[..], b"ARROW1", &[0xff; 300]] {
        assert_eq!(read_ipc(Cursor::new(bytes)).unwrap_err().code(), "RANKING_SNAPSHOT_ARROW");
    }
}

/// Arrow's files have no checksum: damage is an error or another table, but never the end of the process.
#[test]
fn a_damaged_arrow_file_ends_no_process() {
    let mut builder = SnapshotBuilder::new(ItemKind::Text);
    builder
        .board("top", &["FR"], [(Item::Text("mug"), score(3.0)), (Item::Text("bag"), score(2.0))])
        .unwrap();
    let (_directory, snapshot, _) = published(&builder);
    let mut file = Vec::new();
    write_ipc(&snapshot, &mut file).unwrap();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        let _ = read_ipc(Cursor::new(&changed));
    }
    for length in (0..file.len()).step_by(7) {
        let _ = read_ipc(Cursor::new(&file[..length]));
    }
}
