//! The bit operations of the extension `math`.

use super::{Entry, constant, invalid, wrong};
use crate::eval::Meter;
use crate::value::{Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("math.bitAnd(int, int): int", and),
    constant("math.bitAnd(uint, uint): uint", and),
    constant("math.bitOr(int, int): int", or),
    constant("math.bitOr(uint, uint): uint", or),
    constant("math.bitXor(int, int): int", xor),
    constant("math.bitXor(uint, uint): uint", xor),
    constant("math.bitNot(int): int", not),
    constant("math.bitNot(uint): uint", not),
    constant("math.bitShiftLeft(int, int): int", shift_left),
    constant("math.bitShiftLeft(uint, int): uint", shift_left),
    constant("math.bitShiftRight(int, int): int", shift_right),
    constant("math.bitShiftRight(uint, int): uint", shift_right),
];

fn and<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(left), Value::Int(right)] => Ok(Value::Int(left & right)),
        [Value::Uint(left), Value::Uint(right)] => Ok(Value::Uint(left & right)),
        _ => wrong("math.bitAnd", args),
    }
}

fn or<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(left), Value::Int(right)] => Ok(Value::Int(left | right)),
        [Value::Uint(left), Value::Uint(right)] => Ok(Value::Uint(left | right)),
        _ => wrong("math.bitOr", args),
    }
}

fn xor<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(left), Value::Int(right)] => Ok(Value::Int(left ^ right)),
        [Value::Uint(left), Value::Uint(right)] => Ok(Value::Uint(left ^ right)),
        _ => wrong("math.bitXor", args),
    }
}

fn not<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(value)] => Ok(Value::Int(!value)),
        [Value::Uint(value)] => Ok(Value::Uint(!value)),
        _ => wrong("math.bitNot", args),
    }
}

/// Bits to shift by; from 64 on nothing is left.
fn offset(bits: i64) -> Result<u32, Outcome<'static>> {
    u32::try_from(bits.min(64)).map_err(|_| invalid(format!("negative offset: {bits}")))
}

fn shift_left<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(value), Value::Int(bits)] => match offset(*bits) {
            Ok(bits) => Ok(Value::Int(value.checked_shl(bits).unwrap_or(0))),
            Err(fault) => fault,
        },
        [Value::Uint(value), Value::Int(bits)] => match offset(*bits) {
            Ok(bits) => Ok(Value::Uint(value.checked_shl(bits).unwrap_or(0))),
            Err(fault) => fault,
        },
        _ => wrong("math.bitShiftLeft", args),
    }
}

/// Zeros come in from the left, for a negative int too.
fn shift_right<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Int(value), Value::Int(bits)] => match offset(*bits) {
            Ok(bits) => Ok(Value::Int(value.cast_unsigned().checked_shr(bits).unwrap_or(0).cast_signed())),
            Err(fault) => fault,
        },
        [Value::Uint(value), Value::Int(bits)] => match offset(*bits) {
            Ok(bits) => Ok(Value::Uint(value.checked_shr(bits).unwrap_or(0))),
            Err(fault) => fault,
        },
        _ => wrong("math.bitShiftRight", args),
    }
}
