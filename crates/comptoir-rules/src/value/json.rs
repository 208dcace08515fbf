use serde_json::Value as Json;

use super::{HostList, HostMap, List, Map, Value};

impl<'a> Value<'a> {
    /// What a JSON value is in CEL, without copying it: whole numbers are int (uint above its range), other numbers
    /// double, objects maps.
    #[must_use]
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => {
                if let Some(value) = number.as_i64() {
                    Self::Int(value)
                } else if let Some(value) = number.as_u64() {
                    Self::Uint(value)
                } else {
                    Self::Double(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Json::String(text) => Self::str(text),
            Json::Array(values) => Self::List(List::Host(values)),
            Json::Object(fields) => Self::Map(Map::Host(fields)),
        }
    }

    /// The value as JSON, in the form of protocol buffers: bytes in base64, times as text, a decimal as text, so that
    /// no digit is lost. What has no JSON form (types, addresses) is text too.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Uint(value) => Json::from(*value),
            Self::Double(value) => serde_json::Number::from_f64(*value)
                .map_or_else(|| Json::from(crate::functions::special(*value)), Json::Number),
            Self::String(value) => Json::from(&**value),
            Self::Bytes(value) => Json::from(crate::functions::base64_text(value)),
            Self::Timestamp(value) => Json::from(value.to_string()),
            Self::Duration(value) => Json::from(value.to_string()),
            Self::Decimal(value) => Json::from(value.to_string()),
            Self::List(list) => Json::Array(list.iter().map(|value| value.to_json()).collect()),
            Self::Map(map) => Json::Object(
                map.entries().iter().map(|(key, value)| (key_text(key), value.to_json())).collect(),
            ),
            Self::Struct(value) => {
                Json::Object(value.fields().map(|(name, value)| (name, value.to_json())).collect())
            }
            Self::Optional(Some(value)) => value.to_json(),
            Self::Type(name) => Json::from(&**name),
            Self::Ip(address) => Json::from(address.to_string()),
            Self::Cidr(address, prefix) => Json::from(format!("{address}/{prefix}")),
            Self::Null | Self::Optional(None) | Self::Absent | Self::Error(_) | Self::Unknown(_) => {
                Json::Null
            }
        }
    }
}

fn key_text(key: &Value<'_>) -> String {
    match key {
        Value::String(text) => text.to_string(),
        other => other.display(),
    }
}

impl HostList for Vec<Json> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn get(&self, index: usize) -> Value<'_> {
        self.as_slice().get(index).map_or(Value::Absent, Value::from_json)
    }
}

impl HostMap for serde_json::Map<String, Json> {
    fn len(&self) -> usize {
        serde_json::Map::len(self)
    }

    fn get(&self, key: &Value<'_>) -> Option<Value<'_>> {
        match key {
            Value::String(name) => serde_json::Map::get(self, &**name).map(Value::from_json),
            _ => None,
        }
    }

    fn entries(&self) -> Vec<(Value<'_>, Value<'_>)> {
        self.iter().map(|(name, value)| (Value::str(name), Value::from_json(value))).collect()
    }
}
