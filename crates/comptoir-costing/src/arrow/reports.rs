//! Reports as tables.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Date32Array, Decimal128Array, StringArray};
use arrow_schema::{DataType, Field};
use comptoir_types::{Date, Decimal, Error as TypesError};

use super::arrays::{decimal_field, decimals, first_rows, table};
use super::names::Names;
use super::{Table, TableValuation};
use crate::engine::ABSENT;
use crate::error::Error;
use crate::movement::{Kind, Reason};
use crate::policy::Scope;
use crate::posting::{NONE, Posting};
use crate::reports::{
    self, AverageInventory, BookedProvision, Calendar, Period, Quiet, SummarySpec, TurnoverSpec, ageing,
    provision,
};
use crate::valuation::Key;

impl TableValuation {
    /// Ages the stock as of a day: `item, pool`, then `quantity_*` and `value_*` per bucket, `shortage_quantity, shortage_value,
    /// quantity, value, average_age` (days), `oldest`.
    ///
    /// `edges` holds the last day of each bucket, ascending.
    ///
    /// # Errors
    /// As [`reports::age`].
    pub fn ageing_table(&self, as_of: Date, edges: &[u32]) -> Result<Table, Error> {
        let aged = self.aged(as_of, edges)?;
        let (mut fields, mut arrays) = self.report_keys(&aged.item, &aged.pool)?;
        let (quantity, money) = (self.valuation.quantity_scale(), self.valuation.policy.money_scale);
        for (bucket, label) in ageing::bucket_labels(edges).iter().enumerate() {
            let label = label.replace('-', "_").replace('>', "over_");
            push(
                &mut fields,
                &mut arrays,
                &format!("quantity_{label}"),
                column(&aged.quantity, bucket),
                quantity,
            )?;
            push(&mut fields, &mut arrays, &format!("value_{label}"), column(&aged.value, bucket), money)?;
        }
        push(&mut fields, &mut arrays, "shortage_quantity", aged.shortage_quantity, quantity)?;
        push(&mut fields, &mut arrays, "shortage_value", aged.shortage_value, money)?;
        push(&mut fields, &mut arrays, "quantity", aged.closing_quantity, quantity)?;
        push(&mut fields, &mut arrays, "value", aged.closing_value, money)?;
        let ages = aged.average_age.iter().map(|age| age.unwrap_or(ABSENT)).collect();
        push(&mut fields, &mut arrays, "average_age", ages, 2)?;
        fields.push(Field::new("oldest", DataType::Date32, true));
        arrays.push(Arc::new(aged.oldest.iter().map(|date| date.map(Date::days)).collect::<Date32Array>()));
        table(fields, arrays, aged.item.len())
    }

    fn aged(&self, as_of: Date, edges: &[u32]) -> Result<reports::Ageing, Error> {
        let layers = self.valuation.layers_as_of(as_of)?;
        Ok(reports::age(layers, as_of, edges, self.calendar())?)
    }

    /// The last day of the history, on which reports without a date stand.
    ///
    /// # Errors
    /// [`Error::Unknown`] when no movement is in the books.
    pub fn last_day(&self) -> Result<Date, Error> {
        let last = self.valuation.postings_by_row().map(|posting| posting.at).max();
        let last = last.ok_or_else(|| Error::Unknown {
            what: "as_of",
            name: "last day".to_owned(),
            expected: "the history has no accepted movement, so give a date".to_owned(),
        })?;
        Ok(self.calendar().date(last)?)
    }

    /// Provision by age (跌价准备): `item, pool, value, required, booked, change, action, booked_after`.
    ///
    /// `rates` has one rate from 0 to 1 per bucket. `booked` (`item, amount`, and `pool`) is what stands in the books already; a
    /// reversal never exceeds it.
    ///
    /// # Errors
    /// As [`reports::provide`]; [`Error::Unknown`] for a booked item that the history does not have.
    pub fn provision_table(
        &self,
        as_of: Date,
        edges: &[u32],
        rates: &[Decimal],
        booked: Option<&Table>,
    ) -> Result<Table, Error> {
        let aged = self.aged(as_of, edges)?;
        let booked = booked.map_or_else(|| Ok(Vec::new()), |table| self.booked(table))?;
        let made = reports::provide(&aged, rates, &booked, self.valuation.policy.rounding)?;
        let (mut fields, mut arrays) = self.report_keys(&made.item, &made.pool)?;
        let money = self.valuation.policy.money_scale;
        push(&mut fields, &mut arrays, "value", made.value, money)?;
        push(&mut fields, &mut arrays, "required", made.required, money)?;
        push(&mut fields, &mut arrays, "booked", made.booked, money)?;
        push(&mut fields, &mut arrays, "change", made.change, money)?;
        fields.push(Field::new("action", DataType::Utf8, false));
        arrays.push(Arc::new(
            made.action.iter().map(|action| Some(action_name(*action))).collect::<StringArray>(),
        ));
        push(&mut fields, &mut arrays, "booked_after", made.booked_after, money)?;
        table(fields, arrays, made.item.len())
    }

