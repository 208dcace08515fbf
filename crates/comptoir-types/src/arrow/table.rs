//! A table from 128-bit keys to codes in order of first insertion.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// Open addressing with linear probing. A slot holds 32 bits of the hash and the code + 1; keys lie densely by code.
#[derive(Debug, Clone)]
pub(crate) struct KeyTable {
    slots: Vec<u64>,
    keys: Vec<u128>,
    seeds: [u64; 2],
}

/// The result of asking for the code of a key.
pub(crate) enum Entry {
    Found(u32),
    Inserted(u32),
}

impl KeyTable {
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let slots = (keys.saturating_mul(2)).next_power_of_two().max(64);
        Self {
            slots: vec![0; slots],
            keys: Vec::with_capacity(keys),
            seeds: seeds(),
        }
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
    #[expect(
        clippy::indexing_slicing,
        reason = "slots are masked by their number, and codes are below the keys'"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 codes")]
    pub(crate) fn code(&mut self, key: u128, same: impl Fn(u32) -> bool) -> Entry {
        let hash = hash(key, self.seeds);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Entry::Inserted(self.insert(at, hash, key));
            }
            if slot >> 32 == hash >> 32 {
                let code = slot as u32 - 1;
                if self.keys[code as usize] == key && same(code) {
                    return Entry::Found(code);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// The code of `key`, if it has one.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "slots are masked by their number, and codes are below the keys'"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 codes")]
    pub(crate) fn find(&self, key: u128, same: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = hash(key, self.seeds);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if slot >> 32 == hash >> 32 {
                let code = slot as u32 - 1;
                if self.keys[code as usize] == key && same(code) {
                    return Some(code);
                }
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(never)]
    #[expect(clippy::indexing_slicing, reason = "the caller found the slot")]
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 codes")]
    fn insert(&mut self, at: usize, hash: u64, key: u128) -> u32 {
        let code = self.keys.len() as u32;
        self.keys.push(key);
        self.slots[at] = slot(hash, code);
        // At most five eighths full: probes stay short.
        if self.keys.len() * 8 > self.slots.len() * 5 {
            self.grow();
        }
        code
    }

    #[expect(clippy::indexing_slicing, reason = "slots are masked by their number")]
    #[expect(clippy::cast_possible_truncation, reason = "a hash keeps the low bits")]
    fn grow(&mut self) {
        let factor = if self.slots.len() < 1 << 20 { 4 } else { 2 };
        let mask = self.slots.len() * factor - 1;
        let mut slots = vec![0; mask + 1];
        for (code, key) in (0..).zip(&self.keys) {
            let hash = hash(*key, self.seeds);
            let mut at = hash as usize & mask;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = slot(hash, code);
        }
        self.slots = slots;
    }
}

const fn slot(hash: u64, code: u32) -> u64 {
    (hash >> 32 << 32) | (code as u64 + 1)
}

/// A folded multiplication of the two halves: every bit of the key reaches every bit of the hash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
pub(crate) const fn hash(key: u128, seeds: [u64; 2]) -> u64 {
    let low = key as u64 ^ seeds[0];
    let high = (key >> 64) as u64 ^ seeds[1];
    let product = low as u128 * high as u128;
    (product as u64 ^ (product >> 64) as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(29)
}

/// Seeds drawn once per process: nobody can prepare item codes that collide. Results never depend on them.
pub(crate) fn seeds() -> [u64; 2] {
    static SEEDS: OnceLock<[u64; 2]> = OnceLock::new();
    *SEEDS.get_or_init(|| [RandomState::new().hash_one(1), RandomState::new().hash_one(2)])
}
