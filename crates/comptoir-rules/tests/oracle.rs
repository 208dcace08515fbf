//! The crates `cel` and `cel-core` as oracles: on random well-typed expressions and random events all three give the same
//! value, or an error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

#[path = "support/expressions.rs"]
mod expressions;

use std::sync::Arc;

use comptoir_rules::{Env, Type, Value, Variables, value::Fault};
use expressions::Random;
use proptest::prelude::*;

/// The code of an index that a list does not have.
const INDEX: &str = "RULES_INDEX_RANGE";

/// In the place of a code: the checker refuses the expression.
const REFUSED: &str = "refused";

/// The inputs of an evaluation.
struct Event {
    i: i64,
    j: i64,
    b: bool,
    s: &'static str,
    l: Vec<i64>,
}

impl Event {
    fn draw(random: &mut Random) -> Self {
        const NUMBERS: [i64; 9] = [5, -3, 0, 1, -1, 7, i64::MAX, i64::MIN, 1 << 40];
        const TEXTS: [&str; 6] = ["abc", "", "a", "ä€😀", "b.c", "ABC abc"];
        let length = random.below(5);
        Self {
            i: NUMBERS[random.below(NUMBERS.len())],
            j: NUMBERS[random.below(NUMBERS.len())],
            b: random.below(2) == 0,
            s: TEXTS[random.below(TEXTS.len())],
            l: (0..length).map(|_| NUMBERS[random.below(NUMBERS.len())]).collect(),
        }
    }
}

/// The value, or the code of the error.
fn own(source: &str, event: &Event) -> Result<String, &'static str> {
    let env = Env::builder()
        .variable("i", Type::Int)
        .variable("j", Type::Int)
        .variable("b", Type::Bool)
        .variable("s", Type::String)
        .variable("l", Type::list(Type::Int))
        .build()
        .unwrap();
    let program = env.compile(source).map_err(|error| {
        // The element of an empty list is whatever it is first compared with, as in cel-go: elsewhere it may not fit.
        assert!(source.contains("[]"), "{source}: {error}");
        REFUSED
    })?;
    let input = Variables::new()
        .with("i", event.i)
        .with("j", event.j)
        .with("b", event.b)
        .with("s", event.s)
        .with("l", Value::list(event.l.iter().map(|value| Value::Int(*value)).collect::<Vec<_>>()));
    program.eval(&input).map(|value| value.to_json().to_string()).map_err(|fault| match fault {
        Fault::Error(error) | Fault::Exhausted(error) => error.code.name(),
        Fault::Unknown(_) => "unknown",
    })
}

fn of_cel(source: &str, event: &Event) -> Option<String> {
    fn text(value: &cel::Value) -> String {
        match value {
            cel::Value::Int(value) => value.to_string(),
            cel::Value::Bool(value) => value.to_string(),
            cel::Value::String(value) => serde_json::Value::from(value.as_str()).to_string(),
            cel::Value::List(values) => {
                format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(","))
            }
            other => format!("{other:?}"),
        }
    }
    let env = Arc::new(cel::Env::stdlib());
    let program = env.compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut context = cel::Context::with_env(env);
    context.add_variable("i", event.i).unwrap();
    context.add_variable("j", event.j).unwrap();
    context.add_variable("b", event.b).unwrap();
    context.add_variable("s", event.s).unwrap();
    context.add_variable("l", event.l.clone()).unwrap();
    program.execute(&context).ok().map(|value| text(&value))
}

fn of_cel_core(source: &str, event: &Event) -> Option<String> {
    use cel_core::{CelType, MapActivation};

    fn text(value: &cel_core::Value) -> String {
        match value {
            cel_core::Value::Int(value) => value.to_string(),
            cel_core::Value::Bool(value) => value.to_string(),
            cel_core::Value::String(value) => serde_json::Value::from(&**value).to_string(),
            cel_core::Value::List(values) => {
                format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(","))
            }
            other => format!("{other:?}"),
        }
    }
    let env = cel_core::Env::with_standard_library()
        .with_variable("i", CelType::Int)
        .with_variable("j", CelType::Int)
        .with_variable("b", CelType::Bool)
        .with_variable("s", CelType::String)
        .with_variable("l", CelType::list(CelType::Int));
    // Its checker takes the element of an empty list for a map, and refuses to compare it; it evaluates it all the same.
    let ast = env.compile(source).or_else(|_| env.parse_only(source)).unwrap();
    let mut activation = MapActivation::new();
    activation.insert("i", event.i);
    activation.insert("j", event.j);
    activation.insert("b", event.b);
    activation.insert("s", event.s);
    activation.insert("l", cel_core::Value::list(event.l.iter().copied()));
    match env.program(&ast).unwrap().eval(&activation) {
        cel_core::Value::Error(_) => None,
        value => Some(text(&value)),
    }
}

proptest! {
    #![proptest_config(expressions::config())]

    #[test]
    fn all_three_agree(seed: u64, depth in 1_usize..5, ty in 0_usize..4) {
        let ty = ['i', 'b', 's', 'l'][ty];
        let mut random = Random(seed);
        let source = expressions::typed(&mut random, ty, depth);
        let event = Event::draw(&mut random);
        let own = own(&source, &event);
        if own == Err(REFUSED) {
            return Ok(());
        }
        prop_assert_eq!(own.clone().ok(), of_cel(&source, &event), "cel: {}", source);
        // `cel-core` counts a negative index from the end of a list; CEL has no such index.
        if own != Err(INDEX) {
            prop_assert_eq!(own.ok(), of_cel_core(&source, &event), "cel-core: {}", source);
        }
    }
}
