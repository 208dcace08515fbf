//! Runs every directory of `tests/vectors`, whose README describes the form, and compares byte for byte.
//!
//! `COMPTOIR_UPDATE_VECTORS=1` writes the expected files instead; review what changes before it is committed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs
)]

mod call;
mod case;
mod costing;
mod difference;
mod executor;
mod ranking;
mod rules;
mod table;

use std::fs;

use case::{Case, Outcome};
use comptoir_host::ipc;

/// Fewer cases than this in a core mean that some were lost.
const LEAST_CASES: usize = 12;

#[test]
fn every_case_gives_its_bytes() {
    let writes = std::env::var_os("COMPTOIR_UPDATE_VECTORS").is_some();
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!(writes && is_ci), "expected files are never written where `CI=true`");
    let cases = Case::all();
    for core in ["costing", "executor", "ranking", "rules"] {
        let found = cases.iter().filter(|case| case.core() == core).count();
        assert!(found >= LEAST_CASES, "only {found} cases of {core}");
    }
    let mut failures = Vec::new();
    for case in &cases {
        let outcome = call::run(case);
        if writes {
            case.write(&outcome);
        } else if let Some(difference) = difference::first(&case.expected(), &outcome) {
            failures.push(format!("{}: {difference}", case.name()));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn tables_are_those_of_their_text() {
    for (case, source, target) in sources() {
        let found = fs::read(&target).unwrap_or_default();
        let wanted = ipc::write_bytes(&table::parse(&source)).unwrap();
        assert!(found == wanted, "{case}: `{}` is not made from its text: make inputs", target.display());
    }
}

#[test]
#[ignore = "writes the tables of the cases from their text"]
fn make_inputs() {
    for (_, source, target) in sources() {
        fs::write(target, ipc::write_bytes(&table::parse(&source)).unwrap()).unwrap();
    }
}

#[test]
fn a_difference_is_told() {
    let outcome = |name: &str, bytes: &[u8]| Outcome::from([(name.to_owned(), bytes.to_vec())]);
    let expected = outcome("expected.txt", b"a\nb");
    assert_eq!(difference::first(&expected, &expected), None);
    let told = difference::first(&expected, &outcome("expected.txt", b"a\nc")).unwrap();
    assert!(told.contains("line 2") && told.contains("`b`") && told.contains("`c`"), "{told}");
    let told = difference::first(&expected, &outcome("error", b"data\n")).unwrap();
    assert!(told.contains("expected.txt") && told.contains("error"), "{told}");
    let bytes = |text: &str| ipc::write_bytes(&table::parse(text)).unwrap();
    let (one, other) = (bytes("n:int64\n1\n2\n"), bytes("n:int64\n1\n3\n"));
    let told =
        difference::first(&outcome("expected.arrows", &one), &outcome("expected.arrows", &other)).unwrap();
    assert!(told.contains("column `n`, row 1"), "{told}");
}

/// Each table that is written as text: case, text, and the file that is made from it.
fn sources() -> Vec<(String, String, std::path::PathBuf)> {
    let mut sources = Vec::new();
    for case in Case::all() {
        for name in ["input", "input2", "booked"] {
            if let Ok(text) = fs::read_to_string(case.path(&format!("{name}.table"))) {
                sources.push((case.name(), text, case.path(&format!("{name}.arrows"))));
            }
        }
    }
    sources
}
