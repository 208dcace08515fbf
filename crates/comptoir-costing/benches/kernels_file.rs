//! Times the kernels on a file of columns, for a side-by-side run with other programs on the same input.
//!
//! `kernels_file FILE ITEMS RUNS` reads the row count and the columns item (u32), day (i32), qty and amount (i64), all
//! little-endian, prints a line `name threads seconds` per run, and writes the results of the last runs beside the
//! file: `FILE.average` and `FILE.fifo` (columns value and balance), and `FILE.ageing` (pairs of quantity and value per
//! bucket of 30 days).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop")]

use std::io::Write;
use std::time::Instant;

use comptoir_costing::kernels::{Movements, age_buckets, closing_layers, fifo, moving_average};

/// The last day of the history.
const AS_OF: i32 = 19_730;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // The test runner starts every benchmark without arguments of its own.
    let [_, file, items, runs, ..] = &arguments[..] else {
        return;
    };
    let (items, runs): (usize, usize) = (items.parse().unwrap(), runs.parse().unwrap());
    let bytes = std::fs::read(file).unwrap();
    let rows = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let (item, bytes) = bytes[8..].split_at(4 * rows);
    let (day, bytes) = bytes.split_at(4 * rows);
    let (qty, amount) = bytes.split_at(8 * rows);
    let item: Vec<u32> = item.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();
    let day: Vec<i32> = day.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect();
    let qty: Vec<i64> = qty.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
    let amount: Vec<i64> = amount.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
    let movements = Movements::new(&item, &qty, &amount, items).unwrap();
    let (mut value, mut balance) = (vec![0; rows], vec![0; rows]);

    time("moving_average", 1, runs, || drop(moving_average(movements, &mut value, &mut balance).unwrap()));
    write_columns(&format!("{file}.average"), &[&value, &balance]);
    for threads in [1, 2] {
        time("fifo", threads, runs, || fifo(movements, &mut value, &mut balance).unwrap());
    }
    write_columns(&format!("{file}.fifo"), &[&value, &balance]);
    let edges: Vec<i32> = (1..=24).map(|month| 30 * month).collect();
    let mut ages = vec![];
    for threads in [1, 2] {
        time("closing_layers and age_buckets", threads, runs, || {
            ages = age_buckets(&closing_layers(movements, &day).unwrap(), AS_OF, &edges).unwrap();
        });
    }
    let ages: Vec<i64> =
        ages.iter().flat_map(|age| [age.qty, age.value]).map(|sum| sum.try_into().unwrap()).collect();
    write_columns(&format!("{file}.ageing"), &[&ages]);
}

/// Runs in a pool of a number of threads and prints the seconds of each run.
#[expect(clippy::print_stdout, reason = "a program: the side-by-side run reads its output")]
fn time(name: &str, threads: usize, runs: usize, mut run: impl FnMut() + Send) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for _ in 0..runs {
        let start = Instant::now();
        pool.install(&mut run);
        println!("{name}\t{threads}\t{}", start.elapsed().as_secs_f64());
    }
}

fn write_columns(path: &str, columns: &[&[i64]]) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for number in columns.iter().copied().flatten() {
        file.write_all(&number.to_le_bytes()).unwrap();
    }
}
