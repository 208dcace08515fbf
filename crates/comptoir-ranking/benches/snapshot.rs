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

const BOARD: &str = "best sellers";
const BOARDS: usize = 10_000;
const PLACES: usize = 100;
const SKIP: usize = 20;
const PAGE: usize = 20;
const READS: usize = 50_000;

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
            (format!("{BOARD}\0{group}"), entries.collect())
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

    let requests: Vec<_> = (0..READS).map(|_| Request::random(&mut random, &content)).collect();
    pages(&reader, &requests, &content, passes, &directory.0);
    ranks(&reader, &requests, passes);
    swaps(&mut publisher, &reader, &requests);
}

fn builder(groups: &[String], content: &[(String, Entries)]) -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::new(ItemKind::Int);
    for (group, (_, entries)) in groups.iter().zip(content) {
        let entries = entries.iter().map(|(item, score)| (Item::Int(*item), Score::new(*score).unwrap()));
        builder.board(BOARD, &[group], entries).unwrap();
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

/// What a reader asks, made ready before: names lie in memory in the order in which they are asked for, as those of
/// requests do.
struct Request {
    /// Board and group in one, as the peers have them.
    key: String,
    item: i64,
    position: usize,
}

impl Request {
    fn random(random: &mut Random, content: &[(String, Entries)]) -> Self {
        let (board, place) = (random.below(BOARDS), random.below(PLACES));
        let (key, entries) = &content[board];
        Self { key: key.clone(), item: entries[place].0, position: place + 1 }
    }

    fn group(&self) -> &str {
        &self.key[BOARD.len() + 1..]
    }
}

/// Each item and score of a page, and their order, in one number.
fn digest(entries: impl Iterator<Item = (i64, f64)>) -> u64 {
    let mixed = |(nth, (item, score)): (u64, (i64, f64))| {
        (item.cast_unsigned() ^ score.to_bits().rotate_left(20)).wrapping_mul(2 * nth + 1)
    };
    (0..).zip(entries).map(mixed).fold(0, u64::wrapping_add)
}

fn plain(entry: Entry<'_>) -> (i64, f64) {
    match entry.item {
        ItemRef::Int(item) => (item, entry.score),
        ItemRef::Text(_) => (0, entry.score),
    }
}

fn page(reader: &Reader, request: &Request) -> u64 {
    let page = reader.page(BOARD, &[request.group()], Start::Offset(SKIP), PAGE).unwrap().unwrap();
    digest(page.entries().map(plain))
}

/// Its name, how it reads a page, and how many pages it is asked for.
type Contender<'c> = (&'static str, &'c dyn Fn(&Request) -> u64, usize);

fn pages(
    reader: &Reader,
    requests: &[Request],
    content: &[(String, Entries)],
    passes: usize,
    directory: &Path,
) {
    let lmdb = peers::Lmdb::new(directory, content);
    let sqlite = peers::Sqlite::new(directory, content);
    let (snapshot, read) = (reader.load(), lmdb.begin());
    sqlite.begin();
    let of = |snapshot: &Snapshot, request: &Request| {
        digest(snapshot.board(BOARD, &[request.group()]).unwrap().page(SKIP, PAGE).map(plain))
    };
    let contenders: [Contender<'_>; 5] = [
        ("Snapshot::board", &|request| of(&snapshot, request), READS),
        ("Reader::load", &|request| of(&reader.load(), request), READS),
        ("Reader::page", &|request| page(reader, request), READS),
        ("LMDB", &|request| lmdb.page(&read, &request.key), READS),
        ("SQLite", &|request| sqlite.page(&request.key), READS / 20),
    ];
    for request in requests.iter().take(READS / 20) {
        let expected = of(&snapshot, request);
        for (name, read, _) in &contenders {
            assert_eq!(read(request), expected, "{name} differs on {}", request.group());
        }
    }
    let mut means = vec![Vec::new(); contenders.len()];
    for _ in 0..passes {
        for ((_, read, reads), means) in contenders.iter().zip(&mut means) {
            means.push(mean(&requests[..*reads], read));
        }
    }
    let means: Vec<f64> = means.into_iter().map(median).collect();
    println!("\n{:22} {:>8} {:>8} {:>8}", "page of 20", "mean ns", "p99 ns", "ratio");
    for ((name, read, reads), mean) in contenders.iter().zip(&means) {
        println!(
            "{name:22} {mean:8.0} {:8.0} {:8.1}",
            percentile(&requests[..*reads], read),
            mean / means[0]
        );
    }
    sqlite.end();
}

/// Nanoseconds for a request.
fn mean(requests: &[Request], read: impl Fn(&Request) -> u64) -> f64 {
    let started = Instant::now();
    black_box(requests.iter().fold(0_u64, |sum, request| sum.wrapping_add(read(request))));
    started.elapsed().as_nanos() as f64 / requests.len() as f64
}

/// The 99th percentile of single reads.
fn percentile(requests: &[Request], read: impl Fn(&Request) -> u64) -> f64 {
    let time = |request: &Request| {
        let started = Instant::now();
        black_box(read(request));
        started.elapsed().as_nanos() as f64
    };
    let mut times: Vec<f64> = requests.iter().map(time).collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

fn ranks(reader: &Reader, requests: &[Request], passes: usize) {
    let rank = |request: &Request| {
        let rank = reader.rank_of(BOARD, &[request.group()], Item::Int(request.item));
        assert_eq!(rank, Some(request.position));
        request.position as u64
    };
    println!(
        "\nReader::rank_of        {:8.0} ns",
        median((0..passes).map(|_| mean(requests, rank)).collect())
    );
}

/// Pages while another thread changes the current version a hundred times a second, and verifies each.
fn swaps(publisher: &mut Publisher, reader: &Reader, requests: &[Request]) {
    let is_over = AtomicBool::new(false);
    let versions = publisher.versions().unwrap();
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let started = Instant::now();
            let mut swaps = 0_u32;
            while !is_over.load(Ordering::Acquire) {
                publisher.rollback(versions[swaps as usize % versions.len()]).unwrap();
                swaps += u32::from(reader.refresh().unwrap());
                let next = started + Duration::from_millis(10) * swaps;
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            f64::from(swaps) / started.elapsed().as_secs_f64()
        });
        let (mut means, mut percentiles) = (Vec::new(), Vec::new());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(3) {
            means.push(mean(requests, |request| page(reader, request)));
            percentiles.push(percentile(requests, |request| page(reader, request)));
        }
        is_over.store(true, Ordering::Release);
        let rate = swapper.join().unwrap();
        let (mean, percentile) = (median(means), median(percentiles));
        println!("\nReader::page under {rate:.0} swaps a second: mean {mean:.0} ns, p99 {percentile:.0} ns");
    });
}
