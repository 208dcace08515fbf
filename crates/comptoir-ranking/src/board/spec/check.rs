//! Whether the parts of a spec go together.

use std::collections::HashSet;

use super::{BoardSpec, Effect, InterventionSpec, MetricKind, ScoreSpec, Step, TermSpec, moment};
use crate::board::error::BoardError;

/// Items that a board may keep of a group: all are sorted and their place is a 32-bit number.
const MOST_KEPT: usize = 10_000_000;

/// Columns that a result has of its own.
const OF_RESULT: &[&str] = &["position", "score", "organic_position", "organic_score"];

impl BoardSpec {
    /// The spec, if its parts go together and its expressions are such. What names mean in them, and whether their types
    /// go, is checked when the columns are known.
    ///
    /// # Errors
    /// [`BoardError::Spec`], and [`BoardError::Expression`] for text that is no expression, with the path of the field.
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
            let reason = format!("a board keeps at most {MOST_KEPT} items with its slack");
            return Err(BoardError::spec("k", reason));
        }
        self.check_names()?;
        self.check_metrics()?;
        self.check_score()?;
        self.check_interventions()?;
        self.check_constraints()?;
        self.check_syntax()?;
        Ok(self)
    }

    /// Columns of the group and the item are different, and no metric has their name or one of the result.
    fn check_names(&self) -> Result<(), BoardError> {
        let mut seen = HashSet::new();
        for column in self.group.iter().chain([&self.item]) {
            if !seen.insert(column) {
                return Err(BoardError::spec("group", format!("column `{column}` is named twice")));
            }
        }
        for name in self.metrics.keys() {
            if seen.contains(name) {
                let path = format!("metrics.{name}");
                return Err(BoardError::spec(&path, "a column of the group or the item has this name"));
            }
        }
        for name in self.group.iter().chain([&self.item]).chain(&self.show.columns) {
            if OF_RESULT.contains(&name.as_str()) {
                let reason = format!("the result has a column `{name}` of its own: rename this one");
                return Err(BoardError::spec("show.columns", reason));
            }
        }
        let mut shown = HashSet::new();
        if let Some(place) = self.show.columns.iter().position(|name| !shown.insert(name)) {
            return Err(BoardError::spec(&format!("show.columns[{place}]"), "the column is shown already"));
        }
        if self.show.metrics && self.metrics.is_empty() {
            return Err(BoardError::spec("show.metrics", "there are no metrics: name columns in `columns`"));
        }
        Ok(())
    }

    fn check_metrics(&self) -> Result<(), BoardError> {
        for (name, metric) in &self.metrics {
            let path = format!("metrics.{name}");
            let kind = metric.kind().map_err(|reason| BoardError::spec(&path, reason))?;
            let window = metric.window_hours();
            let window = window.map_err(|reason| BoardError::spec(&format!("{path}.window"), reason))?;
            match kind {
                MetricKind::Ratio(over, under) => self.check_ratio(&path, [over, under])?,
                MetricKind::Last(_, None) if self.time.is_none() => {
                    let reason = "`last` needs `by`, the column of time, or `time` in the spec";
                    return Err(BoardError::spec(&path, reason));
                }
                _ => {}
            }
            if window.is_some() && self.time.is_none() {
                let reason = "a window needs `time` in the spec, the column that says when an event was";
                return Err(BoardError::spec(&format!("{path}.window"), reason));
            }
        }
        if self.having.is_some() && self.metrics.is_empty() {
            let reason = "there are no metrics: put the condition into `eligibility`";
            return Err(BoardError::spec("having", reason));
        }
        Ok(())
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

    fn check_score(&self) -> Result<(), BoardError> {
        let ScoreSpec::Terms(terms) = &self.score else {
            return if self.show.terms {
                Err(BoardError::spec("show.terms", "the score is an expression and has no terms"))
            } else {
                Ok(())
            };
        };
        if terms.is_empty() {
            return Err(BoardError::spec("score", "expected at least one term"));
        }
        let mut seen = HashSet::new();
        for (place, term) in terms.iter().enumerate() {
            let path = format!("score[{place}]");
            if term.name.is_empty() || !seen.insert(&term.name) {
                let reason = format!("`{}`: terms need names that differ", term.name);
                return Err(BoardError::spec(&format!("{path}.name"), reason));
            }
            check_term(&path, term)?;
        }
        Ok(())
    }

    fn check_interventions(&self) -> Result<(), BoardError> {
        let bounds = &self.boost_bounds;
        if !(bounds.factor >= 1.0 && bounds.factor.is_finite()) {
            return Err(BoardError::spec("boost_bounds.factor", "expected a number from 1 on"));
        }
        if bounds.addition.is_some_and(|most| !(most > 0.0 && most.is_finite())) {
            return Err(BoardError::spec("boost_bounds.addition", "expected a number above 0"));
        }
        let mut seen = HashSet::new();
        for (place, intervention) in self.interventions.iter().enumerate() {
            let path = format!("interventions[{place}]");
            if intervention.id.is_empty() || !seen.insert(&intervention.id) {
                let reason = format!("`{}`: interventions need ids that differ", intervention.id);
                return Err(BoardError::spec(&format!("{path}.id"), reason));
            }
            self.check_intervention(&path, intervention)?;
        }
        Ok(())
    }

    fn check_intervention(&self, path: &str, intervention: &InterventionSpec) -> Result<(), BoardError> {
        let at = |field: &str, reason: &str| {
            let path = if field.is_empty() { path.to_owned() } else { format!("{path}.{field}") };
            Err(BoardError::spec(&path, format!("`{}`: {reason}", intervention.id)))
        };
        let effect = match intervention.effect() {
            Ok(effect) => effect,
            Err((field, reason)) => return at(field, &reason),
        };
        let has_items = !intervention.items.is_empty();
        match effect {
            Effect::Pin(_) if !has_items || intervention.when.is_some() => {
                return at("pin", "a pin needs `items`, and no `when`");
            }
            Effect::Addition(_) if self.boost_bounds.addition.is_none() => {
                return at("", "to add to a score needs a bound: set `boost_bounds: {addition: ...}`");
            }
            _ if has_items == intervention.when.is_some() => {
                return at("", "expected one of `items` and `when`");
            }
            _ => {}
        }
        let is_item = |item: &serde_json::Value| item.is_string() || item.is_i64() || item.is_u64();
        if !intervention.items.iter().all(is_item) {
            return at("items", "items are texts or integers");
        }
        let bound = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| moment(&format!("{path}.{field}"), text)).transpose()
        };
        let from = bound("valid_from", &intervention.valid_from)?;
        let until = bound("valid_until", &intervention.valid_until)?;
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            return at("valid_until", "it never counts, since this is not after `valid_from`");
        }
        Ok(())
    }

    fn check_constraints(&self) -> Result<(), BoardError> {
        let mut seen = HashSet::new();
        for (place, constraint) in self.constraints.iter().enumerate() {
            let path = format!("constraints[{place}]");
            if constraint.id.is_empty() || !seen.insert(&constraint.id) {
                let reason = format!("`{}`: constraints need ids that differ", constraint.id);
                return Err(BoardError::spec(&format!("{path}.id"), reason));
            }
            constraint.kind().map_err(|(field, reason)| {
                let path = if field.is_empty() { path } else { format!("{path}.{field}") };
                BoardError::spec(&path, format!("`{}`: {reason}", constraint.id))
            })?;
        }
        if let Some(diversity) = &self.diversity {
            if !(0.0..=1.0).contains(&diversity.lambda) {
                return Err(BoardError::spec("diversity.lambda", "expected a number from 0 to 1"));
            }
            if diversity.key.is_some() == diversity.vector.is_some() {
                return Err(BoardError::spec("diversity", "expected one of `key` and `vector`"));
            }
        }
        Ok(())
    }
}

