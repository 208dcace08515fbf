//! How good an order is, where it is known what is relevant.

/// What a grade of relevance is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gain {
    /// The grade itself (K. Järvelin, J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20, 2002).
    #[default]
    Linear,
    /// 2^grade - 1 (C. Burges et al., "Learning to Rank using Gradient Descent", ICML 2005).
    Exponential,
}

/// The discounted cumulative gain of grades in the order of the board: Σ gain / log2(position + 1).
///
/// ```
/// use comptoir_ranking::evaluate::{Gain, dcg};
///
/// assert_eq!(dcg(&[3.0, 0.0, 2.0], Gain::Linear), 4.0);
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no board has 2^53 places")]
pub fn dcg(grades: &[f64], gain: Gain) -> f64 {
    let worth = |grade: f64| match gain {
        Gain::Linear => grade,
        Gain::Exponential => libm::exp2(grade) - 1.0,
    };
    let terms =
        grades.iter().enumerate().map(|(place, grade)| worth(*grade) / libm::log2((place + 2) as f64));
    terms.sum()
}

/// The gain of the first `k` as a share of that of the best order of `all` grades, 0 to 1. 0 where nothing is relevant.
#[must_use]
pub fn ndcg(grades: &[f64], all: &[f64], k: usize, gain: Gain) -> f64 {
    let mut best = all.to_vec();
    best.sort_unstable_by(|left, right| right.total_cmp(left));
    let first = |grades: &[f64]| dcg(grades.get(..k.min(grades.len())).unwrap_or_default(), gain);
    let ideal = first(&best);
    if ideal > 0.0 { first(grades) / ideal } else { 0.0 }
}

/// 1 / (position of the first that is relevant); 0 where none is. Its mean over queries is the MRR (E. Voorhees, "The
/// TREC-8 Question Answering Track Report", 1999).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no board has 2^53 places")]
pub fn reciprocal_rank(is_relevant: impl IntoIterator<Item = bool>) -> f64 {
    is_relevant.into_iter().position(|relevant| relevant).map_or(0.0, |place| 1.0 / (place + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::{Gain, dcg, ndcg, reciprocal_rank};

    #[test]
    fn the_best_order_has_all_of_its_gain() {
        let all = [2.0, 5.0, 3.0];
        assert_eq!(ndcg(&[5.0, 3.0, 2.0], &all, 3, Gain::Exponential), 1.0);
        assert!(ndcg(&[2.0, 3.0, 5.0], &all, 3, Gain::Linear) < 1.0);
        assert_eq!(ndcg(&[0.0], &[], 3, Gain::Linear), 0.0);
    }

    #[test]
    fn grades_are_discounted_by_their_place() {
        assert!((dcg(&[0.0, 5.0, 0.0, 4.0, 3.0], Gain::Linear) - 6.037_913_421_854_484).abs() < 1e-12);
        assert!((dcg(&[0.0, 5.0, 0.0, 4.0, 3.0], Gain::Exponential) - 28.726_940_382_457_87).abs() < 1e-12);
    }

    #[test]
    fn only_the_first_relevant_place_counts() {
        assert_eq!(reciprocal_rank([false, true, true]), 0.5);
        assert_eq!(reciprocal_rank([]), 0.0);
    }
}
