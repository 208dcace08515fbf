//! Costs that come late for what takes its cost from elsewhere, worked out by hand.

use super::periodic::tests::movements;
use crate::movement::Reason;
use crate::policy::Policy;
use crate::{Movement, Valuation, value};

/// `day kind quantity amount ref group item` per movement; transfers arrive in another pool.
fn run(policy: &str, moves: &str) -> Valuation {
    let mut pool = "a";
    let placed = |row: Movement| {
        pool = if row.kind.name() == "transfer_in" { "b" } else { pool };
        Movement { pool: moves.contains("transfer").then(|| pool.to_owned()), ..row }
    };
    let rows: Vec<Movement> = movements(moves).into_iter().map(placed).collect();
    value(&rows, &Policy::from_yaml(policy).unwrap()).unwrap()
}

/// Value, variance and whether it corrects, by line.
fn lines(valuation: &Valuation) -> Vec<(i64, i64, bool)> {
    assert_eq!(valuation.rejected(), []);
    let is_late = |reason: Option<Reason>| reason == Some(Reason::LateCost);
    valuation.postings().map(|line| (line.value, line.variance, is_late(line.reason))).collect()
}

/// Bread of 20.00 costs 8.00 more: half of it is sold, which cost 4.00 more.
#[test]
fn a_late_cost_of_production_is_calculated_again() {
    for method in ["moving_average", "fifo", "lifo"] {
        let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
            3 issue 2 - - - bread; 4 cost_adjustment - 8 m2 - bread";
        let expected = [
            (4_000, 0, false),
            (-2_000, 0, false),
            (2_000, 0, false),
            (-1_000, 0, false),
            (800, 0, false),
            (-400, 0, true),
        ];
        assert_eq!(lines(&run(&format!("method: {method}"), moves)), expected, "{method}");
        // Later costs come on top, and each can be taken back.
        let more = format!(
            "{moves}; 5 cost_adjustment - 2 m2 - bread; 6 reversal - - m4 - bread; 7 issue 2 - - - bread"
        );
        let last: i64 = run(&format!("method: {method}"), &more).postings().last().unwrap().value;
        assert_eq!(last, -1_100, "{method}");
        // Bread costs nothing less than nothing: 5.00 of the 25.00 are variance.
        let less = moves.replace("- 8 m2", "- -25 m2");
        let expected = [(-2_000, -500, false), (1_000, 0, true)];
        assert_eq!(lines(&run(&format!("method: {method}"), &less))[4..], expected, "{method}");
    }
}

/// Flour costs 10.00 more before and after bread does: 5.00 of it are in the bread.
#[test]
fn late_costs_of_material_and_goods_add_up() {
    let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
        3 cost_adjustment - 10 m0 - flour; 4 cost_adjustment - 8 m2 - bread; 5 cost_adjustment - 10 m0 - flour";
    for method in ["moving_average", "fifo"] {
        let valuation = run(&format!("method: {method}"), moves);
        let _ = lines(&valuation);
        let balances: Vec<i64> = valuation.balances().iter().map(|balance| balance.value).collect();
        assert_eq!(balances, [3_000, 3_800], "{method}");
    }
}

/// 4 arrive for 16.00 and cost 8.00 more for the way: 6.00 each.
#[test]
fn a_late_cost_of_an_arrival_is_calculated_again() {
    for method in ["moving_average", "fifo"] {
        // An amount in the row of an arrival is not read.
        for amount in ["-", "99"] {
            let moves = format!(
                "0 receipt 3 12; 0 receipt 7 28; 1 transfer_out 4; 2 transfer_in 4 {amount} m2; 3 issue 2; \
                4 cost_adjustment - 8 m3"
            );
            let shown = lines(&run(&format!("method: {method}"), &moves));
            assert_eq!(shown[4..], [(-800, 0, false), (800, 0, false), (-400, 0, true)], "{method}");
        }
    }
}

/// 2 are found at 4.00 each; 3.00 come late for them.
#[test]
fn a_late_cost_of_goods_found_is_calculated_again() {
    let valuation = run("method: fifo", "0 receipt 2 8; 1 count_gain 2; 2 issue 3; 3 cost_adjustment - 3 m1");
    assert_eq!(lines(&valuation)[3..], [(300, 0, false), (-150, 0, true)]);
}

