//! Rows that are kept whatever their score.

use hashbrown::HashMap;

use super::candidate::Candidate;
use super::kept::Kept;

/// The best row of each wanted item, by group. Few items of a group are pinned.
#[derive(Debug, Default)]
pub struct Wanted {
    groups: HashMap<u32, Kept>,
}

impl Wanted {
    /// Keeps a row if it is the best of its item in its group.
    pub fn add(&mut self, group: u32, candidate: Candidate<'_>) {
        self.groups.entry(group).or_default().want(candidate);
    }

    /// Adds what another collector wants, whose groups have these codes here.
    pub fn merge(&mut self, other: &Self, codes: &[u32]) {
        for (group, candidates) in &other.groups {
            if let Some(group) = codes.get(*group as usize) {
                candidates.iter().for_each(|candidate| self.add(*group, candidate));
            }
        }
    }

    /// The rows of a group.
    pub fn take(&mut self, group: u32) -> Kept {
        self.groups.remove(&group).unwrap_or_default()
    }
}
