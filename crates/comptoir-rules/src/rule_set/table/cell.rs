use serde_json::Value as Json;

use crate::functions::quoted;
use crate::host::from_json;
use crate::types::{Env, Overload, Type};
use crate::value::Value;

/// An input cell.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Any,
    OneOf(Vec<Constant>),
    Not(Constant),
    Range(Option<Bound>, Option<Bound>),
    /// An expression that the checks cannot look into.
    Opaque(String),
}

/// A value, and how an expression spells it.
#[derive(Debug, Clone)]
pub(super) struct Constant {
    pub value: Value<'static>,
    pub text: String,
}

/// An end of a range.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub constant: Constant,
    pub is_inside: bool,
}

/// Reads a cell of a column of a type.
pub(super) fn read(cell: &Json, ty: &Type, env: &Env) -> Result<Cell, String> {
    let text = match cell {
        Json::Null => return Ok(Cell::Any),
        Json::String(text) => text.trim(),
        Json::Array(values) => {
            let constants = values.iter().map(|value| constant(&plain(value), ty, env));
            return Ok(Cell::OneOf(constants.collect::<Result<_, _>>()?));
        }
        other => return Ok(Cell::OneOf(vec![constant(&plain(other), ty, env)?])),
    };
    if text.is_empty() || text == "-" {
        return Ok(Cell::Any);
    }
    if let Some(range) = range(text, ty, env) {
        return range;
    }
    let one = |rest: &str| constant(rest.trim(), ty, env);
    let bound = |rest: &str, is_inside| one(rest).map(|constant| Some(Bound { constant, is_inside }));
    for (prefix, is_above, is_inside) in
        [(">=", true, true), ("<=", false, true), (">", true, false), ("<", false, false)]
    {
        let Some(rest) = text.strip_prefix(prefix) else { continue };
        let bound = bound(rest, is_inside)?;
        return Ok(if is_above { Cell::Range(bound, None) } else { Cell::Range(None, bound) });
    }
    if let Some(rest) = text.strip_prefix("!=") {
        return Ok(Cell::Not(one(rest)?));
    }
    if let Some(rest) = text.strip_prefix("==") {
        return Ok(Cell::OneOf(vec![one(rest)?]));
    }
    if let Some(source) = text.strip_prefix('=') {
        return Ok(Cell::Opaque(source.trim().to_owned()));
    }
    Ok(Cell::OneOf(text.split('|').map(one).collect::<Result<_, _>>()?))
}

/// `[10..20)`: a bracket takes its end in, a parenthesis leaves it out; an end may be missing.
fn range(text: &str, ty: &Type, env: &Env) -> Option<Result<Cell, String>> {
    let first = text.chars().next()?;
    let last = text.chars().next_back()?;
    if !matches!(first, '[' | '(') || !matches!(last, ']' | ')') {
        return None;
    }
    let (low, high) = text.get(1..text.len() - 1)?.split_once("..")?;
    let end = |text: &str, is_inside: bool| match text.trim() {
        "" => Ok(None),
        text => constant(text, ty, env).map(|constant| Some(Bound { constant, is_inside })),
    };
    let ends = (end(low, first == '['), end(high, last == ']'));
    Some(match ends {
        (Ok(low), Ok(high)) => Ok(Cell::Range(low, high)),
        (Err(wrong), _) | (_, Err(wrong)) => Err(wrong),
    })
}

fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The value that a text is in a column of a type; text of a string column needs no quotes.
fn constant(text: &str, ty: &Type, env: &Env) -> Result<Constant, String> {
    let wrong = || format!("`{text}` is no {ty}");
    let unquoted = ["'", "\""].iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    let json = match ty {
        Type::String | Type::Timestamp | Type::Duration | Type::Decimal => {
            Json::from(unquoted.unwrap_or(text))
        }
        Type::Dyn => match unquoted {
            Some(text) => Json::from(text),
            None => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)),
        },
        _ => serde_json::from_str(text).map_err(|_| wrong())?,
    };
    let value = from_json(Some(&json), ty, env).into_owned();
    if !Overload::accepts(ty, &value) || matches!(value, Value::Error(_)) {
        return Err(wrong());
    }
    let text = match &value {
        Value::String(text) => quoted(text),
        Value::Timestamp(value) => format!("timestamp({})", quoted(&value.to_string())),
        Value::Duration(value) => format!("duration({})", quoted(&value.to_string())),
        Value::Decimal(value) => format!("decimal({})", quoted(&value.to_string())),
        Value::Double(value) => crate::syntax::double_text(*value),
        Value::Uint(value) => format!("{value}u"),
        Value::Bool(_) | Value::Int(_) => value.to_json().to_string(),
        _ => return Err(wrong()),
    };
    Ok(Constant { value, text })
}

/// The condition that a cell puts on an input; none where it is anything.
pub(super) fn condition(input: &str, cell: &Cell) -> Option<String> {
    let is_path =
        input.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '.'));
    let input = if is_path { input.to_owned() } else { format!("({input})") };
    Some(match cell {
        Cell::Any | Cell::Range(None, None) => return None,
        Cell::OneOf(constants) => match constants.as_slice() {
            [one] => format!("{input} == {}", one.text),
            many => {
                let texts: Vec<&str> = many.iter().map(|one| &*one.text).collect();
                format!("{input} in [{}]", texts.join(", "))
            }
        },
        Cell::Not(constant) => format!("{input} != {}", constant.text),
        Cell::Range(low, high) => {
            let bound = |bound: &Bound, op: &str| {
                format!("{input} {op}{} {}", if bound.is_inside { "=" } else { "" }, bound.constant.text)
            };
            let low = low.as_ref().map(|low| bound(low, ">"));
            let high = high.as_ref().map(|high| bound(high, "<"));
            low.into_iter().chain(high).collect::<Vec<_>>().join(" && ")
        }
        Cell::Opaque(source) => format!("({source})"),
    })
}
