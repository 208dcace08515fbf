//! Random rule sets and events: the index changes nothing, and a set says of each rule what its condition alone says.

use std::collections::BTreeMap;

#[path = "support/rule_sets.rs"]
mod generate;

use comptoir_rules::rule_set::{HitPolicy, Mode, RuleSet, Strategy as Way};
use comptoir_rules::{Env, Value};
use generate::{Gives, INPUTS, spec};
use proptest::prelude::*;

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
