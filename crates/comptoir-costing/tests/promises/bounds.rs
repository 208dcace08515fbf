//! P11: an issue is off its exact cost by at most half a unit, layers are never negative, an average lies between its receipts.

use comptoir_costing::Movement;
use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{Method, Negative, Policy, Scope};
use comptoir_types::{Decimal, Rounding};
use num_rational::Ratio;
use proptest::prelude::*;

use crate::books::{books, cases};
use crate::histories::{DAY, QUANTITY_SCALE, SOUND, Shape, histories, id};
use crate::oracle::rounding::{Exact, exact};
use crate::policies::{PERPETUAL, policies};

const PLAIN: Shape = Shape { kinds: &[Kind::Receipt, Kind::Issue, Kind::Issue], items: 1, pools: 0, ..SOUND };

/// How far a mode may lead from the exact number.
fn bound(rounding: Rounding) -> Exact {
    let half = matches!(rounding, Rounding::HalfEven | Rounding::HalfUp);
    Ratio::new(1.into(), if half { 2.into() } else { 1.into() })
}

fn distance(one: &Exact, other: &Exact) -> Exact {
    if one > other { one - other } else { other - one }
}

/// The exact cost of a quantity that the first of these layers give.
fn exact_cost(layers: impl Iterator<Item = (i64, i64, i64)>, qty: i64) -> Exact {
    let mut left = qty;
    let mut cost = exact(0, 0, 1);
    for (_, layer_qty, layer_value) in layers {
        let part = left.min(layer_qty);
        cost += exact(layer_value.into(), part.into(), layer_qty.into());
        left -= part;
    }
    cost
}

fn issue(history: &[Movement], qty: i64) -> Movement {
    let at = history.last().unwrap().at + DAY;
    Movement::new(id(history.len()), "item0", at, Kind::Issue, Decimal::new(qty, QUANTITY_SCALE).ok())
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn p11_an_issue_costs_what_it_should_to_half_a_unit(
        history in histories(PLAIN, 1..30),
        policy in policies(&[Method::MovingAverage, Method::Fifo, Method::Lifo]),
        share in 1..1000_i64,
    ) {
        let policy = Policy { negative: Negative::Reject, scope: Scope::Pool, ..policy };
        let before = books(&history, &policy);
        let (there, value) = before.balances.values().next().copied().unwrap_or_default();
        prop_assume!(there > 0);
        let qty = (there * share / 1000).max(1);
        let layers = before.layers.values().next().cloned().unwrap_or_default();
        let expected = match policy.method {
            Method::MovingAverage => exact(value.into(), qty.into(), there.into()),
            Method::Fifo => exact_cost(layers.into_iter(), qty),
            _ => exact_cost(layers.into_iter().rev(), qty),
        };
        let more: Vec<Movement> = history.iter().cloned().chain([issue(&history, qty)]).collect();
        let line = books(&more, &policy).lines.pop().unwrap();
        let off = distance(&exact((-line.value).into(), 1, 1), &expected);
        prop_assert!(off <= bound(policy.rounding), "{:?} off by {}", line, off);
    }

    #[test]
    fn p11_layers_are_never_negative(history in histories(FORWARD, 1..50), policy in policies(&PERPETUAL)) {
        let policy = Policy { negative: Negative::Reject, scope: Scope::Pool, ..policy };
        let books = books(&history, &policy);
        for (at, qty, value) in books.layers.into_values().flatten() {
            prop_assert!(qty > 0 && value >= 0, "layer of {}: {} worth {}", at, qty, value);
        }
        for (qty, _) in books.balances.into_values() {
            prop_assert!(qty >= 0);
        }
    }

    #[test]
    fn p11_a_month_ends_without_a_shortage(
        history in histories(FORWARD, 1..50), policy in policies(&[Method::PeriodicAverage])
    ) {
        let policy = Policy { negative: Negative::Reject, scope: Scope::Pool, ..policy };
        for (qty, _) in books(&history, &policy).balances.into_values() {
            prop_assert!(qty >= 0);
        }
    }

    #[test]
    fn p11_an_average_lies_between_its_receipts(
        history in histories(PLAIN, 1..40), policy in policies(&[Method::MovingAverage])
    ) {
        let policy = Policy { negative: Negative::Reject, scope: Scope::Pool, ..policy };
        let books = books(&history, &policy);
        let mut range: Option<(Exact, Exact)> = None;
        let mut issues = 0;
        for line in &books.lines {
            if line.quantity > 0 {
                let cost = exact(line.value.into(), 1, line.quantity.into());
                let (low, high) = range.unwrap_or((cost.clone(), cost.clone()));
                range = Some((low.min(cost.clone()), high.max(cost)));
            } else {
                issues += 1;
            }
            if line.on_hand == 0 {
                (range, issues) = (None, 0);
                continue;
            }
            let on_hand = exact(line.on_hand.into(), 1, 1);
            let (low, high) = range.clone().unwrap();
            let value = exact(line.on_hand_value.into(), 1, 1);
            let slack = exact(issues, 1, 1);
            prop_assert!(value >= low * &on_hand - &slack && value <= high * &on_hand + &slack, "{:?}", line);
        }
    }
}

/// Without opening balances, which may be negative under any policy, and without what may take more value than there is.
const FORWARD: Shape = Shape {
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
        Kind::Count,
        Kind::CountGain,
        Kind::CountLoss,
        Kind::ProductionIssue,
        Kind::Reversal,
        Kind::Revaluation,
    ],
    ..SOUND
};
