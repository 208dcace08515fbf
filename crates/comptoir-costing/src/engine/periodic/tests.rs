//! Months worked out by hand, and the laws that every month keeps.

use comptoir_types::Rounding;
use proptest::prelude::*;
use proptest::sample::select;

use crate::movement::Kind;
use crate::policy::{Method, Negative, Policy, ShortageCost};
use crate::posting::Posting;
use crate::{Movement, Valuation, value};

const DAY: i64 = 86_400_000_000;

/// `day kind quantity amount ref group item` per movement; day 0 is 1 January 1970, ids are m0, m1, ...
pub(in crate::engine) fn movements(moves: &str) -> Vec<Movement> {
    let movement = |(index, text): (usize, &str)| {
        let mut words = text.split_whitespace().map(|word| Some(word).filter(|word| *word != "-"));
        let mut next = || words.next().flatten();
        let day: i64 = next().unwrap().parse().unwrap();
        let kind = Kind::from_name(next().unwrap()).unwrap();
        let (quantity, amount) = (next(), next());
        let [quantity, amount] =
            [quantity, amount].map(|number| number.map(|number| number.parse().unwrap()));
        let reference = next().map(str::to_owned);
        let group = next().map(str::to_owned);
        let item = next().unwrap_or("mug");
        Movement {
            amount,
            reference,
            group,
            ..Movement::new(format!("m{index}"), item, day * DAY, kind, quantity)
        }
    };
    moves.split(';').enumerate().map(movement).collect()
}

pub(super) fn run(negative: &str, moves: &str) -> Valuation {
    run_with(&format!("negative: {negative}"), moves)
}

fn run_with(choices: &str, moves: &str) -> Valuation {
    let policy = Policy::from_yaml(&format!("{{method: periodic_average, {choices}}}")).unwrap();
    value(&movements(moves), &policy).unwrap()
}

/// Value, variance, quantity on hand and its value, by line.
pub(super) fn lines(valuation: &Valuation) -> Vec<[i64; 4]> {
    let numbers = |line: Posting| [line.value, line.variance, line.on_hand, line.on_hand_value];
    valuation.postings().map(numbers).collect()
}

/// January takes 62 of 1 at 10.00: 61 short for 610.00. February brings 83 at 5.00: the shortage is worth 305.00 now, and the other
/// 305.00 are variance on the receipt. Of the 22 left for 110.00, 78 leave at 5.00: 56 short for 280.00.
#[test]
fn a_month_that_opens_short_costs_what_it_brings() {
    let moves = "0 receipt 1 10; 4 count_loss 62; 31 receipt 83 415; 33 issue 78";
    for negative in ["cover", "variance"] {
        let expected = [
            [1_000, 0, 1, 1_000],
            [-62_000, 0, -61, -61_000],
            [72_000, -30_500, 22, 11_000],
            [-39_000, 0, -56, -28_000],
        ];
        assert_eq!(lines(&run(negative, moves)), expected, "{negative}");
    }
}

/// The plain arithmetic divides -195.00 by 22 and turns the sign of the issue: what `carry` asks for.
#[test]
fn carry_keeps_the_plain_arithmetic() {
    let moves = "0 receipt 1 10; 4 count_loss 62; 31 receipt 83 415; 33 issue 78";
    assert_eq!(lines(&run("carry", moves))[3], [69_136, 0, -56, 49_636]);
}

/// 2 at 7.00 come in for 10 short at 3.00: the 8 that stay short stand at 7.00 too, whatever `shortage_cost` says.
#[test]
fn a_shortage_that_is_not_covered_stands_at_the_new_cost() {
    let moves = "0 receipt 1 3; 1 issue 11; 31 receipt 2 14; 62 issue 1";
    for shortage_cost in ["kept", "latest_receipt"] {
        let valuation = run(&format!("variance, shortage_cost: {shortage_cost}"), moves);
        let expected = [[-2_600, 4_000, -8, -5_600], [-700, 0, -9, -6_300]];
        assert_eq!(lines(&valuation)[2..], expected, "{shortage_cost}");
    }
}

