use comptoir_types::{Clock, ErrorCode};
use proptest::prelude::*;

use super::super::samples::{correction, date, histories, posting};
use super::super::{check_inventory, trial_balance};
use super::*;
use crate::movement::{Direction, KINDS, Kind, Reason};

const DAYS: Calendar = Calendar::utc(Clock::DAY);

/// Movement ids are `m` and the row less `shift`; documents hold three rows each; item 3 is a material.
struct Shop {
    shift: u32,
}

impl MovementNames for Shop {
    fn class(&self, item: u32) -> u32 {
        u32::from(item == 3)
    }

    fn class_name(&self, class: u32) -> &str {
        ["goods", "material"][class as usize]
    }

    fn write_id(&self, row: u32, text: &mut Vec<u8>) {
        text.extend(format!("m{}", row - self.shift).bytes());
    }

    fn document(&self, row: u32) -> Option<u32> {
        (!row.is_multiple_of(4)).then_some((row - self.shift) / 3)
    }

    fn write_document(&self, document: u32, text: &mut Vec<u8>) {
        text.extend(format!("doc-{document}").bytes());
    }
}

const SHOP: Shop = Shop { shift: 0 };

fn day(text: &str) -> i64 {
    i64::from(date(text).days())
}

fn shown(set: &VoucherSet) -> Vec<String> {
    let line = |line: Line<'_>| format!("{} {}/{}", line.account, line.debit, line.credit);
    let voucher = |voucher: usize| {
        let lines: Vec<String> = set.lines(voucher).map(line).collect();
        format!("{} {} {:?} {}", set.date[voucher], set.summary(voucher), set.rows(voucher), lines.join(", "))
    };
    (0..set.len()).map(voucher).collect()
}

/// A purchase at standard cost with variance, a sale, its cost corrected by a late receipt, and goods sent back.
fn month() -> Vec<Posting> {
    let late = posting(2, 0, day("2024-03-20"), Kind::Receipt, 5, 70);
    vec![
        Posting { variance: 20, ..posting(0, 0, day("2024-03-05"), Kind::Receipt, 10, 100) },
        posting(1, 0, day("2024-03-06"), Kind::Issue, -4, -40),
        late,
        correction((1, Kind::Issue), late, Reason::LateCost, 6),
        Posting { variance: -4, ..posting(3, 0, day("2024-03-21"), Kind::PurchaseReturn, -2, -20) },
    ]
}

#[test]
fn each_movement_is_a_voucher_with_value_variance_and_corrections() {
    let template = VoucherTemplate::cas().unwrap();
    let set = vouchers(month(), &template, By::Movement, &SHOP, DAYS).unwrap();
    assert_eq!(
        shown(&set),
        [
            "2024-03-05 采购入库 [0] 1404 20/0, 1405 100/0, 220201 0/120",
            "2024-03-06 结转销售成本 [1] 6401 40/0, 1405 0/40",
            "2024-03-20 采购入库 [2] 1405 70/0, 6401 -6/0, 1405 0/-6, 220201 0/70",
            "2024-03-21 采购退货 [3] 220201 24/0, 1404 0/4, 1405 0/20",
        ]
    );
    assert_eq!(set.totals(), (248, 248));
}

#[test]
fn a_month_collects_by_summary_and_swaps_what_is_negative() {
    let template = VoucherTemplate::default_ifrs().unwrap();
    let set = vouchers(month(), &template, By::Month, &SHOP, DAYS).unwrap();
    assert_eq!(
        shown(&set),
        [
            "2024-03-31 purchase receipt [0, 2] cost_variances 20/0, inventory 170/0, trade_payables 0/190",
            "2024-03-31 cost of sales [1, 2] cost_of_sales 40/0, inventory 6/0, cost_of_sales 0/6, inventory 0/40",
            "2024-03-31 purchase return [3] trade_payables 24/0, cost_variances 0/4, inventory 0/20",
        ]
    );
    let mut key = Vec::new();
    set.write_key(0, &SHOP, &mut key);
    assert_eq!(key, b"2024-03");
    let days = vouchers(month(), &template, By::Day, &SHOP, DAYS).unwrap();
    assert_eq!(days.len(), 5);
    // Documents: row 0 stands alone, rows 1 and 2 are one document on two days, row 3 belongs to the next.
    let documents = vouchers(month(), &template, By::Document, &SHOP, DAYS).unwrap();
    assert_eq!(
        documents.key,
        [VoucherKey::Movement(0), VoucherKey::Document(0), VoucherKey::Document(0), VoucherKey::Document(1)]
    );
}

