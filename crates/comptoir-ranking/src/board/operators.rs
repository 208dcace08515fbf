//! What operators do to a board: which interventions count, and what they do to candidates.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use comptoir_rules::value::Timestamp;
use comptoir_rules::{Env, Type, Value};
use hashbrown::HashMap;
use serde_json::Value as Json;

use super::boosted::{Boosted, boosted};
use super::compile::{Expression, env, field};
use super::error::BoardError;
use super::explanation::BoostExplanation;
use super::numbers::NumberKind;
use super::report::Faults;
use super::scope::{Reason, Scope};
use super::spec::{BoardSpec, BoostBounds, Context, Effect, InterventionSpec};

/// The interventions that count, compiled for a table; by priority, then id.
#[derive(Debug)]
pub struct Operators {
    active: Vec<Operator>,
    /// Those for this board that do not count today, in the order of the spec.
    inactive: Vec<Operator>,
    bounds: BoostBounds,
    /// Whether scores are shown as doubles because some of those that count boost.
    pub may_boost: bool,
    /// For how many candidates each counted.
    touched: Vec<u64>,
}

/// An intervention that counts.
#[derive(Debug)]
pub struct Operator {
    /// As it was written.
    pub spec: InterventionSpec,
    /// What it does.
    pub effect: Effect,
    target: Target,
    group: Option<Expression>,
}

#[derive(Debug)]
enum Target {
    /// The items of a list, by the column of items.
    Items { column: String, is_wanted: Expression },
    /// The rows for which a condition is true.
    When(Expression),
}

/// What operators do to the candidates of a batch.
#[derive(Debug)]
pub struct Operated {
    /// The scores after boosts.
    pub scores: ArrayRef,
    /// Their kind.
    pub kind: NumberKind,
    /// What each has beyond its double, where they were exact before.
    pub beyond: Option<Vec<i128>>,
}

/// The interventions of a spec.
#[derive(Debug)]
pub struct Selected {
    /// Those that count, by priority, then id.
    pub active: Vec<InterventionSpec>,
    /// Why the others do not, by id.
    pub inactive: Vec<(String, Reason)>,
}

/// Which interventions count in a context.
pub fn select(spec: &BoardSpec, context: &Context) -> Result<Selected, BoardError> {
    let scope = Scope::new(spec, context)?;
    let (mut active, mut inactive) = (Vec::new(), Vec::new());
    for (place, intervention) in spec.interventions.iter().enumerate() {
        match scope.reason_against(&format!("interventions[{place}]"), intervention)? {
            None => active.push(intervention.clone()),
            Some(reason) => inactive.push((intervention.id.clone(), reason)),
        }
    }
    active
        .sort_by(|left, right| (Reverse(left.priority), &left.id).cmp(&(Reverse(right.priority), &right.id)));
    Ok(Selected { active, inactive })
}

impl Operators {
    /// Compiles the interventions of a board for a table, and keeps those that count. What is wrong shows whether or not it
    /// counts today.
    pub fn new(
        spec: &BoardSpec,
        active: &[InterventionSpec],
        schema: &Schema,
        now: Option<Timestamp>,
    ) -> Result<Self, BoardError> {
        let env = env(schema, now)?;
        let group_fields = spec.group.iter().map(|name| field(schema, name).cloned());
        let groups = Schema::new(group_fields.collect::<Result<Vec<_>, _>>()?);
        let group_env = super::compile::env(&groups, now)?;
        let mut compiled = HashMap::new();
        for (place, intervention) in spec.interventions.iter().enumerate() {
            let path = format!("interventions[{place}]");
            let is_active = active.iter().any(|active| active.id == intervention.id);
            // The columns of other boards are not known here.
            if is_active || intervention.is_for(&spec.id) {
                let operator = Operator::new(&path, intervention, &spec.item, schema, [&env, &group_env])?;
                compiled.insert(intervention.id.as_str(), operator);
            }
        }
        let is_boost =
            |intervention: &InterventionSpec| intervention.boost.is_some() || intervention.bury.is_some();
        let active_operators =
            active.iter().filter_map(|active| compiled.remove(active.id.as_str())).collect();
        let others = spec.interventions.iter();
        Ok(Self {
            active: active_operators,
            inactive: others.filter_map(|other| compiled.remove(other.id.as_str())).collect(),
            touched: vec![0; active.len()],
            bounds: spec.boost_bounds,
            may_boost: active.iter().any(is_boost),
        })
    }

    /// Those that pin.
    pub fn pins(&self) -> impl Iterator<Item = (&Operator, usize)> {
        self.active.iter().filter_map(|operator| match operator.effect {
            Effect::Pin(position) => Some((operator, position)),
            _ => None,
        })
    }

