use std::collections::HashMap;

use serde::Serialize;

/// What an arrangement is to meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its name in reports.
    pub id: String,
    /// Where not all constraints can be met, those with a higher number are kept; of equal ones that with the smaller id.
    pub priority: i32,
    /// Whether the board rather ends early than break it.
    pub is_strict: bool,
    /// What it asks for.
    pub rule: Rule,
}

/// A kind of constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// How many of the first p items belong to a band (of prices, of new items), for every p.
    Band {
        /// For each candidate whether it belongs to the band.
        members: Vec<bool>,
        /// How many there may be.
        bounds: Bounds,
    },
    /// At most `most` items with the same key among any `width` that follow each other. One item of each key: 1 in a
    /// window as wide as the board.
    Window {
        /// For each candidate its key, `None` where it has none and counts for nothing.
        keys: Vec<Option<u32>>,
        /// How many may be alike.
        most: usize,
        /// Among how many.
        width: usize,
    },
}

/// A lower and an upper bound for the number of items in each prefix, from the prefix of one item on.
///
/// ```
/// use comptoir_ranking::arrange::Bounds;
///
/// // At least 20 % and at most 50 %, and no more than one of the first three.
/// let bounds = Bounds::any(5).share(2_000, 5_000).at_most(1, 3);
/// assert_eq!(bounds.lower(), [0, 0, 0, 0, 1]);
/// assert_eq!(bounds.upper(), [1, 1, 1, 2, 3]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    lower: Vec<usize>,
    upper: Vec<usize>,
    /// The largest number that [`Bounds::at_least`] asks for.
    least: usize,
}

impl Bounds {
    /// Without bounds, for a board of `k` items.
    #[must_use]
    pub fn any(k: usize) -> Self {
        Self { lower: vec![0; k], upper: (1..=k).collect(), least: 0 }
    }

    /// Also between `least` and `most` of every prefix, in 1/10000: ⌊least·p⌋ ≤ count ≤ ⌈most·p⌉ (S. C. Geyik, S. Ambler,
    /// K. Kenthapadi, "Fairness-Aware Ranking in Search & Recommendation Systems", KDD 2019).
    #[must_use]
    pub fn share(mut self, least: u16, most: u16) -> Self {
        for (prefix, (lower, upper)) in (1..).zip(self.lower.iter_mut().zip(&mut self.upper)) {
            *lower = (*lower).max(usize::from(least.min(10_000)) * prefix / 10_000);
            *upper = (*upper).min((usize::from(most) * prefix).div_ceil(10_000));
        }
        self
    }

    /// Also at least `count` of the first `prefix` items, or of all where the board has fewer.
    #[must_use]
    pub fn at_least(mut self, count: usize, prefix: usize) -> Self {
        let before = prefix.min(self.lower.len()).saturating_sub(1);
        self.lower.iter_mut().skip(before).for_each(|lower| *lower = (*lower).max(count));
        self.least = self.least.max(count);
        self
    }

    /// Also at most `count` of the first `prefix` items.
    #[must_use]
    pub fn at_most(mut self, count: usize, prefix: usize) -> Self {
        self.upper.iter_mut().take(prefix).for_each(|upper| *upper = (*upper).min(count));
        self
    }

    /// The lower bound of each prefix.
    #[must_use]
    pub fn lower(&self) -> &[usize] {
        &self.lower
    }

    /// The lower bound of each prefix of a board that ends after `length` items, with what [`Bounds::at_least`] asks of
    /// more at its end.
    pub(super) fn lower_to(&self, length: usize) -> impl Iterator<Item = usize> + '_ {
        let least = move |prefix: usize| if prefix == length { self.least } else { 0 };
        (1..).zip(self.lower.iter().take(length)).map(move |(prefix, lower)| (*lower).max(least(prefix)))
    }

    /// The upper bound of each prefix.
    #[must_use]
    pub fn upper(&self) -> &[usize] {
        &self.upper
    }
}

/// A constraint that a board breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    /// The constraint.
    pub id: String,
    /// The first position, from 1, at which it is broken; 0 on a board without items.
    pub position: usize,
    /// At how many positions it is broken.
    pub positions: usize,
    /// How many items there are at the first of them: of the band in the prefix, of the key in the window.
    pub found: usize,
    /// How many there must be at least.
    pub least: usize,
    /// How many there may be at most.
    pub most: usize,
}

/// The constraints that `board` breaks, in the order of `constraints`.
///
/// A board that is shorter than the bounds is held to shares as far as it goes. A number of items that is asked for in more
/// positions than it has counts at its end.
#[must_use]
pub fn unmet(board: &[usize], constraints: &[Constraint]) -> Vec<Shortfall> {
    constraints.iter().filter_map(|constraint| shortfall(board, constraint)).collect()
}

/// Whether the last item of a board is one too many.
pub(super) fn is_exceeded(board: &[usize], constraint: &Constraint) -> bool {
    let counts = match &constraint.rule {
        Rule::Band { members, bounds } => in_band(board, members, bounds),
        Rule::Window { keys, most, width } => in_windows(board, keys, *most, *width),
    };
    counts.last().is_some_and(|[found, _, most]| found > most)
}

fn shortfall(board: &[usize], constraint: &Constraint) -> Option<Shortfall> {
    let counts = match &constraint.rule {
        Rule::Band { bounds, .. } if board.is_empty() => {
            let (position, id) = (0, constraint.id.clone());
            let missing = Shortfall { id, position, positions: 0, found: 0, least: bounds.least, most: 0 };
            return (bounds.least > 0).then_some(missing);
        }
        Rule::Band { members, bounds } => in_band(board, members, bounds),
        Rule::Window { keys, most, width } => in_windows(board, keys, *most, *width),
    };
    let is_broken = |[found, least, most]: &&[usize; 3]| found < least || found > most;
    let positions = counts.iter().filter(is_broken).count();
    let (place, [found, least, most]) = counts.iter().enumerate().find(|(_, counts)| is_broken(counts))?;
    let id = constraint.id.clone();
    Some(Shortfall { id, position: place + 1, positions, found: *found, least: *least, most: *most })
}

/// For each prefix how many are of the band, and the bounds for it.
fn in_band(board: &[usize], members: &[bool], bounds: &Bounds) -> Vec<[usize; 3]> {
    let count = board.iter().scan(0, |count, candidate| {
        *count += usize::from(members.get(*candidate) == Some(&true));
        Some(*count)
    });
    let bounds = bounds.lower_to(board.len()).zip(&bounds.upper);
    count.zip(bounds).map(|(found, (least, most))| [found, least, *most]).collect()
}

/// For each position how many in the window that ends there have its key, and the bounds for it.
fn in_windows(board: &[usize], keys: &[Option<u32>], most: usize, width: usize) -> Vec<[usize; 3]> {
    let mut inside = HashMap::new();
    let key = |place: usize| keys.get(*board.get(place)?).copied().flatten();
    let count = |place: usize| {
        if let Some(left) = place.checked_sub(width).and_then(key) {
            *inside.entry(left).or_insert(1_usize) -= 1;
        }
        key(place).map_or(0, |key| {
            let count = inside.entry(key).or_insert(0);
            *count += 1;
            *count
        })
    };
    (0..board.len()).map(count).map(|found| [found, 0, most]).collect()
}
