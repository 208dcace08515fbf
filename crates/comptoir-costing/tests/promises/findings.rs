//! Small histories with numbers worked out by hand, each about one thing that random histories brought up.

use comptoir_costing::movement::Kind;
use comptoir_costing::{Movement, Policy, value};
use comptoir_types::Date;

use crate::books::{Books, books};
use crate::histories::DAY;

/// `kind quantity amount ref lot` per movement, one a day, `-` for what is absent; ids are m0, m1, ...
fn run(policy: &str, moves: &str) -> Books {
    books(&movements(moves), &Policy::from_yaml(policy).unwrap())
}

fn movements(moves: &str) -> Vec<Movement> {
    (0_i64..)
        .zip(moves.split(';'))
        .map(|(day, text)| {
            let mut words = text.split_whitespace().map(|word| Some(word).filter(|word| *word != "-"));
            let kind = Kind::from_name(words.next().flatten().unwrap()).unwrap();
            let mut next = || words.next().flatten();
            let number = |word: Option<&str>| word.map(|word| word.parse().unwrap());
            let quantity = number(next());
            let amount = number(next());
            let reference = next().map(str::to_owned);
            let lot = next().map(str::to_owned);
            Movement {
                amount,
                reference,
                lot,
                ..Movement::new(format!("m{day}"), "mug", day * DAY, kind, quantity)
            }
        })
        .collect()
}

fn values(books: &Books) -> Vec<i64> {
    books.lines.iter().map(|line| line.value).collect()
}

fn closing(books: &Books) -> (i64, i64) {
    *books.balances.values().next().unwrap()
}

/// Quantity and value of the layers, oldest first.
fn layers(books: &Books) -> Vec<(i64, i64)> {
    books.layers.values().flatten().map(|layer| (layer.1, layer.2)).collect()
}

/// 10 for 120.00, of which 20.00 came late and is taken back: 100.00 remain.
#[test]
fn a_replayed_cost_can_be_reversed() {
    let books = run("late_cost: replay", "receipt 10 100; cost_adjustment - 20 m0; reversal - - m1");
    assert_eq!(closing(&books), (10, 10_000), "{books:?}");
}

/// 20.00 on the first receipt and back: both layers are worth 100.00 again.
#[test]
fn an_adjustment_of_one_layer_is_taken_back_from_that_layer() {
    let moves = "receipt 10 100; receipt 10 100; cost_adjustment - 20 m0; reversal - - m2";
    let books = run("{method: fifo, late_cost: prospective}", moves);
    assert_eq!(layers(&books), [(10, 10_000), (10, 10_000)]);
}

/// 11 for 110.00 cost 10.00 each, whatever the unit before that left without being there had cost: 2 go back for 20.00.
#[test]
fn a_return_at_original_cost_does_not_carry_the_variance_of_a_shortage() {
    let policy = "{negative: variance, fallback_cost: '100'}";
    let books = run(policy, "issue 1; receipt 11 110; purchase_return 2 - m1");
    assert_eq!(values(&books), [-10_000, 20_000, -2_000]);
}

/// The stock is counted away, but its cost of 10.00 is known: 5 leave at 50.00.
#[test]
fn a_count_to_zero_keeps_the_last_cost() {
    for count in ["count 0", "count 0 0"] {
        let books = run("negative: carry", &format!("receipt 10 100; {count}; issue 5"));
        assert_eq!(closing(&books), (-5, -5_000), "{count}");
    }
}

/// An issue would take 5 of the layer at 10.00: what comes back at current cost comes back at that.
#[test]
fn a_sales_return_at_current_cost_gets_what_an_issue_would_take() {
    let policy = "{method: fifo, returns: current_cost}";
    let books = run(policy, "receipt 10 100; receipt 10 200; issue 5; sales_return 5 - m2");
    assert_eq!(values(&books), [10_000, 20_000, -5_000, 5_000]);
}

/// A return that was entered wrongly and reversed leaves the receipt free to be returned.
#[test]
fn a_reversed_return_can_be_made_again() {
    let back = run("{}", "receipt 10 100; purchase_return 10 - m0; reversal - - m1; purchase_return 10 - m0");
    assert_eq!(closing(&back), (0, 0), "{:?}", back.rejected);
    let sold = run("{}", "receipt 9 90; issue 9; sales_return 9 - m1; reversal - - m2; sales_return 9 - m1");
    assert_eq!(closing(&sold), (9, 9_000), "{:?}", sold.rejected);
}

