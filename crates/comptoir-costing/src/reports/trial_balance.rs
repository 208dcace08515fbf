//! Trial balance (试算平衡表) over vouchers, and the check of the inventory accounts against the stock.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use comptoir_types::Date;

use super::error::ReportError;
use super::vouchers::{VoucherSet, VoucherTemplate};

/// Sums by account, in ascending order of account. Balances are positive on the debit side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrialBalance {
    /// The accounts.
    pub account: Vec<String>,
    /// Balance before the period.
    pub opening: Vec<i128>,
    /// Debits of the period.
    pub debit: Vec<i128>,
    /// Credits of the period.
    pub credit: Vec<i128>,
    /// Balance after the period: `opening` + `debit` - `credit`.
    pub balance: Vec<i128>,
    /// Sum of all debits.
    pub total_debit: i128,
    /// Sum of all credits.
    pub total_credit: i128,
}

/// Whether the books agree with the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryCheck {
    /// Balance of all inventory accounts.
    pub accounts_total: i128,
    /// Value of the stock.
    pub stock_value: i128,
    /// `accounts_total` - `stock_value`: zero where the books agree.
    pub difference: i128,
}

/// Sums the lines of the vouchers by account.
///
/// `openings` are balances brought from before the vouchers, positive on the debit side. With a `period`, vouchers dated
/// before it go into the opening and those after it are left out.
///
/// # Errors
/// `COSTING_REPORT_OVERFLOW` where an opening is so large that a balance leaves 128 bits.
pub fn trial_balance(
    set: &VoucherSet,
    openings: &[(String, i128)],
    period: Option<&RangeInclusive<Date>>,
) -> Result<TrialBalance, ReportError> {
    let mut sums: BTreeMap<&str, [i128; 3]> = BTreeMap::new();
    for (account, amount) in openings {
        let [opening, ..] = sums.entry(account).or_default();
        *opening = opening.checked_add(*amount).ok_or_else(|| overflow(account))?;
    }
    for (voucher, date) in set.date.iter().enumerate() {
        if period.is_some_and(|period| date > period.end()) {
            continue;
        }
        let is_before = period.is_some_and(|period| date < period.start());
        for line in set.lines(voucher) {
            let [opening, debit, credit] = sums.entry(line.account).or_default();
            if is_before {
                let change = line.debit - line.credit;
                *opening = opening.checked_add(change).ok_or_else(|| overflow(line.account))?;
            } else {
                *debit += line.debit;
                *credit += line.credit;
            }
        }
    }
    columns(&sums)
}

/// Compares the inventory accounts of the template with the value of the stock.
#[must_use]
pub fn check_inventory(
    balance: &TrialBalance,
    template: &VoucherTemplate,
    stock_value: i128,
) -> InventoryCheck {
    let inventory = template.inventory_accounts();
    let rows = balance.account.iter().zip(&balance.balance);
    let own = rows.filter(|(account, _)| inventory.contains(&account.as_str()));
    let accounts_total: i128 = own.map(|(_, balance)| balance).sum();
    InventoryCheck { accounts_total, stock_value, difference: accounts_total - stock_value }
}

impl TrialBalance {
    /// Whether debits and credits are equal.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.total_debit == self.total_credit
    }
}

fn columns(sums: &BTreeMap<&str, [i128; 3]>) -> Result<TrialBalance, ReportError> {
    let mut columns = TrialBalance::default();
    for (account, &[opening, debit, credit]) in sums {
        columns.account.push((*account).to_owned());
        columns.opening.push(opening);
        columns.debit.push(debit);
        columns.credit.push(credit);
        let balance = opening.checked_add(debit - credit).ok_or_else(|| overflow(account))?;
        columns.balance.push(balance);
        columns.total_debit += debit;
        columns.total_credit += credit;
    }
    Ok(columns)
}

/// Debits and credits come from 64-bit lines and cannot overflow; only openings, which callers give, can be that large.
fn overflow(account: &str) -> ReportError {
    ReportError::BalanceOverflow { account: account.to_owned() }
}
