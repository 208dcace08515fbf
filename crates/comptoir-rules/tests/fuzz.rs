//! A short run of the fuzzer; `cargo run --release -p comptoir-rules --example fuzz` runs for as long as you like.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test ends where its claim fails"
)]

#[path = "support/expressions.rs"]
mod expressions;
#[path = "support/fuzz.rs"]
mod fuzz;

#[test]
fn nothing_panics_or_hangs() {
    let corpus = fuzz::corpus(include_str!("support/corpus.jsonl"));
    assert!(corpus.len() > 20);
    let tally = fuzz::in_small_stack(move || fuzz::work(1, &corpus, |tally| tally.sources < 2_000));
    assert!(tally.values > 100 && tally.errors > 100, "{tally:?}");
}
