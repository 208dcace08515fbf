use std::ops::Range;

use super::clause::number;
use super::frame::Frame;
use super::ones::{collect_ones, flip, intersect};
use super::vocabulary::BAD_RANK;

/// Rules that have range clauses on the same sides of the same axes.
///
/// Each side has its thresholds in rising order. Where few of one side are reached, the rules of those alone are looked
/// at; else the rules that each side leaves are marked as bits, and what all sides leave is found.
#[derive(Debug)]
pub(super) struct Block {
    rules: Numbers,
    sides: Vec<Side>,
    /// Whether a rule fires wherever its thresholds are reached.
    is_certain: bool,
    /// Whether a rule may be here and elsewhere, or here twice: it has several alternatives.
    has_copies: bool,
}

/// Rules that an index found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// They fire.
    pub certain: Vec<u32>,
    /// They may fire, or have a fault.
    pub possible: Vec<u32>,
    /// Whether a rule may be in `certain` twice.
    pub has_copies: bool,
    /// Whether `certain` may be out of order.
    pub is_mixed: bool,
}

/// One rule of a block, with its thresholds in the order of the sides.
pub(super) type Row = (u32, Vec<i32>);

/// Of the rules of a block, no more than one in so many are looked at one by one.
const FEW: usize = 32;

impl Block {
    pub(super) fn new(sides: &[u32], mut rows: Vec<Row>, is_certain: bool, has_copies: bool) -> Self {
        rows.sort_by_key(|(rule, _)| *rule);
        let column = |side: usize| rows.iter().map(|(_, row)| row.get(side).copied().unwrap_or(0)).collect();
        let sides = sides.iter().enumerate().map(|(place, side)| Side::new(*side, column(place))).collect();
        Self { rules: rows.iter().map(|(rule, _)| *rule).collect(), sides, is_certain, has_copies }
    }

    pub(super) fn search(&self, frame: &mut Frame<'_, '_>, found: &mut Found) {
        let ranks: Vec<i32> = self.sides.iter().map(|side| frame.rank(side.side)).collect();
        if ranks.contains(&BAD_RANK) {
            self.rules.add_all(&mut found.possible);
            return;
        }
        let counts: Vec<usize> =
            self.sides.iter().zip(&ranks).map(|(side, rank)| side.reached(*rank)).collect();
        let Some((count, side)) = counts.iter().zip(&self.sides).min_by_key(|(count, _)| **count) else {
            return;
        };
        let out = if self.is_certain { &mut found.certain } else { &mut found.possible };
        let is_first = out.is_empty();
        let is_few = count * FEW <= self.rules.len();
        if is_few {
            let reached = side.places.get(..*count).unwrap_or(&[]);
            out.extend(
                reached.iter().filter(|place| self.holds(**place, &ranks)).map(|at| self.rules.get(*at)),
            );
        } else {
            self.search_all(&counts, out);
        }
        found.is_mixed |= self.is_certain && (is_few || !is_first);
        found.has_copies |= self.has_copies;
    }

    /// Whether the rule at a place reaches all its thresholds.
    fn holds(&self, place: u32, ranks: &[i32]) -> bool {
        let mut sides = self.sides.iter().zip(ranks);
        sides.all(|(side, rank)| side.column.get(place as usize).is_some_and(|own| own <= rank))
    }

    fn search_all(&self, counts: &[usize], out: &mut Vec<u32>) {
        let start = out.len();
        let (mut all, mut one) = (Vec::new(), Vec::new());
        for (side, count) in self.sides.iter().zip(counts) {
            if all.is_empty() {
                side.mark(*count, &mut all);
            } else {
                side.mark(*count, &mut one);
                intersect(&mut all, &one);
            }
        }
        collect_ones(&all, self.rules.first(), out);
        self.rules.resolve(out.get_mut(start..).unwrap_or_default());
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.rules.bytes() + self.sides.iter().map(Side::bytes).sum::<usize>()
    }
}

/// The thresholds of one side.
#[derive(Debug)]
struct Side {
    side: u32,
    /// The threshold at each place of the block.
    column: Vec<i32>,
    /// All thresholds in rising order, and their places.
    thresholds: Vec<i32>,
    places: Vec<u32>,
    /// A bit for each place, `words` for all, as they are when the first `step` thresholds are reached, the first twice
    /// as many, and so on, from none.
    marks: Vec<u64>,
    words: usize,
    step: usize,
}

/// Marks that a side has at most: so many bits for each threshold.
const MARKS: usize = 32;

