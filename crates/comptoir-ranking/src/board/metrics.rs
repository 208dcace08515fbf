//! Events into the metrics of every item in every group.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use comptoir_rules::Env;
use comptoir_rules::value::Timestamp;
use comptoir_types::arrow::text_at;
use hashbrown::HashSet;

use super::codes::Codes;
use super::compile::{Expression, env, field};
use super::error::BoardError;
use super::input::{Input, Window};
use super::keys::KeyColumns;
use super::metric::{Accumulator, Finished};
use super::moment;
use super::numbers::NumberKind;
use super::report::{Faults, GroupName};
use super::spec::{BoardSpec, MetricKind, MetricSpec};
use crate::snapshot::group_text;

/// Metrics by slot; a slot is an item in a group.
#[derive(Debug)]
pub struct Metrics {
    /// The columns of the group, then that of the item.
    slots: Codes,
    /// By hours.
    windows: BTreeMap<u32, OpenWindow>,
    /// By what they are, since boards that share them may have several names for one.
    metrics: BTreeMap<MetricSpec, Metric>,
}

#[derive(Debug)]
struct Metric {
    /// Where it stands in the spec of the first board that has it.
    path: String,
    filter: Option<Expression>,
    window: Option<u32>,
    input: Input,
    values: Accumulator,
    /// Rows that count and have no value.
    without_value: u64,
    faults: Faults,
    /// Its column, once it was asked for.
    finished: Option<ArrayRef>,
}

/// A window with the path of the first metric that has it.
#[derive(Debug)]
struct OpenWindow {
    path: String,
    window: Window,
    faults: Faults,
}

impl Metrics {
    /// Those of a board, for rows of a schema.
    pub fn new(spec: &BoardSpec, rows: &Schema, now: Option<Timestamp>) -> Result<Self, BoardError> {
        Self::of(spec, spec.metrics.iter().map(|(name, metric)| (path_of(name), metric)), rows, now)
    }

    /// The same metrics with nothing in them. `spec` is that of one of their boards.
    pub fn like(&self, spec: &BoardSpec, rows: &Schema, now: Option<Timestamp>) -> Result<Self, BoardError> {
        Self::of(spec, self.metrics.iter().map(|(metric, known)| (known.path.clone(), metric)), rows, now)
    }

    fn of<'s>(
        spec: &BoardSpec,
        all: impl Iterator<Item = (String, &'s MetricSpec)>,
        rows: &Schema,
        now: Option<Timestamp>,
    ) -> Result<Self, BoardError> {
        let env = env(rows, now)?;
        let (mut metrics, mut windows) = (BTreeMap::new(), BTreeMap::new());
        for (path, metric) in all {
            let Some(made) = Metric::new(&path, metric, spec, &env, rows)? else { continue };
            if let Some(hours) = made.window
                && !windows.contains_key(&hours)
            {
                let path = format!("{path}.window");
                let time = spec.time.as_deref().unwrap_or_default();
                let window = Window::new(&path, time, hours, rows, now)?;
                windows.insert(hours, OpenWindow { path, window, faults: Faults::default() });
            }
            metrics.entry(metric.clone()).or_insert(made);
        }
        Ok(Self { slots: Codes::new(&spec.slot()), windows, metrics })
    }

    /// Takes the metrics of another board of the same group and item too. Both have seen no rows.
    pub fn absorb(&mut self, other: Self) {
        for (spec, metric) in other.metrics {
            self.metrics.entry(spec).or_insert(metric);
        }
        for (hours, window) in other.windows {
            self.windows.entry(hours).or_insert(window);
        }
    }

    /// Adds the chosen rows of a batch.
    pub fn push(&mut self, batch: &RecordBatch, chosen: &BooleanBuffer) -> Result<(), BoardError> {
        let mut slots = Vec::new();
        self.slots.read(batch, chosen, &mut slots)?;
        let mut inside = BTreeMap::new();
        for (hours, open) in &mut self.windows {
            inside.insert(*hours, chosen & &open.window.flags(batch, &mut open.faults)?);
        }
        for metric in self.metrics.values_mut() {
            metric.values.reach(self.slots.len());
            let rows = metric.window.and_then(|hours| inside.get(&hours)).unwrap_or(chosen);
            metric.push(batch, rows, &slots)?;
        }
        Ok(())
    }

    /// Adds the metrics of another collector. Of those that it has not collected nothing is known from then on.
    pub fn merge(&mut self, other: &Self) -> Result<(), BoardError> {
        let slots = self.slots.learn(&other.slots, 0)?;
        self.metrics.retain(|spec, _| other.metrics.contains_key(spec));
        for (spec, metric) in &mut self.metrics {
            metric.values.reach(self.slots.len());
            let Some(theirs) = other.metrics.get(spec) else { continue };
            let codes = metric.input.learn(&theirs.input)?;
            metric.values.merge(&theirs.values, &slots, &codes);
            metric.without_value += theirs.without_value;
            metric.faults.merge(&theirs.faults.moved(&theirs.path, &metric.path));
            metric.finished = None;
        }
        for (hours, open) in &mut self.windows {
            let Some(theirs) = other.windows.get(hours) else { continue };
            open.faults.merge(&theirs.faults.moved(&theirs.path, &open.path));
        }
        Ok(())
    }

