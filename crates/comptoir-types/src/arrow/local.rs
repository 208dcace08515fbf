//! Interning of one range of rows, and the merging of ranges.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::downcast_integer_array;
use arrow_buffer::NullBuffer;
use rayon::prelude::*;

use super::intern::NULL_CODE;
use super::keys::{BLOCK, KeyChunk, KeyColumn, NULL_KEY, is_long, shifted};
use super::table::{Entry, KeyTable, NO_GUESS};

/// The codes of one range, or of all ranges merged so far.
#[derive(Default)]
pub(super) struct Local {
    codes: Codes,
    /// The row of the first appearance by code.
    first: Vec<u64>,
    long: LongTexts,
}

enum Codes {
    Hashed(KeyTable),
    /// Integers of a small span: the code + 1 at the distance from the smallest key, 0 for none; and keys by code.
    Dense {
        base: u128,
        slots: Vec<u32>,
        keys: Vec<u128>,
    },
}

/// The distinct texts of more than 15 bytes, one after the other: what equal hashes are confirmed by. They are kept
/// apart from the column, because its rows lie too far from each other for the cache.
#[derive(Default)]
struct LongTexts {
    bytes: Vec<u8>,
    /// Start and end by code; nothing before the first long text.
    bounds: Vec<(usize, usize)>,
}

impl Local {
    /// Writes the codes of `range`, numbered within it. `dense` is the smallest key and the number of keys up to the
    /// largest one, for integers of a small span.
    pub(super) fn new(
        column: &KeyColumn,
        range: Range<usize>,
        codes: &mut [u32],
        dense: Option<(u128, usize)>,
    ) -> Self {
        let mut local = Self::default();
        if let Some((base, span)) = dense {
            local.codes = Codes::Dense { base, slots: vec![0; span], keys: Vec::new() };
        }
        let mut known: (Option<&Arc<[u128]>>, Vec<u32>) = (None, Vec::new());
        let (start, mut rest) = (range.start, codes);
        for (chunk, base, part) in column.parts(range.clone()) {
            let (codes, after) = rest.split_at_mut(part.len().min(rest.len()));
            rest = after;
            match (&chunk.dictionary, dense) {
                (Some(values), _) => {
                    // Many small chunks often share one large dictionary.
                    if !known.0.is_some_and(|before| Arc::ptr_eq(before, values)) {
                        known = (Some(values), vec![UNSEEN; values.len()]);
                    }
                    local.dictionary(chunk, base, part, &mut known.1, codes);
                }
                (None, Some(_)) => local.integers(chunk, base, part, codes),
                (None, None) => {
                    for (piece, codes) in part.step_by(PIECE).zip(codes.chunks_mut(PIECE)) {
                        let rows = piece..piece + codes.len();
                        match chunk.nulls().filter(|nulls| nulls.null_count() > nulls.len() / 8 * 7) {
                            Some(nulls) => local.sparse(chunk, nulls, base, rows.clone(), codes),
                            None => local.plain(chunk, base, rows.clone(), codes),
                        }
                        local.make_room(base + rows.end - start, range.len());
                    }
                }
            }
        }
        local
    }

    /// The codes of another range in this one; what is new is added, in the order of the other.
    pub(super) fn absorb(&mut self, other: &Self) -> Vec<u32> {
        // What both have is looked up in parallel; only what is new must go in one by one.
        let keys = other.codes.keys();
        let mut map = vec![NO_GUESS; keys.len()];
        if let Codes::Hashed(table) = &self.codes {
            map.par_chunks_mut(BLOCK).zip(keys.par_chunks(BLOCK)).for_each(|(map, keys)| {
                table.guess(keys, map);
            });
        }
        for ((at, code), (key, row)) in map.iter_mut().enumerate().zip(keys.iter().zip(&other.first)) {
            if !self.is_right(*code, *key, || other.long.get(at)) {
                *code = self.code(*key, *row, || other.long.get(at));
            }
        }
        map
    }

    /// The rows of the first appearances.
    pub(super) fn into_first(self) -> Vec<u64> {
        self.first
    }

    /// Rows with a dictionary: a value's text is looked at only where it occurs first, and a row is one load.
    fn dictionary(
        &mut self,
        chunk: &KeyChunk,
        base: usize,
        part: Range<usize>,
        known: &mut [u32],
        codes: &mut [u32],
    ) {
        let nulls = chunk.nulls();
        let values = chunk.dictionary.as_deref().unwrap_or_default();
        chunk.dictionary_keys(part.start, codes.len(), |at, value| {
            let Some(slot) = codes.get_mut(at) else { return };
            let row = part.start + at;
            *slot = match known.get_mut(value) {
                // The key of a null row may be anything, also one beyond the values.
                _ if nulls.is_some_and(|nulls| nulls.is_null(row)) => NULL_CODE,
                None => NULL_CODE,
                Some(code) => {
                    if *code == UNSEEN {
                        let key = values.get(value).copied().unwrap_or(NULL_KEY);
                        *code = self.code(key, (base + row) as u64, || chunk.bytes(row));
                    }
                    *code
                }
            };
        });
    }

