//! Values that a host gives for declared inputs.

use std::sync::Arc;

use comptoir::rules::host::from_json;
use comptoir::rules::{DecimalValue, Env, EvalCode, EvalError, Type, Value};
use serde_json::Value as Json;

/// A value as one of the declared type. Whole numbers become the declared kind of number (the nearest double, as in
/// JSON), null is an optional without a value, else null, as in JSON and in columns; any other value of another type is an
/// error where it is read.
#[inline]
#[must_use]
pub fn conform<'v>(value: Value<'v>, ty: &Type) -> Value<'v> {
    match (ty, &value) {
        (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Uint, Value::Uint(_))
        | (Type::Double, Value::Double(_))
        | (Type::String, Value::String(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Decimal, Value::Decimal(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::List(_), Value::List(_))
        | (Type::Map(_), Value::Map(_))
        | (Type::Struct(_), Value::Struct(_))
        | (_, Value::Absent | Value::Error(_) | Value::Unknown(_))
        | (Type::Dyn, _) => value,
        _ => convert(value, ty),
    }
}

/// A value in JSON as one of the declared type.
#[must_use]
pub fn conform_json(json: &Json, ty: &Type, env: &Env) -> Value<'static> {
    from_json(Some(json), ty, env).into_owned()
}

#[cold]
fn convert<'v>(value: Value<'v>, ty: &Type) -> Value<'v> {
    if let Some(inner) = ty.as_optional() {
        return match value {
            Value::Null => Value::Optional(None),
            Value::Optional(_) => value,
            value => match conform(value, inner) {
                error @ Value::Error(_) => error,
                value => Value::some(value),
            },
        };
    }
    match (ty, value) {
        (_, Value::Null) => Value::Null,
        (Type::Nullable(inner), value) => conform(value, inner),
        (Type::Int, Value::Uint(number)) => match i64::try_from(number) {
            Ok(number) => Value::Int(number),
            Err(_) => range("int"),
        },
        (Type::Uint, Value::Int(number)) => match u64::try_from(number) {
            Ok(number) => Value::Uint(number),
            Err(_) => range("uint"),
        },
        (Type::Double, Value::Int(number)) => Value::Double(number as f64),
        (Type::Double, Value::Uint(number)) => Value::Double(number as f64),
        (Type::Decimal, value @ (Value::Int(_) | Value::Uint(_))) => match DecimalValue::of(&value) {
            Some(decimal) => Value::Decimal(decimal),
            None => range("decimal"),
        },
        (ty, value) => error(EvalCode::InvalidArgument, format!("expected {ty}, found {}", name(&value))),
    }
}

fn range(expected: &str) -> Value<'static> {
    error(EvalCode::Range, format!("the number does not fit {expected}"))
}

fn error(code: EvalCode, message: String) -> Value<'static> {
    Value::Error(Arc::new(EvalError::new(code, message)))
}

/// What a value is, for messages.
fn name(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Uint(_) => "uint",
        Value::Double(_) => "double",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Timestamp(_) => "timestamp",
        Value::Duration(_) => "duration",
        Value::Decimal(_) => "decimal",
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Struct(_) => "a struct",
        _ => "another value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_become_the_declared_kind() {
        assert!(matches!(conform(Value::Int(3), &Type::Double), Value::Double(three) if three == 3.0));
        assert!(matches!(conform(Value::Int(-1), &Type::Uint), Value::Error(_)));
        assert!(matches!(conform(Value::Uint(7), &Type::Int), Value::Int(7)));
        assert!(matches!(conform(Value::Uint(7), &Type::Decimal), Value::Decimal(_)));
    }

    #[test]
    fn null_is_null_whatever_is_declared() {
        assert!(matches!(conform(Value::Null, &Type::Int), Value::Null));
        let optional = Type::optional(Type::Int);
        assert!(matches!(conform(Value::Null, &optional), Value::Optional(None)));
    }

    #[test]
    fn a_value_of_another_type_says_what_was_found() {
        let Value::Error(error) = conform(Value::str("3"), &Type::Int) else { panic!() };
        assert_eq!(error.message, "expected int, found string");
    }
}
