//! Age of what is on hand, from open layers.

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
/// Returns `None` where the edges do not ascend.
#[must_use]
pub fn age_buckets(layers: &[OpenLayer], as_of: i32, edges: &[i32]) -> Option<Vec<AgeBucket>> {
    if !edges.is_sorted_by(|lower, upper| lower < upper) {
        return None;
    }
    let mut buckets = vec![AgeBucket::default(); edges.len() + 1];
    for layer in layers {
        let age = i64::from(as_of) - i64::from(layer.day);
        let passed = edges.partition_point(|&edge| i64::from(edge) <= age);
        if let Some(bucket) = buckets.get_mut(passed) {
            bucket.qty += i128::from(layer.qty);
            bucket.value += i128::from(layer.value);
        }
    }
    Some(buckets)
}
