//! What boards collect of events, which boards of the same group, item and eligibility collect once.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Field, Schema};
use comptoir_rules::value::Timestamp;

use super::contest::all;
use super::error::BoardError;
use super::metrics::Metrics;
use super::numbering::Numbering;
use super::rank::table;
use super::report::{Faults, Report};
use super::spec::BoardSpec;

/// Metrics of events, and what became of the rows.
#[derive(Debug)]
pub struct Events {
    metrics: Metrics,
    /// Rows, and those that do not count.
    pub report: Report,
    /// Of the eligibility.
    pub faults: Faults,
    /// What other threads have collected. To merge it takes as long as to collect it, so this waits for the end.
    helpers: Vec<Events>,
    /// The items in groups, once they were asked for.
    items: Option<Items>,
}

/// The items in groups.
#[derive(Debug, Clone)]
struct Items {
    /// Group and item.
    columns: Vec<(Field, ArrayRef)>,
    /// The number of the group of each.
    groups: Arc<[u32]>,
}

/// The items in groups with their metrics.
#[derive(Debug, Clone)]
pub struct Finished {
    /// A row for each.
    pub table: RecordBatch,
    /// The number of the group of each row.
    pub groups: Arc<[u32]>,
}

/// The events of a board. Boards that were scanned together may hold the same.
#[derive(Debug)]
pub struct Held(Option<Arc<Mutex<Events>>>);

impl Events {
    /// Nothing yet.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            report: Report::default(),
            faults: Faults::default(),
            helpers: Vec::new(),
            items: None,
        }
    }

    /// Adds the chosen rows of a batch.
    pub fn push(&mut self, batch: &RecordBatch, chosen: &BooleanBuffer) -> Result<(), BoardError> {
        self.items = None;
        self.metrics.push(batch, chosen)
    }

    /// The same with nothing in it. `spec` is that of one of its boards.
    pub fn like(&self, spec: &BoardSpec, rows: &Schema, now: Option<Timestamp>) -> Result<Self, BoardError> {
        Ok(Self::new(self.metrics.like(spec, rows, now)?))
    }

    /// Collects what another board of the same group, item and eligibility would. Both have seen no rows.
    pub fn absorb(&mut self, other: Self) {
        self.metrics.absorb(other.metrics);
    }

    /// Adds what others of the same eligibility have.
    pub fn merge(&mut self, other: &Self) -> Result<(), BoardError> {
        self.items = None;
        self.metrics.merge(&other.metrics)?;
        self.report.merge(&other.report);
        self.faults.merge(&other.faults);
        other.helpers.iter().try_for_each(|helper| self.merge(helper))
    }

    /// What a thread is to go on with that has collected before.
    pub fn helper(&mut self) -> Option<Self> {
        self.helpers.pop()
    }

    /// Takes back what a thread has collected.
    pub fn join(&mut self, helper: Self) {
        self.items = None;
        self.helpers.push(helper);
    }

    /// The items in groups with the metrics of a board.
    pub fn finish(&mut self, spec: &BoardSpec) -> Result<Finished, BoardError> {
        let helpers = std::mem::take(&mut self.helpers);
        helpers.iter().try_for_each(|helper| self.merge(helper))?;
        let Items { mut columns, groups } = match &self.items {
            Some(items) => items.clone(),
            None => self.items.insert(Items::new(spec, self.metrics.slots()?)?).clone(),
        };
        columns.extend(self.metrics.columns(spec)?);
        Ok(Finished { table: table(columns, groups.len())?, groups })
    }

    /// What became of the rows, for the report of a board. After [`Events::finish`].
    pub fn report(&self, spec: &BoardSpec, report: &mut Report, faults: &mut Faults) {
        report.merge(&self.report);
        report.without_value = self.metrics.without_value(spec);
        faults.merge(&self.faults);
        self.metrics.report_faults(spec, faults);
    }
}

impl Items {
    fn new(spec: &BoardSpec, columns: Vec<(Field, ArrayRef)>) -> Result<Self, BoardError> {
        let rows = columns.first().map_or(0, |(_, column)| column.len());
        let items = table(columns.clone(), rows)?;
        let mut groups = Numbering::new(&spec.group);
        groups.start(rows);
        groups.read(&items, &all(&items))?;
        Ok(Self { columns, groups: groups.of_rows().into() })
    }
}

impl Held {
    /// Of one board.
    pub fn new(events: Events) -> Self {
        Self(Some(Arc::new(Mutex::new(events))))
    }

    /// The events, to be changed for one board alone: where others hold them too, it goes on with a copy. `None` while
    /// another board of a scan collects them.
    pub fn own(
        &mut self,
        spec: &BoardSpec,
        rows: &Schema,
        now: Option<Timestamp>,
    ) -> Result<Option<&mut Events>, BoardError> {
        let Some(events) = &mut self.0 else { return Ok(None) };
        if Arc::get_mut(events).is_none() {
            let known = events.lock().unwrap_or_else(PoisonError::into_inner);
            let mut copy = known.like(spec, rows, now)?;
            copy.merge(&known)?;
            drop(known);
            *events = Arc::new(Mutex::new(copy));
        }
        let events = Arc::get_mut(events).map(Mutex::get_mut);
        Ok(events.map(|events| events.unwrap_or_else(PoisonError::into_inner)))
    }

    /// Does something with the events, for all boards that hold them.
    pub fn with<T>(&self, work: impl FnOnce(&mut Events) -> T) -> Option<T> {
        self.0.as_ref().map(|events| work(&mut events.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The same events for another board.
    pub fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// Whether another board of a scan has the events.
    pub const fn is_left(&self) -> bool {
        self.0.is_none()
    }

    /// Leaves the events to another board of a scan.
    pub fn leave(&mut self) {
        self.0 = None;
    }

    /// Whether both hold the same events.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Some(own), Some(other)) if Arc::ptr_eq(own, other))
    }

    /// Takes the events, if no other board holds them.
    pub fn take(&mut self) -> Option<Events> {
        let events = Arc::into_inner(self.0.take()?)?;
        Some(events.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
