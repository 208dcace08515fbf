use std::borrow::Cow;
use std::sync::Arc;

use super::{HostStruct, Value};
use crate::types::StructType;

/// The fields of a struct value, in the order of its type.
#[derive(Debug, Clone)]
pub struct Row<'a>(Parts<'a>);

#[derive(Debug, Clone)]
enum Parts<'a> {
    Owned(Arc<StructType>, Box<[Value<'a>]>),
    /// For hosts that read an event into memory of their own: no counter of the type is touched, which threads share.
    Borrowed(&'a Arc<StructType>, &'a [Value<'a>]),
}

impl<'a> Row<'a> {
    /// A value of type `of`. Fields that are missing are absent, and those beyond the type are dropped.
    #[must_use]
    pub fn new(of: Arc<StructType>, mut fields: Vec<Value<'a>>) -> Self {
        fields.resize(of.fields().len(), Value::Absent);
        Self(Parts::Owned(of, fields.into()))
    }

    /// A value of type `of` whose fields are kept elsewhere; `None` where these are not as many as the type has.
    #[must_use]
    #[inline]
    pub fn borrowing(of: &'a Arc<StructType>, fields: &'a [Value<'a>]) -> Option<Self> {
        (fields.len() == of.fields().len()).then_some(Self(Parts::Borrowed(of, fields)))
    }

    /// Its type.
    #[must_use]
    pub fn of(&self) -> &Arc<StructType> {
        match &self.0 {
            Parts::Owned(of, _) => of,
            Parts::Borrowed(of, _) => of,
        }
    }

    /// The field at a position of the type.
    #[must_use]
    pub fn get(&self, index: usize) -> &Value<'a> {
        self.fields().get(index).unwrap_or(&Value::Absent)
    }

    #[inline]
    fn fields(&self) -> &[Value<'a>] {
        match &self.0 {
            Parts::Owned(_, fields) => fields,
            Parts::Borrowed(_, fields) => fields,
        }
    }

    fn into_owned(self) -> Row<'static> {
        let (of, fields) = match self.0 {
            Parts::Owned(of, fields) => (of, fields),
            Parts::Borrowed(of, fields) => (of.clone(), fields.into()),
        };
        Row(Parts::Owned(of, fields.into_iter().map(Value::into_owned).collect()))
    }
}

/// A value of a declared struct type.
#[derive(Debug, Clone)]
pub enum Struct<'a> {
    /// Borrowed from the input.
    Row(&'a Row<'a>),
    /// Made by an evaluation.
    Shared(Arc<Row<'a>>),
    /// Read from the host.
    Host(&'a dyn HostStruct),
}

impl<'a> Struct<'a> {
    /// A field by name; [`Value::Absent`] where it is not set or does not exist.
    #[must_use]
    pub fn field(&self, name: &str) -> Value<'a> {
        match self {
            Self::Row(row) => {
                row.of().position(name).map_or(Value::Absent, |index| row.get(index).borrowed())
            }
            Self::Shared(row) => {
                row.of().position(name).map_or(Value::Absent, |index| row.get(index).clone())
            }
            Self::Host(host) => host.field(name, None),
        }
    }

    /// A field whose position in `of` the compiler knows.
    #[inline]
    pub(crate) fn field_at(&self, of: &Arc<StructType>, index: usize, name: &str) -> Value<'a> {
        match self {
            Self::Row(row) if Arc::ptr_eq(row.of(), of) => row.get(index).borrowed(),
            Self::Host(host) => host.field(name, Some(index)),
            other => other.field(name),
        }
    }

    /// The name of its type.
    #[must_use]
    pub fn type_name(&self) -> Cow<'a, str> {
        match self {
            Self::Row(row) => Cow::Borrowed(row.of().name()),
            Self::Shared(row) => Cow::Owned(row.of().name().to_owned()),
            Self::Host(host) => Cow::Borrowed(host.type_name()),
        }
    }

    /// Names and values of the fields that are set; a host struct does not list its own.
    pub fn fields(&self) -> impl Iterator<Item = (String, Value<'a>)> {
        let names: Vec<String> = match self {
            Self::Row(row) => row.of().fields().iter().map(|field| field.name.to_string()).collect(),
            Self::Shared(row) => row.of().fields().iter().map(|field| field.name.to_string()).collect(),
            Self::Host(_) => Vec::new(),
        };
        let this = self.clone();
        names.into_iter().filter_map(move |name| match this.field(&name) {
            Value::Absent => None,
            value => Some((name, value)),
        })
    }

    /// The fields, where they do not live in the host.
    pub(crate) fn row(&self) -> Option<&Row<'a>> {
        match self {
            Self::Row(row) => Some(row),
            Self::Shared(row) => Some(row),
            Self::Host(_) => None,
        }
    }

    /// Equal types and equal fields; host structs are equal only to themselves.
    pub(crate) fn equals(&self, other: &Struct<'_>) -> bool {
        let (left, right) = match (self, other) {
            (Self::Host(left), Struct::Host(right)) => {
                return std::ptr::addr_eq(std::ptr::from_ref(*left), std::ptr::from_ref(*right));
            }
            (Self::Row(left), Struct::Row(right)) => (*left, *right),
            (Self::Row(left), Struct::Shared(right)) => (*left, &**right),
            (Self::Shared(left), Struct::Row(right)) => (&**left, *right),
            (Self::Shared(left), Struct::Shared(right)) => (&**left, &**right),
            _ => return false,
        };
        left.of().name() == right.of().name()
            && left.fields().len() == right.fields().len()
            && left.fields().iter().zip(right.fields()).all(|pair| match pair {
                (Value::Absent, Value::Absent) => true,
                (one, two) => one.equals(two),
            })
    }

    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Row(row) => Value::Struct(Struct::Shared(Arc::new(row.clone().into_owned()))),
            Self::Shared(row) => {
                let row = Arc::try_unwrap(row).unwrap_or_else(|shared| (*shared).clone());
                Value::Struct(Struct::Shared(Arc::new(row.into_owned())))
            }
            // A host struct does not list its fields, so that it cannot be copied: only its type survives.
            Self::Host(host) => Value::Type(super::Str::Shared(host.type_name().into())),
        }
    }
}

impl<'a> Struct<'a> {
    /// A field at hand whose position in `of` the compiler knows.
    #[inline]
    pub(crate) fn peek(&self, of: &Arc<StructType>, index: usize) -> Option<&Value<'a>> {
        self.fields_of(of)?.get(index)
    }

    /// All fields, where they are at hand and in the order of `of`.
    #[inline(always)]
    pub(crate) fn fields_of(&self, of: &Arc<StructType>) -> Option<&[Value<'a>]> {
        match self {
            Self::Row(row) if Arc::ptr_eq(row.of(), of) => Some(row.fields()),
            Self::Shared(row) if Arc::ptr_eq(row.of(), of) => Some(row.fields()),
            _ => None,
        }
    }
}
