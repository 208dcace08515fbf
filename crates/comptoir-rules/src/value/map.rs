use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{EvalCode, Fault, HostMap, Value};

/// A map, in the order in which it was made.
#[derive(Clone)]
pub enum Map<'a> {
    /// Borrowed from the input or the program.
    Ref(&'a Entries<'a>),
    /// Made by an evaluation.
    Shared(Arc<Entries<'a>>),
    /// Read from the host.
    Host(&'a dyn HostMap),
}

impl<'a> Map<'a> {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Ref(entries) => entries.list.len(),
            Self::Shared(entries) => entries.list.len(),
            Self::Host(map) => map.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it lives in the host.
    pub(crate) const fn is_host(&self) -> bool {
        matches!(self, Self::Host(_))
    }

    /// The value of `key`; numbers are equal across types.
    #[must_use]
    pub fn get(&self, key: &Value<'_>) -> Option<Value<'a>> {
        match self {
            Self::Ref(entries) => entries.find(key).map(Value::borrowed),
            Self::Shared(entries) => entries.find(key).cloned(),
            Self::Host(map) => map.get(key),
        }
    }

    /// Whether there is an entry for `key`.
    #[must_use]
    pub fn contains_key(&self, key: &Value<'_>) -> bool {
        match self {
            Self::Ref(entries) => entries.find(key).is_some(),
            Self::Shared(entries) => entries.find(key).is_some(),
            Self::Host(map) => map.get(key).is_some(),
        }
    }

    /// All entries.
    #[must_use]
    pub fn entries(&self) -> Vec<(Value<'a>, Value<'a>)> {
        match self {
            Self::Ref(entries) => {
                entries.list.iter().map(|(key, value)| (key.borrowed(), value.borrowed())).collect()
            }
            Self::Shared(entries) => entries.list.clone(),
            Self::Host(map) => map.entries(),
        }
    }

    /// The same without borrows.
    #[must_use]
    pub fn into_owned(self) -> Map<'static> {
        let mut builder = MapBuilder::with_capacity(self.len());
        for (key, value) in self.entries() {
            // Keys of a map are valid and differ, so that inserting them again cannot fail.
            let _ = builder.insert(key.into_owned(), value.into_owned());
        }
        builder.finish()
    }
}

/// The entries, whoever owns them.
impl fmt::Debug for Map<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.entries()).finish()
    }
}

/// Entries with an index by key.
#[derive(Debug, Clone, Default)]
pub struct Entries<'a> {
    list: Vec<(Value<'a>, Value<'a>)>,
    /// Positions by hash, from [`LINEAR`] entries on.
    index: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
}

/// Up to this size a map is searched entry by entry.
const LINEAR: usize = 8;

impl<'a> Entries<'a> {
    fn find(&self, key: &Value<'_>) -> Option<&Value<'a>> {
        let is_key = |entry: &&(Value<'a>, Value<'a>)| entry.0.equals(key);
        if self.index.is_empty() {
            return self.list.iter().find(is_key).map(|entry| &entry.1);
        }
        let hash = self.hash(key)?;
        let at = |slot: &(u64, u32)| self.list.get(slot.1 as usize);
        let slot = self.index.find(hash, |slot| at(slot).as_ref().is_some_and(is_key))?;
        at(slot).map(|entry| &entry.1)
    }

    /// Equal keys of different number types hash alike; `None` for what is no key.
    fn hash(&self, key: &Value<'_>) -> Option<u64> {
        Some(match key {
            Value::Bool(value) => self.hasher.hash_one(*value),
            Value::String(text) => self.hasher.hash_one(&**text),
            Value::Int(value) => self.hasher.hash_one(i128::from(*value)),
            Value::Uint(value) => self.hasher.hash_one(i128::from(*value)),
            Value::Double(value) => self.hasher.hash_one(integer(*value)?),
            _ => return None,
        })
    }

    fn add_to_index(&mut self, position: usize) {
        let (Some((key, _)), Ok(code)) = (self.list.get(position), u32::try_from(position)) else { return };
        let Some(hash) = self.hash(key) else { return };
        self.index.insert_unique(hash, (hash, code), |slot| slot.0);
    }
}

/// The integer that a double is, if it is one and can be a key.
fn integer(value: f64) -> Option<i128> {
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^64 in magnitude")]
    (value.trunc() == value && value.abs() < LIMIT).then_some(value as i128)
}

/// Collects entries and refuses keys that are no keys or occur twice.
#[derive(Debug, Default)]
pub struct MapBuilder<'a> {
    entries: Entries<'a>,
}

impl<'a> MapBuilder<'a> {
    /// A builder for about `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let entries = Entries { list: Vec::with_capacity(capacity), ..Entries::default() };
        Self { entries }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `RULES_REPEATED_KEY`, and `RULES_INVALID_ARGUMENT` for a key that is no bool, int, uint or string.
    pub fn insert(&mut self, key: Value<'a>, value: Value<'a>) -> Result<(), Fault> {
        if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::String(_)) {
            let message = format!("a map key must be bool, int, uint or string, found {}", key.type_name());
            return Err(Fault::error(EvalCode::InvalidArgument, message));
        }
        if self.entries.find(&key).is_some() {
            return Err(Fault::error(EvalCode::RepeatedKey, format!("key {} occurs twice", key.display())));
        }
        self.entries.list.push((key, value));
        self.index_new();
        Ok(())
    }

    fn index_new(&mut self) {
        let length = self.entries.list.len();
        let first = match length.cmp(&LINEAR) {
            std::cmp::Ordering::Less => return,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => length - 1,
        };
        for position in first..length {
            self.entries.add_to_index(position);
        }
    }

    /// The map.
    #[must_use]
    pub fn finish(self) -> Map<'a> {
        Map::Shared(Arc::new(self.entries))
    }
}
