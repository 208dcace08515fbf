//! `comptoir rules check`: every fault with its place, and what tables leave open.

mod support;

use support::{Folder, Ran};

impl Ran {
    /// The lines that name a file and a place.
    fn heads(&self) -> Vec<&str> {
        self.out.lines().filter(|line| !line.starts_with(' ') && line.contains(": ")).collect()
    }
}

const BAD: &str = r#"name: order guard
environment:
  types:
    Line: {price: decimal, floor: decimal, qty: int, channel: strin}
  variables: {line: Line, customer: Customer}
variables:
  - {name: least, expression: "line.floor * decimal('0.9')"}
  - {name: a, expression: variables.b + 1}
  - {name: b, expression: variables.a + 1}
outputs: {action: string, short: decimal}
rules:
  - id: zero
    when: line.prise == decimal('0') && lin.qty > 0
    outputs: {action: review, shrt: 3}
  - id: below
    when: |
      line.price < variables.least
        && line.qty >
    outputs: {action: 3, short: {cel: "line.flor - line.price"}}
  - {id: below, when: "line.qty + 1"}
  - {id: dated, wen: "true", valid_from: 2026-01-01T00:00:00Z}
tables:
  - id: rate
    csv: |
      line.qty,line.channel,=> short
      >= 5,web | shop,0.20
      x,web,0.1
"#;

#[test]
fn every_fault_is_found_with_its_place() {
    let ran = Folder::new("every_fault").with("bad.yaml", BAD).rules("check bad.yaml");
    assert_eq!((ran.status, &*ran.err), (1, ""));
    assert_eq!(
        ran.heads(),
        [
            "bad.yaml:4:63: error: declaration `channel`: type `strin` is not declared [RULES_DECLARATION]",
            "bad.yaml:5:37: error: declaration `customer`: type `Customer` is not declared [RULES_DECLARATION]",
            "bad.yaml:8:27: error: `a -> b -> a` is a cycle: a variable may not need itself [RULES_VARIABLE_CYCLE]",
            "bad.yaml:13:11: error: `Line` has no field `prise` [RULES_UNKNOWN_FIELD]",
            "bad.yaml:13:41: error: undeclared name `lin` [RULES_UNKNOWN_NAME]",
            "bad.yaml:14:31: error: `shrt` is no output of the set, did you mean `short`? [RULES_SET_INVALID]",
            "bad.yaml:18:22: error: expected a value, found the end [RULES_SYNTAX]",
            "bad.yaml:19:23: error: expected string, found `3` [RULES_TYPE_MISMATCH]",
            "bad.yaml:19:40: error: `Line` has no field `flor` [RULES_UNKNOWN_FIELD]",
            "bad.yaml:20:10: error: `below` is there already, as `rules[1]`: give each its own id [RULES_DUPLICATE_ID]",
            "bad.yaml:20:23: error: expected bool, found int [RULES_TYPE_MISMATCH]",
            "bad.yaml:21:17: error: unknown field `wen`, expected one of `id`, `description`, `when`, `outputs`, \
             `priority`, `tags`, `valid_from`, `valid_until`, `rollout`, `mode` [RULES_SET_SYNTAX]",
            "bad.yaml:21:42: error: the set needs `at`, the moment of an event [RULES_SET_INVALID]",
            "bad.yaml:27:7: error: `x` is no int [RULES_SET_INVALID]",
            "1 file, 6 rules: 14 errors",
        ]
    );
}

#[test]
fn a_fault_is_shown_with_its_line_a_caret_and_a_hint() {
    let text = "environment: {variables: {level: int}}\nrules:\n- {id: a, when: \"lvel > 3\"}\n";
    let ran = Folder::new("caret").with("a.yaml", text).rules("check a.yaml");
    assert_eq!(
        ran.out,
        "a.yaml:3:18: error: undeclared name `lvel` [RULES_UNKNOWN_NAME]\n  in rules[0].when\n  \
         3 | - {id: a, when: \"lvel > 3\"}\n    |                  ^^^^\n  = hint: did you mean `level`?\n\
         1 file, 1 rule: 1 error\n"
    );
    // An escape hides where in the file the name stands: then its part of the expression is shown.
    let text = r#"{"environment": {"variables": {"a": "int"}}, "rules": [{"id": "r", "when": "a < 1 \u0026\u0026 b"}]}"#;
    let ran = Folder::new("escape").with("a.json", text).rules("check a.json");
    assert!(ran.out.contains("a.json:1:76: error: undeclared name `b`"), "{}", ran.out);
    assert!(ran.out.contains("\n  | a < 1 && b\n  |          ^\n"), "{}", ran.out);
}

