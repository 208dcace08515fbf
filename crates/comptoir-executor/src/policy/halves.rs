//! Which rows of a batch that failed are run again together.

/// A batch that fails is run again in halves until the rows that make it fail are alone. After more failures than that
/// takes for a few bad rows, what is left fails as it is: the model itself is broken.
#[derive(Debug)]
pub(crate) struct Halves {
    /// Parts that are still to be run, as first row and number of rows; the next one last.
    stack: Vec<(usize, usize)>,
    /// Failures that may still be answered with halves.
    attempts: usize,
}

impl Halves {
    /// For a batch of `rows` rows.
    pub(crate) fn new(rows: usize) -> Self {
        let attempts = 2 * usize::BITS.saturating_sub(rows.leading_zeros()) as usize + 2;
        Self { stack: vec![(0, rows)], attempts }
    }

    /// The next part that is to be run: its first row and its number of rows.
    pub(crate) fn next_part(&mut self) -> Option<(usize, usize)> {
        self.stack.pop()
    }

    /// Has a part that failed run again in halves; false where its rows fail for good.
    pub(crate) fn split(&mut self, (start, rows): (usize, usize)) -> bool {
        if rows <= 1 || self.attempts == 0 {
            return false;
        }
        self.attempts -= 1;
        let half = rows / 2;
        self.stack.extend([(start + half, rows - half), (start, half)]);
        true
    }
}
