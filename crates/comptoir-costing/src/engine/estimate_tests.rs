//! Estimates that are taken back at the start of a month and made again at its end: whose goods, at which value, of which age.

use comptoir_types::Date;

use super::periodic::tests::movements;
use crate::movement::{Kind, Reason};
use crate::policy::Policy;
use crate::posting::Posting;
use crate::{Movement, Valuation, value};

const DAY: i64 = 86_400_000_000;

/// Methods whose stock is the sum of what came in less what went out.
const METHODS: [&str; 5] = ["moving_average", "fifo", "lifo", "specific", "periodic_average"];

const WAYS: [&str; 3] = ["difference_on_invoice", "reverse_on_invoice", "month_start_reversal"];

/// `day kind quantity amount ref` per movement, all of one lot; day 31 is 1 February, day 59 1 March. A revaluation gives a unit cost.
fn run(policy: &str, moves: &str) -> Valuation {
    let mut rows: Vec<Movement> = movements(moves);
    for row in &mut rows {
        row.lot = Some("a".to_owned());
        if row.kind == Kind::Revaluation {
            row.unit_cost = row.amount.take();
        }
    }
    value(&rows, &Policy::from_yaml(policy).unwrap()).unwrap()
}

fn closing(valuation: &Valuation) -> (i64, i64) {
    assert_eq!(valuation.rejected(), []);
    let balance = valuation.balances()[0];
    (balance.quantity, balance.value)
}

/// Sum of what the variance account is charged.
fn variance(valuation: &Valuation) -> i64 {
    valuation.postings().map(|line| line.variance).sum()
}

/// Day, quantity and value of the layers, oldest first.
fn layers(valuation: &Valuation) -> Vec<(i64, i64, i64)> {
    valuation.layers().iter().map(|layer| (layer.at / DAY, layer.quantity, layer.value)).collect()
}

/// 10 estimated at 40.00 are invoiced at 44.00, beside 10 that cost 90.00: 134.00.
#[test]
fn an_estimate_taken_back_leaves_the_other_goods_alone() {
    for method in METHODS {
        for way in WAYS {
            let policy = format!("{{method: {method}, provisional: {way}}}");
            let moves = "0 provisional_receipt 10 40; 1 receipt 10 90; 63 settlement - 44 m0";
            let valuation = run(&policy, moves);
            assert_eq!((closing(&valuation), variance(&valuation)), ((20, 13_400), 0), "{policy}");
            if matches!(method, "fifo" | "lifo" | "specific") {
                assert_eq!(layers(&valuation), [(0, 10, 4_400), (1, 10, 9_000)], "{policy}");
            }
        }
    }
}

/// After the invoice 4 go back to the supplier: of the receipt, for 4 x 4.40.
#[test]
fn what_goes_back_after_the_invoice_is_of_the_receipt() {
    for method in ["fifo", "lifo", "specific"] {
        let policy = format!("{{method: {method}, provisional: month_start_reversal}}");
        let moves =
            "0 provisional_receipt 10 40; 1 receipt 10 90; 63 settlement - 44 m0; 64 purchase_return 4 - m0";
        let valuation = run(&policy, moves);
        assert_eq!(layers(&valuation), [(0, 6, 2_640), (1, 10, 9_000)], "{policy}");
    }
}

/// What was estimated at 40.00 cost 45.00 by its invoice: with the receipt 45.00 go back, and 9.00 with two of its ten.
#[test]
fn an_invoice_is_part_of_what_its_goods_cost() {
    for method in METHODS {
        for way in WAYS {
            for day in [5, 40] {
                let policy = format!("{{method: {method}, provisional: {way}, late_cost: prospective}}");
                let moves =
                    format!("0 provisional_receipt 10 40; 1 receipt 10 40; {day} settlement - 45 m0; ");
                let reversed = run(&policy, &format!("{moves} 63 reversal - - m0"));
                assert_eq!((closing(&reversed), variance(&reversed)), ((10, 4_000), 0), "{policy} {day}");
                let returned = run(&policy, &format!("{moves} 63 purchase_return 2 - m0"));
                assert_eq!((closing(&returned), variance(&returned)), ((18, 7_600), 0), "{policy} {day}");
            }
        }
    }
}

/// The standard cost is 4.20: what the invoice of 45.00 differs from it goes back with the goods.
#[test]
fn at_standard_cost_the_variance_of_an_invoice_goes_back_with_its_goods() {
    for way in WAYS {
        let policy = format!("{{method: standard, standard_cost: '4.20', provisional: {way}}}");
        let moves = "0 provisional_receipt 10 40; 40 settlement - 45 m0; 63 reversal - - m0";
        let valuation = run(&policy, moves);
        assert_eq!((closing(&valuation), variance(&valuation)), ((0, 0), 0), "{policy}");
    }
}

