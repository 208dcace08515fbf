//! Values and decisions, packed for `io.comptoir.Values`.

use comptoir::rules::{Decision, Value};

use crate::parts::Writer;

/// What counts, what would count, what went wrong, and the outputs.
pub fn decision(decision: &Decision<'_>) -> Writer {
    let mut parts = Writer::default();
    parts.count(decision.fired().len());
    decision.fired().for_each(|rule| parts.text(rule));
    parts.count(decision.shadow().len());
    decision.shadow().for_each(|rule| parts.text(rule));
    parts.count(decision.faults().len());
    for (rule, fault) in decision.faults() {
        parts.text(rule);
        parts.text(&fault.to_string());
    }
    parts.count(decision.outputs().count());
    for output in decision.outputs() {
        parts.text(output.rule);
        parts.text(output.name);
        value(&mut parts, output.value);
    }
    parts
}

/// A value: its kind in 4 bytes, and what belongs to it.
fn value(parts: &mut Writer, given: &Value<'_>) {
    match given {
        Value::Null | Value::Absent | Value::Optional(None) => parts.int(1),
        Value::Bool(truth) => {
            parts.int(2);
            parts.int(i32::from(*truth));
        }
        Value::Int(number) => {
            parts.int(3);
            parts.long(*number);
        }
        Value::Uint(number) => {
            parts.int(4);
            parts.long(number.cast_signed());
        }
        Value::Double(number) => {
            parts.int(5);
            parts.double(*number);
        }
        Value::String(text) => {
            parts.int(6);
            parts.text(text);
        }
        Value::Optional(Some(inner)) => value(parts, inner),
        exact => precise(parts, exact),
    }
}

fn precise(parts: &mut Writer, given: &Value<'_>) {
    match given {
        Value::Decimal(decimal) => {
            let wide = decimal.wide();
            parts.int(7);
            parts.int(wide.scale().into());
            parts.wide(wide.units());
        }
        Value::Timestamp(moment) => {
            parts.int(8);
            parts.long(moment.seconds());
            parts.long(moment.nanos().into());
        }
        Value::Duration(duration) => {
            parts.int(9);
            parts.long(duration.nanos());
        }
        Value::Bytes(bytes) => {
            parts.int(10);
            parts.bytes(bytes);
        }
        compound => together(parts, compound),
    }
}

fn together(parts: &mut Writer, given: &Value<'_>) {
    match given {
        Value::List(list) => {
            parts.int(11);
            parts.count(list.len());
            list.iter().for_each(|element| value(parts, &element));
        }
        Value::Map(map) => {
            let entries = map.entries();
            parts.int(12);
            parts.count(entries.len());
            for (key, held) in &entries {
                value(parts, key);
                value(parts, held);
            }
        }
        Value::Struct(record) => {
            parts.int(12);
            parts.count(record.fields().count());
            for (name, held) in record.fields() {
                parts.int(6);
                parts.text(&name);
                value(parts, &held);
            }
        }
        // Types and addresses of the network, which Java has no values for.
        other => {
            let json = other.to_json();
            parts.int(6);
            parts.text(json.as_str().unwrap_or(&json.to_string()));
        }
    }
}
