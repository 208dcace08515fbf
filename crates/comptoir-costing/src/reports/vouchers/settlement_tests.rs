//! Provisional receipts through the whole call: whatever the way of settlement, the invoice takes the place of the estimate.

use std::collections::BTreeMap;

use comptoir_types::Clock;

use super::super::trial_balance;
use super::*;
use crate::movement::Kind;
use crate::policy::Policy;
use crate::{Movement, value};

const WAYS: [&str; 3] = ["difference_on_invoice", "reverse_on_invoice", "month_start_reversal"];
const LATE_COSTS: [&str; 3] = ["replay", "prospective", "stock_coverage"];
const METHODS: [&str; 5] = ["moving_average", "periodic_average", "fifo", "lifo", "standard"];

struct Rows;

impl MovementNames for Rows {
    fn class(&self, _: u32) -> u32 {
        0
    }

    fn class_name(&self, _: u32) -> &'static str {
        "goods"
    }

    fn write_id(&self, row: u32, text: &mut Vec<u8>) {
        text.extend(row.to_string().bytes());
    }
}

/// `day kind quantity amount` per movement; day 0 is 1 January 1970, and a settlement invoices the first movement.
fn movements(moves: &str) -> Vec<Movement> {
    let movement = |(index, text): (usize, &str)| {
        let mut words = text.split_whitespace();
        let day: i64 = words.next().unwrap().parse().unwrap();
        let kind = Kind::from_name(words.next().unwrap()).unwrap();
        let mut number = || words.next().filter(|word| *word != "-").map(|word| word.parse().unwrap());
        let (quantity, amount) = (number(), number());
        let reference = (kind == Kind::Settlement).then(|| "m0".to_owned());
        let at = day * 86_400_000_000;
        Movement { amount, reference, ..Movement::new(format!("m{index}"), "mug", at, kind, quantity) }
    };
    moves.split(';').enumerate().map(movement).collect()
}

fn set(moves: &[Movement], policy: &str, template: &VoucherTemplate) -> VoucherSet {
    let valuation = value(moves, &Policy::from_yaml(policy).unwrap()).unwrap();
    assert!(valuation.rejected().is_empty(), "{policy}: {:?}", valuation.rejected());
    vouchers(valuation.postings(), template, By::Movement, &Rows, Calendar::utc(Clock::MICROSECOND)).unwrap()
}

/// Balances of the accounts that have one.
fn balances(moves: &[Movement], policy: &str) -> BTreeMap<String, i128> {
    let set = set(moves, policy, &VoucherTemplate::default_ifrs().unwrap());
    let balance = trial_balance(&set, &[], None).unwrap();
    assert!(balance.is_balanced());
    balance.account.into_iter().zip(balance.balance).filter(|(_, amount)| *amount != 0).collect()
}

fn policy(method: &str, way: &str, late_cost: &str) -> String {
    let negative = "negative: cover, standard_cost: '9'";
    format!("{{method: {method}, provisional: {way}, late_cost: {late_cost}, {negative}}}")
}

fn policies(methods: &'static [&str]) -> impl Iterator<Item = String> {
    let ways = methods.iter().flat_map(|method| WAYS.map(|way| (*method, way)));
    ways.flat_map(|(method, way)| LATE_COSTS.map(|late_cost| policy(method, way, late_cost)))
}

#[test]
fn every_way_of_settlement_gives_the_same_trial_balance() {
    let cases = [
        ("0 provisional_receipt 10 100; 9 settlement - 102", [10_200, 0, -10_200]),
        ("0 provisional_receipt 10 100; 9 settlement - 98", [9_800, 0, -9_800]),
        ("0 provisional_receipt 10 100; 9 settlement - 100", [10_000, 0, -10_000]),
        ("0 provisional_receipt 10 100; 9 settlement 4 41", [10_100, -6_000, -4_100]),
        ("0 provisional_receipt 10 100; 9 settlement 4 41; 12 settlement 6 61", [10_200, 0, -10_200]),
        ("20 provisional_receipt 10 100; 40 settlement - 102", [10_200, 0, -10_200]),
    ];
    let names = ["inventory", "goods_received_not_invoiced", "trade_payables"];
    for (moves, amounts) in cases {
        let expected: BTreeMap<String, i128> =
            names.map(str::to_owned).into_iter().zip(amounts).filter(|(_, amount)| *amount != 0).collect();
        for policy in policies(&["moving_average", "periodic_average", "fifo", "lifo"]) {
            assert_eq!(balances(&movements(moves), &policy), expected, "{moves} under {policy}");
        }
    }
}

