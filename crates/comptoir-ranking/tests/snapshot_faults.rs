//! What a snapshot directory promises when processes die, disks are full and versions change under readers.
//!
//! Publishers and readers run in processes of their own: this test program, started again with a role. The number of
//! kills and swaps can be raised with `FAULT_ROUNDS`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use comptoir_ranking::Score;
use comptoir_ranking::snapshot::{
    Item, ItemKind, ItemRef, Publisher, Reader, SnapshotBuilder, SnapshotError, Start,
};

const ROLE: &str = "COMPTOIR_TEST_ROLE";
const DIRECTORY: &str = "COMPTOIR_TEST_DIRECTORY";

fn rounds(usual: u32) -> u32 {
    std::env::var("FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("comptoir-faults-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// Boards whose content follows from one number, so that a mixture of two would be seen.
fn boards(seed: i64) -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::new(ItemKind::Int).watermark(seed);
    for board in 0..20_i64 {
        let entry =
            |place: i64| (Item::Int(seed * 1000 + board * 10 + place), Score::new(-(place as f64)).unwrap());
        builder.board("board", &[&board.to_string()], (0..50 + seed % 7).map(entry)).unwrap();
    }
    builder
}

/// Checks every place of the current version.
fn check(reader: &Reader) {
    let snapshot = reader.load();
    let seed = snapshot.watermark();
    for board in 0..20_i64 {
        let entries = snapshot.board("board", &[&board.to_string()]).unwrap();
        assert_eq!(entries.len(), usize::try_from(50 + seed % 7).unwrap());
        for (place, entry) in (0..).zip(entries.page(0, usize::MAX)) {
            assert_eq!(entry.item, ItemRef::Int(seed * 1000 + board * 10 + place));
        }
    }
}

fn child(role: &str, directory: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", role, "--nocapture"]).env(ROLE, role).env(DIRECTORY, directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// The directory of this process, if it was started to play the role.
fn playing(role: &str) -> Option<PathBuf> {
    (std::env::var(ROLE).ok()? == role).then(|| std::env::var(DIRECTORY).map(PathBuf::from).unwrap())
}

#[test]
fn role_publisher() {
    let Some(directory) = playing("role_publisher") else { return };
    let mut publisher = Publisher::open(&directory, 2).unwrap();
    let mut seed = i64::try_from(publisher.versions().unwrap().last().copied().unwrap_or(0)).unwrap();
    loop {
        seed += 1;
        publisher.publish(&boards(seed)).unwrap();
    }
}

#[test]
fn role_reader() {
    let Some(directory) = playing("role_reader") else { return };
    let reader = Arc::new(Reader::open(&directory).unwrap());
    let _follower = reader.follow(Duration::from_micros(200), |error| {
        eprintln!("{error}");
        std::process::exit(3);
    });
    let mut swaps = 0;
    let mut last = reader.version();
    while !directory.join("stop").exists() {
        check(&reader);
        let version = reader.version();
        assert!(version >= last, "from version {last} back to {version}");
        swaps += u32::from(version != last);
        last = version;
        let page = reader.page("board", &["3"], Start::Offset(0), 20).unwrap().unwrap();
        let mut seen: Vec<_> = page.entries().map(|entry| entry.item.to_string()).collect();
        let next = page.next().unwrap();
        let second = match reader.page("board", &["3"], Start::Cursor(next), 20) {
            // Between the two pages more versions came than are kept; then the reader is told so.
            Err(SnapshotError::VersionUnknown { .. }) => continue,
            second => second.unwrap().unwrap(),
        };
        seen.extend(second.entries().map(|entry| entry.item.to_string()));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), count), (40, 40));
    }
    std::fs::write(directory.join(format!("swaps-{}", std::process::id())), swaps.to_string()).unwrap();
}

