//! The extension `strings`. Positions count characters.

use std::sync::Arc;

use super::{Entry, length, linear, pay, wrong};
use crate::eval::Meter;
use crate::value::{EvalCode, Fault, List, Outcome, Str, Value};

pub(super) const TABLE: &[Entry] = &[
    linear("string::charAt(int): string", char_at),
    linear("string::indexOf(string): int", index_of),
    linear("string::indexOf(string, int): int", index_of),
    linear("string::lastIndexOf(string): int", last_index_of),
    linear("string::lastIndexOf(string, int): int", last_index_of),
    linear("string::lowerAscii(): string", lower),
    linear("string::upperAscii(): string", upper),
    linear("string::replace(string, string): string", replace),
    linear("string::replace(string, string, int): string", replace),
    linear("string::reverse(): string", reverse),
    linear("string::split(string): list(string)", split),
    linear("string::split(string, int): list(string)", split),
    linear("string::substring(int): string", substring),
    linear("string::substring(int, int): string", substring),
    linear("string::trim(): string", trim),
    linear("list(string)::join(): string", join),
    linear("list(string)::join(string): string", join),
    linear("strings.quote(string): string", quote),
];

#[cold]
fn out_of_range(index: i64) -> Fault {
    Fault::error(EvalCode::IndexRange, format!("index out of range: {index}"))
}

/// The byte at which the character `index` starts; the end counts as a character.
fn offset(text: &str, index: i64) -> Result<usize, Fault> {
    let wanted = usize::try_from(index).map_err(|_| out_of_range(index))?;
    if text.is_ascii() {
        return if wanted <= text.len() { Ok(wanted) } else { Err(out_of_range(index)) };
    }
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().nth(wanted).ok_or_else(|| out_of_range(index))
}

/// A part of a text, borrowed where the text is.
fn part<'a>(text: &Str<'a>, start: usize, end: usize) -> Value<'a> {
    match text {
        Str::Ref(text) => Value::str(text.get(start..end).unwrap_or("")),
        Str::Shared(text) => Value::string(text.get(start..end).unwrap_or("")),
    }
}

fn char_at<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text), Value::Int(index)] => {
            let start = offset(text, *index)?;
            let size = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            Ok(part(text, start, start + size))
        }
        _ => wrong("charAt", args),
    }
}

fn characters<'a>(text: &str, bytes: usize) -> Outcome<'a> {
    length(text.get(..bytes).map_or(0, |before| before.chars().count()))
}

fn index_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let (text, wanted, start) = match args {
        [Value::String(text), Value::String(wanted)] => (text, wanted, 0),
        [Value::String(text), Value::String(wanted), Value::Int(start)] => {
            (text, wanted, offset(text, *start)?)
        }
        _ => return wrong("indexOf", args),
    };
    match text.get(start..).and_then(|rest| rest.find(&**wanted)) {
        Some(at) => characters(text, start + at),
        None => Ok(Value::Int(-1)),
    }
}

fn last_index_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let (text, wanted, last) = match args {
        [Value::String(text), Value::String(wanted)] => (text, wanted, text.len()),
        [Value::String(text), Value::String(wanted), Value::Int(last)] => {
            (text, wanted, offset(text, *last)?)
        }
        _ => return wrong("lastIndexOf", args),
    };
    let end = last.saturating_add(wanted.len()).min(text.len());
    // A match must start at `last` or before, so that it ends at `end` or before.
    let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    match text.get(..end).and_then(|head| head.rfind(&**wanted)) {
        Some(at) => characters(text, at),
        None => Ok(Value::Int(-1)),
    }
}

fn lower<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => Ok(Value::string(text.to_ascii_lowercase())),
        _ => wrong("lowerAscii", args),
    }
}

fn upper<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => Ok(Value::string(text.to_ascii_uppercase())),
        _ => wrong("upperAscii", args),
    }
}

fn replace<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let (text, from, to, limit) = match args {
        [Value::String(text), Value::String(from), Value::String(to)] => (text, from, to, -1),
        [Value::String(text), Value::String(from), Value::String(to), Value::Int(limit)] => {
            (text, from, to, *limit)
        }
        _ => return wrong("replace", args),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let count = text.matches(&**from).take(limit).count();
    pay(meter, text.len().saturating_add(count.saturating_mul(to.len())))?;
    Ok(Value::string(text.replacen(&**from, to, limit)))
}

fn reverse<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => Ok(Value::string(text.chars().rev().collect::<String>())),
        _ => wrong("reverse", args),
    }
}

fn split<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let (text, separator, limit) = match args {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [Value::String(text), Value::String(separator), Value::Int(limit)] => (text, separator, *limit),
        _ => return wrong("split", args),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    meter.spend(text.len().min(limit) as u64)?;
    let piece = |piece: &str| {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        part(text, start, start + piece.len())
    };
    let pieces: Vec<Value<'a>> = if separator.is_empty() {
        // An empty separator cuts between characters; Rust would also cut before the first and behind the last.
        let mut pieces: Vec<&str> = Vec::new();
        let mut rest: &str = text;
        while pieces.len() + 1 < limit
            && let Some(first) = rest.chars().next()
            && rest.len() > first.len_utf8()
        {
            let (head, tail) = rest.split_at(first.len_utf8());
            pieces.push(head);
            rest = tail;
        }
        if limit > 0 && !rest.is_empty() {
            pieces.push(rest);
        }
        pieces.into_iter().map(piece).collect()
    } else {
        text.splitn(limit, &**separator).map(piece).collect()
    };
    Ok(Value::List(List::Shared(Arc::new(pieces))))
}

fn substring<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text), Value::Int(start)] => Ok(part(text, offset(text, *start)?, text.len())),
        [Value::String(text), Value::Int(start), Value::Int(end)] => {
            let (from, to) = (offset(text, *start)?, offset(text, *end)?);
            if from > to {
                let message = format!("invalid substring range. start: {start}, end: {end}");
                return Err(Fault::error(EvalCode::IndexRange, message));
            }
            Ok(part(text, from, to))
        }
        _ => wrong("substring", args),
    }
}

fn trim<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::String(text)] = args else { return wrong("trim", args) };
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    Ok(part(text, start.min(text.len()), start + trimmed.len()))
}

fn join<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let (list, separator) = match args {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, &**separator),
        _ => return wrong("join", args),
    };
    let mut joined = String::new();
    for (position, value) in list.iter().enumerate() {
        let Value::String(text) = &value else { return wrong("join", args) };
        pay(meter, text.len() + separator.len())?;
        if position > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    Ok(Value::string(joined))
}

fn quote<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::String(text)] = args else { return wrong("strings.quote", args) };
    Ok(Value::string(quoted(text)))
}

/// The text as a literal in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        let escape = match character {
            '\x07' => 'a',
            '\x08' => 'b',
            '\x0c' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\x0b' => 'v',
            '\\' | '"' => character,
            plain => {
                quoted.push(plain);
                continue;
            }
        };
        quoted.push('\\');
        quoted.push(escape);
    }
    quoted.push('"');
    quoted
}
