//! Reading a history of movements from Arrow record batches.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, SchemaRef};
use comptoir_types::arrow::{self as columns, IdIndex, Interned};
use comptoir_types::{Clock, Error as ColumnError};
use rayon::prelude::*;

use super::Source;
use crate::engine::ABSENT;
use crate::error::Error;
use crate::movement::Kind;
use crate::policy::{ClosedPeriod, Policy};
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};
use crate::rows::rules_by_item;
use crate::valuation::columns::{Chunk, Columns, Ids, MISSING, Units};

/// Rows of a slice that one task reads.
const SLICE_ROWS: usize = 1 << 18;

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
        let null_items = (0u32..).zip(&item.codes).filter(|(_, code)| **code == NONE);
        faults.extend(null_items.map(|(row, _)| (row, Fault::new(RejectCode::NullValue))));
        faults.extend(ids.nulls.iter().map(|row| (*row, Fault::new(RejectCode::NullValue))));
        let (rules, item_rules) = self.rules(&item, &class, &mut faults);
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
            rules,
            item_rules,
            moved: numbers.moved,
            faults: Vec::new(),
        };
        faults.extend(
            duplicates.into_iter().map(|(row, first)| (row, duplicate(source, &columns, row, first))),
        );
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
        let ascending = duplicates.is_empty() && ascends(&index, self.rows);
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

    /// The choices of every item. A row whose class differs from the first of its item is a fault.
    fn rules(
        &self,
        item: &Interned,
        class: &[u32],
        faults: &mut Vec<(u32, Fault)>,
    ) -> (Vec<crate::policy::Rules>, Vec<u32>) {
        for ((row, own), code) in (0u32..).zip(class).zip(&item.codes) {
            let first = item.first.get(*code as usize).and_then(|first| usize::try_from(*first).ok());
            if let Some(first) = first.filter(|first| class.get(*first) != Some(own)) {
                faults.push((
                    row,
                    Fault::with(RejectCode::ClassConflict, 0, i64::try_from(first).unwrap_or(0)),
                ));
            }
        }
        if !self.policy.has_overrides() {
            return rules_by_item(self.policy, std::iter::empty());
        }
        let named: Vec<(String, Option<String>)> = item
            .first
            .iter()
            .map(|first| {
                let row = u32::try_from(*first).unwrap_or(NONE);
                (
                    self.source.text(&self.source.item, row).unwrap_or_default(),
                    self.source.text(&self.source.class, row),
                )
            })
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
        let kind = array(&source.kind)
            .map_or_else(|| Ok(Vec::new()), |array| kinds(&array, start, &mut numbers.faults))?;
        let scale = numbers.quantity_scale;
        let (money, cost) = (self.policy.money_scale, self.policy.cost_scale);
        let faults = &mut numbers.faults;
        let quantity = units(array(&source.quantity), "quantity", scale, start, faults)?;
        let amount = units(array(&source.amount), "amount", money, start, faults)?;
        let unit_cost = units(array(&source.unit_cost), "unit_cost", cost, start, faults)?;
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

fn ascends(index: &IdIndex, rows: usize) -> bool {
    (1..rows).all(|row| index.compare(row - 1, row) == Ordering::Less)
}

/// Decimal places of a quantity column: those of its type, none for integers, six for text.
fn scale_of(chunks: &[ArrayRef]) -> u8 {
    match chunks.first().map(|chunk| chunk.data_type()) {
        Some(
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale),
        ) => u8::try_from(*scale).unwrap_or(0).min(9),
        Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => 6,
        _ => 0,
    }
}

fn kinds(array: &ArrayRef, start: usize, faults: &mut Vec<(u32, Fault)>) -> Result<Vec<u8>, Error> {
    let lookup = |name: &str| Kind::from_name(name).map(|kind| kind as u8);
    let slices: Vec<usize> = (0..array.len()).step_by(SLICE_ROWS).collect();
    let parts: Result<Vec<_>, ColumnError> = slices
        .par_iter()
        .map(|offset| {
            let slice = array.slice(*offset, SLICE_ROWS.min(array.len() - offset));
            columns::read_kinds(&slice, "kind", lookup).map(|kinds| (*offset, kinds))
        })
        .collect();
    let mut codes = Vec::with_capacity(array.len());
    for (offset, kinds) in parts? {
        note_nulls(kinds.nulls.as_ref(), start + offset, faults);
        let unknown =
            kinds.unknown.iter().filter_map(|(place, _)| u32::try_from(start + offset + place).ok());
        faults.extend(unknown.map(|row| (row, Fault::new(RejectCode::UnknownKind))));
        codes.extend_from_slice(&kinds.codes);
    }
    Ok(codes)
}

/// A column of decimals: shared when nothing is null, else copied with the absent ones marked.
fn units(
    array: Option<ArrayRef>,
    name: &str,
    scale: u8,
    start: usize,
    faults: &mut Vec<(u32, Fault)>,
) -> Result<Units, Error> {
    let Some(array) = array.filter(|array| *array.data_type() != DataType::Null) else {
        return Ok(Units::Owned(Vec::new()));
    };
    let units = columns::read_units(&array, name, scale)?;
    for (place, error) in &units.faults {
        let code = if is_excess(error) { RejectCode::ExcessScale } else { RejectCode::Overflow };
        if let Ok(row) = u32::try_from(start + place) {
            faults.push((row, Fault::new(code)));
        }
    }
    Ok(match units.nulls.filter(|nulls| nulls.null_count() > 0) {
        None => Units::Shared(units.values),
        Some(nulls) => Units::Owned(with_absent(&units.values, &nulls)),
    })
}

fn with_absent(values: &ScalarBuffer<i64>, nulls: &NullBuffer) -> Vec<i64> {
    values.iter().zip(nulls.iter()).map(|(value, valid)| if valid { *value } else { ABSENT }).collect()
}

fn is_excess(error: &ColumnError) -> bool {
    match error {
        ColumnError::ExcessScale { .. } => true,
        ColumnError::At { source, .. } => is_excess(source),
        _ => false,
    }
}

fn note_nulls(nulls: Option<&NullBuffer>, start: usize, faults: &mut Vec<(u32, Fault)>) {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        return;
    };
    let places = (start..).zip(nulls.iter()).filter(|(_, valid)| !valid);
    let rows = places.filter_map(|(row, _)| u32::try_from(row).ok());
    faults.extend(rows.map(|row| (row, Fault::new(RejectCode::NullValue))));
}

/// A repeated id: ignored when all columns agree with the first row that has it, else rejected.
fn duplicate(source: &Source, columns: &Columns, row: u32, first: u32) -> Fault {
    let coded = [&columns.item, &columns.pool, &columns.lot, &columns.group, &columns.reference];
    let same_codes = coded.iter().all(|column| Columns::code(column, row) == Columns::code(column, first));
    let numbers = |row: u32| {
        let (chunk, place) = columns.locate(row)?;
        let of = |column: &Units| column.get(place).copied();
        Some((
            chunk.kind.get(place).copied(),
            [&chunk.at, &chunk.quantity, &chunk.amount, &chunk.unit_cost].map(of),
        ))
    };
    let same_text = [&source.document, &source.class, &source.reference]
        .iter()
        .all(|chunks| chunks.is_empty() || source.text(chunks, row) == source.text(chunks, first));
    let same = same_codes && same_text && numbers(row) == numbers(first);
    let code = if same { RejectCode::DuplicateIgnored } else { RejectCode::DuplicateId };
    Fault::with(code, 0, i64::from(first))
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
