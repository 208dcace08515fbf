//! The best of a group, in memory that does not grow with its rows.

use super::candidate::Candidate;
use super::list::{List, Listed, Spare, Word};

/// The best candidates of a group, each item once, with its best row.
///
/// Candidates are gathered and cut to the best from time to time; what is worse than the last of them is not taken at
/// all. So a group has room for half more than it keeps, and most rows of a large group cost one comparison.
#[derive(Debug, Default)]
pub struct Kept {
    entries: Entries,
    /// Score and word of the last that is kept, once there are enough.
    floor: Option<(i64, u64)>,
}

/// Half the memory where candidates are no more than two words, and quicker for it.
#[derive(Debug)]
enum Entries {
    Words(List<Word>),
    Listed(List<Listed>),
}

impl Default for Entries {
    fn default() -> Self {
        Self::Words(List::default())
    }
}

/// Does the same with either list.
macro_rules! each {
    ($entries:expr, $list:ident => $body:expr) => {
        match $entries {
            Entries::Words($list) => $body,
            Entries::Listed($list) => $body,
        }
    };
}

/// What no key is below.
pub const OPEN: i64 = i64::MIN;

impl Entries {
    /// Makes it a list that can hold this candidate. All candidates of a board are alike, so that this happens once.
    #[inline]
    fn hold(&mut self, candidate: &Candidate<'_>) {
        if let Self::Words(words) = self
            && !candidate.is_two_words()
        {
            let mut list = List::default();
            words.iter().for_each(|word| list.add(&word));
            *self = Self::Listed(list);
        }
    }
}

impl Kept {
    /// The key below which nothing is taken.
    #[inline]
    pub fn floor(&self) -> i64 {
        self.floor.map_or(OPEN, |floor| floor.0)
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        each!(&self.entries, list => list.len())
    }

    /// The candidates as they stand.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Candidate<'_>> {
        let (words, listed) = match &self.entries {
            Entries::Words(words) => (Some(words), None),
            Entries::Listed(listed) => (None, Some(listed)),
        };
        words.into_iter().flat_map(List::iter).chain(listed.into_iter().flat_map(List::iter))
    }

    /// Adds a candidate for the best `keep`.
    #[inline]
    pub fn offer(&mut self, candidate: Candidate<'_>, keep: usize, spare: &mut Spare) {
        if let Some((key, word)) = self.floor
            && (candidate.key < key || (candidate.key == key && candidate.word > word))
        {
            return;
        }
        self.entries.hold(&candidate);
        let floor = each!(&mut self.entries, list => list.offer(&candidate, keep, spare));
        self.floor = floor.or(self.floor);
    }

    /// Adds a candidate whatever its score, unless a better one of its item is there; a worse one goes.
    pub fn want(&mut self, candidate: Candidate<'_>) {
        let known = self.iter().enumerate().find(|(_, known)| known.is_same_item(&candidate));
        let known = known.map(|(place, known)| (place, candidate < known));
        if let Some((place, true)) = known {
            each!(&mut self.entries, list => list.remove(place));
        }
        if known.is_none_or(|(_, is_worse)| is_worse) {
            self.add(&candidate);
        }
    }

    fn add(&mut self, candidate: &Candidate<'_>) {
        self.entries.hold(candidate);
        each!(&mut self.entries, list => list.add(candidate));
    }

    /// Adds the candidates of the same group of another collector.
    pub fn merge(&mut self, other: &Self, keep: usize, spare: &mut Spare) {
        self.floor = self.floor.max(other.floor);
        other.iter().for_each(|candidate| self.add(&candidate));
        let floor = each!(&mut self.entries, list => list.cut_if_full(keep, spare));
        self.floor = floor.or(self.floor);
    }

    /// Leaves the best `keep`, sorted.
    pub fn finish(&mut self, keep: usize, spare: &mut Spare) {
        each!(&mut self.entries, list => {
            self.floor = list.cut(keep, spare).or(self.floor);
            list.sort();
        });
    }

    /// Adds those that are of no item that is here, in their order.
    pub fn follow(&mut self, mut others: Self) {
        each!(&mut others.entries, list => list.sort());
        let best = self.len();
        for candidate in others.iter() {
            if self.iter().take(best).all(|known| !known.is_same_item(&candidate)) {
                self.add(&candidate);
            }
        }
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
