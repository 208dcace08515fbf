//! A live leaderboard: members change their score at any time and ask for their rank.
//!
//! Members stand in the total order of a board: by score, the highest first, then by member, the smallest first. They are
//! kept in sorted blocks of a few hundred, with a count for each block, so that a change moves a part of one block and a
//! rank adds up the counts before it.

use std::cmp::Reverse;
use std::hash::Hash;

use hashbrown::HashMap;

use crate::Score;

/// Members by score, with ranks. Every member has one score.
///
/// ```
/// use comptoir_ranking::Score;
/// use comptoir_ranking::leaderboard::Leaderboard;
///
/// let mut board = Leaderboard::new();
/// for (member, score) in [("ann", 30.0), ("bob", 50.0), ("cid", 40.0)] {
///     board.update(member, Score::new(score).unwrap());
/// }
/// assert_eq!(board.rank_of(&"cid"), Some(2));
/// board.update("cid", Score::new(60.0).unwrap());
/// assert_eq!(board.top(2).map(|(member, _)| *member).collect::<Vec<_>>(), ["cid", "bob"]);
/// ```
#[derive(Debug, Clone)]
pub struct Leaderboard<M> {
    scores: HashMap<M, Score>,
    blocks: Vec<Vec<Key<M>>>,
}

/// Smaller is better.
type Key<M> = (Reverse<Score>, M);

/// Members of a block at most; a full one is split. Moving half of it costs about as much as finding it.
const BLOCK: usize = 512;

impl<M> Default for Leaderboard<M> {
    fn default() -> Self {
        Self { scores: HashMap::new(), blocks: Vec::new() }
    }
}

impl<M: Clone + Hash + Ord> Leaderboard<M> {
    /// Without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Gives a member this score, and says which one it had.
    pub fn update(&mut self, member: M, score: Score) -> Option<Score> {
        let before = self.scores.insert(member.clone(), score);
        if before == Some(score) {
            return before;
        }
        if let Some(before) = before {
            self.take(&(Reverse(before), member.clone()));
        }
        self.put((Reverse(score), member));
        before
    }

    /// Takes a member off the board, and says which score it had.
    pub fn remove(&mut self, member: &M) -> Option<Score> {
        let score = self.scores.remove(member)?;
        self.take(&(Reverse(score), member.clone()));
        Some(score)
    }

    /// Takes the last member off the board.
    pub fn pop_last(&mut self) -> Option<(M, Score)> {
        let block = self.blocks.last_mut()?;
        let (Reverse(score), member) = block.pop()?;
        if block.is_empty() {
            self.blocks.pop();
        }
        self.scores.remove(&member);
        Some((member, score))
    }

    /// The score of a member.
    #[must_use]
    pub fn score_of(&self, member: &M) -> Option<Score> {
        self.scores.get(member).copied()
    }

    /// The place of a member, from 1.
    #[must_use]
    pub fn rank_of(&self, member: &M) -> Option<usize> {
        let key = (Reverse(self.score_of(member)?), member.clone());
        let block = self.block_of(&key);
        let before: usize = self.blocks.iter().take(block).map(Vec::len).sum();
        Some(before + self.blocks.get(block)?.partition_point(|other| *other < key) + 1)
    }

    /// The first `count` members.
    pub fn top(&self, count: usize) -> impl Iterator<Item = (&M, Score)> {
        self.from(0).take(count)
    }

    /// The members on the places from `rank` - `around` to `rank` + `around`, each with its place, where `rank` is that
    /// of `member`. Empty when it is not on the board.
    pub fn neighbours(&self, member: &M, around: usize) -> impl Iterator<Item = (usize, &M, Score)> {
        let rank = self.rank_of(member);
        let first = rank.map_or(0, |rank| rank.saturating_sub(around).max(1));
        let count = rank.map_or(0, |rank| rank + around + 1 - first);
        let members = self.from(first.saturating_sub(1)).take(count);
        members.enumerate().map(move |(nth, (member, score))| (first + nth, member, score))
    }

    /// Members in order, without the first `skip`.
    fn from(&self, mut skip: usize) -> impl Iterator<Item = (&M, Score)> {
        let mut block = 0;
        while let Some(members) = self.blocks.get(block)
            && skip >= members.len()
        {
            skip -= members.len();
            block += 1;
        }
        self.blocks.iter().skip(block).flatten().skip(skip).map(|(score, member)| (member, score.0))
    }

    /// The first block that does not end before `key`; the last one for a key after all.
    fn block_of(&self, key: &Key<M>) -> usize {
        let block = self.blocks.partition_point(|block| block.last().is_some_and(|last| last < key));
        block.min(self.blocks.len().saturating_sub(1))
    }

    fn put(&mut self, key: Key<M>) {
        let number = self.block_of(&key);
        let Some(block) = self.blocks.get_mut(number) else {
            self.blocks.push(vec![key]);
            return;
        };
        let place = block.partition_point(|other| *other < key);
        block.insert(place, key);
        if block.len() > BLOCK {
            let upper = block.split_off(BLOCK / 2);
            self.blocks.insert(number + 1, upper);
        }
    }

    fn take(&mut self, key: &Key<M>) {
        let number = self.block_of(key);
        let Some(block) = self.blocks.get_mut(number) else { return };
        if let Ok(place) = block.binary_search(key) {
            block.remove(place);
        }
        if block.is_empty() {
            self.blocks.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::Leaderboard;
    use crate::Score;

    #[derive(Debug, Clone)]
    enum Step {
        Update(u16, i8),
        Remove(u16),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..900_u16, -5..5_i8).prop_map(|(member, score)| Step::Update(member, score)),
            1 => (0..900_u16).prop_map(Step::Remove),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn ranks_are_those_of_a_sorted_list(steps in prop::collection::vec(step(), 0..3000), around in 0..3_usize) {
            let mut board = Leaderboard::new();
            let mut members = std::collections::BTreeMap::new();
            for step in steps {
                match step {
                    Step::Update(member, score) => {
                        let score = Score::new(f64::from(score)).unwrap();
                        prop_assert_eq!(board.update(member, score), members.insert(member, score));
                    }
                    Step::Remove(member) => prop_assert_eq!(board.remove(&member), members.remove(&member)),
                }
            }
            let mut sorted: Vec<_> = members.iter().map(|(member, score)| (Reverse(*score), *member)).collect();
            sorted.sort_unstable();
            let top: Vec<_> = board.top(usize::MAX).map(|(member, score)| (Reverse(score), *member)).collect();
            prop_assert_eq!(&top, &sorted);
            prop_assert_eq!(board.len(), sorted.len());
            for (place, (_, member)) in sorted.iter().enumerate() {
                prop_assert_eq!(board.rank_of(member), Some(place + 1));
                let near: Vec<_> = board.neighbours(member, around).map(|(rank, member, _)| (rank, *member)).collect();
                let start = place.saturating_sub(around);
                let end = (place + around + 1).min(sorted.len());
                let expected: Vec<_> = (start..end).map(|at| (at + 1, sorted[at].1)).collect();
                prop_assert_eq!(near, expected);
            }
        }
    }
}
