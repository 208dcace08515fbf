//! The extension `optionals`; `or` and `orValue` are evaluated by nodes of their own where the types are known.

use super::{Entry, constant, linear, wrong};
use crate::eval::Meter;
use crate::value::{EvalCode, Fault, Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("optional.none(): optional_type(?A)", none),
    constant("optional.of(?A): optional_type(?A)", of),
    constant("optional.ofNonZeroValue(?A): optional_type(?A)", of_non_zero),
    constant("optional_type(?A)::hasValue(): bool", has_value),
    constant("optional_type(?A)::value(): ?A", value),
    constant("optional_type(?A)::or(optional_type(?A)): optional_type(?A)", or),
    constant("optional_type(?A)::orValue(?A): ?A", or_value),
    linear("optional.unwrap(list(optional_type(?A))): list(?A)", unwrap),
    linear("list(optional_type(?A))::unwrapOpt(): list(?A)", unwrap),
];

fn none<'a>(_: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    Ok(Value::Optional(None))
}

fn of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [value] => Ok(Value::some(value.clone())),
        _ => wrong("optional.of", args),
    }
}

fn of_non_zero<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [value] if value.is_zero() => Ok(Value::Optional(None)),
        [value] => Ok(Value::some(value.clone())),
        _ => wrong("optional.ofNonZeroValue", args),
    }
}

fn has_value<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        _ => wrong("hasValue", args),
    }
}

fn value<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Optional(Some(value))] => Ok((**value).clone()),
        [Value::Optional(None)] => Err(Fault::error(EvalCode::NoneValue, "`optional.none()` has no value")),
        _ => wrong("value", args),
    }
}

fn or<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Optional(None), other] => Ok(other.clone()),
        [value @ Value::Optional(_), _] => Ok(value.clone()),
        _ => wrong("or", args),
    }
}

fn or_value<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Optional(None), other] => Ok(other.clone()),
        [Value::Optional(Some(value)), _] => Ok((**value).clone()),
        _ => wrong("orValue", args),
    }
}

fn unwrap<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::List(list)] = args else { return wrong("optional.unwrap", args) };
    let mut values = Vec::with_capacity(list.len());
    for value in list.iter() {
        match value {
            Value::Optional(Some(value)) => values.push((*value).clone()),
            Value::Optional(None) => {}
            _ => return wrong("optional.unwrap", args),
        }
    }
    Ok(Value::list(values))
}
