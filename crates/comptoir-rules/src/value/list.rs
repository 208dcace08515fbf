use std::sync::Arc;

use super::{HostList, Value};

/// A list.
#[derive(Debug, Clone)]
pub enum List<'a> {
    /// Borrowed from the input or the program.
    Ref(&'a [Value<'a>]),
    /// Made by an evaluation.
    Shared(Arc<Vec<Value<'a>>>),
    /// Read from the host.
    Host(&'a dyn HostList),
}

impl<'a> List<'a> {
    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Ref(values) => values.len(),
            Self::Shared(values) => values.len(),
            Self::Host(list) => list.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Ref(values) => values.get(index).map(Value::borrowed),
            Self::Shared(values) => values.get(index).cloned(),
            Self::Host(list) if index < list.len() => Some(list.get(index)),
            Self::Host(_) => None,
        }
    }

    /// All elements.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Whether an element is equal to `value`.
    #[must_use]
    pub fn contains(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Ref(values) => values.iter().any(|element| element.equals(value)),
            Self::Shared(values) => values.iter().any(|element| element.equals(value)),
            Self::Host(list) => (0..list.len()).any(|index| list.get(index).equals(value)),
        }
    }

    /// The same without borrows.
    #[must_use]
    pub fn into_owned(self) -> List<'static> {
        List::Shared(Arc::new(self.iter().map(Value::into_owned).collect()))
    }
}
