//! Months of the periodic average against histories that say the same in another way: amended rows for amendments, amounts for
//! shares of production.

use std::collections::{BTreeMap, BTreeSet};

use comptoir_costing::Movement;
use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{Amendment, Method, Negative, Policy, Provisional, Scope, Ties};
use comptoir_types::Decimal;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::books::{Books, books, cases};
use crate::histories::{QUANTITY_SCALE, SOUND, Shape, histories, id};
use crate::policies::policies;

/// One January: 40 movements of at most 12 hours.
const JANUARY: Shape = Shape {
    kinds: &[
        Kind::Receipt,
        Kind::Receipt,
        Kind::Receipt,
        Kind::Issue,
        Kind::Issue,
        Kind::Issue,
        Kind::Opening,
        Kind::CountGain,
        Kind::CountLoss,
        Kind::Count,
        Kind::TransferOut,
        Kind::TransferIn,
    ],
    items: 2,
    gap: 12,
    ..SOUND
};

const AMENDABLE: [Kind; 5] =
    [Kind::Receipt, Kind::Issue, Kind::CountGain, Kind::CountLoss, Kind::TransferOut];

/// Kinds of production between other movements, then the costs that come late for it.
pub const PRODUCTION_KINDS: &[Kind] = &[
    Kind::Receipt,
    Kind::Receipt,
    Kind::Issue,
    Kind::CountGain,
    Kind::ProductionIssue,
    Kind::ProductionIssue,
    Kind::ProductionReceipt,
    Kind::ProductionReceipt,
    Kind::CostAdjustment,
    Kind::CostAdjustment,
];

/// Production in groups between other movements, over some months.
pub const PRODUCTION: Shape = Shape {
    kinds: PRODUCTION_KINDS.split_at(PRODUCTION_KINDS.len() - 2).0,
    items: 2,
    pools: 1,
    grouped: 60,
    ..SOUND
};

type Nets = BTreeMap<String, [i64; 2]>;

/// Quantity and value by movement; lines of amendments belong to what they amend.
fn nets(books: &Books, amends: &BTreeMap<String, String>) -> Nets {
    let mut nets = Nets::new();
    for line in &books.lines {
        let of = amends.get(&line.id).unwrap_or(&line.id);
        let net = nets.entry(of.clone()).or_default();
        *net = [net[0] + line.quantity, net[1] + line.value + line.variance];
    }
    nets
}

/// The row as an amendment of quantity and amount makes it, and the amendment.
fn amended(row: &Movement, late: Movement, tenths: i64, cents: i64) -> (Movement, Movement) {
    let quantity = Decimal::new(tenths, QUANTITY_SCALE).ok();
    // What has the month's cost stays so.
    let amount = row.amount.or(row.unit_cost).and_then(|_| Decimal::new(cents, 2).ok());
    let right = Movement { quantity, amount, unit_cost: None, ..row.clone() };
    (right, Movement { quantity, amount, reference: Some(row.id.clone()), ..late })
}

