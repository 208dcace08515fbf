//! P8 the order of the rows does not matter and a late cost is a full recomputation, P9 a prefix of the books is final.

use std::collections::BTreeMap;

use comptoir_costing::Movement;
use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{LateCost, Method, Policy, Ties};
use comptoir_types::Decimal;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::books::{Books, Line, books, cases};
use crate::histories::{DAY, EVERYTHING, SOUND, START, Shape, histories, id, shuffled};
use crate::policies::{PERPETUAL, policies};

/// All methods but specific identification.
const WITHOUT_LOTS: &[Method] =
    &[Method::MovingAverage, Method::PeriodicAverage, Method::Fifo, Method::Lifo, Method::Standard];

/// Several movements at one instant, so that the tie rule decides.
const TIED: Shape = Shape { gap: 1, ..EVERYTHING };

/// No late information but that of the test.
const PUNCTUAL: Shape = Shape {
    kinds: &[
        Kind::Receipt,
        Kind::Receipt,
        Kind::Receipt,
        Kind::Issue,
        Kind::Issue,
        Kind::Issue,
        Kind::SalesReturn,
        Kind::PurchaseReturn,
        Kind::TransferOut,
        Kind::TransferIn,
        Kind::Count,
        Kind::CountLoss,
        Kind::CountGain,
        Kind::Reversal,
    ],
    ..SOUND
};

/// Quantity, value and variance by movement, with the corrections that it got.
fn net(books: &Books, late: &str, receipt: &str) -> BTreeMap<String, [i64; 3]> {
    let mut net: BTreeMap<String, [i64; 3]> = BTreeMap::new();
    for line in &books.lines {
        let corrected = line.adjusts.as_deref().unwrap_or(&line.id);
        let corrected = if corrected == late { receipt } else { corrected };
        let sums = net.entry(corrected.to_owned()).or_default();
        for (sum, number) in sums.iter_mut().zip([line.quantity, line.value, line.variance]) {
            *sum += number;
        }
    }
    net
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn p8_rows_of_lots_may_come_in_any_order(
        (history, other) in histories(TIED, 1..40).prop_flat_map(shuffled), policy in policies(&[Method::Specific])
    ) {
        prop_assert_eq!(books(&history, &policy), books(&other, &policy));
    }

    #[test]
    fn p8_rows_may_come_in_any_order(
        (history, other) in histories(EVERYTHING, 1..40).prop_flat_map(shuffled), policy in policies(WITHOUT_LOTS)
    ) {
        prop_assert_eq!(books(&history, &policy), books(&other, &policy));
    }

    #[test]
    fn p8_ties_do_not_depend_on_the_rows(
        (history, other) in histories(TIED, 1..40).prop_flat_map(shuffled), policy in policies(WITHOUT_LOTS)
    ) {
        prop_assert_eq!(books(&history, &policy), books(&other, &policy));
    }

    #[test]
    fn what_refers_to_a_movement_of_its_instant_stands_behind_it(
        history in histories(Shape { wild: 0, ..TIED }, 1..60), policy in policies(WITHOUT_LOTS)
    ) {
        let books = books(&history, &Policy { ties: Ties::ReceiptsFirst, ..policy });
        prop_assert!(!books.rejected.values().any(|code| *code == "COSTING_REFERENCE_LATER"), "{:?}", books.rejected);
    }

    #[test]
    fn p8_a_replayed_cost_gives_what_the_right_receipt_would_have(
        history in histories(PUNCTUAL, 1..40),
        policy in policies(&[Method::MovingAverage, Method::Fifo, Method::Lifo, Method::Specific]),
        receipt in any::<Index>(),
        cents in 1..10_000_i64,
    ) {
        let policy = Policy { late_cost: LateCost::Replay, ties: Ties::Id, ..policy };
        let receipts: Vec<usize> =
            (0..history.len()).filter(|place| history[*place].kind == Kind::Receipt && history[*place].amount.is_some()).collect();
        prop_assume!(!receipts.is_empty());
        let place = *receipt.get(&receipts);
        let row = &history[place];
        let mut right = history.clone();
        right[place].amount = Decimal::new(row.amount.unwrap().units() + cents, 2).ok();
        let mut late = history.clone();
        late.push(Movement {
            amount: Decimal::new(cents, 2).ok(),
            reference: Some(row.id.clone()),
            ..Movement::new(id(history.len()), row.item.clone(), history.last().unwrap().at + DAY, Kind::CostAdjustment, None)
        });
        let (found, expected) = (books(&late, &policy), books(&right, &policy));
        prop_assume!(!found.rejected.contains_key(&id(history.len())));
        prop_assert_eq!(net(&found, &id(history.len()), &row.id), net(&expected, "", ""));
        prop_assert_eq!(found.layers, expected.layers);
        prop_assert_eq!(found.balances, expected.balances);
    }

    #[test]
    fn p9_what_comes_later_leaves_earlier_lines_as_they_are(
        history in histories(SOUND, 1..40), policy in policies(&PERPETUAL), cut in any::<Index>()
    ) {
        let policy = Policy { ties: Ties::Id, ..policy };
        let kept = cut.index(history.len());
        let (whole, prefix) = (books(&history, &policy), books(&history[..kept], &policy));
        prop_assert_eq!(whole.lines.get(..prefix.lines.len()), Some(&*prefix.lines));
        let earlier = |id: &str| history[..kept].iter().any(|row| row.id == id);
        let rejected: BTreeMap<_, _> = whole.rejected.into_iter().filter(|(id, _)| earlier(id)).collect();
        prop_assert_eq!(rejected, prefix.rejected);
    }

    #[test]
    fn p9_a_finished_month_is_final(
        history in histories(SOUND, 1..60), policy in policies(&[Method::PeriodicAverage])
    ) {
        let policy = Policy { ties: Ties::Id, ..policy };
        let february = START + 31 * DAY;
        let january: Vec<Movement> = history.iter().filter(|row| row.at < february).cloned().collect();
        let in_january = |line: &Line| line.at < february;
        let whole: Vec<Line> = books(&history, &policy).lines.into_iter().filter(in_january).collect();
        prop_assert_eq!(whole, books(&january, &policy).lines);
    }
}
