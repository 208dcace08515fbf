//! Results as tables. Columns that the input has keep its type and, row for row, its memory.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal64Array, DictionaryArray, Int8Array, Int64Array,
    RecordBatch, RecordBatchOptions, StringArray, UInt32Array, make_array, new_null_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::read::row_indices;
use super::{Table, TableValuation};
use crate::engine::ABSENT;
use crate::error::Error;
use crate::movement::REASONS;
use crate::policy::Scope;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};
use crate::valuation::columns::Units;
use crate::valuation::{Key, REJECTED, RangePostings, RowCorrection, UnitCost};

/// Precision of all decimal results: 18 digits, the width of 64 bits.
const PRECISION: u8 = 18;

impl TableValuation {
    /// Postings: one row per accepted movement in the order of the input, then the corrections by time.
    ///
    /// Columns `movement_id, item, pool, at, kind` in the input's types, `quantity, value, on_hand, on_hand_value` (signed change and
    /// stock after it), `unit_cost` (of the stock on hand, null when it is empty), `variance`, `adjusts` (the movement that a
    /// correction corrects), `reason`.
    ///
    /// # Errors
    /// [`Error::Internal`] for a failure of Arrow, which checked input does not cause.
    pub fn postings_table(&self) -> Result<Table, Error> {
        let schema = self.postings_schema();
        let mut batches = Vec::new();
        for range in &self.valuation.ranges {
            batches.push(self.range_batch(&schema, range)?);
        }
        if !self.valuation.corrections.is_empty() {
            batches.push(self.correction_batch(&schema)?);
        }
        Ok((schema, batches))
    }

    fn postings_schema(&self) -> SchemaRef {
        let source = &self.source;
        let scales = [
            ("quantity", self.valuation.columns.quantity_scale),
            ("value", self.valuation.policy.money_scale),
            ("on_hand", self.valuation.columns.quantity_scale),
            ("on_hand_value", self.valuation.policy.money_scale),
        ];
        let mut fields = vec![
            source.field("movement_id", "movement_id", false),
            source.field("item", "item", false),
            source.field("pool", "pool", true),
            source.field("at", "at", false),
            source.field("kind", "kind", false),
        ];
        fields.extend(scales.map(|(name, scale)| decimal_field(name, scale, false)));
        fields.push(decimal_field("unit_cost", self.valuation.policy.cost_scale, true));
        fields.push(decimal_field(
            "variance",
            self.valuation.policy.money_scale,
            false,
        ));
        fields.push(source.field("movement_id", "adjusts", true));
        fields.push(Field::new("reason", reason_type(), true));
        Arc::new(Schema::new(fields))
    }

    fn range_batch(&self, schema: &SchemaRef, range: &RangePostings) -> Result<RecordBatch, Error> {
        let valuation = &self.valuation;
        let columns = &valuation.columns;
        let start = columns.chunks.get(range.chunk).map_or(0, |chunk| chunk.start);
        let (offset, rows) = (range.rows.start - start, range.rows.len());
        let part = |chunks: &[ArrayRef], name: &str| {
            let chunk = chunks.get(range.chunk).map(|chunk| chunk.slice(offset, rows));
            chunk.unwrap_or_else(|| new_null_array(&self.source.type_of(name), rows))
        };
        let at = if columns.moved {
            let ticks = columns
                .chunks
                .get(range.chunk)
                .and_then(|chunk| chunk.at.get(offset..offset + rows));
            self.times(ticks.unwrap_or_default())?
        } else {
            part(&self.source.at, "at")
        };
        let (quantity, money, cost) = self.scales();
        let arrays = vec![
            part(&self.source.id, "movement_id"),
            part(&self.source.item, "item"),
            self.pools_of(range)
                .unwrap_or_else(|| part(&self.source.pool, "pool")),
            at,
            part(&self.source.kind, "kind"),
            shared_decimals(&range.quantity, false, quantity)?,
            shared_decimals(&range.value, false, money)?,
            shared_decimals(&range.on_hand, false, quantity)?,
            shared_decimals(&range.on_hand_value, false, money)?,
            shared_decimals(&range.unit_cost, range.has_empty, cost)?,
            shared_decimals(&range.variance, false, money)?,
            new_null_array(&self.source.type_of("movement_id"), rows),
            new_null_array(&reason_type(), rows),
        ];
        if !range.has_rejected {
            return batch(schema, arrays, rows);
        }
        let keep: BooleanArray = range
            .on_hand
            .iter()
            .map(|on_hand| Some(*on_hand != REJECTED))
            .collect();
        let kept: Result<Vec<ArrayRef>, _> = arrays
            .iter()
            .map(|array| arrow_select::filter::filter(array, &keep))
            .collect();
        batch(schema, kept.map_err(Error::arrow)?, keep.true_count())
    }

