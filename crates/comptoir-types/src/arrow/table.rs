//! A table from 128-bit keys to codes in order of first insertion.

use std::hash::{BuildHasher, RandomState};
use std::hint::select_unpredictable;
use std::sync::OnceLock;

use super::keys::is_long;

/// Open addressing with linear probing. A slot is 0, or holds the code + 1 in as many low bits as the number of slots
/// needs and bits of the hash in those above; keys lie densely by code. So small a slot keeps the table of 100,000
/// keys near the processor.
#[derive(Debug, Clone)]
pub(crate) struct KeyTable {
    slots: Vec<u32>,
    keys: Vec<u128>,
    seeds: [u64; 2],
}

/// What [`KeyTable::guess`] gives where it does not know.
pub(crate) const NO_GUESS: u32 = u32::MAX;

/// The result of asking for the code of a key.
pub(crate) enum Entry {
    Found(u32),
    Inserted(u32),
}

impl KeyTable {
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let slots = (keys.saturating_mul(2)).next_power_of_two().max(64);
        Self { slots: vec![0; slots], keys: Vec::with_capacity(keys), seeds: seeds() }
    }

    /// The keys by code.
    pub(crate) fn keys(&self) -> &[u128] {
        &self.keys
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The code of `key`, which gets the next code if it is new. `same` confirms that a code with an equal key stands
    /// for the same cell.
    #[inline]
    pub(crate) fn code(&mut self, key: u128, same: impl Fn(u32) -> bool) -> Entry {
        let hash = hash(key, self.seeds);
        match self.search(key, hash, same) {
            Ok(code) => Entry::Found(code),
            Err(at) => Entry::Inserted(self.insert(at, hash, key)),
        }
    }

    /// The code of `key`, if it has one.
    #[inline]
    pub(crate) fn find(&self, key: u128, same: impl Fn(u32) -> bool) -> Option<u32> {
        self.search(key, hash(key, self.seeds), same).ok()
    }

    /// The code of `key`, or the slot where it belongs.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "slots are masked by their number, codes are below the keys'"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "a hash keeps the low bits")]
    fn search(&self, key: u128, hash: u64, same: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let (mask, tag_mask) = self.masks();
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            if (slot ^ hash as u32) & tag_mask == 0 {
                let code = (slot & !tag_mask) - 1;
                if self.keys[code as usize] == key && same(code) {
                    return Ok(code);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Guesses the codes of a block of keys: a guess is the code of an equal key, or [`NO_GUESS`], which says nothing.
    ///
    /// There is no branch on what memory holds, so that the loads of many keys are under way at the same time. A
    /// search key by key waits for each: its branches are decided by the very loads that miss the cache.
    ///
    /// Returns whether every guess is the code of the very cell: none is unknown, and no key only represents its text.
    #[expect(
        clippy::indexing_slicing,
        reason = "slots are masked by their number, codes are held below the keys'"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "a hash keeps the low bits")]
    #[inline(never)]
    pub(crate) fn guess(&self, keys: &[u128], guesses: &mut [u32]) -> bool {
        let Some(last) = self.keys.len().checked_sub(1) else {
            guesses.fill(NO_GUESS);
            return false;
        };
        let (mask, tag_mask) = self.masks();
        for (key, guess) in keys.iter().zip(guesses.iter_mut()) {
            let hash = hash(*key, self.seeds);
            let at = hash as usize & mask;
            let (slot, next) = (self.slots[at], self.slots[at.wrapping_add(1) & mask]);
            let matches = (slot ^ hash as u32) & tag_mask == 0;
            let slot = select_unpredictable(matches, slot, next);
            *guess = (slot & !tag_mask).wrapping_sub(1);
        }
        let mut all_found = true;
        for (key, guess) in keys.iter().zip(guesses) {
            let found = self.keys[(*guess as usize).min(last)] == *key;
            *guess = select_unpredictable(found, *guess, NO_GUESS);
            all_found &= found & !is_long(*key);
        }
        all_found
    }

    /// Masks for the place of a slot and for the bits of the hash inside it.
    #[inline]
    fn masks(&self) -> (usize, u32) {
        let mask = self.slots.len() - 1;
        (mask, u32::try_from(mask).map_or(0, |mask| !mask))
    }

    /// Makes room for `keys` keys in all.
    pub(crate) fn reserve(&mut self, keys: usize) {
        let slots = (keys.saturating_mul(8) / 5 + 1).next_power_of_two();
        if slots > self.slots.len() {
            self.keys.reserve(keys.saturating_sub(self.keys.len()));
            self.resize(slots);
        }
    }

    #[inline(never)]
    #[expect(clippy::indexing_slicing, reason = "the caller found the slot")]
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 codes")]
    fn insert(&mut self, at: usize, hash: u64, key: u128) -> u32 {
        self.keys.push(key);
        let number = self.keys.len() as u32;
        self.slots[at] = number | (hash as u32 & self.masks().1);
        // At most five eighths full: probes stay short, and a code + 1 has no more bits than the slots' number.
        if self.keys.len() * 8 > self.slots.len() * 5 {
            self.resize(self.slots.len() * if self.slots.len() < 1 << 20 { 4 } else { 2 });
        }
        number - 1
    }

    #[expect(clippy::indexing_slicing, reason = "slots are masked by their number")]
    #[expect(clippy::cast_possible_truncation, reason = "a hash keeps the low bits")]
    fn resize(&mut self, length: usize) {
        self.slots = vec![0; length];
        let (mask, tag_mask) = self.masks();
        for (number, key) in (1..).zip(&self.keys) {
            let hash = hash(*key, self.seeds);
            let mut at = hash as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = number | (hash as u32 & tag_mask);
        }
    }
}

/// A folded multiplication of the two halves: every bit of the key reaches every bit of the hash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
pub(crate) const fn hash(key: u128, seeds: [u64; 2]) -> u64 {
    let low = key as u64 ^ seeds[0];
    let high = (key >> 64) as u64 ^ seeds[1];
    let product = low as u128 * high as u128;
    (product as u64 ^ (product >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

/// Seeds drawn once per process: nobody can prepare item codes that collide. Results never depend on them.
pub(crate) fn seeds() -> [u64; 2] {
    static SEEDS: OnceLock<[u64; 2]> = OnceLock::new();
    *SEEDS.get_or_init(|| [RandomState::new().hash_one(1), RandomState::new().hash_one(2)])
}
