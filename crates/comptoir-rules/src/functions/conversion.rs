//! `int(x)`, `string(x)` and the like, `type(x)`, `dyn(x)`.

use super::float_text::shortest;
use super::{Entry, constant, invalid, linear, pay, range, wrong};
use crate::eval::Meter;
use crate::value::{Bytes, EvalCode, Fault, Outcome, Str, Timestamp, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("dyn(?A): dyn", same),
    constant("type(?A): type(?A)", type_of),
    constant("bool(bool): bool", same),
    constant("bool(string): bool", bool_of),
    constant("int(int): int", same),
    constant("int(uint): int", int_of),
    constant("int(double): int", int_of),
    constant("int(string): int", int_of),
    constant("int(timestamp): int", int_of),
    constant("int(decimal): int", int_of),
    constant("uint(uint): uint", same),
    constant("uint(int): uint", uint_of),
    constant("uint(double): uint", uint_of),
    constant("uint(string): uint", uint_of),
    constant("uint(decimal): uint", uint_of),
    constant("double(double): double", same),
    constant("double(int): double", double_of),
    constant("double(uint): double", double_of),
    constant("double(string): double", double_of),
    constant("double(decimal): double", double_of),
    constant("string(string): string", same),
    constant("string(bool): string", string_of),
    constant("string(int): string", string_of),
    constant("string(uint): string", string_of),
    constant("string(double): string", string_of),
    linear("string(bytes): string", string_of),
    constant("string(timestamp): string", string_of),
    constant("string(duration): string", string_of),
    constant("string(decimal): string", string_of),
    constant("string(net.IP): string", string_of),
    constant("string(net.CIDR): string", string_of),
    constant("bytes(bytes): bytes", same),
    linear("bytes(string): bytes", bytes_of),
    constant("timestamp(timestamp): timestamp", same),
    constant("timestamp(string): timestamp", timestamp_of),
    constant("timestamp(int): timestamp", timestamp_of),
    constant("duration(duration): duration", same),
    constant("duration(string): duration", duration_of),
];

fn same<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    args.first().cloned().map_or_else(|| wrong("dyn", args), Ok)
}

fn type_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let Some(value) = args.first() else { return wrong("type", args) };
    Ok(Value::Type(match value.type_name() {
        std::borrow::Cow::Borrowed(name) => Str::Ref(name),
        std::borrow::Cow::Owned(name) => Str::Shared(name.into()),
    }))
}

fn bool_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            other => invalid(format!("`{}` is no bool", head(other))),
        },
        _ => wrong("bool", args),
    }
}

fn head(text: &str) -> String {
    text.chars().take(40).collect()
}

fn int_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let out_of_range = || range("range error: the number does not fit int");
    match args {
        [Value::Uint(value)] => {
            i64::try_from(*value).map_or_else(|_| out_of_range(), |value| Ok(Value::Int(value)))
        }
        [Value::Double(value)] => {
            // Both limits are refused too: at their size a double does not tell neighbours apart.
            const LIMIT: f64 = 9_223_372_036_854_775_808.0;
            #[expect(clippy::cast_possible_truncation, reason = "within the limits")]
            if *value > -LIMIT && *value < LIMIT { Ok(Value::Int(*value as i64)) } else { out_of_range() }
        }
        [Value::String(text)] => match text.parse() {
            Ok(value) => Ok(Value::Int(value)),
            Err(_) => invalid(format!("`{}` is no int", head(text))),
        },
        [Value::Timestamp(moment)] => Ok(Value::Int(moment.seconds())),
        [Value::Decimal(value)] => {
            let whole = value.round(0, comptoir_types::Rounding::Down)?.wide().units();
            i64::try_from(whole).map_or_else(|_| out_of_range(), |value| Ok(Value::Int(value)))
        }
        _ => wrong("int", args),
    }
}

fn uint_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let out_of_range = || range("range error: the number does not fit uint");
    match args {
        [Value::Int(value)] => {
            u64::try_from(*value).map_or_else(|_| out_of_range(), |value| Ok(Value::Uint(value)))
        }
        [Value::Double(value)] => {
            const LIMIT: f64 = 18_446_744_073_709_551_616.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the limits")]
            if *value > -1.0 && *value < LIMIT { Ok(Value::Uint(*value as u64)) } else { out_of_range() }
        }
        [Value::String(text)] => match text.parse() {
            Ok(value) => Ok(Value::Uint(value)),
            Err(_) => invalid(format!("`{}` is no uint", head(text))),
        },
        [Value::Decimal(value)] => {
            let whole = value.round(0, comptoir_types::Rounding::Down)?.wide().units();
            u64::try_from(whole).map_or_else(|_| out_of_range(), |value| Ok(Value::Uint(value)))
        }
        _ => wrong("uint", args),
    }
}

fn double_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::Uint(value)] => Ok(Value::Double(*value as f64)),
        [Value::String(text)] => match text.parse() {
            Ok(value) => Ok(Value::Double(value)),
            Err(_) => invalid(format!("`{}` is no double", head(text))),
        },
        // A decimal's text is read as the nearest double, which is one rounding.
        [Value::Decimal(value)] => Ok(Value::Double(value.to_string().parse().unwrap_or(f64::NAN))),
        _ => wrong("double", args),
    }
}

fn string_of<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [value] = args else { return wrong("string", args) };
    if let Value::Bytes(bytes) = value {
        pay(meter, bytes.len())?;
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::string(text)),
            Err(_) => invalid("invalid UTF-8 in bytes cannot be converted to string"),
        };
    }
    text_of(value).map_or_else(|| wrong("string", args), |text| Ok(Value::string(text)))
}

/// The text that `string(x)` and `%s` give for a value that is no container.
pub(super) fn text_of(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => shortest(*value),
        Value::Timestamp(value) => value.to_string(),
        Value::Duration(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Ip(address) => address.to_string(),
        Value::Cidr(address, prefix) => format!("{address}/{prefix}"),
        _ => return None,
    })
}

fn bytes_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(Str::Ref(text))] => Ok(Value::Bytes(Bytes::Ref(text.as_bytes()))),
        [Value::String(text)] => Ok(Value::bytes(text.as_bytes())),
        _ => wrong("bytes", args),
    }
}

fn timestamp_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => text.parse::<Timestamp>().map(Value::Timestamp),
        [Value::Int(seconds)] => Timestamp::new(*seconds, 0).map(Value::Timestamp),
        _ => wrong("timestamp", args),
    }
}

fn duration_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => text.parse().map(Value::Duration),
        _ => Err(Fault::error(EvalCode::NoSuchOverload, "no such overload: `duration`")),
    }
}
