//! Provision for stock that loses worth with age (存货跌价准备): what is required, and what must be booked to get there.

use std::collections::BTreeMap;

use comptoir_types::decimal::{mul_div, pow10};
use comptoir_types::{Decimal, Rounding};

use super::ageing::Ageing;
use super::error::ReportError;

/// Provision of every (item, pool) of the ageing or of the books, in ascending order of item and pool.
///
/// For every key: `booked_after` = `booked` + `change`, and it is never below zero, so that a reversal never exceeds what
/// was provided (IAS 2.33, CAS 1 article 19).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provision {
    /// Codes of the items.
    pub item: Vec<u32>,
    /// Codes of the pools, or [`NONE`](crate::posting::NONE).
    pub pool: Vec<u32>,
    /// Value on hand before any provision.
    pub value: Vec<i64>,
    /// Required provision by bucket, then by key.
    pub required_by_bucket: Vec<Vec<i64>>,
    /// Required provision: the sum over the buckets.
    pub required: Vec<i64>,
    /// Provision in the books before.
    pub booked: Vec<i64>,
    /// What to book: positive a charge, negative a reversal or a release.
    pub change: Vec<i64>,
    /// What kind of entry the change is.
    pub action: Vec<ProvisionAction>,
    /// Provision in the books after the change.
    pub booked_after: Vec<i64>,
    /// Sums over all keys.
    pub totals: ProvisionTotals,
}

/// Kind of entry by which a provision changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProvisionAction {
    /// Nothing to book.
    Keep,
    /// More must be provided (计提).
    Charge,
    /// Less is required for stock that is still there (转回).
    Reversal,
    /// The stock is gone: its provision leaves the books with it, against cost of sales (结转).
    Release,
}

/// Sums over all keys of a [`Provision`]; all amounts are positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProvisionTotals {
    /// Required provision.
    pub required: i128,
    /// Provision in the books before.
    pub booked: i128,
    /// Charges.
    pub charge: i128,
    /// Reversals.
    pub reversal: i128,
    /// Releases.
    pub release: i128,
    /// Provision in the books after: `booked` + `charge` - `reversal` - `release`.
    pub booked_after: i128,
}

/// A provision that stands in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookedProvision {
    /// Code of the item.
    pub item: u32,
    /// Code of the pool, or [`NONE`](crate::posting::NONE).
    pub pool: u32,
    /// Amount in units of the money scale, not negative.
    pub amount: i64,
}

/// Computes the provision that the ages require, against what is booked.
///
/// `rates` has one rate from 0 to 1 per bucket; each bucket of each key is rounded on its own. Stock that is short, or a
/// bucket whose value is below zero, requires nothing. Several booked amounts of one key add up. A key with nothing left
/// on hand releases its whole provision.
///
/// # Errors
/// `COSTING_PROVISION_RATES` where the rates do not go with the buckets, `COSTING_PROVISION_BOOKED` for a negative booked
/// amount, `COSTING_REPORT_OVERFLOW` where an amount leaves 64 bits.
pub fn provide(
    ageing: &Ageing,
    rates: &[Decimal],
    booked: &[BookedProvision],
    rounding: Rounding,
) -> Result<Provision, ReportError> {
    check_rates(rates, ageing.value.len())?;
    let mut open = sum_booked(booked)?;
    let mut rows = Vec::with_capacity(ageing.item.len());
    for (index, (&item, &pool)) in ageing.item.iter().zip(&ageing.pool).enumerate() {
        let by_bucket = required_by_bucket(ageing, index, rates, rounding)?;
        let booked = open.remove(&(item, pool)).unwrap_or(0);
        let value = ageing.closing_value.get(index).copied().unwrap_or(0);
        let on_hand = ageing.closing_quantity.get(index).copied().unwrap_or(0);
        rows.push(row((item, pool), value, on_hand, by_bucket, booked)?);
    }
    for ((item, pool), booked) in open {
        rows.push(row((item, pool), 0, 0, vec![0; rates.len()], booked)?);
    }
    rows.sort_by_key(|row| row.key);
    Ok(columns(&rows, rates.len()))
}

struct Row {
    key: (u32, u32),
    value: i64,
    by_bucket: Vec<i64>,
    required: i64,
    booked: i64,
    action: ProvisionAction,
}

