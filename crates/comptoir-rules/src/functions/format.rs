//! `format` of the extension `strings`.

use super::conversion::text_of;
use super::float_text::{fixed, scientific, special};
use super::{Entry, linear, pay, wrong};
use crate::eval::Meter;
use crate::types::Type;
use crate::value::{EvalCode, Fault, Map, Outcome, Value};

pub(super) const TABLE: &[Entry] = &[linear("string::format(list(dyn)): string", format)];

/// Most digits behind the point: a double has no more than that many that mean something.
const MAX_PRECISION: usize = 350;

fn format<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::String(template), Value::List(values)] = args else { return wrong("format", args) };
    let mut text = String::with_capacity(template.len());
    let mut rest: &str = template;
    let mut next = 0;
    while let Some((plain, clause)) = rest.split_once('%') {
        text.push_str(plain);
        if let Some(after) = clause.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let (precision, verb, after) = parse_clause(clause)?;
        let Some(value) = values.get(next) else {
            return Err(fault(format!("index {next} out of range")));
        };
        let before = text.len();
        write_clause(&mut text, verb, precision, &value, meter)?;
        pay(meter, text.len() - before)?;
        next += 1;
        rest = after;
    }
    text.push_str(rest);
    Ok(Value::string(text))
}

/// What is wrong with a template for arguments of these types, before anything is formatted: a clause that is none, too
/// few or too many arguments, a type that the clause never takes.
///
/// # Errors
/// The fault, in one line.
pub(crate) fn check_format(template: &str, args: &[Type]) -> Result<(), String> {
    let mut rest = template;
    let mut count = 0;
    while let Some((_, clause)) = rest.split_once('%') {
        if let Some(after) = clause.strip_prefix('%') {
            rest = after;
            continue;
        }
        let (_, verb, after) = parse_clause(clause).map_err(|fault| fault.to_string())?;
        if let Some(ty) = args.get(count)
            && !may_take(verb, ty)
        {
            return Err(format!("`%{verb}` does not take argument {} of type {ty}", count + 1));
        }
        count += 1;
        rest = after;
    }
    if count == args.len() {
        return Ok(());
    }
    Err(format!("the template takes {count} arguments, and the list has {}", args.len()))
}

/// Whether a clause may take a value of the type. `%s` takes anything but addresses and the like, which is left to the
/// evaluation.
const fn may_take(verb: char, ty: &Type) -> bool {
    use Type as T;
    match ty {
        T::String | T::Bytes => matches!(verb, 's' | 'x' | 'X'),
        T::Bool => matches!(verb, 's' | 'b'),
        T::Timestamp | T::Duration | T::List(_) | T::Map(_) | T::Type(_) | T::Null => verb == 's',
        T::Int | T::Uint => true,
        T::Double | T::Decimal => matches!(verb, 's' | 'd' | 'f' | 'e'),
        _ => true,
    }
}

#[cold]
fn fault(message: String) -> Fault {
    Fault::error(EvalCode::InvalidArgument, message)
}

/// Precision, verb and the rest of `.3f and so on`.
fn parse_clause(clause: &str) -> Result<(Option<usize>, char, &str), Fault> {
    let mut precision = None;
    let mut rest = clause;
    if let Some(digits) = rest.strip_prefix('.') {
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = digits.split_at(length);
        let parsed = number.parse().ok().filter(|precision| *precision <= MAX_PRECISION);
        precision = Some(parsed.ok_or_else(|| {
            fault(format!("could not parse formatting clause: precision must be 0 to {MAX_PRECISION}"))
        })?);
        rest = after;
    }
    match rest.chars().next() {
        Some(verb @ ('s' | 'd' | 'f' | 'e' | 'b' | 'o' | 'x' | 'X')) => {
            Ok((precision, verb, rest.get(1..).unwrap_or("")))
        }
        Some(other) => Err(fault(format!(
            "could not parse formatting clause: unrecognized formatting clause \"{other}\""
        ))),
        None => Err(fault("could not parse formatting clause: unexpected end of string".into())),
    }
}

