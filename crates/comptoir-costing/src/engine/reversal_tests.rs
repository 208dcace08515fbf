//! Reversals of estimates and of shortages, worked out by hand.

use super::periodic::tests::movements;
use crate::movement::{Kind, Reason};
use crate::policy::Policy;
use crate::{Movement, Valuation, value};

/// `day kind quantity amount ref` per movement; day 31 is 1 February, day 59 1 March.
fn run(policy: &str, moves: &str) -> Valuation {
    value(&movements(moves), &Policy::from_yaml(policy).unwrap()).unwrap()
}

/// Quantity, value and reason by line.
fn lines(valuation: &Valuation) -> Vec<(i64, i64, Option<Reason>)> {
    valuation.postings().map(|line| (line.quantity, line.value, line.reason)).collect()
}

fn codes(valuation: &Valuation) -> Vec<(u32, &'static str)> {
    valuation.rejected().iter().map(|(row, fault)| (*row, fault.code.code())).collect()
}

const OUT: Option<Reason> = Some(Reason::MonthStartReversal);
const IN: Option<Reason> = Some(Reason::Reestimated);

/// Policies under which an estimate is taken back at the start of a month.
fn monthly() -> impl Iterator<Item = String> {
    let methods = ["moving_average", "fifo", "lifo", "periodic_average"].into_iter();
    methods.map(|method| format!("{{method: {method}, provisional: month_start_reversal}}"))
}

#[test]
fn a_reversed_estimate_is_not_made_again() {
    for policy in monthly() {
        let valuation = run(&policy, "0 provisional_receipt 10 40; 5 reversal - - m0; 70 receipt 1 5");
        assert_eq!(lines(&valuation), [(10, 4_000, None), (-10, -4_000, None), (1, 500, None)], "{policy}");
    }
}

/// The books do not hold the estimate in February: its reversal posts nothing and ends it.
#[test]
fn the_reversal_of_an_estimate_that_is_taken_back_posts_nothing() {
    for policy in monthly() {
        let valuation = run(&policy, "0 provisional_receipt 10 40; 35 reversal - - m0; 70 receipt 1 5");
        let expected = [(10, 4_000, None), (-10, -4_000, OUT), (0, 0, None), (1, 500, None)];
        assert_eq!(lines(&valuation), expected, "{policy}");
    }
}

/// 4 of 10 are reversed: 6 for 24.00 go out and in again until their invoice of 27.00 comes.
#[test]
fn what_is_left_of_a_reversed_estimate_awaits_its_invoice() {
    for policy in monthly() {
        let moves = "0 provisional_receipt 10 40; 5 reversal 4 - m0; 70 settlement - 27 m0";
        let rest = [(6, 2_400, IN), (-6, -2_400, OUT), (6, 2_700, None)];
        let first = [(10, 4_000, None), (-4, -1_600, None), (-6, -2_400, OUT)];
        assert_eq!(lines(&run(&policy, moves)), [first, rest].concat(), "{policy}");
        let moves = "0 provisional_receipt 10 40; 35 reversal 4 - m0; 70 settlement - 27 m0";
        let first = [(10, 4_000, None), (-10, -4_000, OUT), (0, 0, None)];
        assert_eq!(lines(&run(&policy, moves)), [first, rest].concat(), "{policy}");
    }
}

/// 6 have their invoice of 30.00, 4 are out of the books: all 10 are reversed, for the 30.00 that stand in them, and no 11th.
#[test]
fn a_whole_receipt_is_reversed_while_a_part_of_it_is_out_of_the_books() {
    for policy in monthly() {
        let moves = "0 provisional_receipt 10 40; 33 settlement 6 30 m0; 34 reversal 11 - m0; 35 reversal - - m0; \
            36 reversal - - m0; 70 receipt 1 5";
        let valuation = run(&policy, moves);
        let exceeded = "COSTING_REFERENCE_EXCEEDED";
        assert_eq!(codes(&valuation), [(2, exceeded), (4, exceeded)], "{policy}");
        let expected =
            [(10, 4_000, None), (-10, -4_000, OUT), (6, 3_000, None), (-6, -3_000, None), (1, 500, None)];
        assert_eq!(lines(&valuation), expected, "{policy}");
    }
}

