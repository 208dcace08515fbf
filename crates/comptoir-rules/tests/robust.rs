//! No text makes the parser, the checker or the evaluator panic, hang or overflow the stack.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

#[path = "support/expressions.rs"]
mod expressions;

use comptoir_rules::value::{Fault, MapBuilder};
use comptoir_rules::{AttributePattern, Bounds, Env, Program, Residual, Type, Value, Variables, syntax};
use expressions::Random;
use proptest::prelude::*;

fn env() -> Env {
    Env::builder()
        .variable("i", Type::Int)
        .variable("j", Type::Int)
        .variable("d", Type::Double)
        .variable("s", Type::String)
        .variable("b", Type::Bool)
        .variable("l", Type::list(Type::Int))
        .variable("m", Type::map(Type::String, Type::Dyn))
        .build()
        .unwrap()
}

fn input() -> Variables<'static> {
    let mut map = MapBuilder::default();
    map.insert(Value::str("k"), Value::Int(3)).unwrap();
    Variables::new()
        .with("i", 5_i64)
        .with("j", -3_i64)
        .with("d", 2.5)
        .with("s", "abc def")
        .with("b", true)
        .with("l", Value::list(vec![Value::Int(3), Value::Int(1), Value::Int(2)]))
        .with("m", Value::Map(map.finish()))
}

/// Sizes of the inputs of [`input`].
fn sizes(path: &str) -> Option<Bounds> {
    match path {
        "s" => Some(Bounds::exactly(7)),
        "l" => Some(Bounds::exactly(3)),
        "m" => Some(Bounds::exactly(1)),
        _ => Some(Bounds::exactly(1)),
    }
}

fn show(outcome: &Result<Value<'_>, Fault>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(Fault::Error(error)) => format!("error {:?}", error.code),
        Err(other) => format!("{other}"),
    }
}

/// All that can be done with a source.
fn exercise(source: &str) {
    let env = env();
    if let Err(error) = env.compile(source) {
        assert!(!error.to_string().is_empty(), "{source}");
    }
    for program in [env.compile(source), env.compile_unchecked(source)].into_iter().flatten() {
        evaluate(&program.with_budget(10_000), source);
    }
}

fn evaluate(program: &Program, source: &str) {
    let input = input();
    let (outcome, cost) = program.eval_with_cost(&input);
    let limit = program.estimate_cost(&sizes).max;
    assert!(cost <= limit, "{source}: cost {cost} above the estimate {limit}");
    let slots: Vec<Value<'_>> =
        program.slots().iter().map(|slot| comptoir_rules::Activation::slot(&input, 0, slot)).collect();
    let (by_slot, same_cost) = program.eval_slots_with_cost(&slots);
    assert_eq!(show(&by_slot), show(&outcome), "{source}: by slot and by name");
    if !matches!(outcome, Err(Fault::Exhausted(_))) {
        assert_eq!(same_cost, cost, "{source}: cost by slot and by name");
    }
    let text = program.ast().to_text();
    let again = syntax::parse(&text, program.env().limits()).map(|ast| ast.to_text());
    assert_eq!(again.as_deref(), Ok(text.as_str()), "{source}: its own text");
    let unknown = [AttributePattern::parse("i").unwrap(), AttributePattern::parse("m.k").unwrap()];
    if let Ok(Residual::Expression(left)) = program.residual(&input, &unknown) {
        let rest = program.env().compile_unchecked(&left);
        let rest = rest.unwrap_or_else(|error| panic!("{source}: residual `{left}`: {error}"));
        let rest = rest.with_budget(10_000);
        let completed = rest.eval(&input);
        assert_eq!(show(&completed), show(&outcome), "{source}: residual `{left}`");
    }
}

proptest! {
    #![proptest_config(expressions::config())]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text(text in "\\PC{0,60}") {
        exercise(&text);
    }

    #[test]
    fn any_tokens(seed: u64, count in 1_usize..60) {
        exercise(&expressions::tokens(&mut Random(seed), count));
    }

    #[test]
    fn any_expression(seed: u64, depth in 1_usize..5) {
        exercise(&expressions::any(&mut Random(seed), depth));
    }

    #[test]
    fn any_typed_expression(seed: u64, depth in 1_usize..5) {
        exercise(&expressions::typed(&mut Random(seed), 'b', depth));
    }
}