/// How far the publisher came that was killed.
fn left_behind(directory: &Path) -> &'static str {
    let names: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let current = std::fs::read_to_string(directory.join("CURRENT")).unwrap();
    let current = format!("{:020}.board", current.trim_end().parse::<u64>().unwrap());
    if names.iter().any(|name| name.ends_with(".board.tmp")) {
        "part of a version"
    } else if names.iter().any(|name| name == "CURRENT.tmp") {
        "part of the pointer"
    } else if names.iter().any(|name| name.ends_with(".board") && *name > current) {
        "a version that is not current"
    } else if names.iter().filter(|name| name.ends_with(".board")).count() > 2 {
        "a version that is too many"
    } else {
        "nothing"
    }
}

#[test]
fn a_publisher_killed_at_any_point_leaves_a_whole_version() {
    let directory = directory("kill");
    Publisher::open(&directory, 2).unwrap().publish(&boards(1)).unwrap();
    let reader = Reader::open(&directory).unwrap();
    let mut last = reader.version();
    let mut states = BTreeMap::<&str, u32>::new();
    for round in 0..rounds(100) {
        let mut publisher = child("role_publisher", &directory);
        // Up to 12 ms: start and a few publications, so that kills fall everywhere.
        sleep(Duration::from_micros(u64::from(round * 7919 % 12_000)));
        publisher.kill().unwrap();
        publisher.wait().unwrap();
        *states.entry(left_behind(&directory)).or_default() += 1;
        reader.refresh().unwrap();
        check(&reader);
        check(&Reader::open(&directory).unwrap());
        assert!(reader.version() >= last);
        last = reader.version();
    }
    // What a dead publisher left half done is cleared away, and the next version follows.
    let mut publisher = Publisher::open(&directory, 2).unwrap();
    assert!(publisher.publish(&boards(7)).unwrap() > last);
    let left = std::fs::read_dir(&directory)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    assert!(left.into_iter().all(|name| !name.ends_with(".tmp")));
    assert!(last > 1, "no publisher lived long enough to publish");
    println!("left behind by kills: {states:?}");
    if rounds(100) >= 1000 {
        assert!(
            ["nothing", "part of a version", "a version that is not current"]
                .iter()
                .all(|state| states.contains_key(state))
        );
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn readers_in_other_processes_go_through_swaps_without_a_wrong_answer() {
    let directory = directory("swap");
    let mut publisher = Publisher::open(&directory, 2).unwrap();
    publisher.publish(&boards(1)).unwrap();
    let mut readers: Vec<_> = (0..2).map(|_| child("role_reader", &directory)).collect();
    let started = Instant::now();
    for seed in 2..i64::from(rounds(300)) + 2 {
        publisher.publish(&boards(seed)).unwrap();
        assert!(started.elapsed() < Duration::from_secs(600));
    }
    sleep(Duration::from_millis(100));
    std::fs::write(directory.join("stop"), b"").unwrap();
    for reader in &mut readers {
        let status = reader.wait().unwrap();
        assert!(status.success(), "a reader ended with {status}");
        let swaps = std::fs::read_to_string(directory.join(format!("swaps-{}", reader.id()))).unwrap();
        println!("a reader saw {swaps} swaps");
        assert!(swaps.parse::<u32>().unwrap() > 0, "a reader saw no swap");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn role_full_disk() {
    let Some(directory) = playing("role_full_disk") else { return };
    let mut publisher = Publisher::open(&directory, 2).unwrap();
    let error = publisher.publish(&boards(2)).unwrap_err();
    assert!(matches!(error, SnapshotError::Io { action: "write", .. }), "{error}");
    assert_eq!(publisher.versions().unwrap(), [1]);
}

/// A limit on the size of files stands for a full disk: a write fails after a part of the file.
#[test]
#[cfg(unix)]
fn a_full_disk_leaves_the_current_version() {
    let directory = directory("full");
    Publisher::open(&directory, 2).unwrap().publish(&boards(1)).unwrap();
    let program = std::env::current_exe().unwrap();
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact role_full_disk --nocapture"])
        .arg(program)
        .env(ROLE, "role_full_disk")
        .env(DIRECTORY, &directory)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let reader = Reader::open(&directory).unwrap();
    check(&reader);
    assert_eq!(reader.version(), 1);
    let names: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.ends_with(".tmp")), "{names:?}");
    std::fs::remove_dir_all(&directory).unwrap();
}
