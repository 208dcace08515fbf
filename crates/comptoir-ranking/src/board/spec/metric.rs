use serde::{Deserialize, Serialize};

/// A number that is made of events: exactly one of `sum`, `count`, `distinct`, `min`, `max`, `last` and `ratio`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// The smallest value of an expression in CEL: a number, a text, a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The largest value of an expression in CEL. Also for what is the same in all rows of an item, such as its brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// The value of an expression in CEL at the latest event by the column `by`; of several at one moment the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// One metric divided by another, as a double; no item has it where the other is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<[String; 2]>,
    /// For `last`: the column that says when an event was. The spec's `time`, where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How far back events count by the spec's `time`, in days or hours before `now`: `7d`, `24h`. What is later than
    /// `now` does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// Which events count for this metric: a condition in CEL, such as one on the last seven days.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
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
    /// Keeps the value at the latest moment of a column, by default of the spec's `time`.
    Last(&'s str, Option<&'s str>),
    /// Divides one metric by another.
    Ratio(&'s str, &'s str),
}

impl MetricSpec {
    /// What the metric does.
    ///
    /// # Errors
    /// A reason, where it names nothing, several things, or a `by` that does not go with them.
    pub fn kind(&self) -> Result<MetricKind<'_>, String> {
        let by = self.by.as_deref();
        let last = self.last.as_deref().map(|value| MetricKind::Last(value, by));
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
            MetricKind::Last(..) => Ok(kind),
            _ if by.is_some() => Err("`by` goes with `last` only".to_owned()),
            MetricKind::Ratio(..) if self.filter.is_some() || self.window.is_some() => {
                Err("`where` and `window` do not go with `ratio`: they belong to its parts".to_owned())
            }
            _ => Ok(kind),
        }
    }

    /// How far back events count, in hours.
    ///
    /// # Errors
    /// A reason for text that is no number of days or hours from 1 on.
    pub fn window_hours(&self) -> Result<Option<u32>, String> {
        let Some(text) = self.window.as_deref() else { return Ok(None) };
        let wrong = || format!("`{text}` is no window: write days or hours, as `7d` or `24h`");
        let (number, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
            (Some(days), _) => (days, 24),
            (_, Some(hours)) => (hours, 1),
            _ => return Err(wrong()),
        };
        let number: u32 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(hours).filter(|hours| (1..=MOST_HOURS).contains(hours)).map(Some).ok_or_else(wrong)
    }
}

/// A hundred years.
const MOST_HOURS: u32 = 876_600;
