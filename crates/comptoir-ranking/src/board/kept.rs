//! The best of a group, in memory that does not grow with its rows.

use std::cmp::Ordering;
use std::collections::HashSet;

/// A row or an aggregated item with a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The score as an integer of the same order.
    pub key: i128,
    /// The tie keys as bytes of the same order.
    pub ties: Box<[u8]>,
    /// The item as bytes of the same order.
    pub item: Box<[u8]>,
    /// What else is kept of the row. Of rows that are alike in all else the one whose bytes come first counts.
    pub payload: Box<[u8]>,
}

impl Candidate {
    fn order(&self) -> (i128, &[u8], &[u8], &[u8]) {
        // The highest score first; no key is the smallest number, whose negative would not fit.
        (self.key.saturating_neg(), &self.ties, &self.item, &self.payload)
    }
}

impl Ord for Candidate {
    /// The better candidate is less: it comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best candidates of a group, each item once, with its best row.
///
/// Candidates are gathered and cut to the best from time to time; what is worse than the last of them is not taken at
/// all. So a group has room for twice what it keeps, and most rows of a large group cost one comparison.
#[derive(Debug, Default)]
pub struct Kept {
    entries: Vec<Candidate>,
    /// How many of `entries` are sorted and of different items, from the first on.
    sorted: usize,
    /// The key below which nothing is taken.
    floor: Option<i128>,
    /// Candidates that were offered.
    pub offered: u64,
}

/// Room beside what is kept, so that small boards are not cut at every row.
const ROOM: usize = 32;

impl Kept {
    /// Whether a candidate with this score may be among the best.
    pub fn is_open(&self, key: i128) -> bool {
        self.floor.is_none_or(|floor| key >= floor)
    }

    /// Adds a candidate for the best `keep`.
    pub fn offer(&mut self, candidate: Candidate, keep: usize) {
        self.entries.push(candidate);
        if self.entries.len() >= keep.saturating_mul(2).saturating_add(ROOM) {
            self.cut(keep);
        }
    }

    /// Adds the candidates of the same group of another collector.
    pub fn merge(&mut self, other: Self, keep: usize) {
        self.offered += other.offered;
        other.entries.into_iter().for_each(|candidate| self.offer(candidate, keep));
    }

    /// The best `keep`, sorted.
    pub fn best(&mut self, keep: usize) -> &[Candidate] {
        self.cut(keep);
        &self.entries
    }

    fn cut(&mut self, keep: usize) {
        if self.sorted == self.entries.len() && self.sorted <= keep {
            return;
        }
        // Stable sorting takes the sorted beginning as it is.
        self.entries.sort();
        let mut seen = HashSet::with_capacity(self.entries.len());
        let is_first: Vec<_> = self.entries.iter().map(|candidate| seen.insert(&*candidate.item)).collect();
        drop(seen);
        let mut is_first = is_first.into_iter();
        self.entries.retain(|_| is_first.next() == Some(true));
        self.entries.truncate(keep);
        self.sorted = self.entries.len();
        if self.sorted == keep {
            self.floor = self.entries.last().map(|last| last.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Candidate, Kept};

    proptest! {
        #[test]
        fn the_best_row_of_each_item_counts(
            rows in prop::collection::vec((0..12_i128, 0..3_u8, 0..60_u8), 0..300),
            keep in 1..8_usize,
            cut in 0..300_usize,
        ) {
            let candidate = |&(key, tie, item): &(i128, u8, u8)| Candidate { key, ties: [tie].into(), item: [item].into(), payload: [].into() };
            let gather = |rows: &[(i128, u8, u8)]| {
                let mut kept = Kept::default();
                for row in rows.iter().filter(|_| true) {
                    if kept.is_open(row.0) {
                        kept.offer(candidate(row), keep);
                    }
                }
                kept
            };
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let mut kept = gather(left);
            kept.merge(gather(right), keep);

            let mut best: BTreeMap<u8, Candidate> = BTreeMap::new();
            for row in &rows {
                let new = candidate(row);
                best.entry(row.2).and_modify(|known| *known = known.clone().min(new.clone())).or_insert(new);
            }
            let mut expected: Vec<_> = best.into_values().collect();
            expected.sort();
            expected.truncate(keep);
            prop_assert_eq!(kept.best(keep), expected);
        }
    }
}
