//! How a host gives values to a program.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::eval::field_of;
use crate::functions::base64_bytes;
use crate::ir::Slot;
use crate::types::{Env, StructType, Type};
use crate::value::{DecimalValue, EvalCode, EvalError, MapBuilder, Row, Struct, Value};

/// Gives the inputs of one evaluation. The fastest way needs none: give the values of
/// [`Program::slots`](crate::Program::slots) in order to [`Program::eval_slots`](crate::Program::eval_slots).
pub trait Activation {
    /// The value of an input, which is [`Value::Absent`] where there is none. `index` is its place in the program's
    /// slots. It may be asked for more than once, and not at all where it does not matter.
    fn slot<'s>(&'s self, index: usize, slot: &Slot) -> Value<'s>;
}

/// Variables by name, each given as a whole.
#[derive(Debug, Clone, Default)]
pub struct Variables<'a> {
    values: HashMap<Arc<str>, Value<'a>>,
}

impl<'a> Variables<'a> {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a variable.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, value: impl Into<Value<'a>>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }
}

impl Activation for Variables<'_> {
    fn slot<'s>(&'s self, _: usize, slot: &Slot) -> Value<'s> {
        let mut path = slot.path.iter();
        let root = path.next().and_then(|name| self.values.get(name));
        let Some(root) = root else { return Value::Absent };
        path.fold(root.borrowed(), |value, field| field_of(&value, field))
    }
}

/// The values of a program's slots from a JSON object whose fields are the variables, converted to the declared types:
/// whole numbers to double, text to timestamp, duration and decimal, base64 to bytes, names to keys of a map.
pub(crate) fn slots_from_json<'a>(slots: &[Slot], env: &Env, event: &'a Json) -> Vec<Value<'a>> {
    slots.iter().map(|slot| from_json(find(event, &slot.path), &slot.ty, env)).collect()
}

/// A variable whose name has dots is looked for under its name first, then step by step.
fn find<'a>(event: &'a Json, path: &[Arc<str>]) -> Option<&'a Json> {
    let (root, fields) = path.split_first()?;
    let root = match event.get(&**root) {
        Some(found) => Some(found),
        None => root.split('.').try_fold(event, |json, name| json.get(name)),
    };
    fields.iter().try_fold(root?, |json, name| json.get(&**name))
}

/// A JSON value as a value of a type, in the form of protocol buffers; what cannot be one is an error where it is read.
pub fn from_json<'a>(json: Option<&'a Json>, ty: &Type, env: &Env) -> Value<'a> {
    let Some(json) = json else { return Value::Absent };
    if let Some(inner) = ty.as_optional() {
        return optional(json, inner, env);
    }
    match (ty, json) {
        (Type::Nullable(inner), json) if !json.is_null() => from_json(Some(json), inner, env),
        (Type::Double, Json::Number(number)) => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        (Type::Uint, Json::Number(number)) => number.as_u64().map_or_else(|| mismatch(json, ty), Value::Uint),
        (Type::Int, Json::Number(number)) => number.as_i64().map_or_else(|| mismatch(json, ty), Value::Int),
        (Type::Decimal, Json::Number(number)) => decimal(&number.to_string()),
        (Type::Decimal, Json::String(text)) => decimal(text),
        (Type::Timestamp, Json::String(text)) => {
            text.parse().map_or_else(|_| mismatch(json, ty), Value::Timestamp)
        }
        (Type::Duration, Json::String(text)) => {
            text.parse().map_or_else(|_| mismatch(json, ty), Value::Duration)
        }
        (Type::Bytes, Json::String(text)) => {
            base64_bytes(text).map_or_else(|_| mismatch(json, ty), Value::bytes)
        }
        (Type::List(element), Json::Array(values)) if needs_conversion(element) => {
            Value::list(values.iter().map(|value| from_json(Some(value), element, env)).collect())
        }
        (Type::Map(entry), Json::Object(fields)) if entry_needs_conversion(entry) => map(fields, entry, env),
        (Type::Struct(name), Json::Object(_)) => match env.struct_type(name) {
            Some(of) => row(json, of, env),
            None => Value::from_json(json),
        },
        (Type::Bool, Json::Bool(_))
        | (Type::String, Json::String(_))
        | (Type::List(_), Json::Array(_))
        | (Type::Map(_), Json::Object(_))
        | (Type::Dyn | Type::Error, _)
        | (_, Json::Null) => Value::from_json(json),
        _ => mismatch(json, ty),
    }
}

/// Null is an optional without a value.
fn optional<'a>(json: &'a Json, inner: &Type, env: &Env) -> Value<'a> {
    if json.is_null() {
        return Value::Optional(None);
    }
    match from_json(Some(json), inner, env) {
        error @ Value::Error(_) => error,
        value => Value::some(value),
    }
}

fn map<'a>(fields: &'a serde_json::Map<String, Json>, entry: &(Type, Type), env: &Env) -> Value<'a> {
    let mut builder = MapBuilder::with_capacity(fields.len());
    for (name, value) in fields {
        let Some(key) = key(name, &entry.0) else { return mismatch(&Json::from(&**name), &entry.0) };
        // Names differ, but not always the keys that they are, as `1` and `+1`.
        if let Err(fault) = builder.insert(key, from_json(Some(value), &entry.1, env)) {
            return Value::Error(Arc::new(EvalError::new(EvalCode::RepeatedKey, fault.to_string())));
        }
    }
    Value::Map(builder.finish())
}

/// The key that a name of a JSON object is.
fn key<'a>(name: &'a str, ty: &Type) -> Option<Value<'a>> {
    match ty {
        Type::Int => name.parse().ok().map(Value::Int),
        Type::Uint => name.parse().ok().map(Value::Uint),
        Type::Bool => name.parse().ok().map(Value::Bool),
        _ => Some(Value::str(name)),
    }
}

fn row<'a>(json: &'a Json, of: &Arc<StructType>, env: &Env) -> Value<'a> {
    let fields = of.fields().iter().map(|field| from_json(json.get(&*field.name), &field.ty, env)).collect();
    Value::Struct(Struct::Shared(Arc::new(Row::new(of.clone(), fields))))
}

/// Whether a JSON value can be another value than itself.
pub(crate) fn needs_conversion(ty: &Type) -> bool {
    !matches!(ty, Type::Dyn | Type::Error | Type::Bool | Type::String | Type::Null)
}

fn entry_needs_conversion((key, value): &(Type, Type)) -> bool {
    matches!(key, Type::Int | Type::Uint | Type::Bool) || needs_conversion(value)
}

fn decimal<'a>(text: &str) -> Value<'a> {
    match DecimalValue::parse(text) {
        Ok(value) => Value::Decimal(value),
        Err(fault) => Value::Error(Arc::new(EvalError::new(EvalCode::InvalidArgument, fault.to_string()))),
    }
}

fn mismatch<'a>(json: &Json, ty: &Type) -> Value<'a> {
    let shown: String = json.to_string().chars().take(40).collect();
    let message = format!("the input `{shown}` is no {ty}");
    Value::Error(Arc::new(EvalError::new(EvalCode::InvalidArgument, message)))
}
