//! What a month refuses that does not cover its issues, worked out by hand.

use super::tests::{lines, movements, run};
use crate::policy::Policy;
use crate::{Valuation, value};

fn codes(valuation: &Valuation) -> Vec<(u32, &'static str)> {
    valuation.rejected().iter().map(|(row, fault)| (*row, fault.code.code())).collect()
}

fn on_hand(valuation: &Valuation) -> Vec<i64> {
    valuation.balances().iter().map(|balance| balance.quantity).collect()
}

/// Of two issues without stock one is reversed in the same month: that one stands, and its reversal covers no other.
#[test]
fn what_comes_back_covers_what_it_left_with() {
    let moves = "0 receipt 3 9 - - pot; 1 issue 1; 2 issue 1; 3 reversal - - m2";
    let valuation = run("reject", moves);
    assert_eq!(codes(&valuation), [(1, "COSTING_NEGATIVE_STOCK")]);
    assert_eq!(on_hand(&valuation), [3, 0]);
}

/// A return of more than is left of its issue is refused, and covers nothing.
#[test]
fn a_refused_return_covers_no_issue() {
    let valuation = run("reject", "0 issue 1; 1 issue 1; 2 sales_return 1 1 m1; 3 sales_return 1 1 m1");
    assert_eq!(codes(&valuation), [(0, "COSTING_NEGATIVE_STOCK"), (3, "COSTING_REFERENCE_EXCEEDED")]);
    assert_eq!(lines(&valuation).iter().map(|line| line[2]).collect::<Vec<_>>(), [-1, 0]);
}

/// What the shelf sends is not there, so of 10 mugs 11 cannot be sold; the one that goes back to the supplier can.
#[test]
fn what_an_arrival_that_falls_seemed_to_cover_takes_no_place() {
    let moves =
        "0 receipt 10 40; 1 transfer_out 1; 2 issue 11; 3 transfer_in 1 - m1; 4 purchase_return 1 - m0";
    let mut movements = movements(moves);
    movements[1].pool = Some("shelf".to_owned());
    let policy = Policy::from_yaml("{method: periodic_average, negative: reject, scope: pool}").unwrap();
    let valuation = value(&movements, &policy).unwrap();
    let (short, gone) = ("COSTING_NEGATIVE_STOCK", "COSTING_REFERENCE_REJECTED");
    assert_eq!(codes(&valuation), [(1, short), (2, short), (3, gone)]);
    assert_eq!(on_hand(&valuation), [0, 9]);
}
