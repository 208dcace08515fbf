use comptoir_types::ErrorCode;
use serde_json::json;

use super::{EnvironmentSpec, RuleSet, RuleSetError, RuleSetSpec, Strategy};

fn build(yaml: &str) -> Result<RuleSet, RuleSetError> {
    RuleSet::build(RuleSetSpec::from_yaml(yaml)?)
}

fn refused(yaml: &str) -> (&'static str, String) {
    let error = build(yaml).unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn bad_sets_are_refused_with_their_place() {
    let (code, text) =
        refused("rules: [{id: a, when: 'true'}, {id: b, when: 'true'}, {id: a, when: 'true'}]");
    assert_eq!(code, "RULES_DUPLICATE_ID");
    assert_eq!(text, "`rules[2].id`: `a` is there already, as `rules[0]`: give each its own id");

    let (code, text) = refused(
        "variables: [{name: a, expression: variables.b + 1}, {name: b, expression: variables.c}, \
         {name: c, expression: variables.a}]",
    );
    assert_eq!(
        (code, &*text),
        (
            "RULES_VARIABLE_CYCLE",
            "`variables`: `a -> b -> c -> a` is a cycle: a variable may not need itself"
        )
    );
}

#[test]
fn an_output_that_may_be_null_takes_what_never_is() {
    let set = |source: &str| {
        build(&format!(
            "outputs: {{n: wrapper(int)}}\nrules: [{{id: r, when: 'true', outputs: {{n: {{cel: \"{source}\"}}}}}}]"
        ))
    };
    for (source, expected) in [("1 + 1", json!(2)), ("null", json!(null))] {
        let set = set(source).unwrap();
        assert_eq!(set.decide_json(&json!({})).output("n").unwrap().to_json(), expected);
    }
    assert_eq!(set("'a'").unwrap_err().code(), "RULES_TYPE_MISMATCH");
}

#[test]
fn a_text_with_nothing_in_it_is_no_set() {
    for text in ["", "\n\n", "# rules: []\n---\n"] {
        assert_eq!(refused(text).0, "RULES_SET_INVALID", "{text:?}");
    }
    assert_eq!(build("rules: []").unwrap().rules().len(), 0);
}

#[test]
fn a_rule_that_ends_before_it_begins_is_refused() {
    let rule = |until: &str| {
        format!(
            "environment: {{variables: {{at: timestamp}}}}\nat: at\nrules: [{{id: r, when: 'true', valid_from: \
             2026-12-01T00:00:00Z, valid_until: {until}}}]"
        )
    };
    assert!(build(&rule("2026-12-01T00:00:01Z")).is_ok());
    for until in ["2026-12-01T00:00:00Z", "2026-11-30T00:00:00Z"] {
        let (code, message) = refused(&rule(until));
        assert!(code == "RULES_SET_INVALID" && message.contains("rules[0].valid_until"), "{message}");
    }
}

#[test]
fn bad_expressions_and_fields_are_refused_with_their_place() {
    let env = "environment: {variables: {level: int, price: decimal}}\n";
    let (code, text) = refused(&format!("{env}rules: [{{id: a, when: 'lvel > 3'}}]"));
    assert_eq!(code, "RULES_UNKNOWN_NAME");
    assert_eq!(text, "`rules[0].when`: 1:1: undeclared name `lvel` (did you mean `level`?)");
    let error = build(&format!("{env}rules: [{{id: a, when: 'lvel > 3'}}]")).unwrap_err();
    assert!(error.render().contains("\n | lvel > 3\n | ^^^^"), "{}", error.render());
    assert_eq!(error.position().map(|at| (at.line, at.column)), Some((1, 1)));

    let (code, _) = refused(&format!("{env}rules: [{{id: a, when: level + 1}}]"));
    assert_eq!(code, "RULES_TYPE_MISMATCH");
    let (code, text) = refused("outputs: {rate: decimal}\nrules: [{id: a, outputs: {rate: abc}}]");
    assert_eq!(
        (code, &*text),
        ("RULES_TYPE_MISMATCH", "`rules[0].outputs.rate`: expected decimal, found `\"abc\"`")
    );
    let (code, text) = refused("outputs: {rate: decimal}\nrules: [{id: a, outputs: {rat: 1}}]");
    assert_eq!(code, "RULES_SET_INVALID");
    assert!(text.ends_with("did you mean `rate`?"), "{text}");
    let (code, text) = refused("rules: [{id: a, wen: 'true'}]");
    assert_eq!(code, "RULES_SET_SYNTAX");
    assert!(text.starts_with("`rules[0].wen`") || text.starts_with("`rules[0]`"), "{text}");
    assert_eq!(refused("rules: [{id: a, valid_from: 2026-01-01T00:00:00Z}]").0, "RULES_SET_INVALID");
    assert_eq!(refused(&format!("name: {}", "[".repeat(100_000))).0, "RULES_SET_SYNTAX");
    assert_eq!(RuleSetSpec::from_json("[]").unwrap_err().code(), "RULES_SET_SYNTAX");
}

#[test]
fn yaml_and_json_give_one_hash() {
    let yaml = "name: n\nversion: 3\nrules: [{id: a, outputs: {o: {y: 1, x: 2}}}]";
    let json = r#"{"version": "3", "rules": [{"id": "a", "outputs": {"o": {"x": 2, "y": 1}}}], "name": "n"}"#;
    let (one, two) = (build(yaml).unwrap(), RuleSet::build(RuleSetSpec::from_json(json).unwrap()).unwrap());
    assert_eq!(one.hash(), two.hash());
    assert_ne!(one.hash(), build("name: n\nversion: 4").unwrap().hash());
    let again = RuleSetSpec::from_json(&RuleSetSpec::from_yaml(yaml).unwrap().to_json().unwrap()).unwrap();
    assert_eq!(again, RuleSetSpec::from_yaml(yaml).unwrap());
}

const GUARD: &str = r#"
version: 1
environment:
  types: {Line: {price: decimal, floor: decimal, qty: int, sold_at: timestamp, channel: string}}
  variables: {line: Line}
at: line.sold_at
variables:
  - {name: limit, expression: "variables.share * decimal('0.5')"}
  - {name: share, expression: "line.floor * decimal('0.9')"}
hit_policy: all
rules:
  - {id: below, when: "line.price < variables.share", outputs: {action: block, short: {cel: "variables.share - line.price"}}}
  - {id: far-below, when: "line.price < variables.limit", outputs: {action: stop}, mode: shadow}
  - {id: christmas, when: "line.qty > 100 || line.channel == 'b2b'", valid_from: 2026-12-01T00:00:00Z, valid_until: 2027-01-01T00:00:00Z, outputs: {action: review}}
  - {id: never, when: "line.qty > 0", mode: off}
"#;

fn line(price: &str, qty: i64, at: &str) -> serde_json::Value {
    json!({"line": {"price": price, "floor": "10.00", "qty": qty, "sold_at": at, "channel": "shop"}})
}

#[test]
fn a_set_decides() {
    let set = build(GUARD).unwrap();
    let event = line("4.00", 500, "2026-12-24T00:00:00Z");
    let decision = set.decide_json(&event);
    assert_eq!(decision.fired().collect::<Vec<_>>(), ["below", "christmas"]);
    assert_eq!(decision.shadow().collect::<Vec<_>>(), ["far-below"]);
    assert_eq!(decision.output("short").unwrap().to_json(), json!("5.000"));
    let json = decision.to_json();
    assert_eq!(json["outputs"][1], json!({"rule": "christmas", "outputs": {"action": "review"}}));
    assert_eq!(json["shadow_outputs"][0]["outputs"]["action"], "stop");

    // The end of a validity is outside, its start inside.
    let fired =
        |at: &str| set.decide_json(&line("20", 500, at)).fired().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(fired("2027-01-01T00:00:00Z"), Vec::<String>::new());
    assert_eq!(fired("2026-12-01T00:00:00Z"), ["christmas"]);

    // An error in a rule stops no other.
    let decision = set.decide_json(&json!({"line": {"price": "1", "floor": "10"}})).to_json();
    assert_eq!(decision["fired"], json!(["below"]));
    assert_eq!(decision["faults"][0]["rule"], "christmas");
    assert_eq!(decision["faults"][0]["code"], "RULES_NO_SUCH_FIELD");
}

#[test]
fn a_set_explains() {
    let set = build(GUARD).unwrap();
    let event = line("9.50", 5, "2026-12-24T00:00:00Z");
    let event = set.json_event(&event);
    assert_eq!(
        set.why_not("christmas", &event).unwrap().to_string(),
        "`christmas` did not fire: `line.qty > 100` is false (line.qty = 5); \
         `line.channel == \"b2b\"` is false (line.channel = \"shop\")"
    );
    assert_eq!(
        set.why_not("below", &event).unwrap().to_string(),
        "`below` did not fire: `line.price < variables.share` is false (line.price = 9.50, variables.share = 9.000)"
    );
    assert!(set.why_not("nobody", &event).is_none());
    let trace = set.trace(&event);
    assert_eq!(trace.rules.len(), 4);
    assert_eq!(trace.rules[2].clauses.len(), 4);
}

#[test]
fn hit_policies_choose() {
    let rules = "rules: [{id: a, when: n > 1, priority: 1, outputs: {o: 1}}, {id: b, when: n > 2, priority: 9, outputs: {o: 2}}, \
                 {id: c, when: 1 / (n - 5) > 0, outputs: {o: 3}}]";
    let decide = |policy: &str, n: i64| {
        let set =
            build(&format!("environment: {{variables: {{n: int}}}}\nhit_policy: {policy}\n{rules}")).unwrap();
        let json = set.decide_json(&json!({"n": n})).to_json();
        (json["fired"].clone(), json["outputs"].clone(), json["faults"].as_array().unwrap().len())
    };
    assert_eq!(decide("first", 5), (json!(["a"]), json!({"o": 1}), 0));
    assert_eq!(decide("priority", 5), (json!(["b"]), json!({"o": 2}), 0));
    assert_eq!(decide("collect", 5), (json!(["a", "b"]), json!({"o": [1, 2]}), 1));
    assert_eq!(decide("all", 6).0, json!(["a", "b", "c"]));
    assert_eq!(decide("first", 0), (json!([]), json!({}), 0));
}

#[test]
fn sets_are_compared_over_events() {
    let set = |limit: i64| {
        build(&format!(
            "version: {limit}\nenvironment: {{variables: {{qty: int, pay: decimal}}}}\nrules: [{{id: big, when: qty > {limit}, outputs: {{action: review}}}}]"
        ))
        .unwrap()
    };
    let (old, new) = (set(10), set(20));
    let events: Vec<serde_json::Value> =
        (0..30).map(|qty| json!({"qty": qty, "pay": format!("{qty}.10")})).collect();
    let events: Vec<_> = events.iter().map(|event| old.json_event(event)).collect();
    let diff = old.diff(&new, &events, Some("pay")).unwrap();
    assert_eq!((diff.events, diff.changed), (30, 10));
    assert_eq!(diff.amount.unwrap().to_string(), "156.00");
    assert_eq!((diff.rules["big"].lost, diff.rules["big"].gained), (10, 0));
    assert_eq!(diff.rules["big"].samples, [11, 12, 13, 14, 15]);
    assert_eq!(diff.outputs["action"].samples[0].before, json!("review"));
    assert!(old.diff(&new, &events, Some("'a'")).is_err());
    assert_eq!(new.select(&events).len(), 9);
    assert_eq!(new.decide_batch(&events)[25].fired().len(), 1);
}

#[test]
fn a_policy_of_cel_go_is_read() {
    let environment = EnvironmentSpec {
        variables: [("country".to_owned(), "string".to_owned()), ("qty".to_owned(), "int".to_owned())].into(),
        ..EnvironmentSpec::default()
    };
    let text = r#"
name: restricted
rule:
  variables:
    - {name: banned, expression: "country in ['xx', 'yy']"}
  match:
    - condition: variables.banned
      rule:
        match:
          - {condition: "qty > 10", output: "'block'", explanation: "'many: ' + string(qty)"}
    - condition: qty > 5
      output: "'review'"
    - {output: "'pass'"}
"#;
    let set = RuleSet::build(RuleSetSpec::from_policy(text, environment).unwrap()).unwrap();
    let output = |country: &str, qty: i64| {
        set.decide_json(&json!({"country": country, "qty": qty})).to_json()["outputs"].clone()
    };
    assert_eq!(output("xx", 20), json!({"output": "block", "explanation": "many: 20"}));
    assert_eq!(output("xx", 7), json!({"output": "review"}));
    assert_eq!(output("de", 20), json!({"output": "review"}));
    assert_eq!(output("de", 1), json!({"output": "pass"}));
}

#[test]
fn variables_of_a_policy_are_seen_after_them_and_inside_of_their_rule_alone() {
    let environment = EnvironmentSpec {
        variables: [("n".to_owned(), "int".to_owned())].into(),
        ..EnvironmentSpec::default()
    };
    let policy = |before: &str, own: &str, after: &str| {
        format!(
            "name: p\nrule:\n  variables:\n  - {{name: outer, expression: '{own}'}}\n  - {{name: limit, expression: '1'}}\n  \
             match:\n  - {{condition: 'n == {before}', output: '1'}}\n  - rule:\n      variables:\n      \
             - {{name: limit, expression: 'variables.limit + 1'}}\n      - {{name: inner, expression: 'variables.limit'}}\n      \
             match:\n      - {{condition: 'n > variables.inner', output: '2'}}\n  - {{output: '{after}'}}\n"
        )
    };
    let read = |text: String| RuleSetSpec::from_policy(&text, environment.clone());
    let set = RuleSet::build(read(policy("0", "7", "variables.limit + variables.outer")).unwrap()).unwrap();
    let output = |n: i64| set.decide_json(&json!({"n": n})).to_json()["outputs"]["output"].clone();
    assert_eq!([output(0), output(3), output(2)], [json!(1), json!(2), json!(8)]);
    for (text, path) in [
        (policy("0", "7", "variables.inner"), "rule.match[2].output"),
        (policy("variables.inner", "7", "0"), "rule.match[0].condition"),
        (policy("0", "variables.limit", "0"), "rule.variables[0].expression"),
    ] {
        let wrong = read(text).unwrap_err().to_string();
        assert!(wrong.contains(path) && wrong.contains("is not declared here"), "{wrong}");
    }
    // What nobody declares is found where it is compiled, also the new name of a hidden variable.
    let unknown = read(policy("0", "7", "variables.limit_2")).unwrap();
    assert!(RuleSet::build(unknown).unwrap_err().to_string().contains("variables"));
}

#[test]
fn a_handle_is_swapped_while_others_decide() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let set = |version: u32| {
        let rule = format!("{{id: v{version}, outputs: {{v: {version}}}}}");
        build(&format!("version: {version}\nrules: [{rule}]")).unwrap()
    };
    let handle = super::RuleSetHandle::new(set(0));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let set = handle.load();
                    let decision = set.decide_slots(&[]);
                    let fired = decision.fired().next().unwrap();
                    assert_eq!(fired, format!("v{}", decision.version()));
                    assert_eq!(decision.output("v").unwrap().to_json().to_string(), decision.version());
                }
            });
        }
        for version in 1..200 {
            handle.swap(set(version));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(handle.load().version(), "199");
}

