//! The conformance cases of the CEL specification, from the data beside the repository.

#[path = "conformance/cases.rs"]
mod cases;

use std::path::PathBuf;

/// Cases without messages, and cases with well-known messages only.
const IN_SCOPE: usize = 1740 + 115;

#[test]
fn all_cases_in_scope_pass() {
    let shared = std::env::var_os("COMPTOIR_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let path = shared.join("conformance/cel/cel_conformance.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no data at {}", path.display());
        return;
    };
    let report = cases::run(&text);
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    assert_eq!((report.all.passed, report.all.skipped), (IN_SCOPE, 601));
}
