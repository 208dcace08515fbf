//! Tests on text: length and first eight bytes are compared without a branch, and the whole text only where they leave
//! it open.

use arrow_array::{OffsetSizeTrait, StringViewArray};

use super::bits::Bits;
use super::column::Texts;
use super::rare::Rare;
use super::rows::Rows;
use super::table::Flags;
use super::text_set::TextSet;
use super::vector::TextLanes;
use comptoir_types::simd::wide;

/// A dictionary of so few values that all are tested for a block of rows.
const FEW: usize = 256;

impl TextLanes<'_> {
    /// The rows that are in a set.
    pub(super) fn in_set(&self, set: &TextSet, mask: &Bits) -> Bits {
        self.each_distinct(mask, |texts, mask| {
            let found = texts.by_head(mask, |length, head| set.may_have(length, head));
            if set.is_short() {
                return found;
            }
            found.filter(|row| {
                let text = texts.get(row);
                text.len() <= 8 || set.has_long(text)
            })
        })
    }

    /// The rows that are equal to a text.
    pub(super) fn equal(&self, wanted: &str, mask: &Bits) -> Bits {
        let length = wanted.len();
        let own = head(wanted.as_bytes(), 0, length);
        self.each_distinct(mask, |texts, mask| {
            let found = texts.by_head(mask, |other, head| (other == length) & (head == own));
            match (length, wanted.as_bytes().last_chunk::<8>()) {
                (..=8, _) => found,
                // The first and the last bytes overlap or meet, so that they cover all.
                (9..=16, Some(tail)) => {
                    found.filter(|row| texts.get(row).as_bytes().last_chunk::<8>() == Some(tail))
                }
                _ => found.filter(|row| texts.get(row) == wanted),
            }
        })
    }

    /// The rows that begin with a text.
    pub(super) fn start_with(&self, wanted: &str, mask: &Bits) -> Bits {
        let length = wanted.len();
        let (own, part) = (head(wanted.as_bytes(), 0, length), low(length));
        self.each_distinct(mask, |texts, mask| {
            let found = texts.by_head(mask, |other, head| (other >= length) & (head & part == own));
            if length <= 8 { found } else { found.filter(|row| texts.get(row).starts_with(wanted)) }
        })
    }

    /// The rows for which a test of the whole text holds.
    pub(super) fn test(&self, mask: &Bits, test: impl Fn(&str) -> bool) -> Bits {
        self.each_distinct(mask, |texts, mask| mask.filter(|row| test(texts.get(row))))
    }

    /// A test of the texts, or of the values of a small dictionary that they are picked from, each once.
    fn each_distinct(&self, mask: &Bits, test: impl Fn(&TextLanes<'_>, &Bits) -> Bits) -> Bits {
        match &self.rows {
            Rows::Picked(rows) if self.texts.len() <= FEW => {
                let (texts, count) = (self.texts, self.texts.len());
                let distinct = TextLanes { texts, rows: Rows::Span(0), null: Rare::NONE, fault: Rare::NONE };
                let is = test(&distinct, &Bits::first(count));
                // Rows that are null are no position of a value.
                Flags::new(is.words(), count).of(rows, mask, |row| row).and(*mask)
            }
            _ => test(self, mask),
        }
    }

    /// The rows of `mask` whose length and first bytes pass `test`.
    fn by_head(&self, mask: &Bits, test: impl Fn(usize, u64) -> bool) -> Bits {
        match (self.texts, &self.rows) {
            (Texts::Small(array), Rows::Span(start)) => {
                by_offsets(array.value_offsets(), array.values(), *start, mask, test)
            }
            (Texts::Large(array), Rows::Span(start)) => {
                by_offsets(array.value_offsets(), array.values(), *start, mask, test)
            }
            (Texts::View(array), Rows::Span(start)) => by_views(array, *start, mask, test),
            _ => mask.filter(|row| {
                let text = self.get(row).as_bytes();
                test(text.len(), head(text, 0, text.len()))
            }),
        }
    }
}

fn by_offsets<O: OffsetSizeTrait>(
    offsets: &[O],
    bytes: &[u8],
    start: usize,
    mask: &Bits,
    test: impl Fn(usize, u64) -> bool,
) -> Bits {
    let starts = offsets.get(start..).unwrap_or(&[]);
    let ends = starts.get(1..).unwrap_or(&[]);
    wide(
        #[inline(always)]
        || {
            mask.filter_all(
                #[inline(always)]
                |row| match (starts.get(row), ends.get(row)) {
                    (Some(from), Some(to)) => {
                        let from = from.as_usize();
                        let length = to.as_usize().saturating_sub(from);
                        test(length, head(bytes, from, length))
                    }
                    _ => false,
                },
            )
        },
    )
}

fn by_views(array: &StringViewArray, start: usize, mask: &Bits, test: impl Fn(usize, u64) -> bool) -> Bits {
    let views = array.views().get(start..).unwrap_or(&[]);
    let buffers = array.data_buffers();
    wide(
        #[inline(always)]
        || {
            mask.filter_all(
                #[inline(always)]
                |row| {
                    let view = views.get(row).copied().unwrap_or(0);
                    let (length, upper) = (part(view), part(view >> 64));
                    if length <= 12 {
                        // The text itself follows its length.
                        return test(length, (part(view >> 32) | upper << 32) as u64 & low(length));
                    }
                    let bytes = buffers.get(upper).map_or(&[][..], |buffer| buffer.as_slice());
                    test(length, head(bytes, part(view >> 96), length))
                },
            )
        },
    )
}

/// The lowest 32 bits of a view.
#[inline(always)]
const fn part(view: u128) -> usize {
    (view & 0xffff_ffff) as usize
}

/// The first eight bytes of a text of `length` bytes that begins at `start`, the first of them lowest; zeros behind its
/// end.
#[inline(always)]
pub(super) fn head(bytes: &[u8], start: usize, length: usize) -> u64 {
    let rest = bytes.get(start..).unwrap_or(&[]);
    let eight = rest.first_chunk::<8>().map_or_else(|| last(rest), |eight| u64::from_le_bytes(*eight));
    eight & low(length)
}

/// As many bytes as there are.
#[cold]
fn last(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// A mask of the first `count` bytes.
#[inline(always)]
const fn low(count: usize) -> u64 {
    if count >= 8 { u64::MAX } else { (1 << (count * 8)) - 1 }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;

    use super::*;

    #[test]
    fn equal_texts_are_equal_in_all_bytes() {
        let wanted = "abcdefghijklmnopqrst";
        let mut texts: Vec<String> = (0..=wanted.len()).map(|length| wanted[..length].to_owned()).collect();
        for length in 1..=wanted.len() {
            texts.extend((0..length).map(|at| {
                let mut other = wanted[..length].to_owned();
                other.replace_range(at..=at, "_");
                other
            }));
        }
        let all = Bits::first(texts.len());
        let small = Texts::Small(StringArray::from_iter_values(&texts));
        let views = Texts::View(StringViewArray::from_iter_values(&texts));
        for column in [&small, &views] {
            let lanes = TextLanes { texts: column, rows: Rows::Span(0), null: Rare::NONE, fault: Rare::NONE };
            for text in &texts {
                let expected = all.filter(|row| texts.get(row) == Some(text));
                assert!(lanes.equal(text, &all) == expected, "{text}");
            }
        }
    }
}