#[test]
fn a_variable_is_computed_once_and_only_where_needed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    let calls = Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    let (name, overload) = crate::Overload::parse("costly(int): int").unwrap();
    let overload = overload.bind(
        move |args: &[crate::Value<'_>]| {
            seen.fetch_add(1, Ordering::Relaxed);
            Ok(args[0].clone().into_owned())
        },
        crate::CostRule::Constant,
    );
    let yaml = "environment: {variables: {n: int}}\nvariables: [{name: x, expression: costly(n)}]\n\
                rules: [{id: a, when: n > 1 && variables.x * 2 > 3}, {id: b, when: n > 1 && variables.x * 3 > 3}]";
    let set = RuleSet::build_with(
        RuleSetSpec::from_yaml(yaml).unwrap(),
        crate::Env::builder().function(name, overload),
    )
    .unwrap()
    .with_strategy(Strategy::Scan);
    assert_eq!(set.decide_json(&json!({"n": 1})).fired().len(), 0);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(set.decide_json(&json!({"n": 5})).fired().len(), 2);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_rollout_takes_a_share_of_units_and_keeps_them() {
    let set = |share: &str| {
        build(&format!(
            "environment: {{variables: {{user: string, n: int}}}}\n\
             rules: [{{id: new, when: n > 0 || n < -5, rollout: {{unit: user, share: {share}, salt: s}}}}]"
        ))
        .unwrap()
    };
    let holds = |set: &RuleSet| -> Vec<usize> {
        let event = |user: usize| json!({"user": format!("u{user}"), "n": 1});
        (0..2_000).filter(|user| set.decide_json(&event(*user)).fired().len() == 1).collect()
    };
    let (few, more) = (holds(&set("1%")), holds(&set("0.2")));
    assert!((5..40).contains(&few.len()) && (320..480).contains(&more.len()), "{} {}", few.len(), more.len());
    assert!(few.iter().all(|user| more.contains(user)));
    let bucket = crate::rollout::bucket(crate::rollout::HashVersion::V1, "s", "u3");
    assert!(bucket >= 100, "chosen for this test");
    let why = set("1%").why_not("new", &set("1%").json_event(&json!({"user": "u3", "n": 1}))).unwrap();
    assert!(why.to_string().contains("`rollout to 1% of user` is false"), "{why}");
    assert!(why.to_string().contains(&format!("bucket = {bucket}")), "{why}");
    let absent = set("50%");
    let decision = absent.decide_json(&json!({"n": 1}));
    assert_eq!(decision.faults().len(), 1);
    assert_eq!(absent.decide_json(&json!({"n": 0})).faults().len(), 0, "its condition is false");
}

#[test]
fn bad_rollouts_are_refused_with_their_place() {
    let rule = |rollout: &str| {
        refused(&format!(
            "environment: {{variables: {{user: string, price: double}}}}\nrules: [{{id: a, rollout: {rollout}}}]"
        ))
    };
    let (code, text) = rule("{unit: user, share: 1.5}");
    assert_eq!(code, "RULES_SET_SYNTAX");
    assert!(text.contains("`1.5` is no share"), "{text}");
    let (code, text) = rule("{unit: price, share: 1%}");
    assert_eq!(code, "RULES_TYPE_MISMATCH");
    assert_eq!(text, "`rules[0].rollout.unit`: expected string, int or uint, found double");
    assert_eq!(rule("{unit: usr, share: 1%}").0, "RULES_UNKNOWN_NAME");
    assert_eq!(rule("{unit: user}").0, "RULES_SET_SYNTAX");
}
