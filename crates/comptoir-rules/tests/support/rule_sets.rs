//! Random rule sets.

use comptoir_rules::rule_set::{EnvironmentSpec, HitPolicy, Mode, RuleSetSpec, RuleSpec, VariableSpec};
use proptest::prelude::*;

/// Inputs and their types.
pub const INPUTS: [(&str, &str); 7] = [
    ("city", "string"),
    ("brand", "string"),
    ("level", "int"),
    ("price", "double"),
    ("vip", "bool"),
    ("any", "dyn"),
    ("tags", "list(string)"),
];

/// A text of a few.
pub fn text() -> impl Gives<String> {
    (0..4).prop_map(|number| format!("'t{number}'"))
}

/// A short name for what generators give.
pub trait Gives<T>: proptest::strategy::Strategy<Value = T> {}
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
        2 => text().prop_map(|text| format!("{text} in tags")),
        2 => prop::collection::vec(text(), 0..4)
            .prop_map(|texts| format!("tags.exists(t, t in [{}])", texts.join(", "))),
        1 => (text(), text()).prop_map(|(one, two)| format!("tags.exists(t, t == {one} || {two} == t)")),
        1 => text().prop_map(|text| format!("!({text} in tags)")),
        1 => text().prop_map(|text| format!("tags.exists(t, t != {text})")),
        1 => text().prop_map(|text| format!("variables.words.exists(w, w == {text})")),
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

/// Many rules of few shapes.
fn alike() -> impl Gives<Vec<RuleSpec>> {
    let shapes = prop::collection::vec(0..10, 1..4);
    let rules = prop::collection::vec((-3..4, -3..4, any::<prop::sample::Index>(), text()), 30..240);
    (shapes, rules).prop_map(|(shapes, rules): (Vec<i32>, Vec<_>)| {
        let spec = |(level, price, shape, text): (i32, i32, prop::sample::Index, String)| RuleSpec {
            when: of_shape(*shape.get(&shapes), level, price, &text),
            ..RuleSpec::default()
        };
        rules.into_iter().map(spec).collect()
    })
}

fn of_shape(shape: i32, level: i32, price: i32, text: &str) -> String {
    match shape {
        0 => format!("level >= {level} && price < {price}.5"),
        1 => format!("city == 't1' && level < {level} && price >= {price}.0"),
        2 => format!("{text} in tags && level >= {level}"),
        3 => format!("tags.exists(t, t in ['t1', {text}]) && price >= {price}.0 || city == {text}"),
        4 => format!("tags.exists(t, t in ['t1', 't2', {text}]) && city in ['t1', 't2'] && level < {level}"),
        5 => format!("city in ['t1', 't2'] && brand == {text} && level > {level}"),
        6 => format!("city in ['t1', {text}]"),
        7 => format!("city == {text} || brand == {text} || {text} in tags"),
        8 => format!("price >= {price}.0 || price >= {level}.5 || level < {level}"),
        _ => format!(
            "city == 't1' && (level > {level} || price < {price}.5) || city == 't1' && level > {price}"
        ),
    }
}

/// A rule set of any shape.
pub fn spec() -> impl Gives<RuleSetSpec> {
    let policy =
        prop::sample::select(vec![HitPolicy::All, HitPolicy::First, HitPolicy::Priority, HitPolicy::Collect]);
    // Sets with many rules of one shape have blocks.
    let rules = prop_oneof![prop::collection::vec(rule(), 0..60), alike(),];
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
                variable("words", "tags.map(t, t + '')"),
            ],
            rules,
            hit_policy,
            ..RuleSetSpec::default()
        }
    })
}
