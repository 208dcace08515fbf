//! `comptoir rules test` and `comptoir rules eval`.

mod support;

use support::Folder;

const GUARD: &str = r#"
environment:
  types: {Line: {price: decimal, floor: decimal, qty: int, channel: string}}
  variables: {line: Line}
variables:
  - {name: least, expression: "line.floor * decimal('0.9')"}
outputs: {action: string, short: decimal}
rules:
  - {id: zero, when: "line.price == decimal('0')", outputs: {action: review}}
  - {id: below, when: "line.price < variables.least && line.qty > 0", outputs: {action: block, short: {cel: "line.floor - line.price"}}}
  - {id: big, when: "line.qty > 100", mode: shadow}
  - {id: gone, when: "line.qty > 5", mode: off}
"#;

const CASES: &str = r#"- name: nothing to say
  event: {line: {price: 10, floor: 10, qty: 1, channel: web}}
  expect: {fired: [], outputs: {}}
- name: below
  event: {line: {price: "8.00", floor: 10, qty: 500, channel: web}}
  expect: {fired: [below], outputs: {action: block, short: 2.00}, shadow: [big]}
- name: no price
  event: {line: {floor: 10, qty: 1}}
  expect: {error: RULES_NO_SUCH_FIELD}
"#;

fn folder(name: &str, cases: &str) -> Folder {
    Folder::new(name).with("guard.yaml", GUARD).with("cases.yaml", cases)
}

#[test]
fn cases_that_pass_are_counted() {
    let folder = folder("pass", CASES);
    let ran = folder.rules("test guard.yaml cases.yaml");
    assert_eq!((ran.status, &*ran.out, &*ran.err), (0, "3 passed, 0 failed\n", ""));
    let ran = folder.rules("test guard.yaml cases.yaml --verbose --coverage");
    assert_eq!(
        ran.out,
        "ok nothing to say\nok below\nok no price\ncoverage: 2 of 3 rules fired\n  never: `zero`\n3 passed, 0 failed\n"
    );
}

#[test]
fn a_case_that_fails_says_why() {
    let cases = "- name: is blocked
  event: {line: {price: 9.50, floor: 10, qty: 1}}
  expect: {fired: [below], outputs: {action: block}}
- name: is only reviewed
  event: {line: {price: 0, floor: 10, qty: 1}}
  expect: {fired: [zero], outputs: {action: review}}
- name: has an action
  event: {line: {price: 12, floor: 10, qty: 1}}
  expect: {outputs: {action: review}}
- name: has a price
  event: {line: {floor: 10, qty: 1}}
  expect: {fired: []}
- name: has a fault
  event: {line: {price: 12, floor: 10, qty: 1}}
  expect: {error: RULES_DIVIDE_BY_ZERO}
";
    let ran = folder("fail", cases).rules("test guard.yaml cases.yaml");
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.out,
        r#"cases.yaml:1:9: failed: is blocked
  fired: expected [below], found []
  output `action`: expected "block", found none
  `below` did not fire: `line.price < variables.least` is false (line.price = 9.5, variables.least = 9.0)
cases.yaml:4:9: failed: is only reviewed
  fired: expected [zero], found [zero, below]
  output `action`: expected "review", found ["review","block"]
  output `short`: expected none, found "10"
  `below` fired: `line.price < variables.least` is true (line.price = 0, variables.least = 9.0); `line.qty > 0` is true (line.qty = 1)
cases.yaml:7:9: failed: has an action
  output `action`: expected "review", found none
  `zero` did not fire: `line.price == decimal("0")` is false (line.price = 12)
cases.yaml:10:9: failed: has a price
  error: expected none, found RULES_NO_SUCH_FIELD in `zero`: no value for `line.price`; RULES_NO_SUCH_FIELD in `below`: no value for `line.price`
cases.yaml:13:9: failed: has a fault
  error: expected RULES_DIVIDE_BY_ZERO, found none
0 passed, 5 failed
"#
    );
}

#[test]
fn names_typed_wrong_in_a_case_fail_it() {
    let cases = "- {name: a, event: {line: {prise: 1}}, expect: {fired: [belw]}}\n";
    let ran = folder("typed_wrong", cases).rules("test guard.yaml cases.yaml");
    assert_eq!(ran.status, 1);
    assert!(
        ran.out.contains("event: `line.prise` is no field of Line, did you mean `price`?"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("expect: `belw` is no rule of the set, did you mean `below`?"), "{}", ran.out);
}

#[test]
fn a_file_that_has_no_cases_is_refused() {
    let first = |name: &str, cases: &str| {
        let ran = folder(name, cases).rules("test guard.yaml cases.yaml");
        assert_eq!(ran.status, 1);
        ran.out.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        first("no_field", "- name: a\n  event: {}\n  expected: {fired: []}\n"),
        "cases.yaml:3:3: error: unknown field `expected`, expected one of `name`, `event`, `expect` [RULES_CASES]"
    );
    assert_eq!(
        first("no_expectation", "- {name: a, event: {}, expect: {}}\n"),
        "cases.yaml:1:10: error: a case expects at least one of `outputs`, `fired`, `shadow` and `error` [RULES_CASES]"
    );
    assert!(first("no_list", "name: a\n").contains("[RULES_CASES]"));
    assert!(first("no_text", "- [\n").starts_with("cases.yaml:2:1: error: "));
    let ran = folder("no_file", CASES).rules("test guard.yaml nothere.yaml");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("`nothere.yaml` cannot be read"), "{}", ran.err);
}

