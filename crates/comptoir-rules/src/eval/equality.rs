use super::Meter;
use crate::value::{Fault, List, Struct, Value};

/// Equality of values of any size, paid for element by element. A value that an expression made may hold one part many
/// times over, so that a walk takes far more than the value's memory tells.
pub(crate) fn equal(left: &Value<'_>, right: &Value<'_>, meter: &Meter) -> Result<bool, Fault> {
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            meter.spend(left.len() as u64)?;
            for (one, two) in left.iter().zip(right.iter()) {
                if !equal(&one, &two, meter)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            meter.spend(left.len() as u64)?;
            for (key, one) in left.entries() {
                match right.get(&key) {
                    Some(two) if equal(&one, &two, meter)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::Optional(Some(left)), Value::Optional(Some(right))) => equal(left, right, meter),
        (Value::Struct(left), Value::Struct(right)) => equal_structs(left, right, meter),
        _ => {
            meter.spend_deep(left)?;
            Ok(left.equals(right))
        }
    }
}

fn equal_structs(left: &Struct<'_>, right: &Struct<'_>, meter: &Meter) -> Result<bool, Fault> {
    let (Some(left), Some(right)) = (left.row(), right.row()) else { return Ok(left.equals(right)) };
    if left.of().name() != right.of().name() || left.of().fields().len() != right.of().fields().len() {
        return Ok(false);
    }
    for index in 0..left.of().fields().len() {
        meter.spend(1)?;
        match (left.get(index), right.get(index)) {
            (Value::Absent, Value::Absent) => {}
            (one, two) if equal(one, two, meter)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether an element of a list is equal to a value; the walk over the list itself is paid for by the caller.
pub(crate) fn contains(list: &List<'_>, value: &Value<'_>, meter: &Meter) -> Result<bool, Fault> {
    if !matches!(value, Value::List(_) | Value::Map(_) | Value::Struct(_) | Value::Optional(_)) {
        return Ok(list.contains(value));
    }
    for element in list.iter() {
        if equal(&element, value, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a result can be walked over within `limit` steps, so that a host that does so comes to an end.
pub(crate) fn is_within(value: &Value<'_>, limit: &mut u64) -> bool {
    if *limit == 0 {
        return false;
    }
    *limit -= 1;
    match value {
        Value::List(list @ (List::Ref(_) | List::Shared(_))) => {
            list.iter().all(|element| is_within(&element, limit))
        }
        Value::Map(map) if !map.is_host() => {
            map.entries().iter().all(|(_, element)| is_within(element, limit))
        }
        Value::Optional(Some(value)) => is_within(value, limit),
        Value::Struct(Struct::Shared(row)) => {
            (0..row.of().fields().len()).all(|index| is_within(row.get(index), limit))
        }
        _ => true,
    }
}
