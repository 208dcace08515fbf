//! Inputs that are the same for all rows, and expressions that read them beside columns.

use std::sync::Arc;

use comptoir_rules::value::{EvalCode, EvalError};
use comptoir_rules::{Env, Type, UnknownSet, Value};

use crate::expressions::Random;
use crate::sources;
use crate::tables;

/// `codes`, `numbers` and `mixed` are lists, `limit` is an int: mostly values as declared, else null or a fault.
pub fn inputs(random: &mut Random) -> (Env, Vec<(&'static str, Value<'static>)>) {
    let env = tables::declare(Env::builder())
        .variable("codes", Type::list(Type::String))
        .variable("numbers", Type::list(Type::Int))
        .variable("mixed", Type::list(Type::Dyn))
        .variable("limit", Type::Int)
        .build()
        .unwrap();
    let lists =
        ["codes", "numbers", "mixed"].map(|name| (name, odd(random).unwrap_or_else(|| list(random, name))));
    let limit = odd(random).unwrap_or_else(|| Value::Int(random.below(7) as i64 - 2));
    (env, lists.into_iter().chain([("limit", limit)]).collect())
}

/// Now and then something that is no value of the declared type.
fn odd(random: &mut Random) -> Option<Value<'static>> {
    match random.below(24) {
        0 => Some(Value::Null),
        1 => Some(Value::Error(Arc::new(EvalError::new(EvalCode::InvalidArgument, "out of order")))),
        2 => Some(Value::Unknown(Arc::new(UnknownSet::of("elsewhere")))),
        _ => None,
    }
}

fn list(random: &mut Random, name: &str) -> Value<'static> {
    let count = random.below(30);
    let element = |random: &mut Random| match (name, random.below(8)) {
        ("codes", _) | ("mixed", 0) => Value::string(
            (*random.pick(&["", "a", "abc", "abcdefgh", "abcdefghij", "x y", "\u{e9}"])).to_owned(),
        ),
        ("numbers", _) | ("mixed", 1..=2) => Value::Int(random.below(9) as i64 - 4),
        (_, 3) => Value::Double(random.below(5) as f64 / 2.0),
        (_, 4) => Value::Null,
        (_, 5) => Value::list(vec![Value::Int(1)]),
        (_, 6) => Value::Uint(random.below(4) as u64),
        _ => Value::Bool(true),
    };
    Value::list((0..count).map(|_| element(random)).collect())
}

/// A truth value over columns and shared inputs.
pub fn expression(random: &mut Random, depth: usize) -> String {
    if depth > 0 {
        let (one, two) = (expression(random, depth - 1), expression(random, depth - 1));
        return match random.below(5) {
            0 | 1 => format!("({one} && {two})"),
            2 | 3 => format!("({one} || {two})"),
            _ => format!("({one} ? {two} : {})", sources::expression(random, 'b', 1)),
        };
    }
    let pick = |random: &mut Random, of: &[&str]| (*random.pick(of)).to_owned();
    match random.below(8) {
        0 => format!("!({} in codes)", sources::expression(random, 's', 1)),
        1 => format!("{} in numbers", sources::expression(random, 'i', 1)),
        2 => pick(
            random,
            &["d in mixed", "dyn(l) in mixed", "s in mixed", "u in mixed", "b in mixed", "m in mixed"],
        ),
        3 => pick(random, &["s in codes", "item.brand in codes", "item.brand in codes.map(c, c + 'c')"]),
        4 => "items.exists(e, e.category in codes && e.qty > limit)".into(),
        5 => format!("{} > limit * 2 - size(codes)", sources::expression(random, 'i', 1)),
        6 => {
            pick(random, &["size(codes) > 12", "codes.exists(c, c == s)", "numbers.exists(n, n / limit > 1)"])
        }
        _ => pick(
            random,
            &["s.startsWith(codes[limit])", "i in numbers.filter(n, n > limit)", "has(item.brand)"],
        ),
    }
}
