use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

/// By what items are ranked, the highest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ScoreSpec {
    /// A number in CEL.
    Expression(String),
    /// The sum of named terms, weight times value, added in this order as doubles.
    Terms(Vec<TermSpec>),
}

/// A part of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermSpec {
    /// Its name in explanations.
    pub name: String,
    /// A number in CEL.
    pub value: String,
    /// By what it is multiplied in the end.
    #[serde(default = "one")]
    pub weight: f64,
    /// The value, after all steps, of an item that has none. Without it such an item has no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<f64>,
    /// What makes values comparable, one step after the other.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub normalise: Vec<Step>,
    /// Among which candidates min-max, z-score, percentile and quantiles compare a value.
    #[serde(default)]
    pub over: Population,
}

/// Among which candidates a value is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Population {
    /// Those of its group.
    #[default]
    Group,
    /// Those of all groups.
    All,
}

/// A step of a normaliser: a word for one without settings, else a map from the word to its settings.
///
/// Formulas and sources stand at the functions of [`normalise`](crate::normalise).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// ln(1 + value): [`log1p`](crate::normalise::log1p).
    Log1p,
    /// The value between fixed bounds: [`cap`](crate::normalise::cap).
    Cap(CapStep),
    /// The value between two quantiles of all values: [`quantile`](crate::normalise::quantile).
    CapQuantile(QuantileStep),
    /// Another value where there is too little evidence.
    Floor(FloorStep),
    /// 0 for the smallest and 1 for the largest: [`Spread::min_max`](crate::normalise::Spread::min_max).
    MinMax(MinMaxStep),
    /// How many standard deviations from the mean: [`Spread::z_score`](crate::normalise::Spread::z_score).
    ZScore(ZScoreStep),
    /// The share of values that are smaller: [`percentile`](crate::normalise::percentile).
    Percentile,
    /// Half of it after each half-life: [`half_life`](crate::normalise::half_life).
    HalfLife(HalfLifeStep),
    /// Votes by age: [`hacker_news`](crate::normalise::hacker_news).
    HackerNews(HackerNewsStep),
    /// Points and the time of posting: [`reddit_hot`](crate::normalise::reddit_hot).
    RedditHot(RedditHotStep),
    /// The share that is certain: [`wilson_lower`](crate::normalise::wilson_lower) of the value as successes.
    Wilson(WilsonStep),
    /// A mean that is drawn to a prior: [`bayesian_average`](crate::normalise::bayesian_average) of the value as a sum.
    Bayesian(BayesianStep),
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty $(= $default:literal)?,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* $(#[serde(default = $default)])? pub $field: $ty,)*
        }
    )*};
}

settings! {
    /// Bounds; none is no bound.
    CapStep {
        /// What is less counts as this.
        low: Option<f64> = "none",
        /// What is more counts as this.
        high: Option<f64> = "none",
    }
    /// Bounds as shares of all values, 0 to 1.
    QuantileStep {
        /// What is less than this quantile counts as it.
        low: f64 = "zero",
        /// What is more than this quantile counts as it.
        high: f64 = "one",
    }
    /// A floor under the evidence, such as a number of orders.
    FloorStep {
        /// A number in CEL.
        of: String,
        /// How much of it there must be.
        least: f64,
        /// The value of an item with less.
        below: f64 = "zero",
    }
    /// Bounds; where one is not given it is the end of all values.
    MinMaxStep {
        /// What becomes 0.
        low: Option<f64> = "none",
        /// What becomes 1.
        high: Option<f64> = "none",
    }
    /// Mean and standard deviation; where one is not given it is that of all values.
    ZScoreStep {
        /// What becomes 0.
        mean: Option<f64> = "none",
        /// What becomes 1 beside the mean.
        deviation: Option<f64> = "none",
    }
    /// Exponential decay.
    HalfLifeStep {
        /// When the item or event was: a moment in CEL.
        since: String,
        /// Days after which half is left.
        days: f64,
    }
    /// The order of Hacker News.
    HackerNewsStep {
        /// When the item was posted: a moment in CEL.
        since: String,
        /// The power of the age.
        gravity: f64 = "gravity",
    }
    /// The order of Reddit.
    RedditHotStep {
        /// When the item was posted: a moment in CEL.
        since: String,
    }
    /// The lower end of a confidence interval for a share.
    WilsonStep {
        /// How many trials there were: a number in CEL.
        trials: String,
        /// The quantile of the normal distribution: 1.96 for 95 %.
        z: f64 = "z_of_95_percent",
    }
    /// A mean of few ratings.
    BayesianStep {
        /// How many ratings the value is the sum of: a number in CEL.
        count: String,
        /// The mean to which it is drawn.
        prior: f64,
        /// How many ratings the prior counts as.
        weight: f64,
    }
}