/// Of the 10 that await their invoice 4 are gone: 6 may be issued, not 7.
#[test]
fn reversed_goods_are_not_there_to_be_issued() {
    let moves = "0 provisional_receipt 10 40; 35 reversal 4 - m0; 36 issue 7; 37 issue 6";
    let valuation = run("provisional: month_start_reversal", moves);
    assert_eq!(codes(&valuation), [(2, "COSTING_NEGATIVE_STOCK")]);
}

/// Half of 10 at 4.00 is reversed, and the other half invoiced at 5.00 each: under replay the receipt cost that, and so did its reversal.
#[test]
fn an_invoice_is_for_what_was_not_reversed() {
    let moves = "0 provisional_receipt 10 40; 1 reversal 5 - m0; 2 issue 2; 3 settlement - 25 m0";
    let settled = Some(Reason::Settled);
    let first = [(10, 4_000, None), (-5, -2_000, None), (-2, -800, None)];
    for method in ["moving_average", "fifo"] {
        let valuation = run(&format!("method: {method}"), moves);
        let last = [(0, 1_000, None), (0, -500, settled), (0, -200, settled)];
        assert_eq!(lines(&valuation), [first, last].concat(), "{method}");
    }
    // 3 of 10 at 1.00 are reversed for 3.00, 7 invoiced for 7.10: the 10.15 of which 3.05 leave.
    let moves = "0 provisional_receipt 10 10; 1 reversal 3 - m0; 3 settlement - 7.10 m0";
    let balance = run("method: fifo", moves).balances()[0];
    assert_eq!((balance.quantity, balance.value), (7, 710));
}

/// A receipt of 3.00 of which 1 of 3 is sold gets 5.00 less: it costs nothing, 2.00 are variance, and so is what a reversal brings back.
#[test]
fn a_late_cost_makes_no_receipt_cost_less_than_nothing() {
    for method in ["fifo", "moving_average"] {
        let moves = "0 receipt 3 3; 1 issue 1; 2 cost_adjustment - -5 m0; 3 reversal - - m2";
        let valuation = run(&format!("{{method: {method}, late_cost: replay}}"), moves);
        let shown: Vec<[i64; 3]> =
            valuation.postings().map(|line| [line.value, line.variance, line.on_hand_value]).collect();
        let expected =
            [[300, 0, 300], [-100, 0, 200], [-300, -200, -100], [100, 0, 0], [300, 200, 300], [-100, 0, 200]];
        assert_eq!(shown, expected, "{method}");
    }
}

/// Half of a freight of 8.00 for half of the goods has no meaning under any method; without a quantity all of it is taken back, once.
#[test]
fn a_cost_is_reversed_as_a_whole() {
    let methods = ["moving_average", "fifo", "standard", "periodic_average"];
    let policies = methods.into_iter().flat_map(|method| {
        ["replay", "prospective"]
            .map(|late| format!("{{method: {method}, late_cost: {late}, standard_cost: '4'}}"))
    });
    for policy in policies {
        let moves = "0 receipt 10 40; 1 cost_adjustment - 8 m0; 2 reversal 5 - m1; 3 reversal - - m1; 4 reversal - - m1";
        let valuation = run(&policy, moves);
        let exceeded = "COSTING_REFERENCE_EXCEEDED";
        assert_eq!(codes(&valuation), [(2, exceeded), (4, exceeded)], "{policy}");
        let message = valuation.rejected()[0].1.message(None, 0);
        assert!(message.ends_with("is reversed as a whole: leave the quantity out"), "{message}");
        assert_eq!(valuation.balances()[0].value, 4_000, "{policy}");
    }
}

/// No invoice and nothing else names the receipt; the month's start comes with the first movement of any item in it.
#[test]
fn an_estimate_that_nothing_refers_to_is_taken_back() {
    for policy in monthly() {
        let valuation = run(&policy, "0 provisional_receipt 1 4 - - mug; 31 receipt 1 1 - - pot");
        assert_eq!(lines(&valuation), [(1, 400, None), (-1, -400, OUT), (1, 100, None)], "{policy}");
    }
}