    /// The pools of a range whose movements may follow another's pool; `None` when every row has its own.
    fn pools_of(&self, range: &RangePostings) -> Option<ArrayRef> {
        let columns = &self.valuation.columns;
        if columns.reference.is_empty() || columns.pool.is_empty() {
            return None;
        }
        let rows = range.rows.clone().filter_map(|row| u32::try_from(row).ok());
        let sources: Vec<u32> = rows.map(|row| columns.stands_at(row)).collect();
        take(&self.source.pool, &sources).ok()
    }

    fn correction_batch(&self, schema: &SchemaRef) -> Result<RecordBatch, Error> {
        let corrections = &self.valuation.corrections;
        let column = |of: fn(&RowCorrection) -> i64| corrections.iter().map(of).collect::<Vec<i64>>();
        let causes: Vec<u32> = corrections.iter().map(|correction| correction.row).collect();
        let adjusted: Vec<u32> = corrections.iter().map(|correction| correction.adjusts).collect();
        let pools: Vec<u32> = adjusted
            .iter()
            .map(|row| self.valuation.columns.stands_at(*row))
            .collect();
        let (quantity, money, cost) = self.scales();
        let unit_cost = self.unit_cost();
        let costs = corrections
            .iter()
            .map(|correction| unit_cost.of(correction.line.on_hand, correction.line.on_hand_value));
        let reasons: Int8Array = corrections
            .iter()
            .map(|correction| Some(correction.reason as i8))
            .collect();
        let arrays = vec![
            take(&self.source.id, &causes)?,
            take(&self.source.item, &adjusted)?,
            self.taken_or_null(&self.source.pool, "pool", &pools)?,
            self.times(&column(|correction| correction.at))?,
            take(&self.source.kind, &causes)?,
            decimals(column(|correction| correction.line.quantity), quantity)?,
            decimals(column(|correction| correction.line.value), money)?,
            decimals(column(|correction| correction.line.on_hand), quantity)?,
            decimals(column(|correction| correction.line.on_hand_value), money)?,
            decimals(costs.collect(), cost)?,
            decimals(column(|correction| correction.line.variance), money)?,
            take(&self.source.id, &adjusted)?,
            reasons_array(reasons)?,
        ];
        batch(schema, arrays, corrections.len())
    }

    /// Quantity and value on hand at the end, by key: `item, pool`, `lot` under lot scope, `quantity, value, unit_cost`.
    ///
    /// # Errors
    /// As [`TableValuation::postings_table`].
    pub fn balances_table(&self) -> Result<Table, Error> {
        let balances = self.valuation.balances();
        let keys: Vec<Key> = balances.iter().map(|balance| balance.key).collect();
        let (mut fields, mut arrays) = self.key_columns(&keys, self.valuation.policy.scope == Scope::Lot)?;
        let quantities: Vec<i64> = balances.iter().map(|balance| balance.quantity).collect();
        let values: Vec<i64> = balances.iter().map(|balance| balance.value).collect();
        self.push_worth(&mut fields, &mut arrays, quantities, values)?;
        table(fields, arrays, balances.len())
    }

