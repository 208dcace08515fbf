//! Fields that take one value or a list of values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, SeqAccess, Visitor};

/// Reads `a` like `[a]`. An empty list is refused, since it would mean the same as no list at all: everything.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(OneOrMany(PhantomData))
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name or a list of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        let text: StrDeserializer<'_, E> = text.into_deserializer();
        T::deserialize(text).map(|value| vec![value])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Vec<T>, A::Error> {
        let values = Vec::<T>::deserialize(SeqAccessDeserializer::new(sequence))?;
        if values.is_empty() {
            return Err(A::Error::custom("an empty list; leave the field out to mean everything"));
        }
        Ok(values)
    }
}
