//! Random work for all parts: sources of several kinds, compiled against several environments, evaluated on inputs
//! that fit and that do not. All of it follows from a seed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use comptoir_rules::value::{EvalCode, EvalError, Fault, MapBuilder};
use comptoir_rules::{
    AttributePattern, Env, Extension, Program, Residual, StructType, Type, UnknownSet, Value, Variables,
    syntax,
};

use super::expressions::{self, Random};

/// Stack of the thread that the work is done in: what hosts give a thread, more without optimisation.
pub const STACK: usize = if cfg!(debug_assertions) { 8 << 20 } else { 512 << 10 };

/// Most time that one source may take, on a machine that does other work too.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was done.
#[derive(Debug, Default)]
pub struct Tally {
    pub sources: usize,
    pub compiled: usize,
    pub values: usize,
    pub errors: usize,
    pub slowest: Duration,
}

/// Works through seeds from `first` while `goes_on` says so; a panic ends it with the source that caused it.
pub fn work(first: u64, corpus: &[String], mut goes_on: impl FnMut(&Tally) -> bool) -> Tally {
    let envs = environments();
    let mut tally = Tally::default();
    while goes_on(&tally) {
        let seed = first.wrapping_add(tally.sources as u64);
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.below(2);
        let source = source(&mut random, corpus);
        let guard = Guard { seed, source: &source };
        let started = Instant::now();
        exercise(&mut random, &envs, &source, &mut tally);
        let took = started.elapsed();
        assert!(took < PATIENCE, "{source:?} took {took:?}");
        std::mem::forget(guard);
        tally.slowest = tally.slowest.max(took);
        tally.sources += 1;
    }
    tally
}

/// Says what was worked on when a panic goes by.
struct Guard<'s> {
    seed: u64,
    source: &'s str,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        eprintln!("seed {}: source {:?}", self.seed, self.source);
    }
}

/// Environments that sources are compiled against.
pub fn environments() -> Vec<Env> {
    let base = || {
        Env::builder()
            .variable("i", Type::Int)
            .variable("j", Type::Int)
            .variable("d", Type::Double)
            .variable("s", Type::String)
            .variable("b", Type::Bool)
            .variable("l", Type::list(Type::Int))
            .variable("m", Type::map(Type::String, Type::Dyn))
    };
    let row = StructType::new("Row", [("k", Type::Int), ("other", Type::String)]);
    let dynamic = ["x", "y", "i", "s", "l", "m", "a.b"]
        .iter()
        .fold(Env::builder(), |builder, name| builder.variable(*name, Type::Dyn));
    [
        base(),
        base().structure(row).variable("m", Type::Struct("Row".into())).container("a.b"),
        dynamic,
        base().extensions(&[Extension::Strings, Extension::Lists]),
    ]
    .into_iter()
    .map(|builder| builder.build().unwrap())
    .collect()
}

fn source(random: &mut Random, corpus: &[String]) -> String {
    match random.below(10) {
        0..=3 if !corpus.is_empty() => mutated(random, corpus),
        4 => nested(random),
        5 => literal(random),
        6 => expressions::tokens(random, 30),
        7 => mutate_once(random, &expressions::any(&mut Random(random.0), 3)),
        _ => {
            let depth = random.below(5);
            expressions::any(random, depth)
        }
    }
}

fn mutated(random: &mut Random, corpus: &[String]) -> String {
    let mut text = corpus[random.below(corpus.len())].clone();
    for _ in 0..random.below(6) {
        text = match random.below(4) {
            // The head of one with the tail of another.
            0 => {
                let other = &corpus[random.below(corpus.len())];
                let (cut, from) = (boundary(random, &text), boundary(random, other));
                format!("{}{}", &text[..cut], &other[from..])
            }
            _ => mutate_once(random, &text),
        };
        if text.len() > 4_000 {
            break;
        }
    }
    text
}

