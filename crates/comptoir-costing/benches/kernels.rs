//! Movements per second of the valuation kernels on one core, beside the bound that memory sets, a plain exact loop and
//! one in `rust_decimal`. The results of all are equal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop")]

mod history;

use std::hint::black_box;

use comptoir_costing::kernels::{age_buckets, closing_layers, fifo, moving_average};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use history::{History, history};
use rust_decimal::{Decimal, RoundingStrategy};

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

/// The moving average in `rust_decimal`: the quotient has 28 digits and is rounded half to even to a minor unit. Products
/// of this history have at most 26 digits and quotients no fraction that 28 digits could take for a half.
fn decimal_average(history: &History, columns: &[Vec<Decimal>; 2], results: &mut [Vec<Decimal>; 2]) {
    let [qty, amount] = columns;
    let [value, balance] = results;
    let mut stocks = vec![(Decimal::ZERO, Decimal::ZERO); history.items];
    for row in 0..history.item.len() {
        let (on_hand, total) = &mut stocks[history.item[row] as usize];
        let moved = if qty[row].is_sign_positive() {
            amount[row]
        } else if -qty[row] == *on_hand {
            -*total
        } else {
            let share = *total * qty[row] / *on_hand;
            share.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
        };
        *on_hand += qty[row];
        *total += moved;
        value[row] = moved;
        balance[row] = *total;
    }
}

/// Quantities of three places and amounts of two.
fn decimals(history: &History) -> [Vec<Decimal>; 2] {
    let scaled = |column: &[i64], scale| column.iter().map(|&integer| Decimal::new(integer, scale)).collect();
    [scaled(&history.qty, 3), scaled(&history.amount, 2)]
}

/// Requires that the kernel, the plain loop and the decimals agree in every row.
fn check_averages(history: &History, columns: &[Vec<Decimal>; 2], decimal: &mut [Vec<Decimal>; 2]) {
    let rows = history.item.len();
    let (mut value, mut balance) = (vec![0; rows], vec![0; rows]);
    plain_average(history, &mut value, &mut balance);
    let plain = (value.clone(), balance.clone());
    moving_average(history.movements(), &mut value, &mut balance).unwrap();
    assert!(plain == (value, balance), "the plain loop and the kernel differ");
    decimal_average(history, columns, decimal);
    let [decimal_value, decimal_balance] = decimal;
    for (decimals, integers) in [(decimal_value, plain.0), (decimal_balance, plain.1)] {
        let first =
            decimals.iter().zip(integers).position(|(decimal, integer)| *decimal != Decimal::new(integer, 2));
        assert_eq!(first, None, "first row in which rust_decimal and the kernel differ");
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
    let columns = decimals(&history);
    let mut decimal = [vec![Decimal::ZERO; rows], vec![Decimal::ZERO; rows]];
    check_averages(&history, &columns, &mut decimal);
    group.bench_function("moving average, rust_decimal", |bench| {
        bench.iter(|| decimal_average(&history, &columns, &mut decimal));
    });
    drop((columns, decimal));
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