fn check_term(path: &str, term: &TermSpec) -> Result<(), BoardError> {
    let at = |field: &str, reason: &str| Err(BoardError::spec(&format!("{path}.{field}"), reason));
    if !term.weight.is_finite() {
        return at("weight", "expected a number");
    }
    if term.missing.is_some_and(f64::is_nan) {
        return at("missing", "expected a number");
    }
    for (place, step) in term.normalise.iter().enumerate() {
        if let Some(reason) = wrong_settings(step) {
            return at(&format!("normalise[{place}]"), reason);
        }
    }
    Ok(())
}

/// Why the settings of a step cannot be.
fn wrong_settings(step: &Step) -> Option<&'static str> {
    let is_positive = |number: f64| number > 0.0 && number.is_finite();
    let ordered = |low: Option<f64>, high: Option<f64>| match (low, high) {
        (Some(low), Some(high)) => low < high,
        (low, high) => !low.or(high).is_some_and(f64::is_nan),
    };
    let (holds, reason) = match step {
        Step::Log1p | Step::Percentile | Step::RedditHot(_) => return None,
        Step::Cap(cap) => {
            let is_bound = cap.low.or(cap.high).is_some();
            (is_bound && ordered(cap.low, cap.high), "expected `low`, `high` or both, `low` below `high`")
        }
        Step::CapQuantile(cap) => (
            0.0 <= cap.low && cap.low < cap.high && cap.high <= 1.0,
            "expected quantiles from 0 to 1, `low` below `high`",
        ),
        Step::Floor(floor) => (!floor.least.is_nan() && !floor.below.is_nan(), "expected numbers"),
        Step::MinMax(ends) => (ordered(ends.low, ends.high), "expected `low` below `high`"),
        Step::ZScore(score) => (
            score.mean.is_none_or(f64::is_finite) && score.deviation.is_none_or(is_positive),
            "expected a finite `mean` and a `deviation` above 0",
        ),
        Step::HalfLife(decay) => (is_positive(decay.days), "expected `days` above 0"),
        Step::HackerNews(decay) => (is_positive(decay.gravity), "expected a `gravity` above 0"),
        Step::Wilson(wilson) => (wilson.z >= 0.0 && wilson.z.is_finite(), "expected a `z` from 0 on"),
        Step::Bayesian(mean) => (
            mean.prior.is_finite() && mean.weight >= 0.0 && mean.weight.is_finite(),
            "expected a finite `prior` and a `weight` from 0 on",
        ),
    };
    (!holds).then_some(reason)
}
