use std::fmt;

/// A score: any double but NaN, in the order of numbers.
///
/// It is kept as an integer whose order is that of the numbers, so that scores compare in one instruction and are
/// ordered totally. Negative zero becomes zero: they are one score, and tie keys decide. NaN is no score; whoever meets
/// one leaves its item out and counts it.
///
/// ```
/// use comptoir_ranking::Score;
///
/// assert_eq!(Score::new(-0.0), Score::new(0.0));
/// assert!(Score::new(f64::INFINITY) > Score::new(1e300));
/// assert_eq!(Score::new(f64::NAN), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(i64);

impl Score {
    /// A number as a score; `None` for NaN.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        // Adding zero makes zero of negative zero and changes nothing else.
        (!number.is_nan()).then(|| Self(flip((number + 0.0).to_bits().cast_signed())))
    }

    /// The score as an integer of the same order.
    #[must_use]
    pub(crate) const fn key(self) -> i64 {
        self.0
    }

    /// The key of a number that is not NaN.
    #[must_use]
    #[cfg(feature = "arrow")]
    pub(crate) fn key_of(number: f64) -> i64 {
        flip((number + 0.0).to_bits().cast_signed())
    }

    /// The score of which an integer is the [`key`](Self::key).
    #[must_use]
    pub(crate) const fn from_key(key: i64) -> Self {
        Self(key)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from_bits(flip(self.0).cast_unsigned())
    }
}

/// From the bits of a double to an integer of the same order, and back: doubles below zero are ordered by their size,
/// integers in two's complement the other way round.
const fn flip(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

impl fmt::Debug for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::Score;

    #[test]
    fn scores_are_ordered_as_numbers() {
        let numbers =
            [f64::NEG_INFINITY, -1e300, -1.0, -f64::MIN_POSITIVE, 0.0, 5e-324, 1.0, 1e300, f64::INFINITY];
        let scores: Vec<_> = numbers.iter().map(|number| Score::new(*number).unwrap()).collect();
        assert!(scores.is_sorted_by(|left, right| left < right));
        assert!(scores.iter().zip(numbers).all(|(score, number)| score.get() == number));
    }
}
