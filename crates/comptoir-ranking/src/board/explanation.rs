//! What an explanation says.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::report::GroupName;

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
    /// What each intervention that concerns it does, the most important first.
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

/// What an intervention does to an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterventionEffect {
    /// The intervention.
    pub id: String,
    /// In words: `hide`, `score x 1.5`, `score + 3`, `pin to 2`.
    pub effect: String,
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
    /// It stands high enough, and diversity, constraints or pins give its place to others.
    Displaced,
    /// It is not among the best that were kept: it is not eligible, hidden, without score, or too low. The rows tell.
    NotKept,
}
