//! `math.greatest` and `math.least`, to which macros reduce any number of arguments.

use std::cmp::Ordering;

use super::{Entry, constant, invalid, linear, wrong};
use crate::eval::Meter;
use crate::value::{Order, Outcome, Value};

macro_rules! table {
    ($($name:literal => $function:ident),*) => {
        &[$(
            constant(concat!("math.", $name, "(int): int"), $function),
            constant(concat!("math.", $name, "(uint): uint"), $function),
            constant(concat!("math.", $name, "(double): double"), $function),
            constant(concat!("math.", $name, "(decimal): decimal"), $function),
            constant(concat!("math.", $name, "(int, int): int"), $function),
            constant(concat!("math.", $name, "(uint, uint): uint"), $function),
            constant(concat!("math.", $name, "(double, double): double"), $function),
            constant(concat!("math.", $name, "(decimal, decimal): decimal"), $function),
            constant(concat!("math.", $name, "(int, uint): dyn"), $function),
            constant(concat!("math.", $name, "(uint, int): dyn"), $function),
            constant(concat!("math.", $name, "(int, double): dyn"), $function),
            constant(concat!("math.", $name, "(double, int): dyn"), $function),
            constant(concat!("math.", $name, "(uint, double): dyn"), $function),
            constant(concat!("math.", $name, "(double, uint): dyn"), $function),
            linear(concat!("math.", $name, "(list(int)): int"), $function),
            linear(concat!("math.", $name, "(list(uint)): uint"), $function),
            linear(concat!("math.", $name, "(list(double)): double"), $function),
            linear(concat!("math.", $name, "(list(decimal)): decimal"), $function),
            linear(concat!("math.", $name, "(list(dyn)): dyn"), $function),
        )*]
    };
}

pub(super) const TABLE: &[Entry] = table!("@max" => greatest, "@min" => least);

fn greatest<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    best("math.greatest", args, Ordering::Greater)
}

fn least<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    best("math.least", args, Ordering::Less)
}

fn best<'a>(name: &str, args: &[Value<'a>], wanted: Ordering) -> Outcome<'a> {
    if let [Value::List(list)] = args {
        let values: Vec<Value<'a>> = list.iter().collect();
        if values.is_empty() {
            return invalid(format!("`{name}` of an empty list"));
        }
        return best_of(name, &values, wanted);
    }
    best_of(name, args, wanted)
}

fn best_of<'a>(name: &str, values: &[Value<'a>], wanted: Ordering) -> Outcome<'a> {
    let is_number = |value: &Value<'_>| {
        matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Decimal(_))
    };
    let mut best: Option<&Value<'a>> = None;
    for value in values {
        if !is_number(value) {
            return wrong(name, values);
        }
        match best {
            None => best = Some(value),
            Some(before) => match value.order(before) {
                Order::Is(order) if order == wanted => best = Some(value),
                Order::Incomparable => return wrong(name, values),
                _ => {}
            },
        }
    }
    best.cloned().map_or_else(|| wrong(name, values), Ok)
}
