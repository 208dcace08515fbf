/// The order of maximal marginal relevance: at each place the candidate with the largest
/// `lambda` · relevance − (1 − `lambda`) · (its largest likeness to one that stands already), the first of equal ones (J.
/// Carbonell, J. Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
/// Summaries", SIGIR 1998).
///
/// Gives the first `k` candidates. A relevance or likeness that is NaN counts as the worst: such candidates come last.
///
/// ```
/// use comptoir_ranking::arrange::mmr;
///
/// // The second is like the first, so that the third goes before it.
/// let alike = |left: usize, right: usize| if left.min(right) == 0 && left.max(right) == 1 { 1.0 } else { 0.0 };
/// assert_eq!(mmr(&[0.9, 0.8, 0.5], alike, 0.5, 3), [0, 2, 1]);
/// ```
#[must_use]
pub fn mmr(relevance: &[f64], likeness: impl Fn(usize, usize) -> f64, lambda: f64, k: usize) -> Vec<usize> {
    let mut chosen = Vec::with_capacity(k.min(relevance.len()));
    // For each candidate that is left its largest likeness to a chosen one.
    let mut left: Vec<(usize, f64)> =
        (0..relevance.len()).map(|candidate| (candidate, f64::NEG_INFINITY)).collect();
    while chosen.len() < k && !left.is_empty() {
        let is_first = chosen.is_empty();
        let value = |&(candidate, alike): &(usize, f64)| {
            let relevance = relevance.get(candidate).copied().unwrap_or(f64::NAN);
            let penalty = if is_first { 0.0 } else { (1.0 - lambda) * alike };
            let value = lambda * relevance - penalty;
            if value.is_nan() { f64::NEG_INFINITY } else { value }
        };
        let mut best = 0;
        let mut highest = f64::NEG_INFINITY;
        for (place, candidate) in left.iter().enumerate() {
            let value = value(candidate);
            if value > highest {
                (best, highest) = (place, value);
            }
        }
        let (next, _) = left.remove(best);
        chosen.push(next);
        for (candidate, alike) in &mut left {
            let new = likeness(*candidate, next);
            // The comparison is false for NaN on the right, which is to stay.
            if new.is_nan() || new > *alike {
                *alike = new;
            }
        }
    }
    chosen
}

/// The cosine of the angle between two vectors: Σ aᵢbᵢ / (|a|·|b|). NaN for a vector of zeros.
#[must_use]
pub fn cosine(left: &[f64], right: &[f64]) -> f64 {
    let dot =
        |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(left, right)| left * right).sum::<f64>();
    dot(left, right) / (dot(left, left).sqrt() * dot(right, right).sqrt())
}

#[cfg(test)]
mod tests {
    use super::{cosine, mmr};

    #[test]
    fn the_choice_turns_between_25_and_27_of_71() {
        let query = [1.0, 0.0];
        let items = [[3.0_f64.sqrt(), 1.0], [1.0, 1.0], [1.0, 2.0 + 3.0_f64.sqrt()]];
        let relevance: Vec<f64> = items.iter().map(|item| cosine(&query, item)).collect();
        let order = |lambda| mmr(&relevance, |left, right| cosine(&items[left], &items[right]), lambda, 2);
        assert_eq!((order(25.0 / 71.0), order(27.0 / 71.0)), (vec![0, 2], vec![0, 1]));
    }

    #[test]
    fn what_has_no_relevance_comes_last() {
        assert_eq!(mmr(&[f64::NAN, 1.0, 2.0], |_, _| 0.0, 1.0, 9), [2, 1, 0]);
    }
}
