//! The best of a group, in memory that does not grow with its rows.

use std::cmp::Ordering;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

/// A row or an aggregated item with a score, in the order of the board: the better is less.
///
/// What decides a place is a list of numbers and bytes: score, tie keys, item, what is carried. Its beginning is in two
/// words, so that most comparisons look no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The score as an integer of the same order, or its upper half.
    pub key: i64,
    /// The beginning of the rest of the list: the item itself, where that is a number and follows the score, else the
    /// first bytes of `rest`.
    pub word: u64,
    rest: Rest,
}

/// What is not in the words of a candidate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rest(Box<[u8]>);

/// Memory of candidates that were cut, to be used again: the allocator takes longer over it than all comparisons do. With
/// what is kept it is never more than what was kept at one time.
pub type Spare = Vec<Box<[u8]>>;

/// Bytes before the list: where the item starts and ends.
const HEAD: usize = 8;

/// Parts of a list after the score.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'p> {
    /// The lower half of a wide score.
    pub low: Option<u64>,
    /// The tie keys as bytes of the same order.
    pub ties: &'p [u8],
    /// The item as bytes of the same order.
    pub item: &'p [u8],
    /// What else is kept of the row. Of rows that are alike in all else the one whose bytes come first counts.
    pub carried: &'p [u8],
}

impl Candidate {
    /// With an item that is a number, and neither tie keys nor a wide score.
    pub fn of_word(key: i64, item: u64, carried: &[u8], spare: &mut Spare) -> Self {
        let parts = Parts { carried, ..Parts::default() };
        let rest = if carried.is_empty() { Rest::default() } else { Rest::new(&parts, spare) };
        Self { key, word: item, rest }
    }

    /// With everything in bytes.
    pub fn of_parts(key: i64, parts: &Parts<'_>, spare: &mut Spare) -> Self {
        let rest = Rest::new(parts, spare);
        let mut first = [0; 8];
        first.iter_mut().zip(rest.list()).for_each(|(to, from)| *to = *from);
        Self { key, word: u64::from_be_bytes(first), rest }
    }

    /// The item, where it is in bytes.
    pub fn item(&self) -> &[u8] {
        self.rest.list().get(self.rest.item()).unwrap_or(&[])
    }

    /// What is carried.
    pub fn carried(&self) -> &[u8] {
        self.rest.list().get(self.rest.item().end..).unwrap_or(&[])
    }

    /// The lower half of a wide score.
    pub fn low(&self) -> u64 {
        // The highest score first: its bytes are turned round.
        self.rest.list().first_chunk().map_or(0, |bytes| !u64::from_be_bytes(*bytes))
    }

    /// Leaves its memory to another one.
    fn leave(self, spare: &mut Spare) {
        if !self.rest.0.is_empty() {
            spare.push(self.rest.0);
        }
    }

    /// Whether the item is the word. All candidates of a board are alike in this.
    pub fn is_item_word(&self) -> bool {
        self.rest.item().is_empty()
    }

    /// Whether both are the same item. `is_word` is asked once for many: what is in bytes lies elsewhere in memory.
    pub fn is_same_item(&self, other: &Self, is_word: bool) -> bool {
        if is_word { self.word == other.word } else { self.item() == other.item() }
    }

    /// A number that is the same for the same item.
    fn hash_of_item(&self, is_word: bool) -> u64 {
        if is_word { self.word.wrapping_mul(0x9e37_79b9_7f4a_7c15) } else { xxh3_64(self.item()) }
    }
}

impl Rest {
    fn new(parts: &Parts<'_>, spare: &mut Spare) -> Self {
        let low = parts.low.map(|low| (!low).to_be_bytes());
        let low = low.as_ref().map_or(&[][..], |low| low);
        let start = low.len() + parts.ties.len();
        let length = HEAD + start + parts.item.len() + parts.carried.len();
        let mut bytes = match spare.pop() {
            Some(old) if old.len() == length => old.into_vec(),
            _ => Vec::with_capacity(length),
        };
        bytes.clear();
        for end in [start, start + parts.item.len()] {
            // A row of 4 GB is in no batch.
            bytes.extend(u32::try_from(end).unwrap_or(u32::MAX).to_le_bytes());
        }
        for part in [low, parts.ties, parts.item, parts.carried] {
            bytes.extend_from_slice(part);
        }
        Self(bytes.into_boxed_slice())
    }

