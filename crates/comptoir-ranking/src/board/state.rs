//! What a board knows of its columns, and the rows that it has collected.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use comptoir_rules::value::Timestamp;

use super::compile::{Expression, env};
use super::contest::{Contest, all, by_name, group_numbers};
use super::error::BoardError;
use super::events::{Events, Finished, Held};
use super::keys::{KeyColumns, unpacked};
use super::metrics::Metrics;
use super::rank::{table, taken};
use super::report::{Faults, Report};
use super::spec::{BoardSpec, InterventionSpec, ScoreSpec, Step};
use super::terms::Scene;

/// What is known of a board since the first batch.
#[derive(Debug)]
pub struct State {
    spec: Arc<BoardSpec>,
    now: Option<Timestamp>,
    pub schema: SchemaRef,
    pub eligibility: Option<Expression>,
    pub contest: Contest,
    pub source: Source,
}

/// Where candidates come from.
#[derive(Debug)]
pub enum Source {
    /// Each row is one, and is ranked as it comes.
    Rows,
    /// Each row is one, and is kept until all are known, since values are compared with those of others.
    Kept { columns: Vec<usize>, batches: Vec<RecordBatch> },
    /// Each item with its metrics is one.
    Events { events: Held, having: Option<Expression> },
}

/// Candidates that were not ranked as they came.
pub struct Gathered {
    pub table: RecordBatch,
    /// Those that may stand on the board.
    pub chosen: BooleanBuffer,
    /// The number of the group of each row.
    pub groups: Arc<[u32]>,
}

impl State {
    /// Compiles the expressions for the columns of the first batch.
    pub fn new(
        spec: &Arc<BoardSpec>,
        active: &[InterventionSpec],
        rows: &SchemaRef,
        now: Option<Timestamp>,
    ) -> Result<Self, BoardError> {
        let condition = |path: &str, source: &Option<String>, schema: &Schema| {
            let env = env(schema, now)?;
            source.as_deref().map(|source| Expression::condition(&env, path, source)).transpose()
        };
        let eligibility = condition("eligibility", &spec.eligibility, rows)?;
        let (contest, source) = if !spec.metrics.is_empty() {
            let metrics = Metrics::new(spec, rows, now)?;
            let items = metrics.schema(spec, rows)?;
            let having = condition("having", &spec.having, &items)?;
            let events = Held::new(Events::new(metrics));
            (Contest::of_table(spec, active, &items, now)?, Source::Events { events, having })
        } else if needs_all(spec) {
            let contest = Contest::of_table(spec, active, rows, now)?;
            let columns = by_name(rows, contest.all_reads(spec, rows)?);
            (contest, Source::Kept { columns, batches: Vec::new() })
        } else {
            (Contest::of_rows(spec, active, rows, now)?, Source::Rows)
        };
        Ok(Self { spec: spec.clone(), now, schema: rows.clone(), eligibility, contest, source })
    }

    /// Adds rows whose columns are those of the first batch.
    pub fn push(
        &mut self,
        batch: &RecordBatch,
        item: &KeyColumns,
        report: &mut Report,
        faults: &mut Faults,
    ) -> Result<(), BoardError> {
        if let Source::Events { events, .. } = &mut self.source {
            let Some(events) = events.own(&self.spec, &self.schema, self.now)? else { return Ok(()) };
            let eligible =
                eligible(self.eligibility.as_ref(), batch, item, &mut events.report, &mut events.faults)?;
            return events.push(batch, &eligible);
        }
        let eligible = eligible(self.eligibility.as_ref(), batch, item, report, faults)?;
        match &mut self.source {
            Source::Kept { columns, batches } => {
                let kept = batch.project(columns).map_err(BoardError::internal)?;
                // One without rows tells the types of its columns, which is enough once.
                if batch.num_rows() > 0 || batches.is_empty() {
                    batches.push(unpacked_batch(&only(&kept, &eligible)?)?);
                }
                Ok(())
            }
            Source::Rows => {
                let scene = Scene { batch, chosen: &eligible, groups: &[] };
                self.contest.enter(scene, report, faults).map(|_| ())
            }
            Source::Events { .. } => Ok(()),
        }
    }

