//! The extension `regex`.

use std::sync::Arc;

use regex::{Captures, Regex};

use super::pattern_cache::cached_regex;
use super::text::COMPILE_COST;
use super::{Entry, constant, pay, wrong};
use crate::eval::{Meter, regex_cost};
use crate::value::{EvalCode, Fault, Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("regex.replace(string, string, string): string", replace),
    constant("regex.replace(string, string, string, int): string", replace),
    constant("regex.extract(string, string): optional_type(string)", extract),
    constant("regex.extractAll(string, string): list(string)", extract_all),
];

fn compile(text: &str, pattern: &str, meter: &Meter) -> Result<Arc<Regex>, Fault> {
    meter.spend(regex_cost(text.len(), pattern.len()).saturating_add(COMPILE_COST))?;
    cached_regex(pattern).map_err(fault)
}

fn fault(message: String) -> Fault {
    Fault::error(EvalCode::InvalidArgument, message)
}

fn replace<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let (text, pattern, with, limit) = match args {
        [Value::String(text), Value::String(pattern), Value::String(with)] => (text, pattern, with, -1),
        [Value::String(text), Value::String(pattern), Value::String(with), Value::Int(limit)] => {
            (text, pattern, with, *limit)
        }
        _ => return wrong("regex.replace", args),
    };
    let regex = compile(text, pattern, meter)?;
    let pieces = replacement(with, regex.captures_len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for captures in regex.captures_iter(text).take(limit) {
        let Some(all) = captures.get(0) else { continue };
        let before = result.len();
        result.push_str(text.get(done..all.start()).unwrap_or(""));
        pieces.iter().for_each(|piece| piece.write(&captures, &mut result));
        done = all.end();
        pay(meter, result.len() - before)?;
    }
    result.push_str(text.get(done..).unwrap_or(""));
    Ok(Value::string(result))
}

enum Piece {
    Text(String),
    Group(usize),
}

impl Piece {
    fn write(&self, captures: &Captures<'_>, result: &mut String) {
        match self {
            Self::Text(text) => result.push_str(text),
            Self::Group(group) => result.push_str(captures.get(*group).map_or("", |found| found.as_str())),
        }
    }
}

/// Reads a replacement, in which `\1` is the first group and `\\` a backslash.
fn replacement(text: &str, groups: usize) -> Result<Vec<Piece>, Fault> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('\\') => plain.push('\\'),
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).unwrap_or(0) as usize;
                if group >= groups {
                    return Err(fault(format!(
                        "the replacement names group {group}, and the pattern has {}",
                        groups - 1
                    )));
                }
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Group(group));
            }
            _ => return Err(fault("a `\\` in a replacement must be followed by a digit or `\\`".into())),
        }
    }
    pieces.push(Piece::Text(plain));
    Ok(pieces)
}

/// The group that is extracted: the only one, or all that matched.
fn group_of(regex: &Regex) -> Result<usize, Fault> {
    match regex.captures_len() {
        1 => Ok(0),
        2 => Ok(1),
        more => Err(fault(format!("a pattern to extract has one group at most, found {}", more - 1))),
    }
}

fn extract<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = args else { return wrong("regex.extract", args) };
    let regex = compile(text, pattern, meter)?;
    let group = group_of(&regex)?;
    let found = regex.captures(text).and_then(|captures| captures.get(group));
    Ok(found.map_or(Value::Optional(None), |found| Value::some(Value::string(found.as_str()))))
}

fn extract_all<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = args else { return wrong("regex.extractAll", args) };
    let regex = compile(text, pattern, meter)?;
    let group = group_of(&regex)?;
    let found = regex
        .captures_iter(text)
        .filter_map(|captures| captures.get(group).map(|one| Value::string(one.as_str())));
    Ok(Value::list(found.collect()))
}