    fn list(&self) -> &[u8] {
        self.0.get(HEAD..).unwrap_or(&[])
    }

    fn item(&self) -> Range<usize> {
        match self.0.first_chunk() {
            Some([a, b, c, d, e, f, g, h]) => {
                u32::from_le_bytes([*a, *b, *c, *d]) as usize..u32::from_le_bytes([*e, *f, *g, *h]) as usize
            }
            None => 0..0,
        }
    }
}

impl Ord for Candidate {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let words = other.key.cmp(&self.key).then(self.word.cmp(&other.word));
        words.then_with(|| self.rest.list().cmp(other.rest.list()))
    }
}

impl PartialOrd for Candidate {
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
    entries: Vec<Candidate>,
    /// Score and word of the last that is kept, once there are enough.
    floor: Option<(i64, u64)>,
}

/// Room beside what is kept: half of it, and for small boards so many that they are not cut at every row.
const ROOM: usize = 32;

/// What no key is below.
pub const OPEN: i64 = i64::MIN;

impl Kept {
    /// The key below which nothing is taken.
    pub fn floor(&self) -> i64 {
        self.floor.map_or(OPEN, |floor| floor.0)
    }

    /// Adds a candidate for the best `keep`. Gives whether the floor may have changed.
    pub fn offer(&mut self, candidate: Candidate, keep: usize, spare: &mut Spare) -> bool {
        if let Some((key, word)) = self.floor
            && (candidate.key < key || (candidate.key == key && candidate.word > word))
        {
            candidate.leave(spare);
            return false;
        }
        let most = room(keep);
        if self.entries.len() == self.entries.capacity() {
            let more = self.entries.len().clamp(8, most).min(most.saturating_sub(self.entries.len())).max(1);
            self.entries.reserve_exact(more);
        }
        self.entries.push(candidate);
        let is_full = self.entries.len() >= most;
        if is_full {
            self.cut(keep, spare);
        }
        is_full
    }

    /// Adds the candidates of the same group of another collector.
    pub fn merge(&mut self, mut other: Self, keep: usize) {
        self.floor = self.floor.max(other.floor);
        self.entries.append(&mut other.entries);
        if self.entries.len() >= room(keep) {
            self.cut(keep, &mut Spare::new());
        }
    }

    /// The best `keep`, sorted.
    pub fn best(mut self, keep: usize) -> Vec<Candidate> {
        self.cut(keep, &mut Spare::new());
        self.entries.sort_unstable();
        self.entries
    }

    fn cut(&mut self, keep: usize, spare: &mut Spare) {
        self.unite(spare);
        if self.entries.len() < keep {
            return;
        }
        if let Some(last) = keep.checked_sub(1) {
            let (_, last, _) = self.entries.select_nth_unstable(last);
            self.floor = Some((last.key, last.word));
        }
        self.entries.drain(keep..).for_each(|candidate| candidate.leave(spare));
    }

    /// Leaves the best row of each item.
    fn unite(&mut self, spare: &mut Spare) {
        let is_word = self.entries.first().is_some_and(Candidate::is_item_word);
        let mut places = Places::new(self.entries.len(), is_word);
        let mut next = 0;
        while next < self.entries.len() {
            match places.find(&self.entries, next) {
                None => next += 1,
                Some(known) => {
                    if self.entries.get(next) < self.entries.get(known) {
                        self.entries.swap(next, known);
                    }
                    self.entries.swap_remove(next).leave(spare);
                }
            }
        }
    }
}

fn room(keep: usize) -> usize {
    keep.saturating_add((keep / 2).max(ROOM))
}

/// Places of different items, by hash.
struct Places {
    places: Vec<u32>,
    shift: u32,
    is_word: bool,
}

const FREE: u32 = u32::MAX;

impl Places {
    fn new(count: usize, is_word: bool) -> Self {
        let size = (count.saturating_mul(2)).next_power_of_two().max(2);
        Self { places: vec![FREE; size], shift: 64 - size.trailing_zeros(), is_word }
    }