fn boundary(random: &mut Random, text: &str) -> usize {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn mutate_once(random: &mut Random, text: &str) -> String {
    const PIECES: [&str; 24] = [
        "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "\"", "'", "\\", "0", "9", "-", "!", "&&", "||",
        "==", "\u{0}", "é", "😀", "r'",
    ];
    let (one, two) = (boundary(random, text), boundary(random, text));
    let (from, to) = (one.min(two), one.max(two));
    match random.below(4) {
        0 => format!("{}{}", &text[..from], &text[to..]),
        1 => format!("{}{}{}", &text[..to], &text[from..to], &text[to..]),
        2 => format!("{}{}{}", &text[..from], random.pick(&PIECES), &text[from..]),
        _ => {
            let mut bytes = text.as_bytes().to_vec();
            if let Some(byte) = bytes.get_mut(from) {
                *byte ^= 1 << random.below(8);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}

/// Nested deeper than is allowed, or just as deep.
fn nested(random: &mut Random) -> String {
    let (open, middle, close) = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{1: ", "1", "}"),
        ("!", "b", ""),
        ("-", "i", ""),
        ("!-", "i", ""),
        ("b ? 1 : ", "2", ""),
        ("b ? (", "2", ") : 1"),
        ("l.map(x, ", "x", ")"),
        ("l.all(x, ", "b", ")"),
        ("cel.bind(x, 1, ", "x", ")"),
        ("optional.of(", "1", ")"),
        ("[1].exists(x, b && ", "b", ")"),
        ("", "m", ".k"),
        ("", "l", "[0]"),
        ("", "1", " + 1"),
        ("", "b", " && b || b"),
        ("dyn(", "1", ")"),
    ][random.below(18)];
    let depth = match random.below(3) {
        0 => 120 + random.below(16),
        1 => random.below(200),
        _ => random.below(5_000),
    };
    format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
}

fn literal(random: &mut Random) -> String {
    let size = random.below(5_000);
    match random.below(8) {
        0 => "9".repeat(size + 1),
        1 => format!("0x{}", "f".repeat(size + 1)),
        2 => format!("1.{}e{size}", "0".repeat(size)),
        3 => format!("'{}'", "a".repeat(size)),
        4 => format!("b'{}'.size()", "\\377".repeat(size)),
        5 => format!("[{}].distinct().size()", "1,".repeat(size)),
        6 => format!("'{}'.matches('{}')", "a".repeat(size), "(a*)*".repeat(size % 40)),
        _ => format!("decimal('{}.5').round({size})", "7".repeat(size % 60)),
    }
}

/// Compiles a source against one of the environments and evaluates it in every way.
pub fn exercise(random: &mut Random, envs: &[Env], source: &str, tally: &mut Tally) {
    let env = &envs[random.below(envs.len())];
    if let Err(error) = env.compile(source) {
        assert!(!error.to_string().is_empty());
    }
    let input = input(random);
    for program in [env.compile(source), env.compile_unchecked(source)].into_iter().flatten() {
        let program = program.with_budget([0, 10, 10_000][random.below(3)]);
        tally.compiled += 1;
        evaluate(&program, &input, tally);
    }
}

fn input(random: &mut Random) -> Variables<'static> {
    let mut map = MapBuilder::default();
    map.insert(Value::str("k"), Value::Int(3)).unwrap();
    let values = [
        Value::Int(5),
        Value::Int(i64::MIN),
        Value::Double(f64::NAN),
        Value::str("abc déf"),
        Value::Bool(true),
        Value::list(vec![Value::Int(3), Value::Int(1), Value::Int(2)]),
        Value::Map(map.finish()),
        Value::Null,
        Value::Absent,
        Value::Error(Arc::new(EvalError::new(EvalCode::InvalidArgument, "out of order"))),
        Value::Unknown(Arc::new(UnknownSet::of("somewhere"))),
    ];
    let names = ["i", "j", "d", "s", "b", "l", "m", "x", "a.b"];
    names.iter().enumerate().fold(Variables::new(), |variables, (index, name)| {
        // Mostly what fits the declaration, else anything.
        let value = if random.below(8) == 0 { random.below(values.len()) } else { index.min(6) };
        variables.with(*name, values[value].clone())
    })
}

fn evaluate(program: &Program, input: &Variables<'static>, tally: &mut Tally) {
    let (outcome, _) = program.eval_with_cost(input);
    match &outcome {
        Ok(_) => tally.values += 1,
        Err(_) => tally.errors += 1,
    }
    let slots: Vec<Value<'_>> =
        program.slots().iter().map(|slot| comptoir_rules::Activation::slot(input, 0, slot)).collect();
    let by_slot = program.eval_slots(&slots);
    assert_eq!(show(&by_slot), show(&outcome), "by slot and by name");
    if let Ok(truth) = program.test(&slots) {
        assert!(matches!(outcome, Ok(Value::Bool(own)) if own == truth), "as a test and as a value");
    }
    let text = program.ast().to_text();
    let again = syntax::parse(&text, program.env().limits()).map(|ast| ast.to_text());
    assert_eq!(again.as_deref(), Ok(text.as_str()), "its own text");
    let unknown = [AttributePattern::parse("i").unwrap(), AttributePattern::parse("m.k").unwrap()];
    if let Ok(Residual::Expression(left)) = program.residual(input, &unknown) {
        assert!(syntax::parse(&left, program.env().limits()).is_ok(), "residual {left}");
    }
    let _ = program
        .eval_json(br#"{"i": 1, "j": -2, "d": 0.5, "s": "a\nb", "b": true, "l": [1, 2], "m": {"k": 1}}"#);
    #[cfg(feature = "arrow")]
    columnar(program, input);
}

/// Two rows with all inputs that are not columns from the same input.
#[cfg(feature = "arrow")]
fn columnar(program: &Program, input: &Variables<'static>) {
    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
    let columns: [(&str, ArrayRef); 3] = [
        ("i", Arc::new(Int64Array::from(vec![Some(5), None]))),
        ("d", Arc::new(Float64Array::from(vec![0.5, f64::INFINITY]))),
        ("s", Arc::new(StringArray::from(vec!["abc", ""]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let Ok(result) = program.eval_batch_with(&batch, input) else { return };
    let rows = program.bind_rows_with(&batch, input).unwrap();
    for row in 0..2 {
        let fault = result.faults.iter().find(|fault| fault.row == row);
        let alone = rows.eval(row);
        // A column may have a value where the budget of a row was spent on clauses that did not matter, and has none
        // where an input is not of its declared type, which alone may be passed on as it is.
        if matches!(alone, Err(Fault::Error(_) | Fault::Unknown(_))) {
            assert!(fault.is_some(), "row {row} has a value as a column and none alone");
        }
    }
}

fn show(outcome: &Result<Value<'_>, Fault>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(Fault::Error(error)) => format!("error {:?}", error.code),
        Err(other) => format!("{other}"),
    }
}

/// The expressions of conformance cases.
pub fn corpus(text: &str) -> Vec<String> {
    let expr = |line: &str| {
        let case: serde_json::Value = serde_json::from_str(line).ok()?;
        case.get("expr")?.as_str().map(str::to_owned)
    };
    text.lines().filter_map(expr).filter(|expr| expr.len() < 2_000).collect()
}

/// Does the work in a thread with a small stack.
pub fn in_small_stack(work: impl FnOnce() -> Tally + Send + 'static) -> Tally {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap()
}
