use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use super::error::RuleSetError;
use super::spec::{
    CelSpec, EnvironmentSpec, HitPolicy, OutputSpec, RuleSetSpec, RuleSpec, VariableSpec, read_yaml,
};
use crate::limits::Limits;
use crate::syntax::{Ast, ExprId, ExprKind, parse};

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
    /// `output`, and `explanation` where there is one; the first that applies counts. A variable of a nested rule with the
    /// name of another one, such as `limit`, is the variable `limit_2` of the set.
    ///
    /// # Errors
    /// `RULES_SET_SYNTAX` as [`RuleSetSpec::from_yaml`]; `RULES_SET_INVALID` for imports, which need messages of
    /// protocol buffers, for a match with neither or both of `output` and `rule`, and for a variable that is used where
    /// it is not seen: before it, or outside of the rule that has it.
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
        let mut declared = HashSet::new();
        declare_all(&policy.rule, &mut declared);
        let around = Around { scope: Scope::new(), id: String::new(), when: String::new() };
        Flattening { text, spec: &mut spec, declared }.rule(&policy.rule, "rule", &around)?;
        Ok(spec)
    }
}

/// The variables that an expression sees, and their names in the set, where names of all rules stand side by side.
type Scope = HashMap<String, String>;

/// What holds for the rule inside a match.
struct Around {
    scope: Scope,
    id: String,
    when: String,
}

/// A policy on its way to a set of rules.
struct Flattening<'f> {
    text: &'f str,
    spec: &'f mut RuleSetSpec,
    /// Names of the variables of all rules, seen or not.
    declared: HashSet<String>,
}

impl Flattening<'_> {
    /// Adds the matches of a rule, under the conditions around it. A rule inside a match that gives nothing falls through
    /// to the next match.
    fn rule(&mut self, rule: &PolicyRule, path: &str, around: &Around) -> Result<(), RuleSetError> {
        let scope = self.declare(&rule.variables, path, &around.scope)?;
        for (index, one) in rule.r#match.iter().enumerate() {
            let path = format!("{path}.match[{index}]");
            let dot = if around.id.is_empty() { "" } else { "." };
            let id = format!("{}{dot}match[{index}]", around.id);
            let condition = one.condition.as_deref().unwrap_or("true");
            let when = both(&around.when, &self.renamed(condition, &scope, &path, "condition")?);
            match (&one.output, &one.rule) {
                (Some(output), None) => {
                    let outputs = self.outputs(output, one.explanation.as_deref(), &scope, &path)?;
                    let description = if rule.id.is_empty() { &rule.description } else { &rule.id };
                    let description = description.clone();
                    self.spec.rules.push(RuleSpec { id, description, when, outputs, ..RuleSpec::default() });
                }
                (None, Some(inner)) => {
                    let inside = Around { scope: scope.clone(), id: format!("{id}.rule"), when };
                    self.rule(inner, &format!("{path}.rule"), &inside)?;
                }
                _ => return Err(RuleSetError::invalid(path, "a match has either `output` or `rule`")),
            }
        }
        Ok(())
    }

    fn outputs(
        &self,
        output: &str,
        explanation: Option<&str>,
        scope: &Scope,
        path: &str,
    ) -> Result<BTreeMap<String, OutputSpec>, RuleSetError> {
        let all = [("output", Some(output)), ("explanation", explanation)];
        let given = all.into_iter().filter_map(|(name, source)| Some((name, source?)));
        given
            .map(|(name, source)| {
                let cel = self.renamed(source, scope, path, name)?;
                Ok((name.to_owned(), OutputSpec::Cel(CelSpec { cel })))
            })
            .collect()
    }

    /// Adds the variables of a rule, each of which sees those before it and those of the rules around. One whose name is
    /// taken by another rule gets a new one; a name twice in one rule is left to be refused.
    fn declare(
        &mut self,
        variables: &[VariableSpec],
        path: &str,
        around: &Scope,
    ) -> Result<Scope, RuleSetError> {
        let is_taken =
            |variables: &[VariableSpec], name: &str| variables.iter().any(|other| other.name == *name);
        let others = self.spec.variables.len();
        let mut scope = around.clone();
        for (index, variable) in variables.iter().enumerate() {
            let path = format!("{path}.variables[{index}]");
            let expression = self.renamed(&variable.expression, &scope, &path, "expression")?;
            let mut name = variable.name.clone();
            if is_taken(self.spec.variables.get(..others).unwrap_or(&[]), &name) {
                let mut number = 2_u32;
                // A name that stands nowhere in the policy is seen by nobody else.
                while is_taken(&self.spec.variables, &name) || self.text.contains(&name) {
                    name = format!("{}_{number}", variable.name);
                    number += 1;
                }
            }
            scope.insert(variable.name.clone(), name.clone());
            self.spec.variables.push(VariableSpec { name, expression });
        }
        Ok(scope)
    }

    /// An expression with variables under their names in the set. One that only rules elsewhere have is refused: in the
    /// set it would be there.
    fn renamed(&self, source: &str, scope: &Scope, path: &str, field: &str) -> Result<String, RuleSetError> {
        let mut text = source.to_owned();
        if self.declared.is_empty() {
            return Ok(text);
        }
        // A fault of the source is found where it is compiled.
        let Ok(ast) = parse(source, &Limits::default()) else { return Ok(text) };
        let ids = (0..u32::try_from(ast.len()).unwrap_or(u32::MAX)).map(ExprId);
        let mut places: Vec<(usize, &str, &str)> = Vec::new();
        for id in ids {
            let Some(name) = variable(&ast, id) else { continue };
            match scope.get(name) {
                Some(new) if new == name => {}
                Some(new) => places.push((ast.get(id).span.end as usize, name, new)),
                None if self.declared.contains(name) => {
                    let message = format!(
                        "`variables.{name}` is not declared here: a variable is seen after it in its rule, and in \
                         the rules inside of that one"
                    );
                    return Err(RuleSetError::invalid(format!("{path}.{field}"), message));
                }
                None => {}
            }
        }
        // From the end, so that the places before stay right.
        places.sort_unstable_by_key(|place| std::cmp::Reverse(place.0));
        for (end, old, new) in places {
            let start = end.saturating_sub(old.len());
            if text.get(start..end) == Some(old) {
                text.replace_range(start..end, new);
            }
        }
        Ok(text)
    }
}

fn declare_all(rule: &PolicyRule, declared: &mut HashSet<String>) {
    declared.extend(rule.variables.iter().map(|variable| variable.name.clone()));
    rule.r#match.iter().filter_map(|one| one.rule.as_deref()).for_each(|inner| declare_all(inner, declared));
}

/// The name of the policy's variable that a node selects.
fn variable(ast: &Ast, id: ExprId) -> Option<&str> {
    let ExprKind::Select { operand, field, .. } = &ast.get(id).kind else { return None };
    let ExprKind::Ident(root) = &ast.get(*operand).kind else { return None };
    (root.trim_start_matches('.') == "variables").then_some(&**field)
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
