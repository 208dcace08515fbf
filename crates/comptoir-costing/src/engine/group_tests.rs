//! Groups over items, worked out by hand: each item by its own method, and sums near the limit.

use super::periodic::tests::movements;
use crate::policy::Policy;
use crate::{Valuation, value};

/// `day kind quantity amount ref group item` per movement; `monthly` is the item under the periodic average.
fn run(monthly: &str, moves: &str) -> Valuation {
    let policy = format!("{{method: moving_average, items: {{{monthly}: {{method: periodic_average}}}}}}");
    value(&movements(moves), &Policy::from_yaml(&policy).unwrap()).unwrap()
}

fn values(valuation: &Valuation) -> Vec<i64> {
    valuation.postings().map(|posting| posting.value).collect()
}

fn codes(valuation: &Valuation) -> Vec<(u32, &'static str)> {
    valuation.rejected().iter().map(|(row, fault)| (*row, fault.code.code())).collect()
}

/// Flour is 4.00 when it is used and 12.00 afterwards. The month makes bread cost (20.00 + 10.00) / 8, also before the 4 for 10.00 come.
#[test]
fn a_month_takes_over_what_a_perpetual_item_issued() {
    let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
        3 issue 2 - - - bread; 4 receipt 4 10 - - bread; 5 receipt 5 100 - - flour; 6 issue 1 - - - flour";
    let valuation = run("bread", moves);
    assert_eq!(codes(&valuation), []);
    assert_eq!(values(&valuation), [4_000, -2_000, 2_000, -750, 1_000, 10_000, -1_200]);
}

/// Of 12.00 the first receipt takes 1 of 3, and of 8.00 + 6.00 the second takes all, though different methods value them.
#[test]
fn receipts_under_different_methods_share_what_their_group_issued() {
    let moves = "0 receipt 10 60 - - flour; 1 production_issue 2 - - b flour; 2 production_receipt 1 - - b bread; \
        3 production_issue 1 - - b flour; 4 production_receipt 2 - - b cake";
    for monthly in ["bread", "cake"] {
        let valuation = run(monthly, moves);
        assert_eq!(codes(&valuation), []);
        assert_eq!(values(&valuation), [6_000, -1_200, 400, -600, 1_400], "{monthly}");
    }
}

/// Flour has no cost before its month ends, but bread needs one when it is made.
#[test]
fn a_perpetual_item_cannot_take_over_a_month() {
    let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
        3 receipt 2 10 - - bread; 4 issue 1 - - - bread; 5 issue 4 - - - flour; 6 receipt 10 80 - - flour";
    let valuation = run("flour", moves);
    assert_eq!(codes(&valuation), [(1, "COSTING_GROUP_REJECTED"), (2, "COSTING_NOT_WITH_PERIODIC")]);
    assert_eq!(values(&valuation), [4_000, 1_000, -500, -2_400, 8_000]);
    let message = valuation.rejected()[1].1.message(Some(crate::movement::Kind::ProductionReceipt), 0);
    assert!(
        message.starts_with("production_receipt takes over what an item under periodic average issued"),
        "{message}"
    );
}

/// The pot's issue of 99 takes the mug's with it. Mugs cost 4.00, and pots of that month (100.00 + 300.00) / 20.
#[test]
fn a_group_falls_over_methods_and_the_rest_stands_under_its_own() {
    let moves = "0 receipt 10 40 - - mug; 1 receipt 10 100 - - pot; 2 issue 1 - - g mug; 3 issue 99 - - g pot; \
        4 issue 2 - - - pot; 5 receipt 10 300 - - pot; 6 issue 5 - - - mug; 7 receipt 5 80 - - mug";
    for first in ["mug", "pot"] {
        // Whichever item stands first.
        let moves =
            if first == "mug" { moves.to_owned() } else { format!("{moves}; 0 receipt 1 10 - - pot") };
        let valuation = run("pot", &moves);
        let expected = [(2, "COSTING_GROUP_REJECTED"), (3, "COSTING_NEGATIVE_STOCK")];
        assert_eq!(codes(&valuation), expected, "{first}");
        let of = |row: u32| valuation.postings().find(|line| line.row == row).unwrap().value;
        let pots = if first == "mug" { -4_000 } else { -3_905 };
        assert_eq!([of(4), of(6), of(7)], [pots, -2_000, 8_000], "{first}");
        // An ageing knows what fell.
        let mugs: i64 = valuation.balances().iter().map(|balance| balance.quantity).sum();
        assert_eq!(mugs, if first == "mug" { 28 } else { 29 });
    }
}

/// One item's estimates are taken back at the month's start, another's stand until the invoice comes, though a group links them.
#[test]
fn estimates_follow_the_choice_of_their_item() {
    let policy = "{items: {pot: {provisional: month_start_reversal}}}";
    let moves = "0 provisional_receipt 10 40 - - mug; 0 provisional_receipt 10 50 - - pot; 2 issue 1 - - g mug; \
        3 issue 99 - - g pot; 40 receipt 1 1 - - mug";
    let valuation = value(&movements(moves), &Policy::from_yaml(policy).unwrap()).unwrap();
    assert_eq!(values(&valuation), [4_000, 5_000, -5_000, 100]);
}

/// 11 x 9 000 000 000 000 000.00 in one group are more than 64 bits hold; one of them is not.
#[test]
fn the_sum_that_a_group_issued_is_bounded() {
    let used = |month: usize| {
        let day = 31 * month;
        format!("{day} receipt 1 9000000000000000 - - flour; {day} production_issue 1 - - b flour")
    };
    let history = |times: usize| {
        (0..times).map(used).collect::<Vec<_>>().join("; ") + "; 341 production_receipt 1 - - b bread"
    };
    for method in ["moving_average", "fifo", "periodic_average"] {
        let policy = Policy::from_yaml(&format!("{{method: {method}, ties: row}}")).unwrap();
        let valuation = value(&movements(&history(1)), &policy).unwrap();
        assert_eq!(
            values(&valuation),
            [900_000_000_000_000_000, -900_000_000_000_000_000, 900_000_000_000_000_000]
        );
        let valuation = value(&movements(&history(11)), &policy).unwrap();
        let rejected = codes(&valuation);
        assert!(rejected.contains(&(22, "COSTING_OVERFLOW")), "{method}: {rejected:?}");
        assert!(
            rejected.iter().filter(|(_, code)| *code == "COSTING_GROUP_REJECTED").count() == 11,
            "{rejected:?}"
        );
    }
}

/// The quantities of 11 receipts to come are more than 64 bits hold.
#[test]
fn the_quantity_that_a_group_receives_is_bounded() {
    let receipts = ["2 production_receipt 900000000000000000 - - b bread"; 11].join("; ");
    let moves = format!("0 receipt 1 11 - - flour; 1 production_issue 1 - - b flour; {receipts}");
    let valuation = value(&movements(&moves), &Policy::default()).unwrap();
    assert_eq!(values(&valuation), [1_100]);
    assert_eq!(valuation.rejected().len(), 12);
    assert!(codes(&valuation).iter().any(|(_, code)| *code == "COSTING_OVERFLOW"));
}
