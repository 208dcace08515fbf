//! Rows dealt into buckets by item, and results brought back into row order.
//!
//! The queues of all items together are larger than the caches, so that in row order nearly every row would
//! wait for main memory and for a page table walk, several times. A bucket's queues fit the cache closest to
//! the core. Rows go out and come back in streams, one per bucket, and each bucket is valued from its first
//! row to its last before the next, so that no queue is ever fetched twice.
#![expect(clippy::indexing_slicing, reason = "positions come from counts of the same rows")]

use super::Movements;

/// Number of buckets, one stream each: the queues of a bucket should fit the second level cache.
pub(super) const BUCKETS: usize = BUCKETS_U32 as usize;
const BUCKETS_U32: u32 = 512;

/// A movement in its bucket: its quantity in the upper 48 bits and the item's place in its bucket in the lower
/// 16 of the first number, its amount in the second. Once valued: its value, and the balance after it.
///
/// An array, since fresh memory for arrays of numbers comes zeroed and needs no pass over it.
pub(super) type Row = [i64; 2];

/// Bits of a packed row that hold the item's place.
const PLACE_BITS: u32 = 16;

/// Bound on the magnitude of a quantity that fits a packed row.
const QTY_LIMIT: i64 = 1 << (63 - PLACE_BITS);

/// Number of items whose places fit a packed row.
pub(super) const ITEM_LIMIT: usize = BUCKETS << PLACE_BITS;

/// Quantity of a packed movement.
#[inline(always)]
pub(super) fn qty(row: Row) -> i64 {
    row[0] >> PLACE_BITS
}

/// The place of a packed movement's item in its bucket.
#[inline(always)]
pub(super) fn place(row: Row) -> usize {
    let [low, high, ..] = row[0].to_le_bytes();
    u16::from_le_bytes([low, high]).into()
}

/// The rows of a range of movements, bucket after bucket.
#[derive(Debug)]
pub(super) struct Dealt {
    rows: Vec<Row>,
    /// Where each bucket ends in `rows`.
    ends: Vec<usize>,
}

/// The bucket of an item.
#[inline(always)]
pub(super) fn bucket_of(item: u32) -> usize {
    item as usize % BUCKETS
}

/// Number of places that the buckets need for a number of items.
pub(super) fn places(items: usize) -> usize {
    items.div_ceil(BUCKETS)
}

/// Deals movements into buckets; within a bucket they keep their order. Returns `None` where an item code is
/// unknown or a quantity does not fit.
pub(super) fn deal(movements: Movements<'_>) -> Option<Dealt> {
    let Movements { item, qty, amount, items } = movements;
    let mut next = starts(item);
    let mut rows = vec![[0_i64; 2]; item.len()];
    let mut is_packable = true;
    for ((&item, &qty), &amount) in item.iter().zip(qty).zip(amount) {
        is_packable &= (item as usize) < items && (-QTY_LIMIT..QTY_LIMIT).contains(&qty);
        let next = &mut next[bucket_of(item)];
        rows[*next] = [(qty << PLACE_BITS) | i64::from(item / BUCKETS_U32), amount];
        *next += 1;
    }
    is_packable.then(|| Dealt { rows, ends: next.to_vec() })
}

/// Where each bucket starts if rows are laid out bucket after bucket.
fn starts(item: &[u32]) -> [usize; BUCKETS] {
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
        let (bucket, after) = std::mem::take(&mut rest).split_at_mut(end - start);
        (rest, start) = (after, end);
        bucket
    })
}

/// Writes the results of dealt rows in the order of the movements.
pub(super) fn collect(item: &[u32], dealt: &Dealt, value: &mut [i64], balance: &mut [i64]) {
    let mut next = starts_of(dealt);
    let rows = &dealt.rows[..];
    for ((&item, value), balance) in item.iter().zip(value).zip(balance) {
        let next = &mut next[bucket_of(item)];
        let row = &rows[*next];
        [*value, *balance] = *row;
        *next += 1;
    }
}

/// Where each bucket of dealt rows starts.
fn starts_of(dealt: &Dealt) -> [usize; BUCKETS] {
    let mut starts = [0; BUCKETS];
    starts[1..].copy_from_slice(&dealt.ends[..BUCKETS - 1]);
    starts
}
