//! A board that is kept current from a stream of changes, in memory that does not grow with the members.
//!
//! Of each group the first `k` + `slack` members are kept, and a floor: no other member is better than it. A member that
//! comes better than the floor takes its place, one that falls behind it is left out. When members leave (deleted, or
//! with a lower score) the slack is used up, and below `k` members nobody but the source knows who follows: an
//! *underflow*, for which the group, and only it, is read again. Between two underflows of a group more than `slack` of
//! its kept members have left.

use std::cmp::Reverse;
use std::hash::Hash;

use hashbrown::HashMap;

use crate::Score;
use crate::leaderboard::Leaderboard;

/// The first `k` of each group, by score, the highest first, then by member, the smallest first.
///
/// ```
/// use comptoir_ranking::Score;
/// use comptoir_ranking::live::{Change, LiveBoard};
///
/// let score = |number| Score::new(number).unwrap();
/// let mut board = LiveBoard::new(2, 0);
/// for (item, sold) in [("mug", 30.0), ("bag", 50.0), ("pen", 40.0)] {
///     board.update(&"FR", item, score(sold));
/// }
/// assert_eq!(board.top(&"FR").map(|(item, _)| *item).collect::<Vec<_>>(), ["bag", "pen"]);
///
/// // It keeps two, one leaves: who follows it was not kept.
/// assert_eq!(board.remove(&"FR", &"bag"), Change::Underflow);
/// board.refill(&"FR", [("mug", score(30.0)), ("pen", score(40.0))]);
/// assert_eq!(board.top(&"FR").map(|(item, _)| *item).collect::<Vec<_>>(), ["pen", "mug"]);
/// ```
#[derive(Debug, Clone)]
pub struct LiveBoard<G, M> {
    k: usize,
    slack: usize,
    groups: HashMap<G, Group<M>>,
    counts: Counts,
}

/// What a change did to the first `k` of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use = "an underflow asks for `refill`, and a changed top to be published"]
pub enum Change {
    /// Nothing.
    None,
    /// They are others, stand in another order or have other scores.
    Top,
    /// Fewer than `k` are known, and there are others: [`LiveBoard::refill`] the group. Until then its top is short, but
    /// right as far as it goes.
    Underflow,
}

/// An event of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event<G, M> {
    /// A member has this score now, whether it is new or not.
    Update(G, M, Score),
    /// A member is gone, or has no score.
    Remove(G, M),
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Counts {
    /// Updates and removals.
    pub events: u64,
    /// Those of them that changed the first `k` of their group, or met it short.
    pub shown: u64,
    /// Those of them that left fewer than `k` known.
    pub underflows: u64,
    /// Groups that were read again because they were short.
    pub rescans: u64,
    /// Members that were read for it.
    pub scanned: u64,
}

impl<G: Clone + Eq + Hash, M: Clone + Hash + Ord> LiveBoard<G, M> {
    /// Without groups. It shows `k` members of each and keeps up to `slack` more.
    ///
    /// Where scores never fall and nobody leaves, `slack` 0 is enough. Otherwise the work for a rescan is shared by more
    /// than `slack` changes.
    #[must_use]
    pub fn new(k: usize, slack: usize) -> Self {
        Self { k, slack, groups: HashMap::new(), counts: Counts::default() }
    }

    /// Takes an event, and reads its group again where that is needed: `rescan` gives all its members, each once, with
    /// the event in effect. Whether the first `k` have changed.
    ///
    /// The source may be ahead of the stream. The board is then right when the stream has caught up.
    ///
    /// # Errors
    /// That of `rescan`. The event is in effect, the top of its group is short, and its next event asks again.
    pub fn apply<I, E>(
        &mut self,
        event: Event<G, M>,
        rescan: impl FnOnce(&G) -> Result<I, E>,
    ) -> Result<bool, E>
    where
        I: IntoIterator<Item = (M, Score)>,
    {
        let (group, change) = match event {
            Event::Update(group, member, score) => {
                let change = self.update(&group, member, score);
                (group, change)
            }
            Event::Remove(group, member) => {
                let change = self.remove(&group, &member);
                (group, change)
            }
        };
        if change == Change::Underflow {
            let members = rescan(&group)?;
            return Ok(self.refill(&group, members) != Change::None);
        }
        Ok(change == Change::Top)
    }

    /// Gives a member of a group this score. A group that is not there yet is one without other members.
    pub fn update(&mut self, group: &G, member: M, score: Score) -> Change {
        let (k, capacity) = (self.k, self.capacity());
        let kept = match self.groups.get_mut(group) {
            Some(kept) => kept,
            None => self.groups.entry(group.clone()).or_default(),
        };
        let change = kept.update(member, score, k, capacity);
        self.counts.event(change);
        change
    }