/// Nothing comes in: what leaves has the last cost, 3.00.
#[test]
fn the_last_cost_holds_without_receipts() {
    let moves = "0 receipt 1 3; 1 issue 2; 31 issue 4; 62 count_gain 1";
    let expected = [[300, 0, 1, 300], [-600, 0, -1, -300], [-1_200, 0, -5, -1_500], [300, 0, -4, -1_200]];
    assert_eq!(lines(&run("variance", moves)), expected);
}

/// 5 short for 50.00 are brought from another system: 1 more leaves at 10.00, and 6 at 4.00 end the shortage.
#[test]
fn a_shortage_may_come_with_the_opening() {
    let apart = "0 opening -5 -50; 31 issue 1; 62 receipt 6 24";
    assert_eq!(lines(&run("variance", apart))[1..], [[-1_000, 0, -6, -6_000], [6_000, -3_600, 0, 0]]);
    let together = "0 opening -5 -50; 3 receipt 6 24; 4 issue 1";
    assert_eq!(lines(&run("variance", together))[1..], [[5_400, -3_000, 1, 400], [-400, 0, 0, 0]]);
}

/// 6 at 10.00 are there; 5 go back at their own 20.00. What remains cannot be worth less than nothing: 40.00 are variance.
#[test]
fn value_without_stock_is_variance() {
    let moves = "0 receipt 5 100; 0 receipt 20 150; 5 issue 19; 31 purchase_return 5 - m0; 35 issue 1";
    assert_eq!(lines(&run("variance", moves))[3..], [[-6_000, -4_000, 1, 0], [0, 0, 0, 0]]);
    let adjusted = "0 receipt 5 50; 3 cost_adjustment - -80; 4 issue 2";
    assert_eq!(lines(&run("cover", adjusted))[1..], [[-5_000, -3_000, 5, 0], [0, 0, 3, 0]]);
}

/// The receipt that carries the variance goes back at what it cost.
#[test]
fn a_receipt_that_settled_a_shortage_goes_back_at_its_amount() {
    let moves = "0 receipt 1 3; 1 issue 11; 31 receipt 20 140; 62 reversal - - m2";
    let line = lines(&run("variance", moves))[3];
    assert_eq!(line[0] + line[1], -14_000);
}

/// 12 receipts of 9 000 000 000 000 000.00 are more than 18 digits hold.
#[test]
fn a_month_too_large_for_its_sum_is_rejected_in_part() {
    let valuation = run("reject", &["0 receipt 1 9000000000000000"; 12].join(";"));
    assert_eq!(valuation.balances()[0].value, 900_000_000_000_000_000);
    let codes: Vec<&str> = valuation.rejected().iter().map(|(_, fault)| fault.code.code()).collect();
    assert_eq!(codes, ["COSTING_OVERFLOW"; 11]);
}

/// A month's cost is known at its end: what says what the stock of a day is worth is refused, with the code that says so.
#[test]
fn what_needs_the_cost_of_a_day_is_refused() {
    let valuation = run("reject", "0 receipt 10 100; 1 revaluation - 50; 2 count 5 20");
    let codes: Vec<(u32, &str)> =
        valuation.rejected().iter().map(|(row, fault)| (*row, fault.code.code())).collect();
    assert_eq!(codes, [1, 2].map(|row| (row, "COSTING_NOT_WITH_PERIODIC")));
    assert_eq!(valuation.balances()[0].value, 10_000);
}

/// Code by row of what is rejected.
fn codes(valuation: &Valuation) -> Vec<(u32, &'static str)> {
    valuation.rejected().iter().map(|(row, fault)| (*row, fault.code.code())).collect()
}

/// Value by line.
fn values(valuation: &Valuation) -> Vec<i64> {
    lines(valuation).iter().map(|line| line[0]).collect()
}

/// 10 should have cost 120.00: the month's cost is 12.00, also for what left before the amendment.
#[test]
fn an_amended_receipt_changes_the_cost_of_its_month() {
    let valuation = run("reject", "0 receipt 10 100; 4 issue 4; 5 amendment - 120 m0");
    assert_eq!(lines(&valuation), [[10_000, 0, 10, 10_000], [-4_800, 0, 6, 5_200], [2_000, 0, 6, 7_200]]);
}

