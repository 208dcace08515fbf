//! The best of a group, in memory that does not grow with its rows.

use std::cmp::Ordering;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::numbers::Low;

/// A row or an aggregated item with a score, in the order of the board: the better is less.
///
/// What decides a place is a list of numbers and bytes: score, tie keys, item, what is carried. Its beginning is in two
/// words, so that most comparisons look no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'b> {
    /// The score as an integer of the same order, or its upper half.
    pub key: i64,
    /// The beginning of the rest of the list: the item itself, where that is a number and follows the score, else the
    /// first bytes of the list.
    pub word: u64,
    /// What is carried, where the item is the word; else where the item starts and ends in the list, then the list.
    rest: &'b [u8],
    /// All candidates of a board are alike in this.
    is_word: bool,
}

/// Bytes before the list: where the item starts and ends.
const HEAD: usize = 8;

/// Parts of a list after the score.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'p> {
    /// What a score has beyond its key.
    pub low: Low<u64, i128>,
    /// The tie keys as bytes of the same order.
    pub ties: &'p [u8],
    /// The item as bytes of the same order.
    pub item: &'p [u8],
    /// What else is kept of the row. Of rows that are alike in all else the one whose bytes come first counts.
    pub carried: &'p [u8],
}

impl<'b> Candidate<'b> {
    /// With an item that is a number, and neither tie keys nor a wide score.
    #[inline]
    pub const fn of_word(key: i64, item: u64, carried: &'b [u8]) -> Self {
        Self { key, word: item, rest: carried, is_word: true }
    }

    /// With everything in bytes, which are put together in `memory`.
    pub fn of_parts(key: i64, parts: &Parts<'_>, memory: &'b mut Vec<u8>) -> Self {
        memory.clear();
        write(parts, memory);
        let mut first = [0; 8];
        first.iter_mut().zip(memory.iter().skip(HEAD)).for_each(|(to, from)| *to = *from);
        Self { key, word: u64::from_be_bytes(first), rest: memory, is_word: false }
    }

    /// The item, where it is in bytes.
    pub fn item(&self) -> &'b [u8] {
        self.list().get(self.item_place()).unwrap_or(&[])
    }

    /// What is carried.
    pub fn carried(&self) -> &'b [u8] {
        self.list().get(self.item_place().end..).unwrap_or(&[])
    }

    /// The lower half of a wide score.
    pub fn low(&self) -> u64 {
        self.list().first_chunk().map_or(0, |bytes| !u64::from_be_bytes(*bytes))
    }

    /// Whether both have the same score, of which so many bytes are not in the key.
    pub fn is_tied(&self, other: &Candidate<'_>, width: usize) -> bool {
        self.key == other.key && self.list().get(..width) == other.list().get(..width)
    }

    fn is_same_item(&self, other: &Candidate<'_>) -> bool {
        if self.is_word { self.word == other.word } else { self.item() == other.item() }
    }

    /// A number that is the same for the same item.
    fn hash_of_item(&self) -> u64 {
        if self.is_word { self.word.wrapping_mul(0x9e37_79b9_7f4a_7c15) } else { xxh3_64(self.item()) }
    }

    /// The list from `word` on, or after it where the item is the word.
    #[inline]
    fn list(&self) -> &'b [u8] {
        if self.is_word { self.rest } else { self.rest.get(HEAD..).unwrap_or(&[]) }
    }

    fn item_place(&self) -> Range<usize> {
        match self.rest.first_chunk().filter(|_| !self.is_word) {
            Some([a, b, c, d, e, f, g, h]) => {
                u32::from_le_bytes([*a, *b, *c, *d]) as usize..u32::from_le_bytes([*e, *f, *g, *h]) as usize
            }
            None => 0..0,
        }
    }
}

fn write(parts: &Parts<'_>, bytes: &mut Vec<u8>) {
    // The highest score first: its bytes are turned round.
    let (half, beyond);
    let low: &[u8] = match parts.low {
        Low::None => &[],
        Low::Half(low) => {
            half = (!low).to_be_bytes();
            &half
        }
        Low::Beyond(low) => {
            beyond = (!low ^ i128::MIN).to_be_bytes();
            &beyond
        }
    };
    let start = low.len() + parts.ties.len();
    for end in [start, start + parts.item.len()] {
        bytes.extend(u32::try_from(end).unwrap_or(u32::MAX).to_le_bytes());
    }
    for part in [low, parts.ties, parts.item, parts.carried] {
        bytes.extend_from_slice(part);
    }
}

impl Ord for Candidate<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let words = other.key.cmp(&self.key).then(self.word.cmp(&other.word));
        words.then_with(|| self.list().cmp(other.list()))
    }
}

