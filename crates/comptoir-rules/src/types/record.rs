use std::sync::Arc;

use super::Type;

/// A field of a struct type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldType {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
}

/// A declared struct: fields with names and types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructType {
    name: Arc<str>,
    fields: Vec<FieldType>,
    /// Positions, by name.
    sorted: Vec<u32>,
}

impl StructType {
    /// A struct of these fields; of two with one name the first counts.
    #[must_use]
    pub fn new(
        name: impl Into<Arc<str>>,
        fields: impl IntoIterator<Item = (impl Into<Arc<str>>, Type)>,
    ) -> Self {
        let fields: Vec<FieldType> =
            fields.into_iter().map(|(name, ty)| FieldType { name: name.into(), ty }).collect();
        let mut sorted: Vec<u32> = (0..).take(fields.len()).collect();
        sorted.sort_by_key(|position| fields.get(*position as usize).map(|field| field.name.clone()));
        Self { name: name.into(), fields, sorted }
    }

    /// The name of the type.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields in order.
    #[must_use]
    pub fn fields(&self) -> &[FieldType] {
        &self.fields
    }

    /// Where a field stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        let found = self.sorted.binary_search_by(|position| {
            self.fields.get(*position as usize).map_or("", |field| &*field.name).cmp(name)
        });
        found.ok().and_then(|at| self.sorted.get(at)).map(|position| *position as usize)
    }

    /// A field by name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldType> {
        self.fields.get(self.position(name)?)
    }
}
