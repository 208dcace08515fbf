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

/// Bread of 20.00 turns out to be more or fewer pieces: flour for 20.00 is in them all the same, and goes back to the group as a whole.
#[test]
fn goods_made_keep_their_share_whatever_their_quantity() {
    for policy in production_policies() {
        for (now, day) in [(5, 3), (3, 3), (5, 33), (3, 33)] {
            let moves = format!(
                "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
                {day} amendment {now} - m2 - bread"
            );
            let valuation = run(&policy, &moves);
            assert_eq!(valuation.rejected(), [], "{policy} {moves}");
            assert_eq!(
                (cost_from(&valuation, 2), cost_from(&valuation, 0)),
                (2_000, 4_000),
                "{policy} {moves}"
            );
            let again = format!("{moves}; 40 reversal - - m2 - bread; 41 production_receipt 4 - - b bread");
            let valuation = run(&policy, &again);
            assert_eq!(valuation.rejected(), [], "{policy} {again}");
            assert_eq!(
                (cost_from(&valuation, 5), cost_from(&valuation, 0)),
                (2_000, 4_000),
                "{policy} {again}"
            );
        }
    }
}

/// Freight of 8.00 for bread of 20.00, before or after one piece more is counted: all pieces cost 28.00.
#[test]
fn goods_made_keep_their_share_and_what_came_late() {
    for method in ["moving_average", "fifo"] {
        let made =
            "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread";
        let (freight, amendment) = ("cost_adjustment - 8 m2 - bread", "amendment 5 - m2 - bread");
        for (first, last) in [(freight, amendment), (amendment, freight)] {
            let valuation = run(
                &format!("{{method: {method}, amendment: append}}"),
                &format!("{made}; 3 {first}; 4 {last}"),
            );
            assert_eq!(closing(&valuation), [(5, 2_000), (5, 2_800)], "{method} {first}");
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

/// Bread of 20.00 is made again in other pieces: all that the flour cost is on those that stay, and nothing between flour and bread.
#[test]
fn a_reversed_receipt_gives_its_cost_back_to_its_group() {
    for policy in production_policies() {
        for (again, last) in [
            ("3 reversal - - m2 - bread; 4 production_receipt 4 - - b bread", 2_000),
            ("3 reversal - - m2 - bread; 40 production_receipt 4 - - b bread", 2_000),
            ("40 reversal - - m2 - bread; 41 production_receipt 5 - - b bread", 2_000),
            (
                "3 reversal 1 - m2 - bread; 4 reversal - - m2 - bread; 5 production_receipt 4 - - b bread",
                2_000,
            ),
            ("3 reversal 2 - m2 - bread; 4 production_receipt 4 - - b bread", 1_500),
        ] {
            let moves = format!(
                "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; {again}"
            );
            let valuation = run(&policy, &moves);
            assert_eq!(valuation.rejected(), [], "{policy} {moves}");
            let rows = u32::try_from(moves.split(';').count()).unwrap();
            let costs = (cost_from(&valuation, rows - 1), cost_from(&valuation, 0));
            assert_eq!(costs, (last, 4_000), "{policy} {moves}");
        }
    }
}

/// A return of flour that is reversed was used for the bread after all.
#[test]
fn a_reversed_return_of_material_is_a_cost_again() {
    for policy in production_policies() {
        for day in [3, 33] {
            let moves = format!(
                "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 sales_return 3 - m1 - flour; \
                {day} reversal - - m2 - flour; 40 production_receipt 4 - - b bread"
            );
            let valuation = run(&policy, &moves);
            assert_eq!(valuation.rejected(), [], "{policy} {moves}");
            assert_eq!((cost_from(&valuation, 4), cost_from(&valuation, 0)), (2_000, 4_000), "{policy}");
        }
    }
}

/// The first bread took all of 20.00; when flour for 12.00 comes back and flour for 4.00 goes in, the second has a share of -8.00. It
/// costs nothing, and the 8.00 are variance.
#[test]
fn goods_made_never_cost_less_than_nothing() {
    for policy in production_policies() {
        for day in [4, 40] {
            let moves = format!(
                "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
                3 reversal - - m2 - bread; 3 production_receipt 4 20 - b bread; {day} sales_return 4 60 m1 - flour; \
                {day} production_issue 1 2 - b flour; {} production_receipt 4 - - b bread; 70 reversal - - m7 - bread",
                day + 1
            );
            let valuation = run(&policy, &moves);
            assert_eq!(valuation.rejected(), [], "{policy} {moves}");
            let line = valuation.postings().find(|line| line.row == 7).unwrap();
            let standard = policy.contains("standard,");
            assert_eq!(line.value, if standard { 400 } else { 0 }, "{policy} {moves}");
            assert!(line.value + line.variance < 0, "{policy} {line:?}");
            // What it takes with it when it is reversed is what it had.
            let reversal = valuation.postings().find(|line| line.row == 8).unwrap();
            assert!(standard || reversal.value == 0, "{policy} {reversal:?}");
        }
    }
}

/// An issue said never to have been, after bread was made of it in the same month: in its place the bread had no cost, so the amendment is
/// refused; appended, it changes what is made next.
#[test]
fn an_issue_is_not_amended_away_under_its_goods() {
    for policy in production_policies() {
        let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
            3 amendment 0 - m1 - flour";
        let valuation = run(&policy, moves);
        let codes: Vec<&str> = valuation.rejected().iter().map(|(_, fault)| fault.code.code()).collect();
        let expected = if policy.contains("keep_place") { vec!["COSTING_REPLAY_FAILED"] } else { vec![] };
        assert_eq!(codes, expected, "{policy}");
        let bread = valuation.postings().find(|line| line.row == 2).unwrap();
        assert_eq!(bread.value + bread.variance, 2_000, "{policy}");
    }
}

/// Freight of 8.00 for ten units of flour, half of which went into bread: the bread costs 4.00 more where its month, or that of the next
/// receipt, is still open.
#[test]
fn a_month_takes_over_what_is_corrected_of_an_issue() {
    let policy = "{method: moving_average, items: {bread: {method: periodic_average}}}";
    let flour = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour";
    for (rest, bread) in [
        ("2 cost_adjustment - 8 m0 - flour; 3 production_receipt 4 - - b bread", 2_400),
        ("2 production_receipt 4 - - b bread; 3 cost_adjustment - 8 m0 - flour", 2_400),
        ("32 cost_adjustment - 8 m0 - flour; 33 production_receipt 4 - - b bread", 2_400),
        ("33 production_receipt 4 - - b bread; 34 cost_adjustment - 8 m0 - flour", 2_400),
        (
            "3 production_receipt 4 - - b bread; 34 cost_adjustment - 8 m0 - flour; 35 production_receipt 4 - - b bread",
            2_400,
        ),
        ("3 production_receipt 4 - - b bread; 34 cost_adjustment - 8 m0 - flour", 2_000),
    ] {
        let valuation = run(policy, &format!("{flour}; {rest}"));
        assert_eq!(closing(&valuation)[1].1, bread, "{rest}");
    }
}
