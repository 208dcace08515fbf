//! What production receipts take over of what their group issued, worked out by hand.

use super::periodic::tests::movements;
use crate::policy::Policy;
use crate::{Valuation, value};

/// `day kind quantity amount ref group item` per movement.
fn run(policy: &str, moves: &str) -> Valuation {
    value(&movements(moves), &Policy::from_yaml(policy).unwrap()).unwrap()
}

/// Quantity and value by item at the end.
fn closing(valuation: &Valuation) -> Vec<(i64, i64)> {
    assert_eq!(valuation.rejected(), []);
    valuation.balances().iter().map(|balance| (balance.quantity, balance.value)).collect()
}

/// 4 of 9 for 36.00 are used: an amendment to 2 and one back to 4 change nothing.
#[test]
fn an_issue_amended_away_and_back_is_what_it_was() {
    let moves = "0 receipt 9 36 - - f; 1 production_issue 4 - - g f; 2 amendment 2 - m1 - f; 3 amendment 4 - m1 - f; \
        4 production_receipt 3 - - g bread";
    for method in ["periodic_average", "moving_average", "fifo"] {
        for amendment in ["keep_place", "append"] {
            let policy = format!("{{method: {method}, amendment: {amendment}}}");
            let valuation = run(&policy, moves);
            assert_eq!(closing(&valuation), [(5, 2_000), (3, 1_600)], "{policy}");
            assert!(valuation.postings().last().is_some_and(|line| line.quantity == 3), "{policy}");
        }
    }
}
