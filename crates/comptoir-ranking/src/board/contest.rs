//! Candidates of a table: scored, hidden, boosted, and ranked in their groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::Schema;
use comptoir_rules::value::Timestamp;

use super::codes::Codes;
use super::compile::{env, field};
use super::error::BoardError;
use super::keys::KeyColumns;
use super::layout::Layout;
use super::operators::Operators;
use super::rank::{Candidates, Ranker};
use super::report::{Faults, Report};
use super::spec::{BoardSpec, InterventionSpec};
use super::terms::{Scene, Scored, Scorer};

/// What ranks the candidates of a table.
#[derive(Debug)]
pub struct Contest {
    /// How scores are made.
    pub scorer: Scorer,
    /// What operators do.
    pub operators: Operators,
    /// What the places are to meet.
    pub layout: Layout,
    /// The best so far.
    pub ranker: Ranker,
    /// For whom ages and windows count.
    pub now: Option<Timestamp>,
    carried: Carried,
}

/// What is kept of a candidate beside its score.
#[derive(Debug)]
enum Carried {
    /// Columns, by their place in the table.
    Columns(Vec<usize>),
    /// Its row, since the table stays.
    Row,
}

impl Contest {
    /// For candidates that come as batches of a schema and are not kept.
    pub fn of_rows(
        spec: &BoardSpec,
        active: &[InterventionSpec],
        schema: &Schema,
        now: Option<Timestamp>,
    ) -> Result<Self, BoardError> {
        let contest = Self::of_table(spec, active, schema, now)?;
        // From here on rows do not stay, so that what is read of them later is what is asked for alone.
        let mut contest = Self { carried: Carried::Columns(Vec::new()), ..contest };
        let mut columns = contest.reads(spec, schema)?;
        let is_key = |place: &usize| {
            let field = schema.fields().get(*place);
            field.is_some_and(|field| *field.name() == spec.item || spec.group.contains(field.name()))
        };
        columns.retain(|place| !is_key(place));
        let columns = by_name(schema, columns);
        let name = |place: &usize| schema.fields().get(*place).map(|field| field.name().clone());
        let names: Vec<_> = columns.iter().filter_map(name).collect();
        contest.ranker = Ranker::new(spec, &names);
        contest.carried = Carried::Columns(columns);
        Ok(contest)
    }

    /// For the candidates of one table.
    pub fn of_table(
        spec: &BoardSpec,
        active: &[InterventionSpec],
        schema: &Schema,
        now: Option<Timestamp>,
    ) -> Result<Self, BoardError> {
        for (place, tie) in spec.ties.iter().enumerate() {
            let path = format!("ties[{place}].by");
            KeyColumns::check_sorted(field(schema, &tie.by)?).map_err(|error| error.read_by(&path))?;
        }
        Ok(Self {
            scorer: Scorer::new(&spec.score, &env(schema, now)?)?,
            operators: Operators::new(spec, active, schema, now)?,
            layout: Layout::new(spec, schema, now)?,
            ranker: Ranker::new(spec, &["row".to_owned()]),
            now,
            carried: Carried::Row,
        })
    }

    /// The columns that are needed of a candidate when it is placed, shown and explained.
    fn reads(&self, spec: &BoardSpec, schema: &Schema) -> Result<BTreeSet<usize>, BoardError> {
        let mut columns = BTreeSet::new();
        for name in &spec.show.columns {
            super::compile::field(schema, name)?;
            columns.extend(schema.index_of(name).ok());
        }
        self.layout.reads(schema, &mut columns);
        if self.is_explained(spec) {
            self.scorer.reads(schema, &mut columns);
            self.operators.reads(schema, &mut columns);
            columns.extend(spec.ties.iter().filter_map(|tie| schema.index_of(&tie.by).ok()));
        }
        Ok(columns)
    }

    /// Whether scores are made again of what is kept.
    pub fn is_explained(&self, spec: &BoardSpec) -> bool {
        let show = &spec.show;
        show.explain || show.terms || show.organic || matches!(self.carried, Carried::Row)
    }

    /// All columns that a candidate has to keep for its score to be made later.
    pub fn all_reads(&self, spec: &BoardSpec, schema: &Schema) -> Result<BTreeSet<usize>, BoardError> {
        let mut columns = self.reads(spec, schema)?;
        let keys = spec.group.iter().chain([&spec.item]);
        columns.extend(keys.filter_map(|name| schema.index_of(name).ok()));
        columns.extend(spec.ties.iter().filter_map(|tie| schema.index_of(&tie.by).ok()));
        Ok(columns)
    }

    /// Ranks the chosen rows of a batch. `groups` numbers the group of each row, where values are compared in groups.
    pub fn enter(
        &mut self,
        scene: Scene<'_>,
        report: &mut Report,
        faults: &mut Faults,
    ) -> Result<Scored, BoardError> {
        let batch = scene.batch;
        let hidden = self.operators.hidden(batch, scene.chosen, faults)?;
        let shown = hidden.map(|hidden| {
            report.hidden += hidden.count_set_bits() as u64;
            scene.chosen & &!&hidden
        });
        let chosen = shown.as_ref().unwrap_or(scene.chosen);
        // What is hidden is no part of the population with which values are compared.
        let scored = self.scorer.score(Scene { chosen, ..scene }, self.now, faults)?;
        let wanted = self.operators.pinned(batch, chosen, faults)?;
        let operated = self.operators.boost(batch, chosen, scored.kind, &scored.scores, faults)?;
        let candidates = Candidates {
            batch,
            chosen,
            wanted: wanted.as_ref(),
            kind: operated.kind,
            scores: operated.scores,
            beyond: operated.beyond,
            carried: self.carried(batch)?,
        };
        self.ranker.push(candidates, report)?;
        Ok(scored)
    }

    fn carried(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, BoardError> {
        match &self.carried {
            Carried::Columns(columns) => {
                let columns = columns.iter().filter_map(|place| batch.columns().get(*place));
                Ok(columns.cloned().collect())
            }
            Carried::Row => {
                let rows = u32::try_from(batch.num_rows())
                    .map_err(|_| BoardError::TooMany { what: "items in groups" })?;
                Ok(vec![Arc::new(UInt32Array::from_iter_values(0..rows))])
            }
        }
    }

    /// Adds what another collector of the same board has ranked.
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        self.operators.merge(&other.operators);
        self.ranker.merge(other.ranker)
    }
}

/// Columns in the order of their names, so that collectors agree whose tables have their columns in other orders.
pub fn by_name(schema: &Schema, columns: BTreeSet<usize>) -> Vec<usize> {
    let mut columns: Vec<usize> = columns.into_iter().collect();
    columns.sort_by_key(|place| schema.fields().get(*place).map(|field| field.name().clone()));
    columns
}

/// The number of the group of each row of a table.
pub fn group_numbers(spec: &BoardSpec, table: &RecordBatch) -> Result<Vec<u32>, BoardError> {
    let mut groups = Vec::new();
    Codes::new(&spec.group).read(table, &all(table), &mut groups)?;
    Ok(groups)
}

/// All rows of a batch.
pub fn all(batch: &RecordBatch) -> BooleanBuffer {
    BooleanBuffer::new_set(batch.num_rows())
}
