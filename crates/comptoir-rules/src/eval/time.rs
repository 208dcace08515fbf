use super::machine::no_overload;
use crate::value::{Duration, Fault, Outcome, Value};

pub(super) fn add<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    match (left, right) {
        (Value::Timestamp(moment), Value::Duration(span))
        | (Value::Duration(span), Value::Timestamp(moment)) => moment.add(*span).map(Value::Timestamp),
        (Value::Duration(one), Value::Duration(two)) => one.add(*two).map(Value::Duration),
        _ => Err(no_overload("+", &[left.clone(), right.clone()])),
    }
}

pub(super) fn subtract<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    match (left, right) {
        (Value::Timestamp(moment), Value::Duration(span)) => moment.subtract(*span).map(Value::Timestamp),
        (Value::Timestamp(one), Value::Timestamp(two)) => one.since(*two).map(Value::Duration),
        (Value::Duration(one), Value::Duration(two)) => one.subtract(*two).map(Value::Duration),
        _ => Err(no_overload("-", &[left.clone(), right.clone()])),
    }
}

pub(super) fn negate<'a>(span: Duration) -> Result<Value<'a>, Fault> {
    Duration::from_nanos(0).subtract(span).map(Value::Duration)
}