#[test]
fn a_set_with_faults_runs_no_case() {
    let folder =
        Folder::new("set_with_faults").with("a.yaml", "rules: [{id: a, when: b}]").with("cases.yaml", CASES);
    let ran = folder.rules("test a.yaml cases.yaml");
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("a.yaml:1:23: error: undeclared name `b`"), "{}", ran.out);
    assert!(!ran.out.contains("passed"), "{}", ran.out);
}

#[test]
fn outputs_are_lists_where_they_are_collected() {
    let set = "environment: {variables: {n: int}}\nhit_policy: collect\nrules:\n- {id: a, when: n > 1, outputs: {o: 1}}\n- {id: b, when: n > 2, outputs: {o: 2}}\n";
    let cases = "- {name: one, event: {n: 2}, expect: {outputs: {o: [1]}}}\n- {name: both, event: {n: 3}, expect: {outputs: {o: [1, 2]}}}\n- {name: wrong, event: {n: 3}, expect: {outputs: {o: 1}}}\n";
    let folder = Folder::new("collect").with("a.yaml", set).with("cases.yaml", cases);
    let ran = folder.rules("test a.yaml cases.yaml");
    assert!(ran.out.contains("output `o`: expected 1, found [1,2]"), "{}", ran.out);
    assert!(ran.out.ends_with("2 passed, 1 failed\n"), "{}", ran.out);
}

#[test]
fn tests_beside_a_policy_of_cel_go_are_run() {
    let policy = "name: p\nrule:\n  match:\n  - condition: spec.origin in variables.banned && spec.qty > 3\n    output: \"{'action': 'block', 'rate': 1.5}\"\n  variables:\n  - {name: banned, expression: \"['xx', 'yy']\"}\n";
    let tests = r#"description: tests
section:
- name: banned
  tests:
  - name: many
    input: {spec.origin: {value: xx}, spec.qty: {expr: "2 + 2"}}
    output: {expr: "{'action': 'block', 'rate': 1.5}"}
  - name: few
    input: {spec.origin: {value: xx}, spec.qty: {value: 2}}
    output: "optional.none()"
  - name: wrong
    input: {spec.origin: {value: de}, spec.qty: {value: 20}}
    output: {value: {action: block, rate: 1.5}}
"#;
    let folder = Folder::new("policy_tests")
        .with("p.yaml", policy)
        .with("env.yaml", "variables: {spec.origin: string, spec.qty: int}\n")
        .with("tests.yaml", tests);
    let ran = folder.rules("test p.yaml tests.yaml --env env.yaml");
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("tests.yaml:11:11: failed: banned/wrong\n"), "{}", ran.out);
    assert!(
        ran.out.contains("`match[0]` did not fire: `spec.origin in variables.banned` is false"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("2 passed, 1 failed\n"), "{}", ran.out);
}

#[test]
fn an_expression_is_evaluated() {
    let folder = Folder::new("eval")
        .with("event.yaml", "order: {pay: 9.5, lines: [{qty: 1}, {qty: 3}]}\n")
        .with("guard.yaml", GUARD);
    let eval = |arguments: &[&str], input: &str| folder.run(&[&["eval"], arguments].concat(), input);
    let ran = eval(&["order.lines.exists(line, line.qty > 2)", "--event", "event.yaml"], "");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.starts_with("value  true\ntype   bool\ncost   "), "{}", ran.out);
    let ran = eval(
        &["line.price * line.qty", "--event", "-", "--env", "guard.yaml"],
        "{\"line\": {\"price\": \"1.10\", \"qty\": 3}}",
    );
    assert!(ran.out.starts_with("value  3.30\ntype   decimal\n"), "{} {}", ran.out, ran.err);

    let ran = eval(&["1 / 0"], "");
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("error  division by zero [RULES_DIVIDE_BY_ZERO]\n"), "{}", ran.out);
    let ran = eval(&["order.pya > 1.0", "--event", "event.yaml"], "");
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("^^^") && ran.out.contains("fields are `lines`, `pay`"), "{}", ran.out);
    let ran = eval(&["1", "--event", "-"], "[1, 2]");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("`-` is no event: expected an object"), "{}", ran.err);
}
