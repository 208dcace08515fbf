//! The whole call from Arrow to Arrow, every column of the postings, on 10M movements of 100k items with text codes.
//!
//! Every order of rows and every method is timed in rounds; run two builds in turns to compare them.
//! `cargo bench --bench whole_call -- [rows=N] [items=N] [rounds=N] [ordered|unordered] [moving_average|fifo]`,
//! or `kernels` for those alone.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may stop and print"
)]

mod history;
#[path = "../../../bindings/python/src/memory.rs"]
mod memory;

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Int64Array, PrimitiveArray, RecordBatch, StringArray, UInt32Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use comptoir_costing::Policy;
use comptoir_costing::arrow::value_batches;
use comptoir_costing::kernels::{fifo, moving_average};
use history::{History, history};

/// Python hosts have this allocator.
#[global_allocator]
static MEMORY: memory::Memory = memory::Memory;

struct Arguments {
    rows: usize,
    items: u32,
    rounds: usize,
    words: Vec<String>,
}

impl Arguments {
    fn read() -> Self {
        let mut read = Self { rows: 10_000_000, items: 100_000, rounds: 5, words: Vec::new() };
        for argument in std::env::args().skip(1).filter(|argument| argument != "--bench") {
            match argument.split_once('=') {
                Some(("rows", rows)) => read.rows = rows.parse().unwrap(),
                Some(("items", items)) => read.items = items.parse().unwrap(),
                Some(("rounds", rounds)) => read.rounds = rounds.parse().unwrap(),
                _ => read.words.push(argument),
            }
        }
        read
    }

    fn wants(&self, one: &str, other: &str) -> bool {
        self.words.iter().any(|word| word == one) || !self.words.iter().any(|word| word == other)
    }
}

fn main() {
    let arguments = Arguments::read();
    let history = history(arguments.rows, arguments.items);
    if arguments.words.iter().any(|word| word == "kernels") {
        return kernels(&history, arguments.rounds);
    }
    for (order, other) in [("ordered", "unordered"), ("unordered", "ordered")] {
        if !arguments.wants(order, other) {
            continue;
        }
        let batch = table(&history, order == "unordered");
        for (method, other) in [("moving_average", "fifo"), ("fifo", "moving_average")] {
            if arguments.wants(method, other) {
                time(&batch, &format!("{method}, {order}"), method, arguments.rounds);
            }
        }
    }
}

/// Prints the time of the kernels on one core, in the same memory.
fn kernels(history: &History, rounds: usize) {
    let rows = history.item.len();
    let (mut value, mut balance) = (vec![0; rows], vec![0; rows]);
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (mut averages, mut fifos) = (Vec::new(), Vec::new());
    for _ in 0..=rounds {
        let start = processor_time();
        moving_average(history.movements(), &mut value, &mut balance).unwrap();
        averages.push(processor_time() - start);
        let start = processor_time();
        one_core.install(|| fifo(history.movements(), &mut value, &mut balance)).unwrap();
        fifos.push(processor_time() - start);
    }
    let nanoseconds = |times: &[f64]| median(&times[1..]) / rows as f64 * 1e9;
    println!(
        "kernels: moving_average {:.0} ns, fifo {:.0} ns of processor time a row",
        nanoseconds(&averages),
        nanoseconds(&fifos)
    );
}

/// Prints the median of the rounds after the first, which warms up.
fn time(batch: &RecordBatch, name: &str, method: &str, rounds: usize) {
    let policy = Policy::from_json(&format!("{{\"version\": 1, \"method\": \"{method}\"}}")).unwrap();
    let (mut walls, mut processor) = (Vec::new(), Vec::new());
    let mut sum = 0;
    for _ in 0..=rounds {
        let (start, used) = (Instant::now(), processor_time());
        let valuation = value_batches(&batch.schema(), vec![batch.clone()], &policy).unwrap();
        let (_, postings) = valuation.postings_table().unwrap();
        walls.push(start.elapsed().as_secs_f64());
        processor.push(processor_time() - used);
        let rows: usize = postings.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, batch.num_rows());
        sum = checksum(&postings);
    }
    let (wall, processor) = (median(&walls[1..]), median(&processor[1..]));
    let rows = batch.num_rows() as f64;
    println!(
        "{name:<26} {wall:6.3} s {:6.1} M/s {:5.0} ns of processor time a row  checksum {sum:016x}",
        rows / wall / 1e6,
        processor / rows * 1e9,
    );
}

/// Of all decimals of the postings.
fn checksum(postings: &[RecordBatch]) -> u128 {
    let columns = postings.iter().flat_map(RecordBatch::columns);
    let decimals = columns.filter_map(|column| column.as_any().downcast_ref::<Decimal128Array>());
    let mut sum = 0_u128;
    for decimals in decimals {
        for (value, row) in decimals.values().iter().zip(0..) {
            let value = if decimals.is_valid(row) { value.cast_unsigned() } else { 1 };
            sum = sum.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ value;
        }
    }
    sum
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// User and system time of the process in seconds, in steps of 10 ms.
fn processor_time() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// The history as a table with text codes of items and kinds and decimal amounts.
fn table(history: &History, is_shuffled: bool) -> RecordBatch {
    let rows = history.item.len();
    let step = 730 * 86_400_000_000 / i64::try_from(rows).unwrap();
    let at = (0..).take(rows).map(|row: i64| row * step + 1_640_995_200_000_000);
    let is_receipt = |qty: &i64| *qty > 0;
    let receipts: NullBuffer = history.qty.iter().map(is_receipt).collect();
    let amounts: Vec<i128> = history.amount.iter().map(|amount| i128::from(*amount)).collect();
    let amounts = Decimal128Array::new(amounts.into(), Some(receipts)).with_precision_and_scale(18, 2);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("movement_id", Arc::new(Int64Array::from_iter_values((0..).take(rows)))),
        (
            "item",
            Arc::new(StringArray::from_iter_values(history.item.iter().map(|item| format!("SKU{item:07}")))),
        ),
        ("at", Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from_iter_values(at))),
        (
            "kind",
            Arc::new(StringArray::from_iter_values(
                history.qty.iter().map(|qty| if is_receipt(qty) { "receipt" } else { "issue" }),
            )),
        ),
        ("quantity", Arc::new(Int64Array::from_iter_values(history.qty.iter().map(|qty| qty.abs() / 1000)))),
        ("amount", Arc::new(amounts.unwrap())),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), *name == "amount"))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, array)| array).collect();
    if is_shuffled {
        let order = permutation(rows);
        arrays = arrays.iter().map(|array| arrow_select::take::take(array, &order, None).unwrap()).collect();
    }
    assert_eq!(schema.field(2).data_type(), &DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, None));
    RecordBatch::try_new(schema, arrays).unwrap()
}

/// A seeded shuffle of the rows.
fn permutation(rows: usize) -> UInt32Array {
    let mut order: Vec<u32> = (0..).take(rows).collect();
    let mut state = 88_172_645_463_325_252_u64;
    for place in (1..rows).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(place, usize::try_from(state % (place as u64 + 1)).unwrap());
    }
    order.into()
}
