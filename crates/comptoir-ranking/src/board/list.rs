//! Candidates of one group in a list that is cut from time to time.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::ops::Range;

use super::candidate::Candidate;

/// How a candidate lies in the memory of its group.
pub trait Entry: Copy + Debug {
    /// That of a candidate whose rest starts there.
    fn new(candidate: &Candidate<'_>, start: usize) -> Self;
    /// The candidate, of the rests of its list.
    fn candidate(self, rests: &[u8]) -> Candidate<'_>;
    /// The order of the board.
    fn compare(&self, other: &Self, rests: &[u8]) -> Ordering;
    /// Says where its rest has gone.
    fn set_start(&mut self, start: usize);
}

/// A candidate that is all in two words: its item is a number, and nothing is carried.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    key: i64,
    word: u64,
}

/// A candidate whose rest lies with those of others: one piece of memory for each would take longer to get than all
/// comparisons do.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    key: i64,
    word: u64,
    start: usize,
    /// A row of 4 GB is in no batch.
    length: u32,
    is_word: bool,
}

/// Memory to be used again.
#[derive(Debug, Default)]
pub struct Spare {
    rests: Vec<u8>,
    /// The places by which items are told apart.
    places: Vec<u32>,
}

/// Candidates of a group, in no order until it is [finished](List::finish).
#[derive(Debug)]
pub struct List<E> {
    entries: Vec<E>,
    /// The rests of all entries, each where its entry says, and of some that are gone.
    rests: Vec<u8>,
}

/// Room beside what is kept: half of it, and for small boards so many that they are not cut at every row.
const ROOM: usize = 32;

impl Entry for Word {
    #[inline]
    fn new(candidate: &Candidate<'_>, _: usize) -> Self {
        Self { key: candidate.key, word: candidate.word }
    }

    #[inline]
    fn candidate(self, _: &[u8]) -> Candidate<'_> {
        Candidate::of_word(self.key, self.word, &[])
    }

    #[inline]
    fn compare(&self, other: &Self, _: &[u8]) -> Ordering {
        other.key.cmp(&self.key).then(self.word.cmp(&other.word))
    }

    fn set_start(&mut self, _: usize) {}
}

impl Listed {
    #[inline]
    const fn place(self) -> Range<usize> {
        self.start..self.start + self.length as usize
    }
}

impl Entry for Listed {
    #[inline]
    fn new(candidate: &Candidate<'_>, start: usize) -> Self {
        let length = u32::try_from(candidate.rest.len()).unwrap_or(0);
        Self { key: candidate.key, word: candidate.word, start, length, is_word: candidate.is_word }
    }

    #[inline]
    fn candidate(self, rests: &[u8]) -> Candidate<'_> {
        let rest = rests.get(self.place()).unwrap_or(&[]);
        Candidate { key: self.key, word: self.word, rest, is_word: self.is_word }
    }

    #[inline]
    fn compare(&self, other: &Self, rests: &[u8]) -> Ordering {
        let words = other.key.cmp(&self.key).then(self.word.cmp(&other.word));
        words.then_with(|| self.candidate(rests).cmp(&other.candidate(rests)))
    }

    fn set_start(&mut self, start: usize) {
        self.start = start;
    }
}

impl<E> Default for List<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), rests: Vec::new() }
    }
}

