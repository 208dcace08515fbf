use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::RuleSetError;
use super::spec::{
    CelSpec, EnvironmentSpec, HitPolicy, OutputSpec, RuleSetSpec, RuleSpec, VariableSpec, read_yaml,
};

/// A policy in the form of cel-policy, as cel-go, cel-java and cel-cpp read it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    imports: Vec<Import>,
    rule: PolicyRule,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PolicyRule {
    id: String,
    description: String,
    variables: Vec<VariableSpec>,
    r#match: Vec<Match>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Match {
    condition: Option<String>,
    output: Option<String>,
    explanation: Option<String>,
    rule: Option<Box<PolicyRule>>,
}

impl RuleSetSpec {
    /// Reads a policy in the form of cel-policy (YAML). It names no variables of its own, so that the environment
    /// comes apart. Each match becomes a rule named after its place, such as `match[1].rule.match[0]`, with the output
    /// `output`, and `explanation` where there is one; the first that applies counts.
    ///
    /// # Errors
    /// `RULES_SET_SYNTAX` as [`RuleSetSpec::from_yaml`]; `RULES_SET_INVALID` for imports, which need messages of
    /// protocol buffers, and for a match with neither or both of `output` and `rule`.
    pub fn from_policy(text: &str, environment: EnvironmentSpec) -> Result<Self, RuleSetError> {
        let policy: Policy = read_yaml(text)?;
        if let Some(import) = policy.imports.first() {
            let message = format!("`{}` cannot be imported: messages are not supported", import.name);
            return Err(RuleSetError::invalid("imports[0]", message));
        }
        let mut spec = Self {
            format: 1,
            name: policy.name,
            description: policy.description,
            environment,
            hit_policy: HitPolicy::First,
            ..Self::default()
        };
        flatten(&mut spec, &policy.rule, "rule", "", "")?;
        Ok(spec)
    }
}

/// Adds the matches of a rule, under the conditions around it. A rule inside a match that gives nothing falls through
/// to the next match.
fn flatten(
    spec: &mut RuleSetSpec,
    rule: &PolicyRule,
    path: &str,
    id: &str,
    around: &str,
) -> Result<(), RuleSetError> {
    spec.variables.extend(rule.variables.iter().cloned());
    for (index, one) in rule.r#match.iter().enumerate() {
        let path = format!("{path}.match[{index}]");
        let id = if id.is_empty() { format!("match[{index}]") } else { format!("{id}.match[{index}]") };
        let when = both(around, one.condition.as_deref().unwrap_or("true"));
        match (&one.output, &one.rule) {
            (Some(output), None) => {
                let mut outputs = BTreeMap::from([("output".to_owned(), cel(output))]);
                if let Some(explanation) = &one.explanation {
                    outputs.insert("explanation".to_owned(), cel(explanation));
                }
                let description = if rule.id.is_empty() { &rule.description } else { &rule.id };
                let description = description.clone();
                spec.rules.push(RuleSpec { id, description, when, outputs, ..RuleSpec::default() });
            }
            (None, Some(inner)) => {
                flatten(spec, inner, &format!("{path}.rule"), &format!("{id}.rule"), &when)?
            }
            _ => return Err(RuleSetError::invalid(path, "a match has either `output` or `rule`")),
        }
    }
    Ok(())
}

fn both(around: &str, condition: &str) -> String {
    let is_always = |text: &str| text.is_empty() || text.trim() == "true";
    match (is_always(around), is_always(condition)) {
        (true, true) => String::new(),
        (true, false) => condition.to_owned(),
        (false, true) => around.to_owned(),
        (false, false) => format!("({around}) && ({condition})"),
    }
}

fn cel(source: &str) -> OutputSpec {
    OutputSpec::Cel(CelSpec { cel: source.to_owned() })
}
