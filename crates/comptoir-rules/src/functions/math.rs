//! The extension `math`, but for `greatest`, `least` and bits.

use super::{Entry, constant, range, wrong};
use crate::eval::Meter;
use crate::value::{Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("math.ceil(double): double", ceil),
    constant("math.floor(double): double", floor),
    constant("math.round(double): double", round),
    constant("math.trunc(double): double", trunc),
    constant("math.abs(int): int", abs),
    constant("math.abs(uint): uint", abs),
    constant("math.abs(double): double", abs),
    constant("math.abs(decimal): decimal", abs),
    constant("math.sign(int): int", sign),
    constant("math.sign(uint): uint", sign),
    constant("math.sign(double): double", sign),
    constant("math.isNaN(double): bool", is_nan),
    constant("math.isInf(double): bool", is_infinite),
    constant("math.isFinite(double): bool", is_finite),
    constant("math.sqrt(double): double", sqrt),
    constant("math.sqrt(int): double", sqrt),
    constant("math.sqrt(uint): double", sqrt),
];

fn double<'a>(name: &str, args: &[Value<'a>], compute: impl Fn(f64) -> Value<'a>) -> Outcome<'a> {
    match args {
        [Value::Double(value)] => Ok(compute(*value)),
        _ => wrong(name, args),
    }
}

fn ceil<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    double("math.ceil", args, |value| Value::Double(value.ceil()))
}

fn floor<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    double("math.floor", args, |value| Value::Double(value.floor()))
}

fn round<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    double("math.round", args, |value| Value::Double(value.round()))
}

fn trunc<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    double("math.trunc", args, |value| Value::Double(value.trunc()))
}

fn is_nan<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    double("math.isNaN", args, |value| Value::Bool(value.is_nan()))
}

fn is_infinite<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    double("math.isInf", args, |value| Value::Bool(value.is_infinite()))
}

fn is_finite<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    double("math.isFinite", args, |value| Value::Bool(value.is_finite()))
}

fn abs<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(value)] => value
            .checked_abs()
            .map_or_else(|| range("integer overflow in `math.abs`"), |value| Ok(Value::Int(value))),
        [Value::Uint(value)] => Ok(Value::Uint(*value)),
        [Value::Double(value)] => Ok(Value::Double(value.abs())),
        [Value::Decimal(value)] if value.wide().units() < 0 => Ok(Value::Decimal(value.negated())),
        [Value::Decimal(value)] => Ok(Value::Decimal(*value)),
        _ => wrong("math.abs", args),
    }
}

fn sign<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(value)] => Ok(Value::Int(value.signum())),
        [Value::Uint(value)] => Ok(Value::Uint(u64::from(*value > 0))),
        [Value::Double(value)] if value.is_nan() || *value == 0.0 => Ok(Value::Double(*value)),
        [Value::Double(value)] => Ok(Value::Double(value.signum())),
        _ => wrong("math.sign", args),
    }
}

fn sqrt<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Double(value)] => Ok(Value::Double(value.sqrt())),
        [Value::Int(value)] => Ok(Value::Double((*value as f64).sqrt())),
        [Value::Uint(value)] => Ok(Value::Double((*value as f64).sqrt())),
        _ => wrong("math.sqrt", args),
    }
}
