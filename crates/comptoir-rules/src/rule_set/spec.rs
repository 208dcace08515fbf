use std::collections::BTreeMap;

use comptoir_types::config;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::error::RuleSetError;
use super::table::TableSpec;
use crate::rollout::Share;

/// A rule set as data: the same in YAML and in JSON. Unknown fields are refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSetSpec {
    /// The form of the file: 1, or 0 where it is not said.
    pub format: u32,
    /// What the set is called.
    pub name: String,
    /// The author's label of this state of the set; it is in every decision.
    #[serde(deserialize_with = "text_or_number")]
    pub version: String,
    /// What it is for.
    pub description: String,
    /// What expressions may refer to.
    pub environment: EnvironmentSpec,
    /// The moment of an event, an expression of type timestamp. Rules with `valid_from` or `valid_until` need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Values that rules share: `variables.NAME` in expressions. Each is computed once for an event, if it is needed.
    pub variables: Vec<VariableSpec>,
    /// Names and types of outputs. Where there are any, rules may give no others.
    pub outputs: BTreeMap<String, String>,
    /// Which of the rules that apply count.
    pub hit_policy: HitPolicy,
    /// The work that one clause, variable or output may take for one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// The rules, in order.
    pub rules: Vec<RuleSpec>,
    /// Decision tables; their rows are rules after those of `rules`.
    pub tables: Vec<TableSpec>,
}

/// Types and variables that expressions may refer to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnvironmentSpec {
    /// Struct types: fields with their types.
    pub types: BTreeMap<String, BTreeMap<String, String>>,
    /// Variables with their types.
    pub variables: BTreeMap<String, String>,
}

/// A value with a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableSpec {
    /// `NAME` of `variables.NAME`.
    pub name: String,
    /// The expression.
    pub expression: String,
}

/// A rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSpec {
    /// Its name, unique in the set.
    pub id: String,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The condition, of type bool; none is always true.
    pub when: String,
    /// What it gives.
    pub outputs: BTreeMap<String, OutputSpec>,
    /// Under the hit policy `priority` the highest counts first.
    pub priority: i64,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The first moment at which it applies, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// The first moment at which it no longer applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// The units for which it counts; for all where none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Box<RolloutSpec>>,
    /// Whether it counts.
    pub mode: Mode,
}

/// A rule for a share of units; see [`rollout`](crate::rollout). Raising the share keeps the units that are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutSpec {
    /// The id of the unit: an expression of type string, int or uint, such as `user.id`.
    pub unit: String,
    /// The share of units, such as `0.01` or `1%`.
    pub share: Share,
    /// Rules with one salt take the same units first. The rule's id, where none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// An output: a literal, or an expression as `{cel: "..."}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutputSpec {
    /// An expression.
    Cel(CelSpec),
    /// A value as it is.
    Literal(#[serde(serialize_with = "sorted")] Json),
}

/// An expression in the place of a literal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CelSpec {
    /// The expression.
    pub cel: String,
}

/// Which of the rules that apply count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HitPolicy {
    /// The first in order.
    First,
    /// Each gives its outputs.
    #[default]
    All,
    /// The one with the highest priority, of equal ones the first.
    Priority,
    /// Each, and the values of an output are gathered in a list.
    Collect,
}

impl HitPolicy {
    /// Whether one rule at most counts.
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(self, Self::First | Self::Priority)
    }
}

/// Whether a rule counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It counts.
    #[default]
    Enforce,
    /// It is evaluated and reported, and changes nothing.
    Shadow,
    /// It is checked when the set is built, and never evaluated.
    Off,
}

impl RuleSetSpec {
    /// Reads a set from YAML.
    ///
    /// # Errors
    /// `RULES_SET_SYNTAX` with the path of the field.
    pub fn from_yaml(text: &str) -> Result<Self, RuleSetError> {
        // A file that was cut off is not to switch all rules off.
        if text.lines().all(|line| matches!(line.trim(), "" | "---" | "...") || line.trim().starts_with('#'))
        {
            return Err(RuleSetError::invalid(
                ".",
                "there is nothing in the text: a set without rules is `rules: []`",
            ));
        }
        let spec: Self = read_yaml(text)?;
        spec.checked()
    }

    /// Reads a set from JSON.
    ///
    /// # Errors
    /// As [`RuleSetSpec::from_yaml`].
    pub fn from_json(text: &str) -> Result<Self, RuleSetError> {
        config::from_json::<Self>(text)?.checked()
    }

    /// The set as JSON, with every field: what two equal sets have in common.
    ///
    /// # Errors
    /// `RULES_SET_INVALID` if serialisation fails, which no set is known to do.
    pub fn to_json(&self) -> Result<String, RuleSetError> {
        serde_json::to_string(self).map_err(|error| RuleSetError::invalid(".", error.to_string()))
    }

    /// The first 16 bytes of the SHA-256 of [`RuleSetSpec::to_json`], in hexadecimal.
    pub(super) fn content_hash(&self) -> Result<String, RuleSetError> {
        let mut hasher = Sha256::new();
        serde_json::to_writer(Sink(&mut hasher), self)
            .map_err(|error| RuleSetError::invalid(".", error.to_string()))?;
        let digest = hasher.finalize();
        Ok(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    fn checked(self) -> Result<Self, RuleSetError> {
        if self.format > 1 {
            return Err(RuleSetError::invalid("format", format!("expected 1, found {}", self.format)));
        }
        Ok(self)
    }
}

/// Open brackets at one place of a YAML text: the reader takes time by their square.
const MAX_OPEN: u32 = 2_000;

/// Reads YAML from whoever sends it: brackets that only open are refused before the reader sees them.
pub(super) fn read_yaml<T: DeserializeOwned>(text: &str) -> Result<T, RuleSetError> {
    let mut open = 0_u32;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' | b'(' => open += 1,
            b']' | b'}' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_OPEN {
            return Err(RuleSetError::syntax(".", format!("more than {MAX_OPEN} brackets are open at once")));
        }
    }
    Ok(config::read(serde_yaml_ng::Deserializer::from_str(text))?)
}

struct Sink<'h>(&'h mut Sha256);

impl std::io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Fields of objects by name: the order in which a literal is written does not matter, whatever map `serde_json` uses.
fn sorted<S: Serializer>(json: &Json, serializer: S) -> Result<S::Ok, S::Error> {
    Sorted(json).serialize(serializer)
}

struct Sorted<'j>(&'j Json);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Json::Object(fields) => {
                let fields: BTreeMap<&str, Sorted<'_>> =
                    fields.iter().map(|(name, value)| (name.as_str(), Sorted(value))).collect();
                fields.serialize(serializer)
            }
            Json::Array(values) => serializer.collect_seq(values.iter().map(Sorted)),
            other => other.serialize(serializer),
        }
    }
}

/// A version such as `7` or `2026-11-24` may stand without quotes.
fn text_or_number<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<String, D::Error> {
    match Json::deserialize(reader)? {
        Json::String(text) => Ok(text),
        Json::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("expected text or a number")),
    }
}
