use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use comptoir_types::ErrorCode;
use proptest::prelude::*;

use super::publish::version_path;
use super::{Item, ItemKind, ItemRef, Publisher, Reader, Snapshot, SnapshotBuilder, Start};
use crate::Score;

/// A directory that is deleted at the end.
pub(super) struct Directory(pub(super) PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("comptoir-snapshot-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn score(number: f64) -> Score {
    Score::new(number).unwrap()
}

/// One board of so many integers, each with its negative as score.
fn count_to(last: i64) -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::new(ItemKind::Int);
    #[allow(clippy::cast_precision_loss)]
    let entries = (1..=last).map(|item| (Item::Int(item), score(-item as f64)));
    builder.board("numbers", &["all"], entries).unwrap();
    builder.watermark(last)
}

fn items(page: &super::Page) -> Vec<i64> {
    let item = |entry: super::Entry<'_>| match entry.item {
        ItemRef::Int(item) => item,
        ItemRef::Text(_) => 0,
    };
    page.entries().map(item).collect()
}

fn open_error(path: &Path) -> String {
    Snapshot::open(path).unwrap_err().code().to_owned()
}

type Boards = BTreeMap<(String, Vec<String>), Vec<(String, i8)>>;

fn boards() -> impl Strategy<Value = Boards> {
    let name = ("[ab\u{e9}]{0,2}", prop::collection::vec("[ab]{0,2}", 0..3));
    let entries = prop::collection::btree_map("[a-d]{0,3}", any::<i8>(), 0..6);
    prop::collection::btree_map(name, entries.prop_map(|entries| entries.into_iter().collect()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_published_is_read(boards in boards()) {
        let directory = Directory::new();
        let mut builder = SnapshotBuilder::new(ItemKind::Text);
        for ((name, group), entries) in &boards {
            let group: Vec<_> = group.iter().map(String::as_str).collect();
            let entries = entries.iter().map(|(item, number)| (Item::Text(item), score(f64::from(*number))));
            builder.board(name, &group, entries).unwrap();
        }
        let version = Publisher::open(&directory.0, 1).unwrap().publish(&builder).unwrap();
        let reader = Reader::open(&directory.0).unwrap();
        let snapshot = reader.load();
        prop_assert_eq!((snapshot.version(), snapshot.len()), (version, boards.len()));
        for ((name, group), entries) in &boards {
            let group: Vec<_> = group.iter().map(String::as_str).collect();
            let board = snapshot.board(name, &group).unwrap();
            prop_assert_eq!(board.name().collect::<Vec<_>>(), [&[name.as_str()][..], &group].concat());
            let read: Vec<_> = board.page(0, 100).map(|entry| (entry.item.to_string(), entry.score)).collect();
            let given: Vec<_> = entries.iter().map(|(item, score)| (item.clone(), f64::from(*score))).collect();
            prop_assert_eq!(read, given);
            for (place, (item, _)) in entries.iter().enumerate() {
                prop_assert_eq!(board.rank_of(Item::Text(item)), Some(place + 1));
            }
            prop_assert_eq!(board.rank_of(Item::Text("none")), None);
        }
        prop_assert!(snapshot.board("none", &[]).is_none());
        prop_assert_eq!(snapshot.iter().count(), boards.len());
    }
}

#[test]
fn ranks_on_long_boards_are_found_by_halves() {
    let directory = Directory::new();
    Publisher::open(&directory.0, 1).unwrap().publish(&count_to(1000)).unwrap();
    let reader = Reader::open(&directory.0).unwrap();
    let rank = |item| reader.rank_of("numbers", &["all"], Item::Int(item));
    assert_eq!([0, 1, 500, 1000, 1001].map(rank), [None, Some(1), Some(500), Some(1000), None]);
}

#[test]
fn a_cursor_stays_with_its_version() {
    let directory = Directory::new();
    let mut publisher = Publisher::open(&directory.0, 1).unwrap();
    publisher.publish(&count_to(5)).unwrap();
    let reader = Reader::open(&directory.0).unwrap();
    let first = reader.page("numbers", &["all"], Start::Offset(0), 2).unwrap().unwrap();
    let cursor = first.next().unwrap().to_string().parse().unwrap();

    let mut other = SnapshotBuilder::new(ItemKind::Int);
    other.board("numbers", &["all"], [(Item::Int(9), score(9.0))]).unwrap();
    publisher.publish(&other).unwrap();
    assert!(reader.refresh().unwrap());
    let page = |start| reader.page("numbers", &["all"], start, 2).unwrap().unwrap();
    assert_eq!(items(&page(Start::Offset(0))), [9]);
    let second = page(Start::Cursor(cursor));
    assert_eq!((items(&second), second.version()), (vec![3, 4], 1));
    let last = page(Start::Cursor(second.next().unwrap()));
    assert_eq!((items(&last), last.next()), (vec![5], None));
    assert_eq!(items(&first), [1, 2]);

    let fresh = Reader::open(&directory.0).unwrap();
    let gone = fresh.page("numbers", &["all"], Start::Cursor(cursor), 2).unwrap_err();
    assert_eq!(gone.to_string(), "version 1 is not there: kept are 2");
}

#[test]
fn a_cursor_of_another_board_or_of_no_reader_is_refused() {
    let directory = Directory::new();
    let mut builder = count_to(5);
    builder.board("others", &[], [(Item::Int(1), score(1.0))]).unwrap();
    Publisher::open(&directory.0, 1).unwrap().publish(&builder).unwrap();
    let reader = Reader::open(&directory.0).unwrap();
    let cursor = reader.page("numbers", &["all"], Start::Offset(0), 2).unwrap().unwrap().next().unwrap();
    let foreign = reader.page("others", &[], Start::Cursor(cursor), 2).unwrap_err();
    assert_eq!(foreign.code(), "RANKING_CURSOR_FOREIGN");
    for text in ["", "1-2", "1-2-3-4", "+1-2-3", "1-2-x", "11111111111111111-2-3"] {
        assert_eq!(text.parse::<super::Cursor>().unwrap_err().code(), "RANKING_CURSOR_SYNTAX", "{text}");
    }
}

#[test]
fn rollback_changes_what_is_current_and_no_version_number_comes_twice() {
    let directory = Directory::new();
    let mut publisher = Publisher::open(&directory.0, 3).unwrap();
    for last in 1..=4 {
        publisher.publish(&count_to(last)).unwrap();
    }
    assert_eq!(publisher.versions().unwrap(), [2, 3, 4]);
    let reader = Reader::open(&directory.0).unwrap();
    publisher.rollback(2).unwrap();
    assert!(reader.refresh().unwrap());
    assert_eq!((reader.version(), reader.load().watermark()), (2, 2));
    assert!(!reader.refresh().unwrap());
    let unknown = publisher.rollback(1).unwrap_err();
    assert_eq!(unknown.to_string(), "version 1 is not there: kept are 2, 3, 4");
    assert_eq!(publisher.publish(&count_to(1)).unwrap(), 5);
}

#[test]
fn a_version_that_cannot_be_read_is_refused_and_the_old_one_stays() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(Change, &str); 5] = [
        (|bytes| *bytes.last_mut().unwrap() ^= 1, "RANKING_SNAPSHOT_DAMAGED"),
        (|bytes| bytes.truncate(bytes.len() / 2), "RANKING_SNAPSHOT_DAMAGED"),
        (|bytes| bytes[8] = 2, "RANKING_SNAPSHOT_NEWER"),
        (|bytes| bytes[..4].copy_from_slice(b"PAR1"), "RANKING_SNAPSHOT_FOREIGN"),
        (Vec::clear, "RANKING_SNAPSHOT_FOREIGN"),
    ];
    for (change, code) in changes {
        let directory = Directory::new();
        let mut publisher = Publisher::open(&directory.0, 9).unwrap();
        publisher.publish(&count_to(3)).unwrap();
        let reader = Reader::open(&directory.0).unwrap();
        publisher.publish(&count_to(4)).unwrap();
        let path = version_path(&directory.0, 2);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert_eq!(reader.refresh().unwrap_err().code(), code);
        let page = reader.page("numbers", &["all"], Start::Offset(0), 9).unwrap().unwrap();
        assert_eq!((page.version(), items(&page)), (1, vec![1, 2, 3]));
        assert_eq!(publisher.rollback(2).unwrap_err().code(), code);
        // The next publication ends it.
        assert_eq!(publisher.publish(&count_to(5)).unwrap(), 3);
        assert!(reader.refresh().unwrap());
    }
}