#[test]
fn nothing_is_left_to_settle_of_a_reversed_estimate() {
    for method in ["moving_average", "fifo", "periodic_average"] {
        for way in ["difference_on_invoice", "reverse_on_invoice", "month_start_reversal"] {
            let policy = format!("{{method: {method}, provisional: {way}}}");
            let valuation =
                run(&policy, "0 provisional_receipt 10 40; 1 reversal - - m0; 2 settlement - 45 m0");
            assert_eq!(codes(&valuation), [(2, "COSTING_REFERENCE_EXCEEDED")], "{policy}");
            let half =
                "0 provisional_receipt 10 40; 1 reversal 5 - m0; 2 settlement - 25 m0; 3 settlement 1 5 m0";
            let valuation = run(&policy, half);
            assert_eq!(codes(&valuation), [(3, "COSTING_REFERENCE_EXCEEDED")], "{policy}");
            let balance = valuation.balances()[0];
            assert_eq!((balance.quantity, balance.value), (5, 2_500), "{policy}");
        }
    }
}

/// An estimate of which 4 are reversed is amended to 12 for 60.00: 8 for 40.00 stay open.
#[test]
fn an_amended_estimate_keeps_what_was_reversed() {
    for policy in monthly() {
        let moves = "0 provisional_receipt 10 40; 5 reversal 4 - m0; 6 amendment 12 60 m0; 40 receipt 1 5";
        let valuation = run(&policy, moves);
        let out: Vec<_> = lines(&valuation).into_iter().filter(|line| line.2 == OUT).collect();
        assert_eq!(out, [(-8, -4_000, OUT)], "{policy}");
    }
}

/// 1.00 and 3.00 are there; an issue of 3 takes them and one more at 3.00. Its reversal is no receipt that covers that shortage.
#[test]
fn a_reversed_issue_ends_its_own_shortage() {
    for negative in ["carry", "cover", "variance"] {
        for (method, short) in [("fifo", 300), ("lifo", 100), ("moving_average", 200)] {
            let policy = format!("{{method: {method}, negative: {negative}}}");
            let valuation = run(&policy, "0 receipt 1 1; 1 receipt 1 3; 2 issue 3; 3 reversal - - m2");
            let values: Vec<i64> = valuation.postings().map(|line| line.value + line.variance).collect();
            assert_eq!(values, [100, 300, -400 - short, 400 + short], "{policy}");
            let balance = valuation.balances()[0];
            assert_eq!((balance.quantity, balance.value), (2, 400), "{policy}");
        }
    }
}

/// 5 are short from another system; 7 come. Without the shortage all 7 are there, in their layer.
#[test]
fn a_reversed_opening_leaves_layers_for_all_that_is_there() {
    for negative in ["reject", "carry", "cover", "variance"] {
        let policy = format!("{{method: fifo, negative: {negative}}}");
        let valuation = run(&policy, "0 opening -5 -10; 1 receipt 2 8; 2 receipt 5 20; 3 reversal - - m0");
        let layers: i64 = valuation.layers().iter().map(|layer| layer.quantity).sum();
        assert_eq!((layers, valuation.balances()[0].quantity), (7, 7), "{policy}");
    }
}

/// What was not there comes back first, at the 3.00 at which it left; then a third of 7.00, and the rest.
#[test]
fn a_part_of_a_shortage_is_reversed_first() {
    let moves =
        "0 receipt 1 1; 1 receipt 1 3; 2 issue 3; 3 reversal 1 - m2; 4 reversal 1 - m2; 5 reversal - - m2";
    let valuation = run("{method: fifo, negative: cover}", moves);
    let values: Vec<i64> = valuation.postings().map(|line| line.value).collect();
    assert_eq!(values, [100, 300, -700, 300, 233, 167]);
    assert_eq!(valuation.layers().iter().map(|layer| layer.value).sum::<i64>(), 400);
}