    /// What stands in the books already: an item and an amount in each row, neither of which may be null.
    fn booked(&self, (schema, batches): &Table) -> Result<Vec<BookedProvision>, Error> {
        use comptoir_types::arrow as columns;
        let names = Names::new(self);
        let mut booked = Vec::new();
        let mut before = 0;
        for batch in batches {
            let one = std::slice::from_ref(batch);
            let items = columns::column(schema, one, "item")?;
            let pools = columns::optional_column(schema, one, "pool")?.unwrap_or_default();
            for (item, amount) in items.iter().zip(columns::column(schema, one, "amount")?) {
                let units = columns::read_units(&amount, "amount", self.valuation.policy.money_scale)?;
                let fault = units.faults.into_iter().next().map(|(row, error)| (row, "amount", error));
                let null = |column: &ArrayRef, name| Some((first_null(column)?, name, TypesError::Null));
                if let Some((row, column, error)) = fault.or(null(&amount, "amount")).or(null(item, "item")) {
                    return Err(error.at_row(column, (before + row) as u64).into());
                }
                for (row, amount) in units.values.iter().enumerate() {
                    let item = columns::text_at(item, row).unwrap_or_default();
                    let pool = pools.first().and_then(|pool| columns::text_at(pool, row));
                    let (item, pool) = (names.item_code(&item)?, names.pool_code(pool.as_deref())?);
                    booked.push(BookedProvision { item, pool, amount: *amount });
                }
            }
            before += batch.num_rows();
        }
        Ok(booked)
    }

    /// Stock card (明细账) of an item in book order: `movement_id, pool, at, kind, quantity, value, variance, on_hand, on_hand_value,
    /// total_on_hand, total_on_hand_value, adjusts, reason`.
    ///
    /// # Errors
    /// [`Error::Unknown`] for an item that the history does not have.
    pub fn stock_card_table(&self, item: &str) -> Result<Table, Error> {
        let code = Names::new(self).item_code(item)?;
        let card = reports::stock_card(self.valuation.postings_of(code), code);
        let (quantity, money) = (self.valuation.quantity_scale(), self.valuation.policy.money_scale);
        let rows = card.row.len();
        let source = &self.source;
        let mut fields =
            vec![source.field("movement_id", "movement_id", false), source.field("pool", "pool", true)];
        let mut arrays = vec![
            self.taken_or_null(&source.id, "movement_id", &card.row)?,
            self.taken_or_null(&source.pool, "pool", &self.first_of_pools(&card.pool))?,
        ];
        fields.push(source.field("at", "at", false));
        arrays.push(self.times(&card.at)?);
        fields.push(Field::new("kind", DataType::Utf8, false));
        arrays.push(Arc::new(card.kind.iter().map(|kind| Some(Kind::name(*kind))).collect::<StringArray>()));
        push(&mut fields, &mut arrays, "quantity", card.quantity, quantity)?;
        push(&mut fields, &mut arrays, "value", card.value, money)?;
        push(&mut fields, &mut arrays, "variance", card.variance, money)?;
        push(&mut fields, &mut arrays, "on_hand", card.on_hand, quantity)?;
        push(&mut fields, &mut arrays, "on_hand_value", card.on_hand_value, money)?;
        fields.push(wide_field("total_on_hand", quantity));
        arrays.push(wide(card.total_on_hand, quantity)?);
        fields.push(wide_field("total_on_hand_value", money));
        arrays.push(wide(card.total_on_hand_value, money)?);
        fields.push(source.field("movement_id", "adjusts", true));
        arrays.push(self.taken_or_null(&source.id, "movement_id", &card.adjusts)?);
        fields.push(Field::new("reason", DataType::Utf8, true));
        arrays.push(Arc::new(
            card.reason.iter().map(|reason| reason.map(Reason::name)).collect::<StringArray>(),
        ));
        table(fields, arrays, rows)
    }

    /// Receipts, issues and balance by period and item (收发存汇总): `period` (first day), `item, pool`, quantity and value of
    /// `opening_*, received_*, issued_*, adjusted_*, closing_*`, and `variance`.
    ///
    /// # Errors
    /// As [`reports::summarise`].
    pub fn summary_table(&self, period: Period) -> Result<Table, Error> {
        let spec = SummarySpec { period, from: None, to: None, quiet: Quiet::Carry };
        let made = reports::summarise(self.postings_by_key(), spec, self.calendar())?;
        let (quantity, money) = (self.valuation.quantity_scale(), self.valuation.policy.money_scale);
        let rows = made.item.len();
        let (mut fields, mut arrays) = self.report_keys(&made.item, &made.pool)?;
        fields.insert(0, Field::new("period", DataType::Date32, false));
        arrays.insert(0, Arc::new(made.start.iter().map(|date| Some(date.days())).collect::<Date32Array>()));
        let parts = [
            ("opening", made.opening),
            ("received", made.received),
            ("issued", made.issued),
            ("adjusted", made.adjusted),
            ("closing", made.closing),
        ];
        for (name, amounts) in parts {
            push(&mut fields, &mut arrays, &format!("{name}_quantity"), amounts.quantity, quantity)?;
            push(&mut fields, &mut arrays, &format!("{name}_value"), amounts.value, money)?;
        }
        push(&mut fields, &mut arrays, "variance", made.variance, money)?;
        table(fields, arrays, rows)
    }

