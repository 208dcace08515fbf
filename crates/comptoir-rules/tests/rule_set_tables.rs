//! A row of a table has the decision of its event, whatever the policy, the threads and the faults.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

#[path = "support/rule_sets.rs"]
mod generate;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use comptoir_rules::rule_set::{
    CelSpec, Decision, Decisions, HitPolicy, Mode, OutputSpec, RuleSet, RuleSetSpec, RuleSpec,
    Strategy as Way,
};
use comptoir_rules::{Value, Variables};
use comptoir_types::ErrorCode;
use generate::{Gives, INPUTS, spec};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// The values of a row; none is null.
type Row = (Option<u8>, Option<u8>, Option<i64>, Option<f64>, Option<bool>, Option<i64>, Option<Vec<u8>>);

fn row() -> impl Gives<Row> {
    let text = || prop::option::weighted(0.95, 0_u8..5);
    let number = || prop::option::weighted(0.95, -4_i64..5);
    let double = prop::option::weighted(0.95, (-9_i32..10).prop_map(|half| f64::from(half) / 2.0));
    let tags = prop::option::weighted(0.95, prop::collection::vec(0_u8..5, 0..4));
    (text(), text(), number(), double, prop::option::weighted(0.95, any::<bool>()), number(), tags)
}

fn table(rows: &[Row]) -> RecordBatch {
    let name = |number: u8| format!("t{number}");
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows {
        tags.append_option(row.6.as_ref().map(|all| all.iter().map(|tag| Some(name(*tag)))));
    }
    let columns: [ArrayRef; 7] = [
        Arc::new(rows.iter().map(|row| row.0.map(name)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.1.map(name)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.4).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.5).collect::<Int64Array>()),
        Arc::new(tags.finish()),
    ];
    RecordBatch::try_from_iter(INPUTS.map(|(name, _)| name).into_iter().zip(columns)).unwrap()
}

fn event(row: &Row) -> Variables<'static> {
    let text = |number: Option<u8>| number.map_or(Value::Null, |number| Value::string(format!("t{number}")));
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
    Variables::new()
        .with("city", text(row.0))
        .with("brand", text(row.1))
        .with("level", number(row.2))
        .with("price", row.3.map_or(Value::Null, Value::Double))
        .with("vip", row.4.map_or(Value::Null, Value::Bool))
        .with("any", number(row.5))
        .with(
            "tags",
            row.6
                .as_ref()
                .map_or(Value::Null, |tags| Value::list(tags.iter().map(|tag| text(Some(*tag))).collect())),
        )
}

/// Gives the rules outputs: a literal, an expression, one that often has a fault; not all of them to every rule.
fn with_outputs(mut spec: RuleSetSpec) -> RuleSetSpec {
    let cel = |text: &str| OutputSpec::Cel(CelSpec { cel: text.into() });
    for (number, rule) in (0_i64..).zip(&mut spec.rules) {
        let all = [
            ("mark", OutputSpec::Literal(json!(number))),
            ("double", cel("price * 2.0")),
            ("share", cel("10 / level")),
            ("name", cel("city + '!'")),
        ];
        let given = all.into_iter().enumerate().filter(|(place, _)| number >> place & 1 == 0);
        rule.outputs = given.map(|(_, (name, output))| (name.to_owned(), output)).collect();
    }
    spec
}

/// Few rules without variables: their conditions are evaluated by columns.
fn small(mut spec: RuleSetSpec) -> RuleSetSpec {
    spec.variables.clear();
    spec.rules.retain(|rule| !rule.when.contains("variables."));
    spec.rules.truncate(12);
    spec
}

/// What a column has at a row.
fn cell(column: &dyn Array, row: usize) -> Json {
    if column.is_null(row) {
        return Json::Null;
    }
    match column.data_type() {
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => json!(column.as_string::<i32>().value(row)),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            (0..list.len()).map(|place| cell(&list, place)).collect()
        }
        other => panic!("{other}"),
    }
}

