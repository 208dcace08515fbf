//! Exact decimals: `decimal("12.30")`, rounding and division. Sums, products and comparisons are operators.

use comptoir_types::Rounding;

use super::{Entry, constant, invalid, wrong};
use crate::eval::Meter;
use crate::value::{DecimalValue, EvalCode, Fault, Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("decimal(decimal): decimal", decimal),
    constant("decimal(string): decimal", decimal),
    constant("decimal(int): decimal", decimal),
    constant("decimal(uint): decimal", decimal),
    constant("decimal(double): decimal", decimal),
    constant("decimal::round(int): decimal", round),
    constant("decimal::round(int, string): decimal", round),
    constant("decimal::divide(decimal, int): decimal", divide),
    constant("decimal::divide(decimal, int, string): decimal", divide),
    constant("decimal::divide(int, int): decimal", divide),
    constant("decimal::divide(int, int, string): decimal", divide),
    constant("decimal::scale(): int", scale),
];

/// A double becomes the decimal that its shortest text is: `decimal(0.1)` is 0.1.
fn decimal<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => DecimalValue::parse(text).map(Value::Decimal),
        [Value::Double(value)] if value.is_finite() => {
            DecimalValue::parse(&value.to_string()).map(Value::Decimal)
        }
        [Value::Double(value)] => invalid(format!("{value} is no decimal")),
        [value] => {
            DecimalValue::of(value).map_or_else(|| wrong("decimal", args), |value| Ok(Value::Decimal(value)))
        }
        _ => wrong("decimal", args),
    }
}

fn places(scale: i64) -> Result<u8, Fault> {
    u8::try_from(scale).ok().filter(|scale| *scale <= comptoir_types::decimal::MAX_SCALE).ok_or_else(|| {
        Fault::error(EvalCode::InvalidArgument, format!("a decimal has 0 to 18 places, found {scale}"))
    })
}

fn mode(name: Option<&Value<'_>>) -> Result<Rounding, Fault> {
    let Some(Value::String(name)) = name else { return Ok(Rounding::HalfEven) };
    name.parse()
        .map_err(|error: comptoir_types::Error| Fault::error(EvalCode::InvalidArgument, error.to_string()))
}

/// Rounds to so many places, half to even unless another mode is named.
fn round<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Decimal(value), Value::Int(scale), rest @ ..] => {
            value.round(places(*scale)?, mode(rest.first())?).map(Value::Decimal)
        }
        _ => wrong("round", args),
    }
}

/// Divides and rounds once, half to even unless another mode is named.
fn divide<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Decimal(value), divisor, Value::Int(scale), rest @ ..] => match DecimalValue::of(divisor) {
            Some(divisor) => value.divide(divisor, places(*scale)?, mode(rest.first())?).map(Value::Decimal),
            None => wrong("divide", args),
        },
        _ => wrong("divide", args),
    }
}

fn scale<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Decimal(value)] => Ok(Value::Int(i64::from(value.wide().scale()))),
        _ => wrong("scale", args),
    }
}