/// An amendment to 30.00 keeps the 8.00 that came late.
#[test]
fn an_amended_production_keeps_what_came_late() {
    for amendment in ["keep_place", "append"] {
        let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 4 - - b bread; \
            3 cost_adjustment - 8 m2 - bread; 4 amendment - 30 m2 - bread; 5 cost_adjustment - 2 m2 - bread";
        let valuation = run(&format!("amendment: {amendment}"), moves);
        let _ = lines(&valuation);
        assert_eq!(valuation.balances()[1].value, 4_000, "{amendment}");
    }
}

/// An estimate of 40.00 with a freight of 8.00 is taken back at 40.00: the 8.00 are variance, since the goods take them along.
#[test]
fn a_landed_cost_is_no_part_of_an_estimate() {
    for method in ["moving_average", "fifo"] {
        for late in ["replay", "prospective"] {
            let policy =
                format!("{{method: {method}, late_cost: {late}, provisional: month_start_reversal}}");
            let moves = "0 provisional_receipt 10 40; 1 cost_adjustment - 8 m0; 50 settlement - 44 m0";
            let expected = [(4_000, 0, false), (800, 0, false), (-4_800, 800, false), (4_400, 0, false)];
            assert_eq!(lines(&run(&policy, moves)), expected, "{policy}");
        }
    }
}

/// Freight of 1.00 for a receipt of 1.00 comes after the stock was valued at a standard cost of 5.00: that changed it by 4.00, and now by
/// 3.00. The change of method stands before whatever comes late, whether it is due by a late movement or by another.
#[test]
fn a_late_cost_changes_what_a_change_of_method_posted() {
    let switched = |rest: &str| {
        let policy = "{standard_cost: '5', switch: {from: 1970-01-05, method: standard}}";
        run(policy, &format!("0 receipt 1 1; {rest}"))
    };
    for rest in ["6 cost_adjustment - 1 m0", "6 receipt 1 5; 7 cost_adjustment - 1 m0; 8 issue 1"] {
        let valuation = switched(rest);
        let mut running = (0, 0);
        for line in valuation.postings() {
            running = (running.0 + line.quantity, running.1 + line.value);
            assert_eq!(running, (line.on_hand, line.on_hand_value), "{rest} {line:?}");
        }
        assert_eq!(valuation.balances()[0].value, 500, "{rest}");
        let late: Vec<_> =
            valuation.postings().filter(|line| line.reason == Some(Reason::LateCost)).collect();
        assert_eq!(late.iter().map(|line| line.value).collect::<Vec<_>>(), [-100], "{rest}");
    }
}

/// A change of method whose new value does not fit is no line: the movements after it are refused.
#[test]
fn what_follows_a_change_of_method_that_does_not_fit_is_refused() {
    let policy = "{quantity_scale: 0, switch: {from: 1970-01-05, method: fifo, value: last_receipt}}";
    let valuation = run(policy, "0 receipt 1 1; 1 count 999999999999999998 1; 6 count 1");
    let refused: Vec<_> = valuation.rejected().iter().map(|(row, fault)| (*row, fault.code.code())).collect();
    assert_eq!(refused, [(2, "COSTING_OVERFLOW")]);
}

/// 10 at 4.00 a piece cost 50.00 in all, as an amendment says: 12 of them cost 60.00.
#[test]
fn an_amended_amount_replaces_the_unit_cost_of_a_row() {
    for method in ["moving_average", "fifo", "specific"] {
        let mut rows = movements("0 receipt 10; 1 amendment - 50 m0; 2 amendment 12 - m0");
        for row in &mut rows {
            row.lot = Some("a".to_owned());
        }
        rows[0].unit_cost = Some("4".parse().unwrap());
        let valuation = value(&rows, &Policy::from_yaml(&format!("method: {method}")).unwrap()).unwrap();
        let values: Vec<i64> = valuation.postings().map(|line| line.value).collect();
        assert_eq!(values, [4_000, 1_000, 1_000], "{method}");
    }
}