/// What the table should have for a decision.
fn expected(policy: HitPolicy, decision: &Decision<'_>, name: &str) -> Json {
    let given: Vec<(&str, Json)> = decision
        .outputs()
        .filter(|output| output.name == name)
        .map(|output| (output.rule, output.value.to_json()))
        .collect();
    match policy {
        HitPolicy::First | HitPolicy::Priority => given.into_iter().next().map_or(Json::Null, |one| one.1),
        HitPolicy::Collect if given.is_empty() => Json::Null,
        HitPolicy::Collect => given.into_iter().map(|one| one.1).collect(),
        HitPolicy::All if decision.fired().len() == 0 => Json::Null,
        HitPolicy::All => {
            let given: BTreeMap<&str, Json> = given.into_iter().collect();
            decision.fired().map(|id| given.get(id).cloned().unwrap_or(Json::Null)).collect()
        }
    }
}

fn decide(set: &RuleSet, batch: &RecordBatch, threads: usize) -> Decisions {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| set.decide_table(batch, &Variables::new())).unwrap()
}

fn same(set: &RuleSet, rows: &[Row], found: &Decisions) {
    let (mut faults, mut count) = (Vec::new(), 0);
    for (place, row) in rows.iter().enumerate() {
        let event = event(row);
        let decision = set.decide(&event);
        let column = |name: &str| cell(found.batch[name].as_ref(), place);
        assert_eq!(column("fired"), json!(decision.fired().collect::<Vec<_>>()), "{row:?}");
        if found.batch.column_by_name("shadow").is_some() {
            assert_eq!(column("shadow"), json!(decision.shadow().collect::<Vec<_>>()), "{row:?}");
        } else {
            assert_eq!(decision.shadow().len(), 0);
        }
        for name in set.output_names() {
            assert_eq!(column(name), expected(set.hit_policy(), &decision, name), "{name} {row:?}");
        }
        count += decision.faults().len();
        faults.extend(decision.faults().map(|(rule, fault)| (place, rule.to_owned(), fault.to_string())));
    }
    assert_eq!(found.fault_count, count);
    faults.truncate(Decisions::MAX_FAULTS);
    let kept = found.faults.iter().map(|one| (one.row, one.rule.clone(), one.message.clone()));
    assert_eq!(kept.collect::<Vec<_>>(), faults);
}