#[test]
fn no_changed_byte_and_no_cut_is_missed() {
    let directory = Directory::new();
    Publisher::open(&directory.0, 1).unwrap().publish(&count_to(3)).unwrap();
    let bytes = fs::read(version_path(&directory.0, 1)).unwrap();
    let path = directory.0.join("changed");
    let try_open = |bytes: &[u8]| {
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        Snapshot::open(&path).map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(try_open(&bytes), Ok(()));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let expected = match at {
            0..8 => Err("RANKING_SNAPSHOT_FOREIGN"),
            8..12 => Err("RANKING_SNAPSHOT_NEWER"),
            // Between sections too.
            _ => Err("RANKING_SNAPSHOT_DAMAGED"),
        };
        assert_eq!(try_open(&changed), expected, "byte {at}");
    }
    for length in 0..bytes.len() {
        assert!(try_open(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn files_that_are_none_are_named() {
    let directory = Directory::new();
    fs::create_dir_all(&directory.0).unwrap();
    let path = directory.0.join("photo");
    fs::write(&path, vec![0xff; 500]).unwrap();
    assert_eq!(open_error(&path), "RANKING_SNAPSHOT_FOREIGN");
    let empty = directory.0.join("empty");
    fs::write(&empty, b"").unwrap();
    assert!(Snapshot::open(&empty).is_err());
    assert_eq!(open_error(&directory.0.join("none")), "RANKING_SNAPSHOT_IO");
    let nothing = Reader::open(&directory.0).unwrap_err();
    assert_eq!(nothing.code(), "RANKING_SNAPSHOT_NONE");
    fs::write(directory.0.join("CURRENT"), "seven").unwrap();
    assert_eq!(Reader::open(&directory.0).unwrap_err().code(), "RANKING_SNAPSHOT_DAMAGED");
}

#[test]
fn a_directory_has_one_publisher() {
    let directory = Directory::new();
    let first = Publisher::open(&directory.0, 1).unwrap();
    assert_eq!(Publisher::open(&directory.0, 1).unwrap_err().code(), "RANKING_PUBLISHER_BUSY");
    drop(first);
    assert!(Publisher::open(&directory.0, 1).is_ok());
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = Directory::new();
    fs::write(&directory.0, b"a file").unwrap();
    let error = Publisher::open(&directory.0.join("boards"), 1).unwrap_err();
    assert!(error.to_string().starts_with("cannot create `"), "{error}");
    fs::remove_file(&directory.0).unwrap();
}

#[test]
fn what_stands_twice_is_refused_and_nothing_is_added() {
    let mut builder = SnapshotBuilder::new(ItemKind::Text);
    let entry = |item| (Item::Text(item), score(1.0));
    builder.board("top", &["FR"], [entry("a")]).unwrap();
    let board_twice = builder.board("top", &["FR"], [entry("b")]).unwrap_err();
    assert_eq!(board_twice.to_string(), "board `top` with group [\"FR\"] is given twice");
    let item_twice = builder.board("top", &["DE"], [entry("b"), entry("a"), entry("b")]).unwrap_err();
    assert_eq!(item_twice.to_string(), "item `b` stands twice on board `top` with group [\"DE\"]");
    let other_kind = builder.board("top", &["DE"], [(Item::Int(7), score(1.0))]).unwrap_err();
    assert_eq!(other_kind.to_string(), "item `7` is not what this snapshot has: texts");
    builder.board("top", &["DE"], [entry("c")]).unwrap();
    let directory = Directory::new();
    Publisher::open(&directory.0, 1).unwrap().publish(&builder).unwrap();
    let reader = Reader::open(&directory.0).unwrap();
    assert_eq!((reader.load().len(), reader.rank_of("top", &["DE"], Item::Text("c"))), (2, Some(1)));
}
