//! What production receipts take over of what their group issued, worked out by hand.

use super::periodic::tests::movements;
use crate::movement::Kind;
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

const METHODS: [&str; 4] = ["moving_average", "fifo", "standard", "periodic_average"];

/// Policies for production of bread from flour at 4.00 by a method.
fn production_policies() -> impl Iterator<Item = String> {
    let ways = |method| ["keep_place", "append"].map(|amendment| (method, amendment));
    METHODS.into_iter().flat_map(ways).map(|(method, amendment)| {
        let costs = "items: {flour: {standard_cost: '4'}, bread: {standard_cost: '1'}}";
        format!("{{method: {method}, amendment: {amendment}, {costs}}}")
    })
}

/// Sum of value and variance of an item's lines by rows from `first`.
fn cost_from(valuation: &Valuation, first: u32) -> i64 {
    valuation.postings().filter(|line| line.row >= first).map(|line| line.value + line.variance).sum()
}

/// Of 5 units of flour for 20.00, 3 come back before the bread is made, or are said not to have left: it costs 8.00.
#[test]
fn what_came_back_from_production_is_no_cost_of_it() {
    for policy in production_policies() {
        for back in [
            "2 reversal 3 - m1 - flour",
            "2 sales_return 3 - m1 - flour",
            "2 amendment 2 - m1 - flour",
            "2 reversal 1 - m1 - flour; 3 reversal 2 - m1 - flour",
            "2 sales_return 3 12 m1 - flour",
            "31 reversal 3 - m1 - flour",
            "31 amendment 2 - m1 - flour",
            "31 sales_return 3 - m1 - flour",
            "2 reversal 5 - m1 - flour; 3 production_issue 2 - - b flour",
        ] {
            let moves = format!(
                "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; {back}; 40 production_receipt 4 - - b bread"
            );
            let valuation = run(&policy, &moves);
            assert_eq!(valuation.rejected(), [], "{policy} {moves}");
            let rows = u32::try_from(moves.split(';').count()).unwrap();
            assert_eq!(cost_from(&valuation, rows - 1), 800, "{policy} {moves}");
            // Nothing is left between flour and bread.
            assert_eq!(cost_from(&valuation, 0), 4_000, "{policy} {moves}");
        }
    }
}

/// Flour came back before bread was made of it, or was used afterwards: bread has no cost to take over, and falls with its group.
#[test]
fn a_receipt_without_issues_before_it_is_refused() {
    for policy in production_policies() {
        for moves in [
            "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 reversal - - m1 - flour; \
                3 production_receipt 4 - - b bread",
            "0 receipt 10 40 - - flour; 5 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; 6 issue 1 - - - flour",
            "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 reversal - - m1 - flour; \
                33 production_receipt 4 - - b bread",
        ] {
            let valuation = run(&policy, moves);
            let codes: Vec<&str> = valuation.rejected().iter().map(|(_, fault)| fault.code.code()).collect();
            let reversed = ["COSTING_GROUP_REJECTED", "COSTING_REFERENCE_REJECTED", "COSTING_AMOUNT"];
            let expected =
                if codes.len() == 3 { &reversed[..] } else { &["COSTING_GROUP_REJECTED", "COSTING_AMOUNT"] };
            assert_eq!(codes, expected, "{policy} {moves}");
            let fault = valuation.rejected().iter().find(|(_, fault)| fault.code.code() == "COSTING_AMOUNT");
            let message = fault.unwrap().1.message(Some(Kind::ProductionReceipt), 0);
            assert!(
                message.starts_with("production_receipt takes over what its group issued before it"),
                "{message}"
            );
            let left = i64::from(moves.contains("; 6 issue"));
            assert_eq!(valuation.balances()[0].quantity, 10 - left, "{policy} {moves}");
        }
    }
}

/// 2 receipts share 20.00; of the flour 2 come back between them, so that 12.00 are left, of which the first took 10.00.
#[test]
fn what_comes_back_after_a_receipt_is_the_next_one_s() {
    for policy in production_policies() {
        let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
            33 reversal 2 - m1 - flour; 34 production_receipt 4 - - b bread";
        let valuation = run(&policy, moves);
        assert_eq!((cost_from(&valuation, 4), cost_from(&valuation, 0)), (200, 4_000), "{policy}");
    }
}

/// Bread under the periodic average takes over flour of another method, less what came back.
#[test]
fn a_month_takes_over_what_did_not_come_back() {
    let policy = "{method: moving_average, items: {bread: {method: periodic_average}}}";
    for back in ["reversal 3", "sales_return 3", "amendment 2"] {
        let moves = format!(
            "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 {back} - m1 - flour; \
            3 production_receipt 4 - - b bread"
        );
        assert_eq!(closing(&run(policy, &moves)), [(8, 3_200), (4, 800)], "{back}");
    }
}
