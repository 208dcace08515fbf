//! Boards whose rows are candidates: `cargo bench -p comptoir-ranking --bench board`. `BENCH_ROWS` (10 million) and
//! `BENCH_GROUPS` (1,000) set the size, `BENCH_BATCH` (1 million) the rows of a batch, `BENCH_PASSES` (5) the passes.
//! The answer is compared with a loop written by hand, then the median and the best are printed beside the time of
//! that loop and of reading the columns. Then boards whose rows are events of `BENCH_ITEMS` (100,000) items, and
//! `BENCH_BOARDS` (200) boards together beside as many one after the other, of which ten are run, over `BENCH_MANY_ROWS`
//! (1 million) rows: under a minute. `BENCH_ONLY` takes only what has this in its name.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

#[path = "board/data.rs"]
mod data;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use comptoir_ranking::board::{Board, BoardSpec, Boards, Context};
use data::{BYTES_A_ROW, Shop};

const K: usize = 100;
const SPEC: &str = r#"{
    "id": "best", "group": ["grp"], "item": "id", "eligibility": "stock > 0 && rating >= 3.0", "k": 100,
    "score": "0.4 * gmv + 30.0 * double(sales) + 2.0 * double(clicks) + 5.0 * rating"
}"#;

const EVENTS: &str = r#"{
    "id": "best", "item": "id", "eligibility": "stock > 0", "k": 100, "score": "revenue + double(units)",
    "metrics": {"revenue": {"sum": "gmv"}, "units": {"sum": "sales"}, "orders": {"count": "rating >= 3.0"}}
}"#;

fn main() {
    let (rows, groups) = (size("BENCH_ROWS", 10_000_000), size("BENCH_GROUPS", 1_000));
    let shop = Shop::new(rows, groups);
    let expected = by_hand(&shop, groups);
    let hand = times(|| by_hand(&shop, groups).len());
    let read = times(|| read(&shop) as usize);
    let batches = shop.batches(size("BENCH_BATCH", 1_000_000));
    println!("rows {rows}, groups {groups}; seconds: median, best; then million rows a second");
    line("read", rows, read);
    println!("{:24} {:.1} GB/s", "", (rows * BYTES_A_ROW) as f64 / read.1 / 1e9);
    line("by hand", rows, hand);
    for (kind, show) in [("board", false), ("explained board", true)] {
        for threads in [1, 2] {
            let name = format!("{kind}, threads: {threads}");
            if !is_wanted(&name) {
                continue;
            }
            assert!(
                places(&board(&batches, threads, show)) == expected,
                "another answer on {threads} threads"
            );
            line(&name, rows, times(|| board(black_box(&batches), threads, show).num_rows()));
        }
    }
    parts(rows, &batches);
    events(rows, &batches);
    let some = first(&batches, size("BENCH_MANY_ROWS", 1_000_000));
    if is_wanted("row boards") {
        many("row boards", &some, &(0..size("BENCH_BOARDS", 200)).map(weighted).collect::<Vec<_>>());
    }
    let of_items = by_items(&some);
    for (name, kind) in [
        ("boards of one aggregate", Kind::Alike),
        ("boards of several metrics", Kind::Metrics),
        ("boards of several eligibilities", Kind::Eligible),
    ] {
        if is_wanted(name) {
            many(
                name,
                &of_items,
                &(0..size("BENCH_BOARDS", 200)).map(|number| of_events(kind, number)).collect::<Vec<_>>(),
            );
        }
    }
}

/// The first so many rows.
fn first(batches: &[RecordBatch], rows: usize) -> Vec<RecordBatch> {
    let mut left = rows;
    let part = |batch: &RecordBatch| {
        let part = batch.slice(0, left.min(batch.num_rows()));
        left -= part.num_rows();
        part
    };
    batches.iter().map(part).filter(|part| part.num_rows() > 0).collect()
}

/// Whether `BENCH_ONLY`, a part of a name, leaves this one out.
fn is_wanted(name: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |part| name.contains(&part))
}

