//! Runs the kernels on a file of columns, one run per line of the standard input, for a run in turns with other
//! programs on the same input.
//!
//! `kernels_file FILE ITEMS` reads the row count and the columns item (u32), day (i32), qty and amount (i64), all
//! little-endian. For a line `average`, `fifo` or `ageing`, a space and `1` or `2` threads it runs that kernel and
//! answers with the seconds of wall and of processor time; for `pass` it moves the columns that a kernel moves. A line
//! `write` writes the results of the last runs beside the file: `FILE.average` and `FILE.fifo` (columns value and
//! balance), and `FILE.ageing` (pairs of quantity and value per bucket of 30 days).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop")]

use std::io::Write;
use std::time::Instant;

use comptoir_costing::kernels::{AgeBucket, Movements, age_buckets, closing_layers, fifo, moving_average};

/// The last day of the history.
const AS_OF: i32 = 19_730;

/// Columns of a history.
struct History {
    item: Vec<u32>,
    day: Vec<i32>,
    qty: Vec<i64>,
    amount: Vec<i64>,
    items: usize,
}

/// Results of the kernels.
struct Results {
    average: [Vec<i64>; 2],
    fifo: [Vec<i64>; 2],
    ageing: Vec<AgeBucket>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // The test runner starts every benchmark without arguments of its own.
    let [_, file, items, ..] = &arguments[..] else {
        return;
    };
    let history = read(file, items.parse().unwrap());
    let rows = history.item.len();
    // Touched before the first run, as the outputs of the peers are.
    let mut results = Results {
        average: [vec![1; rows], vec![1; rows]],
        fifo: [vec![1; rows], vec![1; rows]],
        ageing: vec![],
    };
    // Pools live as long as the program: processor time is summed over the threads that there are.
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let pools = [pool(1), pool(2)];
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        match line.split_once(' ') {
            Some((kernel, "1")) => time(kernel, &pools[0], &history, &mut results),
            Some((kernel, _)) => time(kernel, &pools[1], &history, &mut results),
            None => write(file, &results),
        }
    }
}

fn read(file: &str, items: usize) -> History {
    let bytes = std::fs::read(file).unwrap();
    let rows = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let (item, bytes) = bytes[8..].split_at(4 * rows);
    let (day, bytes) = bytes.split_at(4 * rows);
    let (qty, amount) = bytes.split_at(8 * rows);
    History {
        item: item.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect(),
        day: day.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect(),
        qty: qty.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        amount: amount.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        items,
    }
}

/// Runs a kernel in a pool and prints the seconds of wall and of processor time.
#[expect(clippy::print_stdout, reason = "a program: the side-by-side run reads its output")]
fn time(kernel: &str, pool: &rayon::ThreadPool, history: &History, results: &mut Results) {
    pool.install(|| {
        let (start, processor) = (Instant::now(), processor_seconds());
        run(kernel, history, results);
        println!("{} {}", start.elapsed().as_secs_f64(), processor_seconds() - processor);
    });
}

fn run(kernel: &str, history: &History, results: &mut Results) {
    let History { item, day, qty, amount, items } = history;
    let movements = Movements::new(item, qty, amount, *items).unwrap();
    match kernel {
        "pass" => pass(history, &mut results.average),
        "average" => {
            let [value, balance] = &mut results.average;
            drop(moving_average(movements, value, balance).unwrap());
        }
        "fifo" => {
            let [value, balance] = &mut results.fifo;
            fifo(movements, value, balance).unwrap();
        }
        _ => {
            let edges: Vec<i32> = (1..=24).map(|month| 30 * month).collect();
            results.ageing = age_buckets(&closing_layers(movements, day).unwrap(), AS_OF, &edges).unwrap();
        }
    }
}

/// Reads and writes what a kernel reads and writes, and computes nothing: no kernel is faster on one core.
fn pass(history: &History, [value, balance]: &mut [Vec<i64>; 2]) {
    let inputs = history.item.iter().zip(&history.qty).zip(&history.amount);
    for (((&item, &qty), &amount), (value, balance)) in inputs.zip(value.iter_mut().zip(balance)) {
        *value = qty ^ i64::from(item);
        *balance = amount;
    }
}

/// Processor time of all threads; zero where the system does not tell.
fn processor_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    let nanoseconds: u64 = stats.filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok()).sum();
    nanoseconds as f64 / 1e9
}

/// Writes the results and answers with an empty line.
#[expect(clippy::print_stdout, reason = "a program: the side-by-side run reads its output")]
fn write(file: &str, results: &Results) {
    let ages: Vec<i64> = results
        .ageing
        .iter()
        .flat_map(|age| [age.qty, age.value])
        .map(|sum| sum.try_into().unwrap())
        .collect();
    write_columns(&format!("{file}.average"), &results.average);
    write_columns(&format!("{file}.fifo"), &results.fifo);
    write_columns(&format!("{file}.ageing"), &[ages]);
    println!();
}

fn write_columns(path: &str, columns: &[Vec<i64>]) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for number in columns.iter().flatten() {
        file.write_all(&number.to_le_bytes()).unwrap();
    }
}
