//! Runs conformance cases of the CEL specification: `cargo run --release -p comptoir-rules --example conformance --
//! FILE.jsonl ...`. Prints counts per file and in all and names each failure; the exit status is 1 if there is one.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/conformance/cases.rs"]
mod cases;

use std::process::ExitCode;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        eprintln!("usage: conformance FILE.jsonl ...");
        return ExitCode::from(2);
    }
    let mut failed = false;
    for path in paths {
        match std::fs::read_to_string(&path) {
            Ok(text) => failed |= print(&path, &cases::run(&text)),
            Err(error) => {
                eprintln!("{path}: {error}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints a report, and tells whether a case failed.
fn print(path: &str, report: &cases::Report) -> bool {
    for (file, tally) in &report.files {
        println!("{file:18} {tally}");
    }
    for failure in &report.failures {
        println!("FAILED {failure}");
    }
    for (reason, count) in &report.reasons {
        println!("skipped {count}: {reason}");
    }
    println!("{path}: {}", report.all);
    report.all.failed > 0
}