const fn none() -> Option<f64> {
    None
}

const fn zero() -> f64 {
    0.0
}

const fn one() -> f64 {
    1.0
}

const fn gravity() -> f64 {
    1.8
}

const fn z_of_95_percent() -> f64 {
    1.959_963_984_540_054
}

impl Step {
    /// Whether the step compares a value with those of other candidates.
    #[must_use]
    pub const fn needs_all(&self) -> bool {
        match self {
            Self::CapQuantile(_) | Self::Percentile => true,
            Self::MinMax(step) => step.low.is_none() || step.high.is_none(),
            Self::ZScore(step) => step.mean.is_none() || step.deviation.is_none(),
            _ => false,
        }
    }

    /// Whether the step reads the age of an item.
    #[must_use]
    pub const fn needs_now(&self) -> bool {
        matches!(self, Self::HalfLife(_) | Self::HackerNews(_))
    }
}

const WORDS: &[&str] = &[
    "log1p",
    "cap",
    "cap_quantile",
    "floor",
    "min_max",
    "z_score",
    "percentile",
    "half_life",
    "hacker_news",
    "reddit_hot",
    "wilson",
    "bayesian",
];

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(StepVisitor)
    }
}

/// Written out, since YAML would take a derived enum for a tag.
struct StepVisitor;

impl<'de> Visitor<'de> for StepVisitor {
    type Value = Step;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a normaliser such as `log1p` or `{cap: {high: 100}}`")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Step, E> {
        Ok(match word {
            "log1p" => Step::Log1p,
            "min_max" => Step::MinMax(MinMaxStep { low: None, high: None }),
            "z_score" => Step::ZScore(ZScoreStep { mean: None, deviation: None }),
            "percentile" => Step::Percentile,
            word if WORDS.contains(&word) => {
                return Err(E::custom(format!("`{word}` needs settings: write `{{{word}: {{...}}}}`")));
            }
            word => return Err(E::unknown_variant(word, WORDS)),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
        let word: String = map.next_key()?.ok_or_else(|| A::Error::custom("expected a normaliser"))?;
        let step = match word.as_str() {
            "log1p" => map.next_value::<Nothing>().map(|_| Step::Log1p),
            "percentile" => map.next_value::<Nothing>().map(|_| Step::Percentile),
            "cap" => map.next_value().map(Step::Cap),
            "cap_quantile" => map.next_value().map(Step::CapQuantile),
            "floor" => map.next_value().map(Step::Floor),
            "min_max" => map.next_value().map(Step::MinMax),
            "z_score" => map.next_value().map(Step::ZScore),
            "half_life" => map.next_value().map(Step::HalfLife),
            "hacker_news" => map.next_value().map(Step::HackerNews),
            "reddit_hot" => map.next_value().map(Step::RedditHot),
            "wilson" => map.next_value().map(Step::Wilson),
            "bayesian" => map.next_value().map(Step::Bayesian),
            word => return Err(A::Error::unknown_variant(word, WORDS)),
        }?;
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("expected one normaliser: write several as a list"));
        }
        Ok(step)
    }
}

/// Settings of a step that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A list of steps, or one step.
fn one_or_many<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<Step>, D::Error> {
    struct Steps;
    impl<'de> Visitor<'de> for Steps {
        type Value = Vec<Step>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a normaliser or a list of them")
        }

        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Self::Value, E> {
            Ok(vec![StepVisitor.visit_str(word)?])
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Ok(vec![StepVisitor.visit_map(map)?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(list))
        }
    }
    reader.deserialize_any(Steps)
}

impl<'de> Deserialize<'de> for ScoreSpec {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Score;
        impl<'de> Visitor<'de> for Score {
            type Value = ScoreSpec;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an expression or a list of terms")
            }

            fn visit_str<E: serde::de::Error>(self, source: &str) -> Result<ScoreSpec, E> {
                Ok(ScoreSpec::Expression(source.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ScoreSpec, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(ScoreSpec::Terms)
            }
        }
        reader.deserialize_any(Score)
    }
}
