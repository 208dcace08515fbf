//! What a board says beside its places.

use std::collections::BTreeMap;

use arrow_buffer::BooleanBuffer;
use serde::Serialize;

use super::scope::Reason;
use crate::arrange::{LeftOutReason, PinFault, Shortfall};

/// The values of a group as text, `None` for null; as [`GroupValue::text`](crate::snapshot::GroupValue::text) writes them.
pub type GroupName = Vec<Option<String>>;

/// What became of the rows, and what could not be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows that were pushed.
    pub rows: u64,
    /// Rows for which the eligibility is not true.
    pub not_eligible: u64,
    /// Rows without an item.
    pub without_item: u64,
    /// Items of a group that do not fulfil `having`.
    pub below_floor: u64,
    /// Candidates that are hidden.
    pub hidden: u64,
    /// Candidates whose score is null, NaN or an error.
    pub without_score: u64,
    /// Candidates that were ranked: rows, or items of a group where there are metrics.
    pub candidates: u64,
    /// By metric the rows that count for it and have no value: null, NaN or an error. They add nothing to it; metrics
    /// without such rows are left out.
    pub without_value: BTreeMap<String, u64>,
    /// Expressions that had no value, by place in the spec and code. They are not true, add nothing to a metric, and
    /// are no score.
    #[serde(serialize_with = "as_list")]
    pub faults: BTreeMap<(String, String), (u64, String)>,
    /// The groups in which the first that is not on the board has the score of the last that is, in organic order.
    pub cut_ties: Vec<GroupName>,
    /// What became of each intervention, in the order of the spec.
    pub interventions: Vec<InterventionReport>,
    /// Pins that do not stand where they were to.
    pub unpinned: Vec<UnpinnedItem>,
    /// Constraints that a board breaks.
    pub unmet: Vec<Unmet>,
    /// Boards that strict constraints end early.
    pub ended_early: Vec<EndedEarly>,
}

/// What became of an intervention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterventionReport {
    /// Its name.
    pub id: String,
    /// Why it does not count; `None` where it does.
    pub reason: Option<Reason>,
    /// How many candidates it hides, boosts, buries or pins.
    pub candidates: u64,
}

/// A pinned item that does not stand where it was to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnpinnedItem {
    /// The group; empty where there is no board on which the pin counts.
    pub group: GroupName,
    /// The intervention.
    pub id: String,
    /// The item.
    pub item: String,
    /// Where it was to stand.
    pub position: usize,
    /// Why it does not.
    #[serde(flatten)]
    pub fault: PinFault,
}

/// A constraint that a board breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The group.
    pub group: GroupName,
    /// Which constraint, and where.
    #[serde(flatten)]
    pub shortfall: Shortfall,
    /// Why.
    pub reason: UnmetReason,
}

/// A board that ends rather than break a strict constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndedEarly {
    /// The group.
    pub group: GroupName,
    /// The constraints that one more item would break.
    pub by: Vec<String>,
    /// How many places it has before pins.
    pub places: usize,
    /// How many it would have without strict constraints.
    pub of: usize,
}

/// Why a board breaks a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnmetReason {
    /// Fewer items of the band than it asks for are among the best k + slack.
    TooFew,
    /// No arrangement of the best k + slack meets it together with the constraints of higher priority that are kept.
    CannotBeMet,
    /// The search for an arrangement has ended after its number of steps: there may be one.
    SearchEnded,
    /// Pins, which stand wherever they are told to.
    Pins,
}

impl From<LeftOutReason> for UnmetReason {
    fn from(reason: LeftOutReason) -> Self {
        match reason {
            LeftOutReason::CannotBeMet => Self::CannotBeMet,
            LeftOutReason::SearchEnded => Self::SearchEnded,
        }
    }
}

impl Report {
    /// Adds what another collector of the same board counted.
    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.not_eligible += other.not_eligible;
        self.without_item += other.without_item;
        self.below_floor += other.below_floor;
        self.hidden += other.hidden;
        self.without_score += other.without_score;
        self.candidates += other.candidates;
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

    /// Adds those of another collector.
    pub fn merge(&mut self, other: &Self) {
        for (key, (count, message)) in &other.found {
            self.note(key.clone(), *count, message.clone());
        }
    }

    /// The same in another place of a spec: `from` is the beginning of their paths, and `to` takes its place.
    pub fn moved(&self, from: &str, to: &str) -> Self {
        let moved = |path: &str| {
            path.strip_prefix(from).map_or_else(|| path.to_owned(), |rest| format!("{to}{rest}"))
        };
        let found =
            self.found.iter().map(|((path, code), fault)| ((moved(path), code.clone()), fault.clone()));
        Self { found: found.collect() }
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

/// Keys of two parts are no keys of a JSON object.
fn as_list<S: serde::Serializer>(
    faults: &BTreeMap<(String, String), (u64, String)>,
    writer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Fault<'f> {
        path: &'f str,
        code: &'f str,
        count: u64,
        message: &'f str,
    }
    writer.collect_seq(faults.iter().map(|((path, code), (count, message))| Fault {
        path,
        code,
        count: *count,
        message,
    }))
}
