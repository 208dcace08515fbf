//! What an explanation says.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::report::GroupName;
use super::scope::Reason;
use crate::arrange::PinFault;

/// What is known of an item in a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The board.
    pub board: String,
    /// The group, as text.
    pub group: GroupName,
    /// The item, as text.
    pub item: String,
    /// Its place; `None` where it is not on the board.
    pub position: Option<u32>,
    /// Its place by score and tie keys, before diversity, constraints and pins; `None` where it is not among the best.
    pub organic_position: Option<usize>,
    /// Why it is not on the board; `None` where it is.
    pub absence: Option<Absence>,
    /// Its score after boosts.
    pub score: Option<Json>,
    /// Its score before boosts.
    pub organic_score: Option<Json>,
    /// The metrics or columns of which the score is made, as far as they are kept.
    pub values: BTreeMap<String, Json>,
    /// The terms of the score.
    pub terms: Vec<TermExplanation>,
    /// The tie keys with their values.
    pub ties: Vec<(String, Json)>,
    /// What the boosts and buries that count for it do together; `None` without any.
    pub boost: Option<BoostExplanation>,
    /// What each intervention that concerns it does, the most important first; then those that would, if they counted.
    pub interventions: Vec<InterventionEffect>,
}

/// A term of a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermExplanation {
    /// Its name.
    pub name: String,
    /// What its expression gave.
    pub value: Option<f64>,
    /// What its steps made of it.
    pub normalised: Option<f64>,
    /// Its weight.
    pub weight: f64,
    /// What it adds to the score.
    pub adds: Option<f64>,
}

/// What all boosts and buries do to the score of an item.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoostExplanation {
    /// By what it is multiplied, or divided where it is below zero.
    pub factor: f64,
    /// What is added to it then.
    pub addition: f64,
    /// Whether they asked for more than `boost_bounds` allows.
    #[serde(rename = "bounded")]
    pub is_bounded: bool,
}

/// What an intervention does to an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterventionEffect {
    /// The intervention.
    pub id: String,
    /// In words: `hide`, `score x 1.5`, `score + 3`, `pin to 2`.
    pub effect: String,
    /// For a pin: why the item does not stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<PinFault>,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Why an item is not on a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Absence {
    /// No row has it in this group.
    NotFound,
    /// No row of it is eligible.
    NotEligible,
    /// It does not fulfil `having`.
    BelowFloor,
    /// Interventions hide it.
    Hidden {
        /// Which.
        by: Vec<String>,
    },
    /// Its score is null, NaN or an error.
    WithoutScore,
    /// Others have higher scores.
    TooLow,
    /// It stands high enough, and others have its place.
    Displaced {
        /// Why: the ids of the pins, or of the constraints that the board without them would break; `diversity`.
        by: Vec<String>,
    },
    /// It is not among the best that were kept: it is not eligible, hidden, without score, or too low. The rows tell.
    NotKept,
}
