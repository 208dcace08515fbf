//! Declarations from what a host has already: an example of its JSON, or a JSON Schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{EnvBuilder, StructType, Type};

/// Nesting of objects that is read.
const MAX_DEPTH: usize = 32;

impl EnvBuilder {
    /// Declares a variable for each field of an example event. Objects become struct types named `json.` and their
    /// path, so that a wrong field name is found; whole numbers are int, and double where the example has both.
    ///
    /// ```
    /// use comptoir_rules::Env;
    ///
    /// let example = serde_json::json!({ "order": { "pay": 9.9, "items": [{ "qty": 1 }, { "qty": 2, "gift": true }] } });
    /// let env = Env::builder().json_example(&example).build()?;
    /// assert!(env.compile("order.pay > 5.0 && order.items.exists(i, i.qty > 1)").is_ok());
    /// assert!(env.compile("order.pya > 5.0").is_err());
    /// # Ok::<(), comptoir_rules::Error>(())
    /// ```
    #[must_use]
    pub fn json_example(mut self, example: &Json) -> Self {
        let Json::Object(fields) = example else {
            return self.wrong("example", "an example is a JSON object with a field for each variable");
        };
        for (name, value) in fields {
            let shape = Shape::of(value, 0);
            let ty = self.declare_shape(&format!("json.{name}"), shape);
            self = self.variable(name.as_str(), ty);
        }
        self
    }

    /// Declares a variable for each property of a JSON Schema whose type is object. References inside the document
    /// are followed; what cannot be told, such as `anyOf`, is `dyn`.
    #[must_use]
    pub fn json_schema(mut self, schema: &Json) -> Self {
        let Some(Json::Object(properties)) = schema.get("properties") else {
            return self.wrong("schema", "a schema has `properties`, one for each variable");
        };
        for (name, property) in properties {
            let ty = self.schema_type(schema, property, &format!("json.{name}"), 0);
            self = self.variable(name.as_str(), ty);
        }
        self
    }

    fn add_struct(&mut self, name: &str, fields: Vec<(Arc<str>, Type)>) -> Type {
        *self = std::mem::take(self).structure(StructType::new(name, fields));
        Type::Struct(name.into())
    }

    fn declare_shape(&mut self, path: &str, shape: Shape) -> Type {
        match shape {
            Shape::Plain(ty) => ty,
            Shape::List(element) => Type::list(self.declare_shape(path, *element)),
            Shape::Object(fields) => {
                let fields = fields
                    .into_iter()
                    .map(|(name, shape)| {
                        let ty = self.declare_shape(&format!("{path}.{name}"), shape);
                        (Arc::from(name), ty)
                    })
                    .collect();
                self.add_struct(path, fields)
            }
        }
    }

    fn schema_type(&mut self, root: &Json, schema: &Json, path: &str, depth: usize) -> Type {
        if depth > MAX_DEPTH {
            return Type::Dyn;
        }
        if let Some(Json::String(reference)) = schema.get("$ref") {
            return self.referred(root, reference, depth);
        }
        let (kinds, is_nullable) = kinds(schema);
        let ty = match kinds.as_slice() {
            ["object"] => self.object_type(root, schema, path, depth),
            ["array"] => match schema.get("items") {
                Some(items) => Type::list(self.schema_type(root, items, path, depth + 1)),
                None => Type::list(Type::Dyn),
            },
            [kind] => plain_type(kind, schema),
            ["integer", "number"] | ["number", "integer"] => Type::Double,
            _ => Type::Dyn,
        };
        if is_nullable { nullable(ty) } else { ty }
    }

    /// The type behind `#/$defs/name`: a struct is named after it, so that it may refer to itself.
    fn referred(&mut self, root: &Json, reference: &str, depth: usize) -> Type {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        let Some(target) = target else {
            *self = std::mem::take(self).wrong(reference, "the schema has no such part");
            return Type::Dyn;
        };
        let name = format!("json.{}", reference.rsplit('/').next().unwrap_or(reference));
        if self.has_struct(&name) {
            return Type::Struct(name.into());
        }
        self.schema_type(root, target, &name, depth + 1)
    }

