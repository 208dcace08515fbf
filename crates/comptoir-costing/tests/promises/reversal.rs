//! P10: a movement and its reversal leave the stock as it was.

use std::collections::BTreeMap;

use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{LateCost, Method, Negative, Policy};
use comptoir_costing::{Movement, value};
use comptoir_types::Date;
use proptest::prelude::*;
use proptest::sample::select;

use crate::books::{Books, KeyName, books, cases};
use crate::histories::{DAY, SOUND, Shape, histories, id};
use crate::policies::{policies, without_month_starts};

const SHAPE: Shape = Shape {
    kinds: &[
        Kind::Receipt,
        Kind::Receipt,
        Kind::Receipt,
        Kind::Issue,
        Kind::Issue,
        Kind::SalesReturn,
        Kind::PurchaseReturn,
        Kind::TransferOut,
        Kind::TransferIn,
        Kind::CountGain,
        Kind::CountLoss,
        Kind::ProvisionalReceipt,
        Kind::ProductionIssue,
    ],
    items: 2,
    lots: 2,
    ..SOUND
};

/// Values an adjustment of all the stock on hand brings, which a reversal takes back.
const VALUES: Shape = Shape {
    kinds: &[Kind::Receipt, Kind::Receipt, Kind::Issue, Kind::CostAdjustment],
    items: 1,
    pools: 1,
    ..SHAPE
};

/// Balances and layers by key.
type There = (BTreeMap<KeyName, (i64, i64)>, BTreeMap<KeyName, Vec<(i64, i64, i64)>>);

/// Lots, dates, quantities and values of what is there at the end of a day, whatever the method.
fn aged(history: &[Movement], policy: &Policy, day: i64) -> Vec<[i64; 6]> {
    let layers = value(history, policy).unwrap().layers_as_of(Date::from_days(day).unwrap()).unwrap();
    let aged = layers.iter().map(|layer| {
        let place = [layer.item, layer.pool, layer.lot].map(i64::from);
        [place[0], place[1], place[2], layer.at, layer.quantity, layer.value]
    });
    let mut aged: Vec<_> = aged.filter(|[.., quantity, value]| (*quantity, *value) != (0, 0)).collect();
    aged.sort_unstable();
    aged
}

/// What is there: a key that was touched and is empty again is no different from one that never was.
fn there(books: &Books) -> There {
    let balances = books.balances.clone().into_iter().filter(|(_, balance)| *balance != (0, 0)).collect();
    (balances, books.layers.clone())
}

/// The history with its last movement reversed one tick later.
fn with_reversal(history: &[Movement]) -> Vec<Movement> {
    let last = history.last().unwrap();
    let reversal = Movement {
        reference: Some(last.id.clone()),
        ..Movement::new(id(history.len()), last.item.clone(), last.at + 1, Kind::Reversal, None)
    };
    history.iter().cloned().chain([reversal]).collect()
}

const LAYERED: &[Method] = &[Method::Fifo, Method::Lifo, Method::Specific];

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn p10_a_reversal_restores_quantity_value_and_layers(
        history in histories(SHAPE, 1..40), policy in policies(LAYERED)
    ) {
        assert_restored(&history, &policy)?;
    }

    #[test]
    fn p10_a_reversal_restores_an_average(
        history in histories(SHAPE, 1..40), policy in policies(&[Method::MovingAverage])
    ) {
        assert_restored(&history, &policy)?;
    }

    #[test]
    fn p10_a_reversal_restores_a_month(
        history in histories(SHAPE, 1..40), policy in policies(&[Method::PeriodicAverage])
    ) {
        assert_restored(&history, &policy)?;
    }

    #[test]
    fn p10_a_reversal_restores_standard_values(
        history in histories(SHAPE, 1..40), policy in policies(&[Method::Standard])
    ) {
        assert_restored(&history, &policy)?;
    }

    #[test]
    fn p10_a_reversal_restores_stock_that_was_not_all_there(
        history in histories(SHAPE, 1..40),
        policy in policies(&[Method::Fifo, Method::Lifo, Method::MovingAverage, Method::Standard]),
        negative in select(&[Negative::Carry, Negative::Cover, Negative::Variance][..]),
    ) {
        let leaves = matches!(
            history.last().unwrap().kind,
            Kind::Issue | Kind::CountLoss | Kind::TransferOut | Kind::ProductionIssue
        );
        if leaves {
            assert_as_before(&history, &without_month_starts(Policy { negative, ..policy }))?;
        }
    }

    #[test]
    fn p10_a_reversal_takes_back_an_added_value(
        history in histories(VALUES, 1..20), policy in policies(&[Method::MovingAverage])
    ) {
        let policy = Policy { late_cost: LateCost::Prospective, ..policy };
        assert_restored(&history, &policy)?;
    }
}

fn assert_restored(history: &[Movement], policy: &Policy) -> Result<(), TestCaseError> {
    // A receipt that covered a shortage settled its cost, by corrections or variance that its reversal does not take back.
    assert_as_before(history, &without_month_starts(Policy { negative: Negative::Reject, ..policy.clone() }))
}

fn assert_as_before(history: &[Movement], policy: &Policy) -> Result<(), TestCaseError> {
    let before = books(&history[..history.len() - 1], policy);
    let after = books(&with_reversal(history), policy);
    if after.rejected.contains_key(&history.last().unwrap().id) {
        return Ok(());
    }
    // A month's stock is checked as a whole: what was taken before the receipt came may not stand without it.
    let monthly = policy.method == Method::PeriodicAverage;
    let refused = after.rejected.contains_key(&id(history.len()));
    if monthly && (refused || before.rejected != after.rejected) {
        return Ok(());
    }
    prop_assert!(!refused, "{:?}", after.rejected);
    prop_assert_eq!(there(&before), there(&after));
    let day = (history.last().unwrap().at + 1).div_euclid(DAY);
    let aged_before = aged(&history[..history.len() - 1], policy, day);
    prop_assert_eq!(aged_before, aged(&with_reversal(history), policy, day));
    Ok(())
}
