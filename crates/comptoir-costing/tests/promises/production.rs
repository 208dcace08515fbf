//! Production under every method: what a group's receipts cost is what it issued and did not get back.

use comptoir_costing::Movement;
use comptoir_costing::movement::Kind;
use comptoir_types::Decimal;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::books::{Books, books, cases};
use crate::histories::{DAY, QUANTITY_SCALE, Shape, histories, id};
use crate::months::{PRODUCTION, PRODUCTION_KINDS, with_costs};
use crate::policies::{METHODS, policies};

/// Production in groups, with costs that come late for material and goods.
const LATE: Shape = Shape { kinds: PRODUCTION_KINDS, ..PRODUCTION };

/// How a movement changes an earlier production issue, and how long after it.
type Change = (Index, Kind, Option<i64>, i64);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let kinds = select(&[Kind::Reversal, Kind::SalesReturn, Kind::Amendment]);
    let after = prop_oneof![1..1_000_000_i64, Just(20 * DAY)];
    proptest::collection::vec((any::<Index>(), kinds, proptest::option::of(1..40_i64), after), 0..6)
}

/// The history with movements that change its production issues.
fn changed(mut history: Vec<Movement>, changes: Vec<Change>) -> Vec<Movement> {
    let issues: Vec<Movement> =
        history.iter().filter(|row| row.kind == Kind::ProductionIssue).cloned().collect();
    for (pick, kind, tenths, after) in changes.into_iter().filter(|_| !issues.is_empty()) {
        let issue = pick.get(&issues);
        let tenths = if kind == Kind::Reversal { tenths } else { tenths.or(Some(1)) };
        history.push(Movement {
            id: id(history.len()),
            at: issue.at + after,
            kind,
            quantity: tenths.and_then(|tenths| Decimal::new(tenths, QUANTITY_SCALE).ok()),
            group: None,
            reference: Some(issue.id.clone()),
            ..issue.clone()
        });
    }
    history
}

fn is_unpriced(row: &Movement) -> bool {
    row.kind == Kind::ProductionReceipt && row.amount.is_none()
}

/// What a movement cost, with all that corrects it. A cost that came late for it has a line of its own.
fn cost(books: &Books, id: &str) -> i64 {
    let of = |line: &&crate::books::Line| line.adjusts.as_ref().unwrap_or(&line.id) == id;
    books.lines.iter().filter(of).map(|line| line.value + line.variance).sum()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn goods_made_cost_the_material_that_left(
        history in histories(LATE, 1..40), changes in changes(), policy in policies(&METHODS)
    ) {
        let history = changed(with_costs(history), changes);
        let books = books(&history, &policy);
        for number in 0..4 {
            let group = Some(format!("group{number}"));
            let members = || history.iter().filter(|row| row.group == group);
            let Some(end) = members().filter(|row| is_unpriced(row)).map(|row| row.at).max() else { continue };
            let is_issue = |row: &&Movement| row.kind == Kind::ProductionIssue && row.at < end;
            let issues: Vec<&Movement> = members().filter(is_issue).collect();
            let changes_issue = |row: &&Movement| {
                issues.iter().any(|issue| row.reference.as_ref() == Some(&issue.id))
            };
            let changes: Vec<&Movement> = history.iter().filter(changes_issue).collect();
            // What comes back afterwards was no cost of the goods any more.
            if changes.iter().any(|row| row.at >= end) {
                continue;
            }
            let material: i64 = issues.iter().chain(&changes).map(|row| cost(&books, &row.id)).sum();
            let goods: i64 = members().filter(|row| is_unpriced(row)).map(|row| cost(&books, &row.id)).sum();
            prop_assert_eq!(material + goods, 0, "{:?} {:?}", group, books.lines);
        }
    }
}
