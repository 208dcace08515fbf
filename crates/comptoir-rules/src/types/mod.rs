//! Types, the declarations of an environment, and their text form.

mod declaration;
mod env;
mod extension;
mod names;
mod parse;
mod record;
mod schema;

use std::fmt;
use std::sync::Arc;

pub(crate) use declaration::{Builtin, Implementation};
pub use declaration::{CostRule, Function, HostFunction, Overload};
pub use env::{Env, EnvBuilder, EnvError};
pub use extension::Extension;
pub(crate) use names::{candidates, well_known};
pub use record::{FieldType, StructType};

/// A type of CEL. Its text form is that of [`fmt::Display`] and of [`Type::parse`]: `map(string, list(int))`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// Anything; checked at run time.
    Dyn,
    /// What has been reported already: fits anywhere, so that one fault gives one message.
    Error,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// A moment.
    Timestamp,
    /// A span of time.
    Duration,
    /// An exact decimal.
    Decimal,
    /// A primitive type or null.
    Nullable(Arc<Type>),
    /// A list of one type.
    List(Arc<Type>),
    /// A map from one type to one type.
    Map(Arc<(Type, Type)>),
    /// The type of a type.
    Type(Option<Arc<Type>>),
    /// A declared struct, by its name.
    Struct(Arc<str>),
    /// A type known by name and parameters only, such as `optional_type(int)`.
    Opaque(Arc<str>, Arc<[Type]>),
    /// A type parameter of a declaration.
    Param(Arc<str>),
    /// A type that the checker is looking for.
    Variable(u32),
}

/// The name of the optional type.
pub const OPTIONAL: &str = "optional_type";

impl Type {
    /// `list(element)`
    #[must_use]
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    /// `map(key, value)`
    #[must_use]
    pub fn map(key: Type, value: Type) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// `optional_type(value)`
    #[must_use]
    pub fn optional(value: Type) -> Self {
        Self::Opaque(OPTIONAL.into(), Arc::new([value]))
    }

    /// What an optional holds, if it is one.
    #[must_use]
    pub fn as_optional(&self) -> Option<&Type> {
        match self {
            Self::Opaque(name, parameters) if &**name == OPTIONAL => parameters.first(),
            _ => None,
        }
    }

    /// The type without the null of a nullable.
    #[must_use]
    pub fn without_null(&self) -> &Type {
        match self {
            Self::Nullable(inner) => inner,
            other => other,
        }
    }

    /// Whether anything may be there at run time.
    #[must_use]
    pub const fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn | Self::Error)
    }

    /// The name that `type(x)` gives for values of the type.
    #[must_use]
    pub fn runtime_name(&self) -> Arc<str> {
        match self {
            Self::Null => "null_type".into(),
            Self::Timestamp => "google.protobuf.Timestamp".into(),
            Self::Duration => "google.protobuf.Duration".into(),
            Self::List(_) => "list".into(),
            Self::Map(_) => "map".into(),
            Self::Type(_) => "type".into(),
            Self::Nullable(inner) => inner.runtime_name(),
            Self::Opaque(name, _) | Self::Struct(name) => name.clone(),
            other => other.to_string().into(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Dyn => "dyn",
            Self::Error => "error",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Decimal => "decimal",
            Self::Nullable(inner) => return write!(formatter, "wrapper({inner})"),
            Self::List(element) => return write!(formatter, "list({element})"),
            Self::Map(entry) => return write!(formatter, "map({}, {})", entry.0, entry.1),
            Self::Type(None) => "type",
            Self::Type(Some(inner)) => return write!(formatter, "type({inner})"),
            Self::Struct(name) => name,
            Self::Opaque(name, parameters) => {
                formatter.write_str(name)?;
                if parameters.is_empty() {
                    return Ok(());
                }
                let parameters: Vec<String> = parameters.iter().map(Self::to_string).collect();
                return write!(formatter, "({})", parameters.join(", "));
            }
            Self::Param(name) => return write!(formatter, "?{name}"),
            Self::Variable(number) => return write!(formatter, "?{number}"),
        };
        formatter.write_str(name)
    }
}
