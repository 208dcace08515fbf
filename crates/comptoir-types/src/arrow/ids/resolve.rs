//! References to ids.

use std::ops::{ControlFlow, Range};

use rayon::prelude::*;

use super::super::intern::{intern_ranges, split, to_usize};
use super::super::keys::{KeyColumn, NULL_KEY, is_long};
use super::super::table::{KeyTable, hash, seeds};
use super::{MISSING, NONE, equal};

/// The first row that has the id, for every reference. The distinct references form a small table, and one scan of
/// the ids asks it: the cost does not depend on how many ids there are to remember.
pub(super) fn resolve(ids: &KeyColumn, refs: &KeyColumn) -> Vec<u32> {
    if refs.is_all_null() {
        return vec![NONE; refs.rows()];
    }
    let threads = rayon::current_num_threads();
    let interned = intern_ranges(refs, &split(refs.rows(), threads));
    let wanted = Wanted::new(refs, interned.first);
    let ranges = split(ids.rows(), threads);
    let found = ranges.par_iter().map(|range| wanted.scan(ids, range.clone())).reduce(Vec::new, earliest);
    let mut rows = interned.codes;
    rows.par_iter_mut().for_each(|row| {
        // The code of null is the same number as `NONE`, and is in no table.
        if *row != NONE {
            *row = found.get(*row as usize).copied().unwrap_or(MISSING);
        }
    });
    rows
}

/// The distinct references.
struct Wanted<'a> {
    refs: &'a KeyColumn,
    /// The row of each reference's first occurrence.
    first: Vec<u64>,
    table: KeyTable,
    filter: Filter,
}

impl<'a> Wanted<'a> {
    fn new(refs: &'a KeyColumn, first: Vec<u64>) -> Self {
        let mut table = KeyTable::with_capacity(first.len());
        let mut filter = Filter::with_capacity(first.len());
        for row in &first {
            let key = refs.key(to_usize(*row));
            filter.add(key);
            // They are distinct, so that every one gets the next code.
            _ = table.code(key, |_| false);
        }
        Self { refs, first, table, filter }
    }

    /// The first row of `range` for every reference; [`MISSING`] where the range has none. Ends when all are found.
    fn scan(&self, ids: &KeyColumn, range: Range<usize>) -> Vec<u32> {
        let mut found = vec![MISSING; self.table.len()];
        let mut open = found.len();
        let outcome = ids.blocks(range, |row, keys| {
            let wanted = (row..).zip(keys).filter(|(_, key)| self.filter.may_have(**key));
            for (row, key) in wanted {
                let code = self.code(ids, *key, row);
                let code = code.and_then(|code| found.get_mut(code as usize));
                if let Some(slot) = code.filter(|slot| **slot == MISSING) {
                    *slot = u32::try_from(row).unwrap_or(MISSING);
                    open -= 1;
                }
            }
            if open == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        debug_assert!(outcome.is_continue() || open == 0);
        found
    }

    #[inline]
    fn code(&self, ids: &KeyColumn, key: u128, row: usize) -> Option<u32> {
        if key == NULL_KEY {
            return None;
        }
        self.table.find(key, |code| {
            !is_long(key) || {
                let other = self.first.get(code as usize).map_or(0, |row| to_usize(*row));
                equal((ids, key, row), (self.refs, key, other))
            }
        })
    }
}

/// One bit of the hash per reference, 16 bits of room for each: few ids that nobody refers to get past it, and it is
/// small enough for the cache where the table is not.
struct Filter {
    bits: Vec<u64>,
    seeds: [u64; 2],
}

impl Filter {
    fn with_capacity(keys: usize) -> Self {
        Self { bits: vec![0; (keys / 4 + 1).next_power_of_two()], seeds: seeds() }
    }

    fn add(&mut self, key: u128) {
        let (word, bit) = self.place(key);
        self.bits.get_mut(word).into_iter().for_each(|word| *word |= bit);
    }

    #[inline]
    fn may_have(&self, key: u128) -> bool {
        let (word, bit) = self.place(key);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    #[inline]
    fn place(&self, key: u128) -> (usize, u64) {
        let hash = hash(key, self.seeds);
        ((hash >> 6) as usize & (self.bits.len() - 1), 1 << (hash % 64))
    }
}

fn earliest(mut left: Vec<u32>, right: Vec<u32>) -> Vec<u32> {
    if left.is_empty() {
        return right;
    }
    left.iter_mut().zip(right).for_each(|(left, right)| *left = right.min(*left));
    left
}
