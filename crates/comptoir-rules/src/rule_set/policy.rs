use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::error::RuleSetError;
use super::spec::{
    CelSpec, EnvironmentSpec, HitPolicy, OutputSpec, RuleSetSpec, RuleSpec, VariableSpec, read_yaml,
};
use crate::limits::Limits;
use crate::syntax::{ExprId, ExprKind, parse};

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
    /// `output`, and `explanation` where there is one; the first that applies counts. A variable of a nested rule that
    /// hides another one, such as `limit`, is the variable `limit_2` of the set.
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
        let around = Around { scope: Scope::new(), id: String::new(), when: String::new() };
        flatten(&mut spec, &policy.rule, "rule", &around)?;
        Ok(spec)
    }
}

/// New names of variables where another one has the name already: a rule's own variables hide those of the rules
/// around it, in its matches alone.
type Scope = HashMap<String, String>;

/// What holds for the rule inside a match.
struct Around {
    scope: Scope,
    id: String,
    when: String,
}

/// Adds the matches of a rule, under the conditions around it. A rule inside a match that gives nothing falls through
/// to the next match.
fn flatten(
    spec: &mut RuleSetSpec,
    rule: &PolicyRule,
    path: &str,
    around: &Around,
) -> Result<(), RuleSetError> {
    let scope = declare(spec, &rule.variables, &around.scope);
    for (index, one) in rule.r#match.iter().enumerate() {
        let path = format!("{path}.match[{index}]");
        let dot = if around.id.is_empty() { "" } else { "." };
        let id = format!("{}{dot}match[{index}]", around.id);
        let when = both(&around.when, &renamed(one.condition.as_deref().unwrap_or("true"), &scope));
        match (&one.output, &one.rule) {
            (Some(output), None) => {
                let mut outputs = BTreeMap::from([("output".to_owned(), cel(output, &scope))]);
                if let Some(explanation) = &one.explanation {
                    outputs.insert("explanation".to_owned(), cel(explanation, &scope));
                }
                let description = if rule.id.is_empty() { &rule.description } else { &rule.id };
                let description = description.clone();
                spec.rules.push(RuleSpec { id, description, when, outputs, ..RuleSpec::default() });
            }
            (None, Some(inner)) => {
                let inside = Around { scope: scope.clone(), id: format!("{id}.rule"), when };
                flatten(spec, inner, &format!("{path}.rule"), &inside)?;
            }
            _ => return Err(RuleSetError::invalid(path, "a match has either `output` or `rule`")),
        }
    }
    Ok(())
}

/// Adds the variables of a rule, each of which knows those before it. One whose name is taken by a rule around or
/// beside gets a new one; a name twice in one rule is left to be refused.
fn declare(spec: &mut RuleSetSpec, variables: &[VariableSpec], around: &Scope) -> Scope {
    let is_taken = |variables: &[VariableSpec], name: &str| variables.iter().any(|other| other.name == *name);
    let others = spec.variables.len();
    let mut scope = around.clone();
    for variable in variables {
        let expression = renamed(&variable.expression, &scope);
        let mut name = variable.name.clone();
        if is_taken(spec.variables.get(..others).unwrap_or(&[]), &name) {
            let mut number = 2_u32;
            while is_taken(&spec.variables, &name) {
                name = format!("{}_{number}", variable.name);
                number += 1;
            }
            scope.insert(variable.name.clone(), name.clone());
        } else {
            scope.remove(&variable.name);
        }
        spec.variables.push(VariableSpec { name, expression });
    }
    scope
}

/// An expression with variables under their new names.
fn renamed(source: &str, scope: &Scope) -> String {
    let mut text = source.to_owned();
    if scope.is_empty() {
        return text;
    }
    // A fault of the source is found where it is compiled.
    let Ok(ast) = parse(source, &Limits::default()) else { return text };
    let ids = (0..u32::try_from(ast.len()).unwrap_or(u32::MAX)).map(ExprId);
    let mut places: Vec<(usize, &str, &str)> = ids
        .filter_map(|id| {
            let ExprKind::Select { operand, field, .. } = &ast.get(id).kind else { return None };
            let ExprKind::Ident(root) = &ast.get(*operand).kind else { return None };
            let (old, new) = scope.get_key_value(&**field)?;
            let is_variable = root.trim_start_matches('.') == "variables";
            is_variable.then_some((ast.get(id).span.end as usize, &**old, &**new))
        })
        .collect();
    // From the end, so that the places before stay right.
    places.sort_unstable_by_key(|place| std::cmp::Reverse(place.0));
    for (end, old, new) in places {
        let start = end.saturating_sub(old.len());
        if text.get(start..end) == Some(old) {
            text.replace_range(start..end, new);
        }
    }
    text
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

fn cel(source: &str, scope: &Scope) -> OutputSpec {
    OutputSpec::Cel(CelSpec { cel: renamed(source, scope) })
}
