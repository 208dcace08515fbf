//! Feeds random sources to the parser, the checker and all evaluators: `cargo run --release -p comptoir-rules --example
//! fuzz -- SECONDS SEED [CASES.jsonl]`. With conformance cases these are mutated too. Ends with a panic at a fault, after
//! the seed and the source that show it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../tests/support/expressions.rs"]
mod expressions;
#[path = "../tests/support/fuzz.rs"]
mod fuzz;

use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(default, |text| text.parse().unwrap());
    let (limit, seed) = (Duration::from_secs(number(0, 10)), number(1, 1));
    let cases = args.get(2).map(|path| std::fs::read_to_string(path).unwrap());
    let corpus = fuzz::corpus(cases.as_deref().unwrap_or(include_str!("../tests/support/corpus.jsonl")));
    println!("{} expressions to start from, a stack of {} KiB", corpus.len(), fuzz::STACK >> 10);
    let started = Instant::now();
    let tally = fuzz::in_small_stack(move || fuzz::work(seed, &corpus, |_| started.elapsed() < limit));
    println!("{tally:?}");
}