    /// The columns of group, item and metrics of a board, for expressions over them.
    pub fn schema(&self, spec: &BoardSpec, rows: &Schema) -> Result<Schema, BoardError> {
        let column = |name: &String| field(rows, name).cloned();
        let mut fields = spec.group.iter().chain([&spec.item]).map(column).collect::<Result<Vec<_>, _>>()?;
        let data_type = |metric: &MetricSpec| match self.metrics.get(metric) {
            Some(metric) => metric.input.gives(&metric.values),
            None => DataType::Float64,
        };
        let metrics = spec.metrics.iter();
        fields.extend(metrics.map(|(name, metric)| Field::new(name, data_type(metric), true)));
        Ok(Schema::new(fields))
    }

    /// Group and item of each slot.
    pub fn slots(&self) -> Result<Vec<(Field, ArrayRef)>, BoardError> {
        self.slots.columns()
    }

    /// The metrics of a board, with a value for each slot.
    pub fn columns(&mut self, spec: &BoardSpec) -> Result<Vec<(Field, ArrayRef)>, BoardError> {
        let mut columns = Vec::with_capacity(spec.metrics.len());
        for (name, metric) in &spec.metrics {
            let array = match metric.kind() {
                Ok(MetricKind::Ratio(over, under)) => self.ratio(spec, over, under)?,
                _ => self.column(name, metric)?,
            };
            columns.push((Field::new(name, array.data_type().clone(), true), array));
        }
        Ok(columns)
    }

    /// The column of a metric, which is made once.
    fn column(&mut self, name: &str, spec: &MetricSpec) -> Result<ArrayRef, BoardError> {
        let Some(metric) = self.metrics.get(spec) else {
            return Err(BoardError::internal(format!("no metric `{name}`")));
        };
        if let Some(known) = &metric.finished {
            return Ok(known.clone());
        }
        let made = self.finish(name, metric)?;
        self.metrics.get_mut(spec).into_iter().for_each(|metric| metric.finished = Some(made.clone()));
        Ok(made)
    }

    fn finish(&self, name: &str, metric: &Metric) -> Result<ArrayRef, BoardError> {
        match metric.values.finish() {
            Finished::Bytes(values) => metric.input.decode(&values),
            Finished::Numbers(keys) => {
                let data_type = metric.input.gives(&metric.values);
                let kind = NumberKind::of(&data_type);
                if kind.is_none() && data_type.is_temporal() {
                    return moment::retyped(&NumberKind::Int.array(keys.into_iter()), data_type);
                }
                let Some(kind) = kind else {
                    // No event had a value, so that all are null.
                    return Ok(arrow_array::new_null_array(&data_type, keys.len()));
                };
                let misfits = |(_, key): &(usize, &Option<i128>)| key.is_some_and(|key| !kind.fits(key));
                let mut misfits: Vec<usize> =
                    keys.iter().enumerate().filter(misfits).map(|(slot, _)| slot).collect();
                misfits.extend(metric.values.too_large());
                if !misfits.is_empty() {
                    return Err(self.overflow(name, kind, &misfits)?);
                }
                Ok(kind.array(keys.into_iter()))
            }
        }
    }

    /// The error for sums that do not fit, which names the first of them in the order of groups and items.
    fn overflow(&self, metric: &str, kind: NumberKind, slots: &[usize]) -> Result<BoardError, BoardError> {
        let columns = self.slots.columns()?;
        let name = |slot: &usize| -> Option<(GroupName, String)> {
            let ((_, items), groups) = columns.split_last()?;
            let group = groups.iter().map(|(_, column)| group_text(column.as_ref(), *slot));
            Some((group.collect(), text_at(items.as_ref(), *slot)?))
        };
        let (group, item) = slots.iter().filter_map(name).min().unwrap_or_default();
        Ok(BoardError::Overflow { metric: metric.to_owned(), group, item, limit: kind.limit() })
    }

