//! The rule sets of `examples/rules` are right, and their cases fire every rule.
#![allow(clippy::unwrap_used, reason = "a test that cannot start the command has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn rules(arguments: &[&str]) -> (bool, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_comptoir")).arg("rules").args(arguments).output().unwrap();
    (ran.status.success(), String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap())
}

fn sets() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/rules");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| !path.to_string_lossy().ends_with(".cases.yaml")).collect()
}

#[test]
fn every_example_passes_its_cases() {
    let sets = sets();
    assert!(sets.len() >= 4, "{sets:?}");
    for set in sets {
        let cases = set.with_extension("cases.yaml");
        let (set, cases) = (set.to_str().unwrap(), cases.to_str().unwrap());
        let (is_right, text) = rules(&["check", set, "--deny", "warnings"]);
        assert!(is_right, "{text}");
        let (is_right, text) = rules(&["test", set, cases, "--coverage"]);
        assert!(is_right && text.ends_with(" passed, 0 failed\n"), "{set}: {text}");
        assert!(!text.contains("never: "), "{set}: {text}");
    }
}
