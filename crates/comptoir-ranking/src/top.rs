//! The best k of each group, from any number of candidates, in memory that grows with groups times k.
//!
//! [`TopK`] takes candidates one by one. `push`, `merge` and `finish` give the same entries for any order of candidates
//! and any way of sharing them out, because the order is total: score, then the tie keys, then the item. A board whose
//! cut falls between candidates of one score says so.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::hash::Hash;

use hashbrown::HashMap;

use crate::Score;

/// What is ranked.
///
/// Candidates are ordered by score, the highest first, then by the tie keys in their order, the smallest first, then by
/// item, the smallest first. A tie key that is to be descending is given in [`Reverse`](std::cmp::Reverse).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<T, I> {
    /// By what it is ranked.
    pub score: Score,
    /// What decides between equal scores.
    pub ties: T,
    /// What is ranked; decides when all else is equal.
    pub item: I,
}

impl<T: Ord, I: Ord> Ord for Candidate<T, I> {
    /// The better candidate is less: it comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.score.cmp(&self.score))
            .then_with(|| self.ties.cmp(&other.ties))
            .then_with(|| self.item.cmp(&other.item))
    }
}

impl<T: Ord, I: Ord> PartialOrd for Candidate<T, I> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Collects the best k candidates of each group.
#[derive(Debug, Clone)]
pub struct TopK<G, T, I> {
    k: usize,
    groups: HashMap<G, Group<T, I>>,
}

/// The best of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top<G, T, I> {
    /// The group.
    pub group: G,
    /// The best first.
    pub entries: Vec<Candidate<T, I>>,
    /// How many candidates there were.
    pub candidates: u64,
    /// Whether the best one that was left out has the score of the last entry: tie keys and items decided.
    pub is_cut_tied: bool,
}

#[derive(Debug, Clone)]
struct Group<T, I> {
    /// The worst of the best on top.
    best: BinaryHeap<Candidate<T, I>>,
    candidates: u64,
    /// The highest score that was left out.
    left_out: Option<Score>,
}

impl<T: Ord, I: Ord> Group<T, I> {
    fn of(k: usize) -> Self {
        // Small groups are common: room for all k entries is made when they come.
        Self { best: BinaryHeap::with_capacity(k.min(4)), candidates: 0, left_out: None }
    }

    fn offer(&mut self, candidate: Candidate<T, I>, k: usize) {
        if self.best.len() < k {
            self.best.push(candidate);
            return;
        }
        let left_out = match self.best.peek_mut() {
            Some(mut worst) if candidate < *worst => std::mem::replace(&mut *worst, candidate).score,
            _ => candidate.score,
        };
        self.left_out = self.left_out.max(Some(left_out));
    }
}

impl<G: Hash + Ord, T: Ord, I: Ord> TopK<G, T, I> {
    /// For the best `k` of each group.
    #[must_use]
    pub fn new(k: usize) -> Self {
        Self { k, groups: HashMap::new() }
    }

    /// Adds a candidate. An item that is pushed twice is two candidates.
    pub fn push(&mut self, group: G, candidate: Candidate<T, I>) {
        let k = self.k;
        let group = self.groups.entry(group).or_insert_with(|| Group::of(k));
        group.candidates += 1;
        group.offer(candidate, k);
    }

    /// Adds all candidates of another collector with the same k.
    pub fn merge(&mut self, other: Self) {
        let k = self.k;
        for (name, theirs) in other.groups {
            let group = self.groups.entry(name).or_insert_with(|| Group::of(k));
            group.candidates += theirs.candidates;
            group.left_out = group.left_out.max(theirs.left_out);
            theirs.best.into_iter().for_each(|candidate| group.offer(candidate, k));
        }
    }

    /// The best of each group, in the order of groups.
    #[must_use]
    pub fn finish(self) -> Vec<Top<G, T, I>> {
        let tops = self.groups.into_iter().map(|(name, group)| {
            let entries = group.best.into_sorted_vec();
            let last = entries.last().map(|entry| entry.score);
            let is_cut_tied = last.is_some() && last == group.left_out;
            Top { group: name, entries, candidates: group.candidates, is_cut_tied }
        });
        let mut tops: Vec<_> = tops.collect();
        tops.sort_unstable_by(|left, right| left.group.cmp(&right.group));
        tops
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::{Candidate, Top, TopK};
    use crate::Score;

    type Row = (u8, i8, u8, u16);

    fn push_all(top: &mut TopK<u8, Reverse<u8>, u16>, rows: &[Row]) {
        for &(group, score, tie, item) in rows {
            let score = Score::new(f64::from(score)).unwrap();
            top.push(group, Candidate { score, ties: Reverse(tie), item });
        }
    }

    /// Sorts everything and cuts.
    fn by_sorting(rows: &[Row], k: usize) -> Vec<Top<u8, Reverse<u8>, u16>> {
        let mut groups: Vec<u8> = rows.iter().map(|row| row.0).collect();
        groups.sort_unstable();
        groups.dedup();
        let of = |group: u8| {
            let mut own: Vec<_> = rows.iter().filter(|row| row.0 == group).collect();
            own.sort_by_key(|row| (Reverse(row.1), Reverse(row.2), row.3));
            let is_cut_tied = k > 0 && own.get(k).is_some_and(|next| next.1 == own[k - 1].1);
            let entry = |row: &&Row| Candidate {
                score: Score::new(f64::from(row.1)).unwrap(),
                ties: Reverse(row.2),
                item: row.3,
            };
            let entries = own.iter().take(k).map(entry).collect();
            Top { group, entries, candidates: own.len() as u64, is_cut_tied }
        };
        groups.into_iter().map(of).collect()
    }

    proptest! {
        #[test]
        fn any_sharding_gives_what_sorting_gives(
            rows in prop::collection::vec((0..3_u8, -3..3_i8, 0..3_u8, 0..200_u16), 0..60),
            cut in 0..60_usize,
            k in 0..6_usize,
        ) {
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let (mut first, mut second) = (TopK::new(k), TopK::new(k));
            push_all(&mut first, left);
            push_all(&mut second, right);
            second.merge(first);
            prop_assert_eq!(second.finish(), by_sorting(&rows, k));
        }
    }
}