fn row(
    key: (u32, u32),
    value: i64,
    on_hand: i64,
    by_bucket: Vec<i64>,
    booked: i64,
) -> Result<Row, ReportError> {
    let required = by_bucket
        .iter()
        .try_fold(0_i64, |sum, &amount| sum.checked_add(amount))
        .ok_or(ReportError::Overflow { what: "the required provision", item: key.0 })?;
    let action = match required.cmp(&booked) {
        std::cmp::Ordering::Equal => ProvisionAction::Keep,
        std::cmp::Ordering::Greater => ProvisionAction::Charge,
        std::cmp::Ordering::Less if on_hand > 0 => ProvisionAction::Reversal,
        std::cmp::Ordering::Less => ProvisionAction::Release,
    };
    Ok(Row { key, value, by_bucket, required, booked, action })
}

fn check_rates(rates: &[Decimal], buckets: usize) -> Result<(), ReportError> {
    if rates.len() != buckets {
        let message = format!("{} given for {buckets} buckets; each bucket needs one", rates.len());
        return Err(ReportError::Rates { message });
    }
    let one = Decimal::from(1_u32);
    match rates.iter().find(|rate| **rate < Decimal::ZERO || **rate > one) {
        Some(rate) => Err(ReportError::Rates { message: format!("`{rate}` is not between 0 and 1") }),
        None => Ok(()),
    }
}

fn sum_booked(booked: &[BookedProvision]) -> Result<BTreeMap<(u32, u32), i64>, ReportError> {
    let mut sums = BTreeMap::new();
    for &BookedProvision { item, pool, amount } in booked {
        if amount < 0 {
            return Err(ReportError::BookedProvision { item });
        }
        let sum: &mut i64 = sums.entry((item, pool)).or_default();
        *sum = sum.checked_add(amount).ok_or(ReportError::Overflow { what: "the booked provision", item })?;
    }
    Ok(sums)
}

fn required_by_bucket(
    ageing: &Ageing,
    index: usize,
    rates: &[Decimal],
    rounding: Rounding,
) -> Result<Vec<i64>, ReportError> {
    let item = ageing.item.get(index).copied().unwrap_or_default();
    let is_short = ageing.closing_quantity.get(index).is_none_or(|&quantity| quantity <= 0);
    let amount = |(column, rate): (&Vec<i64>, &Decimal)| {
        let value = column.get(index).copied().unwrap_or(0);
        if is_short || value <= 0 {
            return Ok(0);
        }
        pow10(rate.scale())
            .and_then(|one| mul_div(value, rate.units(), one, rounding))
            .ok_or(ReportError::Overflow { what: "the required provision", item })
    };
    ageing.value.iter().zip(rates).map(amount).collect()
}

fn columns(rows: &[Row], buckets: usize) -> Provision {
    let bucket =
        |index: usize| rows.iter().map(|row| row.by_bucket.get(index).copied().unwrap_or(0)).collect();
    let mut totals = ProvisionTotals::default();
    for row in rows {
        let change = i128::from(row.required) - i128::from(row.booked);
        totals.required += i128::from(row.required);
        totals.booked += i128::from(row.booked);
        match row.action {
            ProvisionAction::Keep => {}
            ProvisionAction::Charge => totals.charge += change,
            ProvisionAction::Reversal => totals.reversal -= change,
            ProvisionAction::Release => totals.release -= change,
        }
    }
    totals.booked_after = totals.required;
    Provision {
        item: rows.iter().map(|row| row.key.0).collect(),
        pool: rows.iter().map(|row| row.key.1).collect(),
        value: rows.iter().map(|row| row.value).collect(),
        required_by_bucket: (0..buckets).map(bucket).collect(),
        required: rows.iter().map(|row| row.required).collect(),
        booked: rows.iter().map(|row| row.booked).collect(),
        // Both amounts are at least zero, so that their difference cannot overflow.
        change: rows.iter().map(|row| row.required - row.booked).collect(),
        action: rows.iter().map(|row| row.action).collect(),
        booked_after: rows.iter().map(|row| row.required).collect(),
        totals,
    }
}

#[cfg(test)]
mod tests {
    use comptoir_types::{Clock, Date, ErrorCode};
    use proptest::prelude::*;

