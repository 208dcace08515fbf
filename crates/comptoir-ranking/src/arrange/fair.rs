//! Minimum shares that chance alone would rarely miss: FA*IR (M. Zehlike et al., "FA*IR: A Fair Top-k Ranking Algorithm",
//! CIKM 2017).

/// How many of a band there must be in each prefix of a board of `k`, so that a board that draws each place from the
/// band with probability `share` would fall short of a single prefix with probability `alpha` at most: the smallest
/// count whose cumulative binomial probability is at least `alpha`.
///
/// [`Bounds`](super::Bounds) takes it, prefix by prefix. Over all prefixes together chance falls short more often than
/// `alpha`: see [`adjusted_significance`].
///
/// ```
/// use comptoir_ranking::arrange::minimum_table;
///
/// assert_eq!(minimum_table(10, 0.2, 0.15), [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
/// ```
#[must_use]
pub fn minimum_table(k: usize, share: f64, alpha: f64) -> Vec<usize> {
    let mut counts = vec![1.0];
    let mut table = Vec::with_capacity(k);
    for _ in 0..k {
        counts = drawn(&counts, share);
        let mut below = 0.0;
        let least = counts.iter().position(|probability| {
            below += probability;
            below >= alpha
        });
        table.push(least.unwrap_or(counts.len() - 1));
    }
    table
}

/// How likely a board that draws each place from the band with probability `share` falls short of a table at some prefix.
#[must_use]
pub fn fail_probability(table: &[usize], share: f64) -> f64 {
    let mut counts = vec![1.0];
    for least in table {
        counts = drawn(&counts, share);
        // What falls short is not followed any further.
        counts.iter_mut().take(*least).for_each(|probability| *probability = 0.0);
    }
    1.0 - counts.iter().sum::<f64>()
}

/// The significance for [`minimum_table`] with which chance falls short of the first `prefixes` of the table with a
/// probability as near to `alpha` as tables allow. It is found by bisection, which ends where no table lies between those
/// of both ends.
///
/// For the whole board `prefixes` is `k`. The implementation of the authors (fairsearch-core) leaves the last prefix out:
/// with `k` - 1 the result is theirs.
#[must_use]
pub fn adjusted_significance(k: usize, share: f64, alpha: f64, prefixes: usize) -> f64 {
    let of = |alpha: f64| {
        let table = minimum_table(k, share, alpha);
        let counted = table.get(..prefixes.min(table.len())).unwrap_or_default();
        Found { alpha, mass: table.iter().sum(), miss: fail_probability(counted, share) }
    };
    let (mut low, mut high) = (of(0.0), of(alpha));
    // Already exact enough where even the largest significance falls short no more than is asked for.
    if high.miss <= alpha {
        return high.alpha;
    }
    while high.mass.saturating_sub(low.mass) > 1 {
        let middle = of(f64::midpoint(low.alpha, high.alpha));
        if middle.alpha <= low.alpha || middle.alpha >= high.alpha {
            break;
        }
        if middle.miss > alpha {
            high = middle;
        } else {
            low = middle;
        }
    }
    if (low.miss - alpha).abs() <= (high.miss - alpha).abs() { low.alpha } else { high.alpha }
}

/// A table for a significance: the sum of its counts, and how likely chance falls short.
struct Found {
    alpha: f64,
    mass: usize,
    miss: f64,
}

/// The probability of each count after one more draw.
fn drawn(counts: &[f64], share: f64) -> Vec<f64> {
    let not = counts.iter().map(|probability| probability * (1.0 - share)).chain([0.0]);
    let band = std::iter::once(0.0).chain(counts.iter().map(|probability| probability * share));
    not.zip(band).map(|(not, band)| not + band).collect()
}

#[cfg(test)]
mod tests {
    use super::{adjusted_significance, fail_probability, minimum_table};

    #[test]
    fn tables_are_those_of_the_authors() {
        let table = minimum_table(20, 0.25, 0.1);
        assert_eq!(table, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]);
        let alpha = adjusted_significance(20, 0.25, 0.1, 20);
        let adjusted = minimum_table(20, 0.25, alpha);
        assert_eq!(adjusted, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        assert!((fail_probability(&adjusted, 0.25) - 0.105_152_473_552_152_51).abs() < 1e-12);
    }

    #[test]
    fn the_last_prefix_counts_or_not() {
        // Both are as near to 0.15 as tables allow.
        assert_eq!(adjusted_significance(30, 0.3, 0.15, 30), 0.075);
        assert!((adjusted_significance(30, 0.3, 0.15, 29) - 0.079_687_5).abs() < 1e-4);
        assert_eq!(adjusted_significance(10, 0.2, 0.15, 10), 0.15);
    }

    #[test]
    fn chance_falls_short_of_one_prefix_as_often_as_its_binomial_says() {
        // None of two: 0.8 x 0.8.
        assert!((fail_probability(&[0, 1], 0.2) - 0.64).abs() < 1e-15);
        assert_eq!(fail_probability(&[0, 0, 0], 0.5), 0.0);
    }
}
