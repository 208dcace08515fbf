//! Events into the metrics of every item in every group.

use std::cmp::Ordering;
use std::collections::BTreeMap;
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
use super::rank::table;
use super::report::{Faults, GroupName};
use super::spec::{BoardSpec, MetricKind, MetricSpec};
use crate::snapshot::group_text;

/// Metrics by slot; a slot is an item in a group.
#[derive(Debug)]
pub struct Metrics {
    /// The columns of the group, then that of the item.
    slots: Codes,
    /// By hours.
    windows: BTreeMap<u32, Window>,
    metrics: BTreeMap<String, Metric>,
}

#[derive(Debug)]
struct Metric {
    filter: Option<Expression>,
    window: Option<u32>,
    input: Input,
    values: Accumulator,
    /// Rows that count and have no value.
    without_value: u64,
}

impl Metrics {
    /// For rows of a schema.
    pub fn new(spec: &BoardSpec, rows: &Schema, now: Option<Timestamp>) -> Result<Self, BoardError> {
        let env = env(rows, now)?;
        let (mut metrics, mut windows) = (BTreeMap::new(), BTreeMap::new());
        for (name, metric) in &spec.metrics {
            let path = format!("metrics.{name}");
            let Some(metric) = Metric::new(&path, metric, spec, &env, rows)? else { continue };
            if let Some(hours) = metric.window
                && !windows.contains_key(&hours)
            {
                let path = format!("{path}.window");
                let time = spec.time.as_deref().unwrap_or_default();
                windows.insert(hours, Window::new(&path, time, hours, rows, now)?);
            }
            metrics.insert(name.clone(), metric);
        }
        Ok(Self { slots: Codes::new(&spec.slot()), windows, metrics })
    }

    /// Adds the chosen rows of a batch.
    pub fn push(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<(), BoardError> {
        let mut slots = Vec::new();
        self.slots.read(batch, chosen, &mut slots)?;
        let mut inside = BTreeMap::new();
        for (hours, window) in &self.windows {
            inside.insert(*hours, chosen & &window.flags(batch, faults)?);
        }
        for metric in self.metrics.values_mut() {
            metric.values.reach(self.slots.len());
            let rows = metric.window.and_then(|hours| inside.get(&hours)).unwrap_or(chosen);
            metric.push(batch, rows, &slots, faults)?;
        }
        Ok(())
    }

    /// Adds the metrics of another collector of the same board.
    pub fn merge(&mut self, other: &Self) -> Result<(), BoardError> {
        let slots = self.slots.learn(&other.slots, 0)?;
        for (name, metric) in &mut self.metrics {
            metric.values.reach(self.slots.len());
            let Some(theirs) = other.metrics.get(name) else { continue };
            let codes = metric.input.learn(&theirs.input)?;
            metric.values.merge(&theirs.values, &slots, &codes);
            metric.without_value += theirs.without_value;
        }
        Ok(())
    }

    /// The schema of [`Metrics::finish`], for expressions over it.
    pub fn schema(&self, spec: &BoardSpec, rows: &Schema) -> Result<Schema, BoardError> {
        let column = |name: &String| field(rows, name).cloned();
        let mut fields = spec.group.iter().chain([&spec.item]).map(column).collect::<Result<Vec<_>, _>>()?;
        let data_type = |name: &str| match self.metrics.get(name) {
            Some(metric) => metric.input.gives(&metric.values),
            None => DataType::Float64,
        };
        fields.extend(spec.metrics.keys().map(|name| Field::new(name, data_type(name), true)));
        Ok(Schema::new(fields))
    }

    /// A row for each slot: group, item, metrics.
    pub fn finish(&self, spec: &BoardSpec) -> Result<RecordBatch, BoardError> {
        let mut columns = self.slots.columns()?;
        for (name, metric) in &spec.metrics {
            let array = match metric.kind() {
                Ok(MetricKind::Ratio(over, under)) => self.ratio(over, under)?,
                _ => self.column(name)?,
            };
            columns.push((Field::new(name, array.data_type().clone(), true), array));
        }
        table(columns, self.slots.len())
    }

    fn column(&self, name: &str) -> Result<ArrayRef, BoardError> {
        let metric =
            self.metrics.get(name).ok_or_else(|| BoardError::internal(format!("no metric `{name}`")))?;
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

    /// For each metric the rows that count for it and have no value.
    pub fn without_value(&self) -> BTreeMap<String, u64> {
        let counts = self.metrics.iter().map(|(name, metric)| (name.clone(), metric.without_value));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Null where the divisor is zero or null.
    fn ratio(&self, over: &str, under: &str) -> Result<ArrayRef, BoardError> {
        let double = |name: &str| -> Result<Vec<Option<f64>>, BoardError> {
            let array = self.column(name)?;
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
        let at = |field: &str| format!("{path}.{field}");
        let (input, values) = match spec.kind().map_err(|reason| BoardError::spec(path, reason))? {
            MetricKind::Ratio(..) => return Ok(None),
            MetricKind::Count(source) => (
                Input::Flags(Expression::condition(env, &at("count"), source)?),
                Accumulator::Count(Vec::new()),
            ),
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
            MetricKind::Max(source) => (
                Input::ordered(env, &at("max"), source, rows)?,
                Accumulator::End(Ordering::Greater, Vec::new()),
            ),
            MetricKind::Last(source, by) => {
                let by = by.or(board.time.as_deref()).unwrap_or_default();
                let value = Input::ordered(env, &at("last"), source, rows)?;
                let timed = Input::Timed(Box::new(value), KeyColumns::names(&[by.to_owned()]));
                (timed, Accumulator::Last(Vec::new()))
            }
        };
        let filter = spec.filter.as_deref().map(|source| Expression::condition(env, &at("where"), source));
        let window = spec.window_hours().map_err(|reason| BoardError::spec(&at("window"), reason))?;
        Ok(Some(Self { filter: filter.transpose()?, window, input, values, without_value: 0 }))
    }

    /// Adds rows, each to its slot.
    fn push(
        &mut self,
        batch: &RecordBatch,
        rows: &BooleanBuffer,
        slots: &[u32],
        faults: &mut Faults,
    ) -> Result<(), BoardError> {
        let counted = self.filter.as_ref().map(|filter| filter.flags(batch, rows, faults)).transpose()?;
        let counted = counted.map(|flags| rows & &flags);
        let rows = counted.as_ref().unwrap_or(rows);
        let columns = self.input.read(batch, rows, faults)?;
        let parts = columns.parts();
        self.without_value += self.values.add(&parts.source(), rows, slots);
        Ok(())
    }
}