/// 6 left and not 4, in three parts of 3.3333: what has the month's cost has it for the amended quantity.
#[test]
fn an_amended_issue_has_the_cost_of_its_month() {
    let valuation = run("reject", "0 receipt 9 30; 4 issue 4; 5 amendment 6 - m1; 6 amendment 5 - m1");
    assert_eq!(values(&valuation), [3_000, -1_333, -667, 333]);
    let back = run("reject", "0 receipt 9 30; 4 issue 4; 5 amendment 6 - m1; 6 sales_return 6 - m1");
    assert_eq!(values(&back), [3_000, -1_333, -667, 2_000]);
}

/// 2 more left in January at its 10.00: 4 for 40.00 and 10 for 200.00 make 17.1429 in February, as they would have.
#[test]
fn a_finished_month_is_amended_in_that_of_the_amendment() {
    let moves = "0 receipt 10 100; 4 issue 4; 31 receipt 10 200; 33 amendment 6 - m1; 34 issue 7";
    let right = "0 receipt 10 100; 4 issue 6; 31 receipt 10 200; 34 issue 7";
    let (valuation, right) = (run("reject", moves), run("reject", right));
    assert_eq!(values(&valuation), [10_000, -4_000, 20_000, -2_000, -12_000]);
    assert_eq!(valuation.balances(), right.balances());
    let receipt =
        "0 receipt 10 100; 4 issue 5; 31 amendment 12 144 m0; 32 issue 2; 62 purchase_return 2 - m0";
    assert_eq!(values(&run("reject", receipt)), [10_000, -5_000, 4_400, -2_686, -2_400]);
}

/// Under `keep_place` the count of 12 finds 12; under `append` it finds 2 too many, and the difference comes on top.
#[test]
fn a_count_finds_an_amended_quantity_in_its_place() {
    let moves = "0 receipt 10 100; 4 count 12; 5 amendment 12 - m0";
    let kept = run_with("amendment: keep_place", moves);
    assert_eq!(lines(&kept), [[10_000, 0, 10, 10_000], [0, 0, 10, 10_000], [2_000, 0, 12, 12_000]]);
    let appended = run_with("amendment: append", moves);
    assert_eq!(lines(&appended), [[10_000, 0, 10, 10_000], [2_000, 0, 12, 12_000], [2_000, 0, 14, 14_000]]);
    let undone = "0 receipt 10 100; 4 count 12; 5 reversal - - m1; 6 amendment 12 - m0";
    assert_eq!(codes(&run_with("amendment: keep_place", undone)), [(3, "COSTING_REPLAY_FAILED")]);
}

/// Goods found get a cost of their own by an amendment: 10 for 100.00 and 2 for 50.00.
#[test]
fn an_amount_takes_goods_out_of_the_cost_of_the_month() {
    let moves = "0 receipt 10 100; 4 count_gain 1; 5 amendment 2 - m1; 6 amendment 2 50 m1; 7 issue 6";
    assert_eq!(values(&run("reject", moves)), [10_000, 5_000, 0, 0, -7_500]);
}

/// A return that names its origin, an estimate with an invoice, less than came back, an issue as it was.
#[test]
fn what_cannot_be_amended_is_refused() {
    let moves = "0 receipt 10 100; 1 issue 5; 2 sales_return 2 - m1; 3 amendment 1 - m2; 4 amendment 1 - m1; \
        5 amendment 5 - m1; 6 provisional_receipt 2 8; 7 settlement 1 5 m6; 8 amendment 3 - m6";
    let expected = [
        (3, "COSTING_NOT_WITH_PERIODIC"),
        (4, "COSTING_REFERENCE_EXCEEDED"),
        (5, "COSTING_QUANTITY_SIGN"),
        (8, "COSTING_NOT_WITH_PERIODIC"),
    ];
    assert_eq!(codes(&run("reject", moves)), expected);
}

