//! The extension `sets`: lists as sets.

use super::{Entry, constant, wrong};
use crate::eval::{Meter, contains as holds};
use crate::value::{Fault, List, Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("sets.contains(list(?A), list(?A)): bool", contains),
    constant("sets.equivalent(list(?A), list(?A)): bool", equivalent),
    constant("sets.intersects(list(?A), list(?A)): bool", intersects),
];

fn pay(meter: &Meter, left: &List<'_>, right: &List<'_>) -> Result<(), Fault> {
    meter.spend((left.len() as u64).saturating_mul(right.len() as u64))
}

fn has_all(all: &List<'_>, of: &List<'_>, meter: &Meter) -> Result<bool, Fault> {
    for value in of.iter() {
        if !holds(all, &value, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::List(left), Value::List(right)] = args else { return wrong("sets.contains", args) };
    pay(meter, left, right)?;
    has_all(left, right, meter).map(Value::Bool)
}

fn equivalent<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::List(left), Value::List(right)] = args else { return wrong("sets.equivalent", args) };
    pay(meter, left, right)?;
    pay(meter, right, left)?;
    Ok(Value::Bool(has_all(left, right, meter)? && has_all(right, left, meter)?))
}

fn intersects<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::List(left), Value::List(right)] = args else { return wrong("sets.intersects", args) };
    pay(meter, left, right)?;
    for value in right.iter() {
        if holds(left, &value, meter)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}