    /// All that count.
    pub fn active(&self) -> &[Operator] {
        &self.active
    }

    /// Those that do not count, but would be for this board.
    pub fn inactive(&self) -> &[Operator] {
        &self.inactive
    }

    /// What boosts and buries do together, within their bounds; `None` without any.
    pub fn together(&self, effects: impl Iterator<Item = Effect>) -> Option<BoostExplanation> {
        let (mut factor, mut addition, mut is_any) = (1.0, 0.0, false);
        for effect in effects {
            match effect {
                Effect::Factor(by) => factor *= by,
                Effect::Addition(by) => addition += by,
                Effect::Hide | Effect::Pin(_) => continue,
            }
            is_any = true;
        }
        let (bounded, within) = (self.bounds.factor(factor), self.bounds.addition(addition));
        #[expect(clippy::float_cmp, reason = "what is within its bounds stays the same")]
        let is_bounded = bounded != factor || within != addition;
        is_any.then_some(BoostExplanation { factor: bounded, addition: within, is_bounded })
    }

    /// For how many candidates each of them counted so far.
    pub fn touched(&self) -> &[u64] {
        &self.touched
    }

    /// Adds what the operators of another collector of the same board counted.
    pub fn merge(&mut self, other: &Self) {
        self.touched.iter_mut().zip(&other.touched).for_each(|(own, theirs)| *own += theirs);
    }

    /// Adds the columns that they read, by their place in the schema.
    pub fn reads(&self, schema: &Schema, columns: &mut BTreeSet<usize>) {
        for operator in self.active.iter().chain(&self.inactive) {
            if let Target::When(when) = &operator.target {
                when.reads(schema, columns);
            }
        }
    }

