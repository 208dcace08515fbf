//! Pages from a snapshot of 10,000 boards of 100, beside LMDB and SQLite: `cargo bench -p comptoir-ranking --bench
//! snapshot`. A page is the entries 21 to 40 of a random board, read to the last bit; all answers are compared.
//!
//! Contenders take turns. The mean is over a whole pass, the median of the passes; p99 is over single reads, each with
//! the time of looking at the clock.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)]
#![allow(missing_docs)]

mod common;
#[path = "snapshot/peers.rs"]
mod peers;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Directory, Random, argument, median};
use comptoir_ranking::Score;
use comptoir_ranking::snapshot::{
    Entry, Item, ItemKind, ItemRef, Publisher, Reader, Snapshot, SnapshotBuilder, Start,
};

const BOARDS: usize = 10_000;
const PLACES: usize = 100;
const SKIP: usize = 20;
const PAGE: usize = 20;
const READS: usize = 200_000;

type Entries = Vec<(i64, f64)>;

fn main() {
    let passes = argument("PASSES", 11);
    let mut random = Random(7);
    let groups: Vec<String> = (0..BOARDS).map(|group| format!("group {group}")).collect();
    let content: Vec<(String, Entries)> = groups
        .iter()
        .map(|group| {
            let entries = (0..PLACES)
                .map(|place| ((random.next() >> 20) as i64 * 100 + place as i64, (PLACES - place) as f64));
            (format!("best sellers\0{group}"), entries.collect())
        })
        .collect();
    let directory = Directory::new("snapshot");
    let mut publisher = Publisher::open(&directory.0.join("boards"), 2).unwrap();
    let builder = builder(&groups, &content);
    let started = Instant::now();
    publisher.publish(&builder).unwrap();
    println!("publication            {:8.1} ms", started.elapsed().as_secs_f64() * 1e3);
    publisher.publish(&builder).unwrap();
    let reader = Reader::open(&directory.0.join("boards")).unwrap();
    println!(
        "open and verify        {:8.2} ms, {} bytes",
        open(&reader, 51),
        fs::metadata(reader.load().path()).unwrap().len()
    );

    let order: Vec<usize> = (0..READS).map(|_| random.below(BOARDS)).collect();
    pages(&reader, &groups, &content, &order, passes, &directory.0);
    ranks(&reader, &groups, &content, &order, passes);
    swaps(&mut publisher, &reader, &groups, &order);
}

fn builder(groups: &[String], content: &[(String, Entries)]) -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::new(ItemKind::Int);
    for (group, (_, entries)) in groups.iter().zip(content) {
        let entries = entries.iter().map(|(item, score)| (Item::Int(*item), Score::new(*score).unwrap()));
        builder.board("best sellers", &[group], entries).unwrap();
    }
    builder
}

/// Milliseconds to map and verify a file that is in the page cache.
fn open(reader: &Reader, times: usize) -> f64 {
    let path = reader.load().path().to_owned();
    let time = || {
        let started = Instant::now();
        black_box(Snapshot::open(&path).unwrap());
        started.elapsed().as_secs_f64() * 1e3
    };
    median((0..times).map(|_| time()).collect())
}

/// All bits of a page.
fn digest<'e>(entries: impl Iterator<Item = Entry<'e>>) -> u64 {
    entries.fold(0, |sum: u64, entry| {
        let ItemRef::Int(item) = entry.item else { return 0 };
        sum.wrapping_mul(31).wrapping_add(item.cast_unsigned()).wrapping_add(entry.score.to_bits())
    })
}