/// An estimate of 10 for 100.00 is one of 12 for 130.00: amended while it stands in the books, or while it is taken back.
#[test]
fn an_amended_estimate_is_a_new_one() {
    for amended in [20, 33] {
        let moves =
            format!("0 provisional_receipt 10 100; {amended} amendment 12 130 m0; 62 settlement - 120 m0");
        let valuation = run_with("provisional: month_start_reversal", &moves);
        let balance = valuation.balances()[0];
        assert_eq!((balance.quantity, balance.value), (12, 12_000), "{:?}", lines(&valuation));
        let date = comptoir_types::Date::from_days(61).unwrap();
        let layers = valuation.layers_as_of(date).unwrap();
        assert_eq!(layers.iter().map(|layer| layer.quantity).sum::<i64>(), 0, "taken back");
    }
}

/// Flour costs 6.00 in its month, though it cost 4.00 when it was used: two breads share 30.00.
#[test]
fn production_takes_the_month_s_cost_of_what_it_used() {
    let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 1 - - b bread; \
        3 production_receipt 2 - - b roll; 4 receipt 10 80 - - flour; 5 issue 1 - - - roll";
    assert_eq!(values(&run("reject", moves)), [4_000, -3_000, 1_000, 2_000, 8_000, -1_000]);
    let amended = format!("{moves}; 6 amendment 6 - m1 - flour; 7 amendment 4 - m3 - roll");
    for (way, used) in [("keep_place", 3_600), ("append", 3_000)] {
        let shown = values(&run_with(&format!("amendment: {way}"), &amended));
        let roll = used * 2 / 3;
        assert_eq!(shown, [4_000, -3_000, used / 3, roll, 8_000, -roll / 4, -600, 0], "{way}");
    }
}

/// A group over two months: bread takes January's cost of flour in February, and what February adds.
#[test]
fn production_may_take_months() {
    let moves = "0 receipt 10 40 - - flour; 1 production_issue 5 - - b flour; 2 production_receipt 1 - - b bread; \
        31 receipt 5 80 - - flour; 32 production_issue 5 - - b flour; 33 production_receipt 3 - - b bread";
    assert_eq!(values(&run("reject", moves)), [4_000, -2_000, 500, 8_000, -5_000, 6_500]);
}

/// 4 are made into 3 of the same item: a circle, cut at what is known without it, 10.00.
#[test]
fn an_item_may_be_made_of_itself() {
    let moves = "0 receipt 10 100; 1 production_issue 4 - - b; 2 production_receipt 3 - - b; 31 issue 9";
    assert_eq!(values(&run("reject", moves)), [10_000, -4_000, 4_000, -10_000]);
}

/// Bread waits for flour, which is made of itself: the circle is cut there, and bread gets the month's cost of flour, 11.1111.
#[test]
fn a_circle_is_cut_where_it_is() {
    let moves = "0 receipt 1 1 - - bread; 1 production_receipt 1 0 - - bread; 1 receipt 10 100 - - flour; \
        2 production_issue 4 - - b flour; 3 production_receipt 3 - - b flour; 4 production_issue 3 - - d flour; \
        5 production_receipt 1 - - d bread";
    assert_eq!(values(&run("reject", moves)), [100, 0, 10_000, -4_000, 4_000, -3_333, 3_333]);
}

/// 2 of 3 at 0.0333 leave for 0.07 and come back one by one: for 0.07.
#[test]
fn what_comes_back_in_its_month_is_worth_what_left() {
    let moves = "0 receipt 3 0.10; 1 issue 2; 2 sales_return 1 - m1; 3 reversal - - m1";
    let shown: Vec<i64> = lines(&run("reject", moves)).iter().map(|line| line[0]).collect();
    assert_eq!(shown[1] + shown[2] + shown[3], 0, "{shown:?}");
}

/// The kind to which a kind refers here.
const fn target(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::SalesReturn => Some(Kind::Issue),
        Kind::PurchaseReturn | Kind::Reversal => Some(Kind::Receipt),
        Kind::TransferIn => Some(Kind::TransferOut),
        Kind::Settlement => Some(Kind::ProvisionalReceipt),
        _ => None,
    }
}