/// 4 of 10 have their invoice of 18.00. Of the 8 that are reversed 6 are out of the books; the other 2 leave, and 2 for 9.00 stay.
#[test]
fn a_reversal_takes_what_is_out_of_the_books_and_then_what_is_in_them() {
    for method in ["fifo", "lifo", "specific"] {
        let policy = format!("{{method: {method}, provisional: month_start_reversal}}");
        let moves = "0 provisional_receipt 10 40; 1 receipt 10 40; 40 settlement 4 18 m0; 45 reversal 8 - m0; 100 receipt 1 4";
        assert_eq!(layers(&run(&policy, moves)), [(0, 2, 900), (1, 10, 4_000), (100, 1, 400)], "{policy}");
    }
}

/// 6 of 10 are invoiced at 30.00 before or after the first month's end, the other 4 at 14.00: 44.00. What is taken back is what has no invoice.
#[test]
fn what_has_its_invoice_is_no_estimate() {
    for method in METHODS {
        for way in WAYS {
            for day in [5, 40] {
                let policy = format!("{{method: {method}, provisional: {way}}}");
                let moves =
                    format!("0 provisional_receipt 10 40; {day} settlement 6 30 m0; 68 settlement - 14 m0");
                let valuation = run(&policy, &moves);
                assert_eq!((closing(&valuation), variance(&valuation)), ((10, 4_400), 0), "{policy} {day}");
            }
        }
    }
}

/// 6 have their invoice of 30.00, 4 are estimated again at 16.00 at the end of February: a reversal of 3 that day takes 12.00 of these.
#[test]
fn a_reversal_takes_what_has_no_invoice_first() {
    for method in ["moving_average", "fifo", "lifo", "specific", "periodic_average"] {
        let policy = format!("{{method: {method}, provisional: month_start_reversal}}");
        let moves =
            "0 provisional_receipt 10 40; 40 settlement 6 30 m0; 58 reversal 3 - m0; 68 settlement - 4 m0";
        let valuation = run(&policy, moves);
        assert_eq!((closing(&valuation), variance(&valuation)), ((7, 3_400), 0), "{policy}");
    }
}

/// Each unit stands at 4.20, also while an estimate of 40.00 for 10 is out, and where they are gone when it is taken back.
#[test]
fn an_estimate_leaves_the_standard_cost_as_it_is() {
    for way in WAYS {
        let policy =
            format!("{{method: standard, standard_cost: '4.20', negative: carry, provisional: {way}}}");
        for moves in [
            "0 receipt 1 5; 1 provisional_receipt 10 40; 32 receipt 1 5",
            "0 receipt 1 5; 1 provisional_receipt 10 40; 2 issue 8; 32 receipt 1 5; 70 settlement - 44 m1; 71 issue 1",
            "0 receipt 1 5; 1 provisional_receipt 10 40; 2 revaluation - 3; 32 receipt 1 5; 70 settlement - 44 m1",
        ] {
            let valuation = run(&policy, moves);
            let cost = if moves.contains("revaluation") { 300 } else { 420 };
            // Between an estimate that the invoice takes back and that invoice the stock stands at the estimate's value.
            let stands = |line: &Posting| line.at > 2 * DAY && line.reason != Some(Reason::EstimateReversed);
            for line in valuation.postings().filter(stands) {
                assert_eq!(line.on_hand_value, cost * line.on_hand, "{policy} {moves}");
            }
        }
    }
}

/// A rebate of 35.00 and an invoice of 10.00 instead of 40.00: goods cost no less than nothing, and the other 25.00 are variance. With 4 of
/// 10 reversed, the invoice is for the other 6, whose cost is 24.00 less 21.00 of the rebate.
#[test]
fn goods_cost_no_less_than_nothing_by_an_invoice() {
    for method in ["moving_average", "fifo", "lifo", "specific"] {
        for way in ["difference_on_invoice", "reverse_on_invoice"] {
            let policy = format!("{{method: {method}, provisional: {way}, late_cost: replay}}");
            let estimate = "0 provisional_receipt 10 40; 1 cost_adjustment - -35 m0";
            let valuation = run(&policy, &format!("{estimate}; 2 issue 5; 3 settlement - 10 m0"));
            assert_eq!((closing(&valuation), variance(&valuation)), ((5, 0), -2_500), "{policy}");
            let valuation = run(&policy, &format!("{estimate}; 2 reversal 4 - m0; 3 settlement - 6 m0"));
            assert_eq!((closing(&valuation), variance(&valuation)), ((6, 0), -1_500), "{policy}");
        }
    }
}

/// Of 7 without an invoice 5 get theirs, and 4 are reversed: the 2 without one, and 2 more, each share rounded up. The invoice of another
/// receipt, at its estimate, changes nothing of that when all is calculated again.
#[test]
fn an_invoice_that_changes_nothing_corrects_nothing() {
    for method in ["fifo", "lifo", "specific"] {
        let policy = format!("{{method: {method}, rounding: ceiling, late_cost: replay}}");
        let moves = "0 provisional_receipt 7 23.14; 1 settlement 5 0.09 m0; 2 provisional_receipt 1 0.01; 3 reversal 4 - m0; 4 settlement 1 0.01 m2";
        let valuation = run(&policy, moves);
        let values: Vec<i64> = valuation.postings().map(|line| line.value).collect();
        assert_eq!(values, [2_314, -1_644, 1, -384, 0], "{policy}");
    }
}