/// Of 2 that were short at 3.00, a receipt covers 1 at 5.00, which corrects the issue. The other comes back at 3.00, the rest at what the
/// issue cost, 4.00 + 5.00.
#[test]
fn a_covered_part_comes_back_at_its_new_cost() {
    let moves = "0 receipt 1 1; 1 receipt 1 3; 2 issue 4; 3 receipt 1 5; 4 reversal - - m2";
    let valuation = run("{method: fifo, negative: cover}", moves);
    let values: Vec<i64> = valuation.postings().map(|line| line.value).collect();
    assert_eq!(values, [100, 300, -1_000, 500, -200, 1_200]);
    let balance = valuation.balances()[0];
    assert_eq!((balance.quantity, balance.value), (3, 900));
}

/// A lot's part that moves to another lot of the item: its share of a new value does not depend on which row names its lot first.
#[test]
fn goods_that_change_their_lot_do_not_depend_on_the_rows() {
    let lot = |moves: &str, lots: &[&str]| -> Vec<Movement> {
        let rows = movements(moves).into_iter().zip(lots);
        rows.map(|(row, lot)| Movement { lot: Some((*lot).to_owned()), ..row }).collect()
    };
    let moves =
        "0 receipt 6 0.10; 1 transfer_out 3; 2 transfer_in 3 - m1; 3 cost_adjustment - 0.01; 4 issue 3";
    let rows = lot(moves, &["x", "x", "y", "x", "x"]);
    let policy = Policy::from_yaml("{method: specific, scope: item, rounding: down}").unwrap();
    let shown = |rows: &[Movement]| {
        let valuation = value(rows, &policy).unwrap();
        valuation.postings().map(|line| line.value).collect::<Vec<_>>()
    };
    let turned: Vec<Movement> = rows.iter().rev().cloned().collect();
    assert_eq!(shown(&rows), shown(&turned));
}

/// An amendment makes 3 more than 18 digits out of what a count and an issue leave between.
#[test]
fn what_stands_between_a_movement_and_its_amendment_stays_within_the_limit() {
    let moves = "0 receipt 4 0; 1 count 0; 2 issue 435496100301745580; 3 opening 435496100301745580 1; \
        4 amendment 564503899698254424 - m0";
    let valuation = run("method: periodic_average", moves);
    let bound = 10_i64.pow(18);
    assert!(valuation.postings().all(|line| line.on_hand > -bound), "{:?}", lines(&valuation));
    assert!(codes(&valuation).contains(&(2, "COSTING_OVERFLOW")), "{:?}", codes(&valuation));
}

/// Goods that went back to the supplier without being there were not sent after all: all ten can still go back.
#[test]
fn a_reversed_return_of_what_was_short_can_be_made_again() {
    for method in ["moving_average", "fifo", "lifo"] {
        let moves = "0 receipt 10 40; 1 issue 10; 2 purchase_return 2 - m0; 3 reversal 1 - m2; 4 reversal - - m2; \
            5 purchase_return 10 - m0";
        let valuation = run(&format!("{{method: {method}, negative: cover}}"), moves);
        assert_eq!(codes(&valuation), [], "{method}");
    }
}

/// Of 4 mugs for 8.00 all leave, 2 come back and leave with one more that is not there. 2 of the first issue come back: 1 covers the
/// shortage, the other is in the layer of m0, costs 1.00 more, and is joined by 1 for 2.00: 2.50 each.
#[test]
fn parts_of_a_layer_that_come_back_past_a_shortage_join() {
    for method in ["fifo", "lifo"] {
        let moves = "0 receipt 4 8; 1 issue 4; 2 reversal 2 - m1; 3 issue 3; 4 reversal 2 - m1; 5 cost_adjustment - 1 m0; \
            6 reversal 1 - m3; 7 issue 1";
        let policy = format!("{{method: {method}, negative: variance, late_cost: prospective}}");
        let valuation = run(&policy, moves);
        assert_eq!(codes(&valuation), [], "{method}");
        // 1 for 3.00 (2.00 and the late cost) and 1 for 2.00 in one layer: 2.50 each.
        assert_eq!(lines(&valuation).last().map(|line| line.1), Some(-250), "{method}");
    }
}