/// One movement: what refers to nothing yet is a receipt instead.
fn movement(history: &[Movement], kind: Kind, qty: i64, cents: i64, pick: prop::sample::Index) -> Movement {
    let targets = history.iter().filter(|row| Some(row.kind) == target(kind));
    let targets: Vec<&str> = targets.map(|row| row.id.as_str()).collect();
    let kind = if target(kind).is_some() && targets.is_empty() { Kind::Receipt } else { kind };
    let reference = target(kind).map(|_| targets[pick.index(targets.len())].to_owned());
    let signed = matches!(kind, Kind::Opening | Kind::CostAdjustment);
    let quantity = if kind == Kind::Opening { qty * cents.signum() } else { qty };
    let has_amount = kind.needs_amount() || (kind == Kind::CountGain && cents % 2 == 0);
    let amount = comptoir_types::Decimal::new(if signed { cents } else { cents.abs() }, 2).unwrap();
    Movement {
        reference,
        amount: has_amount.then_some(amount),
        ..Movement::new(
            format!("m{:02}", history.len()),
            "mug",
            0,
            kind,
            kind.needs_quantity().then(|| quantity.to_string().parse().unwrap()),
        )
    }
}

/// Kinds of the random histories.
const KINDS: [Kind; 15] = [
    Kind::Receipt,
    Kind::Receipt,
    Kind::Issue,
    Kind::Issue,
    Kind::CountLoss,
    Kind::CountGain,
    Kind::Opening,
    Kind::CostAdjustment,
    Kind::PurchaseReturn,
    Kind::SalesReturn,
    Kind::TransferOut,
    Kind::TransferIn,
    Kind::ProvisionalReceipt,
    Kind::Settlement,
    Kind::Reversal,
];

fn histories() -> impl Strategy<Value = Vec<Movement>> {
    let cents = (-3_000..9_000_i64).prop_filter("an opening balance has a sign", |cents| *cents != 0);
    let line = (select(&KINDS), 1..40_i64, cents, any::<prop::sample::Index>(), 0..9_i64, 0..2_u8);
    prop::collection::vec(line, 1..40).prop_map(|lines| {
        let (mut day, mut history) = (0, Vec::new());
        for (kind, qty, cents, pick, gap, pool) in lines {
            day += gap;
            let row = movement(&history, kind, qty, cents, pick);
            let follows = matches!(row.kind, Kind::Settlement | Kind::Reversal);
            let pool = (!follows).then(|| format!("p{pool}"));
            history.push(Movement { at: day * DAY, pool, ..row });
        }
        history
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let choices = (
        select(&[Negative::Cover, Negative::Variance]),
        select(&[ShortageCost::Kept, ShortageCost::LatestReceipt]),
        select(&["difference_on_invoice", "month_start_reversal"]),
        select(&[Rounding::HalfEven, Rounding::HalfUp, Rounding::Up, Rounding::Floor]),
    );
    choices.prop_map(|(negative, shortage_cost, provisional, rounding)| Policy {
        method: Method::PeriodicAverage,
        negative,
        shortage_cost,
        rounding,
        ..Policy::from_yaml(&format!("provisional: {provisional}")).unwrap()
    })
}

/// Kinds that take stock at the month's cost. What rounding leaves over may turn the sign of the last by a cent for each of them.
const AT_COST: [Kind; 3] = [Kind::Issue, Kind::CountLoss, Kind::TransferOut];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn months_keep_the_laws(history in histories(), policy in policies()) {
        let valuation = value(&history, &policy).unwrap();
        let lines: Vec<Posting> = valuation.postings().collect();
        let cents = i64::try_from(history.len()).unwrap();
        let mut totals = std::collections::BTreeMap::new();
        for line in &lines {
            let total: &mut (i64, i64) = totals.entry(line.pool).or_default();
            *total = (total.0 + line.quantity, total.1 + line.value);
            prop_assert_eq!(*total, (line.on_hand, line.on_hand_value), "{:?}", line);
            if AT_COST.contains(&line.kind) && line.reason.is_none() {
                prop_assert!(line.value <= cents, "{:?}", line);
            }
            let given = history[line.row as usize].amount;
            if matches!(line.kind, Kind::Receipt | Kind::ProvisionalReceipt | Kind::Opening | Kind::CostAdjustment)
                && line.reason.is_none()
            {
                prop_assert_eq!(Some(line.value + line.variance), given.map(|amount| amount.units()), "{:?}", line);
            }
        }
        for (pool, (qty, left)) in totals {
            prop_assert!(qty != 0 || left == 0, "pool {} holds {}", pool, left);
        }
    }
}
