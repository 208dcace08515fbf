//! Results as tables. Columns that the input has keep its type and, row for row, its memory.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Int8Array, Int64Array, RecordBatch, StringArray, make_array,
    new_null_array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use rayon::prelude::*;

use super::arrays::{
    batch, decimal_field, decimals, first_rows, reason_type, reasons_array, shared_decimals, table, take,
    validity,
};
use super::{Table, TableValuation};
use crate::error::Error;
use crate::policy::Scope;
use crate::posting::NONE;
use crate::reject::{Fault, NumberColumn, RejectCode};
use crate::valuation::{Key, REJECTED, RangePostings, RowCorrection, UnitCost};

/// Columns that most ranges of postings have alike: every range shares the memory of one.
struct Fillers {
    pool: ArrayRef,
    zeros: ArrayRef,
    adjusts: ArrayRef,
    reason: ArrayRef,
}

impl Fillers {
    fn new(valuation: &TableValuation) -> Result<Self, Error> {
        let rows = valuation.valuation.ranges.iter().map(|range| range.rows.len()).max().unwrap_or(0);
        let source = &valuation.source;
        Ok(Self {
            pool: new_null_array(&source.type_of("pool"), rows),
            zeros: decimals(vec![0; rows], valuation.valuation.policy.money_scale)?,
            adjusts: new_null_array(&source.type_of("movement_id"), rows),
            reason: new_null_array(&reason_type(), rows),
        })
    }
}

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
        let fillers = Fillers::new(self)?;
        let ranges = self.valuation.ranges.par_iter();
        let batches: Result<Vec<RecordBatch>, Error> =
            ranges.map(|range| self.range_batch(&schema, range, &fillers)).collect();
        let mut batches = batches?;
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
        fields.push(decimal_field("variance", self.valuation.policy.money_scale, false));
        fields.push(source.field("movement_id", "adjusts", true));
        fields.push(Field::new("reason", reason_type(), true));
        Arc::new(Schema::new(fields))
    }

    fn range_batch(
        &self,
        schema: &SchemaRef,
        range: &RangePostings,
        fillers: &Fillers,
    ) -> Result<RecordBatch, Error> {
        let rows = range.rows.len();
        let (quantity, money, cost) = self.scales();
        let variance = if range.variance.is_empty() {
            fillers.zeros.slice(0, rows)
        } else {
            shared_decimals(&range.variance, None, money)?
        };
        let [id, item, pool, at, kind] = self.own_columns(range, fillers)?;
        let arrays = vec![
            id,
            item,
            pool,
            at,
            kind,
            shared_decimals(&range.quantity, None, quantity)?,
            shared_decimals(&range.value, None, money)?,
            shared_decimals(&range.on_hand, None, quantity)?,
            shared_decimals(&range.on_hand_value, None, money)?,
            shared_decimals(&range.unit_cost, validity(&range.priced, rows), cost)?,
            variance,
            fillers.adjusts.slice(0, rows),
            fillers.reason.slice(0, rows),
        ];
        if !range.has_rejected {
            return batch(schema, arrays, rows);
        }
        let rejected = i128::from(REJECTED);
        let keep: BooleanArray = range.on_hand.iter().map(|on_hand| Some(*on_hand != rejected)).collect();
        let kept: Result<Vec<ArrayRef>, _> =
            arrays.iter().map(|array| arrow_select::filter::filter(array, &keep)).collect();
        batch(schema, kept.map_err(Error::arrow)?, keep.true_count())
    }

    /// Id, item, pool, time and kind of a range: slices of the input wherever nothing has changed them.
    fn own_columns(&self, range: &RangePostings, fillers: &Fillers) -> Result<[ArrayRef; 5], Error> {
        let (columns, source) = (&self.valuation.columns, &self.source);
        let start = columns.chunks.get(range.chunk).map_or(0, |chunk| chunk.start);
        let (offset, rows) = (range.rows.start - start, range.rows.len());
        let part = |chunks: &[ArrayRef], name: &str| {
            let chunk = chunks.get(range.chunk).map(|chunk| chunk.slice(offset, rows));
            chunk.unwrap_or_else(|| new_null_array(&source.type_of(name), rows))
        };
        let pool = match self.pools_of(range) {
            Some(pools) => pools,
            None if source.pool.is_empty() => fillers.pool.slice(0, rows),
            None => part(&source.pool, "pool"),
        };
        let at = if columns.moved {
            let ticks = columns.chunks.get(range.chunk).and_then(|chunk| chunk.at.get(offset..offset + rows));
            self.times(ticks.unwrap_or_default())?
        } else {
            part(&source.at, "at")
        };
        Ok([
            part(&source.id, "movement_id"),
            part(&source.item, "item"),
            pool,
            at,
            part(&source.kind, "kind"),
        ])
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
        let pools: Vec<u32> = adjusted.iter().map(|row| self.valuation.columns.stands_at(*row)).collect();
        let (quantity, money, cost) = self.scales();
        let unit_cost = UnitCost::new(&self.valuation.context);
        let costs = corrections
            .iter()
            .map(|correction| unit_cost.of(correction.line.on_hand, correction.line.on_hand_value));
        let reasons: Int8Array = corrections.iter().map(|correction| Some(correction.reason as i8)).collect();
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
        let keys: Vec<Key> =
            layers.iter().map(|layer| Key { item: layer.item, pool: layer.pool, lot: layer.lot }).collect();
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
            Arc::new(faults.iter().map(|(_, fault)| Some(fault.code.code())).collect::<StringArray>()),
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
            RejectCode::ExcessScale | RejectCode::NumberSyntax | RejectCode::Overflow => match fault.column()
            {
                Some(NumberColumn::Quantity) => &self.source.quantity,
                Some(NumberColumn::Amount) => &self.source.amount,
                Some(NumberColumn::UnitCost) => &self.source.unit_cost,
                None => return message,
            },
            _ => return message,
        };
        self.source.text(chunks, row).map_or_else(|| message.clone(), |cell| format!("{message}: `{cell}`"))
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
        let null = named.into_iter().find(|(_, chunks)| source.text(chunks, row).is_none());
        null.map_or_else(
            || message.to_owned(),
            |(name, _)| format!("column `{name}`: null where a value is required"),
        )
    }

    fn scales(&self) -> (u8, u8, u8) {
        let policy = &self.valuation.policy;
        (self.valuation.columns.quantity_scale, policy.money_scale, policy.cost_scale)
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
            keys.iter().map(|key| first.get(of(key) as usize).copied().unwrap_or(NONE)).collect()
        };
        let source = &self.source;
        let mut fields = vec![source.field("item", "item", false), source.field("pool", "pool", true)];
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
        let unit_cost = UnitCost::new(&self.valuation.context);
        let costs = quantities.iter().zip(&values).map(|(qty, value)| unit_cost.of(*qty, *value)).collect();
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
        let data = plain.to_data().into_builder().data_type(data_type).build().map_err(Error::arrow)?;
        Ok(make_array(data))
    }
}
