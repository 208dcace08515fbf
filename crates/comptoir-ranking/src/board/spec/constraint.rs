use comptoir_rules::rollout::Share;
use serde::{Deserialize, Serialize};

/// What the places of a board are to meet: exactly one of `band`, `window` and `one_per`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConstraintSpec {
    /// Its name, unique on a board.
    pub id: String,
    /// Where not all constraints can be met, those with a higher number are kept; of equal ones that with the smaller id.
    pub priority: i32,
    /// Whether a board rather ends early than break it.
    pub strict: bool,
    /// In which groups it counts: a condition in CEL over the columns of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How many items of a band stand in each beginning of the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<BandSpec>,
    /// How many items with one key stand close to each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSpec>,
    /// A column or metric: of all items with one value of it one stands on the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_per: Option<String>,
}

/// Bounds for a band of items, such as a band of prices or what is new.
///
/// A share holds for every beginning of the board: of the first p positions at least ⌊p·least⌋ and at most ⌈p·most⌉ are of
/// the band. Counts hold for the first `of_first` positions, or for all where the board has fewer: because `k` is less, or
/// for lack of items. So `at_least` is never silently unmet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BandSpec {
    /// Which items belong to it: a condition in CEL.
    pub when: String,
    /// The smallest share, such as `0.2` or `20%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_share: Option<Share>,
    /// The largest share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_share: Option<Share>,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<usize>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<usize>,
    /// Of how many positions `at_least` and `at_most` speak; of all where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_first: Option<usize>,
}

/// At most `most` items with one key among any `width` that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// A column or metric.
    pub key: String,
    /// How many may be alike.
    pub most: usize,
    /// Among how many.
    pub width: usize,
}

/// Relevance against likeness: [`mmr`](crate::arrange::mmr) of the kept items, before constraints.
///
/// The relevance is the score, from 0 for the lowest of the kept items of the group to 1 for the highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiversitySpec {
    /// The weight of relevance: 1 leaves the order as it is, 0 looks at likeness only.
    pub lambda: f64,
    /// A column or metric: two items with one value are alike, two with different ones are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A column of lists of numbers: two items are as alike as the cosine of their vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
}

/// What a constraint asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ConstraintKind<'s> {
    /// Bounds for a band.
    Band(&'s BandSpec),
    /// At most `most` of a key in a window.
    Window(&'s WindowSpec),
    /// One item for each value of a column.
    OnePer(&'s str),
}

impl ConstraintSpec {
    /// What it asks for.
    ///
    /// # Errors
    /// The field and a reason, where it asks for nothing, several things, or something that cannot be.
    pub fn kind(&self) -> Result<ConstraintKind<'_>, (&'static str, String)> {
        let kinds = [
            self.band.as_ref().map(ConstraintKind::Band),
            self.window.as_ref().map(ConstraintKind::Window),
            self.one_per.as_deref().map(ConstraintKind::OnePer),
        ];
        let mut kinds = kinds.into_iter().flatten();
        let (Some(kind), None) = (kinds.next(), kinds.next()) else {
            return Err(("", "expected exactly one of `band`, `window` and `one_per`".to_owned()));
        };
        match kind {
            ConstraintKind::Band(band) => band.check().map_err(|reason| ("band", reason))?,
            ConstraintKind::Window(window) if window.most == 0 || window.width <= window.most => {
                return Err(("window", "expected a `most` from 1 and a `width` that is larger".to_owned()));
            }
            _ => {}
        }
        Ok(kind)
    }
}

impl BandSpec {
    fn check(&self) -> Result<(), String> {
        if self.least_share > self.most_share && self.most_share.is_some() {
            return Err("`least_share` is larger than `most_share`".to_owned());
        }
        if self.at_least > self.at_most && self.at_most.is_some() {
            return Err("`at_least` is larger than `at_most`".to_owned());
        }
        let counts = [self.at_least, self.at_most];
        if self.of_first.is_some() && counts.iter().all(Option::is_none) {
            return Err("`of_first` goes with `at_least` or `at_most`".to_owned());
        }
        if self.of_first == Some(0) || self.at_least > self.of_first && self.of_first.is_some() {
            return Err("`of_first` must be at least 1 and not less than `at_least`".to_owned());
        }
        let has_share = self.least_share.or(self.most_share).is_some();
        if !has_share && counts.iter().all(Option::is_none) {
            return Err("a band needs `least_share`, `most_share`, `at_least` or `at_most`".to_owned());
        }
        Ok(())
    }
}
