//! Events into the metrics of every item in every group.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use comptoir_rules::Env;
use comptoir_rules::value::Timestamp;
use hashbrown::HashMap;

use super::compile::{Expression, env, field};
use super::error::BoardError;
use super::input::{Input, Window};
use super::keys::{Interner, KeyColumns};
use super::metric::{Accumulator, Finished};
use super::numbers::NumberKind;
use super::rank::table;
use super::report::Faults;
use super::spec::{BoardSpec, MetricKind, MetricSpec};

/// Metrics by slot; a slot is an item in a group.
#[derive(Debug)]
pub struct Metrics {
    group: KeyColumns,
    item: KeyColumns,
    groups: Interner,
    items: Interner,
    slots: HashMap<(u32, u32), u32>,
    keys: Vec<(u32, u32)>,
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
        Ok(Self {
            group: KeyColumns::names(&spec.group),
            item: KeyColumns::names(std::slice::from_ref(&spec.item)),
            groups: Interner::default(),
            items: Interner::default(),
            slots: HashMap::new(),
            keys: Vec::new(),
            windows,
            metrics,
        })
    }

    /// Adds events.
    pub fn push(&mut self, batch: &RecordBatch, faults: &mut Faults) -> Result<(), BoardError> {
        let (groups, items) = (self.group.encode(batch)?, self.item.encode(batch)?);
        let mut slots = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let group = self.groups.code(groups.bytes(row), "groups")?;
            let item = self.items.code(items.bytes(row), "items")?;
            slots.push(self.slot(group, item)?);
        }
        let mut inside = BTreeMap::new();
        for (hours, window) in &self.windows {
            inside.insert(*hours, window.flags(batch, faults)?);
        }
        for (name, metric) in &mut self.metrics {
            metric.values.reach(self.keys.len());
            let window = metric.window.and_then(|hours| inside.get(&hours));
            metric.push(name, batch, window, &slots, faults)?;
        }
        Ok(())
    }

    /// Adds the metrics of another collector of the same board.
    pub fn merge(&mut self, mut other: Self) -> Result<(), BoardError> {
        self.group.learn(other.group)?;
        self.item.learn(other.item)?;
        let mut slots = Vec::with_capacity(other.keys.len());
        for (group, item) in &other.keys {
            let group = self.groups.code(&row(&other.groups, *group), "groups")?;
            let item = self.items.code(&row(&other.items, *item), "items")?;
            slots.push(self.slot(group, item)?);
        }
        for (name, metric) in &mut self.metrics {
            metric.values.reach(self.keys.len());
            let Some(theirs) = other.metrics.remove(name) else { continue };
            metric.input.learn(theirs.input)?;
            let mut values = theirs.values;
            for (from, slot) in slots.iter().enumerate() {
                metric.values.merge(*slot, &mut values, from).map_err(|overflow| overflow.of(name))?;
            }
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
        let groups: Vec<_> = self.keys.iter().map(|(group, _)| row(&self.groups, *group)).collect();
        let items: Vec<_> = self.keys.iter().map(|(_, item)| row(&self.items, *item)).collect();
        let mut columns = self.group.decode(groups.iter().map(|row| &**row))?;
        columns.extend(self.item.decode(items.iter().map(|row| &**row))?);
        for (name, metric) in &spec.metrics {
            let array = match metric.kind() {
                Ok(MetricKind::Ratio(over, under)) => self.ratio(over, under)?,
                _ => self.column(name)?,
            };
            columns.push((Field::new(name, array.data_type().clone(), true), array));
        }
        table(columns, self.keys.len())
    }

    fn column(&self, name: &str) -> Result<ArrayRef, BoardError> {
        let metric =
            self.metrics.get(name).ok_or_else(|| BoardError::internal(format!("no metric `{name}`")))?;
        match metric.values.finish() {
            Finished::Bytes(values) => metric.input.decode(&values),
            Finished::Numbers(keys) => {
                let data_type = metric.input.gives(&metric.values);
                let Some(kind) = NumberKind::of(&data_type) else {
                    // No event had a value, so that all are null.
                    return Ok(arrow_array::new_null_array(&data_type, keys.len()));
                };
                if !keys.iter().flatten().all(|key| kind.fits(*key)) {
                    return Err(BoardError::Overflow { metric: name.to_owned() });
                }
                Ok(kind.array(keys.into_iter()))
            }
        }
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

    fn slot(&mut self, group: u32, item: u32) -> Result<usize, BoardError> {
        let next =
            u32::try_from(self.keys.len()).map_err(|_| BoardError::TooMany { what: "items in groups" })?;
        let slot = *self.slots.entry((group, item)).or_insert(next);
        if slot == next {
            self.keys.push((group, item));
        }
        Ok(slot as usize)
    }
}

fn row(interner: &Interner, code: u32) -> Box<[u8]> {
    interner.rows().get(code as usize).cloned().unwrap_or_default()
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
                (Input::Names(KeyColumns::names(&[column.to_owned()])), Accumulator::Distinct(Vec::new()))
            }
            MetricKind::Sum(source) => {
                let (number, kind) = Expression::number(env, &at("sum"), source)?;
                (Input::Numbers(number, kind), Accumulator::sum(kind))
            }
            MetricKind::Min(source) => {
                (Input::ordered(env, &at("min"), source, rows)?, Accumulator::Min(Vec::new()))
            }
            MetricKind::Max(source) => {
                (Input::ordered(env, &at("max"), source, rows)?, Accumulator::Max(Vec::new()))
            }
            MetricKind::Last(source, by) => {
                let by = by.or(board.time.as_deref()).unwrap_or_default();
                let value = Input::ordered(env, &at("last"), source, rows)?;
                let timed = Input::Timed(Box::new(value), KeyColumns::names(&[by.to_owned()]));
                (timed, Accumulator::Last(Vec::new()))
            }
        };
        let filter = spec.filter.as_deref().map(|source| Expression::condition(env, &at("where"), source));
        let window = spec.window_hours().map_err(|reason| BoardError::spec(&at("window"), reason))?;
        Ok(Some(Self { filter: filter.transpose()?, window, input, values }))
    }

    fn push(
        &mut self,
        name: &str,
        batch: &RecordBatch,
        window: Option<&BooleanBuffer>,
        slots: &[usize],
        faults: &mut Faults,
    ) -> Result<(), BoardError> {
        let mut counts = window.cloned().unwrap_or_else(|| BooleanBuffer::new_set(batch.num_rows()));
        if let Some(filter) = &self.filter {
            counts = &counts & &filter.flags(batch, &counts, faults)?;
        }
        let columns = self.input.read(batch, &counts, faults)?;
        let parts = columns.parts();
        let source = parts.source();
        for (row, slot) in slots.iter().enumerate().filter(|(row, _)| counts.value(*row)) {
            self.values.add(*slot, &source, row).map_err(|overflow| overflow.of(name))?;
        }
        Ok(())
    }
}
