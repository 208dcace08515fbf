use hashbrown::HashSet;

use crate::value::{List, Value};

/// The literals on the right of `in`, ready to be looked up.
#[derive(Debug, Clone, Default)]
pub struct LiteralSet {
    values: Vec<Value<'static>>,
    strings: HashSet<Box<str>>,
    ints: HashSet<i64>,
    /// What is neither text nor an int, searched one by one.
    others: Vec<Value<'static>>,
}

impl LiteralSet {
    pub(crate) fn new(list: &List<'static>) -> Self {
        let mut set = Self { values: list.iter().collect(), ..Self::default() };
        for value in &set.values {
            match value {
                Value::String(text) => {
                    set.strings.insert((**text).into());
                }
                Value::Int(number) => {
                    set.ints.insert(*number);
                }
                other => set.others.push(other.clone()),
            }
        }
        set
    }

    /// Whether an equal value is in the set.
    #[inline]
    #[must_use]
    pub fn contains(&self, value: &Value<'_>) -> bool {
        match value {
            Value::String(text) => self.strings.contains(&**text),
            Value::Int(number) if self.ints.contains(number) => true,
            Value::Uint(_) | Value::Double(_) | Value::Decimal(_) if !self.ints.is_empty() => {
                self.values.iter().any(|own| own.equals(value))
            }
            other => !self.others.is_empty() && self.others.iter().any(|own| own.equals(other)),
        }
    }

    /// The literals in the order of the source.
    #[must_use]
    pub fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}
