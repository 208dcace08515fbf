//! Book order of the plain movements of a bucket.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::deal::{Slot, item_of, row_of};
use super::items::{BLOCK, Items};
use crate::policy::Ties;
use crate::valuation::bucket::Job;
use crate::valuation::order::tie_of_rows;
use crate::valuation::plan::RANGE_ROWS;

/// Whether the rows of the whole history stand in book order.
pub(super) fn is_book_order(job: &Job<'_>) -> bool {
    let ties_by_row = match job.policy.ties {
        Ties::Row => true,
        Ties::Id => job.columns.ids.ascending(),
        Ties::ReceiptsFirst => false,
    };
    let later = i64::from(!ties_by_row);
    let chunks = &job.columns.chunks;
    let ascends = |part: &[i64]| {
        part.windows(2).all(|pair| matches!(pair, [one, other] if *other >= one.saturating_add(later)))
    };
    let borders = chunks.windows(2).all(|pair| match pair {
        [one, other] => match (one.at.last(), other.at.first()) {
            (Some(one), Some(other)) => *other >= one.saturating_add(later),
            _ => true,
        },
        _ => true,
    });
    // Windows that overlap by one row leave no pair out.
    let starts = |rows: usize| (0..rows).into_par_iter().step_by(CHECK_ROWS);
    borders
        && chunks.iter().all(|chunk| {
            let at: &[i64] = &chunk.at;
            starts(at.len()).all(|start| {
                ascends(at.get(start..(start + CHECK_ROWS + 1).min(at.len())).unwrap_or_default())
            })
        })
}

/// Rows whose order one task checks.
const CHECK_ROWS: usize = 1 << 16;

/// Memory that the buckets of a thread use one after another.
#[derive(Default)]
pub(super) struct Scratch {
    keys: Vec<Key>,
    spare: Vec<Key>,
}

/// A movement by its time, as far as that fits 32 bits, and its place.
type Key = (u32, Place);

/// Part and slot of a movement: a part has at most [`RANGE_ROWS`] rows.
type Place = u32;

/// Parts that a place can number.
pub(super) const MOST_PARTS: usize = 1 << (u32::BITS - SLOT_BITS);

const SLOT_BITS: u32 = RANGE_ROWS.trailing_zeros();

/// The movements of a bucket in book order.
pub(super) struct Sorted<'a>(&'a [Key]);

impl Sorted<'_> {
    /// Values the movements in book order.
    pub fn value(&self, parts: &mut [&mut [Slot]], items: &mut Items) {
        for block in self.0.chunks(BLOCK) {
            // Slots and items are read beforehand, so that cache misses overlap.
            let slots = block.iter().filter_map(|(_, place)| parts.get(part(*place))?.get(slot(*place)));
            items.read_ahead(slots.map(item_of));
            for (_, place) in block {
                if let Some(slot) = parts.get_mut(part(*place)).and_then(|part| part.get_mut(slot(*place))) {
                    items.step(slot);
                }
            }
        }
    }
}

const fn part(place: Place) -> usize {
    place as usize >> SLOT_BITS
}

const fn slot(place: Place) -> usize {
    place as usize & ((1 << SLOT_BITS) - 1)
}

/// The book order of a bucket; `None` where its movements stand in it.
///
/// Times are sorted by their 22 highest bits that differ, in two passes over 11 bits each, which keep the order of rows; what these
/// bits do not tell apart is compared.
pub(super) fn book_order<'a>(
    job: &Job<'_>,
    parts: &[&mut [Slot]],
    scratch: &'a mut Scratch,
) -> Option<Sorted<'a>> {
    let times = || parts.iter().flat_map(|part| part.iter().map(|[at, ..]| *at));
    if times().is_sorted_by(|one, other| one < other) {
        return None;
    }
    let (low, high) = times().fold((i64::MAX, i64::MIN), |(low, high), at| (low.min(at), high.max(at)));
    let span = high.wrapping_sub(low).cast_unsigned();
    let shift = (u64::BITS - span.leading_zeros()).saturating_sub(2 * DIGIT_BITS);
    let Scratch { keys, spare } = scratch;
    keys.clear();
    let mut counts = [[0_u32; DIGITS]; 2];
    for (number, part) in (0u32..).zip(parts) {
        let places = number << SLOT_BITS..;
        #[expect(clippy::cast_possible_truncation, reason = "the shift leaves 22 bits")]
        let key = |at: i64| (at.wrapping_sub(low).cast_unsigned() >> shift) as u32;
        keys.extend(part.iter().zip(places).map(|([at, ..], place)| (key(*at), place)));
    }
    for (key, _) in keys.iter() {
        for (counts, shift) in counts.iter_mut().zip([0, DIGIT_BITS]) {
            counts.get_mut(digit(*key, shift)).into_iter().for_each(|count| *count += 1);
        }
    }
    spare.clear();
    spare.resize(keys.len(), (0, 0));
    let [low_digits, high_digits] = counts;
    by_digit(keys, spare, 0, low_digits);
    by_digit(spare, keys, DIGIT_BITS, high_digits);
    sort_equal(job, parts, keys);
    Some(Sorted(keys))
}

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

#[inline(always)]
const fn digit(key: u32, shift: u32) -> usize {
    (key >> shift) as usize & (DIGITS - 1)
}

/// Sorts by one digit, keeping the order of equal ones.
#[expect(
    clippy::indexing_slicing,
    reason = "digits are below the number of counts, places come from counts of the same keys"
)]
fn by_digit(from: &[Key], to: &mut [Key], shift: u32, counts: [u32; DIGITS]) {
    let mut next = counts;
    let mut sum = 0;
    for next in &mut next {
        sum += std::mem::replace(next, sum);
    }
    for key in from {
        let next = &mut next[digit(key.0, shift)];
        to[*next as usize] = *key;
        *next += 1;
    }
}

/// Sorts movements whose keys are equal: by time, then by item, and among those of one item by the policy's tie rule.
fn sort_equal(job: &Job<'_>, parts: &[&mut [Slot]], keys: &mut [Key]) {
    let slot = |place: Place| parts.get(part(place)).and_then(|part| part.get(slot(place)));
    let compare = |one: &Key, other: &Key| {
        let (Some(one), Some(other)) = (slot(one.1), slot(other.1)) else {
            return Ordering::Equal;
        };
        let ([one_at, ..], [other_at, ..]) = (one, other);
        one_at
            .cmp(other_at)
            .then_with(|| item_of(one).cmp(&item_of(other)))
            .then_with(|| tie_of_rows(job, row_of(one), row_of(other)))
    };
    for equal in keys.chunk_by_mut(|one, other| one.0 == other.0).filter(|equal| equal.len() > 1) {
        equal.sort_unstable_by(compare);
    }
}
