//! Ids that occur more than once.

use std::cmp::Ordering;
use std::ops::{ControlFlow, Range};

use arrow_array::{Array, downcast_integer_array};
use rayon::prelude::*;

use super::super::intern::{integer_bounds, split};
use super::super::keys::{Form, KeyChunk, KeyColumn, NULL_KEY, shifted};
use super::super::table::{hash, seeds};
use super::{compare, equal};

/// Rows whose id occurred before, with the row of its first occurrence. Most columns have none, and the cheap proofs
/// come first: ids that only rise, and small integers, each of which sets its own bit.
pub(super) fn duplicates(column: &KeyColumn, rises: bool) -> Vec<(u64, u64)> {
    let ranges = split(column.rows(), rayon::current_num_threads());
    if rises || distinct_by_bits(column, &ranges) {
        return Vec::new();
    }
    by_partitions(column, &ranges)
}

/// Whether every row has an id, each greater than the one before it.
pub(super) fn rises(column: &KeyColumn, ranges: &[Range<usize>]) -> bool {
    let borders = ranges.iter().skip(1).all(|range| {
        let (before, row) = (range.start - 1, range.start);
        compare(column, column.key(before), before, column.key(row), row) == Ordering::Less
    });
    borders && ranges.par_iter().all(|range| range_rises(column, range.clone()))
}

fn range_rises(column: &KeyColumn, range: Range<usize>) -> bool {
    let plain = column.form == Form::Integer && !column.has_nulls() && !column.has_dictionary();
    if plain {
        let mut last: Option<u128> = None;
        return column.parts(range).all(|(chunk, _, part)| {
            let (first, end) = (chunk.key(part.start), chunk.key(part.end - 1));
            last.replace(end).is_none_or(|last| last < first) && integers_rise(chunk.array(), part)
        });
    }
    let mut before: Option<(u128, usize)> = None;
    let outcome = column.blocks(range, |row, keys| {
        for (row, key) in (row..).zip(keys) {
            if *key == NULL_KEY {
                return ControlFlow::Break(());
            }
            if before.is_some_and(|(other, at)| compare(column, other, at, *key, row) != Ordering::Less) {
                return ControlFlow::Break(());
            }
            before = Some((*key, row));
        }
        ControlFlow::Continue(())
    });
    outcome.is_continue()
}

/// Whether integers without nulls rise: compared as they lie, without a key for each.
fn integers_rise(array: &dyn Array, rows: Range<usize>) -> bool {
    downcast_integer_array!(
        array => array.values().get(rows).unwrap_or_default().windows(2).all(|pair| matches!(pair, [one, other] if one < other)),
        _ => false
    )
}

/// Whether integers are all distinct, if their span is small. Every range sets bits of its own, since threads that share
/// them would pay for each bit what several rows take otherwise; all bits together are at most 64 per row.
fn distinct_by_bits(column: &KeyColumn, ranges: &[Range<usize>]) -> bool {
    if column.form != Form::Integer || column.has_dictionary() {
        return false;
    }
    let Some((low, high)) = integer_bounds(column, ranges) else { return false };
    let words = usize::try_from((high - low) / 64).unwrap_or(usize::MAX).saturating_add(1);
    if words.saturating_mul(ranges.len()) > column.rows().saturating_add(ranges.len()) {
        return false;
    }
    let bits = |range: &Range<usize>| {
        let mut bits = vec![0; words];
        let is_distinct =
            column.parts(range.clone()).all(|(chunk, _, part)| part_is_distinct(chunk, part, &mut bits, low));
        is_distinct.then_some(bits)
    };
    let all: Option<Vec<Vec<u64>>> = ranges.par_iter().map(bits).collect();
    all.is_some_and(|all| are_disjoint(&all))
}

fn part_is_distinct(chunk: &KeyChunk, part: Range<usize>, bits: &mut [u64], low: u128) -> bool {
    if chunk.nulls().is_none() {
        return integers_distinct(chunk.array(), part, bits, low);
    }
    let keys = |row: usize| chunk.key(row);
    part.into_iter().map(keys).all(|key| key == NULL_KEY || set_bit(bits, distance(key, low)))
}

/// Whether no bit is set in two of the sets, which are of one length.
fn are_disjoint(sets: &[Vec<u64>]) -> bool {
    let Some((first, others)) = sets.split_first() else { return true };
    let mut seen = first.clone();
    others.iter().all(|others| {
        let both = seen.iter_mut().zip(others).fold(0, |both, (seen, other)| {
            let both = both | (*seen & other);
            *seen |= other;
            both
        });
        both == 0
    })
}

#[expect(clippy::cast_possible_truncation, reason = "the distance is below the span, which fits")]
const fn distance(key: u128, low: u128) -> u64 {
    key.wrapping_sub(low) as u64
}

