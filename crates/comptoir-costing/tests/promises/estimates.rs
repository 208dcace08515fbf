//! Provisional receipts: the three ways of settling them against the sum of the invoices, and standard cost against quantity x cost.

use comptoir_costing::movement::{Kind, Reason};
use comptoir_costing::policy::{Method, Policy, Provisional};
use comptoir_costing::{Movement, value};
use comptoir_types::Decimal;
use proptest::prelude::*;
use proptest::sample::select;

use crate::books::{books, cases};
use crate::histories::{ALL, DAY, SOUND, Shape, histories, id};
use crate::policies::{METHODS, policies};

const WAYS: [Provisional; 3] =
    [Provisional::DifferenceOnInvoice, Provisional::ReverseOnInvoice, Provisional::MonthStartReversal];

/// Receipts, estimates, invoices and landed costs over several months.
const INVOICES: Shape = Shape {
    kinds: &[
        Kind::Receipt,
        Kind::ProvisionalReceipt,
        Kind::ProvisionalReceipt,
        Kind::Settlement,
        Kind::Settlement,
        Kind::Settlement,
        Kind::CostAdjustment,
    ],
    items: 2,
    pools: 1,
    lots: 2,
    gap: 200,
    ..SOUND
};

const MONTHS: Shape = Shape { kinds: ALL, gap: 200, ..SOUND };

/// The history, and an invoice for all that has none at its end.
fn invoiced(mut history: Vec<Movement>) -> Vec<Movement> {
    let estimates: Vec<Movement> =
        history.iter().filter(|row| row.kind == Kind::ProvisionalReceipt).cloned().collect();
    let end = history.last().map_or(0, |row| row.at) + 40 * DAY;
    for row in estimates {
        let reference = Some(row.id.clone());
        let amount = Decimal::new(row.quantity.unwrap().units() * 7, 2).ok();
        let at = end + i64::try_from(history.len()).unwrap();
        history.push(Movement {
            id: id(history.len()),
            at,
            kind: Kind::Settlement,
            quantity: None,
            amount,
            unit_cost: None,
            reference,
            ..row
        });
    }
    history
}

proptest! {
    #![proptest_config(cases(128))]

    /// Where nothing leaves, the stock is worth what receipts and invoices say, whatever became of the estimates meanwhile. What came late
    /// while an estimate was taken back may have found no stock.
    #[test]
    fn stock_is_worth_its_invoices(
        history in histories(INVOICES, 1..30), way in select(&WAYS), policy in policies(&METHODS)
    ) {
        let history = invoiced(history);
        let policy = Policy { provisional: way, ..policy };
        let books = books(&history, &policy);
        let stands = |row: &&Movement| {
            row.kind != Kind::ProvisionalReceipt && !books.rejected.contains_key(&row.id)
        };
        let priced = |row: &Movement| row.amount.map_or_else(
            || books.lines.iter().filter(|line| line.id == row.id).map(|line| line.value + line.variance).sum(),
            |amount| amount.rescale_exact(2).unwrap().units(),
        );
        let paid: i64 = history.iter().filter(stands).map(priced).sum();
        let has_late = history.iter().any(|row| row.kind == Kind::CostAdjustment);
        let variance: i64 = books.lines.iter().map(|line| line.variance).sum();
        let worth: i64 = books.balances.values().map(|balance| balance.1).sum();
        prop_assert_eq!(worth + variance, paid);
        prop_assert!(policy.method == Method::Standard || variance == 0 || has_late, "{:?}", books.lines);
    }

    /// Every stock stands at quantity x standard cost after each movement: at a whole number of cents nothing is rounded.
    #[test]
    fn standard_values_are_quantity_times_standard(
        history in histories(MONTHS, 1..50), policy in policies(&[Method::Standard])
    ) {
        // An opening balance may be a shortage at a value of its own.
        let stands = |row: &Movement| !matches!(row.kind, Kind::Revaluation | Kind::Opening);
        let history: Vec<Movement> = history.into_iter().filter(stands).collect();
        let policy = Policy { standard_cost: Decimal::new(1230, 2).ok(), ..policy };
        for line in value(&history, &policy).unwrap().postings() {
            // What an invoice takes back and puts in its place at one time is at the estimate's value between.
            let is_between = line.reason == Some(Reason::EstimateReversed);
            prop_assert!(is_between || line.on_hand_value == 123 * line.on_hand, "{:?}", line);
        }
    }
}
