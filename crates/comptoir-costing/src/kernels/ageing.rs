//! Age of what is on hand, from open layers.

use rayon::prelude::*;

use super::OpenLayer;

/// What is on hand of one age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgeBucket {
    /// Quantity, summed over all items.
    pub qty: i128,
    /// Value, summed over all items.
    pub value: i128,
}

/// Sums quantity and value of open layers by age as of a day.
///
/// The age of a layer is `as_of - day`, in days. With ascending `edges` of `e0, e1, ...` the buckets are:
/// below `e0`, from `e0` to below `e1`, and so on; the last holds what is older. So there is one bucket more
/// than there are edges.
///
/// ```
/// use comptoir_costing::kernels::{AgeBucket, OpenLayer, age_buckets};
///
/// let layers = [OpenLayer { item: 0, day: 100, qty: 5, value: 50 }, OpenLayer { item: 1, day: 10, qty: 2, value: 30 }];
/// let buckets = age_buckets(&layers, 110, &[30, 60]);
/// assert_eq!(buckets.map_or(vec![], |buckets| buckets.iter().map(|bucket| bucket.value).collect()), [50, 0, 30]);
/// ```
///
/// Returns `None` where the edges do not ascend. Runs in the current rayon pool.
#[must_use]
pub fn age_buckets(layers: &[OpenLayer], as_of: i32, edges: &[i32]) -> Option<Vec<AgeBucket>> {
    if !edges.is_sorted_by(|lower, upper| lower < upper) {
        return None;
    }
    let parts = layers.par_chunks(LAYERS).map(|layers| sums(layers, as_of, edges));
    Some(parts.reduce(|| vec![AgeBucket::default(); edges.len() + 1], added))
}

/// Layers that a thread sums at a time.
const LAYERS: usize = 1 << 15;

/// Sums of layers by age.
fn sums(layers: &[OpenLayer], as_of: i32, edges: &[i32]) -> Vec<AgeBucket> {
    let mut buckets = vec![AgeBucket::default(); edges.len() + 1];
    for layer in layers {
        if let Some(bucket) = buckets.get_mut(passed(edges, as_of, layer.day)) {
            bucket.qty += i128::from(layer.qty);
            bucket.value += i128::from(layer.value);
        }
    }
    buckets
}

/// The number of edges that the age of a day has passed.
fn passed(edges: &[i32], as_of: i32, day: i32) -> usize {
    match as_of.checked_sub(day) {
        // A few edges are compared all, in vector registers: the ages of layers follow no pattern, and each
        // step of a search would be mispredicted half the time.
        Some(age) if edges.len() <= 64 => edges.iter().map(|&edge| usize::from(edge <= age)).sum(),
        _ => edges.partition_point(|&edge| i64::from(edge) <= i64::from(as_of) - i64::from(day)),
    }
}

fn added(mut buckets: Vec<AgeBucket>, others: Vec<AgeBucket>) -> Vec<AgeBucket> {
    for (bucket, other) in buckets.iter_mut().zip(others) {
        bucket.qty += other.qty;
        bucket.value += other.value;
    }
    buckets
}
