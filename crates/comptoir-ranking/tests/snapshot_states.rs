//! Every state in which a process that dies can leave a snapshot directory, made by hand; what is kept; cursors over
//! rollbacks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use comptoir_ranking::Score;
use comptoir_ranking::snapshot::{Item, ItemKind, ItemRef, Publisher, Reader, SnapshotBuilder, Start};
use comptoir_types::ErrorCode;

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("comptoir-states-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

/// Nine items from `first` on.
fn boards(first: i64) -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::new(ItemKind::Int).watermark(first);
    let entries =
        (0..9_i32).map(|place| (Item::Int(first + i64::from(place)), Score::new(f64::from(-place)).unwrap()));
    builder.board("top", &[], entries).unwrap();
    builder
}

fn items(reader: &Reader, start: Start) -> (u64, Vec<i64>) {
    let page = reader.page("top", &[], start, 4).unwrap().unwrap();
    let item = |item| match item {
        ItemRef::Int(item) => item,
        ItemRef::Text(_) => -1,
    };
    (page.version(), page.entries().map(|entry| item(entry.item)).collect())
}

fn path(directory: &Path, version: u64) -> PathBuf {
    directory.join(format!("{version:020}.board"))
}

/// A step of a publication: what it leaves if nothing comes after it.
enum Step<'b> {
    Write(PathBuf, &'b [u8]),
    Rename(PathBuf, PathBuf),
    Delete(PathBuf),
}

#[test]
fn each_step_of_a_publication_leaves_a_whole_version() {
    // What a publication of version 3 over 1 and 2 writes, taken from one that was not disturbed.
    let whole = directory("whole");
    let mut publisher = Publisher::open(&whole, 2).unwrap();
    for version in 1..=3 {
        publisher.publish(&boards(version * 100)).unwrap();
    }
    let content = fs::read(path(&whole, 3)).unwrap();
    let pointer = fs::read(whole.join("CURRENT")).unwrap();
    let base = directory("steps");
    let with_ending = |path: &Path| PathBuf::from(format!("{}.tmp", path.display()));
    let (board, current) = (path(&base, 3), base.join("CURRENT"));
    let mut steps = Vec::new();
    for end in (0..=content.len()).step_by(97).chain([content.len()]) {
        steps.push(Step::Write(with_ending(&board), &content[..end]));
    }
    steps.push(Step::Rename(with_ending(&board), board));
    for end in 0..=pointer.len() {
        steps.push(Step::Write(with_ending(&current), &pointer[..end]));
    }
    steps.push(Step::Rename(with_ending(&current), current));
    let switched = steps.len();
    steps.push(Step::Delete(path(&base, 1)));

    for died_after in 0..=steps.len() {
        let _ = fs::remove_dir_all(&base);
        let mut publisher = Publisher::open(&base, 2).unwrap();
        publisher.publish(&boards(100)).unwrap();
        publisher.publish(&boards(200)).unwrap();
        drop(publisher);
        let before = Reader::open(&base).unwrap();
        for step in &steps[..died_after] {
            match step {
                Step::Write(path, bytes) => fs::write(path, bytes).unwrap(),
                Step::Rename(from, to) => fs::rename(from, to).unwrap(),
                Step::Delete(path) => fs::remove_file(path).unwrap(),
            }
        }
        let expected = if died_after >= switched {
            (3, vec![300, 301, 302, 303])
        } else {
            (2, vec![200, 201, 202, 203])
        };
        assert_eq!(items(&Reader::open(&base).unwrap(), Start::Offset(0)), expected, "step {died_after}");
        assert_eq!(before.refresh().unwrap(), died_after >= switched);
        assert_eq!(items(&before, Start::Offset(0)), expected);
        // The next publisher clears away what is half done, and goes on.
        let mut publisher = Publisher::open(&base, 2).unwrap();
        let ends_with_tmp = |name: &str| name.ends_with(".tmp");
        let names =
            fs::read_dir(&base).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(!names.into_iter().any(|name| ends_with_tmp(&name)));
        let next = publisher.publish(&boards(400)).unwrap();
        assert!(next > expected.0);
        assert_eq!(publisher.versions().unwrap().len(), 2);
        assert!(before.refresh().unwrap());
        assert_eq!(items(&before, Start::Offset(0)), (next, vec![400, 401, 402, 403]));
    }
    fs::remove_dir_all(&base).unwrap();
    fs::remove_dir_all(&whole).unwrap();
}

