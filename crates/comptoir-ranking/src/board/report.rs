//! What a board says beside its places.

use std::collections::BTreeMap;

use arrow_buffer::BooleanBuffer;

/// What became of the rows, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that were pushed.
    pub rows: u64,
    /// Rows for which the eligibility is not true.
    pub not_eligible: u64,
    /// Rows without an item.
    pub without_item: u64,
    /// Items of a group that do not fulfil `having`.
    pub below_floor: u64,
    /// Candidates whose score is null, NaN or an error.
    pub without_score: u64,
    /// Candidates that were ranked: rows, or items of a group where there are metrics.
    pub candidates: u64,
    /// Expressions that had no value, by place in the spec and code: how often, and with which message. They are not
    /// true, add nothing to a metric, and are no score.
    pub faults: BTreeMap<(String, String), (u64, String)>,
    /// The groups in which the first that is not on the board has the score of the last that is, as rows of the table
    /// at which they start.
    pub cut_ties: Vec<u64>,
}

impl Report {
    /// Adds what another collector of the same board counted.
    pub(super) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.not_eligible += other.not_eligible;
        self.without_item += other.without_item;
        self.below_floor += other.below_floor;
        self.without_score += other.without_score;
        self.candidates += other.candidates;
        let mut faults = Faults { found: std::mem::take(&mut self.faults) };
        other.faults.into_iter().for_each(|(key, (count, message))| faults.note(key, count, message));
        self.faults = faults.found;
    }
}

/// Counts faults of expressions.
#[derive(Debug, Default)]
pub struct Faults {
    pub found: BTreeMap<(String, String), (u64, String)>,
}

impl Faults {
    /// Counts the chosen rows of a batch that have no value. Each is looked at for its code.
    pub fn add(&mut self, path: &str, faults: &comptoir_rules::Faults<'_>, chosen: &BooleanBuffer) {
        for row in faults.rows().filter(|row| chosen.value(*row)) {
            let fault = faults.at(row);
            self.note((path.to_owned(), fault.code().to_owned()), 1, fault.message());
        }
    }

    /// Of several messages the smallest stays, so that it does not depend on the order of rows.
    fn note(&mut self, key: (String, String), count: u64, message: String) {
        let known = self.found.entry(key).or_insert_with(|| (0, message.clone()));
        known.0 += count;
        if message < known.1 {
            known.1 = message;
        }
    }
}
