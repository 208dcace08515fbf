//! Values at run time: borrowed from the input and the program where possible.

mod compare;
mod decimal;
mod fault;
mod host;
mod json;
mod list;
mod map;
mod record;
mod text;
mod time;
mod time_text;
mod zone;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

pub(crate) use compare::Order;
pub use decimal::DecimalValue;
pub use fault::{EvalCode, EvalError, Fault, Outcome, UnknownSet};
pub use host::{HostList, HostMap, HostStruct};
pub use list::List;
pub(crate) use list::same_bytes;
pub use map::{Map, MapBuilder};
pub use record::{Row, Struct};
pub use text::{Bytes, Str};
pub use time::{Duration, Timestamp};
pub(crate) use zone::{Civil, civil};

/// A value, an absence, an error or an unknown.
///
/// `'a` is the life of what it borrows from: the input of a call and the program. [`Value::into_owned`] frees it.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    String(Str<'a>),
    /// Bytes.
    Bytes(Bytes<'a>),
    /// A moment.
    Timestamp(Timestamp),
    /// A span of time.
    Duration(Duration),
    /// An exact decimal.
    Decimal(DecimalValue),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A value of a declared struct type.
    Struct(Struct<'a>),
    /// `optional.of(x)` or `optional.none()`.
    Optional(Option<Arc<Value<'a>>>),
    /// A type, by its name.
    Type(Str<'a>),
    /// An IP address of the network extension.
    Ip(IpAddr),
    /// An address with the length of its prefix.
    Cidr(IpAddr, u8),
    /// In an input: nothing is there, so that `has` is false and a read is an error.
    Absent,
    /// In an input: reading it is this error.
    Error(Arc<EvalError>),
    /// In an input: not known yet.
    Unknown(Arc<UnknownSet>),
}

impl<'a> Value<'a> {
    /// Text that is borrowed.
    #[must_use]
    pub const fn str(text: &'a str) -> Self {
        Self::String(Str::Ref(text))
    }

    /// Text that is owned.
    #[must_use]
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(Str::Shared(text.into()))
    }

    /// Bytes that are owned.
    #[must_use]
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(Bytes::Shared(bytes.into()))
    }

    /// A list of values.
    #[must_use]
    pub fn list(values: Vec<Value<'a>>) -> Self {
        Self::List(List::Shared(Arc::new(values)))
    }

    /// `optional.of(value)`
    #[must_use]
    pub fn some(value: Value<'a>) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The same value, borrowing from this one instead of sharing its memory: no counter is touched.
    #[must_use]
    pub fn borrowed<'b>(&'b self) -> Value<'b>
    where
        'a: 'b,
    {
        match self {
            Self::String(Str::Shared(text)) => Value::String(Str::Ref(text)),
            Self::Bytes(Bytes::Shared(bytes)) => Value::Bytes(Bytes::Ref(bytes)),
            Self::List(List::Shared(values)) => Value::List(List::Ref(values)),
            Self::Map(Map::Shared(entries)) => Value::Map(Map::Ref(entries)),
            Self::Struct(Struct::Shared(row)) => Value::Struct(Struct::Row(row)),
            Self::Type(Str::Shared(name)) => Value::Type(Str::Ref(name)),
            other => other.clone(),
        }
    }

    /// The same value without borrows.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Uint(value) => Value::Uint(value),
            Self::Double(value) => Value::Double(value),
            Self::String(value) => Value::String(value.into_owned()),
            Self::Bytes(value) => Value::Bytes(value.into_owned()),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Duration(value) => Value::Duration(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::List(value) => Value::List(value.into_owned()),
            Self::Map(value) => Value::Map(value.into_owned()),
            Self::Struct(value) => value.into_owned(),
            Self::Optional(None) => Value::Optional(None),
            Self::Optional(Some(value)) => {
                Value::some(Arc::try_unwrap(value).unwrap_or_else(|shared| (*shared).clone()).into_owned())
            }
            Self::Type(name) => Value::Type(name.into_owned()),
            Self::Ip(address) => Value::Ip(address),
            Self::Cidr(address, prefix) => Value::Cidr(address, prefix),
            Self::Absent => Value::Absent,
            Self::Error(error) => Value::Error(error),
            Self::Unknown(set) => Value::Unknown(set),
        }
    }

    /// The name of the value's type, as `type(x)` gives it.
    #[must_use]
    pub fn type_name(&self) -> Cow<'a, str> {
        Cow::Borrowed(match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Decimal(_) => "decimal",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Struct(value) => return value.type_name(),
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Ip(_) => "net.IP",
            Self::Cidr(..) => "net.CIDR",
            Self::Absent => "absent",
            Self::Error(_) => "error",
            Self::Unknown(_) => "unknown",
        })
    }

    /// The value itself, or the fault that an absent, wrong or unknown input is. `name` is for the message.
    pub(crate) fn settled(self, name: &str) -> Outcome<'a> {
        match self {
            Self::Absent => Err(Fault::error(EvalCode::NoSuchField, format!("no value for `{name}`"))),
            Self::Error(error) => Err(Fault::Error(Box::new((*error).clone()))),
            Self::Unknown(set) => Err(Fault::Unknown(set)),
            value => Ok(value),
        }
    }

    /// Whether it is what an unset field of its type is: zero, empty, null or none.
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Null | Self::Optional(None) | Self::Absent => true,
            Self::Bool(value) => !value,
            Self::Int(value) => *value == 0,
            Self::Uint(value) => *value == 0,
            Self::Double(value) => *value == 0.0,
            Self::String(value) => value.is_empty(),
            Self::Bytes(value) => value.is_empty(),
            Self::Duration(value) => value.nanos() == 0,
            Self::Decimal(value) => value.wide().is_zero(),
            Self::List(value) => value.is_empty(),
            Self::Map(value) => value.is_empty(),
            _ => false,
        }
    }
}

/// What values of Rust become; a reference to text is borrowed.
macro_rules! from {
    ($($from:ty => $variant:ident($to:ty)),* $(,)?) => {
        $(impl From<$from> for Value<'_> {
            fn from(value: $from) -> Self {
                Self::$variant(<$to>::from(value))
            }
        })*
    };
}
from!(bool => Bool(bool), i64 => Int(i64), i32 => Int(i64), u32 => Int(i64), u64 => Uint(u64), f64 => Double(f64));

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::str(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}
