//! The `cel` crate as an oracle: on random well-typed expressions both give the same value, or both an error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

#[path = "support/expressions.rs"]
mod expressions;

use comptoir_rules::{Env, Type, Value, Variables};
use expressions::Random;
use proptest::prelude::*;

fn own(source: &str) -> Option<String> {
    let env = Env::builder()
        .variable("i", Type::Int)
        .variable("j", Type::Int)
        .variable("b", Type::Bool)
        .variable("s", Type::String)
        .variable("l", Type::list(Type::Int))
        .build()
        .unwrap();
    let program = env.compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let input = Variables::new()
        .with("i", 5_i64)
        .with("j", -3_i64)
        .with("b", true)
        .with("s", "abc")
        .with("l", Value::list(vec![Value::Int(3), Value::Int(1), Value::Int(2)]));
    program.eval(&input).ok().map(|value| value.to_json().to_string())
}

fn theirs(source: &str) -> Option<String> {
    let env = std::sync::Arc::new(cel::Env::stdlib());
    let program = env.compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut context = cel::Context::with_env(env);
    context.add_variable("i", 5_i64).unwrap();
    context.add_variable("j", -3_i64).unwrap();
    context.add_variable("b", true).unwrap();
    context.add_variable("s", "abc").unwrap();
    context.add_variable("l", vec![3_i64, 1, 2]).unwrap();
    program.execute(&context).ok().map(|value| text(&value))
}

fn text(value: &cel::Value) -> String {
    match value {
        cel::Value::Int(value) => value.to_string(),
        cel::Value::Bool(value) => value.to_string(),
        cel::Value::String(value) => serde_json::Value::from(value.as_str()).to_string(),
        cel::Value::List(values) => format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(",")),
        other => format!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(expressions::config())]

    #[test]
    fn both_agree(seed: u64, depth in 1_usize..5, ty in 0_usize..4) {
        let ty = ['i', 'b', 's', 'l'][ty];
        let source = expressions::typed(&mut Random(seed), ty, depth);
        prop_assert_eq!(own(&source), theirs(&source), "{}", source);
    }
}
