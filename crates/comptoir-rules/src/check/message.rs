use std::sync::Arc;

use super::{Checker, Reference};
use crate::syntax::{DiagnosticCode, ExprId, Field, nearest};
use crate::types::{StructType, Type};

/// What `Name{...}` makes.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A declared struct.
    Struct(Arc<StructType>),
    /// A well-known message, by its name behind `google.protobuf.`.
    WellKnown(WellKnown),
}

/// Well-known messages that literals can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WellKnown {
    Bool,
    Bytes,
    String,
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    List,
    Struct,
    Value,
    Any,
    Timestamp,
    Duration,
}

impl WellKnown {
    fn of(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("google.protobuf.")? {
            "BoolValue" => Self::Bool,
            "BytesValue" => Self::Bytes,
            "StringValue" => Self::String,
            "DoubleValue" => Self::Double,
            "FloatValue" => Self::Float,
            "Int32Value" => Self::Int32,
            "Int64Value" => Self::Int64,
            "UInt32Value" => Self::Uint32,
            "UInt64Value" => Self::Uint64,
            "ListValue" => Self::List,
            "Struct" => Self::Struct,
            "Value" => Self::Value,
            "Any" => Self::Any,
            "Timestamp" => Self::Timestamp,
            "Duration" => Self::Duration,
            _ => return None,
        })
    }

    fn ty(self) -> Type {
        match self {
            Self::List => Type::list(Type::Dyn),
            Self::Struct => Type::map(Type::String, Type::Dyn),
            Self::Value | Self::Any => Type::Dyn,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            wrapper => {
                let inner = wrapper.fields().into_iter().next().map_or(Type::Dyn, |(_, ty)| ty);
                Type::Nullable(Arc::new(inner))
            }
        }
    }

    fn fields(self) -> Vec<(&'static str, Type)> {
        let one = |ty: Type| vec![("value", ty)];
        match self {
            Self::Bool => one(Type::Bool),
            Self::Bytes => one(Type::Bytes),
            Self::String => one(Type::String),
            Self::Double | Self::Float => one(Type::Double),
            Self::Int32 | Self::Int64 => one(Type::Int),
            Self::Uint32 | Self::Uint64 => one(Type::Uint),
            Self::List => vec![("values", Type::list(Type::Dyn))],
            Self::Struct => vec![("fields", Type::map(Type::String, Type::Dyn))],
            Self::Value => vec![
                ("null_value", Type::Int),
                ("number_value", Type::Double),
                ("string_value", Type::String),
                ("bool_value", Type::Bool),
                ("struct_value", Type::map(Type::String, Type::Dyn)),
                ("list_value", Type::list(Type::Dyn)),
            ],
            Self::Any => vec![("type_url", Type::String), ("value", Type::Bytes)],
            Self::Timestamp | Self::Duration => vec![("seconds", Type::Int), ("nanos", Type::Int)],
        }
    }
}

impl Checker<'_> {
    pub(super) fn message(&mut self, id: ExprId, name: &Arc<str>, fields: &[Field]) -> Type {
        let found = self.env.resolve(name, |candidate| match self.env.struct_type(candidate) {
            Some(declared) => Some(Message::Struct(declared.clone())),
            None => WellKnown::of(candidate).map(Message::WellKnown),
        });
        let (ty, declared) = match &found {
            Some(Message::Struct(declared)) => {
                let fields =
                    declared.fields().iter().map(|field| (field.name.clone(), field.ty.clone())).collect();
                (Type::Struct(declared.name().into()), fields)
            }
            Some(Message::WellKnown(message)) => {
                (message.ty(), message.fields().into_iter().map(|(name, ty)| (Arc::from(name), ty)).collect())
            }
            None => (Type::Error, Vec::new()),
        };
        match found {
            Some(message) => self.refer(id, Reference::Message(message)),
            None => {
                self.refer(id, Reference::Undeclared(name.clone()));
                let span = self.span(id);
                self.fault(DiagnosticCode::UnknownName, span, format!("undeclared type `{name}`"), None);
            }
        }
        for field in fields {
            self.message_field(field, &ty, &declared);
        }
        ty
    }

    fn message_field(&mut self, field: &Field, of: &Type, declared: &[(Arc<str>, Type)]) {
        let found = self.element(field.value, field.access);
        if of.is_dyn() && declared.is_empty() {
            return;
        }
        let Some((_, wanted)) = declared.iter().find(|(name, _)| *name == field.name) else {
            let near = nearest(&field.name, declared.iter().map(|(name, _)| &**name));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{of}` has no field `{}`", field.name);
            self.fault(DiagnosticCode::UnknownField, field.span, message, hint);
            return;
        };
        if !self.unifier.assignable(&found, wanted) {
            let message =
                format!("field `{}` must be {wanted}, found {}", field.name, self.unifier.finish(&found));
            self.fault(DiagnosticCode::TypeMismatch, field.span, message, None);
        }
    }
}