fn periodic() -> impl Strategy<Value = Policy> {
    policies(&[Method::PeriodicAverage]).prop_map(|policy| Policy {
        scope: Scope::Pool,
        ties: Ties::Id,
        amendment: Amendment::KeepPlace,
        // What a month does not cover is refused by movements, which differ.
        negative: if policy.negative == Negative::Reject { Negative::Cover } else { policy.negative },
        ..policy
    })
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn amendments_of_a_month_are_its_rows_as_they_should_have_been(
        history in histories(JANUARY, 1..40),
        policy in periodic(),
        picks in proptest::collection::vec((any::<Index>(), 1..300_i64, 1..50_000_i64), 1..5),
    ) {
        let (mut late, mut right, mut amends) = (history.clone(), history.clone(), BTreeMap::new());
        for (pick, tenths, cents) in picks {
            let place = pick.index(history.len());
            if !AMENDABLE.contains(&history[place].kind) {
                continue;
            }
            let (name, at) = (id(late.len()), late.last().unwrap().at + 1);
            let row = Movement { pool: history[place].pool.clone(), ..Movement::new(name, history[place].item.clone(), at, Kind::Amendment, None) };
            let (fixed, amendment) = amended(&history[place], row, tenths, cents);
            amends.insert(amendment.id.clone(), fixed.id.clone());
            right[place] = fixed;
            late.push(amendment);
        }
        let (found, expected) = (books(&late, &policy), books(&right, &policy));
        // An arrival may be more than what an amended transfer sends.
        prop_assume!(found.rejected == expected.rejected);
        let (found_nets, expected_nets) = (nets(&found, &amends), nets(&expected, &BTreeMap::new()));
        let rests = expected.balances.values().any(|balance| balance.0 == 0);
        let most = if rests { i64::try_from(history.len()).unwrap() } else { 0 };
        for (id, expected) in expected_nets {
            let found = found_nets[&id];
            prop_assert_eq!(found[0], expected[0], "{}", id);
            prop_assert!((found[1] - expected[1]).abs() <= most, "{} {:?} {:?}", id, found, expected);
        }
    }

    #[test]
    fn a_shared_cost_is_an_amount(history in histories(PRODUCTION, 1..50), policy in periodic()) {
        let policy = Policy { provisional: Provisional::DifferenceOnInvoice, ..policy };
        let of_item = |row: Movement| match row.kind {
            Kind::ProductionIssue => Movement { item: "item0".to_owned(), ..row },
            Kind::ProductionReceipt => Movement { item: "item1".to_owned(), ..row },
            _ => Movement { group: None, ..row },
        };
        let history = with_costs(history.into_iter().map(of_item).collect());
        let found = books(&history, &policy);
        prop_assert!(found.rejected.is_empty(), "{:?}", found.rejected);
        let nets = nets(&found, &BTreeMap::new());
        let is_unpriced = |row: &&Movement| row.kind == Kind::ProductionReceipt && row.amount.is_none() && row.unit_cost.is_none();
        assert_groups_are_conserved(&history, &nets)?;
        // An issue that takes what rounding leaves over may be worth less than nothing, by cents; no row has such an amount.
        if history.iter().filter(is_unpriced).any(|row| nets[&row.id][1] < 0) {
            return Ok(());
        }
        let mut priced = history.clone();
        for row in priced.iter_mut().filter(|row| is_unpriced(&&**row)) {
            row.amount = Decimal::new(nets[&row.id][1], 2).ok();
        }
        let other = books(&priced, &policy);
        let bread = |books: &Books| books.lines.iter().filter(|line| line.key.0 == "item1").cloned().collect::<Vec<_>>();
        prop_assert_eq!(bread(&found), bread(&other));
    }

    #[test]
    fn p10_a_reversal_takes_back_an_amended_movement(
        mut history in histories(JANUARY, 1..40),
        policy in periodic(),
        tenths in 1..300_i64,
        cents in 1..50_000_i64,
        later in 0..2_i64,
    ) {
        let last = history.last_mut().unwrap();
        if !AMENDABLE.contains(&last.kind) {
            // What has the month's cost, as most that is amended.
            *last = Movement { kind: Kind::CountGain, amount: None, reference: None, quantity: Decimal::new(7, QUANTITY_SCALE).ok(), ..last.clone() };
        }
        let last = history.last().unwrap();
        let at = last.at + later * 31 * crate::histories::DAY;
        let row = |place, at, kind| Movement::new(id(place), last.item.clone(), at, kind, None);
        let (_, amendment) = amended(last, row(history.len(), at + 1, Kind::Amendment), tenths, cents);
        let reversal = Movement { reference: Some(last.id.clone()), ..row(history.len() + 1, at + 2, Kind::Reversal) };
        let all: Vec<Movement> = history.iter().cloned().chain([amendment, reversal]).collect();
        let books = books(&all, &policy);
        if [&last.id, &all[history.len()].id, &all[history.len() + 1].id].iter().any(|id| books.rejected.contains_key(*id)) {
            return Ok(());
        }
        let own: Vec<_> = books.lines.iter().filter(|line| line.id >= last.id).collect();
        prop_assert_eq!(own.iter().map(|line| line.quantity).sum::<i64>(), 0);
        prop_assert_eq!(own.iter().map(|line| line.value + line.variance).sum::<i64>(), 0);
    }
}

/// The history, in which a production receipt before whatever its group issues has an amount.
pub fn with_costs(mut history: Vec<Movement>) -> Vec<Movement> {
    let mut issued: BTreeSet<Option<String>> = BTreeSet::new();
    for row in &mut history {
        match row.kind {
            Kind::ProductionIssue => drop(issued.insert(row.group.clone())),
            Kind::ProductionReceipt if !issued.contains(&row.group) => {
                row.amount = row.amount.or(Decimal::new(100, 2).ok());
            }
            _ => {}
        }
    }
    history
}

/// What receipts without an amount have taken over is what their group issued before the last of them.
fn assert_groups_are_conserved(history: &[Movement], nets: &Nets) -> Result<(), TestCaseError> {
    for group in (0..4).map(|number| format!("group{number}")) {
        let members: Vec<&Movement> =
            history.iter().filter(|row| row.group.as_ref() == Some(&group)).collect();
        let is_unpriced = |row: &&Movement| {
            row.kind == Kind::ProductionReceipt && row.amount.is_none() && row.unit_cost.is_none()
        };
        let Some(last) = members.iter().rposition(is_unpriced) else { continue };
        let issues = members[..last].iter().filter(|row| row.kind == Kind::ProductionIssue);
        let issued: i64 = issues.map(|row| nets[&row.id][1]).sum();
        let taken: i64 = members.iter().copied().filter(is_unpriced).map(|row| nets[&row.id][1]).sum();
        prop_assert_eq!(issued + taken, 0, "{}", group);
    }
    Ok(())
}