#[test]
fn lines_of_one_movement_on_two_days_are_two_vouchers() {
    let estimate = posting(0, 0, day("2024-03-31"), Kind::ProvisionalReceipt, 1, 90);
    let back = Posting { at: day("2024-04-01"), ..estimate };
    let lines = [estimate, correction((0, Kind::ProvisionalReceipt), back, Reason::MonthStartReversal, -90)];
    let set = vouchers(lines, &VoucherTemplate::cas().unwrap(), By::Movement, &SHOP, DAYS).unwrap();
    assert_eq!(
        shown(&set),
        [
            "2024-03-31 暂估入库 [0] 1405 90/0, 220202 0/90",
            "2024-04-01 暂估入库 [0] 1405 -90/0, 220202 0/-90",
        ]
    );
    assert_ne!(set.id[0], set.id[1]);
}

#[test]
fn classes_choose_the_inventory_account() {
    let lines =
        [posting(0, 3, 0, Kind::ProductionIssue, -1, -7), posting(1, 0, 0, Kind::ProductionReceipt, 1, 7)];
    let set = vouchers(lines, &VoucherTemplate::cas().unwrap(), By::Day, &SHOP, DAYS).unwrap();
    assert_eq!(
        shown(&set),
        ["1970-01-01 生产领料 [0] 5001 7/0, 1403 0/7", "1970-01-01 产成品入库 [1] 1405 7/0, 5001 0/7",]
    );
}

#[test]
fn what_no_rule_covers_is_an_error() {
    let template = VoucherTemplate::from_yaml(
        "{version: 1, name: t, inventory: {material: a}, rules: [
           {kind: receipt, class: material, value: {debit: '@inventory', credit: b}},
           {reason: late_cost, value: {debit: '@inventory', credit: b}}]}",
    )
    .unwrap();
    let refused = |line: Posting| vouchers([line], &template, By::Day, &SHOP, DAYS).unwrap_err().to_string();
    let receipt = posting(8, 0, 0, Kind::Receipt, 1, 5);
    assert_eq!(
        refused(receipt),
        "voucher template: no rule for kind `receipt` of item class `goods`, first in row 8"
    );
    assert_eq!(
        refused(correction((1, Kind::Issue), receipt, Reason::ShortageCovered, 3)),
        "voucher template: no rule for kind `issue` corrected by `receipt` because `shortage_covered` of item class \
         `goods`, first in row 8"
    );
    assert_eq!(
        refused(correction((1, Kind::Issue), receipt, Reason::LateCost, 3)),
        "voucher template: inventory: no account for item class `goods`, and none for `*`"
    );
    let material = Posting { item: 3, variance: 2, ..receipt };
    assert_eq!(refused(material), "voucher template: rule 1: no accounts for the variance of row 8");
    let silent = Posting { value: 0, ..receipt };
    assert!(vouchers([silent], &template, By::Day, &SHOP, DAYS).unwrap().is_empty());
}

#[test]
fn ids_are_the_same_in_every_release() {
    let template = VoucherTemplate::cas().unwrap();
    let set = vouchers(month(), &template, By::Month, &SHOP, DAYS).unwrap();
    let ids: Vec<String> = set.id.iter().map(|&id| id_text(id)).collect();
    assert_eq!(
        ids,
        [
            "a6014998754f48a882dd5bf5397fdcc7",
            "8fcb02784efd4fce251de01c2d72f8e9",
            "d1af2d17c59bc18ec1e175ee528fb2f4"
        ]
    );
}

#[test]
fn ids_follow_content_and_nothing_else() {
    let template = VoucherTemplate::cas().unwrap();
    let ids = |lines: Vec<Posting>, template: &VoucherTemplate, by: By| {
        vouchers(lines, template, by, &SHOP, DAYS).unwrap().id
    };
    let before = ids(month(), &template, By::Month);
    let mut changed = month();
    changed[1].value = -41;
    let after = ids(changed, &template, By::Month);
    assert_eq!((before[0], before[2]), (after[0], after[2]));
    assert_ne!(before[1], after[1]);
    let renamed = VoucherTemplate { name: "cas-2".to_owned(), ..template.clone() };
    assert!(ids(month(), &renamed, By::Month).iter().zip(&before).all(|(new, old)| new != old));
    // A rule that nothing uses changes no id.
    let mut longer = template.clone();
    longer.rules.insert(
        0,
        Rule { class: vec!["none".to_owned()], summary: "a".to_owned(), ..template.rules[0].clone() },
    );
    assert_eq!(ids(month(), &longer, By::Month), before);
}

#[test]
fn presets_have_accounts_for_every_kind_and_reason() {
    let reasons = crate::movement::REASONS.map(Some).into_iter().chain([None]);
    for (template, reason) in
        ["ifrs", "cas"].into_iter().flat_map(|name| reasons.clone().map(move |reason| (name, reason)))
    {
        let template = VoucherTemplate::preset(template).unwrap();
        for kind in KINDS.into_iter().filter(|kind| !matches!(kind, Kind::Reversal | Kind::Amendment)) {
            for value in [-5, 5] {
                let variance = if kind == Kind::Revaluation { 0 } else { 3 };
                let line = Posting { reason, variance, ..posting(0, 3, 0, kind, 0, value) };
                let set = vouchers([line], &template, By::Movement, &SHOP, DAYS).unwrap();
                let balance = trial_balance(&set, &[], None).unwrap();
                assert_eq!(
                    check_inventory(&balance, &template, value.into()).difference,
                    0,
                    "{kind:?} {reason:?}"
                );
            }
        }
    }
    assert_eq!(Kind::Count.direction(), Direction::Relative);
}

