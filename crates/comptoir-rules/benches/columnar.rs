//! Four predicates over columns, on one core: `cargo bench -p comptoir-rules --bench columnar`. `BENCH_ROWS` sets the
//! number of rows (10 million; a tenth of them for lists), `BENCH_ONLY` picks a line such as `P1` or `P1 Plain`, and
//! `BENCH_PASSES` sets the number of passes. Every answer is compared with a loop written by hand, then
//! the median and the best of several passes are printed, beside the time that memory takes to give the bytes.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

#[path = "columnar/data.rs"]
mod data;

use std::hint::black_box;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use comptoir_rules::{Env, Program};
use data::{Layout, Shop};

/// Passes over what is only compared with.
const FEW: usize = 5;

fn passes() -> usize {
    std::env::var("BENCH_PASSES").ok().and_then(|passes| passes.parse().ok()).unwrap_or(7)
}

fn main() {
    let rows = std::env::var("BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000);
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let shop = Shop::new(rows);
    let bandwidth = bandwidth();
    println!("rows {rows}, one core, memory gives {bandwidth:.1} GB/s");
    println!(
        "{:14} {:>8} {:>8} {:>8} {:>7} {:>7} {:>6}",
        "", "median", "best", "by hand", "bound", "target", "true"
    );
    for (name, source, layout, target) in cases() {
        if !only.is_empty() && !format!("{name} {layout:?}").starts_with(&only) {
            continue;
        }
        let batch = shop.batch(name, layout);
        let env = Env::builder().arrow_schema(batch.schema_ref()).build().unwrap();
        let program = env.compile(&source).unwrap();
        let expected = shop.by_hand(name);
        check(&program, &batch, &expected);
        let by_hand = times(FEW, || black_box(shop.by_hand(name)).len());
        let own =
            pool.install(|| times(passes(), || program.eval_batch(black_box(&batch)).unwrap().array.len()));
        let per_row = |nanos: f64| nanos / batch.num_rows() as f64;
        let bytes = batch.columns().iter().map(data::bytes).sum::<usize>();
        println!(
            "{:14} {:>8.2} {:>8.2} {:>8.2} {:>7.2} {:>7} {:>5}%",
            format!("{name} {layout:?}"),
            per_row(own.0),
            per_row(own.1),
            per_row(by_hand.1),
            per_row(bytes as f64 / bandwidth),
            target,
            expected.iter().filter(|truth| **truth).count() * 100 / expected.len()
        );
    }
}

fn cases() -> Vec<(&'static str, String, Layout, f64)> {
    let quoted =
        |texts: Vec<String>| texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ");
    let brands = quoted((1..9).map(|brand| format!("b{brand}")).collect());
    let coupons = quoted((0..20).map(|coupon| format!("C{}", coupon * 3)).collect());
    let first = format!("user.level >= 3 && item.brand in [{brands}] && item.price >= 100.0");
    let second = format!("order.pay < order.cost * 0.9 && !(order.coupon in [{coupons}])");
    let third = r#"item.sku.startsWith("SKU-EU-") && item.title.matches("(running|trail).*shoe")"#.to_owned();
    let fourth = "items.all(i, i.qty > 0 && i.price <= 900.0) && \
                  items.exists(i, i.category == 'electronics' && i.price > 500.0)"
        .to_owned();
    use Layout::{Dictionary, Plain, View};
    vec![
        ("P1", first.clone(), Dictionary, 1.5),
        ("P1", first.clone(), Plain, 8.0),
        ("P1", first, View, 8.0),
        ("P2", second.clone(), Dictionary, 2.0),
        ("P2", second.clone(), Plain, 8.0),
        ("P2", second, View, 8.0),
        ("P3", third.clone(), Dictionary, 3.0),
        ("P3", third.clone(), Plain, 18.0),
        ("P3", third, View, 18.0),
        ("P4", fourth.clone(), Dictionary, 29.0),
        ("P4", fourth.clone(), Plain, 29.0),
        ("P4", fourth, View, 29.0),
    ]
}

fn check(program: &Program, batch: &RecordBatch, expected: &[bool]) {
    let result = program.eval_batch(batch).unwrap();
    assert!(result.faults.is_empty());
    let found = result.array.as_boolean();
    assert_eq!(found.len(), expected.len());
    assert!(
        expected.iter().enumerate().all(|(row, truth)| found.value(row) == *truth),
        "{}",
        program.source()
    );
}

/// Median and best time in nanoseconds.
fn times(passes: usize, mut run: impl FnMut() -> usize) -> (f64, f64) {
    black_box(run());
    let mut times: Vec<f64> = (0..passes)
        .map(|_| {
            let started = Instant::now();
            black_box(run());
            started.elapsed().as_nanos() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

/// Bytes in a nanosecond that one core reads from memory.
fn bandwidth() -> f64 {
    let words: Vec<u64> = (0..32 << 20).collect();
    let sum = || {
        black_box(&words).chunks_exact(8).fold([0_u64; 8], |mut sums, chunk| {
            sums.iter_mut().zip(chunk).for_each(|(sum, word)| *sum ^= word);
            sums
        })
    };
    let (_, best) = times(FEW, || black_box(sum()).len());
    (words.len() * 8) as f64 / best
}
