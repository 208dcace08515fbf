use comptoir_types::ErrorCode;
use serde_json::json;

use super::{Finding, TableSpec};
use crate::rule_set::{RuleSet, RuleSetSpec};
use crate::types::{Env, Type};

const CSV: &str = "level,category,=> rate\n>= 5,shoes | bags,0.20\n[3..5),shoes,0.10\n< 3,,0\n";

fn env() -> Env {
    Env::builder()
        .variable("level", Type::Int)
        .variable("category", Type::String)
        .variable("vip", Type::Bool)
        .build()
        .unwrap()
}

fn findings(csv: &str) -> Vec<String> {
    let table = TableSpec { id: "t".into(), csv: Some(csv.into()), ..TableSpec::default() };
    table.check(&env()).unwrap().findings.iter().map(ToString::to_string).collect()
}

fn set(csv: &str, checks: &str) -> Result<RuleSet, crate::RuleSetError> {
    let csv = csv.replace('\n', "\n      ");
    let yaml = format!(
        "environment: {{variables: {{level: int, category: string}}}}\noutputs: {{rate: decimal}}\nhit_policy: first\n\
         tables:\n  - id: discount\n    checks: {{{checks}}}\n    csv: |\n      {csv}\n"
    );
    RuleSet::build(RuleSetSpec::from_yaml(&yaml)?)
}

#[test]
fn a_table_decides() {
    let set = set(CSV, "").unwrap();
    let rate = |level: i64, category: &str| {
        let decision = set.decide_json(&json!({"level": level, "category": category})).to_json();
        (decision["fired"].clone(), decision["outputs"]["rate"].clone())
    };
    assert_eq!(rate(7, "bags"), (json!(["discount#1"]), json!("0.20")));
    assert_eq!(rate(4, "shoes"), (json!(["discount#2"]), json!("0.10")));
    assert_eq!(rate(1, "hats"), (json!(["discount#3"]), json!("0")));
    assert_eq!(rate(7, "hats").0, json!([]));
}

#[test]
fn gaps_overlaps_and_shadowed_rows_are_found() {
    assert_eq!(
        findings(CSV),
        [
            "no row is for level == 3 and any other category",
            "no row is for level == 3 and category == \"bags\"",
            "no row is for 3 < level < 5 and any other category",
            "no row is for 3 < level < 5 and category == \"bags\"",
            "no row is for level == 5 and any other category",
            "no row is for level > 5 and any other category",
        ]
    );
    assert_eq!(findings("vip,=> rate\ntrue,1\nfalse,2\n"), Vec::<String>::new());
    assert_eq!(
        findings("level,=> rate\n>= 3,1\n<= 3,2\n3,3\n"),
        [
            "rows 1 and 2 have inputs in common",
            "rows 1 and 3 have inputs in common",
            "rows 2 and 3 have inputs in common",
            "row 3 never counts: rows before it (1, 2) take all it is for",
        ]
    );
    // Between two integers that follow one another there is nothing.
    assert_eq!(findings("level,=> rate\n<= 3,1\n>= 4,2\n"), Vec::<String>::new());
    assert_eq!(findings("level,=> rate\n= level * 2 > 3,1\n").len(), 1);
}

#[test]
fn a_table_with_gaps_is_refused_where_it_says_so() {
    let error = set(CSV, "gaps: forbid").unwrap_err();
    assert_eq!(error.code(), "RULES_TABLE");
    assert_eq!(error.to_string(), "`tables[0]`: no row is for level == 3 and any other category");
    let error = set("level,=> rate\n>= 3,1\n<= 3,2\n3,3\n", "shadowed: forbid").unwrap_err();
    assert!(error.to_string().contains("row 3 never counts"), "{error}");
}

#[test]
fn bad_cells_name_their_place() {
    let text = |csv: &str| set(csv, "").unwrap_err().to_string();
    assert_eq!(text("level,=> rate\n>= x,1\n"), "`tables[0].rows[0], column `level``: `x` is no int");
    assert_eq!(
        text("level,=> rate\n3,abc\n"),
        "`tables[0].rows[0].outputs.rate`: expected decimal, found `\"abc\"`"
    );
    assert!(text("lvl,=> rate\n3,1\n").starts_with("`tables[0].inputs[0]`: 1:1: undeclared name `lvl`"));
    assert!(text("level,=> rate\n3\n").starts_with("`tables[0].csv`"));
    assert_eq!(
        text("level,=> rate,=> rate\n3,1,2\n"),
        "`tables[0].outputs[1]`: output `rate` stands twice: the last would count"
    );
    let table = TableSpec {
        id: "t".into(),
        inputs: vec!["level".into()],
        rows: vec![vec![]],
        ..TableSpec::default()
    };
    assert!(table.check(&env()).is_err());
    let gap = Finding::Gap { inputs: Vec::new() };
    assert_eq!(gap.to_string(), "there is no row");
}
