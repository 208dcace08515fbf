use std::sync::Arc;

use super::machine::{Around, Machine};
use crate::check::{Message, WellKnown};
use crate::ir::{MessageNode, NodeId};
use crate::syntax::Access;
use crate::types::StructType;
use crate::value::{Duration, EvalCode, Fault, MapBuilder, Outcome, Row, Struct, Timestamp, Value};

type Fields<'a> = Vec<(Arc<str>, Value<'a>)>;

impl<'a> Machine<'a> {
    pub(super) fn list(&self, elements: &[(NodeId, Access)], around: Around<'_, 'a>) -> Outcome<'a> {
        let mut list = Vec::with_capacity(elements.len());
        for (element, access) in elements {
            list.extend(self.part(*element, *access, around)?);
        }
        Ok(Value::list(list))
    }

    pub(super) fn map(&self, entries: &[(NodeId, NodeId, Access)], around: Around<'_, 'a>) -> Outcome<'a> {
        let mut builder = MapBuilder::with_capacity(entries.len());
        for (key, value, access) in entries {
            let key = self.eval(*key, around)?;
            if let Some(value) = self.part(*value, *access, around)? {
                builder.insert(key, value)?;
            }
        }
        Ok(Value::Map(builder.finish()))
    }

    /// An element or entry; none where it is written with `?` and is none.
    fn part(&self, id: NodeId, access: Access, around: Around<'_, 'a>) -> Result<Option<Value<'a>>, Fault> {
        let value = self.eval(id, around)?;
        match (access, value) {
            (Access::Plain, value) => Ok(Some(value)),
            (Access::Optional, Value::Optional(value)) => Ok(value.map(|value| (*value).clone())),
            (Access::Optional, other) => {
                let message = format!("no such overload: expected optional, found {}", other.type_name());
                Err(Fault::error(EvalCode::NoSuchOverload, message))
            }
        }
    }

    pub(super) fn message(&self, node: &'a MessageNode, around: Around<'_, 'a>) -> Outcome<'a> {
        let mut fields: Fields<'a> = Vec::with_capacity(node.fields.len());
        for (name, value, access) in &node.fields {
            if let Some(value) = self.part(*value, *access, around)? {
                fields.push((name.clone(), value));
            }
        }
        match &node.message {
            Message::Struct(of) => row(of, fields),
            Message::WellKnown(message) => well_known(*message, &fields),
        }
    }
}

fn row<'a>(of: &Arc<StructType>, fields: Fields<'a>) -> Outcome<'a> {
    let mut values = vec![Value::Absent; of.fields().len()];
    for (name, value) in fields {
        match of.position(&name).and_then(|position| values.get_mut(position)) {
            Some(slot) => *slot = value,
            None => return Err(no_field(&name)),
        }
    }
    Ok(Value::Struct(Struct::Shared(Arc::new(Row::new(of.clone(), values)))))
}

/// A well-known message as the native value that it stands for.
fn well_known<'a>(message: WellKnown, fields: &Fields<'a>) -> Outcome<'a> {
    let field =
        |wanted: &str| fields.iter().find(|(name, _)| &**name == wanted).map(|(_, value)| value.clone());
    let int = |wanted: &str| match field(wanted) {
        None => Ok(0),
        Some(Value::Int(value)) => Ok(value),
        Some(other) => Err(wrong_field(&other)),
    };
    match message {
        WellKnown::Any => {
            Err(Fault::error(EvalCode::InvalidArgument, "an `Any` without a type has no value"))
        }
        WellKnown::List => field("values").map_or_else(|| Ok(Value::list(Vec::new())), Ok),
        WellKnown::Struct => {
            field("fields").map_or_else(|| Ok(Value::Map(MapBuilder::default().finish())), Ok)
        }
        WellKnown::Value => Ok(json_value(fields)),
        WellKnown::Timestamp => {
            let nanos = u32::try_from(int("nanos")?).unwrap_or(u32::MAX);
            Timestamp::new(int("seconds")?, nanos).map(Value::Timestamp)
        }
        WellKnown::Duration => {
            let nanos = i32::try_from(int("nanos")?).unwrap_or(i32::MAX);
            Duration::new(int("seconds")?, nanos).map(Value::Duration)
        }
        wrapper => wrapped(wrapper, field("value")),
    }
}

fn json_value<'a>(fields: &Fields<'a>) -> Value<'a> {
    match fields.first() {
        Some((name, _)) if &**name == "null_value" => Value::Null,
        Some((_, value)) => value.clone(),
        None => Value::Null,
    }
}

fn wrapped<'a>(wrapper: WellKnown, value: Option<Value<'a>>) -> Outcome<'a> {
    let value = value.unwrap_or_else(|| match wrapper {
        WellKnown::Bool => Value::Bool(false),
        WellKnown::Bytes => Value::bytes([]),
        WellKnown::String => Value::str(""),
        WellKnown::Double | WellKnown::Float => Value::Double(0.0),
        WellKnown::Uint32 | WellKnown::Uint64 => Value::Uint(0),
        _ => Value::Int(0),
    });
    match (wrapper, value) {
        #[expect(clippy::cast_possible_truncation, reason = "a float holds no more")]
        (WellKnown::Float, Value::Double(value)) => Ok(Value::Double(f64::from(value as f32))),
        (WellKnown::Int32, Value::Int(value)) if i32::try_from(value).is_err() => Err(range("int32")),
        (WellKnown::Uint32, Value::Uint(value)) if u32::try_from(value).is_err() => Err(range("uint32")),
        (_, value) => Ok(value),
    }
}

#[cold]
fn range(ty: &str) -> Fault {
    Fault::error(EvalCode::Range, format!("the value does not fit {ty}"))
}

#[cold]
fn no_field(name: &str) -> Fault {
    Fault::error(EvalCode::NoSuchField, format!("no such field: `{name}`"))
}

#[cold]
fn wrong_field(value: &Value<'_>) -> Fault {
    Fault::error(
        EvalCode::NoSuchOverload,
        format!("no such overload: a field cannot be {}", value.type_name()),
    )
}
