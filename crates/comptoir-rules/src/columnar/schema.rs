//! Environments from Arrow schemas.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};

use crate::types::{EnvBuilder, StructType, Type};

/// Deeper structs are `dyn`.
const MAX_DEPTH: usize = 32;

impl EnvBuilder {
    /// Declares a variable for each column of a schema. A struct is a struct type named `arrow.` and its path; columns
    /// such as `item.price` and `item.sku` are fields of one variable `item`, unless there is a column `item`.
    ///
    /// Unsigned integers of up to 32 bits are int, so that they compare with plain literals; 64 bits are uint. A
    /// column that may be null has the type of its values: null is told apart at run time, by `has` and `== null`.
    ///
    /// ```
    /// use arrow_schema::{DataType, Field, Schema};
    /// use comptoir_rules::Env;
    ///
    /// let schema = Schema::new(vec![
    ///     Field::new("item.brand", DataType::Utf8, false),
    ///     Field::new("item.price", DataType::Decimal128(18, 2), false),
    ///     Field::new("level", DataType::UInt8, false),
    /// ]);
    /// let env = Env::builder().arrow_schema(&schema).build()?;
    /// assert!(env.compile("level >= 3 && item.price > decimal('9.90') && item.brand != ''").is_ok());
    /// # Ok::<(), comptoir_rules::Error>(())
    /// ```
    #[must_use]
    pub fn arrow_schema(mut self, schema: &Schema) -> Self {
        let is_column = |name: &str| schema.fields().iter().any(|field| field.name() == name);
        let mut groups: Vec<(&str, Vec<Field>)> = Vec::new();
        for field in schema.fields() {
            match field.name().split_once('.') {
                Some((group, rest)) if !is_column(group) && !group.is_empty() && !rest.is_empty() => {
                    let inner = field.as_ref().clone().with_name(rest);
                    match groups.iter_mut().find(|(name, _)| *name == group) {
                        Some((_, fields)) => fields.push(inner),
                        None => groups.push((group, vec![inner])),
                    }
                }
                _ => {
                    let ty = self.arrow_type(field.data_type(), &format!("arrow.{}", field.name()), 0);
                    self = self.variable(field.name().as_str(), ty);
                }
            }
        }
        for (name, fields) in groups {
            let ty = self.arrow_group(&fields, &format!("arrow.{name}"), 0);
            self = self.variable(name, ty);
        }
        self
    }

    /// The struct type of fields, of which some are fields of fields by their names.
    fn arrow_group(&mut self, fields: &[Field], path: &str, depth: usize) -> Type {
        let mut parts: Vec<(Arc<str>, Type)> = Vec::new();
        let mut done: Vec<&str> = Vec::new();
        for field in fields {
            let name = field.name().as_str();
            let whole = |name: &str| fields.iter().any(|other| other.name() == name);
            let (first, rest) =
                name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
            if rest.is_none() || whole(first) || depth > MAX_DEPTH {
                let ty = self.arrow_type(field.data_type(), &format!("{path}.{name}"), depth + 1);
                parts.push((name.into(), ty));
            } else if !done.contains(&first) {
                done.push(first);
                let inner: Vec<Field> = fields
                    .iter()
                    .filter_map(|other| {
                        let rest = other.name().strip_prefix(first)?.strip_prefix('.')?;
                        Some(other.clone().with_name(rest))
                    })
                    .collect();
                let ty = self.arrow_group(&inner, &format!("{path}.{first}"), depth + 1);
                parts.push((first.into(), ty));
            }
        }
        *self = std::mem::take(self).structure(StructType::new(path, parts));
        Type::Struct(path.into())
    }

    fn arrow_type(&mut self, data_type: &DataType, path: &str, depth: usize) -> Type {
        use DataType as D;
        match data_type {
            _ if depth > MAX_DEPTH => Type::Dyn,
            D::Boolean => Type::Bool,
            D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => Type::Int,
            D::UInt64 => Type::Uint,
            D::Float16 | D::Float32 | D::Float64 => Type::Double,
            D::Utf8 | D::LargeUtf8 | D::Utf8View => Type::String,
            D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => Type::Bytes,
            D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..) => Type::Decimal,
            D::Timestamp(..) | D::Date32 | D::Date64 => Type::Timestamp,
            D::Duration(_) => Type::Duration,
            D::Dictionary(_, values) => self.arrow_type(values, path, depth + 1),
            D::List(field) | D::LargeList(field) | D::FixedSizeList(field, _) => {
                Type::list(self.arrow_type(field.data_type(), path, depth + 1))
            }
            D::Struct(fields) => self.struct_type(fields, path, depth),
            D::Map(entries, _) => self.map_type(entries.data_type(), path, depth),
            _ => Type::Dyn,
        }
    }

    fn struct_type(&mut self, fields: &Fields, path: &str, depth: usize) -> Type {
        let part = |field: &FieldRef| -> (Arc<str>, Type) {
            let path = format!("{path}.{}", field.name());
            (field.name().as_str().into(), self.arrow_type(field.data_type(), &path, depth + 1))
        };
        let parts: Vec<_> = fields.iter().map(part).collect();
        *self = std::mem::take(self).structure(StructType::new(path, parts));
        Type::Struct(path.into())
    }

    fn map_type(&mut self, entries: &DataType, path: &str, depth: usize) -> Type {
        let DataType::Struct(fields) = entries else { return Type::Dyn };
        let (Some(key), Some(value)) = (fields.first(), fields.get(1)) else { return Type::Dyn };
        let key = self.arrow_type(key.data_type(), path, depth + 1);
        Type::map(key, self.arrow_type(value.data_type(), path, depth + 1))
    }
}
