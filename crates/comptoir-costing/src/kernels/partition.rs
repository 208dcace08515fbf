//! Rows dealt into buckets by item, and results brought back into row order.
//!
//! A bucket's items fit the cache closest to the core, where their queues are updated in any order without a
//! miss. Rows go out and come back in streams, one per bucket, which the memory system serves at full width.
#![expect(clippy::indexing_slicing, reason = "positions come from counts of the same rows")]

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
const PLACE_BITS: u32 = 16;

/// Bound on the magnitude of a quantity that fits a packed row.
pub(super) const QTY_LIMIT: i64 = 1 << (63 - PLACE_BITS);

/// Number of items whose places fit a packed row.
pub(super) const ITEM_LIMIT: usize = BUCKETS << PLACE_BITS;

impl Row {
    #[inline(always)]
    fn new(item: u32, qty: i64, amount: i64) -> Self {
        Self { first: (qty << PLACE_BITS) | i64::from(place_of(item)), second: amount }
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
    ends: Vec<usize>,
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
    let Movements { item, qty, amount, .. } = movements;
    let mut next = starts(item);
    dealt.rows.resize(item.len(), Row::default());
    let rows = &mut dealt.rows[..];
    for ((&item, &qty), &amount) in item.iter().zip(qty).zip(amount) {
        let next = &mut next[bucket_of(item)];
        rows[*next] = Row::new(item, qty, amount);
        *next += 1;
    }
    dealt.ends.clear();
    dealt.ends.extend_from_slice(&next);
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
        (*value, *balance) = (row.first, row.second);
        *next += 1;
    }
}

/// Where each bucket of dealt rows starts.
fn starts_of(dealt: &Dealt) -> [usize; BUCKETS] {
    let mut starts = [0; BUCKETS];
    starts[1..].copy_from_slice(&dealt.ends[..BUCKETS - 1]);
    starts
}