    use super::super::samples::layer;
    use super::super::{Calendar, age};
    use super::*;

    fn aged(layers: &[crate::posting::OpenLayer]) -> Ageing {
        let as_of = Date::EPOCH.add_days(100).unwrap();
        age(layers.iter().copied(), as_of, &[30, 60], Calendar::utc(Clock::DAY)).unwrap()
    }

    fn rates(texts: [&str; 3]) -> Vec<Decimal> {
        texts.map(|text| text.parse().unwrap()).to_vec()
    }

    #[test]
    fn charges_reversals_and_releases_follow_from_what_is_booked() {
        // Item 0: 101 at 5 % = 5.05 -> 5, 200 at 50 % = 100. Item 1: 100 at 5 % = 5. Item 2 is short. Item 9 is gone.
        let ageing = aged(&[
            layer(0, 0, 50, 1, 101),
            layer(0, 0, 0, 1, 200),
            layer(1, 0, 50, 1, 100),
            layer(2, 0, 0, -1, -70),
        ]);
        let booked = [(1, 30), (1, 10), (2, 4), (9, 7)].map(|(item, amount)| BookedProvision {
            item,
            pool: 0,
            amount,
        });
        let provision = provide(&ageing, &rates(["0", "0.05", "0.5"]), &booked, Rounding::HalfEven).unwrap();
        assert_eq!(provision.item, [0, 1, 2, 9]);
        assert_eq!(provision.required_by_bucket, [[0, 0, 0, 0], [5, 5, 0, 0], [100, 0, 0, 0]]);
        assert_eq!(provision.booked, [0, 40, 4, 7]);
        assert_eq!(provision.change, [105, -35, -4, -7]);
        use ProvisionAction::{Charge, Release, Reversal};
        assert_eq!(provision.action, [Charge, Reversal, Release, Release]);
        assert_eq!(provision.booked_after, [105, 5, 0, 0]);
        let totals = provision.totals;
        assert_eq!((totals.charge, totals.reversal, totals.release, totals.booked_after), (105, 35, 11, 110));
    }

    #[test]
    fn rates_and_booked_amounts_are_checked() {
        let ageing = aged(&[layer(0, 0, 0, 1, 1)]);
        let refused = |rates: &[Decimal], booked: &[BookedProvision]| {
            provide(&ageing, rates, booked, Rounding::HalfUp).unwrap_err()
        };
        assert_eq!(refused(&rates(["0", "0", "0"])[1..], &[]).code(), "COSTING_PROVISION_RATES");
        let error = refused(&rates(["0", "0", "1.01"]), &[]);
        assert_eq!(error.to_string(), "provision rates: `1.01` is not between 0 and 1");
        let negative = BookedProvision { item: 3, pool: 0, amount: -1 };
        assert_eq!(refused(&rates(["0", "0", "1"]), &[negative]).code(), "COSTING_PROVISION_BOOKED");
    }

    proptest! {
        #[test]
        fn a_provision_stays_between_zero_and_the_value(
            layers in prop::collection::vec((0_u32..4, 0_i64..100, -20_i64..50, -99_i64..999), 0..30),
            booked in prop::collection::vec((0_u32..6, 0_i64..500), 0..8),
            cents in [0_i64..=100, 0_i64..=100, 0_i64..=100],
        ) {
            let layers: Vec<_> = layers.iter().map(|&(item, at, quantity, value)| layer(item, 0, at, quantity, value)).collect();
            let booked: Vec<_> = booked.iter().map(|&(item, amount)| BookedProvision { item, pool: 0, amount }).collect();
            let rates = cents.map(|cents| Decimal::new(cents, 2).unwrap());
            let ageing = aged(&layers);
            let provision = provide(&ageing, &rates, &booked, Rounding::HalfEven).unwrap();
            for row in 0..provision.item.len() {
                prop_assert_eq!(provision.booked[row] + provision.change[row], provision.booked_after[row]);
                prop_assert!(provision.booked_after[row] >= 0);
                prop_assert!(provision.change[row] >= -provision.booked[row]);
            }
            let totals = provision.totals;
            prop_assert_eq!(totals.booked + totals.charge - totals.reversal - totals.release, totals.booked_after);
        }
    }
}
