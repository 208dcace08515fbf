//! What stands for election: a score with all that decides its place.

use std::cmp::Ordering;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::numbers::Low;

/// A row or an aggregated item with a score, in the order of the board: the better is less.
///
/// What decides a place is a list of numbers and bytes: score, tie keys, item, what is carried. Its beginning is in two
/// words, so that most comparisons look no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'b> {
    /// The score as an integer of the same order, or its upper half.
    pub key: i64,
    /// The beginning of the rest of the list: the item itself, where that is a number and follows the score, else the
    /// first bytes of the list.
    pub word: u64,
    /// What is carried, where the item is the word; else where the item starts and ends in the list, then the list.
    pub(super) rest: &'b [u8],
    /// All candidates of a board are alike in this.
    pub(super) is_word: bool,
}

/// Bytes before the list: where the item starts and ends.
const HEAD: usize = 8;

/// Parts of a list after the score.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'p> {
    /// What a score has beyond its key.
    pub low: Low<u64, i128>,
    /// The tie keys as bytes of the same order.
    pub ties: &'p [u8],
    /// The item as bytes of the same order.
    pub item: &'p [u8],
    /// What else is kept of the row. Of rows that are alike in all else the one whose bytes come first counts.
    pub carried: &'p [u8],
}

impl<'b> Candidate<'b> {
    /// With an item that is a number, and neither tie keys nor a wide score.
    #[inline]
    pub const fn of_word(key: i64, item: u64, carried: &'b [u8]) -> Self {
        Self { key, word: item, rest: carried, is_word: true }
    }

    /// With everything in bytes, which are put together in `memory`.
    pub fn of_parts(key: i64, parts: &Parts<'_>, memory: &'b mut Vec<u8>) -> Self {
        memory.clear();
        write(parts, memory);
        let mut first = [0; 8];
        first.iter_mut().zip(memory.iter().skip(HEAD)).for_each(|(to, from)| *to = *from);
        Self { key, word: u64::from_be_bytes(first), rest: memory, is_word: false }
    }

    /// Whether score and item are all that there is of it, each in a word.
    #[inline]
    pub const fn is_two_words(&self) -> bool {
        self.is_word && self.rest.is_empty()
    }

    /// The item, where it is in bytes.
    pub fn item(&self) -> &'b [u8] {
        self.list().get(self.item_place()).unwrap_or(&[])
    }

    /// What is carried.
    pub fn carried(&self) -> &'b [u8] {
        self.list().get(self.item_place().end..).unwrap_or(&[])
    }

    /// The lower half of a wide score.
    pub fn low(&self) -> u64 {
        self.list().first_chunk().map_or(0, |bytes| !u64::from_be_bytes(*bytes))
    }

    /// Whether both have the same score, of which so many bytes are not in the key.
    pub fn is_tied(&self, other: &Candidate<'_>, width: usize) -> bool {
        self.key == other.key && self.list().get(..width) == other.list().get(..width)
    }

    pub fn is_same_item(&self, other: &Candidate<'_>) -> bool {
        if self.is_word { self.word == other.word } else { self.item() == other.item() }
    }

    /// A number that is the same for the same item.
    pub fn hash_of_item(&self) -> u64 {
        if self.is_word { self.word.wrapping_mul(0x9e37_79b9_7f4a_7c15) } else { xxh3_64(self.item()) }
    }

    /// The list from `word` on, or after it where the item is the word.
    #[inline]
    fn list(&self) -> &'b [u8] {
        if self.is_word { self.rest } else { self.rest.get(HEAD..).unwrap_or(&[]) }
    }

    fn item_place(&self) -> Range<usize> {
        match self.rest.first_chunk().filter(|_| !self.is_word) {
            Some([a, b, c, d, e, f, g, h]) => {
                u32::from_le_bytes([*a, *b, *c, *d]) as usize..u32::from_le_bytes([*e, *f, *g, *h]) as usize
            }
            None => 0..0,
        }
    }
}

fn write(parts: &Parts<'_>, bytes: &mut Vec<u8>) {
    // The highest score first: its bytes are turned round.
    let (half, beyond);
    let low: &[u8] = match parts.low {
        Low::None => &[],
        Low::Half(low) => {
            half = (!low).to_be_bytes();
            &half
        }
        Low::Beyond(low) => {
            beyond = (!low ^ i128::MIN).to_be_bytes();
            &beyond
        }
    };
    let start = low.len() + parts.ties.len();
    for end in [start, start + parts.item.len()] {
        bytes.extend(u32::try_from(end).unwrap_or(u32::MAX).to_le_bytes());
    }
    for part in [low, parts.ties, parts.item, parts.carried] {
        bytes.extend_from_slice(part);
    }
}

impl Ord for Candidate<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let words = other.key.cmp(&self.key).then(self.word.cmp(&other.word));
        words.then_with(|| self.list().cmp(other.list()))
    }
}

impl PartialOrd for Candidate<'_> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
