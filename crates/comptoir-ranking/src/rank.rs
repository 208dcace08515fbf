//! Rank numbers of values, with the words of scipy and Polars.
//!
//! Values are compared as what they are, so that large integers keep their last digit; what is missing (null, NaN) has
//! no rank, or stands at one end.

#[cfg(feature = "arrow")]
mod column;

use std::cmp::Ordering;

#[cfg(feature = "arrow")]
pub use column::{RankError, rank_column};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How equal values are numbered.
///
/// The names in brackets are accepted too: pandas' `first`, the sports' `competition`, SQL's `row_number`, `rank` and
/// `dense_rank`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Each has a number of its own, in the order in which they are given (`first`, `row_number`).
    Ordinal,
    /// All have the smallest of their numbers: 1, 2, 2, 4 (`competition`, `rank`).
    Min,
    /// All have the largest of their numbers: 1, 3, 3, 4.
    Max,
    /// All have the same number and none is left out after them: 1, 2, 2, 3 (`dense_rank`).
    Dense,
    /// All have the mean of their numbers: 1, 2.5, 2.5, 4.
    Average,
    /// How many of the others stand before, as a share: (min - 1) / (n - 1), 0 for a single value. SQL's `PERCENT_RANK`.
    Percent,
    /// Each has a number of its own, by a hash of its id and this seed: the same whatever the order of the input.
    Random(u64),
}

impl Method {
    /// A method by its name.
    ///
    /// # Errors
    /// [`UnknownName`] for any other word.
    pub fn parse(name: &str, seed: u64) -> Result<Self, UnknownName> {
        Ok(match name {
            "ordinal" | "first" | "row_number" => Self::Ordinal,
            "min" | "competition" | "rank" => Self::Min,
            "max" => Self::Max,
            "dense" | "dense_rank" => Self::Dense,
            "average" => Self::Average,
            "percent" | "percent_rank" => Self::Percent,
            "random" => Self::Random(seed),
            _ => {
                let known = "ordinal, min, max, dense, average, percent, random";
                return Err(UnknownName { what: "rank method", name: name.to_owned(), known });
            }
        })
    }
}

/// Which value comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The smallest.
    Ascending,
    /// The largest.
    #[default]
    Descending,
}

impl Order {
    /// An order by its name: `descending` or `desc`, `ascending` or `asc`.
    ///
    /// # Errors
    /// [`UnknownName`] for any other word.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "ascending" | "asc" => Ok(Self::Ascending),
            "descending" | "desc" => Ok(Self::Descending),
            _ => Err(UnknownName { what: "order", name: name.to_owned(), known: "descending, ascending" }),
        }
    }
}

/// Where missing values stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nulls {
    /// Nowhere: they have no rank.
    #[default]
    Keep,
    /// Before all values, equal to each other.
    First,
    /// After all values, equal to each other.
    Last,
}

impl Nulls {
    /// A place by its name: `keep`, `first` or pandas' `top`, `last` or pandas' `bottom`.
    ///
    /// # Errors
    /// [`UnknownName`] for any other word.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "keep" => Ok(Self::Keep),
            "first" | "top" => Ok(Self::First),
            "last" | "bottom" => Ok(Self::Last),
            _ => {
                let known = "keep, first, last";
                Err(UnknownName { what: "place of nulls", name: name.to_owned(), known })
            }
        }
    }
}

/// A name of a choice that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no {what}: use one of {known}")]
pub struct UnknownName {
    /// What is chosen.
    pub what: &'static str,
    /// The name as given.
    pub name: String,
    /// The names that exist.
    pub known: &'static str,
}

/// Ranks in the order of the values; `None` where a missing value has none.
#[derive(Debug, Clone, PartialEq)]
pub enum Ranks {
    /// Numbers from 1.
    Whole(Vec<Option<u64>>),
    /// Means and shares.
    Real(Vec<Option<f64>>),
}

/// The rank of each value.
///
/// `ids` gives the id of a value by its place; it is asked only by [`Method::Random`].
///
/// ```
/// use comptoir_ranking::rank::{Method, Nulls, Order, Ranks, rank};
///
/// let values = [Some(1_i64 << 60), None, Some((1 << 60) + 1)];
/// let ranks = rank(&values, Method::Min, Order::Ascending, Nulls::Keep, |_| &[]);
/// assert_eq!(ranks, Ranks::Whole(vec![Some(1), None, Some(2)]));
/// ```
#[must_use]
pub fn rank<'i, K: Ord>(
    values: &[Option<K>],
    method: Method,
    order: Order,
    nulls: Nulls,
    ids: impl Fn(usize) -> &'i [u8],
) -> Ranks {
    let mut places = in_order(values, order, nulls);
    let same = |left: &Place<'_, K>, right: &Place<'_, K>| left.value == right.value;
    if let Method::Random(seed) = method {
        for tie in places.chunk_by_mut(same) {
            tie.sort_by_cached_key(|place| (xxh3_64_with_seed(ids(place.number), seed), ids(place.number)));
        }
    }
    let ties = places.chunk_by(same).scan((0, 0), |(before, dense), tie| {
        let group = Tie { before: *before, size: tie.len() as u64, dense: *dense };
        *before += group.size;
        *dense += 1;
        Some((tie, group))
    });
    let total = places.len() as u64;
    match method {
        Method::Average => Ranks::Real(numbered(values.len(), ties, |tie, _| tie.mean())),
        Method::Percent => Ranks::Real(numbered(values.len(), ties, |tie, _| tie.share(total))),
        Method::Min => Ranks::Whole(numbered(values.len(), ties, |tie, _| tie.before + 1)),
        Method::Max => Ranks::Whole(numbered(values.len(), ties, |tie, _| tie.before + tie.size)),
        Method::Dense => Ranks::Whole(numbered(values.len(), ties, |tie, _| tie.dense + 1)),
        Method::Ordinal | Method::Random(_) => {
            Ranks::Whole(numbered(values.len(), ties, |tie, nth| tie.before + nth + 1))
        }
    }
}