    /// Rows of integers of a small span: the value is the place of its code.
    #[expect(clippy::cast_possible_truncation, reason = "distances are below the span, which fits")]
    fn integers(&mut self, chunk: &KeyChunk, base: usize, part: Range<usize>, codes: &mut [u32]) {
        let Codes::Dense { base: smallest, slots, keys } = &mut self.codes else {
            return;
        };
        let (array, nulls) = (chunk.array(), chunk.nulls());
        downcast_integer_array!(
            array => {
                let values = array.values().get(part.clone()).unwrap_or_default();
                for ((row, value), code) in part.zip(values).zip(codes) {
                    let key = shifted(i128::from(*value));
                    let slot = slots.get_mut(key.wrapping_sub(*smallest) as usize);
                    *code = match slot {
                        _ if nulls.is_some_and(|nulls| nulls.is_null(row)) => NULL_CODE,
                        None => NULL_CODE,
                        Some(slot) => {
                            if *slot == 0 {
                                keys.push(key);
                                self.first.push((base + row) as u64);
                                *slot = keys.len() as u32;
                            }
                            *slot - 1
                        }
                    };
                }
            },
            _ => codes.fill(NULL_CODE)
        );
    }

    /// Rows of text, and of integers of a wide span.
    fn plain(&mut self, chunk: &KeyChunk, base: usize, part: Range<usize>, codes: &mut [u32]) {
        let (mut keys, mut start) = ([0; BLOCK], part.start);
        for codes in codes.chunks_mut(BLOCK) {
            let keys = keys.get_mut(..codes.len()).unwrap_or_default();
            chunk.keys(start, keys);
            if !matches!(&self.codes, Codes::Hashed(table) if table.guess(keys, codes)) {
                for ((row, key), code) in (start..).zip(keys).zip(codes) {
                    if !self.is_right(*code, *key, || chunk.bytes(row)) {
                        *code = self.code(*key, (base + row) as u64, || chunk.bytes(row));
                    }
                }
            }
            start += BLOCK;
        }
    }

    /// Rows of which hardly any has a value, such as references: only those with a value are looked at.
    fn sparse(
        &mut self,
        chunk: &KeyChunk,
        nulls: &NullBuffer,
        base: usize,
        part: Range<usize>,
        codes: &mut [u32],
    ) {
        codes.fill(NULL_CODE);
        for at in nulls.slice(part.start, part.len()).valid_indices() {
            let row = part.start + at;
            let mut key = [NULL_KEY];
            chunk.keys(row, &mut key);
            let code = self.code(key[0], (base + row) as u64, || chunk.bytes(row));
            codes.get_mut(at).into_iter().for_each(|slot| *slot = code);
        }
    }

    /// Whether a guess is the code of this very cell.
    #[inline]
    fn is_right<'a>(&self, guess: u32, key: u128, bytes: impl Fn() -> &'a [u8]) -> bool {
        guess != NO_GUESS && (!is_long(key) || self.long.get(guess as usize) == bytes())
    }

    /// Where most rows are new even after a million, the table is made large at once instead of doubled again and
    /// again. (Earlier they look new for any column of many items.)
    fn make_room(&mut self, seen: usize, rows: usize) {
        let Codes::Hashed(table) = &mut self.codes else {
            return;
        };
        if seen >= PIECE && table.len() / 3 > seen / 4 {
            table.reserve(rows);
        }
    }

    #[inline]
    fn code<'a>(&mut self, key: u128, row: u64, bytes: impl Fn() -> &'a [u8]) -> u32 {
        if key == NULL_KEY {
            return NULL_CODE;
        }
        let long = &self.long;
        match self.codes.code(key, |code| !is_long(key) || long.get(code as usize) == bytes()) {
            Entry::Found(code) => code,
            Entry::Inserted(code) => {
                self.first.push(row);
                if is_long(key) {
                    self.long.put(code as usize, bytes());
                }
                code
            }
        }
    }
}

/// Rows between two looks at how many of them are new.
const PIECE: usize = 1 << 20;

/// A value of a dictionary that no row had so far.
const UNSEEN: u32 = u32::MAX - 1;

impl Default for Codes {
    fn default() -> Self {
        Self::Hashed(KeyTable::with_capacity(512))
    }
}

impl Codes {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the span fits, and there are fewer than 2^32 codes")]
    fn code(&mut self, key: u128, same: impl Fn(u32) -> bool) -> Entry {
        match self {
            Self::Hashed(table) => table.code(key, same),
            Self::Dense { base, slots, keys } => {
                let slot = slots.get_mut(key.wrapping_sub(*base) as usize);
                if let Some(code) = slot.as_ref().and_then(|slot| slot.checked_sub(1)) {
                    return Entry::Found(code);
                }
                keys.push(key);
                let code = keys.len() as u32;
                slot.into_iter().for_each(|slot| *slot = code);
                Entry::Inserted(code - 1)
            }
        }
    }

    fn keys(&self) -> &[u128] {
        match self {
            Self::Hashed(table) => table.keys(),
            Self::Dense { keys, .. } => keys,
        }
    }
}

impl LongTexts {
    #[inline]
    fn get(&self, code: usize) -> &[u8] {
        let bounds = self.bounds.get(code).copied().unwrap_or_default();
        self.bytes.get(bounds.0..bounds.1).unwrap_or_default()
    }

    fn put(&mut self, code: usize, text: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.bounds.resize(code, (0, 0));
        self.bounds.push((start, self.bytes.len()));
    }
}
