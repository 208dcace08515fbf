//! Policies in the form of cel-policy with the tests beside them: own ones, and those of cel-go where
//! `CEL_POLICY_TESTDATA` names the folder `policy/testdata` of a checkout.
#![allow(clippy::unwrap_used, reason = "a test that cannot start the command has failed")]

use std::path::Path;
use std::process::Command;

/// Runs the tests of a folder; gives how many passed, and what was printed.
fn run(folder: &Path) -> (Option<usize>, String) {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let arguments =
        ["rules", "test", &file("policy.yaml"), &file("tests.yaml"), "--env", &file("config.yaml")];
    let ran = Command::new(env!("CARGO_BIN_EXE_comptoir")).args(arguments).output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
    let passed = text.trim_end().rsplit('\n').next().and_then(|last| last.strip_suffix(" passed, 0 failed"));
    (passed.filter(|_| ran.status.success()).and_then(|count| count.parse().ok()), text)
}

#[test]
fn own_policies_pass_their_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies");
    for (name, cases) in [("hidden_variables", 5), ("fall_through", 6), ("messages", 3)] {
        let (passed, text) = run(&folder.join(name));
        assert_eq!(passed, Some(cases), "{name}: {text}");
    }
}

/// All but those of protocol buffers, of hosts' functions, of other forms of policies, and of faults.
#[test]
fn policies_of_cel_go_pass_their_tests() {
    let Some(folder) = std::env::var_os("CEL_POLICY_TESTDATA") else { return };
    for (name, cases) in [
        ("limits", 4),
        ("nested_rules_unconditional_chaining", 3),
        ("nested_rules_unconditional_chaining_optional", 4),
        ("nested_rules_unwrap_rewrap", 3),
        ("nested_rules_variable_shadowing", 3),
        ("unnest", 5),
        ("variable_type_propagation", 1),
    ] {
        let (passed, text) = run(&Path::new(&folder).join(name));
        assert_eq!(passed, Some(cases), "{name}: {text}");
    }
}