/// What an estimate that is taken back brought is as old as its receipt, whenever its invoice came.
#[test]
fn age_counts_from_the_receipt() {
    for method in METHODS {
        for way in WAYS {
            let policy = format!("{{method: {method}, provisional: {way}}}");
            let moves =
                "0 receipt 5 20; 19 provisional_receipt 10 40; 25 receipt 5 20; 70 settlement - 44 m1";
            let valuation = run(&policy, moves);
            let aged = valuation.layers_as_of(Date::EPOCH.add_days(80).unwrap()).unwrap();
            let ages: Vec<(i64, i64)> = aged.iter().map(|layer| (layer.at / DAY, layer.quantity)).collect();
            assert_eq!(ages, [(0, 5), (19, 10), (25, 5)], "{policy}");
        }
    }
}

/// At a standard cost of 4.20, 10 estimated at 40.00 stand at 42.00, and so do 10 invoiced at 45.00: what differs is variance in each line.
#[test]
fn an_estimate_reversed_on_its_invoice_stands_at_the_standard_cost() {
    for late_cost in ["replay", "prospective", "stock_coverage"] {
        let policy = format!(
            "{{method: standard, standard_cost: '4.2', provisional: reverse_on_invoice, late_cost: {late_cost}}}"
        );
        let valuation = run(&policy, "0 provisional_receipt 10 40; 31 issue 2; 59 settlement - 45 m0");
        assert_eq!(closing(&valuation), (8, 3_360));
        let lines: Vec<[i64; 5]> = valuation
            .postings()
            .map(|line| [line.quantity, line.value, line.variance, line.on_hand, line.on_hand_value])
            .collect();
        let expected = [
            [10, 4_200, -200, 10, 4_200],
            [-2, -840, 0, 8, 3_360],
            [-10, -4_200, 200, -2, -840],
            [10, 4_200, 300, 8, 3_360],
        ];
        assert_eq!(lines, expected, "{late_cost}");
    }
}

/// At the last instant of March two estimates come in again. The first covers what was issued without being there, and that cost stands right behind it,
/// before the second one and before the movement of that instant.
#[test]
fn what_an_estimate_covers_stands_behind_it_in_the_books() {
    let moves =
        "0 receipt 1 10; 52 provisional_receipt 1 0; 54 provisional_receipt 1 0; 83 issue 2; 89 receipt 1 3";
    for ties in ["id", "row", "receipts_first"] {
        let mut rows = movements(moves);
        // By id the movement would stand before what was received in February.
        (rows[4].id, rows[4].at) = ("a".to_owned(), 90 * DAY - 1);
        let policy =
            format!("{{method: fifo, negative: cover, provisional: month_start_reversal, ties: {ties}}}");
        let valuation = value(&rows, &Policy::from_yaml(&policy).unwrap()).unwrap();
        let mut running = (0, 0);
        for line in valuation.postings() {
            running = (running.0 + line.quantity, running.1 + line.value);
            assert_eq!(running, (line.on_hand, line.on_hand_value), "{policy} {line:?}");
        }
        assert!(valuation.postings().any(|line| line.reason == Some(Reason::ShortageCovered)));
    }
}

/// An estimate stands in the books at the end of every month, also of those in which nothing but other items moved; a date by mistake far
/// in the future ends that after twenty years.
#[test]
fn an_estimate_goes_out_and_in_while_other_items_move() {
    let borders = |day: i64| {
        let mut rows = movements(&format!("0 provisional_receipt 10 40; {day} receipt 1 5"));
        rows[1].item = "other".to_owned();
        let policy = Policy::from_yaml("provisional: month_start_reversal").unwrap();
        let valuation = value(&rows, &policy).unwrap();
        valuation.postings().filter(|line| line.reason == Some(Reason::Reestimated)).count()
    };
    // February to November of 1970; the estimate of December is made again on the last day, which is after the last movement.
    assert_eq!(borders(340), 10);
    assert!(borders(2_900_000) < 250);
}

/// A day in seven thousand years has no more borders of months than one of next year, and the same stock.
#[test]
fn a_day_far_in_the_future_costs_no_more_than_a_near_one() {
    for method in ["moving_average", "periodic_average", "fifo", "standard"] {
        let policy = format!("{{method: {method}, standard_cost: '4', provisional: month_start_reversal}}");
        let moves: Vec<String> =
            (0..500).map(|day| format!("{} provisional_receipt 10 40", day / 9)).collect();
        let valuation = run(&policy, &format!("{}; 60 issue 7; 61 settlement 4 20 m3", moves.join("; ")));
        let stock = |day: &str| {
            let layers = valuation.layers_as_of(day.parse().unwrap()).unwrap();
            layers.iter().fold((0, 0), |sum, layer| (sum.0 + layer.quantity, sum.1 + layer.value))
        };
        for day in ["15", "30"] {
            assert_eq!(stock(&format!("1971-06-{day}")), stock(&format!("9000-06-{day}")), "{policy}");
        }
        assert_ne!(stock("9000-06-15"), stock("9000-06-30"), "{policy}");
    }
}
