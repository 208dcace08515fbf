//! Reading a history of movements from Arrow record batches.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, SchemaRef};
use comptoir_types::Clock;
use comptoir_types::arrow::{self as columns, IdIndex};

use super::Source;
use super::cells::{WithFaults, kinds, note_nulls, scale_of, units};
use super::content::{Content, class_conflicts};
use crate::error::Error;
use crate::policy::{ClosedPeriod, Policy, Rules};
use crate::posting::NONE;
use crate::reject::{Fault, NumberColumn, RejectCode};
use crate::rows::rules_by_item;
use crate::valuation::columns::{Chunk, Columns, Ids, MISSING, Units};

/// Batches are joined when they hold fewer rows on average: every batch costs work of its own.
const SMALL_BATCH: usize = 1 << 17;

/// Reads the columns of a history; what is wrong with single rows is among the faults.
pub(crate) fn read(
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
    policy: &Policy,
) -> Result<(Columns, Source), Error> {
    let batches = joined(schema, batches)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if u32::try_from(rows).is_ok_and(|rows| rows < MISSING) {
        let source = Source::new(schema, &batches)?;
        let columns = Reader { source: &source, policy, rows }.read()?;
        return Ok((columns, source));
    }
    Err(Error::TooManyRows { rows: rows as u64, limit: u64::from(MISSING) - 1 })
}

fn joined(schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Error> {
    let mut batches: Vec<RecordBatch> = batches.into_iter().filter(|batch| batch.num_rows() > 0).collect();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if batches.len() > 1 && rows / batches.len() < SMALL_BATCH {
        let all = arrow_select::concat::concat_batches(schema, &batches).map_err(Error::arrow)?;
        batches = vec![all];
    }
    if batches.is_empty() {
        // Types are checked without rows too.
        batches = vec![RecordBatch::new_empty(Arc::clone(schema))];
    }
    Ok(batches)
}

struct Reader<'a> {
    source: &'a Source,
    policy: &'a Policy,
    rows: usize,
}

/// The numeric columns, and what is wrong with single rows of them.
struct Numbers {
    chunks: Vec<Chunk>,
    clock: Clock,
    utc_offset: i64,
    quantity_scale: u8,
    moved: bool,
    faults: Vec<(u32, Fault)>,
}

