use std::collections::HashMap;
mod validity;

use std::sync::Arc;

use super::clause::{Branches, Clauses, number};
use super::error::RuleSetError;
use super::index::Index;
use super::plan::{Plan, Variable};
use super::reader::{Condition, conditions};
use super::share::{ShareOf, is_unit};
use super::spec::{HitPolicy, Mode, OutputSpec, RuleSetSpec, RuleSpec};
use super::threads::both;
use super::vocabulary::Direction;
use super::{Output, OutputValue, Rule, RuleSet, Strategy, table, variables};
use crate::error::Error;
use crate::host::from_json;
use crate::program::{DEFAULT_BUDGET, Program};
use crate::types::{Env, EnvBuilder, Overload, Type};
use crate::value::{Timestamp, Value};

/// The name under which the moment of the event is a variable; no expression can spell it.
pub(super) const AT: &str = "@at";

impl RuleSet {
    /// Compiles a set.
    ///
    /// # Errors
    /// The first fault, with the path of the field: see [`RuleSetError`].
    pub fn build(spec: RuleSetSpec) -> Result<Self, RuleSetError> {
        Self::build_with(spec, Env::builder())
    }

    /// Compiles a set that also uses what the host declares, such as functions.
    ///
    /// # Errors
    /// As [`RuleSet::build`].
    pub fn build_with(spec: RuleSetSpec, host: EnvBuilder) -> Result<Self, RuleSetError> {
        let hash = spec.content_hash()?;
        let mut clauses = Clauses::default();
        let (env, mut variables) = environment(&spec, host, &mut clauses)?;
        let mut builder = Builder::new(env.clone(), &spec, clauses)?;
        builder.at = moment(&spec, &env, &mut builder.clauses, &mut variables)?;
        let mut spec = spec;
        let rules = all_rules(&mut spec, &env)?;
        unique(&rules)?;
        builder.all(&rules)?;
        let policy = spec.hit_policy;
        let mut order: Vec<usize> = (0..rules.len())
            .filter(|index| rules.get(*index).is_some_and(|rule| rule.0.mode != Mode::Off))
            .collect();
        if policy == HitPolicy::Priority {
            order.sort_by_key(|index| std::cmp::Reverse(rules.get(*index).map_or(0, |rule| rule.0.priority)));
        }
        let rules = rules.into_iter().map(|(rule, _)| Rule::from(rule)).collect();
        Ok(builder.finish(spec, rules, &order, variables, hash))
    }
}

/// A rule's place in the set, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    Rule(usize),
    Row { table: usize, row: usize },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule(index) => write!(formatter, "rules[{index}]"),
            Self::Row { table, row } => write!(formatter, "tables[{table}].rows[{row}]"),
        }
    }
}

fn environment(
    spec: &RuleSetSpec,
    host: EnvBuilder,
    clauses: &mut Clauses,
) -> Result<(Env, Vec<Variable>), RuleSetError> {
    let mut builder = variables::declare(host, &spec.environment)?;
    let built = |builder: &EnvBuilder| {
        builder.clone().build().map_err(|error| RuleSetError::expression("environment", error))
    };
    let mut env = built(&builder)?;
    let mut all = Vec::with_capacity(spec.variables.len());
    for index in variables::order(&spec.variables)? {
        let Some(variable) = spec.variables.get(index) else { continue };
        let path = format!("variables[{index}]");
        if !is_name(&variable.name) {
            let message = format!("`{}` is no name: letters, digits and `_`", variable.name);
            return Err(RuleSetError::invalid(format!("{path}.name"), message));
        }
        let program = compile(&env, &variable.expression, &format!("{path}.expression"))?;
        let name: Arc<str> = format!("variables.{}", variable.name).into();
        builder = builder.variable(name.clone(), program.result_type().clone());
        all.push(add_variable(clauses, name, program));
        env = built(&builder)?;
    }
    Ok((env, all))
}

fn add_variable(clauses: &mut Clauses, name: Arc<str>, program: Program) -> Variable {
    let general = clauses.expression(program);
    let needs = clauses.generals.get(general as usize).map_or_else(Box::default, |one| one.needs.clone());
    clauses.slots.add_variable(name, needs);
    Variable { general, slots: Vec::new() }
}

/// The slot with the moment of an event, where the set has one.
fn moment(
    spec: &RuleSetSpec,
    env: &Env,
    clauses: &mut Clauses,
    variables: &mut Vec<Variable>,
) -> Result<Option<u32>, RuleSetError> {
    let Some(source) = &spec.at else { return Ok(None) };
    let program = compile(env, source, "at")?;
    expect(&Type::Timestamp, program.result_type(), || "at".into())?;
    variables.push(add_variable(clauses, AT.into(), program));
    let path = vec![AT.into()];
    Ok(Some(clauses.slots.number(&crate::ir::Slot { path, name: AT.into(), ty: Type::Timestamp })))
}