    /// The place of the same item before `next`; where there is none `next` becomes its place.
    fn find(&mut self, entries: &[Candidate], next: usize) -> Option<usize> {
        let candidate = entries.get(next)?;
        let mask = self.places.len() - 1;
        let mut place = usize::try_from(candidate.hash_of_item(self.is_word) >> self.shift).unwrap_or(0);
        loop {
            let known = self.places.get_mut(place & mask)?;
            if *known == FREE {
                *known = u32::try_from(next).ok()?;
                return None;
            }
            let other = *known as usize;
            if entries.get(other).is_some_and(|other| other.is_same_item(candidate, self.is_word)) {
                return Some(other);
            }
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Candidate, Kept, Parts, Spare};

    /// Score, tie key, item, what is carried.
    type Row = (i64, u8, u8, u8);

    fn check(
        rows: &[Row],
        keep: usize,
        cut: usize,
        candidate: impl Fn(&Row, &mut Spare) -> Candidate,
    ) -> Result<(), TestCaseError> {
        let gather = |rows: &[Row]| {
            let (mut kept, mut spare) = (Kept::default(), Spare::new());
            for row in rows {
                if row.0 >= kept.floor() {
                    kept.offer(candidate(row, &mut spare), keep, &mut spare);
                }
            }
            kept
        };
        let (left, right) = rows.split_at(cut.min(rows.len()));
        let mut kept = gather(left);
        kept.merge(gather(right), keep);

        let mut best: BTreeMap<u8, Candidate> = BTreeMap::new();
        for row in rows {
            let new = candidate(row, &mut Spare::new());
            best.entry(row.2).and_modify(|known| *known = known.clone().min(new.clone())).or_insert(new);
        }
        let mut expected: Vec<_> = best.into_values().collect();
        expected.sort();
        expected.truncate(keep);
        prop_assert_eq!(kept.best(keep), expected);
        Ok(())
    }

    proptest! {
        #[test]
        fn the_best_row_of_each_item_counts(
            rows in prop::collection::vec((0..12_i64, 0..3_u8, 0..60_u8, 0..2_u8), 0..300),
            keep in 1..8_usize,
            cut in 0..300_usize,
        ) {
            check(&rows, keep, cut, |row, spare| {
                let parts = Parts { low: None, ties: &[row.1], item: &[row.2], carried: &[row.3] };
                Candidate::of_parts(row.0, &parts, spare)
            })?;
            check(&rows, keep, cut, |row, spare| {
                let parts = Parts { low: Some(row.1.into()), ties: &[], item: &[7, 7, 7, 7, 7, row.2], carried: &[] };
                Candidate::of_parts(row.0, &parts, spare)
            })?;
            // Of several lengths, so that memory that was left does not always fit.
            check(&rows, keep, cut, |row, spare| {
                let carried = [row.3; 3];
                Candidate::of_word(row.0, row.2.into(), &carried[..1 + usize::from(row.3)], spare)
            })?;
            check(&rows, keep, cut, |row, spare| Candidate::of_word(row.0, row.2.into(), &[], spare))?;
        }

        #[test]
        fn the_order_is_that_of_the_parts(left: (i64, Option<u64>, [u8; 3], [u8; 3]), right: (i64, Option<u64>, [u8; 3], [u8; 3])) {
            let low = |row: &(i64, Option<u64>, [u8; 3], [u8; 3])| left.1.and(right.1).and(row.1);
            let of = |row: &(i64, Option<u64>, [u8; 3], [u8; 3])| {
                Candidate::of_parts(row.0, &Parts { low: low(row), ties: &row.2, item: &row.3, carried: &[] }, &mut Spare::new())
            };
            let plain = |row: &(i64, Option<u64>, [u8; 3], [u8; 3])| {
                (std::cmp::Reverse((row.0, low(row))), row.2, row.3)
            };
            prop_assert_eq!(of(&left).cmp(&of(&right)), plain(&left).cmp(&plain(&right)));
            prop_assert_eq!((of(&left).low(), of(&left).item().to_vec()), (low(&left).unwrap_or(of(&left).low()), left.3.to_vec()));
        }
    }
}
