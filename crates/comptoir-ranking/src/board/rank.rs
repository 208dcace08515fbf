//! Candidates of a table into the best of each group.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Field, Schema};
use hashbrown::HashMap;

use super::error::BoardError;
use super::kept::{Candidate, Kept};
use super::keys::{Interner, KeyColumns, unpacked};
use super::numbers::NumberKind;
use super::report::Report;
use super::spec::BoardSpec;

/// Rows of a batch that stand for election.
#[derive(Debug)]
pub struct Candidates<'b> {
    /// Where groups, items and tie keys are read.
    pub batch: &'b RecordBatch,
    /// Which rows of the batch are candidates.
    pub chosen: &'b BooleanBuffer,
    /// Which of them are kept whatever their score, because their items are pinned.
    pub wanted: Option<&'b BooleanBuffer>,
    /// The kind of all scores of the board.
    pub kind: NumberKind,
    /// A score for each row of the batch; null and NaN are none.
    pub scores: ArrayRef,
    /// What is kept beside, an array as long as the batch for each name that the ranker was made with.
    pub carried: Vec<ArrayRef>,
}

/// The best of each group, and what is wanted beside.
#[derive(Debug)]
pub struct Ranked {
    /// The values of the group columns, a row for each group, ascending, null last.
    pub groups: RecordBatch,
    /// For each group its rows in `kept`.
    pub spans: Vec<Span>,
    /// The column of items, `score`, and the carried columns.
    pub kept: RecordBatch,
}

/// The rows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first row.
    pub start: usize,
    /// After the best, which stand in their order.
    pub best: usize,
    /// After the wanted ones that are not among the best.
    pub end: usize,
}

/// Collects the best of each group.
#[derive(Debug)]
pub struct Ranker {
    kind: Option<NumberKind>,
    group: KeyColumns,
    item: KeyColumns,
    ties: KeyColumns,
    carried: KeyColumns,
    groups: Interner,
    kept: Vec<Kept>,
    /// The best row of each wanted item, by group and item.
    wanted: HashMap<(usize, Box<[u8]>), Candidate>,
    keep: usize,
}

impl Ranker {
    /// For the groups, items and tie keys of a spec; `carried` names what is kept beside.
    pub fn new(spec: &BoardSpec, carried: &[String]) -> Self {
        Self {
            kind: None,
            group: KeyColumns::names(&spec.group),
            item: KeyColumns::names(std::slice::from_ref(&spec.item)),
            ties: KeyColumns::sorted_by(spec.ties.iter().map(|tie| (tie.by.clone(), tie.order)).collect()),
            carried: KeyColumns::payload(carried),
            groups: Interner::default(),
            kept: Vec::new(),
            wanted: HashMap::new(),
            // One more tells whether the cut falls between equal scores.
            keep: spec.k + spec.slack + 1,
        }
    }

    /// Offers the chosen rows of a batch.
    pub fn push(&mut self, candidates: &Candidates<'_>, report: &mut Report) -> Result<(), BoardError> {
        self.kind = Some(candidates.kind);
        let groups = self.group.encode(candidates.batch)?;
        let mut open = Vec::new();
        for row in candidates.chosen.set_indices() {
            let Some(key) = candidates.kind.key(&candidates.scores, row) else {
                report.without_score += 1;
                continue;
            };
            report.candidates += 1;
            let group = self.groups.code(groups.bytes(row), "groups")? as usize;
            if group == self.kept.len() {
                self.kept.push(Kept::default());
            }
            let is_wanted = candidates.wanted.is_some_and(|wanted| wanted.value(row));
            if is_wanted || self.kept.get(group).is_some_and(|kept| kept.is_open(key)) {
                open.push(Open {
                    group,
                    key,
                    row: u32::try_from(row).map_err(BoardError::internal)?,
                    is_wanted,
                });
            }
        }
        self.offer(candidates, &open)
    }