    /// Open layers at the end of the methods that keep layers: `item, pool, lot, movement_id, at, quantity, value, unit_cost`.
    ///
    /// # Errors
    /// As [`TableValuation::postings_table`].
    pub fn layers_table(&self) -> Result<Table, Error> {
        self.layers_as_table(self.valuation.layers())
    }

    /// Layers as a table.
    pub(crate) fn layers_as_table(&self, layers: &[crate::posting::OpenLayer]) -> Result<Table, Error> {
        let keys: Vec<Key> = layers
            .iter()
            .map(|layer| Key {
                item: layer.item,
                pool: layer.pool,
                lot: layer.lot,
            })
            .collect();
        let (mut fields, mut arrays) = self.key_columns(&keys, true)?;
        let rows: Vec<u32> = layers.iter().map(|layer| layer.row).collect();
        let times: Vec<i64> = layers.iter().map(|layer| layer.at).collect();
        fields.push(self.source.field("movement_id", "movement_id", true));
        arrays.push(self.taken_or_null(&self.source.id, "movement_id", &rows)?);
        fields.push(self.source.field("at", "at", false));
        arrays.push(self.times(&times)?);
        let quantities = layers.iter().map(|layer| layer.quantity).collect();
        let values = layers.iter().map(|layer| layer.value).collect();
        self.push_worth(&mut fields, &mut arrays, quantities, values)?;
        table(fields, arrays, layers.len())
    }

