use std::sync::Arc;

use super::machine::{Around, Machine, no_overload};
use crate::ir::{Node, NodeId};
use crate::syntax::Access;
use crate::types::StructType;
use crate::value::{EvalCode, Fault, List, Outcome, Value};

type PlaceIn = (Arc<StructType>, u32);

impl<'a> Machine<'a> {
    #[expect(clippy::too_many_arguments, reason = "the parts of one node")]
    pub(super) fn field(
        &self,
        id: NodeId,
        node: &'a Node,
        operand: NodeId,
        name: &'a str,
        place: Option<&PlaceIn>,
        access: Access,
        around: Around<'_, 'a>,
    ) -> Outcome<'a> {
        if self.patterns.is_some() {
            self.check_known(id, around)?;
        }
        if !crate::ir::is_leaf(&node.kind, self.nodes) {
            self.meter.charge(node.charge);
        }
        let value = self.eval(operand, around)?;
        if let (Value::Struct(value), Some((of, index)), Access::Plain) = (&value, place, access) {
            return value
                .field_at(of, *index as usize, name)
                .settled(name)
                .map_err(|fault| fault.at(node.span));
        }
        select(&value, access, |value| find_field(value, name))
            .and_then(|found| found.ok_or_else(|| no_field(&value, name)))
            .map_err(|fault| fault.at(node.span))
    }

    pub(super) fn index(
        &self,
        id: NodeId,
        node: &'a Node,
        operand: NodeId,
        index: NodeId,
        access: Access,
        around: Around<'_, 'a>,
    ) -> Outcome<'a> {
        if self.patterns.is_some() {
            self.check_known(id, around)?;
        }
        let (value, key) = self.pair(operand, index, around)?;
        select(&value, access, |value| find_element(value, &key))
            .and_then(|found| found.ok_or_else(|| no_element(&value, &key)))
            .map_err(|fault| fault.at(node.span))
    }

    pub(super) fn has_field(
        &self,
        id: NodeId,
        operand: NodeId,
        name: &str,
        around: Around<'_, 'a>,
    ) -> Result<bool, Fault> {
        if self.patterns.is_some() {
            self.check_known(id, around)?;
        }
        match self.eval(operand, around)? {
            Value::Optional(None) => Ok(false),
            Value::Optional(Some(value)) => is_set(&value, name),
            value => is_set(&value, name),
        }
    }
}

/// `has(value.name)`
fn is_set(value: &Value<'_>, name: &str) -> Result<bool, Fault> {
    match value {
        Value::Struct(value) => Ok(!matches!(value.field(name), Value::Absent | Value::Null)),
        Value::Optional(_) => Ok(false),
        other => find_field(other, name).map(|found| found.is_some()),
    }
}

/// Applies a look-up through optionals and with `?`. `None` where what is looked for is missing and must not be.
fn select<'a>(
    value: &Value<'a>,
    access: Access,
    find: impl Fn(&Value<'a>) -> Result<Option<Value<'a>>, Fault>,
) -> Result<Option<Value<'a>>, Fault> {
    let optional = |found: Option<Value<'a>>| Some(found.map_or(Value::Optional(None), Value::some));
    match (value, access) {
        (Value::Optional(None), _) => Ok(Some(Value::Optional(None))),
        (Value::Optional(Some(inner)), _) => find(inner).map(optional),
        (_, Access::Optional) => find(value).map(optional),
        (_, Access::Plain) => find(value),
    }
}

fn find_field<'a>(value: &Value<'a>, name: &str) -> Result<Option<Value<'a>>, Fault> {
    match value {
        Value::Map(map) => map.get(&Value::str(name)).map(|value| value.settled(name)).transpose(),
        Value::Struct(of) => match of.field(name) {
            Value::Absent => Ok(None),
            value => value.settled(name).map(Some),
        },
        other => {
            let message = format!("no such overload: type {} has no fields", other.type_name());
            Err(Fault::error(EvalCode::NoSuchOverload, message))
        }
    }
}

/// A field of a value, for hosts that bind variables as a whole: absent where it is missing or has no place to be.
pub(crate) fn field_of<'a>(value: &Value<'a>, name: &str) -> Value<'a> {
    match value {
        Value::Unknown(_) | Value::Error(_) => value.clone(),
        Value::Map(map) => map.get(&Value::str(name)).unwrap_or(Value::Absent),
        Value::Struct(of) => of.field(name),
        _ => Value::Absent,
    }
}

fn find_element<'a>(value: &Value<'a>, key: &Value<'_>) -> Result<Option<Value<'a>>, Fault> {
    match value {
        Value::List(list) => {
            let Some(index) = whole(key) else {
                return Err(no_overload("[]", &[value.clone().into_owned(), key.clone().into_owned()]));
            };
            element(list, index)
        }
        Value::Map(map) => map.get(key).map(|value| value.settled("an element")).transpose(),
        _ => Err(no_overload("[]", &[value.clone().into_owned(), key.clone().into_owned()])),
    }
}

fn element<'a>(list: &List<'a>, index: i128) -> Result<Option<Value<'a>>, Fault> {
    let Ok(index) = usize::try_from(index) else { return Ok(None) };
    list.get(index).map(|value| value.settled("an element")).transpose()
}

/// The position that a number is.
fn whole(key: &Value<'_>) -> Option<i128> {
    match key {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Uint(value) => Some(i128::from(*value)),
        #[expect(clippy::cast_possible_truncation, reason = "whole and of 53 bits")]
        Value::Double(value) if value.trunc() == *value && value.abs() < 9e15 => Some(*value as i128),
        _ => None,
    }
}

#[cold]
fn no_field(value: &Value<'_>, name: &str) -> Fault {
    match value {
        Value::Struct(_) => Fault::error(EvalCode::NoSuchField, format!("no such field: `{name}`")),
        _ => Fault::error(EvalCode::NoSuchKey, format!("no such key: `{name}`")),
    }
}

#[cold]
fn no_element(value: &Value<'_>, key: &Value<'_>) -> Fault {
    match value {
        Value::List(list) => Fault::error(
            EvalCode::IndexRange,
            format!("index {} is out of range: the list has {} elements", key.display(), list.len()),
        ),
        _ => Fault::error(EvalCode::NoSuchKey, format!("no such key: {}", key.display())),
    }
}
