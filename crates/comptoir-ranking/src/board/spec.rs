//! What a board is: one struct, the same JSON or YAML in every host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::BoardError;

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
    /// By what items are ranked: a number in CEL, the highest first.
    pub score: String,
    /// What decides between equal scores, before the item does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<TieSpec>,
    /// How many places a board has.
    pub k: usize,
    /// How many more are kept, for what takes the places of items that are moved or hidden.
    #[serde(default)]
    pub slack: usize,
}

/// A number that is made of events: exactly one of `sum`, `count`, `distinct`, `min`, `max`, `last` and `ratio`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSpec {
    /// The sum of a number in CEL. Integers and decimals are added exactly; so are doubles, and rounded once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
    /// How many events there are for which a condition in CEL is true; `"true"` counts all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    /// How many different values of a column there are; null is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<String>,
    /// The smallest value of a number in CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The largest value of a number in CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// The value of a number in CEL at the latest event by the column `by`; of several at one moment the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// One metric divided by another, as a double; no item has it where the other is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<[String; 2]>,
    /// For `last`: the column that says when an event was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Which events count for this metric: a condition in CEL, such as one on the last seven days.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
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

/// What a metric does with events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricKind<'s> {
    /// Adds a number.
    Sum(&'s str),
    /// Counts where a condition is true.
    Count(&'s str),
    /// Counts the values of a column.
    Distinct(&'s str),
    /// Keeps the smallest.
    Min(&'s str),
    /// Keeps the largest.
    Max(&'s str),
    /// Keeps the value at the latest moment of a column.
    Last(&'s str, &'s str),
    /// Divides one metric by another.
    Ratio(&'s str, &'s str),
}

const fn first_version() -> u32 {
    1
}

impl BoardSpec {
    /// Reads a spec from JSON text.
    ///
    /// # Errors
    /// [`BoardError::Spec`] with the path of the field.
    pub fn from_json(text: &str) -> Result<Self, BoardError> {
        // Without this, an array would be read as the fields in their order.
        if !text.trim_start().starts_with('{') {
            return Err(BoardError::spec(".", "expected a JSON object"));
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let spec: Self = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            BoardError::spec(&path, error.into_inner())
        })?;
        reader.end().map_err(|error| BoardError::spec(".", error))?;
        spec.checked()
    }

    /// Reads a spec from YAML text.
    ///
    /// # Errors
    /// As [`BoardSpec::from_json`]; also for text whose brackets are nested deeper than a spec can need.
    pub fn from_yaml(text: &str) -> Result<Self, BoardError> {
        if let Some(line) = comptoir_types::yaml::too_deep(text) {
            return Err(BoardError::spec(".", format!("line {line}: brackets are nested too deeply")));
        }
        let reader = serde_yaml_ng::Deserializer::from_str(text);
        let spec: Self = serde_path_to_error::deserialize(reader).map_err(|error| {
            let path = error.path().to_string();
            BoardError::spec(&path, error.into_inner())
        })?;
        spec.checked()
    }

    /// The spec, if its parts go together. Expressions are checked when the columns are known.
    ///
    /// # Errors
    /// [`BoardError::Spec`] with the path of the field.
    pub fn checked(self) -> Result<Self, BoardError> {
        if self.version != 1 {
            return Err(BoardError::spec("version", format!("expected 1, found {}", self.version)));
        }
        if self.id.is_empty() {
            return Err(BoardError::spec("id", "a board needs a name"));
        }
        if self.k == 0 {
            return Err(BoardError::spec("k", "a board needs at least one place"));
        }
        if self.k.checked_add(self.slack).is_none_or(|kept| kept > MOST_KEPT) {
            return Err(BoardError::spec(
                "k",
                format!("a board keeps at most {MOST_KEPT} items with its slack"),
            ));
        }
        let columns: Vec<_> = self.group.iter().chain([&self.item]).collect();
        for (place, column) in columns.iter().enumerate() {
            if columns.iter().take(place).any(|other| other == column) {
                return Err(BoardError::spec("group", format!("column `{column}` is named twice")));
            }
        }
        for (name, metric) in &self.metrics {
            let path = format!("metrics.{name}");
            metric.kind().map_err(|reason| BoardError::spec(&path, reason))?;
            if columns.contains(&name) {
                return Err(BoardError::spec(&path, "a column of the group or the item has this name"));
            }
            if let Ok(MetricKind::Ratio(over, under)) = metric.kind() {
                self.check_ratio(&path, [over, under])?;
            }
        }
        if self.having.is_some() && self.metrics.is_empty() {
            return Err(BoardError::spec(
                "having",
                "there are no metrics: put the condition into `eligibility`",
            ));
        }
        Ok(self)
    }

    fn check_ratio(&self, path: &str, parts: [&str; 2]) -> Result<(), BoardError> {
        for part in parts {
            let other = self.metrics.get(part);
            let other =
                other.ok_or_else(|| BoardError::spec(path, format!("there is no metric `{part}`")))?;
            if other.ratio.is_some() {
                return Err(BoardError::spec(path, format!("`{part}` is a ratio itself")));
            }
        }
        Ok(())
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
}

/// Items that a board may keep of a group: all are sorted and their place is a 32-bit number.
const MOST_KEPT: usize = 10_000_000;

impl MetricSpec {
    /// What the metric does.
    ///
    /// # Errors
    /// A reason, where it names nothing, several things, or a `by` that does not go with them.
    pub fn kind(&self) -> Result<MetricKind<'_>, String> {
        let by = self.by.as_deref();
        let last = self.last.as_deref().map(|value| MetricKind::Last(value, by.unwrap_or_default()));
        let kinds = [
            self.sum.as_deref().map(MetricKind::Sum),
            self.count.as_deref().map(MetricKind::Count),
            self.distinct.as_deref().map(MetricKind::Distinct),
            self.min.as_deref().map(MetricKind::Min),
            self.max.as_deref().map(MetricKind::Max),
            last,
            self.ratio.as_ref().map(|[over, under]| MetricKind::Ratio(over, under)),
        ];
        let mut named = kinds.into_iter().flatten();
        let known = "sum, count, distinct, min, max, last, ratio";
        let kind = named.next().ok_or_else(|| format!("expected one of {known}"))?;
        if named.next().is_some() {
            return Err(format!("expected only one of {known}"));
        }
        match kind {
            MetricKind::Last(..) if by.is_none() => Err("`last` needs `by`, the column of time".to_owned()),
            MetricKind::Last(..) => Ok(kind),
            _ if by.is_some() => Err("`by` goes with `last` only".to_owned()),
            MetricKind::Ratio(..) if self.filter.is_some() => {
                Err("`where` does not go with `ratio`: it belongs to its parts".to_owned())
            }
            _ => Ok(kind),
        }
    }
}
