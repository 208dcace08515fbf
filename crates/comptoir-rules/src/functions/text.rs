//! Functions of the standard library on text and containers.

use super::pattern_cache::cached_regex;
use super::{Entry, constant, invalid, length, linear, pay, wrong};
use crate::eval::{Meter, regex_cost};
use crate::value::{Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    linear("size(string): int", size),
    constant("size(bytes): int", size),
    constant("size(list(?A)): int", size),
    constant("size(map(?A, ?B)): int", size),
    linear("string::size(): int", size),
    constant("bytes::size(): int", size),
    constant("list(?A)::size(): int", size),
    constant("map(?A, ?B)::size(): int", size),
    linear("string::contains(string): bool", contains),
    constant("string::startsWith(string): bool", starts_with),
    constant("string::endsWith(string): bool", ends_with),
    constant("string::matches(string): bool", matches),
    constant("matches(string, string): bool", matches),
];

fn size<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => length(text.chars().count()),
        [Value::Bytes(bytes)] => length(bytes.len()),
        [Value::List(list)] => length(list.len()),
        [Value::Map(map)] => length(map.len()),
        _ => wrong("size", args),
    }
}

fn contains<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text), Value::String(part)] => Ok(Value::Bool(text.contains(&**part))),
        _ => wrong("contains", args),
    }
}

fn starts_with<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text), Value::String(part)] => {
            pay(meter, part.len())?;
            Ok(Value::Bool(text.starts_with(&**part)))
        }
        _ => wrong("startsWith", args),
    }
}

fn ends_with<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text), Value::String(part)] => {
            pay(meter, part.len())?;
            Ok(Value::Bool(text.ends_with(&**part)))
        }
        _ => wrong("endsWith", args),
    }
}

/// A pattern that is not constant is compiled at each call: a hundred units and more.
fn matches<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text), Value::String(pattern)] => {
            meter.spend(regex_cost(text.len(), pattern.len()).saturating_add(COMPILE_COST))?;
            match cached_regex(pattern) {
                Ok(regex) => Ok(Value::Bool(regex.is_match(text))),
                Err(message) => invalid(message),
            }
        }
        _ => wrong("matches", args),
    }
}

/// Units of compiling a pattern.
pub(super) const COMPILE_COST: u64 = 100;