#[derive(Debug)]
struct Place<'v, K> {
    value: Option<&'v K>,
    number: usize,
}

/// Equal values: how many stand before them, how many they are, how many other values stand before them.
#[derive(Clone, Copy)]
struct Tie {
    before: u64,
    size: u64,
    dense: u64,
}

impl Tie {
    /// The sum of the first and the last number is exact; so is half of it.
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^53 rows")]
    fn mean(self) -> f64 {
        (2 * self.before + self.size + 1) as f64 / 2.0
    }

    #[expect(clippy::cast_precision_loss, reason = "no table has 2^53 rows")]
    fn share(self, total: u64) -> f64 {
        if total < 2 { 0.0 } else { self.before as f64 / (total - 1) as f64 }
    }
}

/// The values that have a rank, sorted; equal ones in the order in which they are given.
fn in_order<K: Ord>(values: &[Option<K>], order: Order, nulls: Nulls) -> Vec<Place<'_, K>> {
    let all = values.iter().enumerate().map(|(number, value)| Place { value: value.as_ref(), number });
    let mut places: Vec<_> = all.filter(|place| place.value.is_some() || nulls != Nulls::Keep).collect();
    places.sort_by(|left, right| match (left.value, right.value) {
        (Some(left), Some(right)) if order == Order::Ascending => left.cmp(right),
        (Some(left), Some(right)) => right.cmp(left),
        (None, None) => Ordering::Equal,
        (missing, _) => {
            let first = if nulls == Nulls::First { Ordering::Less } else { Ordering::Greater };
            if missing.is_none() { first } else { first.reverse() }
        }
    });
    places
}

fn numbered<'p, K: 'p, N: Copy>(
    count: usize,
    ties: impl Iterator<Item = (&'p [Place<'p, K>], Tie)>,
    number: impl Fn(Tie, u64) -> N,
) -> Vec<Option<N>> {
    let mut ranks = vec![None; count];
    for (places, tie) in ties {
        for (nth, place) in (0..).zip(places) {
            if let Some(rank) = ranks.get_mut(place.number) {
                *rank = Some(number(tie, nth));
            }
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::{Method, Nulls, Order, Ranks, rank};

    fn whole(values: &[Option<i64>], method: Method, order: Order, nulls: Nulls) -> Vec<Option<u64>> {
        match rank(values, method, order, nulls, |_| &[]) {
            Ranks::Whole(ranks) => ranks,
            Ranks::Real(_) => Vec::new(),
        }
    }

    #[test]
    fn missing_values_stand_where_they_are_told_to_in_either_order() {
        let values = [Some(1), None, Some(3)];
        let place = |order, nulls| whole(&values, Method::Min, order, nulls);
        assert_eq!(place(Order::Descending, Nulls::Keep), [Some(2), None, Some(1)]);
        assert_eq!(place(Order::Descending, Nulls::First), [Some(3), Some(1), Some(2)]);
        assert_eq!(place(Order::Ascending, Nulls::Last), [Some(1), Some(3), Some(2)]);
    }

    #[test]
    fn random_ranks_follow_ids_and_not_places() {
        let ids: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];
        let values = [Some(5), Some(5), Some(9), Some(5)];
        let ranks = |order: [usize; 4]| {
            let moved: Vec<_> = order.iter().map(|place| values[*place]).collect();
            let Ranks::Whole(ranks) =
                rank(&moved, Method::Random(7), Order::Descending, Nulls::Keep, |at| ids[order[at]])
            else {
                return Vec::new();
            };
            let mut of: Vec<_> = order.iter().zip(ranks).collect();
            of.sort();
            of.into_iter().map(|(_, rank)| rank).collect()
        };
        assert_eq!(ranks([0, 1, 2, 3]), ranks([3, 2, 1, 0]));
        assert_eq!(ranks([0, 1, 2, 3])[2], Some(1));
    }

    #[test]
    fn a_single_value_has_no_one_before_it() {
        assert_eq!(
            rank(&[Some(4)], Method::Percent, Order::Ascending, Nulls::Keep, |_| &[]),
            Ranks::Real(vec![Some(0.0)])
        );
    }
}
