use std::fmt;
use std::sync::Arc;

use super::{HostList, Value};

/// A list.
#[derive(Clone)]
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
            Self::Ref(values) => slice_contains(values, value),
            Self::Shared(values) => slice_contains(values, value),
            Self::Host(list) => (0..list.len()).any(|index| list.get(index).equals(value)),
        }
    }

    /// The same without borrows.
    #[must_use]
    pub fn into_owned(self) -> List<'static> {
        List::Shared(Arc::new(self.iter().map(Value::into_owned).collect()))
    }
}

/// The elements, whoever owns them.
impl fmt::Debug for List<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// Text is looked for without a match on both sides: it is the common case, and an element that is text is equal to
/// nothing else.
fn slice_contains(values: &[Value<'_>], value: &Value<'_>) -> bool {
    match value {
        Value::String(wanted) => {
            let wanted = wanted.as_bytes();
            match ends(wanted) {
                // What is looked for is taken apart once, not for each element.
                Some(words) if wanted.len() <= 16 => values.iter().any(|element| {
                    matches!(element, Value::String(text)
                        if text.len() == wanted.len() && ends(text.as_bytes()) == Some(words))
                }),
                _ => values.iter().any(
                    |element| matches!(element, Value::String(text) if same_bytes(text.as_bytes(), wanted)),
                ),
            }
        }
        other => values.iter().any(|element| element.equals(other)),
    }
}

/// The first eight bytes and the last eight, which overlap or meet where there are 16 at most.
#[inline(always)]
fn ends(bytes: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = (bytes.first_chunk::<8>()?, bytes.last_chunk::<8>()?);
    Some((u64::from_ne_bytes(*first), u64::from_ne_bytes(*last)))
}

/// Equality of bytes, without a call where they are few.
#[inline]
pub(crate) fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    if left.len() <= 16
        && let (Some(one), Some(two)) = (ends(left), ends(right))
    {
        return (one.0 ^ two.0) | (one.1 ^ two.1) == 0;
    }
    left == right
}