/// 12 receipts of 9 000 000 000 000 000.00 are more than 18 digits hold: the last ones are rejected, nothing overflows.
#[test]
fn a_month_of_huge_receipts_is_rejected_in_part() {
    let moves = ["receipt 1 9000000000000000"; 12].join(";");
    let books = run("method: periodic_average", &moves);
    assert!(closing(&books).1 < 10_i64.pow(18));
    assert!(books.rejected.values().all(|code| *code == "COSTING_OVERFLOW"));
}

/// Only m0 and what needs it is rejected: m1 refers to a movement that never was.
#[test]
fn what_refers_to_a_rejected_movement_is_rejected() {
    let books = run("{}", "receipt 0 1; cost_adjustment - 1 m0");
    let expected = [("m0", "COSTING_QUANTITY_SIGN"), ("m1", "COSTING_REFERENCE_REJECTED")];
    assert_eq!(books.rejected, expected.map(|(id, code)| (id.to_owned(), code)).into());
    assert!(books.lines.is_empty(), "{:?}", books.lines);
}

/// m1 refers to a rejected movement; m2 is of its group and falls with it.
#[test]
fn a_group_falls_with_a_member_that_refers_to_a_rejected_movement() {
    let mut history = movements("receipt 0 1; sales_return 1 1 m3; receipt 1 1; issue 0");
    history[1].at = 4 * DAY;
    for place in [1, 2] {
        history[place].group = Some("g".to_owned());
    }
    let books = books(&history, &Policy::default());
    assert_eq!(books.rejected.get("m2"), Some(&"COSTING_GROUP_REJECTED"), "{:?}", books.rejected);
}

/// The cent that rounding leaves over goes to the same lot, whichever lot stands first in the input.
#[test]
fn lots_are_revalued_in_an_order_of_their_own() {
    let mut history = movements("receipt 1 0; receipt 125 313; revaluation - -");
    history[2].unit_cost = "0.0003".parse().ok();
    for (row, lot) in history.iter_mut().zip(["a", "b", "a"]) {
        row.lot = Some(lot.to_owned());
    }
    let policy = Policy::from_yaml("{method: specific, rounding: floor}").unwrap();
    let mut other = history.clone();
    other.rotate_left(1);
    assert_eq!(books(&history, &policy).layers, books(&other, &policy).layers);
}

/// What comes back has the lot with which it left, not that of the movement that took it.
#[test]
fn a_reversal_puts_back_the_lots_that_left() {
    let mut history = movements("receipt 12 12; count_loss 1; reversal - - m1");
    history[0].lot = Some("a".to_owned());
    history[1].lot = Some("b".to_owned());
    let policy = Policy::from_yaml("method: fifo").unwrap();
    assert_eq!(layers(&books(&history, &policy)), [(12, 1_200)]);
    // A layer that had gone as a whole, too.
    history[1].quantity = history[0].quantity;
    let valuation = value(&history, &policy).unwrap();
    let lots: Vec<u32> = valuation.layers().iter().map(|layer| layer.lot).collect();
    assert_eq!(lots, [valuation.layers_as_of(Date::EPOCH).unwrap()[0].lot]);
}

/// 3 single units are booked at 0.01 each, 2 at 0.03; without the 2 the stock is worth 0.03 again.
#[test]
fn a_reversed_receipt_leaves_standard_values_as_they_were() {
    let policy = "{method: standard, standard_cost: '0.014'}";
    let books = run(policy, "receipt 1 1; receipt 1 1; receipt 1 1; receipt 2 2; reversal - - m3");
    assert_eq!(closing(&books), (3, 3));
}

/// 2 are there for 8 000 000 000 000 000.00 and 3 more leave at that cost: together they exceed 18 digits.
#[test]
fn an_issue_of_more_than_eighteen_digits_is_rejected() {
    let books = run("negative: carry", "receipt 2 8000000000000000; issue 3");
    assert_eq!(books.rejected.get("m1"), Some(&"COSTING_OVERFLOW"), "{:?}", values(&books));
}