    fn object_type(&mut self, root: &Json, schema: &Json, path: &str, depth: usize) -> Type {
        let Some(Json::Object(properties)) = schema.get("properties") else {
            let value = match schema.get("additionalProperties") {
                Some(values @ Json::Object(_)) => self.schema_type(root, values, path, depth + 1),
                _ => Type::Dyn,
            };
            return Type::map(Type::String, value);
        };
        // The name is taken before the fields are read: one of them may refer to it.
        self.add_struct(path, Vec::new());
        let fields = properties
            .iter()
            .map(|(name, property)| {
                let ty = self.schema_type(root, property, &format!("{path}.{name}"), depth + 1);
                (Arc::from(name.as_str()), ty)
            })
            .collect();
        self.add_struct(path, fields)
    }
}

/// The kinds that a schema allows, and whether null is one of them beside others.
fn kinds(schema: &Json) -> (Vec<&str>, bool) {
    let all: Vec<&str> = match schema.get("type") {
        Some(Json::String(kind)) => vec![kind.as_str()],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    let others: Vec<&str> = all.iter().copied().filter(|kind| *kind != "null").collect();
    let is_nullable = !others.is_empty() && others.len() < all.len();
    if others.is_empty() { (all, false) } else { (others, is_nullable) }
}

fn plain_type(kind: &str, schema: &Json) -> Type {
    let format = schema.get("format").and_then(Json::as_str).unwrap_or("");
    match (kind, format) {
        ("string", "date-time") => Type::Timestamp,
        ("string" | "number", "decimal") => Type::Decimal,
        ("string", _) => Type::String,
        ("integer", "uint64") => Type::Uint,
        ("integer", _) => Type::Int,
        ("number", _) => Type::Double,
        ("boolean", _) => Type::Bool,
        ("null", _) => Type::Null,
        _ => Type::Dyn,
    }
}

/// The type or null; for what has no wrapper, anything.
fn nullable(ty: Type) -> Type {
    match ty {
        Type::Bool | Type::Int | Type::Uint | Type::Double | Type::String | Type::Decimal => {
            Type::Nullable(ty.into())
        }
        // A struct, a time and null are told apart at run time, and take null as they are.
        Type::Struct(_) | Type::Timestamp | Type::Duration => ty,
        _ => Type::Dyn,
    }
}

/// What examples show of a value.
enum Shape {
    Plain(Type),
    List(Box<Shape>),
    Object(BTreeMap<String, Shape>),
}

impl Shape {
    fn of(value: &Json, depth: usize) -> Self {
        if depth > MAX_DEPTH {
            return Self::Plain(Type::Dyn);
        }
        match value {
            Json::Null => Self::Plain(Type::Null),
            Json::Bool(_) => Self::Plain(Type::Bool),
            Json::String(_) => Self::Plain(Type::String),
            Json::Number(number) if number.is_i64() => Self::Plain(Type::Int),
            Json::Number(number) if number.is_u64() => Self::Plain(Type::Uint),
            Json::Number(_) => Self::Plain(Type::Double),
            Json::Array(values) => {
                let shapes = values.iter().map(|value| Self::of(value, depth + 1));
                Self::List(Box::new(shapes.reduce(Self::join).unwrap_or(Self::Plain(Type::Dyn))))
            }
            Json::Object(fields) => Self::object(fields, depth),
        }
    }

    fn object(fields: &Map<String, Json>, depth: usize) -> Self {
        Self::Object(fields.iter().map(|(name, value)| (name.clone(), Self::of(value, depth + 1))).collect())
    }

    /// What holds for both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Plain(left), Self::Plain(right)) => Self::Plain(join(left, right)),
            (Self::List(left), Self::List(right)) => Self::List(Box::new(left.join(*right))),
            (Self::Object(mut left), Self::Object(right)) => {
                for (name, shape) in right {
                    let joined = match left.remove(&name) {
                        Some(before) => before.join(shape),
                        None => shape,
                    };
                    left.insert(name, joined);
                }
                Self::Object(left)
            }
            _ => Self::Plain(Type::Dyn),
        }
    }
}

fn join(left: Type, right: Type) -> Type {
    match (left, right) {
        (left, right) if left == right => left,
        (Type::Null, other) | (other, Type::Null) => nullable(other),
        (Type::Int | Type::Double, Type::Int | Type::Double) => Type::Double,
        _ => Type::Dyn,
    }
}