/// A stream that is pushed a batch at a time.
fn parts(rows: usize, batches: &[RecordBatch]) {
    let board = |threads: usize| {
        let mut board = Board::new(BoardSpec::from_json(SPEC).unwrap(), Context::default()).unwrap();
        batches.iter().for_each(|batch| board.push_all(std::slice::from_ref(batch), threads).unwrap());
        board.finish().unwrap().table
    };
    for threads in [1, 2] {
        let name = format!("in parts, threads: {threads}");
        if is_wanted(&name) {
            line(&name, rows, times(|| board(threads).num_rows()));
        }
    }
}

/// The rows as events of items.
fn by_items(batches: &[RecordBatch]) -> Vec<RecordBatch> {
    let items = size("BENCH_ITEMS", 100_000) as i64;
    let item = |batch: &RecordBatch| {
        let ids = batch.column_by_name("id").unwrap().as_primitive::<Int64Type>();
        let mut columns = batch.columns().to_vec();
        columns[0] = Arc::new(ids.unary::<_, Int64Type>(|id| id % items * 1_000));
        columns[1] = Arc::new(ids.unary::<_, Int32Type>(|id| (id % items % 1_000) as i32));
        RecordBatch::try_new(batch.schema(), columns).unwrap()
    };
    batches.iter().map(item).collect()
}

/// A board of the metrics of items, each of one group: two sums and a count.
fn events(rows: usize, batches: &[RecordBatch]) {
    let batches = by_items(batches);
    let board = |threads: usize| {
        let mut board = Board::new(BoardSpec::from_json(EVENTS).unwrap(), Context::default()).unwrap();
        board.push_all(black_box(&batches), threads).unwrap();
        board.finish().unwrap().table
    };
    for threads in [1, 2] {
        let name = format!("events, threads: {threads}");
        if is_wanted(&name) {
            assert!(board(3 - threads) == board(threads), "another answer on {threads} threads");
            line(&name, rows, times(|| board(threads).num_rows()));
        }
    }
}

/// Boards together and each alone.
fn many(name: &str, batches: &[RecordBatch], specs: &[BoardSpec]) {
    let (rows, count) = (batches.iter().map(RecordBatch::num_rows).sum::<usize>(), specs.len());
    let together = || {
        let mut boards = Boards::new(specs.to_vec(), &Context::default()).unwrap();
        boards.push_all(black_box(batches), 1).unwrap();
        boards.finish().unwrap()
    };
    let alone = |spec: &BoardSpec| {
        let mut board = Board::new(spec.clone(), Context::default()).unwrap();
        board.push_all(black_box(batches), 1).unwrap();
        board.finish().unwrap()
    };
    let started = Instant::now();
    let found = together();
    let taken = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let some: Vec<usize> = (0..count).step_by(count.div_ceil(10)).collect();
    some.iter()
        .for_each(|place| assert!(alone(&specs[*place]).table == found[*place].table, "another board"));
    let each = started.elapsed().as_secs_f64() / some.len() as f64;
    println!(
        "{name}: {count} boards, one thread: {taken:.2} together, {:.2} alone, ratio {:.1}",
        each * count as f64,
        each * count as f64 / taken
    );
    println!("{:24} {:.2} ns a row and board", "", taken / rows as f64 / count as f64 * 1e9);
}

/// In what boards of metrics differ.
#[derive(Clone, Copy)]
enum Kind {
    /// In score and size alone.
    Alike,
    /// In their metrics too.
    Metrics,
    /// In which events count.
    Eligible,
}

fn of_events(kind: Kind, number: usize) -> BoardSpec {
    let floor = if matches!(kind, Kind::Eligible) { number % 8 } else { 0 };
    let least = if matches!(kind, Kind::Metrics) { number % 8 } else { 3 };
    let (weight, k) = (1 + number, 20 + number % 5);
    BoardSpec::from_json(&format!(
        r#"{{"id": "b{number}", "item": "id", "group": ["grp"], "eligibility": "stock > {floor}", "k": {k},
        "score": "revenue + {weight}.0 * double(units) + double(orders)",
        "metrics": {{"revenue": {{"sum": "gmv"}}, "units": {{"sum": "sales"}}, "orders": {{"count": "rating >= {least}.0"}}}}}}"#
    ))
    .unwrap()
}

