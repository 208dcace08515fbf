//! Tests on text, by its length and its first sixteen bytes where that decides.

use super::bits::Bits;
use super::column::Texts;
use super::rows::Rows;
use super::vector::TextLanes;
use crate::ir::LiteralSet;
use crate::value::Value;

/// Texts of at most sixteen bytes as numbers, in a table with at least half of its places free.
#[derive(Debug)]
pub(super) struct TextSet {
    places: Box<[Option<(usize, u128)>]>,
    /// Texts that are longer.
    long: Vec<Box<str>>,
}

/// The texts of a set of literals, if it has nothing else.
pub(super) fn set_of(set: &LiteralSet) -> Option<TextSet> {
    let texts = set.values().iter().map(|value| match value {
        Value::String(text) => Some(&**text),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    let size = (texts.len() * 4).next_power_of_two();
    let mut places = vec![None; size].into_boxed_slice();
    let mut long = Vec::new();
    for text in texts {
        match key(text.as_bytes()) {
            Some(key) => insert(&mut places, text.len(), key),
            None => long.push(text.into()),
        }
    }
    Some(TextSet { places, long })
}

fn insert(places: &mut [Option<(usize, u128)>], length: usize, key: u128) {
    let mask = places.len() - 1;
    let mut at = place(length, key, mask);
    while let Some(found) = places.get_mut(at) {
        match found {
            None => {
                *found = Some((length, key));
                return;
            }
            Some(same) if *same == (length, key) => return,
            Some(_) => at = (at + 1) & mask,
        }
    }
}

/// Where the search for a key begins.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "bits are mixed")]
fn place(length: usize, key: u128, mask: usize) -> usize {
    let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(29) ^ (length as u64);
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask
}

/// A text of at most sixteen bytes as a number.
#[inline]
fn key(bytes: &[u8]) -> Option<u128> {
    if bytes.len() > 16 {
        return None;
    }
    let mut padded = [0; 16];
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u128::from_le_bytes(padded))
}

/// The first sixteen bytes from `start` on, or fewer: those of the text.
#[inline]
fn head(buffer: &[u8], start: usize, length: usize) -> u128 {
    if let Some(sixteen) = buffer.get(start..).and_then(<[u8]>::first_chunk::<16>) {
        return u128::from_le_bytes(*sixteen) & low(length);
    }
    let end = start + length.min(16);
    buffer.get(start..end).and_then(key).unwrap_or(0)
}

/// A mask of the first `count` bytes.
#[inline]
const fn low(count: usize) -> u128 {
    if count >= 16 { u128::MAX } else { (1 << (count * 8)) - 1 }
}

impl TextSet {
    #[inline]
    fn has(&self, length: usize, key: u128) -> bool {
        let mask = self.places.len() - 1;
        let mut at = place(length, key, mask);
        while let Some(Some(found)) = self.places.get(at) {
            if *found == (length, key) {
                return true;
            }
            at = (at + 1) & mask;
        }
        false
    }

    fn has_long(&self, text: &str) -> bool {
        self.long.iter().any(|own| **own == *text)
    }
}

/// A dictionary of so few values that all are tested for a block of rows.
const FEW: usize = 256;

impl TextLanes<'_> {
    /// The rows of `mask` whose length and first bytes pass `test`, or that it leaves to the whole text by `None`.
    fn by_head(
        &self,
        mask: &Bits,
        test: impl Fn(usize, u128) -> Option<bool>,
        whole: impl Fn(&str) -> bool,
    ) -> Bits {
        let decide = |row, length, head| test(length, head).unwrap_or_else(|| whole(self.get(row)));
        match (self.texts, &self.rows) {
            (Texts::Small(array), Rows::Span(start)) => {
                let offsets = array.value_offsets().get(*start..).unwrap_or(&[]);
                let bytes = array.values().as_slice();
                mask.filter(|row| match (offsets.get(row), offsets.get(row + 1)) {
                    (Some(from), Some(to)) => {
                        let (from, length) = (size(*from), size(*to - *from));
                        decide(row, length, head(bytes, from, length))
                    }
                    _ => false,
                })
            }
            (Texts::Large(array), Rows::Span(start)) => {
                let offsets = array.value_offsets().get(*start..).unwrap_or(&[]);
                let bytes = array.values().as_slice();
                mask.filter(|row| match (offsets.get(row), offsets.get(row + 1)) {
                    (Some(from), Some(to)) => {
                        let from = usize::try_from(*from).unwrap_or(usize::MAX);
                        let length = usize::try_from(*to).unwrap_or(0).saturating_sub(from);
                        decide(row, length, head(bytes, from, length))
                    }
                    _ => false,
                })
            }
            (Texts::View(array), rows) => {
                let views = array.views();
                mask.filter(|row| {
                    let at = rows.at(row);
                    let view = views.get(at).copied().unwrap_or(0);
                    // The low word is the length; a text of up to twelve bytes follows it.
                    let length = (view & 0xffff_ffff) as usize;
                    if length <= 12 {
                        return decide(row, length, (view >> 32) & low(length));
                    }
                    let text = array.value(at).as_bytes();
                    decide(row, length, head(text, 0, length))
                })
            }
            (texts, Rows::Picked(_)) if texts.len() <= FEW => {
                let all = self.distinct().by_head(&Bits::first(texts.len()), test, whole);
                mask.filter(|row| all.has(self.rows.at(row)))
            }
            _ => mask.filter(|row| {
                let text = self.get(row).as_bytes();
                decide(row, text.len(), head(text, 0, text.len()))
            }),
        }
    }

    /// The rows that are in a set.
    pub(super) fn in_set(&self, set: &TextSet, mask: &Bits) -> Bits {
        let test = |length, head| if length <= 16 { Some(set.has(length, head)) } else { None };
        self.by_head(mask, test, |text| set.has_long(text))
    }

    /// The rows that are equal to a text.
    pub(super) fn equal(&self, wanted: &str, mask: &Bits) -> Bits {
        let bytes = wanted.as_bytes();
        let (length, own) = (bytes.len(), head(bytes, 0, bytes.len()));
        let test = |found, head| match (found == length && head == own, length > 16) {
            (false, _) => Some(false),
            (true, false) => Some(true),
            (true, true) => None,
        };
        self.by_head(mask, test, |text| text == wanted)
    }

    /// The rows that begin with a text.
    pub(super) fn start_with(&self, wanted: &str, mask: &Bits) -> Bits {
        let bytes = wanted.as_bytes();
        let (length, own) = (bytes.len(), head(bytes, 0, bytes.len()));
        let part = low(length);
        let test = |found, head| match (found >= length && head & part == own, length > 16) {
            (false, _) => Some(false),
            (true, false) => Some(true),
            (true, true) => None,
        };
        self.by_head(mask, test, |text| text.starts_with(wanted))
    }

    /// The values behind the rows, each once.
    fn distinct(&self) -> Self {
        TextLanes { texts: self.texts, rows: Rows::Span(0), null: Bits::NONE, fault: Bits::NONE }
    }

    /// The rows for which a test of the whole text holds.
    pub(super) fn test(&self, mask: &Bits, test: impl Fn(&str) -> bool) -> Bits {
        if matches!(self.rows, Rows::Picked(_)) && self.texts.len() <= FEW {
            let all = self.distinct().test(&Bits::first(self.texts.len()), test);
            return mask.filter(|row| all.has(self.rows.at(row)));
        }
        mask.filter(|row| test(self.get(row)))
    }
}

/// Offsets of an array are not negative.
#[inline]
const fn size(offset: i32) -> usize {
    offset.cast_unsigned() as usize
}
