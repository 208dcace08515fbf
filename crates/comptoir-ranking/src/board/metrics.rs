//! Events into the metrics of every item in every group.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Field, Schema};
use comptoir_rules::Env;
use hashbrown::HashMap;

use super::compile::Expression;
use super::error::BoardError;
use super::keys::{Interner, KeyColumns, KeyRows};
use super::metric::{Accumulator, Source};
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
    metrics: BTreeMap<String, Metric>,
}

#[derive(Debug)]
struct Metric {
    filter: Option<Expression>,
    input: Input,
    values: Accumulator,
}

#[derive(Debug)]
enum Input {
    Flags(Expression),
    Numbers(Expression, NumberKind),
    Names(KeyColumns),
    Timed(Expression, NumberKind, KeyColumns),
}

/// Columns of a batch that a metric reads.
enum Columns {
    Flags(BooleanBuffer),
    Numbers(NumberKind, ArrayRef),
    Names(KeyRows, Option<BooleanBuffer>),
    Timed(NumberKind, ArrayRef, KeyRows, Option<BooleanBuffer>),
}

impl Metrics {
    pub fn new(spec: &BoardSpec, env: &Env) -> Result<Self, BoardError> {
        let mut metrics = BTreeMap::new();
        for (name, metric) in &spec.metrics {
            if let Some(metric) = Metric::new(name, metric, env)? {
                metrics.insert(name.clone(), metric);
            }
        }
        Ok(Self {
            group: KeyColumns::names(&spec.group),
            item: KeyColumns::names(std::slice::from_ref(&spec.item)),
            groups: Interner::default(),
            items: Interner::default(),
            slots: HashMap::new(),
            keys: Vec::new(),
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
        for (name, metric) in &mut self.metrics {
            metric.values.reach(self.keys.len());
            metric.push(name, batch, &slots, faults)?;
        }
        Ok(())
    }

    /// Adds the metrics of another collector of the same board.
    pub fn merge(&mut self, mut other: Self) -> Result<(), BoardError> {
        self.group.learn(other.group)?;
        self.item.learn(other.item)?;
        let mut slots = Vec::with_capacity(other.keys.len());
        for (group, item) in &other.keys {
            let row = |interner: &Interner, code: u32| {
                interner.rows().get(code as usize).cloned().unwrap_or_default()
            };
            let group = self.groups.code(&row(&other.groups, *group), "groups")?;
            let item = self.items.code(&row(&other.items, *item), "items")?;
            slots.push(self.slot(group, item)?);
        }
        for (name, metric) in &mut self.metrics {
            metric.values.reach(self.keys.len());
            let Some(theirs) = other.metrics.get_mut(name) else { continue };
            for (from, slot) in slots.iter().enumerate() {
                metric.values.merge(*slot, &mut theirs.values, from).map_err(|overflow| overflow.of(name))?;
            }
        }
        Ok(())
    }

    /// The kinds of all metrics by name.
    pub fn fields(&self, spec: &BoardSpec) -> Vec<Field> {
        let kind =
            |name: &str| self.metrics.get(name).map_or(NumberKind::Double, |metric| metric.values.kind());
        spec.metrics.keys().map(|name| Field::new(name, kind(name).data_type(), true)).collect()
    }

    /// A row for each slot: group, item, metrics.
    pub fn finish(&self, spec: &BoardSpec) -> Result<RecordBatch, BoardError> {
        let row = |interner: &'_ Interner, code: u32| {
            interner.rows().get(code as usize).cloned().unwrap_or_default()
        };
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
        metric.values.finish().map_err(|overflow| overflow.of(name))
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

impl Metric {
    /// A metric of events; `None` for a ratio, which is made of others in the end.
    fn new(name: &str, spec: &MetricSpec, env: &Env) -> Result<Option<Self>, BoardError> {
        let path = format!("metrics.{name}");
        let at = |field: &str| format!("{path}.{field}");
        let number = |field: &str, source: &str| Expression::number(env, &at(field), source);
        let (input, values) = match spec.kind().map_err(|reason| BoardError::spec(&path, reason))? {
            MetricKind::Ratio(..) => return Ok(None),
            MetricKind::Count(source) => {
                (Input::Flags(Expression::condition(env, &at("count"), source)?), Accumulator::count())
            }
            MetricKind::Distinct(column) => {
                (Input::Names(KeyColumns::names(&[column.to_owned()])), Accumulator::distinct())
            }
            MetricKind::Sum(source) => {
                let (number, kind) = number("sum", source)?;
                (Input::Numbers(number, kind), Accumulator::sum(kind))
            }
            MetricKind::Min(source) => {
                let (number, kind) = number("min", source)?;
                (Input::Numbers(number, kind), Accumulator::min(kind))
            }
            MetricKind::Max(source) => {
                let (number, kind) = number("max", source)?;
                (Input::Numbers(number, kind), Accumulator::max(kind))
            }
            MetricKind::Last(source, by) => {
                let (number, kind) = number("last", source)?;
                (Input::Timed(number, kind, KeyColumns::names(&[by.to_owned()])), Accumulator::last(kind))
            }
        };
        let filter = spec.filter.as_deref().map(|source| Expression::condition(env, &at("where"), source));
        Ok(Some(Self { filter: filter.transpose()?, input, values }))
    }

    fn push(
        &mut self,
        name: &str,
        batch: &RecordBatch,
        slots: &[usize],
        faults: &mut Faults,
    ) -> Result<(), BoardError> {
        let all = BooleanBuffer::new_set(batch.num_rows());
        let filter = self.filter.as_ref().map(|filter| filter.flags(batch, &all, faults)).transpose()?;
        let columns = self.input.read(batch, &all, faults)?;
        let names = columns.names();
        let source = match &columns {
            Columns::Flags(flags) => Source::Flags(flags),
            Columns::Numbers(kind, array) => Source::Numbers(*kind, array),
            Columns::Names(..) => Source::Names(&names),
            Columns::Timed(kind, array, ..) => Source::Timed(*kind, array, &names),
        };
        let counts = |row: usize| filter.as_ref().is_none_or(|flags| flags.value(row));
        for (row, slot) in slots.iter().enumerate().filter(|(row, _)| counts(*row)) {
            self.values.add(*slot, &source, row).map_err(|overflow| overflow.of(name))?;
        }
        Ok(())
    }
}

impl Input {
    fn read(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<Columns, BoardError> {
        Ok(match self {
            Self::Flags(condition) => Columns::Flags(condition.flags(batch, chosen, faults)?),
            Self::Numbers(number, kind) => {
                Columns::Numbers(*kind, number.numbers(*kind, batch, chosen, faults)?)
            }
            Self::Names(column) => Columns::Names(column.encode(batch)?, column.valid(batch)?),
            Self::Timed(number, kind, by) => Columns::Timed(
                *kind,
                number.numbers(*kind, batch, chosen, faults)?,
                by.encode(batch)?,
                by.valid(batch)?,
            ),
        })
    }
}

impl Columns {
    /// The values of a column of names or moments as bytes.
    fn names(&self) -> Vec<Option<&[u8]>> {
        match self {
            Self::Flags(_) | Self::Numbers(..) => Vec::new(),
            Self::Names(rows, valid) | Self::Timed(_, _, rows, valid) => {
                let is_valid = |row: &usize| valid.as_ref().is_none_or(|valid| valid.value(*row));
                (0..rows.len()).map(|row| Some(row).filter(is_valid).map(|row| rows.bytes(row))).collect()
            }
        }
    }
}

/// The schema of the table that [`Metrics::finish`] gives, for expressions over it.
pub fn schema(spec: &BoardSpec, rows: &Schema, metrics: &Metrics) -> Result<Schema, BoardError> {
    let column = |name: &String| {
        rows.field_with_name(name).cloned().map_err(|_| {
            BoardError::Column(comptoir_types::Error::ColumnMissing {
                column: name.clone(),
                hint: String::new(),
            })
        })
    };
    let mut fields = spec.group.iter().chain([&spec.item]).map(column).collect::<Result<Vec<_>, _>>()?;
    fields.extend(metrics.fields(spec));
    Ok(Schema::new(fields))
}
