//! Small histories through the whole batch call, with numbers worked out by hand.

use comptoir_types::Decimal;

use crate::movement::Kind;
use crate::policy::Policy;
use crate::posting::Posting;
use crate::{Movement, Valuation, value};

fn decimal(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

/// `kind quantity amount ref` per movement, one a day; `-` for what is absent. Ids are m0, m1, ...
fn run(policy: &str, moves: &str) -> Valuation {
    let rows: Vec<Movement> = moves
        .split(';')
        .enumerate()
        .map(|(index, text)| {
            let mut parts = text.split_whitespace();
            let kind = Kind::from_name(parts.next().unwrap()).unwrap();
            let mut next = || parts.next().filter(|part| *part != "-");
            let (quantity, amount, reference) = (next(), next(), next());
            let (pool, lot) = (next(), next());
            let at = i64::try_from(index).unwrap() * 86_400_000_000;
            Movement {
                amount: amount.and_then(decimal),
                reference: reference.map(str::to_owned),
                pool: pool.map(str::to_owned),
                lot: lot.map(str::to_owned),
                ..Movement::new(format!("m{index:02}"), "mug", at, kind, quantity.and_then(decimal))
            }
        })
        .collect();
    value(&rows, &Policy::from_yaml(policy).unwrap()).unwrap()
}

fn values(valuation: &Valuation) -> Vec<i64> {
    valuation.postings().map(|posting| posting.value).collect()
}

fn closing(valuation: &Valuation) -> (i64, i64) {
    let balance = valuation.balances()[0];
    (balance.quantity, balance.value)
}

fn codes(valuation: &Valuation) -> Vec<(u32, &'static str)> {
    valuation.rejected().iter().map(|(row, fault)| (*row, fault.code.code())).collect()
}

/// Law: the running totals of every pool are the sums of its lines, and an empty stock is worth nothing.
fn assert_books(valuation: &Valuation) {
    let mut totals = std::collections::HashMap::new();
    for Posting { pool, quantity, value, on_hand, on_hand_value, .. } in valuation.postings() {
        let (qty, worth) = totals.entry(pool).or_insert((0, 0));
        *qty += quantity;
        *worth += value;
        assert_eq!((*qty, *worth), (on_hand, on_hand_value));
    }
}

#[test]
fn moving_average_sweeps_the_residual() {
    let valuation = run("{}", "receipt 2 2.00; receipt 1 1.01; issue 1; issue 2");
    assert_eq!(values(&valuation), [200, 101, -100, -201]);
    assert_eq!(closing(&valuation), (0, 0));
    assert_books(&valuation);
}

#[test]
fn fifo_textbook_case() {
    let moves = "receipt 68 1020; receipt 140 2170; issue 94; receipt 40 640; receipt 78 1287; issue 116; issue 62; issue 10";
    let valuation = run("method: fifo", moves);
    assert_eq!(
        values(&valuation),
        [102_000, 217_000, -142_300, 64_000, 128_700, -179_900, -100_400, -16_500]
    );
    assert_eq!(closing(&valuation), (44, 72_600));
    let layers: Vec<_> = valuation.layers().iter().map(|layer| (layer.quantity, layer.value)).collect();
    assert_eq!(layers, [(44, 72_600)]);
    assert_books(&valuation);
}

#[test]
fn lifo_takes_the_newest() {
    let valuation = run("method: lifo", "receipt 2 4; receipt 3 9; receipt 5 25; issue 7");
    assert_eq!(values(&valuation)[3], -3100);
    assert_eq!(closing(&valuation), (3, 700));
}

#[test]
fn shortage_is_covered_by_the_next_receipt() {
    let valuation =
        run("{method: fifo, negative: cover}", "receipt 10 100; issue 15; issue 5; receipt 15 225");
    let after: Vec<_> = valuation.postings().map(|posting| posting.on_hand_value).collect();
    assert_eq!(after, [10_000, -5_000, -10_000, 12_500, 10_000, 7_500]);
    assert_eq!(closing(&valuation), (5, 7_500));
    assert_books(&valuation);
}

#[test]
fn shortage_keeps_its_rate_until_covered() {
    let valuation = run("{method: fifo, negative: variance}", "opening -5 -500; receipt 1 10");
    assert_eq!(closing(&valuation), (-4, -40_000));
    let receipt = valuation.postings().nth(1).unwrap();
    assert_eq!((receipt.value, receipt.variance), (10_000, -9_000));
    assert_books(&valuation);
}

#[test]
fn reject_refuses_and_says_what_there_was() {
    let valuation = run("{}", "receipt 2 2; issue 3; issue 2");
    assert_eq!(codes(&valuation), [(1, "COSTING_NEGATIVE_STOCK")]);
    assert_eq!(valuation.rejected()[0].1.message(Some(Kind::Issue), 0), "issue of 3 exceeds the 2 on hand");
    assert_eq!(closing(&valuation), (0, 0));
}

#[test]
fn landed_cost_replays_issues_and_returns() {
    for method in ["fifo", "moving_average"] {
        let policy = format!("{{method: {method}, late_cost: replay}}");
        let moves = "receipt 5 500; issue 5; sales_return 2 - m01; cost_adjustment - 50 m00";
        let valuation = run(&policy, moves);
        assert_eq!(values(&valuation), [50_000, -50_000, 20_000, 5_000, -5_000, 2_000]);
        assert_eq!(closing(&valuation), (2, 22_000));
        assert_books(&valuation);
    }
}

#[test]
fn stock_coverage_gives_the_rest_to_variance() {
    let moves = "opening 50 5000; cost_adjustment 30 -400; cost_adjustment 50 -100; cost_adjustment 60 -200";
    let valuation = run("late_cost: stock_coverage", moves);
    assert_eq!(values(&valuation), [500_000, -40_000, -10_000, -16_667]);
    let last = valuation.postings().last().unwrap();
    assert_eq!(last.variance, -3_333);
}

#[test]
fn reversal_restores_quantity_value_and_layers() {
    for method in ["fifo", "lifo", "moving_average"] {
        let moves = "receipt 3 10; receipt 4 20; issue 5; reversal - - m02";
        let valuation = run(&format!("method: {method}"), moves);
        assert_eq!(closing(&valuation), (7, 3_000), "{method}");
        if method != "moving_average" {
            let layers: Vec<_> =
                valuation.layers().iter().map(|layer| (layer.quantity, layer.value)).collect();
            assert_eq!(layers, [(3, 1_000), (4, 2_000)], "{method}");
        }
        assert_books(&valuation);
    }
}

#[test]
fn transfers_keep_value_and_layers() {
    let moves =
        "receipt 3 10 - a; receipt 4 20 - a; transfer_out 5 - - a; transfer_in 5 - m02 b; issue 3 - - b";
    let valuation = run("method: fifo", moves);
    assert_eq!(values(&valuation), [1_000, 2_000, -2_000, 2_000, -1_000]);
    let days: Vec<_> = valuation
        .layers()
        .iter()
        .map(|layer| (layer.pool, layer.at / 86_400_000_000, layer.quantity))
        .collect();
    assert_eq!(days, [(0, 1, 2), (1, 1, 2)]);
    assert_books(&valuation);
}

#[test]
fn amendment_keeps_its_place_or_stands_at_the_end() {
    let moves = "receipt 10 100; receipt 10 80; issue 3; amendment 12 - m00; issue 9; issue 20";
    let valuation = run("{method: fifo, negative: cover}", moves);
    assert_eq!(values(&valuation), [10_000, 8_000, -3_000, 2_000, -9_000, -16_000]);
    assert_eq!(closing(&valuation), (-10, -8_000));
    let appended = run(
        "{method: fifo, amendment: append}",
        "receipt 20 200; issue 10; receipt 20 300; amendment 25 - m01",
    );
    assert_eq!(closing(&appended), (15, 22_500));
    assert_books(&valuation);
}

#[test]
fn counts_set_quantity_and_value() {
    let valuation = run("{}", "receipt 10 100; count 8; count 5 60; issue 5");
    assert_eq!(values(&valuation), [10_000, -2_000, -2_000, -6_000]);
    assert_books(&valuation);
}

#[test]
fn standard_cost_posts_variances() {
    let moves = "receipt 10 105; issue 4; revaluation - 90; issue 6";
    let valuation = run("{method: standard, standard_cost: '10'}", moves);
    assert_eq!(values(&valuation), [10_000, -4_000, 3_000, -9_000]);
    assert_eq!(valuation.postings().next().unwrap().variance, 500);
    assert_books(&valuation);
}

#[test]
fn periodic_average_gives_one_cost_a_month() {
    let moves = "receipt 10 100; issue 5; receipt 10 200; issue 10; issue 5";
    let valuation = run("method: periodic_average", moves);
    assert_eq!(values(&valuation), [10_000, -7_500, 20_000, -15_000, -7_500]);
    assert_eq!(closing(&valuation), (0, 0));
    assert_books(&valuation);
}

#[test]
fn provisional_receipts_settle_in_three_ways() {
    let moves = "provisional_receipt 10 100; issue 4; settlement - 120 m00";
    let difference = run("late_cost: prospective", moves);
    assert_eq!(values(&difference), [10_000, -4_000, 2_000]);
    let reversed = run("{late_cost: prospective, provisional: reverse_on_invoice}", moves);
    assert_eq!(values(&reversed), [10_000, -4_000, -10_000, 12_000]);
    let replayed = run("provisional: difference_on_invoice", moves);
    assert_eq!(values(&replayed), [10_000, -4_000, 2_000, -800]);
    for valuation in [difference, reversed, replayed] {
        assert_books(&valuation);
        assert_eq!(closing(&valuation).0, 6);
    }
}

#[test]
fn references_are_checked() {
    let moves = "receipt 1 1; reversal - - m00; reversal - - m01; sales_return 1 - m00; sales_return 1 - zz; settlement - 1";
    let expected = [
        (2, "COSTING_REVERSAL_OF_REVERSAL"),
        (3, "COSTING_REFERENCE_KIND"),
        (4, "COSTING_REFERENCE_UNKNOWN"),
        (5, "COSTING_REFERENCE_MISSING"),
    ];
    assert_eq!(codes(&run("{}", moves)), expected);
}

#[test]
fn lots_are_identified() {
    let moves = "receipt 1 10 - - a; receipt 8 160 - - b; issue 3 - - - b; issue 1";
    let valuation = run("method: specific", moves);
    assert_eq!(values(&valuation), [1_000, 16_000, -6_000]);
    assert_eq!(codes(&valuation), [(3, "COSTING_LOT_REQUIRED")]);
}

/// Nothing of any lot is left: what is found, or comes back, costs what left last, 4.00 a piece, as under layers without lots.
#[test]
fn what_left_last_of_a_lot_is_the_last_known_cost() {
    for (method, lot) in [("fifo", "-"), ("specific", "a")] {
        let policy = format!("{{method: {method}, returns: current_cost}}");
        for (kind, last) in [("count_gain", "issue 10 - -"), ("sales_return", "count 0 - -")] {
            let moves = format!("receipt 10 40 - - {lot}; {last} - {lot}; {kind} 2 - - - {lot}");
            assert_eq!(values(&run(&policy, &moves)), [4_000, -4_000, 800], "{policy} {moves}");
        }
    }
}

/// Goods that are found, or come back, stand at the standard cost of 4.20, which is always known: nothing differs from it.
#[test]
fn the_standard_cost_is_the_last_known_cost() {
    for returns in ["current_cost", "fifo_head"] {
        let policy =
            format!("{{method: standard, standard_cost: '4.20', fallback_cost: '9', returns: {returns}}}");
        for moves in ["count_gain 2", "count 2", "sales_return 2"] {
            let valuation = run(&policy, moves);
            assert_eq!(closing(&valuation), (2, 840), "{policy} {moves}");
            assert!(valuation.postings().all(|line| line.variance == 0), "{policy} {moves}");
        }
    }
}

/// An arrival without a lot is of the lot that left, whether its age is kept or starts again.
#[test]
fn a_lot_keeps_its_name_in_a_transfer() {
    for age in ["keep", "restart"] {
        let policy = format!("{{method: specific, transfer_age: {age}}}");
        let moves = "receipt 10 40 - p a; transfer_out 4 - - p a; transfer_in 4 - m01 q; issue 1 - - q a";
        let valuation = run(&policy, moves);
        assert_eq!(codes(&valuation), [], "{age}");
        assert_eq!(values(&valuation), [4_000, -1_600, 1_600, -400], "{age}");
    }
}

/// Of goods of two days the older ones are left when the method changes; what an earlier issue gives back joins them. Ageing says the same.
#[test]
fn the_layer_of_a_change_of_method_is_as_old_as_its_oldest_goods() {
    for method in ["moving_average", "standard"] {
        for to in ["fifo", "lifo"] {
            let policy = format!(
                "{{method: {method}, standard_cost: '4', negative: cover, switch: {{from: 1970-01-05, method: {to}}}}}"
            );
            let moves =
                "receipt 5 20; receipt 5 20; issue 6; count_gain 1 4; receipt 1 9; reversal 2 - m02; issue 5";
            let valuation = run(&policy, moves);
            let shown = |layers: &[crate::posting::OpenLayer]| -> Vec<(i64, i64, i64)> {
                layers.iter().map(|layer| (layer.at / 86_400_000_000, layer.quantity, layer.value)).collect()
            };
            let aged = valuation.layers_as_of("1970-01-07".parse().unwrap()).unwrap();
            assert!(!aged.is_empty(), "{policy}");
            assert_eq!(shown(valuation.layers()), shown(&aged), "{policy}");
            assert_eq!(
                shown(run(&policy, "receipt 5 20; issue 1; issue 1; issue 1; issue 1").layers()),
                [(0, 1, 400)]
            );
        }
    }
}

/// What was short at standard cost, which no shortage notes, is covered under the new method, and layers are worth what the stock is.
#[test]
fn a_receipt_covers_what_was_short_before_a_change_of_method() {
    for negative in ["cover", "variance"] {
        let policy = format!(
            "{{method: standard, standard_cost: '4', negative: {negative}, switch: {{from: 1970-01-02, method: fifo}}}}"
        );
        let valuation = run(&policy, "issue 2; issue 1; receipt 10 50");
        assert_books(&valuation);
        let layers: Vec<(i64, i64)> =
            valuation.layers().iter().map(|layer| (layer.quantity, layer.value)).collect();
        assert_eq!((closing(&valuation), layers), ((7, 3_500), vec![(7, 3_500)]), "{policy}");
    }
}

/// A receipt falls with a member of its group that comes later: it is in the stock of no day.
#[test]
fn ageing_leaves_out_what_is_rejected_for_a_later_reason() {
    for method in ["moving_average", "fifo", "periodic_average"] {
        let mut rows: Vec<Movement> =
            super::periodic::tests::movements("0 receipt 5 20; 1 receipt 2 8; 9 issue 90");
        for row in &mut rows[1..] {
            row.group = Some("g".to_owned());
        }
        let valuation = value(&rows, &Policy::from_yaml(&format!("method: {method}")).unwrap()).unwrap();
        let aged = valuation.layers_as_of("1970-01-05".parse().unwrap()).unwrap();
        assert_eq!(aged.iter().map(|layer| layer.quantity).sum::<i64>(), 5, "{method}");
    }
}

/// Of 10 at 18 digits one goes back for more than that: what is left and a new receipt age as their quantities do.
#[test]
fn ages_under_the_periodic_average_know_no_amounts() {
    let moves = "0 receipt 10 8209634946387571; 11 purchase_return 1 9999999999999999 m0; 80 receipt 1 9115053086611638";
    let rows = super::periodic::tests::movements(moves);
    let valuation = value(&rows, &Policy::from_yaml("method: periodic_average").unwrap()).unwrap();
    assert_eq!(valuation.rejected(), []);
    let aged = valuation.layers_as_of("1970-03-30".parse().unwrap()).unwrap();
    assert_eq!(aged.iter().map(|layer| layer.quantity).sum::<i64>(), closing(&valuation).0);
    assert_eq!(aged.iter().map(|layer| layer.value).sum::<i64>(), closing(&valuation).1);
}