    /// Rows that are not in the books: `row` (from 0), `movement_id`, `code`, `message`.
    ///
    /// # Errors
    /// As [`TableValuation::postings_table`].
    pub fn rejected_table(&self) -> Result<Table, Error> {
        let faults = self.valuation.rejected();
        let rows: Vec<u32> = faults.iter().map(|(row, _)| *row).collect();
        let mut messages = StringBuilder::new();
        for (row, fault) in faults {
            messages.append_value(self.message(*row, fault));
        }
        let fields = vec![
            Field::new("row", DataType::Int64, false),
            self.source.field("movement_id", "movement_id", true),
            Field::new("code", DataType::Utf8, false),
            Field::new("message", DataType::Utf8, false),
        ];
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| i64::from(*row)).collect::<Int64Array>()),
            self.taken_or_null(&self.source.id, "movement_id", &rows)?,
            Arc::new(
                faults
                    .iter()
                    .map(|(_, fault)| Some(fault.code.code()))
                    .collect::<StringArray>(),
            ),
            Arc::new(messages.finish()),
        ];
        table(fields, arrays, faults.len())
    }

    /// The message of a rejected row, with the text of the cell that is wrong.
    fn message(&self, row: u32, fault: &Fault) -> String {
        let message = fault.message(self.valuation.kind_of(row), self.valuation.columns.quantity_scale);
        let chunks = match fault.code {
            RejectCode::UnknownKind => &self.source.kind,
            RejectCode::ReferenceUnknown | RejectCode::ReferenceKind | RejectCode::ReferenceLater => {
                &self.source.reference
            }
            RejectCode::NullValue => return self.null_message(row, &message),
            RejectCode::ExcessScale => return self.excess_message(row, &message),
            _ => return message,
        };
        self.source
            .text(chunks, row)
            .map_or_else(|| message.clone(), |cell| format!("{message}: `{cell}`"))
    }

    fn null_message(&self, row: u32, message: &str) -> String {
        let source = &self.source;
        let named = [
            ("movement_id", &source.id),
            ("item", &source.item),
            ("at", &source.at),
            ("kind", &source.kind),
            ("quantity", &source.quantity),
        ];
        let null = named
            .into_iter()
            .find(|(_, chunks)| source.text(chunks, row).is_none());
        null.map_or_else(
            || message.to_owned(),
            |(name, _)| format!("column `{name}`: null where a value is required"),
        )
    }

    fn excess_message(&self, row: u32, message: &str) -> String {
        let source = &self.source;
        let cells = [
            ("quantity", &source.quantity),
            ("amount", &source.amount),
            ("unit_cost", &source.unit_cost),
        ];
        let cells =
            cells.map(|(name, chunks)| source.text(chunks, row).map(|cell| format!("{name} `{cell}`")));
        let shown: Vec<String> = cells.into_iter().flatten().collect();
        format!("{message}: {}", shown.join(", "))
    }

    fn scales(&self) -> (u8, u8, u8) {
        let policy = &self.valuation.policy;
        (
            self.valuation.columns.quantity_scale,
            policy.money_scale,
            policy.cost_scale,
        )
    }

    fn unit_cost(&self) -> UnitCost<'_> {
        let context = &self.valuation.context;
        UnitCost {
            numerator: context.price_down,
            denominator: context.price_up,
            context,
        }
    }

    /// The columns `item`, `pool` and, if wanted, `lot` of keys.
    pub(super) fn key_columns(
        &self,
        keys: &[Key],
        with_lot: bool,
    ) -> Result<(Vec<Field>, Vec<ArrayRef>), Error> {
        let columns = &self.valuation.columns;
        let pick = |codes: &[u32], of: fn(&Key) -> u32| -> Vec<u32> {
            let first = first_rows(codes);
            keys.iter()
                .map(|key| first.get(of(key) as usize).copied().unwrap_or(NONE))
                .collect()
        };
        let source = &self.source;
        let mut fields = vec![
            source.field("item", "item", false),
            source.field("pool", "pool", true),
        ];
        let items = pick(&columns.item, |key| key.item);
        let pools = pick(&columns.pool, |key| key.pool);
        let mut arrays = vec![
            self.taken_or_null(&source.item, "item", &items)?,
            self.taken_or_null(&source.pool, "pool", &pools)?,
        ];
        if with_lot {
            fields.push(source.field("lot", "lot", true));
            arrays.push(self.taken_or_null(&source.lot, "lot", &pick(&columns.lot, |key| key.lot))?);
        }
        Ok((fields, arrays))
    }

    fn push_worth(
        &self,
        fields: &mut Vec<Field>,
        arrays: &mut Vec<ArrayRef>,
        quantities: Vec<i64>,
        values: Vec<i64>,
    ) -> Result<(), Error> {
        let (quantity, money, cost) = self.scales();
        let unit_cost = self.unit_cost();
        let costs = quantities
            .iter()
            .zip(&values)
            .map(|(qty, value)| unit_cost.of(*qty, *value))
            .collect();
        fields.push(decimal_field("quantity", quantity, false));
        fields.push(decimal_field("value", money, false));
        fields.push(decimal_field("unit_cost", cost, true));
        arrays.push(decimals(quantities, quantity)?);
        arrays.push(decimals(values, money)?);
        arrays.push(decimals(costs, cost)?);
        Ok(())
    }

    /// Rows of an input column; nulls where the input lacks the column.
    pub(super) fn taken_or_null(
        &self,
        chunks: &[ArrayRef],
        name: &str,
        rows: &[u32],
    ) -> Result<ArrayRef, Error> {
        if chunks.is_empty() {
            Ok(new_null_array(&self.source.type_of(name), rows.len()))
        } else {
            take(chunks, rows)
        }
    }

    /// Ticks as an array of the input's time type.
    pub(super) fn times(&self, ticks: &[i64]) -> Result<ArrayRef, Error> {
        let data_type = self.source.type_of("at");
        if data_type == DataType::Date32 {
            let days = ticks.iter().map(|ticks| i32::try_from(*ticks).ok());
            return Ok(Arc::new(days.collect::<Date32Array>()));
        }
        let plain: ArrayRef = Arc::new(Int64Array::from(ticks.to_vec()));
        let data = plain
            .to_data()
            .into_builder()
            .data_type(data_type)
            .build()
            .map_err(Error::arrow)?;
        Ok(make_array(data))
    }
}

