//! The plan of a batch run: ranges of rows, buckets of items, and items that must be valued together.

use std::ops::Range;

use hashbrown::HashMap;

use super::columns::Columns;
use crate::posting::NONE;

/// Rows that one task reads and writes: a column of results fills one huge page. Fixed, so that the output's batches do not depend on
/// the number of threads.
pub(super) const RANGE_ROWS: usize = 1 << 17;

/// Movements that one bucket holds about: with their results they fit a core's second-level cache.
const BUCKET_ROWS: usize = 1 << 14;

/// More buckets would cost more in open write streams than smaller buckets save.
const MOST_BUCKETS: usize = 512;

/// How a history is cut for parallel work.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Consecutive rows, none across a chunk's border.
    pub ranges: Vec<(usize, Range<usize>)>,
    /// Number of buckets, a power of two.
    pub buckets: usize,
    /// Component of each item: the lowest code among the items that belong together. Empty when every item stands alone.
    component: Vec<u32>,
}

impl Plan {
    /// A plan in which every item stands alone.
    pub fn new(columns: &Columns) -> Self {
        let mut ranges = Vec::new();
        for (index, chunk) in columns.chunks.iter().enumerate() {
            for start in (0..chunk.kind.len()).step_by(RANGE_ROWS) {
                ranges.push((index, start..(start + RANGE_ROWS).min(chunk.kind.len())));
            }
        }
        let wanted = (columns.rows / BUCKET_ROWS).clamp(1, MOST_BUCKETS).next_power_of_two();
        let buckets = wanted.min(columns.items.next_power_of_two()).max(1);
        Self { ranges, buckets, component: Vec::new() }
    }

    /// The same plan with the items that groups link valued together.
    pub fn with_links(self, columns: &Columns) -> Self {
        Self { component: components(columns), ..self }
    }

    /// Whether items are linked.
    pub const fn is_linked(&self) -> bool {
        !self.component.is_empty()
    }

    /// The component of an item.
    #[inline]
    pub fn component(&self, item: u32) -> u32 {
        self.component.get(item as usize).copied().unwrap_or(item)
    }

    /// The bucket of a component.
    #[inline]
    pub const fn bucket(&self, component: u32) -> usize {
        component as usize & (self.buckets - 1)
    }

    /// The place of a component in its bucket.
    #[inline]
    pub const fn place(&self, component: u32) -> usize {
        component as usize >> self.buckets.trailing_zeros()
    }

    /// Number of places in a bucket.
    pub const fn places(&self, items: usize) -> usize {
        items / self.buckets + 1
    }
}

/// Whether a group has movements of several items.
pub(crate) fn groups_link_items(columns: &Columns) -> bool {
    let mut first: HashMap<u32, u32> = HashMap::new();
    columns
        .group
        .iter()
        .zip(&columns.item)
        .any(|(group, item)| *group != NONE && *first.entry(*group).or_insert(*item) != *item)
}

/// For each item the lowest code of those that groups link to it (union and find).
fn components(columns: &Columns) -> Vec<u32> {
    let mut parent: Vec<u32> = (0u32..).take(columns.items).collect();
    let mut first: HashMap<u32, u32> = HashMap::new();
    for (group, item) in columns.group.iter().zip(&columns.item).filter(|(group, _)| **group != NONE) {
        let other = *first.entry(*group).or_insert(*item);
        let (one, two) = (root(&mut parent, *item), root(&mut parent, other));
        if let Some(slot) = parent.get_mut(one.max(two) as usize) {
            *slot = one.min(two);
        }
    }
    for item in (0u32..).take(columns.items) {
        root(&mut parent, item);
    }
    parent
}

/// The lowest code of an item's component; shortens the way to it.
fn root(parent: &mut [u32], item: u32) -> u32 {
    let mut top = item;
    while let Some(next) = parent.get(top as usize).filter(|next| **next != top) {
        top = *next;
    }
    let mut place = item;
    while let Some(slot) = parent.get_mut(place as usize).filter(|slot| **slot != top) {
        place = std::mem::replace(slot, top);
    }
    top
}