    /// The candidates, where they were not ranked as they came.
    pub fn table(
        &mut self,
        report: &mut Report,
        faults: &mut Faults,
    ) -> Result<Option<Gathered>, BoardError> {
        match &mut self.source {
            Source::Rows => Ok(None),
            Source::Kept { batches, columns } => {
                let batches = std::mem::take(batches);
                let schema = match batches.first() {
                    Some(batch) => batch.schema(),
                    None => Arc::new(self.schema.project(columns).map_err(BoardError::internal)?),
                };
                let table =
                    arrow_select::concat::concat_batches(&schema, &batches).map_err(BoardError::internal)?;
                let chosen = all(&table);
                let groups = group_numbers(&self.spec, &table)?.into();
                Ok(Some(Gathered { table, chosen, groups }))
            }
            Source::Events { events, having } => {
                let finish = |events: &mut Events| {
                    let finished = events.finish(&self.spec)?;
                    events.report(&self.spec, report, faults);
                    Ok::<_, BoardError>(finished)
                };
                let left = || BoardError::internal("the events of a board were left to another one");
                let Finished { table, groups } = events.with(finish).ok_or_else(left)??;
                let chosen = match having {
                    Some(having) => having.flags(&table, &all(&table), faults)?,
                    None => all(&table),
                };
                report.below_floor += (table.num_rows() - chosen.count_set_bits()) as u64;
                Ok(Some(Gathered { table, chosen, groups }))
            }
        }
    }