    /// Turnover and days of supply between two days: `item, pool, consumed_quantity, cost_of_sales, average_inventory, turnover,
    /// days_in_inventory, on_hand, days_of_supply`.
    ///
    /// # Errors
    /// As [`reports::turnover()`].
    pub fn turnover_table(&self, from: Date, to: Date) -> Result<Table, Error> {
        let spec = TurnoverSpec { average: AverageInventory::Daily, ..TurnoverSpec::sales(from, to) };
        let made = reports::turnover(self.postings_by_key(), &spec, self.calendar())?;
        let (quantity, money) = (self.valuation.quantity_scale(), self.valuation.policy.money_scale);
        let rows = made.item.len();
        let (mut fields, mut arrays) = self.report_keys(&made.item, &made.pool)?;
        let known = |values: Vec<i128>| values.into_iter().map(Some).collect::<Vec<_>>();
        let columns = [
            ("consumed_quantity", known(made.consumed_quantity), quantity),
            ("cost_of_sales", known(made.cost_of_sales), money),
            ("average_inventory", known(made.average_inventory), money),
            ("turnover", made.turnover, spec.scale),
            ("days_in_inventory", made.days_in_inventory, spec.scale),
            ("on_hand", known(made.on_hand), quantity),
            ("days_of_supply", made.days_of_supply, spec.scale),
        ];
        for (name, values, scale) in columns {
            fields.push(Field::new(name, DataType::Decimal128(38, scale.cast_signed()), true));
            arrays.push(wide_or_null(values, scale)?);
        }
        table(fields, arrays, rows)
    }

    /// Postings in book order, with pools only where the policy's scope tells them apart.
    fn postings_by_key(&self) -> impl Iterator<Item = Posting> + '_ {
        let one_pool = self.valuation.policy.scope == Scope::Item;
        self.valuation.postings().map(
            move |posting| {
                if one_pool { Posting { pool: NONE, ..posting } } else { posting }
            },
        )
    }

    pub(super) const fn calendar(&self) -> Calendar {
        let context = &self.valuation.context;
        Calendar { clock: context.clock, utc_offset_ticks: context.utc_offset }
    }

    fn report_keys(&self, items: &[u32], pools: &[u32]) -> Result<(Vec<Field>, Vec<ArrayRef>), Error> {
        let keys: Vec<Key> =
            items.iter().zip(pools).map(|(item, pool)| Key { item: *item, pool: *pool, lot: NONE }).collect();
        self.key_columns(&keys, false)
    }

    fn first_of_pools(&self, pools: &[u32]) -> Vec<u32> {
        let first = first_rows(&self.valuation.columns.pool);
        pools.iter().map(|pool| first.get(*pool as usize).copied().unwrap_or(NONE)).collect()
    }
}

const fn action_name(action: provision::ProvisionAction) -> &'static str {
    match action {
        provision::ProvisionAction::Keep => "keep",
        provision::ProvisionAction::Charge => "charge",
        provision::ProvisionAction::Reversal => "reversal",
        provision::ProvisionAction::Release => "release",
    }
}

fn column(columns: &[Vec<i64>], index: usize) -> Vec<i64> {
    columns.get(index).cloned().unwrap_or_default()
}

pub(super) fn push(
    fields: &mut Vec<Field>,
    arrays: &mut Vec<ArrayRef>,
    name: &str,
    units: Vec<i64>,
    scale: u8,
) -> Result<(), Error> {
    fields.push(decimal_field(name, scale, true));
    arrays.push(decimals(units, scale)?);
    Ok(())
}

pub(super) fn wide_field(name: &str, scale: u8) -> Field {
    Field::new(name, DataType::Decimal128(38, scale.cast_signed()), false)
}

pub(super) fn wide(values: Vec<i128>, scale: u8) -> Result<ArrayRef, Error> {
    let array = Decimal128Array::from(values).with_precision_and_scale(38, scale.cast_signed());
    Ok(Arc::new(array.map_err(Error::arrow)?))
}

pub(super) fn wide_or_null(values: Vec<Option<i128>>, scale: u8) -> Result<ArrayRef, Error> {
    let array = Decimal128Array::from(values).with_precision_and_scale(38, scale.cast_signed());
    Ok(Arc::new(array.map_err(Error::arrow)?))
}

/// The first row of a column that is null; a value of a dictionary may be, too.
fn first_null(column: &ArrayRef) -> Option<usize> {
    column.logical_nulls()?.iter().position(|valid| !valid)
}