    /// Reads items, tie keys and what is carried, only of rows that may be among the best.
    fn offer(&mut self, candidates: &Candidates<'_>, open: &[Open]) -> Result<(), BoardError> {
        let rows: Vec<u32> = open.iter().map(|open| open.row).collect();
        let batch = taken(candidates.batch, &rows)?;
        let (items, ties) = (self.item.encode(&batch)?, self.ties.encode(&batch)?);
        let rows = UInt32Array::from(rows);
        let carried = candidates.carried.iter().map(|array| {
            unpacked(&arrow_select::take::take(array, &rows, None).map_err(BoardError::internal)?)
        });
        let carried = self.carried.encode_arrays(&carried.collect::<Result<Vec<_>, _>>()?)?;
        for (row, open) in open.iter().enumerate() {
            let candidate = Candidate {
                key: open.key,
                ties: ties.bytes(row).into(),
                item: items.bytes(row).into(),
                payload: carried.bytes(row).into(),
            };
            if open.is_wanted {
                self.want(open.group, candidate.clone());
            }
            let Some(kept) = self.kept.get_mut(open.group) else { continue };
            if kept.is_open(open.key) {
                kept.offer(candidate, self.keep);
            }
        }
        Ok(())
    }

    /// Keeps the best row of a wanted item.
    fn want(&mut self, group: usize, candidate: Candidate) {
        let place = self.wanted.entry((group, candidate.item.clone()));
        place
            .and_modify(|known| {
                if candidate < *known {
                    known.clone_from(&candidate);
                }
            })
            .or_insert(candidate);
    }

    /// Adds what another collector of the same board has kept.
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        self.group.learn(other.group)?;
        self.item.learn(other.item)?;
        self.ties.learn(other.ties)?;
        self.carried.learn(other.carried)?;
        self.kind = self.kind.or(other.kind);
        let mut codes = Vec::with_capacity(other.kept.len());
        for (row, kept) in other.groups.rows().iter().zip(other.kept) {
            let group = self.groups.code(row, "groups")? as usize;
            codes.push(group);
            if group == self.kept.len() {
                self.kept.push(Kept::default());
            }
            if let Some(own) = self.kept.get_mut(group) {
                own.merge(kept, self.keep);
            }
        }
        for ((group, _), candidate) in other.wanted {
            if let Some(group) = codes.get(group) {
                self.want(*group, candidate);
            }
        }
        Ok(())
    }

    /// All groups in order, each with its best. Nothing has columns before the first batch.
    pub fn finish(mut self) -> Result<Ranked, BoardError> {
        let mut order: Vec<usize> = (0..self.kept.len()).collect();
        order.sort_by_key(|group| self.groups.rows().get(*group));
        let mut wanted: HashMap<usize, Vec<Candidate>> = HashMap::new();
        for ((group, _), candidate) in self.wanted.drain() {
            wanted.entry(group).or_default().push(candidate);
        }
        let (mut all, mut spans) = (Vec::new(), Vec::new());
        for group in &order {
            let Some(kept) = self.kept.get_mut(*group) else { continue };
            let start = all.len();
            all.extend(kept.best(self.keep).iter().cloned());
            let best = all.len();
            let mut beside = wanted.remove(group).unwrap_or_default();
            let of_best = all.get(start..).unwrap_or_default();
            beside.retain(|candidate| of_best.iter().all(|other| other.item != candidate.item));
            beside.sort();
            all.extend(beside);
            spans.push(Span { start, best, end: all.len() });
        }
        let rows = order.iter().filter_map(|group| self.groups.rows().get(*group)).map(|row| &**row);
        let groups = table(self.group.decode(rows)?, spans.len())?;
        let mut columns = self.item.decode(all.iter().map(|candidate| &*candidate.item))?;
        if let Some(kind) = self.kind {
            let scores = kind.array(all.iter().map(|candidate| Some(candidate.key)));
            columns.push((Field::new("score", scores.data_type().clone(), false), scores));
        }
        columns.extend(self.carried.decode(all.iter().map(|candidate| &*candidate.payload))?);
        Ok(Ranked { groups, spans, kept: table(columns, all.len())? })
    }
}

/// A row that may be among the best.
struct Open {
    group: usize,
    key: i128,
    row: u32,
    is_wanted: bool,
}

/// Some rows of a batch.
pub fn taken(batch: &RecordBatch, rows: &[u32]) -> Result<RecordBatch, BoardError> {
    if rows.len() == batch.num_rows() {
        return Ok(batch.clone());
    }
    let rows = UInt32Array::from(rows.to_vec());
    arrow_select::take::take_record_batch(batch, &rows).map_err(BoardError::internal)
}

/// Columns of so many rows as a table.
pub fn table(columns: Vec<(Field, ArrayRef)>, rows: usize) -> Result<RecordBatch, BoardError> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(BoardError::internal)
}