#[test]
fn a_file_that_cannot_be_read_is_no_answer() {
    let folder = Folder::new("missing").with("good.yaml", "rules: [{id: a}]");
    let ran = folder.rules("check good.yaml nothere.yaml");
    assert_eq!((ran.status, &*ran.out), (2, ""));
    assert!(ran.err.starts_with("comptoir: `nothere.yaml` cannot be read: "), "{}", ran.err);
    assert_eq!(folder.rules("check").status, 2);
    assert_eq!(folder.rules("chek good.yaml").status, 2);
    assert_eq!(folder.rules("check good.yaml --env nothere.yaml").status, 2);
}

#[test]
fn a_text_that_is_no_yaml_has_a_place() {
    let folder = Folder::new("no_yaml").with("a.yaml", "name: x\nrules:\n  - id: a\n   when: b\n");
    let ran = folder.rules("check a.yaml");
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("a.yaml:"), "{}", ran.out);
    assert!(ran.out.contains("[RULES_SET_SYNTAX]\n"), "{}", ran.out);
    let ran = Folder::new("no_json").with("a.json", "{\"rules\": [}").rules("check a.json");
    assert!(ran.out.starts_with("a.json:1:12: error: expected value"), "{}", ran.out);
    let ran = Folder::new("empty").with("a.yaml", "").rules("check a.yaml");
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("there is nothing in the text"), "{}", ran.out);
    let ran = Folder::new("no_rules").with("a.yaml", "rules: []").rules("check a.yaml");
    assert_eq!(ran.heads()[0], "a.yaml: warning: the set has no rules [RULES_SET_EMPTY]");
    let brackets = "[".repeat(100_000);
    assert_eq!(Folder::new("brackets").with("a.yaml", &brackets).rules("check a.yaml").status, 1);
}

#[test]
fn fields_of_the_form_are_all_looked_at() {
    let text = "nam: x\nhit_policy: frist\nrules:\n- id: a\n  wen: 'true'\n  priority: high\n- just text\n- {id: b, when: c}\n";
    let ran = Folder::new("form").with("a.yaml", text).rules("check a.yaml");
    let starts = [
        "a.yaml:1:1:",
        "a.yaml:2:13:",
        "a.yaml:5:3:",
        "a.yaml:6:13:",
        "a.yaml:7:3:",
        "a.yaml:8:17:",
        "1 file",
    ];
    let heads = ran.heads();
    assert_eq!(heads.len(), starts.len(), "{}", ran.out);
    for (head, start) in heads.iter().zip(starts) {
        assert!(head.starts_with(start), "{}", ran.out);
    }
    assert!(ran.out.contains("= hint: did you mean `when`?"), "{}", ran.out);
    assert!(!ran.out.contains("RuleSpec"), "{}", ran.out);
}

const TABLE: &str = "environment: {variables: {level: int, category: string}}
hit_policy: POLICY
tables:
  - id: discount
    checks: {CHECKS}
    csv: |
      level,category,=> rate
      >= 5,shoes | bags,0.20
      [3..5),shoes,0.10
      = level == 4 && category == 'x',,1
      [3..5),shoes,0.15
      < 3,,0
";

