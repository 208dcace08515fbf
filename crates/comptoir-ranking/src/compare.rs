//! Two orders of items side by side: what a change does to a board before it goes live.

use std::collections::HashMap;
use std::hash::Hash;

/// How two boards differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison<I> {
    /// Items that stand on both, as a share of the items of the longer board; 1 for two empty ones.
    pub overlap: f64,
    /// Rank-biased overlap; see [`rank_biased_overlap`].
    pub rank_biased_overlap: f64,
    /// Kendall's tau of the items that stand on both; see [`kendall_tau`]. `None` for fewer than two.
    pub kendall_tau: Option<f64>,
    /// Items that do not stand where they stood: those of the new board in its order, then those that are gone in the
    /// order of the old one.
    pub moved: Vec<Move<I>>,
}

/// An item that does not stand where it stood. Positions are from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move<I> {
    /// The item.
    pub item: I,
    /// Its old position; `None` where it was not on the board.
    pub from: Option<usize>,
    /// Its new position; `None` where it is not on the board any more.
    pub to: Option<usize>,
}

/// Compares an old board with a new one; no item stands twice on one board. `persistence` is that of
/// [`rank_biased_overlap`].
///
/// ```
/// use comptoir_ranking::compare::compare;
///
/// let comparison = compare(&["a", "b", "c"], &["b", "a", "d"], 0.9);
/// assert_eq!(comparison.kendall_tau, Some(-1.0));
/// assert_eq!(comparison.moved.len(), 4);
/// ```
#[must_use]
pub fn compare<I: Clone + Eq + Hash>(old: &[I], new: &[I], persistence: f64) -> Comparison<I> {
    let places = |board: &[I]| -> HashMap<I, usize> { board.iter().cloned().zip(1..).collect() };
    let (before, after) = (places(old), places(new));
    let came = new.iter().zip(1..).filter_map(|(item, to)| {
        let from = before.get(item).copied();
        (from != Some(to)).then(|| Move { item: item.clone(), from, to: Some(to) })
    });
    let gone = old.iter().zip(1..).filter(|(item, _)| !after.contains_key(*item));
    let gone = gone.map(|(item, from)| Move { item: item.clone(), from: Some(from), to: None });
    let common: Vec<usize> = new.iter().filter_map(|item| before.get(item).copied()).collect();
    Comparison {
        overlap: share(common.len(), old.len().max(new.len())),
        rank_biased_overlap: rank_biased_overlap(old, new, persistence),
        kendall_tau: kendall_tau(&common),
        moved: came.chain(gone).collect(),
    }
}

/// The extrapolated rank-biased overlap of two orders, 0 (nothing in common) to 1 (the same): the overlap of the first d
/// items of both, averaged over d with weights that fall by `persistence` from place to place, 0 to 1 exclusive (0.9: the
/// first ten places have 86 % of the weight). Two empty orders are the same.
///
/// Formula 32 of W. Webber, A. Moffat, J. Zobel, "A Similarity Measure for Indefinite Rankings", ACM TOIS 28, 2010.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no board has 2^53 places")]
pub fn rank_biased_overlap<I: Eq + Hash>(left: &[I], right: &[I], persistence: f64) -> f64 {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    let (s, l) = (short.len(), long.len());
    if s == 0 {
        return if l == 0 { 1.0 } else { 0.0 };
    }
    let mut seen: HashMap<&I, ()> = HashMap::new();
    let mut common = 0_usize;
    let mut common_at_s = 0.0;
    let (mut sum, mut weight) = (0.0, 1.0);
    for depth in 1..=l {
        weight *= persistence;
        for item in [short.get(depth - 1), long.get(depth - 1)].into_iter().flatten() {
            common += usize::from(seen.insert(item, ()).is_some());
        }
        let (count, depth_f) = (common as f64, depth as f64);
        if depth == s {
            common_at_s = count;
        }
        sum += count / depth_f * weight;
        if depth > s {
            // Beyond the end of the shorter one its overlap is taken to go on as it was.
            sum += common_at_s * (depth - s) as f64 / (s as f64 * depth_f) * weight;
        }
    }
    let tail = (common as f64 - common_at_s) / l as f64 + common_at_s / s as f64;
    (1.0 - persistence) / persistence * sum + tail * weight
}