#[test]
fn a_trial_balance_opens_with_earlier_vouchers() {
    let template = VoucherTemplate::cas().unwrap();
    let set = vouchers(month(), &template, By::Movement, &SHOP, DAYS).unwrap();
    let period = date("2024-03-06")..=date("2024-03-20");
    let openings = [("1405".to_owned(), 1000), ("1002".to_owned(), -1000)];
    let balance = trial_balance(&set, &openings, Some(&period)).unwrap();
    assert_eq!(balance.account, ["1002", "1404", "1405", "220201", "6401"]);
    assert_eq!(balance.opening, [-1000, 20, 1100, -120, 0]);
    assert_eq!(balance.debit, [0, 0, 70, 0, 34]);
    assert_eq!(balance.credit, [0, 0, 34, 70, 0]);
    assert_eq!(balance.balance, [-1000, 20, 1136, -190, 34]);
    assert!(balance.is_balanced());
    let huge = trial_balance(&set, &[("1405".to_owned(), i128::MAX)], None).unwrap_err();
    assert_eq!(huge.to_string(), "the balance of account `1405` is too large for 128 bits");
    let check = check_inventory(&balance, &template, 1130);
    assert_eq!((check.accounts_total, check.difference), (1136, 6));
    let error = vouchers([posting(0, 0, i64::MAX, Kind::Receipt, 1, 1)], &template, By::Day, &SHOP, DAYS)
        .unwrap_err();
    assert_eq!(error.code(), "TYPES_TIME_RANGE");
}

/// Random lines without the kinds that stand in for the kind they refer to.
fn bookable() -> impl Strategy<Value = Vec<Posting>> {
    histories().prop_map(|mut lines| {
        for line in &mut lines {
            if matches!(line.adjusted_kind, Kind::Reversal | Kind::Amendment) {
                line.adjusted_kind = Kind::Issue;
            }
            line.variance *= i64::from(line.adjusted_kind != Kind::Revaluation);
        }
        lines
    })
}

fn forms() -> impl Strategy<Value = By> {
    prop_oneof![Just(By::Movement), Just(By::Document), Just(By::Day), Just(By::Month)]
}

proptest! {
    /// P4: every voucher balances, inventory accounts are the stock value, and no movement is left out.
    #[test]
    fn vouchers_balance_and_agree_with_the_stock(lines in bookable(), by in forms(), preset in prop_oneof![Just("ifrs"), Just("cas")]) {
        let template = VoucherTemplate::preset(preset).unwrap();
        let set = vouchers(lines.iter().copied(), &template, by, &SHOP, DAYS).unwrap();
        for voucher in 0..set.len() {
            let (debit, credit) = set.lines(voucher).fold((0, 0), |sum, line| (sum.0 + line.debit, sum.1 + line.credit));
            prop_assert_eq!(debit, credit);
            prop_assert!(template.negative == Negative::Red || set.lines(voucher).all(|line| line.debit.min(line.credit) >= 0));
            let mut rows = set.rows(voucher).to_vec();
            rows.sort_unstable();
            rows.dedup();
            prop_assert_eq!(rows.len(), set.rows(voucher).len());
        }
        let stock: i64 = lines.iter().map(|line| line.value).sum();
        let balance = trial_balance(&set, &[], None).unwrap();
        prop_assert!(balance.is_balanced());
        prop_assert_eq!(check_inventory(&balance, &template, stock.into()).difference, 0);
        let booked: std::collections::BTreeSet<u32> = set.rows.iter().copied().collect();
        let moved = lines.iter().filter(|line| line.value != 0 || line.variance != 0).map(|line| line.row);
        prop_assert_eq!(booked, moved.collect());
        let mut ids = set.id.clone();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), set.len());
    }

    /// Neither the rows on which movements stand nor the order inside one instant changes an id.
    #[test]
    fn ids_do_not_depend_on_input_order(lines in bookable(), by in forms(), seed in 0_u64..999) {
        let template = VoucherTemplate::cas().unwrap();
        let sorted = |set: VoucherSet| { let mut ids = set.id; ids.sort_unstable(); ids };
        let straight = sorted(vouchers(lines.iter().copied(), &template, by, &SHOP, DAYS).unwrap());
        let mut mixed: Vec<Posting> = lines.iter().map(|line| Posting { row: line.row + 40, ..*line }).collect();
        mixed.sort_by_key(|line| (line.at, u64::from(line.item).wrapping_mul(seed) % 7));
        let moved = sorted(vouchers(mixed, &template, by, &Shop { shift: 40 }, DAYS).unwrap());
        prop_assert_eq!(straight, moved);
    }
}