/// A table of some thousand rows from a few.
fn many(few: &[Row], count: usize) -> Vec<Row> {
    (0..count).map(|place| few[place * 31 % few.len()].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_row_is_decided_as_its_event(
        spec in spec(),
        few in prop::collection::vec(row(), 1..24),
        count in prop_oneof![0_usize..20, 1000_usize..1300],
        is_scan in any::<bool>(),
        is_small in any::<bool>(),
    ) {
        let way = if is_scan { Way::Scan } else { Way::Index };
        let spec = if is_small { small(spec) } else { spec };
        let set = RuleSet::build(with_outputs(spec)).unwrap().with_strategy(way);
        let rows = many(&few, count);
        let batch = table(&rows);
        let one = decide(&set, &batch, 1);
        same(&set, &rows, &one);
        prop_assert_eq!(&decide(&set, &batch, 2), &one);

        let selected = set.select_table(&batch, &Variables::new()).unwrap();
        let chosen: Vec<u64> = (0..).zip(&rows).filter(|(_, row)| set.decide(&event(row)).fired().len() > 0)
            .map(|(place, _)| place).collect();
        prop_assert_eq!(selected.rows.values().to_vec(), chosen);
    }

    #[test]
    fn a_table_differs_as_its_events(
        old in spec(), new in spec(), few in prop::collection::vec(row(), 1..24), is_column in any::<bool>(),
    ) {
        let (old, new) = (RuleSet::build(with_outputs(old)).unwrap(), RuleSet::build(with_outputs(new)).unwrap());
        let rows = many(&few, 1100);
        let events: Vec<Variables<'_>> = rows.iter().map(event).collect();
        let amount = if is_column { "level" } else { "level * 2 + 1" };
        let whole = table(&rows);
        let found = old.diff_table(&new, &whole, &Variables::new(), Some(amount)).unwrap();
        let (head, rest) = (rows.len() / 3, rows.len() - rows.len() / 3);
        let chunks = [whole.slice(0, head), whole.slice(0, 0), whole.slice(head, rest)];
        assert_eq!(old.diff_chunks(&new, &chunks, &Variables::new(), Some(amount)).unwrap(), found);
        prop_assert_eq!(found, old.diff(&new, &events, Some(amount)).unwrap());
    }
}

fn set(text: &str) -> RuleSet {
    RuleSet::build(RuleSetSpec::from_yaml(text).unwrap()).unwrap()
}

#[test]
fn an_output_without_a_type_has_what_its_rules_agree_on() {
    let set = set("environment: {variables: {n: int}}\nhit_policy: first\nrules:\n\
                   - {id: a, when: n == 1, outputs: {share: 1, list: [1, 2], mixed: x}}\n\
                   - {id: b, when: n == 2, outputs: {share: 1.5, list: [], mixed: 2}}\n\
                   - {id: c, when: n == 3, outputs: {share: {cel: n * 2}, mixed: {cel: '[n]'}}}");
    let n: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
    let batch = RecordBatch::try_from_iter([("n", n)]).unwrap();
    let found = set.decide_table(&batch, &Variables::new()).unwrap().batch;
    let column = |name: &str| (0..4).map(|row| cell(found[name].as_ref(), row)).collect::<Vec<_>>();
    assert_eq!(column("share"), [json!(1.0), json!(1.5), json!(6.0), Json::Null]);
    assert_eq!(column("list"), [json!([1, 2]), json!([]), Json::Null, Json::Null]);
    assert_eq!(column("mixed"), [json!("x"), json!("2"), json!("[3]"), Json::Null]);
    assert_eq!(found.num_columns(), 4, "no shadow rules, no column for them");
}

#[test]
fn a_value_without_a_place_in_its_column_is_a_fault() {
    let set = set("environment: {variables: {any: dyn}}\noutputs: {n: int}\n\
                   rules: [{id: a, outputs: {n: 1}}, {id: b, outputs: {n: {cel: any}}}]");
    let any: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let batch = RecordBatch::try_from_iter([("any", any)]).unwrap();
    let found = set.decide_table(&batch, &Variables::new()).unwrap();
    assert_eq!(cell(found.batch["n"].as_ref(), 0), json!([1, null]));
    assert_eq!((found.faults[0].row, &*found.faults[0].rule, found.fault_count), (0, "b", 1));
}

#[test]
fn what_is_wrong_with_a_table_is_named() {
    let set = set(
        "environment: {variables: {price: double, floor: double}}\nrules: [{id: a, when: price < floor}]",
    );
    let floor: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let batch = RecordBatch::try_from_iter([("floor", floor.clone())]).unwrap();
    let missing = set.decide_table(&batch, &Variables::new()).unwrap_err();
    assert_eq!(missing.code(), "TYPES_COLUMN_MISSING");
    assert!(missing.to_string().contains("`price`"), "{missing}");
    assert!(set.decide_table(&batch, &Variables::new().with("price", 0.5)).is_ok());
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let batch = RecordBatch::try_from_iter([("floor", floor), ("price", text)]).unwrap();
    assert_eq!(set.select_table(&batch, &Variables::new()).unwrap_err().code(), "TYPES_COLUMN_TYPE");
    let wrong = set.diff_table(&set, &batch, &Variables::new(), Some("price")).unwrap_err();
    assert_eq!(wrong.code(), "TYPES_COLUMN_TYPE");
}

#[test]
fn an_output_may_not_have_the_name_of_another_column() {
    let spec = RuleSetSpec {
        rules: vec![RuleSpec {
            id: "a".into(),
            mode: Mode::Enforce,
            outputs: [("fired".to_owned(), OutputSpec::Literal(json!(1)))].into(),
            ..RuleSpec::default()
        }],
        ..RuleSetSpec::default()
    };
    let set = RuleSet::build(spec).unwrap();
    let any: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("any", any)]).unwrap();
    let error = set.decide_table(&batch, &Variables::new()).unwrap_err();
    assert_eq!(error.code(), "TYPES_COLUMN_AMBIGUOUS");
}
