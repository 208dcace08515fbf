use comptoir_types::{Clock, ErrorCode};
use proptest::prelude::*;

use super::super::samples::{correction, date, histories, posting};
use super::*;
use crate::movement::Reason;

const DAYS: Calendar = Calendar::utc(Clock::DAY);

fn spec(period: Period, quiet: Quiet) -> SummarySpec {
    SummarySpec { period, from: None, to: None, quiet }
}

fn day(text: &str) -> i64 {
    i64::from(date(text).days())
}

fn quarter() -> Vec<Posting> {
    let receipt = posting(2, 0, day("2024-03-05"), Kind::Receipt, 10, 130);
    vec![
        posting(0, 0, day("2024-01-10"), Kind::Opening, 5, 50),
        posting(1, 0, day("2024-01-20"), Kind::Issue, -3, -30),
        receipt,
        correction((1, Kind::Issue), receipt, Reason::LateCost, -6),
        posting(3, 0, day("2024-03-06"), Kind::CountLoss, -2, -24),
        posting(4, 0, day("2024-03-07"), Kind::SalesReturn, 1, 12),
    ]
}

#[test]
fn months_carry_their_closing_forward() {
    let summary = summarise(quarter(), spec(Period::Month, Quiet::Carry), DAYS).unwrap();
    let starts: Vec<String> = summary.start.iter().map(ToString::to_string).collect();
    assert_eq!(starts, ["2024-01-01", "2024-02-01", "2024-03-01"]);
    assert_eq!(summary.opening, Amounts { quantity: vec![5, 2, 2], value: vec![50, 20, 20] });
    assert_eq!(summary.received, Amounts { quantity: vec![0, 0, 11], value: vec![0, 0, 142] });
    assert_eq!(summary.issued, Amounts { quantity: vec![3, 0, 0], value: vec![30, 0, 6] });
    assert_eq!(summary.adjusted, Amounts { quantity: vec![0, 0, -2], value: vec![0, 0, -24] });
    assert_eq!(summary.closing, Amounts { quantity: vec![2, 2, 11], value: vec![20, 20, 132] });
    let moved = summarise(quarter(), spec(Period::Month, Quiet::Omit), DAYS).unwrap();
    assert_eq!(moved.closing.value, [20, 132]);
}

#[test]
fn a_window_opens_with_what_lies_before_it() {
    let window = SummarySpec {
        from: Some(date("2024-02-01")),
        to: Some(date("2024-03-05")),
        ..spec(Period::Total, Quiet::Carry)
    };
    let mut postings = quarter();
    postings.insert(0, posting(9, 7, day("2024-01-01"), Kind::Receipt, 1, 11));
    let summary = summarise(postings, window, DAYS).unwrap();
    assert_eq!(summary.start, [date("2024-02-01"); 2]);
    assert_eq!(summary.item, [0, 7]);
    assert_eq!(summary.opening.value, [20, 11]);
    assert_eq!(summary.closing, Amounts { quantity: vec![12, 1], value: vec![144, 11] });
}

#[test]
fn a_quiet_window_still_shows_the_stock() {
    let window = SummarySpec { from: Some(date("2025-01-01")), ..spec(Period::Month, Quiet::Carry) };
    let summary = summarise(quarter(), window, DAYS).unwrap();
    assert_eq!((summary.start, summary.closing.value), (vec![date("2025-01-01")], vec![132]));
}

#[test]
fn wrong_order_and_windows_are_refused() {
    let mut postings = quarter();
    postings.reverse();
    let error = summarise(postings, spec(Period::Month, Quiet::Omit), DAYS).unwrap_err();
    assert_eq!(error.code(), "COSTING_POSTINGS_UNORDERED");
    let window = SummarySpec {
        from: Some(date("2024-02-01")),
        to: Some(date("2024-01-31")),
        ..spec(Period::Day, Quiet::Omit)
    };
    assert_eq!(summarise([], window, DAYS).unwrap_err().code(), "COSTING_REPORT_WINDOW");
}

fn periods() -> impl Strategy<Value = Period> {
    prop_oneof![Just(Period::Day), Just(Period::Month), Just(Period::Total)]
}

proptest! {
    #[test]
    fn opening_and_flows_make_the_closing(
        postings in histories(), period in periods(), from in prop::option::of(0_i64..200), length in 0_i64..400,
        quiet in prop_oneof![Just(Quiet::Omit), Just(Quiet::Carry)],
    ) {
        let from = from.map(|days| Date::EPOCH.add_days(days).unwrap());
        let to = from.map(|from| from.add_days(length).unwrap());
        let summary = summarise(postings.iter().copied(), SummarySpec { period, from, to, quiet }, DAYS).unwrap();
        let mut closings = std::collections::HashMap::<(u32, u32), i64>::new();
        for row in 0..summary.item.len() {
            for side in [|amounts: &Amounts, row: usize| amounts.quantity[row], |amounts: &Amounts, row: usize| amounts.value[row]] {
                let flows = side(&summary.received, row) - side(&summary.issued, row) + side(&summary.adjusted, row);
                prop_assert_eq!(side(&summary.opening, row) + flows, side(&summary.closing, row));
            }
            let before = closings.insert((summary.item[row], summary.pool[row]), summary.closing.value[row]);
            if let Some(before) = before {
                prop_assert_eq!(before, summary.opening.value[row]);
            }
        }
        if quiet == Quiet::Carry {
            let end = to.map_or(i64::MAX, |to| i64::from(to.days()));
            let stock: i64 = postings.iter().filter(|line| line.at <= end).map(|line| line.value).sum();
            let last = summary.start.last().copied();
            let shown: i64 = (0..summary.item.len()).filter(|row| Some(summary.start[*row]) == last).map(|row| summary.closing.value[row]).sum();
            let needed = summary.start.iter().max().is_some();
            prop_assert!(!needed || shown == stock, "{} {}", shown, stock);
        }
    }
}
