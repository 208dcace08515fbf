//! A live leaderboard: members change their score at any time and ask for their rank.
//!
//! Members stand in the total order of a board: by score, the highest first, then by member, the smallest first. They are
//! kept in small sorted blocks, with a count for each block and for each row of blocks, so that a change moves a part of one
//! block and a rank adds up few counts.

mod blocks;

use std::cmp::Reverse;
use std::hash::Hash;

use hashbrown::HashMap;

use self::blocks::Blocks;
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
    order: Blocks<M>,
}

impl<M> Default for Leaderboard<M> {
    fn default() -> Self {
        Self { scores: HashMap::new(), order: Blocks::default() }
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
            self.order.remove(before, &member);
        }
        self.order.insert(score, member);
        before
    }

    /// Takes a member off the board, and says which score it had.
    pub fn remove(&mut self, member: &M) -> Option<Score> {
        let score = self.scores.remove(member)?;
        self.order.remove(score, member);
        Some(score)
    }

    /// Takes the last member off the board.
    pub fn pop_last(&mut self) -> Option<(M, Score)> {
        let (Reverse(score), member) = self.order.pop_last()?;
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
        Some(self.order.rank(self.score_of(member)?, member) + 1)
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
    fn from(&self, skip: usize) -> impl Iterator<Item = (&M, Score)> {
        self.order.from(skip).map(|(score, member)| (member, score.0))
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
