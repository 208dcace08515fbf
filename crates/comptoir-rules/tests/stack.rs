//! The deepest nesting that the limits allow fits the stack of a thread of a host, in every stage and evaluator.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its claim fails")]

use comptoir_rules::{AttributePattern, Bounds, Env, Limits, Program, Type, Value, Variables, syntax};

/// What `Limits::MAX_DEPTH` promises; more without optimisation.
const STACK: usize = if cfg!(debug_assertions) { 4 << 20 } else { 512 << 10 };

/// What is nested: opened, in the middle, closed.
const NESTS: [(&str, &str, &str); 36] = [
    ("(", "i", ")"),
    ("!-", "i", ""),
    ("!(", "b", ")"),
    ("-(", "i", ")"),
    ("-(", "d", ")"),
    ("[", "i", "]"),
    ("{1: ", "i", "}"),
    ("dyn(", "i", ")"),
    ("dyn(", "b", ")"),
    ("size([", "1", "])"),
    ("double(", "i", ")"),
    ("optional.of(", "i", ")"),
    ("i + (", "i", ")"),
    ("", "i", " + j"),
    ("d * (", "d", ")"),
    ("s + (", "s", ")"),
    ("i < (i + ", "i", ") ? 1 : 2"),
    ("b == (", "b", ")"),
    ("b && (i > 1 || ", "b", ")"),
    ("!b || (i == 1 && ", "b", ")"),
    ("!b ? i : (", "i", ")"),
    ("b ? (", "i", ") : i"),
    ("(", "b", ") ? b : i > 1"),
    ("(", "b", " ? b : i > 1)"),
    ("i > 1 ? b : (", "b", ")"),
    ("(", "d", " > 1.0 ? d : d + 1.0)"),
    ("i in [i, ", "i", "]"),
    ("s.contains(s + ", "s", ")"),
    ("l.map(x, ", "x", ")"),
    ("l.filter(x, x > 0).all(x, ", "b", ")"),
    ("l.exists(x, x == i && ", "b", ")"),
    ("[1].all(x, ", "b", ")"),
    ("cel.bind(x, i, ", "x", ")"),
    ("optional.of(i).optMap(x, ", "x", ")"),
    ("", "m", ".k"),
    ("", "l", "[0]"),
];

#[test]
fn the_deepest_nesting_fits_a_small_stack() {
    let work = || NESTS.iter().for_each(|(open, middle, close)| deepest(open, middle, close));
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

/// Works with the deepest expression that is allowed, and with one that is too deep.
fn deepest(open: &str, middle: &str, close: &str) {
    let env = env();
    let most = usize::from(Limits::MAX_DEPTH);
    let source = |depth: usize| format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
    assert!(syntax::parse(&source(most * 4), env.limits()).is_err(), "{open}: no limit");
    let depth = (1..=most).rev().find(|depth| syntax::parse(&source(*depth), env.limits()).is_ok());
    let source = source(depth.unwrap());
    assert!(depth.unwrap() >= most / 6, "{open}: {depth:?} levels only");
    for program in [env.compile(&source), env.compile_unchecked(&source)].into_iter().flatten() {
        evaluate(&program);
    }
}

fn env() -> Env {
    Env::builder()
        .variable("i", Type::Int)
        .variable("j", Type::Int)
        .variable("d", Type::Double)
        .variable("s", Type::String)
        .variable("b", Type::Bool)
        .variable("l", Type::list(Type::Int))
        .variable("m", Type::Dyn)
        .build()
        .unwrap()
}

fn evaluate(program: &Program) {
    let list = Value::list(vec![Value::Int(1)]);
    let shared = Variables::new().with("l", list).with("m", 1_i64);
    let input =
        shared.clone().with("i", 1_i64).with("j", 2_i64).with("d", 0.5).with("s", "a").with("b", true);
    let outcome = program.eval(&input).map(Value::into_owned);
    let slots: Vec<Value<'_>> =
        program.slots().iter().map(|slot| comptoir_rules::Activation::slot(&input, 0, slot)).collect();
    assert_eq!(program.eval_slots(&slots).is_ok(), outcome.is_ok(), "{}", program.source());
    assert_eq!(program.test(&slots).ok(), outcome.as_ref().ok().and_then(as_bool), "{}", program.source());
    let _ = program.estimate_cost(&|_: &str| Some(Bounds::exactly(1)));
    let _ = program.residual(&input, &[AttributePattern::parse("i").unwrap()]).is_ok();
    assert!(!program.ast().to_text().is_empty());
    #[cfg(feature = "arrow")]
    columnar(program, &shared, outcome.is_ok());
}

const fn as_bool(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        _ => None,
    }
}

/// The same input as columns of two rows.
#[cfg(feature = "arrow")]
fn columnar(program: &Program, shared: &Variables<'static>, has_value: bool) {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
    let columns: [(&str, ArrayRef); 5] = [
        ("i", Arc::new(Int64Array::from(vec![1, 1]))),
        ("j", Arc::new(Int64Array::from(vec![2, 2]))),
        ("d", Arc::new(Float64Array::from(vec![0.5, 0.5]))),
        ("s", Arc::new(StringArray::from(vec!["a", "a"]))),
        ("b", Arc::new(BooleanArray::from(vec![true, true]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let result = program.eval_batch_with(&batch, shared).unwrap();
    assert_eq!(result.faults.is_empty(), has_value, "{}", program.source());
    assert_eq!(program.select_with(&batch, shared).unwrap().rows.len() % 2, 0);
}
