//! The expressions of a spec, and whether each is one. Names and types are checked when the columns are known.

use comptoir_rules::{Limits, syntax};

use super::{BoardSpec, ConstraintSpec, InterventionSpec, MetricKind, ScoreSpec, Step, TermSpec};
use crate::board::error::BoardError;

/// What a step reads beside the value: the path of the field in the step, and the expression.
#[derive(Debug, Clone, Copy)]
pub(in crate::board) enum Reads<'s> {
    /// A number.
    Number(&'static str, &'s str),
    /// A moment.
    Moment(&'static str, &'s str),
}

impl BoardSpec {
    /// Whether the text of each expression is one.
    pub(super) fn check_syntax(&self) -> Result<(), BoardError> {
        parse_given("eligibility", self.eligibility.as_deref())?;
        for (name, metric) in &self.metrics {
            let path = format!("metrics.{name}");
            let kind = metric.kind().map_err(|reason| BoardError::spec(&path, reason))?;
            if let Some((field, source)) = expression_of(&kind) {
                parse(&format!("{path}.{field}"), source)?;
            }
            parse_given(&format!("{path}.where"), metric.filter.as_deref())?;
        }
        parse_given("having", self.having.as_deref())?;
        match &self.score {
            ScoreSpec::Expression(source) => parse("score", source)?,
            ScoreSpec::Terms(terms) => each("score", terms, check_term)?,
        }
        each("interventions", &self.interventions, check_intervention)?;
        each("constraints", &self.constraints, check_constraint)
    }
}

impl Step {
    /// What it reads beside the value.
    pub(in crate::board) fn reads(&self) -> Option<Reads<'_>> {
        Some(match self {
            Self::Floor(floor) => Reads::Number("floor.of", &floor.of),
            Self::Wilson(wilson) => Reads::Number("wilson.trials", &wilson.trials),
            Self::Bayesian(mean) => Reads::Number("bayesian.count", &mean.count),
            Self::HalfLife(decay) => Reads::Moment("half_life.since", &decay.since),
            Self::HackerNews(decay) => Reads::Moment("hacker_news.since", &decay.since),
            Self::RedditHot(hot) => Reads::Moment("reddit_hot.since", &hot.since),
            Self::Log1p | Self::Cap(_) | Self::CapQuantile(_) => return None,
            Self::MinMax(_) | Self::ZScore(_) | Self::Percentile => return None,
        })
    }
}

/// The field of a metric with an expression, and the expression.
const fn expression_of<'s>(kind: &MetricKind<'s>) -> Option<(&'static str, &'s str)> {
    match *kind {
        MetricKind::Sum(source) => Some(("sum", source)),
        MetricKind::Count(source) => Some(("count", source)),
        MetricKind::Min(source) => Some(("min", source)),
        MetricKind::Max(source) => Some(("max", source)),
        MetricKind::Last(source, _) => Some(("last", source)),
        MetricKind::Distinct(_) | MetricKind::Ratio(..) => None,
    }
}

fn check_term(path: &str, term: &TermSpec) -> Result<(), BoardError> {
    parse(&format!("{path}.value"), &term.value)?;
    each(&format!("{path}.normalise"), &term.normalise, |path, step| match step.reads() {
        Some(Reads::Number(field, source) | Reads::Moment(field, source)) => {
            parse(&format!("{path}.{field}"), source)
        }
        None => Ok(()),
    })
}

fn check_intervention(path: &str, intervention: &InterventionSpec) -> Result<(), BoardError> {
    parse_given(&format!("{path}.when"), intervention.when.as_deref())?;
    parse_given(&format!("{path}.group"), intervention.group.as_deref())?;
    parse_given(&format!("{path}.audience"), intervention.audience.as_deref())
}

fn check_constraint(path: &str, constraint: &ConstraintSpec) -> Result<(), BoardError> {
    if let Some(band) = &constraint.band {
        parse(&format!("{path}.band.when"), &band.when)?;
    }
    parse_given(&format!("{path}.group"), constraint.group.as_deref())
}

/// Checks the elements of a list, each with its path.
fn each<T>(
    list: &str,
    elements: &[T],
    check: impl Fn(&str, &T) -> Result<(), BoardError>,
) -> Result<(), BoardError> {
    let mut elements = elements.iter().enumerate();
    elements.try_for_each(|(place, element)| check(&format!("{list}[{place}]"), element))
}

fn parse_given(path: &str, source: Option<&str>) -> Result<(), BoardError> {
    source.map_or(Ok(()), |source| parse(path, source))
}

fn parse(path: &str, source: &str) -> Result<(), BoardError> {
    let parsed = syntax::parse(source, &Limits::default());
    parsed
        .map(drop)
        .map_err(|error| BoardError::Expression { path: path.to_owned(), source: Box::new(error.into()) })
}