/// 10 of January stay when the 10 of February turn out to be a mistake, or go back to the supplier: what is there is as old as it was.
#[test]
fn goods_that_are_taken_back_take_their_age_along() {
    let day = |days| comptoir_types::Date::from_days(days).unwrap();
    for method in ["moving_average", "periodic_average", "standard"] {
        for back in ["reversal - - m1", "purchase_return 10 - m1"] {
            let moves = format!("0 receipt 10 40; 31 receipt 10 50; 32 {back}");
            let valuation = run(&format!("{{method: {method}, standard_cost: '4'}}"), &moves);
            let dates: Vec<i64> =
                valuation.layers_as_of(day(40)).unwrap().iter().map(|layer| layer.at).collect();
            assert_eq!(dates, [0], "{method}, {back}");
        }
    }
}

/// 4 of 10 arrive by mistake and are taken back; when 4 and 6 arrive after that, all of them are as old as their receipts.
#[test]
fn goods_that_arrive_again_keep_their_age() {
    for method in ["fifo", "lifo", "moving_average", "standard"] {
        let moves = "0 receipt 5 20; 1 receipt 5 25; 2 transfer_out 10; 3 transfer_in 4 - m2; 4 reversal 2 - m3; \
            5 reversal - - m3; 6 transfer_in 4 - m2; 7 transfer_in 6 - m2";
        let policy = Policy::from_yaml(&format!("{{method: {method}, standard_cost: '4'}}")).unwrap();
        let (mut rows, mut layers) = (movements(moves), Vec::new());
        for pool in ["a", "b"] {
            for row in &mut rows {
                let arrives = matches!(row.kind, Kind::TransferIn | Kind::Reversal);
                row.pool = Some(if arrives { pool } else { "a" }.to_owned());
            }
            let valuation = value(&rows, &policy).unwrap();
            assert_eq!(codes(&valuation), [], "{method}");
            layers.extend(valuation.layers_as_of(comptoir_types::Date::from_days(9).unwrap()).unwrap());
        }
        let aged = |day: i64| -> i64 {
            let of_day = layers.iter().filter(|layer| layer.at == day * 86_400_000_000);
            of_day.map(|layer| layer.quantity).sum()
        };
        assert_eq!((aged(0), aged(1)), (10, 10), "{method}: {layers:?}");
    }
}

/// 1 for 1.00 and 1 for 3.00 leave with one more that is not there. Taken back they cost what they did, and an issue takes the first for
/// 1.00. Taken back in two parts they are as old as they were.
#[test]
fn what_was_there_comes_back_as_it_was_where_shortages_add_up() {
    let there = "0 receipt 1 1; 1 receipt 1 3; 2 issue 3";
    for (method, first) in [("fifo", 100), ("lifo", 300)] {
        let policy = format!("{{method: {method}, negative: carry}}");
        let valuation = run(&policy, &format!("{there}; 3 reversal - - m2; 4 issue 1"));
        assert_eq!(lines(&valuation).last().map(|line| line.1), Some(-first), "{method}");
        let left = valuation.layers()[0];
        assert_eq!((left.quantity, left.value), (1, 400 - first), "{method}");
        let valuation = run(&policy, &format!("{there}; 3 reversal 1 - m2; 4 reversal - - m2"));
        let dates: Vec<i64> = valuation.layers().iter().map(|layer| layer.at).collect();
        assert_eq!(dates, [0, 86_400_000_000], "{method}");
    }
}

/// 1 for 4.00 is counted as 3 for 6.00, then as it was: what the count added is gone, with the 2.00 that it brought.
#[test]
fn a_reversed_count_leaves_the_value_that_was_there() {
    for method in ["fifo", "lifo", "moving_average"] {
        let valuation = run(&format!("method: {method}"), "0 receipt 1 4; 1 count 3 6; 2 reversal - - m1");
        let expected = [(1, 400, None), (2, 200, None), (-2, -200, None)];
        assert_eq!(lines(&valuation), expected, "{method}");
    }
}
