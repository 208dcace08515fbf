//! Rows that are kept whatever their score.

use hashbrown::HashMap;

use super::kept::Candidate;

/// The best row of each wanted item, by group.
#[derive(Debug, Default)]
pub struct Wanted {
    groups: HashMap<u32, Vec<Candidate>>,
}

impl Wanted {
    /// Keeps a row if it is the best of its item in its group.
    pub fn add(&mut self, group: u32, candidate: Candidate) {
        // Few items of a group are pinned.
        let (known, is_word) = (self.groups.entry(group).or_default(), candidate.is_item_word());
        match known.iter_mut().find(|known| known.is_same_item(&candidate, is_word)) {
            Some(known) if candidate < *known => *known = candidate,
            Some(_) => {}
            None => known.push(candidate),
        }
    }

    /// Adds what another collector wants, whose groups have these codes here.
    pub fn merge(&mut self, other: Self, codes: &[u32]) {
        for (group, candidates) in other.groups {
            if let Some(group) = codes.get(group as usize) {
                candidates.into_iter().for_each(|candidate| self.add(*group, candidate));
            }
        }
    }

    /// The rows of a group, in their order, that are of none of the best.
    pub fn of(&mut self, group: u32, best: &[Candidate]) -> Vec<Candidate> {
        let mut wanted = self.groups.remove(&group).unwrap_or_default();
        wanted.retain(|candidate| {
            best.iter().all(|other| !other.is_same_item(candidate, candidate.is_item_word()))
        });
        wanted.sort_unstable();
        wanted
    }
}
