use std::collections::BTreeMap;

use comptoir_rules::rollout::{HashVersion, Share, bucket};
use comptoir_rules::value::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::super::error::BoardError;

/// For whom and for when a board is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Context {
    /// The moment for which the board is made, as RFC 3339. Windows, ages and the validity of interventions count from
    /// it, and expressions may read it as `now`. The clock is never read, so that a run can be repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// What is known of those for whom the board is made; interventions with an `audience` read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Map<String, Json>>,
    /// The id by whose hash interventions with a `share` decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Interventions that are switched on or off, by id, whatever else they say: for previews, and for boards of a test.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub force: BTreeMap<String, bool>,
}

impl Context {
    /// The first field in which another context differs.
    pub(in crate::board) fn difference(&self, other: &Self) -> Option<&'static str> {
        let differ = [
            ("now", self.now != other.now),
            ("audience", self.audience != other.audience),
            ("unit", self.unit != other.unit),
            ("force", self.force != other.force),
        ];
        differ.into_iter().find(|(_, differs)| *differs).map(|(field, _)| field)
    }

    /// The moment for which the board is made.
    ///
    /// # Errors
    /// [`BoardError::Spec`] for text that is no moment.
    pub fn moment(&self) -> Result<Option<Timestamp>, BoardError> {
        self.now.as_deref().map(|text| moment("now", text)).transpose()
    }
}

/// A moment in a field.
pub(in crate::board) fn moment(path: &str, text: &str) -> Result<Timestamp, BoardError> {
    text.parse().map_err(|_| {
        BoardError::spec(path, format!("`{text}` is no moment of RFC 3339: write it as 2024-03-31T00:00:00Z"))
    })
}

/// Whether a unit is in the share of an intervention: the same hash by which a board decides, for services that choose
/// between published boards. `salt` is the intervention's salt, or its id where it has none.
///
/// ```
/// use comptoir_ranking::board::is_in_share;
///
/// let share = "1%".parse()?;
/// let inside = (0..1000).filter(|unit| is_in_share("spring", &unit.to_string(), share)).count();
/// assert!((1..30).contains(&inside));
/// # Ok::<(), comptoir_rules::rollout::ShareError>(())
/// ```
#[must_use]
pub fn is_in_share(salt: &str, unit: &str, share: Share) -> bool {
    share.holds(bucket(HashVersion::V1, salt, unit))
}
