//! Movements per second of the valuation kernels on one core, beside the bound that memory sets and a plain exact loop.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop")]

mod history;

use std::hint::black_box;

use comptoir_costing::kernels::{age_buckets, closing_layers, fifo, moving_average};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use history::{History, history};

/// Reads and writes what a kernel reads and writes, and computes nothing: no kernel is faster.
fn pass(history: &History, value: &mut [i64], balance: &mut [i64]) {
    let inputs = history.item.iter().zip(&history.qty).zip(&history.amount);
    for (((&item, &qty), &amount), (value, balance)) in inputs.zip(value.iter_mut().zip(balance)) {
        *value = qty ^ i64::from(item);
        *balance = amount;
    }
}

/// The moving average as one writes it first: 128-bit division, a branch per kind.
fn plain_average(history: &History, value: &mut [i64], balance: &mut [i64]) {
    let mut stocks = vec![(0_i64, 0_i64); history.items];
    for row in 0..history.item.len() {
        let (on_hand, total) = &mut stocks[history.item[row] as usize];
        let qty = history.qty[row];
        let moved = if qty > 0 {
            history.amount[row]
        } else if -qty == *on_hand {
            -*total
        } else {
            let product = i128::from(*total) * i128::from(-qty);
            let (floor, rest) = (product / i128::from(*on_hand), product % i128::from(*on_hand));
            let up = 2 * rest + (floor & 1) > i128::from(*on_hand);
            -i64::try_from(floor + i128::from(up)).unwrap()
        };
        *on_hand += qty;
        *total += moved;
        value[row] = moved;
        balance[row] = *total;
    }
}

fn kernels(criterion: &mut Criterion) {
    let rows = 10_000_000;
    let history = history(rows, 100_000);
    let (mut value, mut balance) = (vec![0; rows], vec![0; rows]);
    let mut group = criterion.benchmark_group("kernels, 10M movements of 100k items, one core");
    group.sample_size(10).throughput(Throughput::Elements(rows as u64));
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    group.bench_function("memory pass", |bench| bench.iter(|| pass(&history, &mut value, &mut balance)));
    group.bench_function("plain moving average", |bench| {
        bench.iter(|| plain_average(&history, &mut value, &mut balance));
    });
    group.bench_function("moving_average", |bench| {
        bench.iter(|| moving_average(history.movements(), &mut value, &mut balance).unwrap());
    });
    group.bench_function("fifo", |bench| {
        bench.iter(|| one_core.install(|| fifo(history.movements(), &mut value, &mut balance)).unwrap());
    });
    group.bench_function("closing_layers and age_buckets", |bench| {
        bench.iter(|| {
            let layers = one_core.install(|| closing_layers(history.movements(), &history.day)).unwrap();
            black_box(age_buckets(&layers, 19_730, &[30, 60, 90, 180, 360]))
        });
    });
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