/// Clauses that have short ways, over values that do and that do not fit them.
#[test]
fn short_ways_come_to_the_same() {
    let clauses = [
        "i > 3",
        "i != 5",
        "d <= 2.5",
        "d != d",
        "s == 'abc def'",
        "s != 'x'",
        "s.startsWith('abc')",
        "s.contains('c d')",
        "s in ['abc def', 'b']",
        "i in [1, 5]",
        "i in l",
        "d * 2.0 + 1.0 > d - 3.0",
        "s.matches('a.c d')",
        "l.all(x, x > 0)",
        "l.exists(x, x > 2 && i in l)",
        "l.exists(x, l.all(y, y >= x || y < i))",
        "!(b == true)",
        "m.k > 2",
    ];
    for left in clauses {
        exercise(left);
        for right in clauses {
            exercise(&format!("{left} && {right}"));
            exercise(&format!("!({left} || {right}) || {left}"));
            exercise(&format!("l.exists(z, {left} && z > 1 && {right})"));
        }
    }
    let env = env();
    for (source, slots) in [
        ("i > 3 || d > 1.0", [Value::Absent, Value::Double(2.0)]),
        ("i > 3 && d > 1.0", [Value::Double(4.5), Value::Double(f64::NAN)]),
        ("i > 3 || d > 1.0", [Value::str("a"), Value::Int(2)]),
        ("i > 3 && d != 1.0", [Value::Null, Value::Double(f64::NAN)]),
    ] {
        let program = env.compile(source).unwrap();
        let named = Variables::new().with("i", slots[0].clone()).with("d", slots[1].clone());
        assert_eq!(show(&program.eval_slots(&slots)), show(&program.eval(&named)), "{source} {slots:?}");
    }
}

#[test]
fn deep_and_long_sources() {
    // The depth that the limits allow fits a stack of 1 MiB, also without optimisation.
    std::thread::Builder::new().stack_size(1 << 20).spawn(deep_and_long).unwrap().join().unwrap();
}

fn deep_and_long() {
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("!", "b", ""),
        ("-", "i", ""),
        ("{1:", "1", "}"),
        ("size(", "l", ")"),
    ] {
        for depth in [10, 100, 126, 200, 50_000] {
            exercise(&format!("{}{middle}{}", open.repeat(depth), close.repeat(depth)));
        }
    }
    for link in [" + i", " && b", " || b", " ? b : b", ".k", "[0]", ".map(x, x)", " == 1", " - -i", "!"] {
        for length in [10, 100, 126, 200, 5_000] {
            exercise(&format!("b{}", link.repeat(length)));
        }
    }
    exercise(&format!("{}true{}", "[1].exists(x, ".repeat(100), ")".repeat(100)));
    exercise(&format!("{}1{}", "cel.bind(x, 1, ".repeat(120), ")".repeat(120)));
}

#[test]
fn types_that_double_are_refused() {
    let bound = (0..60).rev().fold("1".to_owned(), |inner, level| {
        let before = if level == 0 { "{1: 1}".to_owned() } else { format!("x{}", level - 1) };
        format!("cel.bind(x{level}, {{{before}: {before}}}, {inner})")
    });
    let started = std::time::Instant::now();
    let error = match env().compile(&bound) {
        Err(error) => error,
        Ok(_) => panic!("compiled"),
    };
    assert!(error.to_string().contains("too large"), "{error}");
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn values_that_double_cost_what_they_seem() {
    let double = |body: &str| {
        (0..60).rev().fold(body.to_owned(), |inner, level| {
            let before = if level == 0 { "[1, 1]".to_owned() } else { format!("x{}", level - 1) };
            format!("cel.bind(x{level}, [{before}, {before}], {inner})")
        })
    };
    for body in [
        "x59 == x59",
        "x59",
        "x59 in [dyn(1), x59]",
        "'%s'.format([x59])",
        "[x59, x59].distinct()",
        "sets.contains([x59], [x59])",
        "optional.of(x59)",
        "x59.flatten(70)",
    ] {
        for env in [env().compile(&double(body)), env().compile_unchecked(&double(body))] {
            let program = env.unwrap();
            let input = input();
            assert!(matches!(program.eval(&input), Err(Fault::Exhausted(_))), "{body}");
        }
    }
}

#[test]
fn a_budget_ends_every_evaluation() {
    let env = env();
    let nested =
        "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))";
    for source in [
        nested,
        &format!("{nested} || true"),
        "lists.range(9000000000).size() > 0",
        "l.map(x, lists.range(100000)).size() == 3",
    ] {
        let program = env.compile(source).unwrap().with_budget(100_000);
        assert!(matches!(program.eval(&input()), Err(Fault::Exhausted(_))), "{source}");
    }
    let program = env.compile("s.size() == 7 && i > 1").unwrap().with_budget(10);
    assert!(matches!(program.eval(&input()), Ok(Value::Bool(true))));
}

#[test]
fn programs_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Program>();
    shared::<Env>();
    shared::<Value<'static>>();
}