/// The issue of 1 needs the return of another that is refused: nothing is there, both are refused.
#[test]
fn a_refused_return_brings_nothing_to_its_month() {
    let books = run("method: periodic_average", "issue 1; issue 1; sales_return 1 1 m1");
    assert_eq!(closing(&books), (0, 0), "{:?}", books.rejected);
}

/// A count that does not fit is rejected and changes nothing: 1 of either lot is there.
#[test]
fn a_rejected_count_of_a_lot_changes_nothing() {
    let moves = "receipt 1 8000000000000000 - a; receipt 1 1 - b; count 1 9000000000000000 - b";
    let books = run("method: specific", moves);
    assert_eq!(books.rejected.get("m2"), Some(&"COSTING_OVERFLOW"));
    assert_eq!(closing(&books), (2, 800_000_000_000_000_100));
}

/// 1 of 2 for 0.07 leaves and comes back: 0.07 are there, whichever way a half cent goes.
#[test]
fn an_issue_reversed_in_its_month_leaves_the_month_as_it_was() {
    for rounding in ["half_even", "floor", "ceiling"] {
        let policy = format!("{{method: periodic_average, rounding: {rounding}}}");
        let books = run(&policy, "receipt 2 0.07; issue 1; reversal - - m1");
        assert_eq!(closing(&books), (2, 7), "{rounding}");
    }
}

/// 10 at 10.00 are revalued to 9.00 and back: 100.00.
#[test]
fn a_revaluation_of_standard_cost_can_be_reversed() {
    let moves = "receipt 10 100; revaluation - 90; reversal - - m1";
    let books = run("{method: standard, standard_cost: '10'}", moves);
    assert_eq!(closing(&books), (10, 10_000));
}

/// The estimate of 100.00 left at the start of February; the 20.00 that come late find no stock.
#[test]
fn a_late_cost_after_a_month_start_leaves_no_value_without_stock() {
    let mut history = movements("provisional_receipt 10 100; cost_adjustment - 20 m0");
    history[1].at = 40 * DAY;
    let policy = Policy::from_yaml("{provisional: month_start_reversal, late_cost: replay}").unwrap();
    let books = books(&history, &policy);
    let last = books.lines.last().unwrap();
    let sum: i64 = values(&books).iter().sum();
    assert_eq!((sum, last.on_hand_value, closing(&books)), (0, 0, (0, 0)), "{:?}", values(&books));
}

/// The opening of -1 lies beside one of 1: the layers of the day add up to the nothing that is there.
#[test]
fn layers_of_a_month_with_a_negative_opening_add_up() {
    let history = movements("opening 1 1; opening -1 -1");
    let valuation = value(&history, &Policy::from_yaml("method: periodic_average").unwrap()).unwrap();
    let layers = valuation.layers_as_of(Date::EPOCH.add_days(1).unwrap()).unwrap();
    let there: i64 = layers.iter().map(|layer| layer.quantity).sum();
    assert_eq!(there, valuation.balances()[0].quantity);
}

/// The unit that cost 5.00 left and came back; taken back, it is gone, and the one found at 1.00 is still there.
#[test]
fn an_arrival_where_it_left_from_can_be_reversed() {
    let moves = "receipt 1 5; transfer_out 1; count_gain 1 1; transfer_in 1 - m1; reversal - - m3";
    let books = run("method: lifo", moves);
    assert_eq!(layers(&books), [(1, 100)]);
}

/// 100.00, amended to 110.00, and 20.00 that come late: 130.00, in the lines as in the balance.
#[test]
fn a_late_cost_after_an_appended_amendment_adds_up() {
    let moves = "receipt 10 100; amendment 10 110 m0; cost_adjustment - 20 m0";
    let books = run("{amendment: append, late_cost: replay}", moves);
    assert_eq!(
        (closing(&books), values(&books).iter().sum()),
        ((10, 13_000), 13_000),
        "{:?}",
        values(&books)
    );
}

/// 9 issued of 10 estimated at 100.00 and invoiced at 10.00 were in truth 1: the 90.00 that remain are taken off as a whole.
#[test]
fn an_amendment_before_a_settlement_adds_up() {
    let moves = "provisional_receipt 10 100; issue 9; settlement - 10 m0; amendment 1 - m1";
    let books = run("{method: fifo, late_cost: prospective}", moves);
    assert_eq!((closing(&books), values(&books).iter().sum()), ((9, 0), 0), "{:?}", values(&books));
}