/// Kendall's tau of places in another order: (concordant - discordant) / all pairs, 1 for the same order, -1 for the
/// opposite one (M. G. Kendall, "A New Measure of Rank Correlation", Biometrika 30, 1938). `None` for fewer than two;
/// no place comes twice.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no board has 2^26 places")]
pub fn kendall_tau(places: &[usize]) -> Option<f64> {
    let count = places.len();
    let pairs = count.checked_sub(1).filter(|others| *others > 0)? * count / 2;
    let discordant = inversions(&mut places.to_vec());
    Some(1.0 - 2.0 * discordant as f64 / pairs as f64)
}

/// Pairs that stand in the wrong order, found by sorting: O(n log n).
fn inversions(places: &mut Vec<usize>) -> usize {
    if places.len() < 2 {
        return 0;
    }
    let mut right = places.split_off(places.len() / 2);
    let mut left = std::mem::take(places);
    let mut count = inversions(&mut left) + inversions(&mut right);
    let (mut lefts, mut rights) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(l), Some(r)) = (lefts.peek(), rights.peek()) {
        if l <= r {
            places.extend(lefts.next());
        } else {
            count += lefts.len();
            places.extend(rights.next());
        }
    }
    places.extend(lefts.chain(rights));
    count
}

#[expect(clippy::cast_precision_loss, reason = "no board has 2^53 places")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{compare, kendall_tau, rank_biased_overlap};

    #[test]
    fn the_same_boards_are_the_same() {
        let same = compare(&[1, 2, 3], &[1, 2, 3], 0.9);
        assert!((same.rank_biased_overlap - 1.0).abs() < 1e-12);
        assert_eq!((same.overlap, same.kendall_tau, same.moved.len()), (1.0, Some(1.0), 0));
        assert_eq!(rank_biased_overlap(&[1, 2], &[3, 4], 0.9), 0.0);
    }

    /// The definition with an overlap that stays as it is at the end of both: for boards of one length.
    fn by_definition(left: &[u8], right: &[u8], p: f64) -> f64 {
        let agreement = |depth: usize| {
            let common = left[..depth].iter().filter(|item| right[..depth].contains(item)).count();
            common as f64 / depth as f64
        };
        let k = left.len();
        let power = |depth: usize| (0..depth).fold(1.0, |power, _| power * p);
        let sum: f64 = (1..=k).map(|depth| agreement(depth) * power(depth)).sum();
        agreement(k) * power(k) + (1.0 - p) / p * sum
    }

    proptest! {
        #[test]
        fn overlap_follows_its_definition(
            left in Just((0..8_u8).collect::<Vec<_>>()).prop_shuffle(),
            right in Just((2..10_u8).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let found = rank_biased_overlap(&left, &right, 0.8);
            prop_assert!((found - by_definition(&left, &right, 0.8)).abs() < 1e-12);
            prop_assert_eq!(found, rank_biased_overlap(&right, &left, 0.8));
        }

        #[test]
        fn tau_counts_pairs(places in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle()) {
            let pairs = (0..9).flat_map(|left| (left + 1..9).map(move |right| (left, right)));
            let wrong = pairs.filter(|(left, right)| places[*left] > places[*right]).count();
            prop_assert_eq!(kendall_tau(&places), Some(1.0 - 2.0 * wrong as f64 / 36.0));
        }

        #[test]
        fn a_board_and_its_beginning_agree_as_far_as_it_goes(length in 1..8_usize) {
            let long: Vec<_> = (0..8).collect();
            prop_assert!((rank_biased_overlap(&long[..length], &long, 0.9) - 1.0).abs() < 1e-12);
        }
    }
}
