//! Scores of candidates: an expression, or terms with what makes them comparable.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use arrow_schema::Schema;
use comptoir_rules::Env;
use comptoir_rules::value::Timestamp;

use super::compile::Expression;
use super::error::BoardError;
use super::memo;
use super::numbers::NumberKind;
use super::population::{Codes, Ends, Spreads, percentiles};
use super::report::Faults;
use super::spec::{Population, Reads, ScoreSpec, Step, TermSpec};
use crate::normalise;

/// How the score of a board is made.
#[derive(Debug)]
pub enum Scorer {
    /// A number in CEL.
    Expression(Expression, NumberKind),
    /// A sum of terms.
    Terms(Vec<Term>),
}

/// A term, compiled.
#[derive(Debug)]
pub struct Term {
    spec: TermSpec,
    value: Expression,
    /// What each step reads beside the value.
    others: Vec<Option<Other>>,
    /// Names of its values and of what the steps make of them, by which boards share them; none where they depend on
    /// other rows.
    shared: Option<[String; 2]>,
}

#[derive(Debug)]
enum Other {
    Number(Expression),
    Moment(Expression),
}

/// The scores of a batch.
#[derive(Debug)]
pub struct Scored {
    /// The kind of the scores.
    pub kind: NumberKind,
    /// One for each row; null and NaN are none.
    pub scores: ArrayRef,
    /// The values of each term; none where the score is an expression.
    pub terms: Vec<TermValues>,
}

/// The values of a term for each row.
#[derive(Debug, Clone)]
pub struct TermValues {
    /// What the expression gave.
    pub value: ScalarBuffer<f64>,
    /// What the steps made of it.
    pub normalised: ScalarBuffer<f64>,
}

/// Candidates of which scores are made.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'b> {
    /// The rows.
    pub batch: &'b RecordBatch,
    /// Which of them are candidates.
    pub chosen: &'b BooleanBuffer,
    /// The number of the group of each row, where values are compared within groups.
    pub groups: &'b [u32],
}

impl Scorer {
    /// Compiles the score of a spec.
    pub fn new(spec: &ScoreSpec, env: &Env) -> Result<Self, BoardError> {
        match spec {
            ScoreSpec::Expression(source) => {
                let (number, kind) = Expression::number(env, "score", source)?;
                Ok(Self::Expression(number, kind))
            }
            ScoreSpec::Terms(terms) => {
                let terms = terms.iter().enumerate();
                let terms = terms.map(|(place, term)| Term::new(&format!("score[{place}]"), term, env));
                Ok(Self::Terms(terms.collect::<Result<_, _>>()?))
            }
        }
    }

    /// Adds the columns that it reads, by their place in the schema.
    pub fn reads(&self, schema: &Schema, columns: &mut BTreeSet<usize>) {
        match self {
            Self::Expression(expression, _) => expression.reads(schema, columns),
            Self::Terms(terms) => {
                for term in terms {
                    term.value.reads(schema, columns);
                    for other in term.others.iter().flatten() {
                        let (Other::Number(expression) | Other::Moment(expression)) = other;
                        expression.reads(schema, columns);
                    }
                }
            }
        }
    }

    /// The scores of candidates.
    pub fn score(
        &self,
        scene: Scene<'_>,
        now: Option<Timestamp>,
        faults: &mut Faults,
    ) -> Result<Scored, BoardError> {
        match self {
            Self::Expression(number, kind) => {
                let scores = number.numbers(*kind, scene.batch, scene.chosen, faults)?;
                Ok(Scored { kind: *kind, scores, terms: Vec::new() })
            }
            Self::Terms(terms) => {
                let mut sum = vec![0.0; scene.batch.num_rows()];
                let mut values = Vec::with_capacity(terms.len());
                for term in terms {
                    let term_values = term.values(scene, now, faults)?;
                    for (sum, value) in sum.iter_mut().zip(term_values.normalised.iter()) {
                        *sum += term.spec.weight * value;
                    }
                    values.push(term_values);
                }
                let scores: ArrayRef = Arc::new(Float64Array::from(sum));
                Ok(Scored { kind: NumberKind::Double, scores, terms: values })
            }
        }
    }
}

impl Term {
    fn new(path: &str, spec: &TermSpec, env: &Env) -> Result<Self, BoardError> {
        let (value, _) = Expression::number(env, &format!("{path}.value"), &spec.value)?;
        let other = |(place, step): (usize, &Step)| {
            let at = |field: &str| format!("{path}.normalise[{place}].{field}");
            Ok(match step.reads() {
                Some(Reads::Number(field, source)) => {
                    Some(Other::Number(Expression::number(env, &at(field), source)?.0))
                }
                Some(Reads::Moment(field, source)) => {
                    Some(Other::Moment(Expression::moment(env, &at(field), source)?))
                }
                None => None,
            })
        };
        let others = spec.normalise.iter().enumerate().map(other).collect::<Result<_, BoardError>>()?;
        let is_alone = !spec.normalise.iter().any(Step::needs_all);
        let content = format!("{:?}", (&spec.value, &spec.normalise, spec.missing));
        let shared = is_alone.then(|| [format!("value of {content}"), format!("term of {content}")]);
        Ok(Self { spec: spec.clone(), value, others, shared })
    }