/// Terms with four weights, over what is eligible.
fn weighted(number: usize) -> BoardSpec {
    let (floor, weight) = (1.0 + (number % 8) as f64 * 0.5, 1.0 + (number / 8) as f64);
    BoardSpec::from_json(&format!(
        r#"{{"id": "b{number}", "group": ["grp"], "item": "id", "k": 10, "eligibility": "stock > 0 && rating >= {floor:?}",
        "score": [{{"name": "gmv", "value": "gmv", "weight": 0.4, "normalise": ["log1p"]}},
            {{"name": "sales", "value": "double(sales)", "weight": {weight:?}, "normalise": ["log1p"]}},
            {{"name": "clicks", "value": "double(clicks)", "weight": 2.0}},
            {{"name": "rating", "value": "rating", "weight": 5.0}}]}}"#
    ))
    .unwrap()
}

fn size(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|size| size.parse().ok()).unwrap_or(otherwise)
}

fn line(name: &str, rows: usize, (median, best): (f64, f64)) {
    println!("{name:24} {median:.4} {best:.4} {:>7.0}", rows as f64 / best / 1e6);
}

/// `explain`: whether what the score is made of is kept beside each candidate, as by default.
fn board(batches: &[RecordBatch], threads: usize, explain: bool) -> RecordBatch {
    let mut spec = BoardSpec::from_json(SPEC).unwrap();
    spec.show.explain = explain;
    let mut board = Board::new(spec, Context::default()).unwrap();
    board.push_all(batches, threads).unwrap();
    board.finish().unwrap().table
}

/// A place: group, score as bits, item.
type Place = (i32, u64, i64);

fn places(table: &RecordBatch) -> Vec<Place> {
    let group = table.column_by_name("grp").unwrap().as_primitive::<Int32Type>();
    let item = table.column_by_name("id").unwrap().as_primitive::<Int64Type>();
    let score = table.column_by_name("score").unwrap().as_primitive::<Float64Type>();
    (0..table.num_rows()).map(|row| (group.value(row), score.value(row).to_bits(), item.value(row))).collect()
}

/// The places of each group, from a loop over the columns that keeps a sorted list.
fn by_hand(shop: &Shop, groups: usize) -> Vec<Place> {
    let mut boards: Vec<Vec<(f64, i64)>> = vec![Vec::new(); groups];
    for row in 0..shop.id.len() {
        if shop.stock[row] <= 0 || f64::from(shop.rating[row]) < 3.0 {
            continue;
        }
        let score = 0.4 * shop.gmv[row]
            + 30.0 * f64::from(shop.sales[row])
            + 2.0 * f64::from(shop.clicks[row])
            + 5.0 * f64::from(shop.rating[row]);
        let board = &mut boards[shop.grp[row] as usize];
        if board.len() == K && board[K - 1].0 > score {
            continue;
        }
        let new = (score, shop.id[row]);
        let place = board.partition_point(|known| known.0 > new.0 || (known.0 == new.0 && known.1 < new.1));
        board.insert(place, new);
        board.truncate(K);
    }
    let places = boards.iter().zip(0..);
    places
        .flat_map(|(board, group)| board.iter().map(move |(score, id)| (group, score.to_bits(), *id)))
        .collect()
}

/// A number of all columns that are read for each row.
fn read(shop: &Shop) -> u64 {
    fn sum<T: Copy>(values: &[T], bits: impl Fn(T) -> u64) -> u64 {
        values.iter().fold(0, |sum: u64, value| sum ^ bits(*value))
    }
    let whole = |values: &[i32]| sum(values, |value| value as u64);
    whole(&shop.grp)
        ^ sum(&shop.gmv, f64::to_bits)
        ^ whole(&shop.sales)
        ^ whole(&shop.clicks)
        ^ sum(&shop.rating, |value| value.to_bits().into())
        ^ whole(&shop.stock)
}

/// Median and best time in seconds.
fn times(mut run: impl FnMut() -> usize) -> (f64, f64) {
    black_box(run());
    let mut times: Vec<f64> = (0..size("BENCH_PASSES", 5))
        .map(|_| {
            let started = Instant::now();
            black_box(run());
            started.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}