/// Issues, a shortage and a standard cost of 9 share the difference otherwise, but not what is owed and to whom.
#[test]
fn what_is_owed_does_not_depend_on_what_the_difference_does() {
    let histories = [
        "0 provisional_receipt 10 100; 3 issue 4; 9 settlement - 102",
        "0 provisional_receipt 10 100; 3 issue 10; 9 settlement - 102",
        "0 provisional_receipt 10 100; 3 issue 14; 9 settlement - 102",
        "0 provisional_receipt 10 100; 3 issue 4; 9 settlement 3 33; 12 settlement 7 69",
        "0 provisional_receipt 10 100; 3 issue 4; 9 settlement 3 33; 40 settlement 7 69",
    ];
    for (moves, policy) in
        histories.iter().flat_map(|moves| policies(&METHODS).map(move |policy| (moves, policy)))
    {
        let balances = balances(&movements(moves), &policy);
        assert_eq!(balances.get("trade_payables"), Some(&-10_200), "{moves} under {policy}");
        assert_eq!(balances.get("goods_received_not_invoiced"), None, "{moves} under {policy}");
    }
}

#[test]
fn an_invoice_by_unit_cost_counts_as_its_amount() {
    let mut moves = movements("0 provisional_receipt 10 100; 9 settlement 10 -");
    moves[1].unit_cost = "10.2".parse().ok();
    for policy in policies(&["moving_average"]) {
        assert_eq!(balances(&moves, &policy).get("trade_payables"), Some(&-10_200), "{policy}");
    }
}

/// The invoice equals the estimate: no value moves, and yet the supplier is owed.
#[test]
fn an_invoice_as_estimated_has_a_voucher() {
    let moves = movements("0 provisional_receipt 10 100; 9 settlement - 100");
    let set = set(&moves, "{}", &VoucherTemplate::cas().unwrap());
    let shown: Vec<String> =
        set.lines(1).map(|line| format!("{} {}/{}", line.account, line.debit, line.credit)).collect();
    assert_eq!((set.len(), set.summary(1), set.rows(1)), (2, "采购结算", [1].as_slice()));
    assert_eq!(shown, ["220202 10000/0", "220201 0/10000"]);
}

#[test]
fn a_template_with_one_account_for_both_moves_the_difference_only() {
    let moves = movements("0 provisional_receipt 10 100; 9 settlement 4 40; 9 settlement 6 62");
    let text = |estimate: &str| {
        let receipt = "{kind: provisional_receipt, value: {debit: '@inventory', credit: b}}";
        let invoice = format!("{{kind: settlement, value: {{debit: '@inventory', credit: b}}{estimate}}}");
        format!("{{version: 1, name: t, inventory: {{'*': a}}, rules: [{receipt}, {invoice}]}}")
    };
    let shared = VoucherTemplate::from_yaml(&text(", estimate: {debit: b, credit: b}")).unwrap();
    let vouchers_of = set(&moves, "late_cost: prospective", &shared);
    assert_eq!((vouchers_of.len(), vouchers_of.totals()), (2, (10_200, 10_200)));
    let silent = VoucherTemplate::from_yaml(&text("")).unwrap();
    let valuation = value(&moves, &Policy::default()).unwrap();
    let refused = vouchers(valuation.postings(), &silent, By::Day, &Rows, Calendar::utc(Clock::MICROSECOND));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "voucher template: rule 2: no accounts for the estimate of row 1"
    );
}