#[test]
fn tables_are_looked_at_for_gaps_overlaps_and_dead_rows() {
    let text = TABLE.replace("POLICY", "first").replace("CHECKS", "");
    let folder = Folder::new("tables").with("t.yaml", &text);
    let ran = folder.rules("check t.yaml");
    assert_eq!(ran.status, 0, "{}", ran.out);
    let heads = ran.heads();
    assert!(
        heads[0].starts_with("t.yaml:4:9: warning: table `discount`: no row is for level == 3 and"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("t.yaml:11:7: warning: table `discount`: row 4 never counts"), "{}", ran.out);
    assert!(ran.out.contains("note: table `discount`: rows 2 and 4 have inputs in common"), "{}", ran.out);
    assert!(
        ran.out.contains("note: table `discount`: not checked: rows with an expression in a cell (3)"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("1 file, 5 rules: 7 warnings\n"), "{}", ran.out);
    assert_eq!(folder.rules("check t.yaml --deny warnings").status, 1);

    // Where every row counts, none is dead, and two for one input are worth a warning.
    let text = TABLE.replace("POLICY", "all").replace("CHECKS", "");
    let ran = Folder::new("tables_all").with("t.yaml", &text).rules("check t.yaml");
    assert!(
        ran.out.contains("t.yaml:11:7: warning: table `discount`: rows 2 and 4 have inputs in common"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("never counts"), "{}", ran.out);

    let text = TABLE.replace("POLICY", "first").replace("CHECKS", "shadowed: forbid");
    let ran = Folder::new("tables_forbid").with("t.yaml", &text).rules("check t.yaml");
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("t.yaml:11:7: error: table `discount`: row 4 never counts"), "{}", ran.out);
}

#[test]
fn a_table_in_a_file_of_its_own_has_places() {
    let folder = Folder::new("csv")
        .with("env.yaml", "variables: {level: int, category: string}\n")
        .with("t.csv", "level,category,=> rate\n>= 5,,0.2\nfive,\"a\",0.1\n< 5,hats | 7,0.1\nx,shoes,1\n");
    let ran = folder.rules("check t.csv --env env.yaml");
    assert_eq!(ran.status, 1);
    assert_eq!(ran.heads()[0], "t.csv:3:1: error: `five` is no int [RULES_SET_INVALID]");
    assert_eq!(ran.heads()[1], "t.csv:5:1: error: `x` is no int [RULES_SET_INVALID]");
    assert!(ran.out.contains("  3 | five,\"a\",0.1\n    | ^^^^^^^^^^^^"), "{}", ran.out);
    assert!(folder.rules("check t.csv").out.contains("undeclared name `level`"));
}

#[test]
fn policies_have_places_in_their_own_form() {
    let policy = r#"name: restricted
rule:
  variables:
    - {name: banned, expression: "country in ['xx', 'yy']"}
    - {name: other, expression: "countr in ['xx', 'yy']"}
  match:
    - condition: variables.banned && qyt > 3
      rule:
        match:
          - {condition: "qty > 10", output: "'block'", explanation: "'many: ' + strin(qty)"}
          - {condition: "qt > 10", output: "'block'"}
    - {output: "'pass'"}
"#;
    let folder = Folder::new("policy")
        .with("p.yaml", policy)
        .with("env.yaml", "variables: {country: string, qty: int}\n")
        .with(
            "config.yaml",
            "name: c\nvariables: [{name: country, type_name: string}, {name: qty, type: {type_name: int}}]\n",
        );
    let ran = folder.rules("check p.yaml --env env.yaml");
    assert_eq!(
        ran.heads(),
        [
            "p.yaml:5:34: error: undeclared name `countr` [RULES_UNKNOWN_NAME]",
            "p.yaml:7:38: error: undeclared name `qyt` [RULES_UNKNOWN_NAME]",
            "p.yaml:10:81: error: undeclared function `strin` [RULES_UNKNOWN_FUNCTION]",
            "p.yaml:11:26: error: undeclared name `qt` [RULES_UNKNOWN_NAME]",
            "1 file, 3 rules: 4 errors",
        ]
    );
    assert!(ran.out.contains("  in rule.match[0].rule.match[0].explanation\n"), "{}", ran.out);
    assert_eq!(folder.rules("check p.yaml --env config.yaml").out, ran.out);
}

#[test]
fn machines_read_the_same() {
    let folder = Folder::new("json").with("bad.yaml", BAD).with("good.yaml", "rules: [{id: a}]");
    let ran = folder.rules("check good.yaml bad.yaml --format json");
    assert_eq!(ran.status, 1);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&answer["files"], &answer["rules"], &answer["errors"]), (&2.into(), &7.into(), &14.into()));
    let findings = answer["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 14);
    assert_eq!(
        findings[3],
        serde_json::json!({
            "file": "bad.yaml", "line": 13, "column": 11, "end_column": 21, "severity": "error",
            "code": "RULES_UNKNOWN_FIELD", "message": "`Line` has no field `prise`",
            "hint": "did you mean `price`?", "path": "rules[0].when",
        })
    );
    let ran = folder.rules("check good.yaml");
    assert_eq!((ran.status, &*ran.out), (0, "1 file, 1 rule: no faults\n"));
    assert!(!folder.rules("check bad.yaml").out.contains('\u{1b}'));
}

#[test]
fn a_table_may_lie_in_a_file_beside_the_set() {
    let set = "environment: {variables: {level: int}}\nhit_policy: first\ntables:\n- id: a\n  csv: a.csv\n- id: b\n  csv: b.csv\n";
    let folder = Folder::new("beside").with("set.yaml", set).with("a.csv", "level,=> rate\n>= 5,1\n< x,2\n");
    let ran = folder.rules("check set.yaml");
    assert_eq!(ran.heads()[0], "set.yaml:5:8: error: `x` is no int [RULES_SET_INVALID]");
    assert!(ran.out.contains("  in tables[0].rows[1], column `level`\n"), "{}", ran.out);
    assert!(ran.heads()[1].starts_with("set.yaml:7:8: error: `b.csv` cannot be read: "), "{}", ran.out);
    let folder = folder.with("a.csv", "level,=> rate\n>= 5,1\n").with("b.csv", "level,=> rate\n< 5,1\n");
    let ran = folder.rules("check set.yaml");
    assert_eq!((ran.status, ran.heads().len()), (0, 4), "{}", ran.out);
}
