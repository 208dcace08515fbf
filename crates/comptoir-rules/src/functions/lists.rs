//! The extension `lists`.

use super::{Entry, constant, invalid, linear, wrong};
use crate::eval::{Meter, equal, sort, sort_cost};
use crate::value::{EvalCode, Fault, List, Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    linear("list(?A)::slice(int, int): list(?A)", slice),
    linear("list(list(?A))::flatten(): list(?A)", flatten),
    linear("list(dyn)::flatten(): list(dyn)", flatten),
    linear("list(dyn)::flatten(int): list(dyn)", flatten),
    constant("list(?A)::sort(): list(?A)", sorted),
    constant("list(?A)::distinct(): list(?A)", distinct),
    linear("list(?A)::reverse(): list(?A)", reverse),
    constant("lists.range(int): list(int)", numbers),
    constant("list(?A)::first(): optional_type(?A)", first),
    constant("list(?A)::last(): optional_type(?A)", last),
];

fn slice<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::List(list), Value::Int(start), Value::Int(end)] = args else { return wrong("slice", args) };
    let position = |index: i64| usize::try_from(index).ok().filter(|index| *index <= list.len());
    match (position(*start), position(*end)) {
        (Some(from), Some(to)) if from <= to => {
            if let List::Ref(values) = list {
                return Ok(Value::List(List::Ref(values.get(from..to).unwrap_or(&[]))));
            }
            Ok(Value::list((from..to).filter_map(|index| list.get(index)).collect()))
        }
        _ => {
            let message = format!("cannot slice({start}, {end}) a list of {} elements", list.len());
            Err(Fault::error(EvalCode::IndexRange, message))
        }
    }
}

fn flatten<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let (list, depth) = match args {
        [Value::List(list)] => (list, 1),
        [Value::List(list), Value::Int(depth)] => (list, *depth),
        _ => return wrong("flatten", args),
    };
    if depth < 0 {
        return invalid("`flatten` takes a depth of 0 or more");
    }
    let mut values: Vec<Value<'a>> = list.iter().collect();
    for _ in 0..depth {
        if !values.iter().any(|value| matches!(value, Value::List(_))) {
            break;
        }
        let mut flat = Vec::with_capacity(values.len());
        for value in values {
            match value {
                Value::List(inner) => {
                    meter.spend(inner.len() as u64)?;
                    flat.extend(inner.iter());
                }
                other => flat.push(other),
            }
        }
        values = flat;
    }
    Ok(Value::list(values))
}

fn sorted<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::List(list)] = args else { return wrong("sort", args) };
    meter.spend(sort_cost(list.len()))?;
    sort(list.iter().map(|value| (value.clone(), value)).collect()).map(Value::list)
}

/// Each value once, at its first place. It compares pairs, since equality goes across number types.
fn distinct<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::List(list)] = args else { return wrong("distinct", args) };
    let mut values: Vec<Value<'a>> = Vec::with_capacity(list.len());
    for value in list.iter() {
        meter.spend(1 + values.len() as u64)?;
        let mut is_new = true;
        for other in &values {
            is_new = is_new && !equal(other, &value, meter)?;
        }
        if is_new {
            values.push(value);
        }
    }
    Ok(Value::list(values))
}

fn reverse<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::List(list)] = args else { return wrong("reverse", args) };
    let mut values: Vec<Value<'a>> = list.iter().collect();
    values.reverse();
    Ok(Value::list(values))
}

fn numbers<'a>(args: &[Value<'a>], meter: &Meter) -> Outcome<'a> {
    let [Value::Int(end)] = args else { return wrong("lists.range", args) };
    meter.spend(u64::try_from(*end).unwrap_or(0))?;
    Ok(Value::list((0..*end).map(Value::Int).collect()))
}

fn first<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::List(list)] = args else { return wrong("first", args) };
    Ok(list.get(0).map_or(Value::Optional(None), Value::some))
}

fn last<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::List(list)] = args else { return wrong("last", args) };
    let last = list.len().checked_sub(1).and_then(|index| list.get(index));
    Ok(last.map_or(Value::Optional(None), Value::some))
}
