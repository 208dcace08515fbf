//! Random rule sets and events: the index changes nothing, and a set says of each rule what its condition alone says.

use std::collections::BTreeMap;

use comptoir_rules::rule_set::{
    EnvironmentSpec, HitPolicy, Mode, RuleSet, RuleSetSpec, RuleSpec, Strategy as Way, VariableSpec,
};
use comptoir_rules::{Env, Value};
use proptest::prelude::*;

const INPUTS: [(&str, &str); 6] = [
    ("city", "string"),
    ("brand", "string"),
    ("level", "int"),
    ("price", "double"),
    ("vip", "bool"),
    ("any", "dyn"),
];

fn text() -> impl Gives<String> {
    (0..4).prop_map(|number| format!("'t{number}'"))
}

/// A short name for what generators give.
trait Gives<T>: proptest::strategy::Strategy<Value = T> {}
impl<T, S: proptest::strategy::Strategy<Value = T>> Gives<T> for S {}

fn clause() -> impl Gives<String> {
    let op = prop::sample::select(vec!["<", "<=", ">", ">="]);
    let equality = prop::sample::select(vec!["==", "!="]);
    let name = prop::sample::select(vec!["city", "brand"]);
    prop_oneof![
        3 => (name.clone(), equality.clone(), text()).prop_map(|(name, op, text)| format!("{name} {op} {text}")),
        3 => (name, prop::collection::vec(text(), 0..4))
            .prop_map(|(name, texts)| format!("{name} in [{}]", texts.join(", "))),
        3 => (op.clone(), -3..4).prop_map(|(op, number)| format!("level {op} {number}")),
        2 => (equality, -3..4).prop_map(|(op, number)| format!("level {op} {number}")),
        3 => (op.clone(), -3..4).prop_map(|(op, number)| format!("price {op} {number}.5")),
        1 => (op.clone(), -3..4).prop_map(|(op, number)| format!("price {op} {number}")),
        1 => (op.clone(), -3..4).prop_map(|(op, number)| format!("{number} {op} level")),
        1 => (op, -3..4).prop_map(|(op, number)| format!("any {op} {number}")),
        1 => text().prop_map(|text| format!("any == {text}")),
        1 => (-3..4).prop_map(|number| format!("any in [{number}, 'a', true]")),
        1 => Just("vip".to_owned()),
        1 => Just("!vip".to_owned()),
        1 => Just("vip == true".to_owned()),
        1 => (-2..3).prop_map(|number| format!("10 / (level - {number}) > 2")),
        1 => (-2..3).prop_map(|number| format!("variables.twice > {number}")),
        1 => text().prop_map(|text| format!("variables.place == {text}")),
        1 => Just("city.startsWith('t') && brand.size() > 1".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
    ]
}

fn condition() -> impl Gives<String> {
    let all = || prop::collection::vec(clause(), 1..5).prop_map(|clauses| clauses.join(" && "));
    prop_oneof![
        4 => all(),
        2 => prop::collection::vec(all().prop_map(|one| format!("({one})")), 2..4).prop_map(|all| all.join(" || ")),
        1 => prop::collection::vec(clause(), 2..4).prop_map(|all| format!("({}) && level > 0", all.join(" || "))),
    ]
}

fn rule() -> impl Gives<RuleSpec> {
    let mode = prop::sample::select(vec![Mode::Enforce, Mode::Enforce, Mode::Shadow, Mode::Off]);
    (condition(), mode, 0_i64..3).prop_map(|(when, mode, priority)| RuleSpec {
        when,
        mode,
        priority,
        ..RuleSpec::default()
    })
}

fn spec() -> impl Gives<RuleSetSpec> {
    let policy =
        prop::sample::select(vec![HitPolicy::All, HitPolicy::First, HitPolicy::Priority, HitPolicy::Collect]);
    // Sets with many rules of one shape have blocks.
    let rules = prop_oneof![
        prop::collection::vec(rule(), 0..60),
        prop::collection::vec((-3..4, -3..4, 0..3, text()), 30..120).prop_map(|all| {
            let when = |(level, price, shape, text): (i32, i32, i32, String)| match shape {
                0 => format!("level >= {level} && price < {price}.5"),
                1 => format!("city == 't1' && level < {level} && price >= {price}.0"),
                _ => format!("city in ['t1', 't2'] && brand == {text} && level > {level}"),
            };
            all.into_iter().map(|one| RuleSpec { when: when(one), ..RuleSpec::default() }).collect()
        }),
    ];
    (rules, policy).prop_map(|(mut rules, hit_policy): (Vec<RuleSpec>, _)| {
        for (number, rule) in rules.iter_mut().enumerate() {
            rule.id = format!("r{number}");
        }
        let variable =
            |name: &str, expression: &str| VariableSpec { name: name.into(), expression: expression.into() };
        RuleSetSpec {
            environment: EnvironmentSpec {
                variables: INPUTS.map(|(name, ty)| (name.to_owned(), ty.to_owned())).into(),
                ..EnvironmentSpec::default()
            },
            variables: vec![
                variable("twice", "variables.once * 2"),
                variable("once", "6 / level"),
                variable("place", "city"),
            ],
            rules,
            hit_policy,
            ..RuleSetSpec::default()
        }
    })
}

fn value(name: &'static str) -> BoxedStrategy<Value<'static>> {
    let text = || (0..5).prop_map(|number| Value::string(format!("t{number}")));
    let number = || (-4_i64..5).prop_map(Value::Int);
    let double = || {
        prop_oneof![
            (-9_i32..10).prop_map(|half| Value::Double(f64::from(half) / 2.0)),
            Just(Value::Double(f64::NAN))
        ]
    };
    let usual = match name {
        "city" | "brand" => text().boxed(),
        "level" => number().boxed(),
        "price" => double().boxed(),
        "vip" => any::<bool>().prop_map(Value::Bool).boxed(),
        _ => prop_oneof![text(), number(), double(), Just(Value::Bool(true)), Just(Value::Uint(2))].boxed(),
    };
    // Now and then an input is missing, or of another type than the host promised.
    prop_oneof![12 => usual, 1 => Just(Value::Absent), 1 => Just(Value::Null), 1 => text()].boxed()
}

fn event() -> impl Gives<BTreeMap<&'static str, Value<'static>>> {
    INPUTS
        .map(|(name, _)| value(name))
        .prop_map(|values| INPUTS.map(|(name, _)| name).into_iter().zip(values).collect())
}

fn inputs(set: &RuleSet, event: &BTreeMap<&'static str, Value<'static>>) -> Vec<Value<'static>> {
    set.inputs().iter().map(|slot| event[&*slot.name].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_index_changes_nothing(spec in spec(), events in prop::collection::vec(event(), 1..12)) {
        let indexed = RuleSet::build(spec.clone()).unwrap();
        let scanned = RuleSet::build(spec).unwrap().with_strategy(Way::Scan);
        for event in &events {
            let inputs = inputs(&indexed, event);
            prop_assert_eq!(
                indexed.decide_slots(&inputs).to_json(),
                scanned.decide_slots(&inputs).to_json(),
                "{:?}", event
            );
        }
    }

    #[test]
    fn a_rule_is_what_its_condition_is(mut spec in spec(), events in prop::collection::vec(event(), 1..8)) {
        spec.hit_policy = HitPolicy::All;
        for rule in &mut spec.rules {
            rule.mode = Mode::Enforce;
        }
        let set = RuleSet::build(spec.clone()).unwrap();
        let env = INPUTS.into_iter().fold(Env::builder(), |env, (name, ty)| env.variable_of(name, ty)).build().unwrap();
        for event in &events {
            let decision = set.decide_slots(&inputs(&set, event));
            let fired: Vec<&str> = decision.fired().collect();
            let faulty: Vec<&str> = decision.faults().map(|(id, _)| id).collect();
            for rule in &spec.rules {
                let written = rule.when.replace("variables.twice", "(6 / level * 2)").replace("variables.place", "city");
                let program = env.compile(&written).unwrap();
                let slots: Vec<Value<'_>> = program.slots().iter().map(|slot| event[&*slot.name].clone()).collect();
                let expected = program.test(&slots);
                prop_assert_eq!(fired.contains(&&*rule.id), matches!(expected, Ok(true)), "{} {:?}", rule.when, event);
                prop_assert_eq!(faulty.contains(&&*rule.id), expected.is_err(), "{} {:?}", rule.when, event);
            }
        }
    }
}