impl Side {
    fn new(side: u32, column: Vec<i32>) -> Self {
        let mut order: Vec<(i32, u32)> = column.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let (thresholds, places): (Vec<i32>, Vec<u32>) = order.into_iter().unzip();
        let words = column.len().div_ceil(64);
        let step = column.len().div_ceil(MARKS).max(64);
        let mut marks = vec![0; words];
        let mut bits = marks.clone();
        for some in places.chunks_exact(step) {
            flip(&mut bits, some);
            marks.extend_from_slice(&bits);
        }
        marks.shrink_to_fit();
        Self { side, column, thresholds, places, marks, words, step }
    }

    /// How many thresholds a rank reaches.
    fn reached(&self, rank: i32) -> usize {
        self.thresholds.partition_point(|threshold| *threshold <= rank)
    }

    /// Sets the bits of the places of the first thresholds: those of the nearest mark, and then one by one.
    fn mark(&self, count: usize, bits: &mut Vec<u64>) {
        let mark = ((count + self.step / 2) / self.step).min(self.places.len() / self.step);
        let at = mark * self.words;
        bits.clear();
        bits.extend_from_slice(self.marks.get(at..at + self.words).unwrap_or(&[]));
        let from = mark * self.step;
        flip(bits, self.places.get(from.min(count)..from.max(count)).unwrap_or(&[]));
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + 12 * self.places.len() + 8 * self.marks.len()
    }
}

/// The numbers of rules in rising order.
#[derive(Debug)]
enum Numbers {
    /// One after the other.
    Run(Range<u32>),
    List(Vec<u32>),
}

impl FromIterator<u32> for Numbers {
    fn from_iter<T: IntoIterator<Item = u32>>(numbers: T) -> Self {
        let list: Vec<u32> = numbers.into_iter().collect();
        let first = list.first().copied().unwrap_or(0);
        let run = first..first.saturating_add(number(list.len()));
        if run.clone().eq(list.iter().copied()) { Self::Run(run) } else { Self::List(list) }
    }
}

impl Numbers {
    fn len(&self) -> usize {
        match self {
            Self::Run(run) => run.len(),
            Self::List(list) => list.len(),
        }
    }

    fn get(&self, place: u32) -> u32 {
        match self {
            Self::Run(run) => run.start.saturating_add(place),
            Self::List(list) => list.get(place as usize).copied().unwrap_or(u32::MAX),
        }
    }

    fn add_all(&self, out: &mut Vec<u32>) {
        match self {
            Self::Run(run) => out.extend(run.clone()),
            Self::List(list) => out.extend(list),
        }
    }

    /// What to count places from, so that [`Numbers::resolve`] has little to do.
    const fn first(&self) -> u32 {
        match self {
            Self::Run(run) => run.start,
            Self::List(_) => 0,
        }
    }

    /// Turns places, counted from [`Numbers::first`], into rules.
    fn resolve(&self, places: &mut [u32]) {
        let Self::List(list) = self else { return };
        for place in places {
            *place = list.get(*place as usize).copied().unwrap_or(u32::MAX);
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Run(_) => 0,
            Self::List(list) => 4 * list.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: &mut u64, below: u64) -> i32 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        i32::try_from(*seed % below).unwrap()
    }

    #[test]
    fn marks_give_what_comparing_gives() {
        let mut seed = 5;
        for length in [1_u32, 24, 63, 64, 65, 2_047, 2_048, 2_049, 5_000] {
            for (gap, spread) in [(1, 7), (1, 10_000), (3, 300)] {
                let rows: Vec<Row> = (0..length)
                    .map(|rule| (7 + rule * gap, (0..3).map(|_| random(&mut seed, spread)).collect()))
                    .collect();
                let block = Block::new(&[0, 1, 2], rows, true, false);
                for _ in 0..40 {
                    let ranks: Vec<i32> = (0..3).map(|_| random(&mut seed, spread + 2) - 1).collect();
                    let counts: Vec<usize> =
                        block.sides.iter().zip(&ranks).map(|(side, rank)| side.reached(*rank)).collect();
                    let expected: Vec<u32> = (0..length)
                        .filter(|place| block.holds(*place, &ranks))
                        .map(|place| 7 + place * gap)
                        .collect();
                    let mut found = vec![3];
                    block.search_all(&counts, &mut found);
                    assert_eq!(found.split_first(), Some((&3, &*expected)));
                }
            }
        }
    }
}
