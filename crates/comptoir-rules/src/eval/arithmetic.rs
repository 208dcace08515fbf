use std::sync::Arc;

use super::Meter;
use super::machine::no_overload;
use crate::syntax::BinaryOp;
use crate::value::{DecimalValue, EvalCode, Fault, List, Outcome, Value};

/// An operator with two operands.
pub(crate) fn binary<'a>(op: BinaryOp, left: &Value<'a>, right: &Value<'a>, meter: &Meter) -> Outcome<'a> {
    match (left, right) {
        (Value::Int(one), Value::Int(two)) => int(op, *one, *two),
        (Value::Double(one), Value::Double(two)) => double(op, *one, *two),
        (Value::Uint(one), Value::Uint(two)) => uint(op, *one, *two),
        (Value::Decimal(_), Value::Decimal(_) | Value::Int(_) | Value::Uint(_))
        | (Value::Int(_) | Value::Uint(_), Value::Decimal(_)) => decimal(op, left, right),
        _ if super::logic::is_relation(op) => super::logic::relate(op, left, right, meter).map(Value::Bool),
        _ => match op {
            BinaryOp::Add => add(left, right, meter),
            BinaryOp::Subtract => super::time::subtract(left, right),
            _ => Err(no_overload(op.symbol(), &[left.clone(), right.clone()])),
        },
    }
}

fn int<'a>(op: BinaryOp, left: i64, right: i64) -> Outcome<'a> {
    let result = match op {
        BinaryOp::Add => left.checked_add(right),
        BinaryOp::Subtract => left.checked_sub(right),
        BinaryOp::Multiply => left.checked_mul(right),
        BinaryOp::Divide | BinaryOp::Modulo if right == 0 => return Err(zero(op)),
        BinaryOp::Divide => left.checked_div(right),
        BinaryOp::Modulo => left.checked_rem(right),
        _ => None,
    };
    result.map(Value::Int).ok_or_else(|| overflow(op, "int"))
}

fn uint<'a>(op: BinaryOp, left: u64, right: u64) -> Outcome<'a> {
    let result = match op {
        BinaryOp::Add => left.checked_add(right),
        BinaryOp::Subtract => left.checked_sub(right),
        BinaryOp::Multiply => left.checked_mul(right),
        BinaryOp::Divide | BinaryOp::Modulo if right == 0 => return Err(zero(op)),
        BinaryOp::Divide => left.checked_div(right),
        BinaryOp::Modulo => left.checked_rem(right),
        _ => None,
    };
    result.map(Value::Uint).ok_or_else(|| overflow(op, "uint"))
}

fn double<'a>(op: BinaryOp, left: f64, right: f64) -> Outcome<'a> {
    Ok(Value::Double(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide => left / right,
        _ => return Err(no_overload(op.symbol(), &[Value::Double(left), Value::Double(right)])),
    }))
}

/// Exact sums and products; a quotient needs places and a rounding mode, which `/` does not name.
fn decimal<'a>(op: BinaryOp, left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    let (Some(one), Some(two)) = (DecimalValue::of(left), DecimalValue::of(right)) else {
        return Err(no_overload(op.symbol(), &[left.clone(), right.clone()]));
    };
    match op {
        BinaryOp::Add => one.add(two),
        BinaryOp::Subtract => one.subtract(two),
        BinaryOp::Multiply => one.multiply(two),
        _ => return Err(no_overload(op.symbol(), &[left.clone(), right.clone()])),
    }
    .map(Value::Decimal)
}

fn add<'a>(left: &Value<'a>, right: &Value<'a>, meter: &Meter) -> Outcome<'a> {
    match (left, right) {
        (Value::String(one), Value::String(two)) => {
            meter.spend_tenth(one.len() + two.len())?;
            let mut text = String::with_capacity(one.len() + two.len());
            text.push_str(one);
            text.push_str(two);
            Ok(Value::string(text))
        }
        (Value::Bytes(one), Value::Bytes(two)) => {
            meter.spend_tenth(one.len() + two.len())?;
            Ok(Value::bytes([&**one, &**two].concat()))
        }
        (Value::List(one), Value::List(two)) => {
            meter.spend((one.len() + two.len()) as u64)?;
            Ok(Value::List(List::Shared(Arc::new(one.iter().chain(two.iter()).collect()))))
        }
        _ => super::time::add(left, right),
    }
}

/// Unary minus.
pub(crate) fn negate<'a>(value: &Value<'a>) -> Outcome<'a> {
    match value {
        Value::Int(value) => {
            value.checked_neg().map(Value::Int).ok_or_else(|| overflow(BinaryOp::Subtract, "int"))
        }
        Value::Double(value) => Ok(Value::Double(-value)),
        Value::Decimal(value) => Ok(Value::Decimal(value.negated())),
        Value::Duration(value) => super::time::negate(*value),
        other => Err(no_overload("-", std::slice::from_ref(other))),
    }
}

#[cold]
fn zero(op: BinaryOp) -> Fault {
    let message = if op == BinaryOp::Modulo { "modulus by zero" } else { "division by zero" };
    Fault::error(EvalCode::DivideByZero, message)
}

#[cold]
fn overflow(op: BinaryOp, ty: &str) -> Fault {
    Fault::error(EvalCode::Range, format!("the result of `{}` does not fit {ty}", op.symbol()))
}
