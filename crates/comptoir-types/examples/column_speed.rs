//! Time per row of reading columns: `cargo run --release -p comptoir-types --example column_speed [ROWS [SECTION]]`.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    missing_docs
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Decimal64Array, Decimal128Array, DictionaryArray, Int32Array, Int64Array};
use arrow_array::{LargeStringArray, StringArray, StringViewArray};
use comptoir_types::arrow::{IdIndex, intern, read_kinds, read_units};

fn main() {
    let rows = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000);
    println!(
        "{rows} rows, {} threads, median of 5: ns per row, ns per row on a processor, time",
        rayon::current_num_threads()
    );
    let sections: [(&str, fn(usize)); 4] =
        [("intern", interning), ("ids", ids), ("kinds", kinds), ("units", units)];
    let only = std::env::args().nth(2);
    for (name, run) in sections {
        if only.as_deref().is_none_or(|only| only == name) {
            run(rows);
        }
    }
}

fn interning(rows: usize) {
    let items: Vec<u64> = (0..rows as u64).map(|row| mix(row) % 100_000).collect();
    let distinct: Vec<u64> = (0..rows as u64).map(mix).collect();
    let code = |item: &u64| format!("{}{item}", ["SKU", "AB-", "ITEM-"][*item as usize % 3]);
    let long = |item: &u64| format!("warehouse-north/{item:08}");
    let chunked = |names: &[String]| -> Vec<ArrayRef> {
        names
            .chunks(1 << 17)
            .map(|names| Arc::new(StringArray::from_iter_values(names)) as ArrayRef)
            .collect()
    };
    let names: Vec<String> = items.iter().map(code).collect();
    let report = |name: &str, chunks: Vec<ArrayRef>| {
        let count = intern(&chunks, "item").unwrap().first.len();
        time(&format!("intern {name} ({count} distinct)"), rows, || intern(&chunks, "item").unwrap());
    };
    report("utf8", vec![Arc::new(StringArray::from_iter_values(&names))]);
    report("utf8 in chunks", chunked(&names));
    report("large_utf8", vec![Arc::new(LargeStringArray::from_iter_values(&names))]);
    report("utf8_view", vec![Arc::new(StringViewArray::from_iter_values(&names))]);
    report(
        "dictionary",
        vec![Arc::new(names.iter().map(String::as_str).collect::<DictionaryArray<Int32Type>>())],
    );
    report("utf8, 24 bytes", vec![Arc::new(StringArray::from_iter_values(items.iter().map(long)))]);
    report(
        "utf8, all distinct",
        vec![Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("ID{row}"))))],
    );
    report("int32", vec![Arc::new(items.iter().map(|item| *item as i32).collect::<Int32Array>())]);
    report("int64, wide", vec![Arc::new(items.iter().map(|item| mix(*item) as i64).collect::<Int64Array>())]);
    report(
        "int64, wide, all distinct",
        vec![Arc::new(distinct.iter().map(|item| *item as i64).collect::<Int64Array>())],
    );
}

fn ids(rows: usize) {
    let text = |step: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("M{:09}", row * step % rows))))
    };
    let rising = text(1);
    let shuffled = text(7_777_777);
    let dense: ArrayRef =
        Arc::new((0..rows as i64).map(|row| row * 7_777_777 % rows as i64).collect::<Int64Array>());
    let wide: ArrayRef = Arc::new((0..rows as u64).map(|row| mix(row) as i64).collect::<Int64Array>());
    let refs: ArrayRef = Arc::new(
        (0..rows).map(|row| (row % 50 == 3).then(|| format!("M{:09}", row / 2))).collect::<StringArray>(),
    );
    for (name, ids) in [
        ("rising text", &rising),
        ("shuffled text", &shuffled),
        ("dense int64", &dense),
        ("wide int64", &wide),
    ] {
        let index = IdIndex::new(std::slice::from_ref(ids), "id").unwrap();
        time(&format!("duplicates, {name}"), rows, || assert!(index.duplicates().is_empty()));
    }
    for (name, ids) in [("rising text", &rising), ("shuffled text", &shuffled)] {
        let index = IdIndex::new(std::slice::from_ref(ids), "id").unwrap();
        time(&format!("resolve 2 % refs, {name}"), rows, || {
            index.resolve(std::slice::from_ref(&refs), "ref").unwrap()
        });
    }
}

fn kinds(rows: usize) {
    const WORDS: [&str; 6] =
        ["receipt", "issue", "issue", "sales_return", "provisional_receipt", "cost_adjustment"];
    let lookup = |word: &str| WORDS.iter().position(|known| *known == word).map(|at| at as u8);
    let words = || (0..rows as u64).map(|row| WORDS[mix(row) as usize % WORDS.len()]);
    let text = StringArray::from_iter_values(words());
    let view = StringViewArray::from_iter_values(words());
    let dictionary: DictionaryArray<Int32Type> = words().collect();
    time("kinds, utf8", rows, || read_kinds(&text, "kind", lookup).unwrap());
    time("kinds, utf8_view", rows, || read_kinds(&view, "kind", lookup).unwrap());
    time("kinds, dictionary", rows, || read_kinds(&dictionary, "kind", lookup).unwrap());
}

fn units(rows: usize) {
    let cents: Vec<i64> = (0..rows as u64).map(|row| (mix(row) % 1_000_000) as i64).collect();
    let decimal = |factor: i128, scale| {
        let values = cents.iter().map(|value| i128::from(*value) * factor);
        Decimal128Array::from_iter_values(values).with_precision_and_scale(38, scale).unwrap()
    };
    let (same, wider, narrower) = (decimal(1, 2), decimal(100, 4), decimal(10_i128.pow(16), 18));
    let shared = Decimal64Array::from(cents.clone()).with_precision_and_scale(18, 2).unwrap();
    let text = StringArray::from_iter_values(
        cents.iter().map(|value| format!("{}.{:02}", value / 100, value % 100)),
    );
    time("units, decimal64(18, 2), shared", rows, || read_units(&shared, "amount", 2).unwrap());
    time("units, decimal128(38, 2) at scale 2", rows, || read_units(&same, "amount", 2).unwrap());
    time("units, decimal128(38, 2) at scale 4", rows, || read_units(&same, "amount", 4).unwrap());
    time("units, decimal128(38, 4) at scale 2", rows, || read_units(&wider, "amount", 2).unwrap());
    time("units, decimal128(38, 18) at scale 2", rows, || read_units(&narrower, "amount", 2).unwrap());
    time("units, text at scale 2", rows, || read_units(&text, "amount", 2).unwrap());
}

/// SplitMix64: random enough, and the same on every run.
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    seed ^ (seed >> 31)
}

fn time<T>(name: &str, rows: usize, run: impl Fn() -> T) {
    let per_row = |time: u128| time as f64 / rows as f64;
    let mut times: Vec<(u128, u128)> = (0..5)
        .map(|_| {
            let (start, before) = (Instant::now(), processor_time());
            black_box(run());
            (start.elapsed().as_nanos(), processor_time() - before)
        })
        .collect();
    times.sort_unstable();
    let (wall, processor) = times[2];
    println!("{name:45} {:8.2} {:8.2} {:8.1} ms", per_row(wall), per_row(processor), wall as f64 / 1e6);
}

/// Nanoseconds on a processor over all threads, where the system tells (Linux): what other programs do to the
/// machine shows in it much less than in the time that has passed.
fn processor_time() -> u128 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let texts =
        threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    texts.filter_map(|text| text.split(' ').next()?.parse::<u128>().ok()).sum()
}