/// Sets the bits of integers without nulls, as they lie; whether all were clear.
fn integers_distinct(array: &dyn Array, rows: Range<usize>, bits: &mut [u64], low: u128) -> bool {
    downcast_integer_array!(
        array => {
            let values = array.values().get(rows).unwrap_or_default();
            values.iter().all(|value| set_bit(bits, distance(shifted(i128::from(*value)), low)))
        },
        _ => false
    )
}

/// Sets a bit, and says whether it was clear.
#[inline]
fn set_bit(bits: &mut [u64], distance: u64) -> bool {
    let Some(word) = usize::try_from(distance / 64).ok().and_then(|place| bits.get_mut(place)) else {
        return false;
    };
    let bit = 1 << (distance % 64);
    let was_clear = *word & bit == 0;
    *word |= bit;
    was_clear
}

/// Any ids: rows are dealt out by their hash into partitions that fit the cache, in row order; every partition is
/// looked through by itself.
fn by_partitions(column: &KeyColumn, ranges: &[Range<usize>]) -> Vec<(u64, u64)> {
    let bits = (column.rows() / ROWS_PER_PARTITION).next_power_of_two().trailing_zeros().min(10);
    let dealt: Vec<Dealt> = ranges.par_iter().map(|range| Dealt::new(column, range.clone(), bits)).collect();
    let partitions = 0..1_usize << bits;
    let found = partitions
        .into_par_iter()
        .map_init(Vec::new, |slots, partition| look_through(column, &dealt, partition, slots));
    let mut found: Vec<(u64, u64)> = found.flatten_iter().collect();
    found.par_sort_unstable();
    found
}

const ROWS_PER_PARTITION: usize = 1 << 14;

/// The rows of one range by partition: 32 bits of the hash and the row + 1 in one word.
struct Dealt {
    entries: Vec<u64>,
    /// Where every partition starts, and the number of entries.
    starts: Vec<usize>,
}

impl Dealt {
    #[expect(
        clippy::indexing_slicing,
        reason = "partitions are below their number, entries are counted beforehand"
    )]
    fn new(column: &KeyColumn, range: Range<usize>, bits: u32) -> Self {
        let seeds = seeds();
        let mut hashes = Vec::with_capacity(range.len());
        let mut starts = vec![0; (1 << bits) + 1];
        let first = range.start as u64;
        column.for_each(range, |_, key| {
            let hash = if key == NULL_KEY { NO_HASH } else { hash(key, seeds) & !NO_HASH };
            hashes.push(hash);
            starts[partition(hash, bits) + 1] += usize::from(hash != NO_HASH);
        });
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut entries = vec![0; starts[1 << bits]];
        for (row, hash) in (first + 1..).zip(hashes).filter(|(_, hash)| *hash != NO_HASH) {
            let at = &mut next[partition(hash, bits)];
            entries[*at] = (hash << 32) | row;
            *at += 1;
        }
        Self { entries, starts }
    }

    fn partition(&self, partition: usize) -> &[u64] {
        let bounds = self.starts.get(partition).zip(self.starts.get(partition + 1));
        bounds.and_then(|(start, end)| self.entries.get(*start..*end)).unwrap_or_default()
    }
}

/// The highest bit marks rows without an id; the low 32 go into the entry, those above choose the partition.
const NO_HASH: u64 = 1 << 63;

const fn partition(hash: u64, bits: u32) -> usize {
    (hash >> 32) as usize & ((1 << bits) - 1)
}

#[expect(clippy::indexing_slicing, reason = "slots are masked by their number")]
#[expect(clippy::cast_possible_truncation, reason = "a row has 32 bits")]
fn look_through(
    column: &KeyColumn,
    dealt: &[Dealt],
    partition: usize,
    slots: &mut Vec<u64>,
) -> Vec<(u64, u64)> {
    let rows: usize = dealt.iter().map(|dealt| dealt.partition(partition).len()).sum();
    let mask = (rows * 2).next_power_of_two() - 1;
    slots.clear();
    slots.resize(mask + 1, 0);
    let mut found = Vec::new();
    for entry in dealt.iter().flat_map(|dealt| dealt.partition(partition)) {
        let mut at = (entry >> 32) as usize & mask;
        loop {
            let slot = slots[at];
            if slot == 0 {
                slots[at] = *entry;
                break;
            }
            if slot >> 32 == entry >> 32 {
                let (row, other) = ((*entry as u32 - 1) as usize, (slot as u32 - 1) as usize);
                if equal((column, column.key(row), row), (column, column.key(other), other)) {
                    found.push((row as u64, other as u64));
                    break;
                }
            }
            at = (at + 1) & mask;
        }
    }
    found
}
