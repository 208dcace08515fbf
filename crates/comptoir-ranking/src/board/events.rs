//! What boards collect of events, which boards that differ only in what they make of it collect once.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use arrow_schema::Schema;
use comptoir_rules::value::Timestamp;

use super::contest::all;
use super::error::BoardError;
use super::metrics::Metrics;
use super::numbering::Numbering;
use super::report::{Faults, Report};
use super::spec::BoardSpec;

/// Metrics of events, and what became of the rows.
#[derive(Debug)]
pub struct Events {
    metrics: Metrics,
    /// Rows, and those that do not count.
    pub report: Report,
    /// Of eligibility and metrics.
    pub faults: Faults,
    /// What other threads have collected. To merge it takes as long as to collect it, so this waits for the end.
    helpers: Vec<Events>,
    /// The items in groups, once they were asked for.
    finished: Option<Finished>,
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
            finished: None,
        }
    }

    /// Adds the chosen rows of a batch.
    pub fn push(&mut self, batch: &RecordBatch, chosen: &BooleanBuffer) -> Result<(), BoardError> {
        self.finished = None;
        self.metrics.push(batch, chosen, &mut self.faults)
    }

    /// Adds what others of the same eligibility and metrics have.
    pub fn merge(&mut self, other: &Self) -> Result<(), BoardError> {
        self.finished = None;
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
        self.finished = None;
        self.helpers.push(helper);
    }

    /// The items in groups with their metrics, and for each metric the rows without a value in the report.
    pub fn finish(&mut self, spec: &BoardSpec) -> Result<Finished, BoardError> {
        let helpers = std::mem::take(&mut self.helpers);
        helpers.iter().try_for_each(|helper| self.merge(helper))?;
        if let Some(finished) = &self.finished {
            return Ok(finished.clone());
        }
        let table = self.metrics.finish(spec)?;
        self.report.without_value = self.metrics.without_value();
        let mut groups = Numbering::new(&spec.group);
        groups.start(table.num_rows());
        groups.read(&table, &all(&table))?;
        let finished = Finished { table, groups: groups.of_rows().into() };
        self.finished = Some(finished.clone());
        Ok(finished)
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
            let mut copy = Events::new(Metrics::new(spec, rows, now)?);
            copy.merge(&events.lock().unwrap_or_else(PoisonError::into_inner))?;
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