fn write_clause(
    text: &mut String,
    verb: char,
    precision: Option<usize>,
    value: &Value<'_>,
    meter: &Meter,
) -> Result<(), Fault> {
    match verb {
        's' => return write_any(text, value, meter),
        'd' => text.push_str(&decimal(value)?),
        'f' => text.push_str(&floating(value, precision, "fixed-point", fixed)?),
        'e' => text.push_str(&floating(value, precision, "scientific", scientific)?),
        'b' => text.push_str(&binary(value)?),
        'o' => text.push_str(&octal(value)?),
        _ => {
            let hex = hex(value)?;
            text.push_str(&if verb == 'X' { hex.to_ascii_uppercase() } else { hex });
        }
    }
    Ok(())
}

fn refused(clause: &str, value: &Value<'_>) -> Fault {
    fault(format!("error during formatting: {clause}, was given {}", value.type_name()))
}

fn decimal(value: &Value<'_>) -> Result<String, Fault> {
    match value {
        Value::Int(_) | Value::Uint(_) | Value::Decimal(_) => text_of(value),
        Value::Double(value) => special(*value).map(str::to_owned),
        _ => None,
    }
    .ok_or_else(|| refused("decimal clause can only be used on integers", value))
}

fn floating(
    value: &Value<'_>,
    precision: Option<usize>,
    name: &str,
    write: impl Fn(f64, usize) -> String,
) -> Result<String, Fault> {
    let number = match value {
        Value::Double(value) => *value,
        Value::Int(value) => *value as f64,
        Value::Uint(value) => *value as f64,
        Value::Decimal(value) => value.to_string().parse().unwrap_or(f64::NAN),
        other => return Err(refused(&format!("{name} clause can only be used on doubles"), other)),
    };
    Ok(write(number, precision.unwrap_or(6)))
}

fn binary(value: &Value<'_>) -> Result<String, Fault> {
    match value {
        Value::Int(value) => Ok(signed(*value, |magnitude| format!("{magnitude:b}"))),
        Value::Uint(value) => Ok(format!("{value:b}")),
        Value::Bool(value) => Ok(u8::from(*value).to_string()),
        other => Err(refused("only integers and bools can be formatted as binary", other)),
    }
}

fn octal(value: &Value<'_>) -> Result<String, Fault> {
    match value {
        Value::Int(value) => Ok(signed(*value, |magnitude| format!("{magnitude:o}"))),
        Value::Uint(value) => Ok(format!("{value:o}")),
        other => Err(refused("octal clause can only be used on integers", other)),
    }
}

fn hex(value: &Value<'_>) -> Result<String, Fault> {
    let bytes = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match value {
        Value::Int(value) => Ok(signed(*value, |magnitude| format!("{magnitude:x}"))),
        Value::Uint(value) => Ok(format!("{value:x}")),
        Value::String(text) => Ok(bytes(text.as_bytes())),
        Value::Bytes(value) => Ok(bytes(value)),
        other => Err(refused("only integers, byte buffers, and strings can be formatted as hex", other)),
    }
}

fn signed(value: i64, write: impl Fn(u64) -> String) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", write(value.unsigned_abs()))
}

/// `%s`: any value; maps in the order of their keys' text.
fn write_any(text: &mut String, value: &Value<'_>, meter: &Meter) -> Result<(), Fault> {
    // One part may be in a value many times over.
    meter.spend(1)?;
    match value {
        Value::Null => text.push_str("null"),
        Value::String(value) => text.push_str(value),
        Value::Bytes(value) => text.push_str(&String::from_utf8_lossy(value)),
        Value::Type(name) => text.push_str(name),
        Value::List(list) => {
            text.push('[');
            for (position, element) in list.iter().enumerate() {
                text.push_str(if position > 0 { ", " } else { "" });
                write_any(text, &element, meter)?;
            }
            text.push(']');
        }
        Value::Map(map) => return write_map(text, map, meter),
        other => match text_of(other) {
            Some(written) => text.push_str(&written),
            None => {
                return Err(refused(
                    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
                    other,
                ));
            }
        },
    }
    Ok(())
}

fn write_map(text: &mut String, map: &Map<'_>, meter: &Meter) -> Result<(), Fault> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.entries() {
        let mut name = String::new();
        write_any(&mut name, &key, meter)?;
        entries.push((name, value));
    }
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    text.push('{');
    for (position, (key, value)) in entries.iter().enumerate() {
        text.push_str(if position > 0 { ", " } else { "" });
        text.push_str(key);
        text.push_str(": ");
        write_any(text, value, meter)?;
    }
    text.push('}');
    Ok(())
}
