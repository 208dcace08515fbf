use std::cmp::Reverse;

use crate::Score;

/// Smaller is better.
type Key<M> = (Reverse<Score>, M);

/// Keys in order, in blocks, with what is needed to find a block and to count those before it without a look into it.
#[derive(Debug, Clone)]
pub struct Blocks<M> {
    blocks: Vec<Vec<Key<M>>>,
    /// For each block a key that none of it exceeds, and that is smaller than all of the next.
    bounds: Vec<Key<M>>,
    /// Keys of each block.
    counts: Vec<usize>,
    /// Keys of each `SPAN` blocks.
    spans: Vec<usize>,
}

/// Keys of a block at most; a full one is split. To find a place in it and to make room takes about as long as to come to
/// it.
const BLOCK: usize = if cfg!(test) { 8 } else { 128 };

/// Blocks that are counted together, about the square root of how many there are for a million keys.
const SPAN: usize = if cfg!(test) { 4 } else { 64 };

impl<M> Default for Blocks<M> {
    fn default() -> Self {
        Self { blocks: Vec::new(), bounds: Vec::new(), counts: Vec::new(), spans: Vec::new() }
    }
}

impl<M: Clone + Ord> Blocks<M> {
    /// Adds a key that is not there.
    pub fn insert(&mut self, score: Score, member: M) {
        let number = self.block_of(score, &member);
        let key = (Reverse(score), member);
        let Some(block) = self.blocks.get_mut(number) else {
            self.bounds.push(key.clone());
            self.blocks.push(vec![key]);
            self.count_again(0);
            return;
        };
        let place = block.partition_point(|other| *other < key);
        if place == block.len()
            && let Some(bound) = self.bounds.get_mut(number)
            && *bound < key
        {
            *bound = key.clone();
        }
        block.insert(place, key);
        if block.len() > BLOCK {
            let upper = block.split_off(BLOCK / 2);
            if let (Some(last), Some(bound)) = (block.last(), self.bounds.get(number).cloned()) {
                self.bounds.insert(number + 1, bound);
                self.bounds.splice(number..=number, [last.clone()]);
            }
            self.blocks.insert(number + 1, upper);
            self.count_again(number);
        } else {
            self.count(number, 1);
        }
    }

    /// Takes a key away that is there.
    pub fn remove(&mut self, score: Score, member: &M) {
        let number = self.block_of(score, member);
        let Some(block) = self.blocks.get_mut(number) else { return };
        if let Ok(place) = search(block, score, member) {
            block.remove(place);
            self.shrunk(number);
        }
    }

    /// Takes the last key away.
    pub fn pop_last(&mut self) -> Option<Key<M>> {
        let number = self.blocks.len().checked_sub(1)?;
        let key = self.blocks.get_mut(number)?.pop()?;
        self.shrunk(number);
        Some(key)
    }

    /// How many keys stand before this one.
    pub fn rank(&self, score: Score, member: &M) -> usize {
        let number = self.block_of(score, member);
        let spans: usize = self.spans.iter().take(number / SPAN).sum();
        let first = number / SPAN * SPAN;
        let blocks: usize = self.counts.get(first..number).unwrap_or_default().iter().sum();
        let before = self.blocks.get(number).map(|block| search(block, score, member));
        spans + blocks + before.map_or(0, |place| place.unwrap_or_else(|place| place))
    }

    /// Keys in order, without the first `skip`.
    pub fn from(&self, mut skip: usize) -> impl Iterator<Item = &Key<M>> {
        let mut number = 0;
        while let Some(count) = self.spans.get(number / SPAN)
            && skip >= *count
        {
            skip -= count;
            number += SPAN;
        }
        while let Some(count) = self.counts.get(number)
            && skip >= *count
        {
            skip -= count;
            number += 1;
        }
        self.blocks.iter().skip(number).flatten().skip(skip)
    }

    /// The block where a key is, or belongs.
    fn block_of(&self, score: Score, member: &M) -> usize {
        let number = self.bounds.partition_point(|bound| is_before(bound, score, member));
        number.min(self.blocks.len().saturating_sub(1))
    }

    /// After a key has left a block.
    fn shrunk(&mut self, number: usize) {
        if self.blocks.get(number).is_some_and(Vec::is_empty) {
            self.blocks.remove(number);
            self.bounds.remove(number);
            self.count_again(number);
        } else {
            self.count(number, -1);
        }
    }

    fn count(&mut self, number: usize, change: isize) {
        for count in [self.counts.get_mut(number), self.spans.get_mut(number / SPAN)].into_iter().flatten() {
            *count = count.saturating_add_signed(change);
        }
    }

    /// Counts from this block on, since blocks have moved.
    fn count_again(&mut self, number: usize) {
        self.counts.truncate(number);
        self.counts.extend(self.blocks.iter().skip(number).map(Vec::len));
        let span = number / SPAN;
        self.spans.truncate(span);
        self.spans.extend(self.counts.chunks(SPAN).skip(span).map(|counts| counts.iter().sum::<usize>()));
    }
}

fn search<M: Ord>(block: &[Key<M>], score: Score, member: &M) -> Result<usize, usize> {
    block.binary_search_by(|(other, of)| other.cmp(&Reverse(score)).then_with(|| of.cmp(member)))
}

fn is_before<M: Ord>((other, of): &Key<M>, score: Score, member: &M) -> bool {
    (other, of) < (&Reverse(score), member)
}