    /// Takes a member off a group. One that is not kept, or does not exist, changes nothing.
    pub fn remove(&mut self, group: &G, member: &M) -> Change {
        let Some(kept) = self.groups.get_mut(group) else {
            self.counts.event(Change::None);
            return Change::None;
        };
        let change = kept.remove(member, self.k);
        if kept.members.is_empty() && kept.floor.is_none() {
            self.groups.remove(group);
        }
        self.counts.event(change);
        change
    }

    /// Makes these the members of a group: all that it has now, each once, in any order. They are read one by one, and
    /// only the first `k` + `slack` are held.
    ///
    /// For a group that was short the answer is [`Change::Top`] even if it was short by nothing that is shown.
    pub fn refill(&mut self, group: &G, members: impl IntoIterator<Item = (M, Score)>) -> Change {
        let (k, capacity) = (self.k, self.capacity());
        let mut kept = Group::default();
        let mut count = 0;
        for (member, score) in members {
            count += 1;
            let _ = kept.update(member, score, k, capacity);
        }
        let before = self.groups.remove(group).unwrap_or_default();
        let was_short = before.is_short(k);
        self.counts.rescans += u64::from(was_short);
        self.counts.scanned += if was_short { count } else { 0 };
        let is_same = !was_short && before.members.top(k).eq(kept.members.top(k));
        let change = kept.change((!is_same).then_some(1), k);
        if count > 0 {
            self.groups.insert(group.clone(), kept);
        }
        change
    }

    /// The first `k` of a group; fewer where it has no more, or is short.
    pub fn top(&self, group: &G) -> impl Iterator<Item = (&M, Score)> {
        self.groups.get(group).into_iter().flat_map(|kept| kept.members.top(self.k))
    }

    /// Whether a group waits for [`LiveBoard::refill`].
    #[must_use]
    pub fn is_short(&self, group: &G) -> bool {
        self.groups.get(group).is_some_and(|kept| kept.is_short(self.k))
    }

    /// The groups that have members, in no order.
    pub fn groups(&self) -> impl Iterator<Item = &G> {
        self.groups.keys()
    }

    /// How many members it keeps: at most `k` + `slack` for each group.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.groups.values().map(|kept| kept.members.len()).sum()
    }

    /// What has happened so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    const fn capacity(&self) -> usize {
        self.k.saturating_add(self.slack)
    }
}

/// The best members of a group.
#[derive(Debug, Clone)]
struct Group<M> {
    members: Leaderboard<M>,
    /// Where there may be other members: they are here or behind. It need not be one of them any more.
    floor: Option<(Reverse<Score>, M)>,
}

impl<M> Default for Group<M> {
    fn default() -> Self {
        Self { members: Leaderboard::default(), floor: None }
    }
}

impl<M: Clone + Hash + Ord> Group<M> {
    fn update(&mut self, member: M, score: Score, k: usize, capacity: usize) -> Change {
        let is_behind =
            self.floor.as_ref().is_some_and(|(floor, other)| (floor, other) <= (&Reverse(score), &member));
        if is_behind {
            return self.remove(&member, k);
        }
        if self.members.score_of(&member) == Some(score) {
            return self.change(None, k);
        }
        let before = self.members.rank_of(&member);
        self.members.update(member.clone(), score);
        let after = self.members.rank_of(&member);
        if self.members.len() > capacity {
            self.floor = self.members.pop_last().map(|(member, score)| (Reverse(score), member));
        }
        self.change(before.into_iter().chain(after).min(), k)
    }

    fn remove(&mut self, member: &M, k: usize) -> Change {
        let rank = self.members.rank_of(member);
        if rank.is_some() {
            self.members.remove(member);
        }
        self.change(rank, k)
    }

    /// What it means that this rank and later ones have changed.
    fn change(&self, rank: Option<usize>, k: usize) -> Change {
        if self.is_short(k) {
            return Change::Underflow;
        }
        if rank.is_some_and(|rank| rank <= k) { Change::Top } else { Change::None }
    }

    fn is_short(&self, k: usize) -> bool {
        self.floor.is_some() && self.members.len() < k
    }
}

impl Counts {
    fn event(&mut self, change: Change) {
        self.events += 1;
        self.shown += u64::from(change != Change::None);
        self.underflows += u64::from(change == Change::Underflow);
    }
}