impl PartialOrd for Candidate<'_> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best candidates of a group, each item once, with its best row.
///
/// Candidates are gathered and cut to the best from time to time; what is worse than the last of them is not taken at
/// all. So a group has room for half more than it keeps, and most rows of a large group cost one comparison.
#[derive(Debug, Default)]
pub struct Kept {
    entries: Vec<Entry>,
    /// The rests of all entries, each where its entry says, and of some that are gone.
    rests: Vec<u8>,
    /// Score and word of the last that is kept, once there are enough.
    floor: Option<(i64, u64)>,
}

/// A candidate whose rest lies with those of others: one piece of memory for each would take longer to get than all
/// comparisons do.
#[derive(Debug, Clone, Copy)]
struct Entry {
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

/// Room beside what is kept: half of it, and for small boards so many that they are not cut at every row.
const ROOM: usize = 32;

/// What no key is below.
pub const OPEN: i64 = i64::MIN;

impl Entry {
    #[inline]
    const fn place(self) -> Range<usize> {
        self.start..self.start + self.length as usize
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
}

impl Kept {
    /// The key below which nothing is taken.
    #[inline]
    pub fn floor(&self) -> i64 {
        self.floor.map_or(OPEN, |floor| floor.0)
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The candidates as they stand.
    pub fn iter(&self) -> impl Iterator<Item = Candidate<'_>> {
        self.entries.iter().map(|entry| entry.candidate(&self.rests))
    }

    /// Adds a candidate for the best `keep`.
    #[inline]
    pub fn offer(&mut self, candidate: Candidate<'_>, keep: usize, spare: &mut Spare) {
        if let Some((key, word)) = self.floor
            && (candidate.key < key || (candidate.key == key && candidate.word > word))
        {
            return;
        }
        let most = room(keep);
        if self.entries.len() == self.entries.capacity() {
            let more = self.entries.len().clamp(8, most).min(most.saturating_sub(self.entries.len())).max(1);
            self.entries.reserve_exact(more);
            self.rests.reserve_exact(more.saturating_mul(candidate.rest.len()));
        }
        self.add(candidate);
        if self.entries.len() >= most {
            self.cut(keep, spare);
        }
    }

    /// Adds a candidate whatever its score, unless a better one of its item is there; a worse one goes.
    pub fn want(&mut self, candidate: Candidate<'_>) {
        let known = self.iter().enumerate().find(|(_, known)| known.is_same_item(&candidate));
        let known = known.map(|(place, known)| (place, candidate < known));
        if let Some((place, true)) = known {
            self.entries.swap_remove(place);
            self.compact(&mut Vec::new());
        }
        if known.is_none_or(|(_, is_worse)| is_worse) {
            self.add(candidate);
        }
    }

    fn add(&mut self, candidate: Candidate<'_>) {
        let Candidate { key, word, rest, is_word } = candidate;
        let length = u32::try_from(rest.len()).unwrap_or(0);
        self.entries.push(Entry { key, word, start: self.rests.len(), length, is_word });
        self.rests.extend_from_slice(rest);
    }

    /// Adds the candidates of the same group of another collector.
    pub fn merge(&mut self, other: &Self, keep: usize, spare: &mut Spare) {
        self.floor = self.floor.max(other.floor);
        other.iter().for_each(|candidate| self.add(candidate));
        if self.entries.len() >= room(keep) {
            self.cut(keep, spare);
        }
    }

    /// Leaves the best `keep`, sorted.
    pub fn finish(&mut self, keep: usize, spare: &mut Spare) {
        self.cut(keep, spare);
        let rests = &self.rests;
        self.entries.sort_unstable_by(|left, right| left.compare(right, rests));
    }

    /// Adds those that are of no item that is here, in their order.
    pub fn follow(&mut self, mut others: Self) {
        let rests = &others.rests;
        others.entries.sort_unstable_by(|left, right| left.compare(right, rests));
        let best = self.entries.len();
        for candidate in others.iter() {
            if self.iter().take(best).all(|known| !known.is_same_item(&candidate)) {
                self.add(candidate);
            }
        }
    }

    /// Leaves the best `keep`. Items seldom come twice: then it is enough that those of the best differ, and what is worse
    /// is not looked at.
    fn cut(&mut self, keep: usize, spare: &mut Spare) {
        let is_done = self.select(keep) && self.differ(keep, spare);
        if !is_done {
            self.unite(spare);
        }
        if is_done || self.select(keep) {
            let last = keep.checked_sub(1).and_then(|last| self.entries.get(last));
            self.floor = last.map(|last| (last.key, last.word)).or(self.floor);
            self.entries.truncate(keep);
        }
        self.compact(&mut spare.rests);
    }

    /// Leaves no rests of entries that are gone.
    fn compact(&mut self, memory: &mut Vec<u8>) {
        memory.clear();
        for entry in &mut self.entries {
            let start = memory.len();
            memory.extend_from_slice(self.rests.get(entry.place()).unwrap_or(&[]));
            entry.start = start;
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
    fn find(&mut self, entries: &[Entry], rests: &[u8], next: usize) -> Option<usize> {
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

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