/// The first row of every code.
pub(super) fn first_rows(codes: &[u32]) -> Vec<u32> {
    let mut first = Vec::new();
    for (row, code) in (0u32..).zip(codes) {
        if *code as usize == first.len() {
            first.push(row);
        }
    }
    first
}

/// Rows of a chunked column; `NONE` gives null.
pub(super) fn take(chunks: &[ArrayRef], rows: &[u32]) -> Result<ArrayRef, Error> {
    if let [chunk] = chunks {
        let indices: UInt32Array = row_indices(rows.iter().copied());
        return arrow_select::take::take(chunk, &indices, None).map_err(Error::arrow);
    }
    let Some(data_type) = chunks.first().map(|chunk| chunk.data_type().clone()) else {
        return Err(Error::Internal {
            message: "no chunk to take rows from".to_owned(),
        });
    };
    let null = new_null_array(&data_type, 1);
    let mut arrays: Vec<&dyn Array> = vec![&null];
    arrays.extend(chunks.iter().map(|chunk| chunk as &dyn Array));
    let starts: Vec<usize> = chunks
        .iter()
        .scan(0, |sum, chunk| {
            let start = *sum;
            *sum += chunk.len();
            Some(start)
        })
        .collect();
    let places: Vec<(usize, usize)> = rows.iter().map(|row| place_of(&starts, *row)).collect();
    arrow_select::interleave::interleave(&arrays, &places).map_err(Error::arrow)
}

/// Array (the first is the null) and place of a row.
fn place_of(starts: &[usize], row: u32) -> (usize, usize) {
    if row == NONE {
        return (0, 0);
    }
    let chunk = starts.partition_point(|start| *start <= row as usize);
    let start = starts.get(chunk.saturating_sub(1)).copied().unwrap_or(0);
    (chunk, row as usize - start)
}

pub(super) fn decimal_field(name: &str, scale: u8, nullable: bool) -> Field {
    Field::new(
        name,
        DataType::Decimal64(PRECISION, scale.cast_signed()),
        nullable,
    )
}

/// Units as a decimal column; absent ones are null.
pub(super) fn decimals(units: Vec<i64>, scale: u8) -> Result<ArrayRef, Error> {
    let nulls = if units.contains(&ABSENT) {
        Some(units.iter().map(|unit| *unit != ABSENT).collect::<NullBuffer>())
    } else {
        None
    };
    let array = Decimal64Array::new(units.into(), nulls);
    let array = array
        .with_precision_and_scale(PRECISION, scale.cast_signed())
        .map_err(Error::arrow)?;
    Ok(Arc::new(array))
}

/// Units that the valuation keeps as a decimal column, without a copy.
fn shared_decimals(units: &Units, has_absent: bool, scale: u8) -> Result<ArrayRef, Error> {
    let values = match units {
        Units::Owned(values) => values.clone().into(),
        Units::Shared(values) => values.clone(),
    };
    let nulls = has_absent.then(|| values.iter().map(|unit| *unit != ABSENT).collect::<NullBuffer>());
    let array = Decimal64Array::new(values, nulls);
    Ok(Arc::new(
        array
            .with_precision_and_scale(PRECISION, scale.cast_signed())
            .map_err(Error::arrow)?,
    ))
}

fn reason_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))
}

fn reasons_array(codes: Int8Array) -> Result<ArrayRef, Error> {
    let names: StringArray = REASONS.iter().map(|reason| Some(reason.name())).collect();
    Ok(Arc::new(
        DictionaryArray::<Int8Type>::try_new(codes, Arc::new(names)).map_err(Error::arrow)?,
    ))
}

/// A table of one batch.
pub(super) fn table(fields: Vec<Field>, arrays: Vec<ArrayRef>, rows: usize) -> Result<Table, Error> {
    let schema = Arc::new(Schema::new(fields));
    let batch = batch(&schema, arrays, rows)?;
    Ok((schema, vec![batch]))
}

fn batch(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Error> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options).map_err(Error::arrow)
}
