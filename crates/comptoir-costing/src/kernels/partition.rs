//! Rows dealt into buckets by item, and results brought back into row order.
//!
//! A bucket's items fit the cache closest to the core, where their queues are updated in any order without a
//! miss. Rows go out and come back in streams, one per bucket, which the memory system serves at full width.
#![expect(
    clippy::indexing_slicing,
    reason = "positions come from counts of the same rows"
)]

use std::hint::black_box;

use super::Movements;

/// Number of buckets, one stream each: the more there are, the more of a bucket's queues are in the nearest
/// cache.
pub(super) const BUCKETS: usize = BUCKETS_U32 as usize;
const BUCKETS_U32: u32 = 512;

/// A movement in its bucket and, once valued, its result.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    /// Quantity of the movement in the upper 48 bits and the item's place in its bucket in the lower 16; then
    /// its value.
    pub first: i64,
    /// Amount of the movement, then the balance after it.
    pub second: i64,
}

/// Bits of a packed row that hold the item's place.
/// Rows whose positions are found before the first of them is moved.
const BLOCK: usize = 128;

const PLACE_BITS: u32 = 16;

/// Bound on the magnitude of a quantity that fits a packed row.
pub(super) const QTY_LIMIT: i64 = 1 << (63 - PLACE_BITS);

/// Number of items whose places fit a packed row.
pub(super) const ITEM_LIMIT: usize = BUCKETS << PLACE_BITS;

impl Row {
    #[inline(always)]
    fn new(item: u32, qty: i64, amount: i64) -> Self {
        Self {
            first: (qty << PLACE_BITS) | i64::from(place_of(item)),
            second: amount,
        }
    }

    /// Quantity of the movement.
    #[inline(always)]
    pub(super) fn qty(&self) -> i64 {
        self.first >> PLACE_BITS
    }

    /// The item's place in its bucket.
    #[inline(always)]
    pub(super) fn place(&self) -> usize {
        let [low, high, ..] = self.first.to_le_bytes();
        u16::from_le_bytes([low, high]).into()
    }
}

/// The rows of a range of movements, bucket after bucket.
#[derive(Debug, Default)]
pub(super) struct Dealt {
    rows: Vec<Row>,
    /// Where each bucket ends in `rows`.
    ends: Vec<u32>,
}

/// The bucket of an item.
#[inline(always)]
pub(super) fn bucket_of(item: u32) -> usize {
    item as usize % BUCKETS
}

/// The place of an item in its bucket.
#[inline(always)]
pub(super) fn place_of(item: u32) -> u32 {
    item / BUCKETS_U32
}

/// Number of places that the buckets need for a number of items.
pub(super) fn places(items: usize) -> usize {
    items.div_ceil(BUCKETS)
}

/// Deals movements into buckets; within a bucket they keep their order.
pub(super) fn deal(movements: Movements<'_>, dealt: &mut Dealt) {
    let Movements {
        item, qty, amount, ..
    } = movements;
    let mut next = starts(item);
    dealt.rows.resize(item.len(), Row::default());
    let rows = &mut dealt.rows[..];
    let mut position = [0; BLOCK];
    let blocks = item.chunks(BLOCK).zip(qty.chunks(BLOCK)).zip(amount.chunks(BLOCK));
    for ((item, qty), amount) in blocks {
        let position = &mut position[..item.len()];
        take_positions(&mut next, item, position);
        touch(rows, position);
        for (((&item, &qty), &amount), &position) in item.iter().zip(qty).zip(amount).zip(&*position) {
            rows[position as usize] = Row::new(item, qty, amount);
        }
    }
    dealt.ends.clear();
    dealt.ends.extend_from_slice(&next);
}

/// Where each bucket starts if rows are laid out bucket after bucket.
fn starts(item: &[u32]) -> [u32; BUCKETS] {
    let mut counts = [0; BUCKETS];
    for &item in item {
        counts[bucket_of(item)] += 1;
    }
    let mut total = 0;
    counts.map(|count| {
        total += count;
        total - count
    })
}

/// Splits dealt rows into their buckets.
pub(super) fn buckets(dealt: &mut Dealt) -> impl Iterator<Item = &mut [Row]> {
    let mut rest = &mut dealt.rows[..];
    let mut start = 0;
    dealt.ends.iter().map(move |&end| {
        let (bucket, after) = std::mem::take(&mut rest).split_at_mut((end - start) as usize);
        (rest, start) = (after, end);
        bucket
    })
}

/// Writes the results of dealt rows in the order of the movements.
pub(super) fn collect(item: &[u32], dealt: &Dealt, value: &mut [i64], balance: &mut [i64]) {
    let mut next = starts_of(dealt);
    let rows = &dealt.rows[..];
    let mut position = [0; BLOCK];
    let blocks = item.chunks(BLOCK).zip(value.chunks_mut(BLOCK).zip(balance.chunks_mut(BLOCK)));
    for (item, (value, balance)) in blocks {
        let position = &mut position[..item.len()];
        take_positions(&mut next, item, position);
        touch(rows, position);
        for ((value, balance), &position) in value.iter_mut().zip(balance).zip(&*position) {
            let row = &rows[position as usize];
            (*value, *balance) = (row.first, row.second);
        }
    }
}

/// Takes the next position of each item's bucket.
#[inline(always)]
fn take_positions(next: &mut [u32; BUCKETS], item: &[u32], position: &mut [u32]) {
    for (&item, position) in item.iter().zip(position) {
        let next = &mut next[bucket_of(item)];
        *position = *next;
        *next = next.wrapping_add(1);
    }
}

/// Reads rows, so that the cache misses of a block overlap.
#[inline(always)]
fn touch(rows: &[Row], position: &[u32]) {
    black_box(position.iter().fold(0, |all, &position| all ^ rows[position as usize].second));
}

/// Where each bucket of dealt rows starts.
fn starts_of(dealt: &Dealt) -> [u32; BUCKETS] {
    let mut starts = [0; BUCKETS];
    starts[1..].copy_from_slice(&dealt.ends[..BUCKETS - 1]);
    starts
}