fn pages(
    reader: &Reader,
    groups: &[String],
    content: &[(String, Entries)],
    order: &[usize],
    passes: usize,
    directory: &Path,
) {
    let lmdb = peers::Lmdb::new(directory, content);
    let sqlite = peers::Sqlite::new(directory, content);
    let snapshot = reader.load();
    let shared = lmdb.begin();
    sqlite.begin();
    let held =
        |board: usize| digest(snapshot.board("best sellers", &[&groups[board]]).unwrap().page(SKIP, PAGE));
    let loaded = |board: usize| {
        let snapshot = reader.load();
        digest(snapshot.board("best sellers", &[&groups[board]]).unwrap().page(SKIP, PAGE))
    };
    let paged = |board: usize| {
        let page =
            reader.page("best sellers", &[&groups[board]], Start::Offset(SKIP), PAGE).unwrap().unwrap();
        digest(page.entries())
    };
    let one = |board: usize| lmdb.page(&shared, &content[board].0);
    let select = |board: usize| sqlite.page(&content[board].0);
    for board in 0..BOARDS {
        let expected = held(board);
        for answer in [loaded(board), paged(board), one(board), select(board)] {
            assert_eq!(answer, expected, "board {board}");
        }
    }
    let contenders: [(&str, &dyn Fn(usize) -> u64, usize); 5] = [
        ("Snapshot::board", &held, READS),
        ("Reader::load", &loaded, READS),
        ("Reader::page", &paged, READS),
        ("LMDB", &one, READS),
        ("SQLite", &select, READS / 20),
    ];
    let mut means = vec![Vec::new(); contenders.len()];
    for _ in 0..passes {
        for ((_, read, reads), means) in contenders.iter().zip(&mut means) {
            let order = &order[..*reads];
            let started = Instant::now();
            black_box(order.iter().fold(0_u64, |sum, board| sum.wrapping_add(read(*board))));
            means.push(started.elapsed().as_nanos() as f64 / order.len() as f64);
        }
    }
    let means: Vec<f64> = means.into_iter().map(median).collect();
    println!("\n{:22} {:>8} {:>8} {:>8}", "page of 20", "mean ns", "p99 ns", "ratio");
    for ((name, read, reads), mean) in contenders.iter().zip(&means) {
        println!("{name:22} {mean:8.0} {:8.0} {:8.1}", percentile(&order[..*reads], read), mean / means[0]);
    }
    sqlite.end();
    drop(shared);
}

/// The 99th percentile of single reads.
fn percentile(order: &[usize], read: &dyn Fn(usize) -> u64) -> f64 {
    let time = |board: &usize| {
        let started = Instant::now();
        black_box(read(*board));
        started.elapsed().as_nanos() as f64
    };
    let mut times: Vec<f64> = order.iter().map(time).collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

fn ranks(reader: &Reader, groups: &[String], content: &[(String, Entries)], order: &[usize], passes: usize) {
    let asked: Vec<(usize, usize)> = order.iter().map(|board| (*board, board % PLACES)).collect();
    let rank = |board: usize, place: usize| {
        reader.rank_of("best sellers", &[&groups[board]], Item::Int(content[board].1[place].0))
    };
    let time = || {
        let started = Instant::now();
        for (board, place) in &asked {
            assert_eq!(black_box(rank(*board, *place)), Some(place + 1));
        }
        started.elapsed().as_nanos() as f64 / asked.len() as f64
    };
    println!("\nReader::rank_of        {:8.0} ns", median((0..passes).map(|_| time()).collect()));
}

/// Pages while another thread changes the current version a hundred times a second, and verifies each.
fn swaps(publisher: &mut Publisher, reader: &Reader, groups: &[String], order: &[usize]) {
    let is_over = AtomicBool::new(false);
    let versions = publisher.versions().unwrap();
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let started = Instant::now();
            let mut swaps = 0_u32;
            while !is_over.load(Ordering::Acquire) {
                publisher.rollback(versions[swaps as usize % versions.len()]).unwrap();
                swaps += u32::from(reader.refresh().unwrap());
                std::thread::sleep(
                    (started + Duration::from_millis(10) * swaps).saturating_duration_since(Instant::now()),
                );
            }
            f64::from(swaps) / started.elapsed().as_secs_f64()
        });
        let (mut means, mut percentiles) = (Vec::new(), Vec::new());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(3) {
            let paged = |board: usize| {
                let page = reader.page("best sellers", &[&groups[board]], Start::Offset(SKIP), PAGE);
                digest(page.unwrap().unwrap().entries())
            };
            let pass = Instant::now();
            black_box(order.iter().fold(0_u64, |sum, board| sum.wrapping_add(paged(*board))));
            means.push(pass.elapsed().as_nanos() as f64 / order.len() as f64);
            percentiles.push(percentile(order, &paged));
        }
        is_over.store(true, Ordering::Release);
        let rate = swapper.join().unwrap();
        println!(
            "\nReader::page under {rate:.0} swaps a second: mean {:.0} ns, p99 {:.0} ns",
            median(means),
            median(percentiles)
        );
    });
}