    /// The chosen rows that are hidden.
    pub fn hidden(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<Option<BooleanBuffer>, BoardError> {
        self.any(batch, chosen, faults, |effect| effect == Effect::Hide)
    }

    /// The chosen rows whose items are pinned.
    pub fn pinned(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<Option<BooleanBuffer>, BoardError> {
        self.any(batch, chosen, faults, |effect| matches!(effect, Effect::Pin(_)))
    }

    fn any(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
        is_wanted: impl Fn(Effect) -> bool,
    ) -> Result<Option<BooleanBuffer>, BoardError> {
        let mut all: Option<BooleanBuffer> = None;
        let operators = self.active.iter().zip(&mut self.touched);
        for (operator, touched) in operators.filter(|(operator, _)| is_wanted(operator.effect)) {
            let rows = operator.rows(batch, chosen, faults)?;
            *touched += rows.count_set_bits() as u64;
            all = Some(all.map_or_else(|| rows.clone(), |all| &all | &rows));
        }
        Ok(all)
    }

    /// Scores after boosts: the product of all factors within its bounds, then the sum of all additions within theirs.
    pub fn boost(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        kind: NumberKind,
        scores: &ArrayRef,
        faults: &mut Faults,
    ) -> Result<Operated, BoardError> {
        if !self.may_boost {
            return Ok(Operated { scores: Arc::clone(scores), kind, beyond: None });
        }
        let rows = batch.num_rows();
        let (mut factors, mut additions) = (vec![1.0; rows], vec![0.0; rows]);
        for (operator, touched) in self.active.iter().zip(&mut self.touched) {
            let (values, by, is_factor) = match operator.effect {
                Effect::Factor(factor) => (&mut factors, factor, true),
                Effect::Addition(addition) => (&mut additions, addition, false),
                Effect::Hide | Effect::Pin(_) => continue,
            };
            let boosted = operator.rows(batch, chosen, faults)?;
            *touched += boosted.count_set_bits() as u64;
            for row in boosted.set_indices() {
                if let Some(value) = values.get_mut(row) {
                    *value = if is_factor { *value * by } else { *value + by };
                }
            }
        }
        let (bounds, is_exact) = (self.bounds, kind != NumberKind::Double);
        let boosted = |(row, (factor, addition)): (usize, (f64, f64))| {
            let score = kind.key(scores, row)?;
            Some(boosted(kind, score, bounds.factor(factor), bounds.addition(addition)))
        };
        let all: Vec<Option<Boosted>> = factors.into_iter().zip(additions).enumerate().map(boosted).collect();
        let nearest = all.iter().map(|score| score.map(|score| score.nearest));
        let beyond = || all.iter().map(|score| score.map_or(0, |score| score.beyond)).collect();
        Ok(Operated {
            scores: Arc::new(nearest.collect::<Float64Array>()),
            kind: NumberKind::Double,
            beyond: is_exact.then(beyond),
        })
    }
}

impl Operator {
    fn new(
        path: &str,
        spec: &InterventionSpec,
        item: &str,
        schema: &Schema,
        [env, group_env]: [&Env; 2],
    ) -> Result<Self, BoardError> {
        let effect =
            spec.effect().map_err(|(field, reason)| BoardError::spec(&format!("{path}.{field}"), reason))?;
        let target = match &spec.when {
            Some(when) => Target::When(Expression::condition(env, &format!("{path}.when"), when)?),
            None => Target::items(&format!("{path}.items"), &spec.items, field(schema, item)?)?,
        };
        let group = spec.group.as_deref();
        let group = group.map(|source| Expression::condition(group_env, &format!("{path}.group"), source));
        Ok(Self { spec: spec.clone(), effect, target, group: group.transpose()? })
    }

    /// The rows of a batch for which it counts.
    pub fn rows(
        &self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<BooleanBuffer, BoardError> {
        let mut rows = chosen.clone();
        if let Some(group) = &self.group {
            rows = &rows & &group.flags(batch, &rows, faults)?;
        }
        Ok(match &self.target {
            Target::When(when) => &rows & &when.flags(batch, &rows, faults)?,
            Target::Items { column, is_wanted } => {
                let items = batch.column_by_name(column).ok_or_else(|| BoardError::internal("no items"))?;
                let items = only(items)?;
                &rows & &is_wanted.flags(&items, &rows, faults)?
            }
        })
    }

    /// The groups of a table of groups in which it counts.
    pub fn groups(&self, groups: &RecordBatch, faults: &mut Faults) -> Result<BooleanBuffer, BoardError> {
        let all = BooleanBuffer::new_set(groups.num_rows());
        match &self.group {
            Some(group) => group.flags(groups, &all, faults),
            None => Ok(all),
        }
    }

    /// The items that it names, as texts.
    pub fn items(&self) -> impl Iterator<Item = String> + '_ {
        self.spec.items.iter().map(text)
    }
}

impl Target {
    /// Rows whose item is in a list. Numbers may be written as texts and the other way round.
    fn items(path: &str, items: &[Json], column: &Field) -> Result<Self, BoardError> {
        let (ty, list) = wanted(path, items, column)?;
        let field = Field::new("item", column.data_type().clone(), true);
        let env = Env::builder().arrow_schema(&Schema::new(vec![field]));
        let env = env.constant("wanted", Type::list(ty), Value::list(list));
        let env = env.build().map_err(BoardError::internal)?;
        // The list is not in the source.
        let is_wanted = Expression::condition(&env, path, "item in wanted")?.unshared();
        Ok(Self::Items { column: column.name().clone(), is_wanted })
    }
}

/// The items of a spec as values of a column.
fn wanted(path: &str, items: &[Json], column: &Field) -> Result<(Type, Vec<Value<'static>>), BoardError> {
    let found = || comptoir_types::arrow::type_name(column.data_type());
    let wrong = |item: &Json| {
        let reason = format!("`{}` cannot stand in column `{}` of {}", text(item), column.name(), found());
        BoardError::spec(path, reason)
    };
    let values = match column.data_type() {
        DataType::Dictionary(_, values) => values,
        data_type => data_type,
    };
    if values.is_string() {
        return Ok((Type::String, items.iter().map(|item| Value::string(text(item))).collect()));
    }
    if values.is_unsigned_integer() {
        let number = |item| integer(item).map(Value::Uint).ok_or_else(|| wrong(item));
        return Ok((Type::Uint, items.iter().map(number).collect::<Result<_, _>>()?));
    }
    if values.is_signed_integer() {
        let number = |item| integer(item).map(Value::Int).ok_or_else(|| wrong(item));
        return Ok((Type::Int, items.iter().map(number).collect::<Result<_, _>>()?));
    }
    let of = format!("column `{}` is {}", column.name(), found());
    Err(BoardError::spec(path, format!("items are named by text or integer, and {of}: use `when`")))
}

/// An item of a spec as an integer, if it is written as one is: `+3` and `03` are other items than `3`.
fn integer<T: std::str::FromStr + ToString>(item: &Json) -> Option<T> {
    let text = text(item);
    text.parse().ok().filter(|number: &T| number.to_string() == text)
}

/// An item of a spec as text.
pub fn text(item: &Json) -> String {
    item.as_str().map_or_else(|| item.to_string(), str::to_owned)
}

/// A column as a table of its own, under a name that expressions can read.
fn only(items: &ArrayRef) -> Result<RecordBatch, BoardError> {
    let field = Field::new("item", items.data_type().clone(), true);
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(items)])
        .map_err(BoardError::internal)
}