#[test]
fn what_is_kept() {
    let directory = directory("keep");
    // None is as one.
    let mut publisher = Publisher::open(&directory, 0).unwrap();
    for version in 1..=3 {
        publisher.publish(&boards(version * 100)).unwrap();
        assert_eq!(publisher.versions().unwrap(), [version.cast_unsigned()]);
    }
    drop(publisher);
    let mut publisher = Publisher::open(&directory, 3).unwrap();
    for version in 4..=6 {
        publisher.publish(&boards(version * 100)).unwrap();
    }
    assert_eq!(publisher.versions().unwrap(), [4, 5, 6]);
    // A version that is current again stays; the next publication makes it an old one.
    publisher.rollback(4).unwrap();
    assert_eq!(publisher.versions().unwrap(), [4, 5, 6]);
    assert_eq!(publisher.publish(&boards(700)).unwrap(), 7);
    assert_eq!(publisher.versions().unwrap(), [5, 6, 7]);
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_cursor_goes_on_over_publications_and_rollbacks() {
    let directory = directory("cursor");
    let mut publisher = Publisher::open(&directory, 9).unwrap();
    publisher.publish(&boards(100)).unwrap();
    let reader = Reader::open(&directory).unwrap();
    let cursor = |start| reader.page("top", &[], start, 4).unwrap().unwrap().next().unwrap();
    let first = cursor(Start::Offset(0));
    publisher.publish(&boards(200)).unwrap();
    reader.refresh().unwrap();
    let second = cursor(Start::Offset(0));
    publisher.rollback(1).unwrap();
    reader.refresh().unwrap();
    // Each in its version, whichever is current.
    assert_eq!(items(&reader, Start::Cursor(first)), (1, vec![104, 105, 106, 107]));
    assert_eq!(items(&reader, Start::Cursor(second)), (2, vec![204, 205, 206, 207]));
    publisher.publish(&boards(300)).unwrap();
    reader.refresh().unwrap();
    assert_eq!(items(&reader, Start::Cursor(cursor(Start::Cursor(second)))), (2, vec![208]));
    // A reader in another process, which has never seen these versions, finds what the publisher keeps.
    let other = Reader::open(&directory).unwrap();
    assert_eq!(items(&other, Start::Cursor(first)), (1, vec![104, 105, 106, 107]));
    assert_eq!((other.version(), items(&other, Start::Cursor(second)).0), (3, 2));
    fs::remove_dir_all(&directory).unwrap();
}

/// For root every directory is writable: then there is nothing to see.
#[test]
#[cfg(unix)]
fn a_directory_without_rights_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let directory = directory("rights");
    Publisher::open(&directory, 2).unwrap().publish(&boards(100)).unwrap();
    let allow = |mode| fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
    allow(0o500);
    if fs::write(directory.join("probe"), b"").is_err() {
        let refused =
            Publisher::open(&directory, 2).and_then(|mut publisher| publisher.publish(&boards(200)));
        let error = refused.unwrap_err();
        assert_eq!(error.code(), "RANKING_SNAPSHOT_IO");
        assert!(error.to_string().contains(&*directory.to_string_lossy()), "{error}");
        assert_eq!(items(&Reader::open(&directory).unwrap(), Start::Offset(0)).0, 1);
    }
    allow(0o700);
    fs::remove_dir_all(&directory).unwrap();
}
