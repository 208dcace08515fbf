use hashbrown::HashSet;

use crate::value::{List, Value};

/// The literals on the right of `in`, ready to be looked up.
#[derive(Debug, Clone, Default)]
pub struct LiteralSet {
    values: Vec<Value<'static>>,
    strings: HashSet<Box<str>>,
    /// The same where they are few and short: compared one by one, which takes less than a hash.
    short: Vec<ShortKey>,
    ints: HashSet<i64>,
    /// What is neither text nor an int, searched one by one.
    others: Vec<Value<'static>>,
}

impl LiteralSet {
    pub(crate) fn new(list: &List<'static>) -> Self {
        let mut set = Self { values: list.iter().collect(), ..Self::default() };
        let mut texts: Vec<&str> = Vec::new();
        for value in &set.values {
            match value {
                Value::String(text) => texts.push(text),
                Value::Int(number) => {
                    set.ints.insert(*number);
                }
                other => set.others.push(other.clone()),
            }
        }
        let short = |text: &&str| short_key(text.as_bytes());
        match texts.iter().map(short).collect::<Option<Vec<_>>>() {
            Some(keys) if keys.len() <= FEW => set.short = keys,
            _ => set.strings = texts.into_iter().map(Box::from).collect(),
        }
        set
    }

    /// Whether an equal value is in the set.
    #[inline]
    #[must_use]
    pub fn contains(&self, value: &Value<'_>) -> bool {
        match value {
            Value::String(text) if self.short.is_empty() => self.strings.contains(&**text),
            Value::String(text) => short_key(text.as_bytes()).is_some_and(|key| self.has_short(key)),
            Value::Int(number) if self.ints.contains(number) => true,
            Value::Uint(_) | Value::Double(_) | Value::Decimal(_) if !self.ints.is_empty() => {
                self.values.iter().any(|own| own.equals(value))
            }
            other => !self.others.is_empty() && self.others.iter().any(|own| own.equals(other)),
        }
    }

    /// All are compared, without a branch for each, which a processor would guess wrongly.
    #[inline]
    fn has_short(&self, key: ShortKey) -> bool {
        let differs = |own: &ShortKey| (own.0 ^ key.0) | (own.1 ^ key.1) | (own.2 ^ key.2);
        self.short.iter().fold(false, |found, own| found | (differs(own) == 0))
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.values)
            + size_of_val(&*self.short)
            + size_of_val(&*self.others)
            + self.strings.allocation_size()
            + self.ints.allocation_size()
    }

    /// The literals in the order of the source.
    #[must_use]
    pub fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}

/// Up to so many strings are compared one by one.
const FEW: usize = 12;

/// Length and bytes of a text of 16 bytes at most, the same for the same text only.
type ShortKey = (u64, u64, u64);

#[inline]
fn short_key(text: &[u8]) -> Option<ShortKey> {
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    let half = |bytes: &[u8; 4]| u64::from(u32::from_ne_bytes(*bytes));
    if text.len() > 16 {
        return None;
    }
    let length = text.len() as u64;
    // The first and the last bytes overlap or meet, so that they cover all.
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return Some((length, word(first), word(last)));
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return Some((length, half(first), half(last)));
    }
    let bytes = text.iter().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte));
    Some((length, bytes, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_strings_are_found() {
        let texts =
            ["", "a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghijklmnop", "abcdefghijklmnopq"];
        for count in 1..=texts.len() {
            let list = List::Shared(std::sync::Arc::new(
                texts.iter().take(count).map(|text| Value::str(text)).collect(),
            ));
            let set = LiteralSet::new(&list);
            for (index, text) in texts.iter().enumerate() {
                assert_eq!(set.contains(&Value::str(text)), index < count, "{text} of {count}");
            }
            assert!(!set.contains(&Value::str("abd")) && !set.contains(&Value::Int(1)));
        }
    }
}
