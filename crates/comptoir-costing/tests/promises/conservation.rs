//! P1 integers, P2 conservation, P3 empty is worth nothing, P4 balanced vouchers.

use std::collections::BTreeMap;

use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{Method, Policy, Scope};
use comptoir_costing::reports::{
    By, Calendar, MovementNames, VoucherTemplate, check_inventory, trial_balance, vouchers,
};
use comptoir_costing::{Movement, Valuation, value};
use comptoir_types::Clock;
use proptest::prelude::*;
use proptest::sample::select;

use crate::books::{Books, KeyName, Line, books, cases, read};
use crate::histories::{EVERYTHING, EXTREME, SOUND, Shape, histories};
use crate::policies::{METHODS, policies};

/// P2: for every key, after every line, the sums of the lines are what is on hand; at the end they are the balances.
fn assert_conserved(books: &Books) -> Result<(), TestCaseError> {
    let mut totals: BTreeMap<&KeyName, (i128, i128)> = BTreeMap::new();
    for line in &books.lines {
        let total = totals.entry(&line.key).or_default();
        *total = (total.0 + i128::from(line.quantity), total.1 + i128::from(line.value));
        prop_assert_eq!(*total, (line.on_hand.into(), line.on_hand_value.into()), "after {:?}", line);
    }
    for (key, balance) in &books.balances {
        let total = totals.get(key).copied().unwrap_or_default();
        prop_assert_eq!(total, (balance.0.into(), balance.1.into()), "{:?}", key);
    }
    Ok(())
}

/// P3: a stock without quantity is worth nothing once a movement and its corrections are posted; under periodic average once the
/// month is.
fn assert_empty_is_nothing(books: &Books, policy: &Policy) -> Result<(), TestCaseError> {
    let month = |line: &Line| Clock::MICROSECOND.date(line.at, 0).unwrap().first_of_month();
    let monthly = policy.method == Method::PeriodicAverage;
    for (place, line) in books.lines.iter().enumerate() {
        let same = |other: &Line| {
            let together =
                (&other.id, other.at) == (&line.id, line.at) || (monthly && month(other) == month(line));
            together && other.key == line.key
        };
        let is_last = !books.lines.get(place + 1..).unwrap_or_default().iter().any(same);
        prop_assert!(!is_last || line.on_hand != 0 || line.on_hand_value == 0, "after {:?}", line);
    }
    Ok(())
}

/// P2 for money: what a receipt cost is in the stock or in the variance account.
fn assert_receipts_add_up(books: &Books, history: &[Movement]) -> Result<(), TestCaseError> {
    for row in history.iter().filter(|row| row.kind == Kind::Receipt) {
        let (Some(amount), Some(line)) = (row.amount, books.lines.iter().find(|line| line.id == row.id))
        else {
            continue;
        };
        prop_assert_eq!(line.value + line.variance, amount.units(), "{:?}", line);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn p2_slips_change_nothing(
        history in histories(Shape { wild: 20, ..EVERYTHING }, 1..50), policy in policies(&METHODS)
    ) {
        let books = books(&history, &policy);
        assert_conserved(&books)?;
        assert_empty_is_nothing(&books, &policy)?;
    }

    #[test]
    fn p2_what_came_in_less_what_went_out_is_there(
        history in histories(SOUND, 1..50), policy in policies(&METHODS)
    ) {
        let books = books(&history, &policy);
        assert_conserved(&books)?;
        assert_receipts_add_up(&books, &history)?;
    }

    #[test]
    fn p3_an_empty_stock_is_worth_nothing(history in histories(SOUND, 1..50), policy in policies(&METHODS)) {
        assert_empty_is_nothing(&books(&history, &policy), &policy)?;
    }

    #[test]
    fn p2_accepted_and_rejected_are_the_input(history in histories(EVERYTHING, 0..50), policy in policies(&METHODS)) {
        let valuation = value(&history, &policy).unwrap();
        let counts = valuation.counts();
        let own_lines = valuation.postings().filter(|posting| posting.reason.is_none()).count();
        prop_assert_eq!(counts.input, history.len() as u64);
        prop_assert_eq!(counts.accepted + counts.rejected, counts.input);
        prop_assert_eq!(counts.accepted, own_lines as u64);
        prop_assert_eq!(counts.rejected, valuation.rejected().len() as u64);
        prop_assert_eq!(counts.corrections, (valuation.postings().count() - own_lines) as u64);
    }

    #[test]
    fn p1_numbers_near_the_limit_are_exact_or_rejected(
        history in histories(EXTREME, 1..30),
        policy in policies(&METHODS)
    ) {
        let books = books(&history, &policy);
        assert_conserved(&books)?;
        assert_empty_is_nothing(&books, &policy)?;
    }

    #[test]
    fn p1_every_posting_fits_eighteen_digits(
        history in histories(EXTREME, 1..30), policy in policies(&METHODS)
    ) {
        let books = books(&history, &policy);
        for line in &books.lines {
            let numbers = [line.quantity, line.value, line.on_hand, line.on_hand_value, line.variance];
            prop_assert!(numbers.iter().all(|number| number.unsigned_abs() < 10_u64.pow(18)), "{:?}", line);
        }
    }

    #[test]
    fn p2_transfers_arrive_at_what_they_left_with(
        history in histories(TRANSFERS, 1..40), policy in policies(&METHODS)
    ) {
        let policy = Policy { scope: Scope::Pool, ..policy };
        let books = books(&history, &policy);
        for out in history.iter().filter(|row| row.kind == Kind::TransferOut) {
            let of = |line: &&Line| line.adjusts.as_ref().unwrap_or(&line.id) == &out.id;
            let arrivals: Vec<&str> =
                history.iter().filter(|row| row.reference.as_ref() == Some(&out.id)).map(|row| row.id.as_str()).collect();
            let is_arrival = |line: &&Line| arrivals.contains(&line.id.as_str()) && line.reason.is_none();
            let arrived: i64 = books.lines.iter().filter(is_arrival).map(|line| line.quantity).sum();
            let left: i64 = books.lines.iter().filter(of).map(|line| line.quantity).sum();
            let elsewhere = |row: &Movement| row.reference.as_ref() != Some(&out.id) || row.pool != out.pool;
            if arrived + left == 0 && history.iter().all(elsewhere) {
                let value: i64 = books.lines.iter().filter(is_arrival).map(|line| line.value + line.variance).sum();
                let gone: i64 = books.lines.iter().filter(of).map(|line| line.value + line.variance).sum();
                prop_assert_eq!(value + gone, 0, "{}", out.id);
            }
        }
    }
}

const TRANSFERS: Shape = Shape {
    kinds: &[
        Kind::Receipt,
        Kind::Receipt,
        Kind::TransferOut,
        Kind::TransferIn,
        Kind::TransferIn,
        Kind::Issue,
    ],
    items: 1,
    pools: 3,
    ..SOUND
};

/// Names for vouchers: no classes, ids as they are.
struct Ids<'a>(&'a [Movement]);