    /// The values of a batch, taken from another board that has the same term.
    fn values(
        &self,
        scene: Scene<'_>,
        now: Option<Timestamp>,
        faults: &mut Faults,
    ) -> Result<TermValues, BoardError> {
        let known = |name: &String| {
            let array = memo::known(name, scene.batch)?;
            Some(array.as_primitive_opt::<Float64Type>()?.values().clone())
        };
        let names = self.shared.as_ref();
        if let Some((value, normalised)) = names.and_then(|[value, term]| Some((known(value)?, known(term)?)))
        {
            return Ok(TermValues { value, normalised });
        }
        let values = self.made(scene, now, faults)?;
        // Each board counts the faults of its own rows.
        let others = self.others.iter().flatten().map(|other| {
            let (Other::Number(expression) | Other::Moment(expression)) = other;
            expression
        });
        let is_faultless = others.chain([&self.value]).all(|expression| expression.is_known(scene.batch));
        if let Some([value, term]) = names.filter(|_| is_faultless) {
            for (name, values) in [(value, &values.value), (term, &values.normalised)] {
                let array: ArrayRef = Arc::new(Float64Array::new(values.clone(), None));
                memo::keep(name, scene.batch, &array);
            }
        }
        Ok(values)
    }

    fn made(
        &self,
        scene: Scene<'_>,
        now: Option<Timestamp>,
        faults: &mut Faults,
    ) -> Result<TermValues, BoardError> {
        let value = self.value.doubles(scene.batch, scene.chosen, faults)?;
        let mut normalised = value.clone();
        for (step, other) in self.spec.normalise.iter().zip(&self.others) {
            let other = match other {
                None => Vec::new(),
                Some(Other::Number(number)) => number.doubles(scene.batch, scene.chosen, faults)?,
                Some(Other::Moment(moment)) => moment.seconds(scene.batch, scene.chosen, faults)?,
            };
            self.apply(step, &mut normalised, &other, scene, now)?;
        }
        if let Some(missing) = self.spec.missing {
            normalised.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = missing);
        }
        Ok(TermValues { value: value.into(), normalised: normalised.into() })
    }

    fn apply(
        &self,
        step: &Step,
        values: &mut [f64],
        other: &[f64],
        scene: Scene<'_>,
        now: Option<Timestamp>,
    ) -> Result<(), BoardError> {
        if step.needs_all() || matches!(step, Step::MinMax(_) | Step::ZScore(_)) {
            let codes = Codes { of_rows: scene.groups, is_one: self.spec.over == Population::All };
            among(step, values, codes, scene.chosen);
            return Ok(());
        }
        alone(step, values, other, now)
    }
}

/// A step that looks at one row.
fn alone(step: &Step, values: &mut [f64], other: &[f64], now: Option<Timestamp>) -> Result<(), BoardError> {
    let each = |values: &mut [f64], change: &dyn Fn(f64) -> f64| {
        values.iter_mut().for_each(|value| *value = change(*value));
    };
    let with = |values: &mut [f64], change: &dyn Fn(f64, f64) -> f64| {
        values.iter_mut().zip(other).for_each(|(value, other)| *value = change(*value, *other));
    };
    match step {
        Step::Log1p => each(values, &normalise::log1p),
        Step::Cap(cap) => {
            let (low, high) = (cap.low.unwrap_or(f64::NEG_INFINITY), cap.high.unwrap_or(f64::INFINITY));
            each(values, &|value| normalise::cap(value, low, high));
        }
        Step::Floor(floor) => {
            with(values, &|value, evidence| if evidence >= floor.least { value } else { floor.below });
        }
        Step::Wilson(wilson) => {
            with(values, &|value, trials| normalise::wilson_lower(value, trials, wilson.z));
        }
        Step::Bayesian(mean) => {
            with(values, &|value, count| normalise::bayesian_average(value, count, mean.prior, mean.weight));
        }
        Step::RedditHot(_) => with(values, &normalise::reddit_hot),
        Step::HalfLife(decay) => {
            let now = seconds(now)?;
            with(values, &|value, since| normalise::half_life(value, (now - since) / 86_400.0, decay.days));
        }
        Step::HackerNews(decay) => {
            let now = seconds(now)?;
            with(values, &|value, since| {
                normalise::hacker_news(value, (now - since) / 3_600.0, decay.gravity)
            });
        }
        Step::CapQuantile(_) | Step::MinMax(_) | Step::ZScore(_) | Step::Percentile => {}
    }
    Ok(())
}

/// A step that compares the rows of a population.
fn among(step: &Step, values: &mut [f64], codes: Codes<'_>, chosen: &BooleanBuffer) {
    match step {
        Step::CapQuantile(cap) => {
            let ends = Ends::quantiles(values, codes, chosen, (cap.low, cap.high));
            ends.change(values, codes, |value, (low, high)| normalise::cap(value, low, high));
        }
        Step::MinMax(ends) => {
            Spreads::of(values, codes, chosen).min_max(values, codes, (ends.low, ends.high));
        }
        Step::ZScore(score) => {
            Spreads::of(values, codes, chosen).z_score(values, codes, (score.mean, score.deviation));
        }
        Step::Percentile => percentiles(values, codes, chosen),
        _ => {}
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of this age are exact")]
fn seconds(now: Option<Timestamp>) -> Result<f64, BoardError> {
    let now =
        now.ok_or_else(|| BoardError::spec("score", "ages need `now`: say for when the board is made"))?;
    Ok(now.seconds() as f64 + f64::from(now.nanos()) / 1e9)
}