impl<E: Entry> List<E> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The candidates as they stand.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Candidate<'_>> {
        self.entries.iter().map(|entry| entry.candidate(&self.rests))
    }

    /// Adds a candidate for the best `keep`. Gives the worst of these where the list was cut to them.
    #[inline]
    pub fn offer(&mut self, candidate: &Candidate<'_>, keep: usize, spare: &mut Spare) -> Option<(i64, u64)> {
        let most = room(keep);
        if self.entries.len() == self.entries.capacity() {
            let more = self.entries.len().clamp(8, most).min(most.saturating_sub(self.entries.len())).max(1);
            self.entries.reserve_exact(more);
            self.rests.reserve_exact(more.saturating_mul(candidate.rest.len()));
        }
        self.add(candidate);
        self.cut_if_full(keep, spare)
    }

    /// Cuts the list where there is no room left.
    #[inline]
    pub fn cut_if_full(&mut self, keep: usize, spare: &mut Spare) -> Option<(i64, u64)> {
        if self.entries.len() < room(keep) { None } else { self.cut(keep, spare) }
    }

    /// Adds a candidate.
    pub fn add(&mut self, candidate: &Candidate<'_>) {
        self.entries.push(E::new(candidate, self.rests.len()));
        self.rests.extend_from_slice(candidate.rest);
    }

    /// Leaves out the one at a place; another one may stand there then.
    pub fn remove(&mut self, place: usize) {
        self.entries.swap_remove(place);
        self.compact(&mut Vec::new());
    }

    /// Puts all in order.
    pub fn sort(&mut self) {
        let rests = &self.rests;
        self.entries.sort_unstable_by(|left, right| left.compare(right, rests));
    }

    /// Leaves the best `keep`, each item once, and gives the worst of them; nothing where there are fewer. Items seldom
    /// come twice: then it is enough that those of the best differ, and what is worse is not looked at.
    pub fn cut(&mut self, keep: usize, spare: &mut Spare) -> Option<(i64, u64)> {
        let mut floor = None;
        let is_done = self.select(keep) && self.differ(keep, spare);
        if !is_done {
            self.unite(spare);
        }
        if is_done || self.select(keep) {
            let last = keep.checked_sub(1).and_then(|last| self.entries.get(last));
            floor = last.map(|last| last.candidate(&self.rests)).map(|last| (last.key, last.word));
            self.entries.truncate(keep);
        }
        self.compact(&mut spare.rests);
        floor
    }

    /// Leaves no rests of entries that are gone.
    fn compact(&mut self, memory: &mut Vec<u8>) {
        if self.rests.is_empty() {
            return;
        }
        memory.clear();
        for entry in &mut self.entries {
            let start = memory.len();
            memory.extend_from_slice(entry.candidate(&self.rests).rest);
            entry.set_start(start);
        }
        self.rests.clear();
        self.rests.extend_from_slice(memory);
    }

    /// Brings the best `keep` to the front, the worst of them to their end; false where there are fewer.
    fn select(&mut self, keep: usize) -> bool {
        let last = keep.checked_sub(1).filter(|last| *last < self.entries.len());
        let rests = &self.rests;
        last.is_some_and(|last| {
            self.entries.select_nth_unstable_by(last, |left, right| left.compare(right, rests));
            true
        })
    }

    /// Whether the first `keep` are different items.
    fn differ(&self, keep: usize, spare: &mut Spare) -> bool {
        let mut places = Places::new(keep, &mut spare.places);
        (0..keep).all(|next| places.find(&self.entries, &self.rests, next).is_none())
    }

    /// Leaves the best row of each item.
    fn unite(&mut self, spare: &mut Spare) {
        let mut places = Places::new(self.entries.len(), &mut spare.places);
        let mut next = 0;
        while next < self.entries.len() {
            let Some(known) = places.find(&self.entries, &self.rests, next) else {
                next += 1;
                continue;
            };
            let pair = self.entries.get(next).zip(self.entries.get(known));
            if pair.is_some_and(|(next, known)| next.compare(known, &self.rests).is_lt()) {
                self.entries.swap(next, known);
            }
            self.entries.swap_remove(next);
        }
    }
}

fn room(keep: usize) -> usize {
    keep.saturating_add((keep / 2).max(ROOM))
}

/// Places of different items, by hash.
struct Places<'m> {
    places: &'m mut Vec<u32>,
    shift: u32,
}

const FREE: u32 = u32::MAX;

impl<'m> Places<'m> {
    fn new(count: usize, places: &'m mut Vec<u32>) -> Self {
        let size = (count.saturating_mul(2)).next_power_of_two().max(2);
        places.clear();
        places.resize(size, FREE);
        Self { places, shift: 64 - size.trailing_zeros() }
    }

    /// The place of the same item before `next`; where there is none `next` becomes its place.
    fn find<E: Entry>(&mut self, entries: &[E], rests: &[u8], next: usize) -> Option<usize> {
        let candidate = entries.get(next)?.candidate(rests);
        let mask = self.places.len() - 1;
        let mut place = usize::try_from(candidate.hash_of_item() >> self.shift).unwrap_or(0);
        loop {
            let known = self.places.get_mut(place & mask)?;
            if *known == FREE {
                *known = u32::try_from(next).ok()?;
                return None;
            }
            let other = entries.get(*known as usize).map(|other| other.candidate(rests));
            if other.is_some_and(|other| other.is_same_item(&candidate)) {
                return Some(*known as usize);
            }
            place += 1;
        }
    }
}