impl Reader<'_> {
    fn read(&self) -> Result<Columns, Error> {
        let source = self.source;
        let ((item, numbers), ids) = rayon::join(
            || rayon::join(|| columns::intern(&source.item, "item"), || self.numbers()),
            || self.ids(),
        );
        let (item, mut numbers, (ids, duplicates)) = (item?, numbers?, ids?);
        let class = self.codes("class", &source.class)?;
        let mut faults = std::mem::take(&mut numbers.faults);
        if source.item.iter().any(|chunk| chunk.logical_null_count() > 0) {
            let null_items = (0u32..).zip(&item.codes).filter(|(_, code)| **code == NONE);
            faults.extend(null_items.map(|(row, _)| (row, Fault::new(RejectCode::NullValue))));
        }
        faults.extend(ids.nulls.iter().map(|row| (*row, Fault::new(RejectCode::NullValue))));
        let reference = self.references(&ids)?;
        let mut columns = Columns {
            rows: self.rows,
            chunks: numbers.chunks,
            items: item.first.len(),
            item: item.codes,
            pool: self.codes("pool", &source.pool)?,
            lot: self.codes("lot", &source.lot)?,
            group: self.codes("group", &source.group)?,
            reference,
            ids: Box::new(ids),
            clock: numbers.clock,
            utc_offset: numbers.utc_offset,
            quantity_scale: numbers.quantity_scale,
            rules: Vec::new(),
            item_rules: Vec::new(),
            moved: numbers.moved,
            faults: Vec::new(),
        };
        let first = self.first_rows(item.first, &class, &columns, &mut faults);
        (columns.rules, columns.item_rules) = self.rules(&first);
        if !duplicates.is_empty() {
            let repeats = Content::new(source, &columns, &faults).repeats(duplicates);
            faults.extend(repeats.faults);
            for reference in columns.reference.iter_mut().filter(|_| !repeats.moved.is_empty()) {
                *reference = repeats.moved.get(reference).copied().unwrap_or(*reference);
            }
        }
        faults.sort_by_key(|(row, _)| *row);
        faults.dedup_by_key(|(row, _)| *row);
        columns.faults = faults;
        Ok(columns)
    }

    fn codes(&self, name: &str, chunks: &[ArrayRef]) -> Result<Vec<u32>, Error> {
        if chunks.is_empty() || chunks.iter().all(|chunk| *chunk.data_type() == DataType::Null) {
            return Ok(Vec::new());
        }
        Ok(columns::intern(chunks, name)?.codes)
    }

    fn ids(&self) -> Result<(ArrowIds, Vec<(u32, u32)>), Error> {
        let index = IdIndex::new(&self.source.id, "movement_id")?;
        let duplicates = index.duplicates();
        let ascending = index.rises();
        let nulls = index.null_rows().into_iter().filter_map(|row| u32::try_from(row).ok()).collect();
        let narrow = |(row, first): (u64, u64)| Some((u32::try_from(row).ok()?, u32::try_from(first).ok()?));
        let duplicates = duplicates.into_iter().filter_map(narrow).collect();
        Ok((ArrowIds { index, ascending, nulls, source: self.source.id.clone() }, duplicates))
    }

    fn references(&self, ids: &ArrowIds) -> Result<Vec<u32>, Error> {
        let chunks = &self.source.reference;
        if chunks
            .iter()
            .all(|chunk| chunk.null_count() == chunk.len() || *chunk.data_type() == DataType::Null)
        {
            return Ok(Vec::new());
        }
        Ok(ids.index.resolve(chunks, "ref")?)
    }

    /// The row of every item that gives its class. Rows of another class are faults.
    fn first_rows(
        &self,
        mut first: Vec<u64>,
        class: &[u32],
        columns: &Columns,
        faults: &mut Vec<(u32, Fault)>,
    ) -> Vec<u64> {
        let conflicts = class_conflicts(class, &columns.item, &first);
        if conflicts.is_empty() {
            return first;
        }
        let items = conflicts.iter().map(|(row, _)| Columns::code(&columns.item, *row)).collect();
        for (item, row) in Content::new(self.source, columns, faults).classes(&items) {
            if let Some(slot) = first.get_mut(item as usize) {
                *slot = row.into();
            }
        }
        faults.extend(class_conflicts(class, &columns.item, &first));
        first
    }

    /// The choices of every item, by the row that gives its class.
    fn rules(&self, first: &[u64]) -> (Vec<Rules>, Vec<u32>) {
        if !self.policy.has_overrides() {
            return rules_by_item(self.policy, std::iter::empty());
        }
        let text = |chunks: &[ArrayRef], row: u32| self.source.text(chunks, row);
        let named: Vec<(String, Option<String>)> = first
            .iter()
            .map(|row| u32::try_from(*row).unwrap_or(NONE))
            .map(|row| (text(&self.source.item, row).unwrap_or_default(), text(&self.source.class, row)))
            .collect();
        rules_by_item(self.policy, named.iter().map(|(item, class)| Some((item.as_str(), class.as_deref()))))
    }

    fn numbers(&self) -> Result<Numbers, Error> {
        let source = self.source;
        let quantity_scale = self.policy.quantity_scale.unwrap_or_else(|| scale_of(&source.quantity));
        let mut numbers = Numbers {
            chunks: Vec::new(),
            clock: Clock::DAY,
            utc_offset: 0,
            quantity_scale,
            moved: false,
            faults: Vec::new(),
        };
        let mut start = 0;
        for index in 0..source.id.len() {
            let chunk = self.chunk(index, start, &mut numbers)?;
            start += chunk.kind.len();
            numbers.chunks.push(chunk);
        }
        Ok(numbers)
    }

    fn chunk(&self, index: usize, start: usize, numbers: &mut Numbers) -> Result<Chunk, Error> {
        let source = self.source;
        let array = |chunks: &[ArrayRef]| chunks.get(index).cloned();
        let scale = numbers.quantity_scale;
        let (money, cost) = (self.policy.money_scale, self.policy.cost_scale);
        let ((kind, amount), (quantity, unit_cost)) = rayon::join(
            || {
                let kind = array(&source.kind).map(|array| kinds(&array, start)).transpose();
                (kind, units(array(&source.amount), NumberColumn::Amount, money, start))
            },
            || {
                let quantity = units(array(&source.quantity), NumberColumn::Quantity, scale, start);
                (quantity, units(array(&source.unit_cost), NumberColumn::UnitCost, cost, start))
            },
        );
        let mut keep = |faults: Vec<(u32, Fault)>| numbers.faults.extend(faults);
        let (kind, bad) = kind?.unwrap_or_default();
        keep(bad);
        let mut numbers_of = |column: Result<WithFaults<Units>, Error>| {
            column.map(|(units, bad)| {
                keep(bad);
                units
            })
        };
        let (quantity, amount, unit_cost) =
            (numbers_of(quantity)?, numbers_of(amount)?, numbers_of(unit_cost)?);
        let at = match array(&source.at) {
            Some(array) => self.times(&array, start, numbers)?,
            None => Units::Owned(Vec::new()),
        };
        Ok(Chunk { start, kind, at, quantity, amount, unit_cost })
    }

    /// Times in ticks. What lies in a closed period is a fault, or moves to the first open day.
    fn times(&self, array: &ArrayRef, start: usize, numbers: &mut Numbers) -> Result<Units, Error> {
        let ticks = columns::read_ticks(array, "at")?;
        numbers.clock = ticks.clock;
        if ticks.zone.is_some() {
            let minutes = i64::from(self.policy.utc_offset_minutes()?);
            numbers.utc_offset = minutes * (ticks.clock.ticks_per_day() / 1440);
        }
        note_nulls(ticks.nulls.as_ref(), start, &mut numbers.faults);
        let bad = ticks.faults.iter().filter_map(|(place, _)| u32::try_from(start + place).ok());
        numbers.faults.extend(bad.map(|row| (row, Fault::new(RejectCode::TimeRange))));
        let Some(open) = self.policy.open_from else {
            return Ok(Units::Shared(ticks.values));
        };
        let open = ticks.clock.ticks(open)? - numbers.utc_offset;
        let closed = (start..).zip(ticks.values.iter()).filter(|(_, at)| **at < open);
        match self.policy.closed_period {
            ClosedPeriod::Reject => {
                let rows = closed.filter_map(|(row, _)| u32::try_from(row).ok());
                numbers.faults.extend(rows.map(|row| (row, Fault::new(RejectCode::ClosedPeriod))));
                Ok(Units::Shared(ticks.values))
            }
            ClosedPeriod::FirstOpenDay => {
                numbers.moved |= closed.count() > 0;
                Ok(Units::Owned(ticks.values.iter().map(|at| (*at).max(open)).collect()))
            }
        }
    }
}

/// Movement ids in the memory of their producer.
#[derive(Debug)]
struct ArrowIds {
    index: IdIndex,
    ascending: bool,
    nulls: Vec<u32>,
    source: Vec<ArrayRef>,
}

impl Ids for ArrowIds {
    fn compare(&self, one: u32, other: u32) -> Ordering {
        self.index.compare(one as usize, other as usize)
    }

    fn ascending(&self) -> bool {
        self.ascending
    }

    fn text(&self, row: u32) -> String {
        super::text_of(&self.source, row).unwrap_or_default()
    }
}

/// Row numbers as the index array that Arrow's kernels take.
pub(super) fn row_indices(rows: impl Iterator<Item = u32>) -> UInt32Array {
    rows.map(|row| (row != NONE).then_some(row)).collect()
}
