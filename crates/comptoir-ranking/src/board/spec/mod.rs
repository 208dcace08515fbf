//! What a board is: one struct, the same JSON or YAML in every host.

mod check;
mod constraint;
mod context;
mod expressions;
mod intervention;
mod metric;
mod score;

use std::collections::BTreeMap;

use comptoir_types::config;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::BoardError;

pub use constraint::{BandSpec, ConstraintKind, ConstraintSpec, DiversitySpec, WindowSpec};
pub(super) use context::moment;
pub use context::{Context, is_in_share};
pub(super) use expressions::Reads;
pub use intervention::{BoostBounds, BoostSpec, BurySpec, Effect, InterventionSpec};
pub use metric::{MetricKind, MetricSpec};
pub use score::{
    BayesianStep, CapStep, FloorStep, HackerNewsStep, HalfLifeStep, MinMaxStep, Population, QuantileStep,
    RedditHotStep, ScoreSpec, Step, TermSpec, WilsonStep, ZScoreStep,
};

/// A board.
///
/// ```
/// use comptoir_ranking::board::BoardSpec;
///
/// let spec = BoardSpec::from_json(r#"{
///     "id": "top", "group": ["Country"], "item": "StockCode", "eligibility": "Quantity > 0",
///     "metrics": {"revenue": {"sum": "line"}}, "score": "revenue",
///     "ties": [{"by": "StockCode", "order": "asc"}], "k": 10
/// }"#)?;
/// assert_eq!(spec.k, 10);
/// # Ok::<(), comptoir_ranking::board::BoardError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardSpec {
    /// The version of this form: 1.
    #[serde(default = "first_version")]
    pub version: u32,
    /// What the board is called.
    pub id: String,
    /// The columns whose values make a group; each group has a board of its own. None: one board.
    #[serde(default)]
    pub group: Vec<String>,
    /// The column of what is ranked.
    pub item: String,
    /// The column that says when an event was; windows and `last` read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Which rows count: a condition in CEL over the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<String>,
    /// Numbers that are made of the rows of an item in a group. With metrics the rows are events, and the score and
    /// tie keys read metrics; without, the rows are the candidates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, MetricSpec>,
    /// Which items may stand on the board, once their metrics are known: a condition in CEL over the metrics, such as a
    /// floor on the number of orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub having: Option<String>,
    /// By what items are ranked, the highest first: a number in CEL, or a list of terms.
    pub score: ScoreSpec,
    /// What decides between equal scores, before the item does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<TieSpec>,
    /// How many places a board has.
    pub k: usize,
    /// How many more are kept, for what takes the places of items that are moved or hidden.
    #[serde(default)]
    pub slack: usize,
    /// What operators do to the board.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<InterventionSpec>,
    /// How far they may change the score of an item.
    #[serde(default, skip_serializing_if = "is_default")]
    pub boost_bounds: BoostBounds,
    /// Whether alike items are moved apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diversity: Option<DiversitySpec>,
    /// What the places are to meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<ConstraintSpec>,
    /// What the result has beside places and scores.
    #[serde(default, skip_serializing_if = "is_default")]
    pub show: ShowSpec,
}

/// Columns of a result beside the group, the item, `position` and `score`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShowSpec {
    /// Columns of the rows, where the rows are the candidates, or metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// All metrics.
    pub metrics: bool,
    /// For each term of the score what it adds, as `term.<name>`.
    pub terms: bool,
    /// `organic_position`, the place by score and tie keys before diversity, constraints and pins, and `organic_score`,
    /// the score before boosts.
    pub organic: bool,
    /// Whether what the score is made of is kept for explanations, where the rows are the candidates. It costs the
    /// memory of the columns that the spec reads, for each item that is kept.
    pub explain: bool,
}

impl Default for ShowSpec {
    fn default() -> Self {
        Self { columns: Vec::new(), metrics: false, terms: false, organic: false, explain: true }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A key that decides between equal scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TieSpec {
    /// A column, or with metrics a metric, the item or a column of the group.
    pub by: String,
    /// Which value comes first.
    #[serde(default)]
    pub order: TieOrder,
}

/// Which value of a tie key comes first; null comes last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TieOrder {
    /// The smallest.
    #[default]
    Asc,
    /// The largest.
    Desc,
}

const fn first_version() -> u32 {
    1
}

impl BoardSpec {
    /// Reads a spec from JSON text.
    ///
    /// # Errors
    /// [`BoardError::Spec`], and [`BoardError::Expression`] for text that is no expression, with the path of the field.
    pub fn from_json(text: &str) -> Result<Self, BoardError> {
        config::from_json::<Self>(text)?.checked()
    }

    /// Reads a spec from YAML text.
    ///
    /// # Errors
    /// As [`BoardSpec::from_json`]; also for text whose brackets are nested deeper than a spec can need.
    pub fn from_yaml(text: &str) -> Result<Self, BoardError> {
        config::from_yaml::<Self>(text)?.checked()
    }

    /// The columns whose values tell items in groups apart: those of the group, then that of the item.
    pub(super) fn slot(&self) -> Vec<String> {
        self.group.iter().chain([&self.item]).cloned().collect()
    }

    /// A hash of the content: equal for equal specs, however they were written.
    ///
    /// # Errors
    /// [`BoardError::Internal`] if serialisation fails, which no spec is known to do.
    pub fn hash(&self) -> Result<[u8; 32], BoardError> {
        let text =
            serde_json::to_vec(self).map_err(|error| BoardError::Internal { message: error.to_string() })?;
        Ok(Sha256::digest(text).into())
    }

    /// A hash of what operators do: of the interventions, and of the context that decides which count.
    ///
    /// # Errors
    /// [`BoardError::Internal`] if serialisation fails.
    pub fn rules_hash(&self, context: &Context) -> Result<[u8; 32], BoardError> {
        let text = serde_json::to_vec(&(&self.interventions, &self.boost_bounds, context))
            .map_err(BoardError::internal)?;
        Ok(Sha256::digest(text).into())
    }
}
