//! Candidates of a table into the best of each group.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{Field, Schema};

use super::compile::{Expression, env};
use super::error::BoardError;
use super::kept::{Candidate, Kept};
use super::keys::{Interner, KeyColumns};
use super::numbers::NumberKind;
use super::report::{Faults, Report};
use super::spec::BoardSpec;

/// The best of each group.
#[derive(Debug)]
pub struct Ranker {
    score: Option<(Expression, NumberKind)>,
    group: KeyColumns,
    item: KeyColumns,
    ties: KeyColumns,
    groups: Interner,
    kept: Vec<Kept>,
    keep: usize,
    k: usize,
}

impl Ranker {
    pub fn new(spec: &BoardSpec) -> Self {
        Self {
            score: None,
            group: KeyColumns::names(&spec.group),
            item: KeyColumns::names(std::slice::from_ref(&spec.item)),
            ties: KeyColumns::sorted_by(spec.ties.iter().map(|tie| (tie.by.clone(), tie.order)).collect()),
            groups: Interner::default(),
            kept: Vec::new(),
            // One more tells whether the cut falls between equal scores.
            keep: spec.k + spec.slack + 1,
            k: spec.k,
        }
    }

    /// Compiles the score for a schema.
    pub fn prepare(&mut self, spec: &BoardSpec, schema: &Schema) -> Result<(), BoardError> {
        self.score = Some(Expression::number(&env(schema)?, "score", &spec.score)?);
        Ok(())
    }

    /// Offers the chosen rows of a batch.
    pub fn push(
        &mut self,
        batch: &RecordBatch,
        chosen: &[u32],
        report: &mut Report,
        faults: &mut Faults,
    ) -> Result<(), BoardError> {
        let Some((score, kind)) = &self.score else {
            return Err(BoardError::internal("a score that was not compiled"));
        };
        let chosen = taken(batch, chosen)?;
        let scores = score.numbers(*kind, &chosen, faults)?;
        let groups = self.group.encode(&chosen)?;
        let mut open = Vec::new();
        for row in 0..chosen.num_rows() {
            let Some(key) = kind.key(&scores, row) else {
                report.without_score += 1;
                continue;
            };
            report.candidates += 1;
            let group = self.groups.code(groups.bytes(row), "groups")? as usize;
            if group == self.kept.len() {
                self.kept.push(Kept::default());
            }
            let Some(kept) = self.kept.get_mut(group) else { continue };
            kept.offered += 1;
            if kept.is_open(key) {
                open.push((group, key, u32::try_from(row).map_err(BoardError::internal)?));
            }
        }
        self.offer(&chosen, &open)
    }

    /// Reads items and tie keys only of rows that may be among the best.
    fn offer(&mut self, batch: &RecordBatch, open: &[(usize, i128, u32)]) -> Result<(), BoardError> {
        let rows: Vec<u32> = open.iter().map(|(_, _, row)| *row).collect();
        let batch = taken(batch, &rows)?;
        let (items, ties) = (self.item.encode(&batch)?, self.ties.encode(&batch)?);
        for (row, (group, key, _)) in open.iter().enumerate() {
            let Some(kept) = self.kept.get_mut(*group) else { continue };
            if kept.is_open(*key) {
                let (ties, item) = (ties.bytes(row).into(), items.bytes(row).into());
                kept.offer(Candidate { key: *key, ties, item }, self.keep);
            }
        }
        Ok(())
    }

    /// Adds what another collector of the same board has kept.
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        self.group.learn(other.group)?;
        self.item.learn(other.item)?;
        self.ties.learn(other.ties)?;
        self.score = self.score.take().or(other.score);
        for (row, kept) in other.groups.rows().iter().zip(other.kept) {
            let group = self.groups.code(row, "groups")? as usize;
            if group == self.kept.len() {
                self.kept.push(Kept::default());
            }
            if let Some(own) = self.kept.get_mut(group) {
                own.merge(kept, self.keep);
            }
        }
        Ok(())
    }

    /// The boards of all groups as one table, in the order of groups.
    pub fn finish(mut self, report: &mut Report) -> Result<RecordBatch, BoardError> {
        let mut order: Vec<usize> = (0..self.kept.len()).collect();
        order.sort_by_key(|group| self.groups.rows().get(*group));
        let (mut groups, mut items, mut positions, mut scores) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for group in &order {
            let Some(kept) = self.kept.get_mut(*group) else { continue };
            let best = kept.best(self.keep);
            let is_cut_tied = match (self.k.checked_sub(1).and_then(|last| best.get(last)), best.get(self.k))
            {
                (Some(last), Some(next)) => last.key == next.key,
                _ => false,
            };
            if is_cut_tied {
                report.cut_ties.push(items.len() as u64);
            }
            for (candidate, position) in best.iter().take(self.k).zip(1_u32..) {
                groups.push(*group);
                items.push(candidate.item.clone());
                positions.push(position);
                scores.push(Some(candidate.key));
            }
        }
        let group = groups.iter().filter_map(|group| self.groups.rows().get(*group)).map(|row| &**row);
        let mut columns = self.group.decode(group)?;
        columns.extend(self.item.decode(items.iter().map(|row| &**row))?);
        let positions: ArrayRef = Arc::new(UInt32Array::from(positions));
        columns.push((Field::new("position", positions.data_type().clone(), false), positions));
        if let Some((_, kind)) = &self.score {
            let scores = kind.array(scores.into_iter());
            columns.push((Field::new("score", scores.data_type().clone(), false), scores));
        }
        table(columns)
    }
}

/// Some rows of a batch.
pub fn taken(batch: &RecordBatch, rows: &[u32]) -> Result<RecordBatch, BoardError> {
    if rows.len() == batch.num_rows() {
        return Ok(batch.clone());
    }
    let rows = UInt32Array::from(rows.to_vec());
    arrow_select::take::take_record_batch(batch, &rows).map_err(BoardError::internal)
}

/// Columns as a table.
pub fn table(columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch, BoardError> {
    let rows = columns.first().map_or(0, |(_, array)| array.len());
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(BoardError::internal)
}