impl MovementNames for Ids<'_> {
    fn class(&self, _: u32) -> u32 {
        0
    }

    fn class_name(&self, _: u32) -> &str {
        ""
    }

    fn write_id(&self, row: u32, text: &mut Vec<u8>) {
        text.extend_from_slice(self.0[row as usize].id.as_bytes());
    }
}

fn assert_vouchers_balance(
    valuation: &Valuation,
    history: &[Movement],
    template: &VoucherTemplate,
    by: By,
) -> Result<(), TestCaseError> {
    let calendar = Calendar::utc(Clock::MICROSECOND);
    let set = vouchers(valuation.postings(), template, by, &Ids(history), calendar).unwrap();
    for voucher in 0..set.len() {
        let sums = set.lines(voucher).fold((0, 0), |sums, line| (sums.0 + line.debit, sums.1 + line.credit));
        prop_assert_eq!(sums.0, sums.1);
    }
    let stock: i128 = valuation.balances().iter().map(|balance| i128::from(balance.value)).sum();
    let trial = trial_balance(&set, &[], None).unwrap();
    prop_assert!(trial.is_balanced());
    prop_assert_eq!(check_inventory(&trial, template, stock).difference, 0);
    Ok(())
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn p4_vouchers_balance_and_their_inventory_is_the_stock(
        history in histories(EVERYTHING, 1..50),
        policy in policies(&METHODS),
        by in select(&[By::Movement, By::Document, By::Day, By::Month]),
        template in select(&["ifrs", "cas"]),
    ) {
        let template =
            if template == "cas" { VoucherTemplate::cas() } else { VoucherTemplate::default_ifrs() }.unwrap();
        let valuation = value(&history, &policy).unwrap();
        assert_vouchers_balance(&valuation, &history, &template, by)?;
    }

    #[test]
    fn p4_vouchers_of_reversed_revaluations_balance(
        history in histories(EVERYTHING, 1..50), policy in policies(&METHODS)
    ) {
        let valuation = value(&history, &policy).unwrap();
        assert_vouchers_balance(&valuation, &history, &VoucherTemplate::default_ifrs().unwrap(), By::Movement)?;
    }

    #[test]
    fn p1_sums_of_a_month_near_the_limit_are_exact_or_rejected(
        history in histories(EXTREME, 1..30), policy in policies(&[Method::PeriodicAverage])
    ) {
        let policy = Policy { scope: Scope::Pool, ..policy };
        let valuation = std::panic::catch_unwind(|| value(&history, &policy));
        prop_assert!(valuation.is_ok(), "a sum overflowed");
        let books = read(&valuation.unwrap().unwrap(), &history, policy.scope);
        assert_conserved(&books)?;
    }
}