fn all_rules(spec: &mut RuleSetSpec, env: &Env) -> Result<Vec<(RuleSpec, Origin)>, RuleSetError> {
    let own = std::mem::take(&mut spec.rules);
    let mut rules: Vec<(RuleSpec, Origin)> =
        own.into_iter().enumerate().map(|(index, rule)| (rule, Origin::Rule(index))).collect();
    for (index, table) in spec.tables.iter().enumerate() {
        let rows = table::compile(table, &format!("tables[{index}]"), env, spec.hit_policy)?;
        rules.extend(rows.into_iter().map(|(row, rule)| (rule, Origin::Row { table: index, row })));
    }
    Ok(rules)
}

/// Rules whose conditions are compiled at a time: a compiled condition is much larger than what is kept of it, and few stay
/// in the cache.
const TOGETHER: usize = 256;

fn unique(rules: &[(RuleSpec, Origin)]) -> Result<(), RuleSetError> {
    let mut seen: HashMap<&str, &Origin> = HashMap::with_capacity(rules.len());
    for (rule, origin) in rules {
        if rule.id.is_empty() {
            return Err(RuleSetError::invalid(format!("{origin}.id"), "a rule needs an id"));
        }
        if let Some(first) = seen.insert(&rule.id, origin) {
            return Err(RuleSetError::Duplicate {
                path: format!("{origin}.id"),
                first: first.to_string(),
                id: rule.id.clone(),
            });
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn compile(env: &Env, source: &str, path: &str) -> Result<Program, RuleSetError> {
    env.compile_plain(source).map_err(|error| RuleSetError::expression(path, error))
}

pub(super) fn expect(expected: &Type, found: &Type, path: impl Fn() -> String) -> Result<(), RuleSetError> {
    let is_part = matches!(expected, Type::Nullable(inner) if **inner == *found || *found == Type::Null);
    if expected == found || is_part || found.is_dyn() || expected.is_dyn() {
        return Ok(());
    }
    Err(RuleSetError::Type { path: path(), expected: expected.to_string(), found: found.to_string() })
}

/// Collects the compiled rules in the order of the file.
struct Builder {
    env: Env,
    declared: HashMap<String, Type>,
    clauses: Clauses,
    at: Option<u32>,
    /// Expressions of units of rollouts, by their text.
    units: HashMap<String, u32>,
    branches: Vec<Branches>,
    names: Vec<Arc<str>>,
    name_of: HashMap<String, u32>,
    outputs: Vec<Vec<Output>>,
}

impl Builder {
    fn new(env: Env, spec: &RuleSetSpec, clauses: Clauses) -> Result<Self, RuleSetError> {
        let mut builder = Self {
            env,
            declared: HashMap::new(),
            clauses,
            at: None,
            units: HashMap::new(),
            branches: Vec::new(),
            names: Vec::new(),
            name_of: HashMap::new(),
            outputs: Vec::new(),
        };
        for (name, ty) in &spec.outputs {
            let ty =
                Type::parse(ty).map_err(|wrong| RuleSetError::invalid(format!("outputs.{name}"), wrong))?;
            let _ = builder.name(name);
            builder.declared.insert(name.clone(), ty);
        }
        Ok(builder)
    }

    /// Adds all rules; while some are added the conditions of the next are compiled.
    fn all(&mut self, rules: &[(RuleSpec, Origin)]) -> Result<(), RuleSetError> {
        let env = self.env.clone();
        let compile = |some: &[(RuleSpec, Origin)]| {
            conditions(&env, some.iter().map(|(rule, _)| &*rule.when).collect())
        };
        let mut chunks = rules.chunks(TOGETHER);
        let mut ready = chunks.next().map(|some| (some, compile(some)));
        while let Some((some, compiled)) = ready {
            let next = chunks.next();
            let add = || some.iter().zip(compiled).try_for_each(|((rule, at), own)| self.rule(rule, at, own));
            let (added, compiled) = both(add, || next.map(|some| (some, compile(some))));
            added?;
            ready = compiled;
        }
        Ok(())
    }

    fn rule(
        &mut self,
        rule: &RuleSpec,
        origin: &Origin,
        condition: Option<Result<Condition, Error>>,
    ) -> Result<(), RuleSetError> {
        let path = || format!("{origin}.when");
        let mut branches = match condition {
            None => vec![Vec::new()],
            Some(Err(error)) => return Err(RuleSetError::expression(path(), error)),
            Some(Ok(condition)) => {
                expect(&Type::Bool, &condition.ty, path)?;
                self.clauses.condition(condition)
            }
        };
        let validity = self.validity(rule, origin)?;
        if !validity.is_empty() {
            for branch in &mut branches {
                branch.splice(0..0, validity.iter().copied());
            }
        }
        if let Some(share) = self.share(rule, origin)? {
            branches.iter_mut().for_each(|branch| branch.push(share));
        }
        self.branches.push(branches);
        let outputs = rule.outputs.iter().map(|(name, output)| self.output(name, output, origin));
        let outputs = outputs.collect::<Result<_, _>>()?;
        self.outputs.push(outputs);
        Ok(())
    }

    fn share(&mut self, rule: &RuleSpec, origin: &Origin) -> Result<Option<u32>, RuleSetError> {
        let Some(rollout) = &rule.rollout else { return Ok(None) };
        let general = match self.units.get(&rollout.unit) {
            Some(known) => *known,
            None => {
                let path = format!("{origin}.rollout.unit");
                let program = compile(&self.env, &rollout.unit, &path)?;
                if !is_unit(program.result_type()) {
                    let found = program.result_type().to_string();
                    return Err(RuleSetError::Type { path, expected: "string, int or uint".into(), found });
                }
                let general = self.clauses.expression(program);
                self.units.insert(rollout.unit.clone(), general);
                general
            }
        };
        let salt = rollout.salt.as_ref().unwrap_or(&rule.id).as_str().into();
        Ok(Some(self.clauses.share(ShareOf { general, salt, share: rollout.share })))
    }

    fn output(&mut self, name: &str, output: &OutputSpec, origin: &Origin) -> Result<Output, RuleSetError> {
        let path = || format!("{origin}.outputs.{name}");
        let declared = self.declared.get(name).cloned();
        if declared.is_none() && !self.declared.is_empty() {
            let known = crate::syntax::nearest(name, self.declared.keys().map(|known| &**known));
            let hint = known.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            return Err(RuleSetError::invalid(path(), format!("`{name}` is no output of the set{hint}")));
        }
        let declared = declared.unwrap_or(Type::Dyn);
        let value = match output {
            OutputSpec::Cel(source) => {
                let program = compile(&self.env, &source.cel, &path())?;
                expect(&declared, program.result_type(), path)?;
                OutputValue::Computed(self.clauses.expression(program))
            }
            OutputSpec::Literal(json) => {
                let value = from_json(Some(json), &declared, &self.env).into_owned();
                if !Overload::accepts(&declared, &value) {
                    return Err(RuleSetError::Type {
                        path: path(),
                        expected: declared.to_string(),
                        found: format!("`{}`", json.to_string().chars().take(40).collect::<String>()),
                    });
                }
                OutputValue::Literal(value)
            }
        };
        Ok(Output { name: self.name(name), value })
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(known) = self.name_of.get(name) {
            return *known;
        }
        self.names.push(name.into());
        self.name_of.insert(name.to_owned(), number(self.names.len() - 1));
        number(self.names.len() - 1)
    }

    fn finish(
        self,
        spec: RuleSetSpec,
        rules: Vec<Rule>,
        order: &[usize],
        variables: Vec<Variable>,
        hash: String,
    ) -> RuleSet {
        let plan = plan(self.clauses, &self.branches, order, variables, spec.budget);
        let is_computed = |output: &Output| matches!(output.value, OutputValue::Computed(_));
        RuleSet {
            has_shadow: rules.iter().any(|rule| rule.mode == Mode::Shadow),
            has_computed: self.outputs.iter().flatten().any(is_computed),
            index: Index::new(&plan),
            is_shadow: order
                .iter()
                .map(|index| rules.get(*index).is_some_and(|rule| rule.mode == Mode::Shadow))
                .collect(),
            order: order.iter().map(|index| number(*index)).collect(),
            numbers: rules.iter().enumerate().map(|(index, rule)| (rule.id.clone(), number(index))).collect(),
            rules,
            names: self.names,
            outputs: self.outputs.into_iter().map(Vec::into_boxed_slice).collect(),
            plan,
            env: self.env,
            hash,
            strategy: Strategy::Index,
            head: spec,
        }
    }
}

/// The compiled rules in the order in which they count.
fn plan(
    mut clauses: Clauses,
    branches: &[Branches],
    order: &[usize],
    variables: Vec<Variable>,
    budget: Option<u64>,
) -> Plan {
    let axes = clauses.finish();
    let mut plan = Plan::default();
    for index in order {
        plan.push(branches.get(*index).map_or(&[], Vec::as_slice));
    }
    plan.axes = axes;
    plan.dictionaries = clauses.dictionaries;
    plan.clauses = clauses.list;
    plan.generals = clauses.generals;
    plan.variables = variables;
    plan.budget = budget.unwrap_or(DEFAULT_BUDGET);
    let inputs = clauses.slots.inputs;
    for (slot, derived) in clauses.slots.derived.into_iter().enumerate() {
        if let Some(variable) = plan.variables.get_mut(derived.variable as usize) {
            variable.slots.push((number(inputs.len() + slot), derived.fields));
        }
        plan.derived.push((derived.variable, derived.name));
    }
    plan.inputs = inputs;
    plan.shrink();
    plan
}
