//! Vouchers and trial balance as tables.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, StringArray};
use arrow_schema::{DataType, Field};

use super::arrays::{table, take};
use super::names::Names;
use super::reports::{wide, wide_field};
use super::{Table, TableValuation};
use crate::error::Error;
use crate::reports::{self, By, InventoryCheck, VoucherSet, VoucherTemplate, vouchers};

/// Vouchers as tables.
#[derive(Clone, Debug)]
pub struct VoucherTables {
    /// `voucher_id, date, key, summary, account, debit, credit`: one row per line.
    pub entries: Table,
    /// `voucher_id, movement_id`: one row per movement of a voucher.
    pub movements: Table,
    /// Sum of all debits equals sum of all credits, in every voucher.
    pub balanced: bool,
}

impl TableValuation {
    /// Vouchers (凭证) by a template.
    ///
    /// # Errors
    /// As [`reports::vouchers()`].
    pub fn voucher_tables(&self, template: &VoucherTemplate, by: By) -> Result<VoucherTables, Error> {
        let names = Names::new(self);
        let set = self.voucher_set(template, by, &names)?;
        let (debits, credits) = set.totals();
        Ok(VoucherTables {
            entries: self.voucher_entries(&set, &names)?,
            movements: self.voucher_movements(&set)?,
            balanced: debits == credits && (0..set.len()).all(|voucher| is_balanced(&set, voucher)),
        })
    }

    fn voucher_set(
        &self,
        template: &VoucherTemplate,
        by: By,
        names: &Names<'_>,
    ) -> Result<VoucherSet, Error> {
        Ok(reports::vouchers(self.valuation.postings(), template, by, names, self.calendar())?)
    }

    fn voucher_entries(&self, set: &VoucherSet, names: &Names<'_>) -> Result<Table, Error> {
        let money = self.valuation.policy.money_scale;
        let (mut ids, mut dates, mut keys, mut summaries) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut accounts, mut debits, mut credits) = (Vec::new(), Vec::new(), Vec::new());
        let mut key = Vec::new();
        for voucher in 0..set.len() {
            key.clear();
            set.write_key(voucher, names, &mut key);
            let key_text = String::from_utf8_lossy(&key).into_owned();
            for line in set.lines(voucher) {
                ids.push(set.id.get(voucher).map(|id| vouchers::id_text(*id)));
                dates.push(set.date.get(voucher).map(|date| date.days()));
                keys.push(Some(key_text.clone()));
                summaries.push(Some(set.summary(voucher).to_owned()));
                accounts.push(Some(line.account.to_owned()));
                debits.push(line.debit);
                credits.push(line.credit);
            }
        }
        let rows = ids.len();
        let fields = vec![
            Field::new("voucher_id", DataType::Utf8, false),
            Field::new("date", DataType::Date32, false),
            Field::new("key", DataType::Utf8, false),
            Field::new("summary", DataType::Utf8, false),
            Field::new("account", DataType::Utf8, false),
            wide_field("debit", money),
            wide_field("credit", money),
        ];
        let text = |texts: Vec<Option<String>>| -> ArrayRef { Arc::new(StringArray::from(texts)) };
        let dates: ArrayRef = Arc::new(Date32Array::from(dates));
        let arrays = vec![
            text(ids),
            dates,
            text(keys),
            text(summaries),
            text(accounts),
            wide(debits, money)?,
            wide(credits, money)?,
        ];
        table(fields, arrays, rows)
    }

    fn voucher_movements(&self, set: &VoucherSet) -> Result<Table, Error> {
        let links =
            (0..set.len()).flat_map(|voucher| set.rows(voucher).iter().map(move |row| (voucher, *row)));
        let (vouchers, rows): (Vec<usize>, Vec<u32>) = links.unzip();
        let ids: StringArray =
            vouchers.iter().map(|voucher| set.id.get(*voucher).map(|id| vouchers::id_text(*id))).collect();
        let fields = vec![
            Field::new("voucher_id", DataType::Utf8, false),
            self.source.field("movement_id", "movement_id", false),
        ];
        let movements = if rows.is_empty() {
            arrow_array::new_empty_array(&self.source.type_of("movement_id"))
        } else {
            take(&self.source.id, &rows)?
        };
        table(fields, vec![Arc::new(ids), movements], rows.len())
    }

    /// Trial balance (科目余额表) of the history's vouchers: `account, opening, debit, credit, balance`; and whether the inventory
    /// accounts hold the value of the stock.
    ///
    /// # Errors
    /// As [`reports::vouchers()`] and [`reports::trial_balance()`].
    pub fn trial_balance_table(&self, template: &VoucherTemplate) -> Result<(Table, InventoryCheck), Error> {
        let set = self.voucher_set(template, By::Month, &Names::new(self))?;
        let balance = reports::trial_balance(&set, &[], None)?;
        let stock: i128 = self.valuation.balances().iter().map(|balance| i128::from(balance.value)).sum();
        let check = reports::check_inventory(&balance, template, stock);
        let money = self.valuation.policy.money_scale;
        let rows = balance.account.len();
        let mut fields = vec![Field::new("account", DataType::Utf8, false)];
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(StringArray::from(balance.account))];
        let columns = [
            ("opening", balance.opening),
            ("debit", balance.debit),
            ("credit", balance.credit),
            ("balance", balance.balance),
        ];
        for (name, values) in columns {
            fields.push(wide_field(name, money));
            arrays.push(wide(values, money)?);
        }
        Ok((table(fields, arrays, rows)?, check))
    }
}

fn is_balanced(set: &VoucherSet, voucher: usize) -> bool {
    set.lines(voucher).map(|line| line.debit - line.credit).sum::<i128>() == 0
}