/// 1 at -8.00 is there, the shortage of 10.00 less the receipt of 2.00: -8.00 leave and -8.00 arrive.
#[test]
fn a_negative_value_arrives_as_it_left() {
    let policy = "{scope: item, negative: carry, fallback_cost: '10'}";
    for back in
        ["transfer_out 1; transfer_in 1 - m2", "issue 1; sales_return 1 - m2", "issue 1; reversal - - m2"]
    {
        let books = run(policy, &format!("issue 1; receipt 2 2; {back}"));
        assert_eq!(closing(&books), (1, -800), "{back}");
    }
}

/// The shortage of 1 is covered: nothing is there, and nothing is what it is worth.
#[test]
fn a_revalued_shortage_is_worth_nothing_once_covered() {
    let books = run("negative: cover", "issue 1; revaluation - 5; receipt 1 3");
    assert_eq!(closing(&books), (0, 0), "{:?}", values(&books));
}

/// The receipt would value the 12 that are still short beyond 18 digits: it is rejected and changes nothing.
#[test]
fn a_rejected_receipt_covers_no_shortage() {
    let policy = "{negative: cover, shortage_cost: latest_receipt}";
    let books = run(policy, "issue 14; receipt 2 1818181818181818.19; receipt 14 14");
    assert_eq!(books.rejected.get("m1"), Some(&"COSTING_OVERFLOW"));
    assert_eq!(closing(&books), (0, 0), "{:?}", values(&books));
}

/// A cost that was taken back does not stand in the way of the next one: 100.00 and 5.00.
#[test]
fn a_late_cost_after_a_reversed_one_is_accepted() {
    let moves = "receipt 10 100; cost_adjustment - 20 m0; reversal - - m1; cost_adjustment - 5 m0";
    let books = run("late_cost: replay", moves);
    assert_eq!(closing(&books), (10, 10_500), "{:?}", books.rejected);
}

/// Two movements that take each other back are refused, and the way from one to the other ends.
#[test]
fn movements_that_refer_to_each_other_are_refused() {
    let books = run("{}", "receipt 1 1; cost_adjustment - 1 m2; reversal - - m1; reversal - - m2");
    assert_eq!(books.rejected.len(), 3, "{:?}", books.rejected);
    assert_eq!(closing(&books), (1, 100));
}

/// On one day 4 leave, 2 of them come back and 1 of those goes again: each stands behind what it refers to, though returns come first. The
/// 2 that are there are not enough for the second issue.
#[test]
fn a_return_on_the_day_of_its_issue_stands_behind_it() {
    let mut history = movements("receipt 5 20; issue 4; issue 3; sales_return 2 - m1; reversal 1 - m3");
    for row in &mut history[1..] {
        row.at = DAY;
    }
    for turn in 0..history.len() {
        history.rotate_left(turn);
        let books = books(&history, &Policy::from_yaml("ties: receipts_first").unwrap());
        let ids: Vec<&str> = books.lines.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(ids, ["m0", "m1", "m3", "m4"], "{:?}", books.rejected);
        assert_eq!(books.rejected, [("m2".to_owned(), "COSTING_NEGATIVE_STOCK")].into());
    }
}

/// 10 at 4.00 and 5 at 10.00 keep their costs: 12 of them leave for 60.00 oldest first, for 78.00 newest first.
#[test]
fn between_fifo_and_lifo_the_layers_stay() {
    let moves = "receipt 10 40; receipt 5 50; issue 12";
    let switched = |before: &str, after: &str| {
        let switch = format!("{{from: '1970-01-03', method: {after}}}");
        run(&format!("{{method: {before}, switch: {switch}}}"), moves)
    };
    let books = switched("lifo", "fifo");
    assert_eq!((values(&books), layers(&books)), (vec![4_000, 5_000, -6_000], vec![(3, 3_000)]));
    let books = switched("fifo", "lifo");
    assert_eq!((values(&books), layers(&books)), (vec![4_000, 5_000, -7_800], vec![(3, 1_200)]));
}