    /// Gives a collector on another thread its part of what is collected.
    pub fn share_out(&mut self, other: &mut Self) -> Result<(), BoardError> {
        match (&mut self.source, &mut other.source) {
            (Source::Rows, Source::Rows) => self.contest.ranker.share(&mut other.contest.ranker),
            (Source::Events { events, .. }, Source::Events { events: theirs, .. }) => {
                if let Some(own) = events.own(&self.spec, &self.schema, self.now)? {
                    let helper = match own.helper() {
                        Some(helper) => helper,
                        None => own.like(&self.spec, &self.schema, self.now)?,
                    };
                    *theirs = Held::new(helper);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes back the events of a collector on another thread.
    pub fn join_events(&mut self, other: &mut Self) -> Result<(), BoardError> {
        if let Some((own, theirs)) = self.take_events(other)? {
            own.join(theirs);
        }
        Ok(())
    }

    /// Whether both hold the same events.
    pub fn has_events_of(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (Source::Events { events, .. }, Source::Events { events: theirs, .. }) => {
                events.is_shared_with(theirs)
            }
            _ => false,
        }
    }

    /// Collects what another board of the same group, item and eligibility would, where that one has seen no rows yet.
    pub fn absorb_events(&mut self, other: &mut Self) -> Result<(), BoardError> {
        if let Some((own, theirs)) = self.take_events(other)? {
            own.absorb(theirs);
        }
        Ok(())
    }

    /// Its events, and those of another one, which has none from then on.
    fn take_events(&mut self, other: &mut Self) -> Result<Option<(&mut Events, Events)>, BoardError> {
        let (Source::Events { events, .. }, Source::Events { events: theirs, .. }) =
            (&mut self.source, &mut other.source)
        else {
            return Ok(None);
        };
        Ok(events.own(&self.spec, &self.schema, self.now)?.zip(theirs.take()))
    }

    /// Leaves its events to another board of a scan.
    pub fn leave_events(&mut self) {
        if let Source::Events { events, .. } = &mut self.source {
            events.leave();
        }
    }

    /// Holds the events of another board from now on, if it has left its own to it.
    pub fn take_events_of(&mut self, other: &Self) {
        if let (Source::Events { events, .. }, Source::Events { events: theirs, .. }) =
            (&mut self.source, &other.source)
            && events.is_left()
        {
            *events = theirs.share();
        }
    }

    /// Adds what another collector of the same board has, whose columns are these.
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        self.contest.merge(other.contest)?;
        match (&mut self.source, other.source) {
            (Source::Events { events, .. }, Source::Events { events: theirs, .. }) => {
                match events.own(&self.spec, &self.schema, self.now)? {
                    Some(own) => theirs.with(|theirs| own.merge(theirs)).unwrap_or(Ok(())),
                    None => Ok(()),
                }
            }
            (Source::Kept { batches, .. }, Source::Kept { batches: theirs, .. }) => {
                batches.extend(theirs);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The rows that count and have an item.
fn eligible(
    eligibility: Option<&Expression>,
    batch: &RecordBatch,
    item: &KeyColumns,
    report: &mut Report,
    faults: &mut Faults,
) -> Result<BooleanBuffer, BoardError> {
    let rows = batch.num_rows();
    report.rows += rows as u64;
    let eligible = match eligibility {
        Some(eligibility) => eligibility.flags(batch, &all(batch), faults)?,
        None => all(batch),
    };
    report.not_eligible += (rows - eligible.count_set_bits()) as u64;
    let Some(valid) = item.valid(batch)? else { return Ok(eligible) };
    let with_item = &eligible & &valid;
    report.without_item += (eligible.count_set_bits() - with_item.count_set_bits()) as u64;
    Ok(with_item)
}

/// Whether a score depends on other candidates.
fn needs_all(spec: &BoardSpec) -> bool {
    match &spec.score {
        ScoreSpec::Expression(_) => false,
        ScoreSpec::Terms(terms) => terms.iter().any(|term| term.normalise.iter().any(Step::needs_all)),
    }
}

fn only(batch: &RecordBatch, chosen: &BooleanBuffer) -> Result<RecordBatch, BoardError> {
    taken(batch, &chosen.set_indices_u32().collect::<Vec<_>>())
}

/// A batch with the columns that the first one had, in their order.
pub fn in_order(known: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, BoardError> {
    if Arc::ptr_eq(known, batch.schema_ref()) {
        return Ok(batch.clone());
    }
    let places = places(known, batch.schema_ref())?;
    if places.len() == batch.num_columns() && places.is_sorted() {
        return Ok(batch.clone());
    }
    batch.project(&places).map_err(BoardError::internal)
}

/// Where the columns of a schema stand in another one. A column may be packed as a dictionary in one and plain in the
/// other.
pub fn places(known: &SchemaRef, found: &SchemaRef) -> Result<Vec<usize>, BoardError> {
    let plain = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, values) => (**values).clone(),
        other => other.clone(),
    };
    let place = |field: &arrow_schema::FieldRef| {
        let name = field.name();
        let missing = || comptoir_types::Error::ColumnMissing {
            column: name.clone(),
            hint: ": batches before had it".to_owned(),
        };
        let (place, other) = found.column_with_name(name).ok_or_else(missing)?;
        let (expected, found) = (plain(field.data_type()), plain(other.data_type()));
        if expected != found {
            let [expected, found] =
                [expected, found].map(|data_type| comptoir_types::arrow::type_name(&data_type));
            return Err(BoardError::SchemaChange { column: name.clone(), expected, found });
        }
        Ok(place)
    };
    known.fields().iter().map(place).collect()
}

/// Dictionaries become plain columns: batches may differ in how they pack them.
fn unpacked_batch(batch: &RecordBatch) -> Result<RecordBatch, BoardError> {
    let arrays = batch.columns().iter().map(unpacked).collect::<Result<Vec<_>, _>>()?;
    let fields = batch.schema_ref().fields().iter().zip(&arrays);
    let fields = fields.map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true));
    let columns = fields.zip(arrays.iter().cloned()).collect();
    table(columns, batch.num_rows())
}