    /// For each metric of a board the rows that count for it and have no value.
    pub fn without_value(&self, spec: &BoardSpec) -> BTreeMap<String, u64> {
        let counts = spec
            .metrics
            .iter()
            .filter_map(|(name, metric)| Some((name.clone(), self.metrics.get(metric)?.without_value)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Adds the faults of the metrics of a board, by their places in its spec.
    pub fn report_faults(&self, spec: &BoardSpec, faults: &mut Faults) {
        let mut seen = BTreeSet::new();
        for (name, metric) in &spec.metrics {
            let Some(known) = self.metrics.get(metric) else { continue };
            let path = path_of(name);
            faults.merge(&known.faults.moved(&known.path, &path));
            // A window is looked at once, for the first metric that has it.
            if let Some(open) =
                known.window.filter(|hours| seen.insert(*hours)).and_then(|hours| self.windows.get(&hours))
            {
                faults.merge(&open.faults.moved(&open.path, &format!("{path}.window")));
            }
        }
    }

    /// Null where the divisor is zero or null.
    fn ratio(&mut self, spec: &BoardSpec, over: &str, under: &str) -> Result<ArrayRef, BoardError> {
        let mut double = |name: &str| -> Result<Vec<Option<f64>>, BoardError> {
            let metric = spec.metrics.get(name);
            let metric = metric.ok_or_else(|| BoardError::internal(format!("no metric `{name}`")))?;
            let array = self.column(name, metric)?;
            let kind = NumberKind::of(array.data_type()).unwrap_or(NumberKind::Double);
            Ok((0..array.len()).map(|row| Some(kind.double(kind.key(&array, row)?))).collect())
        };
        let values = double(over)?.into_iter().zip(double(under)?);
        let ratio = values.map(|(over, under)| Some(over? / under.filter(|under| *under != 0.0)?));
        Ok(Arc::new(ratio.collect::<arrow_array::Float64Array>()))
    }
}

impl Metric {
    /// A metric of events; `None` for a ratio, which is made of others in the end.
    fn new(
        path: &str,
        spec: &MetricSpec,
        board: &BoardSpec,
        env: &Env,
        rows: &Schema,
    ) -> Result<Option<Self>, BoardError> {
        let Some((input, values)) = collected(path, spec, board, env, rows)? else { return Ok(None) };
        let at = |field: &str| format!("{path}.{field}");
        let filter = spec.filter.as_deref().map(|source| Expression::condition(env, &at("where"), source));
        let window = spec.window_hours().map_err(|reason| BoardError::spec(&at("window"), reason))?;
        Ok(Some(Self {
            path: path.to_owned(),
            filter: filter.transpose()?,
            window,
            input,
            values,
            without_value: 0,
            faults: Faults::default(),
            finished: None,
        }))
    }

    /// Adds rows, each to its slot.
    fn push(&mut self, batch: &RecordBatch, rows: &BooleanBuffer, slots: &[u32]) -> Result<(), BoardError> {
        self.finished = None;
        let faults = &mut self.faults;
        let counted = self.filter.as_ref().map(|filter| filter.flags(batch, rows, faults)).transpose()?;
        let counted = counted.map(|flags| rows & &flags);
        let rows = counted.as_ref().unwrap_or(rows);
        let columns = self.input.read(batch, rows, faults)?;
        let parts = columns.parts();
        self.without_value += self.values.add(&parts.source(), rows, slots);
        Ok(())
    }
}

/// Where a metric stands in the spec of a board.
fn path_of(name: &str) -> String {
    format!("metrics.{name}")
}

/// What a metric reads and what it makes of it; `None` for a ratio.
fn collected(
    path: &str,
    spec: &MetricSpec,
    board: &BoardSpec,
    env: &Env,
    rows: &Schema,
) -> Result<Option<(Input, Accumulator)>, BoardError> {
    let at = |field: &str| format!("{path}.{field}");
    Ok(Some(match spec.kind().map_err(|reason| BoardError::spec(path, reason))? {
        MetricKind::Ratio(..) => return Ok(None),
        MetricKind::Count(source) => {
            (Input::Flags(Expression::condition(env, &at("count"), source)?), Accumulator::Count(Vec::new()))
        }
        MetricKind::Distinct(column) => {
            let input = Input::Codes(column.to_owned(), Codes::new(&[column.to_owned()]));
            (input, Accumulator::Distinct(HashSet::new(), Vec::new()))
        }
        MetricKind::Sum(source) => {
            let (number, kind) = Expression::number(env, &at("sum"), source)?;
            (Input::Numbers(number, kind), Accumulator::sum(kind))
        }
        MetricKind::Min(source) => {
            (Input::ordered(env, &at("min"), source, rows)?, Accumulator::End(Ordering::Less, Vec::new()))
        }
        MetricKind::Max(source) => {
            (Input::ordered(env, &at("max"), source, rows)?, Accumulator::End(Ordering::Greater, Vec::new()))
        }
        MetricKind::Last(source, by) => {
            let by = by.or(board.time.as_deref()).unwrap_or_default();
            let value = Input::ordered(env, &at("last"), source, rows)?;
            let timed = Input::Timed(Box::new(value), KeyColumns::names(&[by.to_owned()]));
            (timed, Accumulator::Last(Vec::new()))
        }
    }))
}
