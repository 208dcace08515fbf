//! A set of texts that is asked without a branch.

use super::text::head;
use crate::ir::LiteralSet;
use crate::value::Value;

/// Texts by their length and first eight bytes, in a table that is searched by a fixed number of steps.
#[derive(Debug)]
pub(super) struct TextSet {
    places: Box<[Place]>,
    /// Spreads the texts at hand so that few of them share a place.
    factor: u64,
    shift: u32,
    /// Places to look at.
    steps: usize,
    /// Texts longer than eight bytes, sorted.
    long: Vec<Box<str>>,
}

/// First bytes and length.
type Place = (u64, usize);

/// No text is as long.
const FREE: Place = (0, usize::MAX);

/// The texts of a set of literals, if it has nothing else.
pub(super) fn set_of(set: &LiteralSet) -> Option<TextSet> {
    let texts = set.values().iter().map(|value| match value {
        Value::String(text) => Some(&**text),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    Some(TextSet::new(&texts))
}

impl TextSet {
    fn new(texts: &[&str]) -> Self {
        const SMALL: usize = 256;
        let mut keys: Vec<Place> =
            texts.iter().map(|text| (head(text.as_bytes(), 0, text.len()), text.len())).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut long: Vec<Box<str>> =
            texts.iter().filter(|text| text.len() > 8).map(|text| (*text).into()).collect();
        long.sort_unstable();
        let tries = if keys.len() <= SMALL { 64 } else { 1 };
        let mut best = Self::placed(&keys, 0x9e37_79b9_7f4a_7c15);
        let mut factor = best.factor;
        for _ in 1..tries {
            if best.steps <= 1 {
                break;
            }
            factor = factor.wrapping_mul(0xd134_2543_de82_ef95) | 1;
            let other = Self::placed(&keys, factor);
            if other.steps < best.steps {
                best = other;
            }
        }
        Self { long, ..best }
    }

    fn placed(keys: &[Place], factor: u64) -> Self {
        let size = (keys.len() * 4).next_power_of_two().max(8);
        // A search does not wrap: behind the last place there is room for all.
        let places = vec![FREE; size + keys.len()].into_boxed_slice();
        let shift = 64 - size.trailing_zeros();
        let mut set = Self { places, factor, shift, steps: 0, long: Vec::new() };
        for key in keys {
            let at = set.place(key.1, key.0);
            let free = set.places.iter().skip(at).position(|place| *place == FREE).unwrap_or(0);
            if let Some(place) = set.places.get_mut(at + free) {
                *place = *key;
            }
            set.steps = set.steps.max(free + 1);
        }
        set
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "few bits are left")]
    const fn place(&self, length: usize, head: u64) -> usize {
        let mixed = head ^ (length as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed.wrapping_mul(self.factor) >> self.shift) as usize
    }

    /// Whether a text of the set has this length and these first eight bytes.
    #[inline(always)]
    pub(super) fn may_have(&self, length: usize, head: u64) -> bool {
        let at = self.place(length, head);
        // Both parts are compared at once: a branch would be taken for every other text.
        let is_here = |at: usize| {
            self.places.get(at).is_some_and(|place| (place.0 ^ head) | (place.1 ^ length) as u64 == 0)
        };
        let mut found = is_here(at);
        for step in 1..self.steps {
            found |= is_here(at + step);
        }
        found
    }

    /// Whether a text longer than eight bytes is in the set.
    pub(super) fn has_long(&self, text: &str) -> bool {
        self.long.binary_search_by(|own| (**own).cmp(text)).is_ok()
    }

    /// Whether length and first bytes decide for all texts.
    pub(super) fn is_short(&self) -> bool {
        self.long.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_length_or_zeros_only() {
        let texts = ["", "a", "a\0", "a\0\0", "abcdefgh", "abcdefghi", "abcdefghj", "é"];
        let set = TextSet::new(&texts);
        let has = |text: &str| {
            set.may_have(text.len(), head(text.as_bytes(), 0, text.len()))
                && (text.len() <= 8 || set.has_long(text))
        };
        assert!(texts.iter().all(|text| has(text)));
        assert!(["b", "\0", "a\0\0\0", "abcdefg", "abcdefghk", "è"].iter().all(|text| !has(text)));
        let many: Vec<String> = (0..3000).map(|number| format!("C{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let set = TextSet::new(&many);
        assert!(many.iter().all(|text| set.may_have(text.len(), head(text.as_bytes(), 0, text.len()))));
        assert!(!set.may_have(5, head(b"C3000", 0, 5)) && set.steps < 40);
    }
}
