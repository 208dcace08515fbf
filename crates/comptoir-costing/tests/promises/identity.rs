//! P6 the same movement twice changes nothing, P7 groups stand or fall together.

use std::collections::{BTreeMap, BTreeSet};

use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{Method, Negative, Policy};
use comptoir_costing::{Movement, value};
use comptoir_types::Decimal;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::books::{books, cases, read};
use crate::histories::{EVERYTHING, SOUND, Shape, histories};
use crate::policies::{METHODS, policies};

const GROUPS: Shape = Shape { kinds: CERTAIN, grouped: 35, ..SOUND };

/// Kinds that their row alone does not get rejected.
const CERTAIN: &[Kind] = &[
    Kind::Receipt,
    Kind::Receipt,
    Kind::Issue,
    Kind::Issue,
    Kind::SalesReturn,
    Kind::PurchaseReturn,
    Kind::TransferOut,
    Kind::TransferIn,
    Kind::CountLoss,
    Kind::CostAdjustment,
    Kind::ProductionIssue,
    Kind::ProductionReceipt,
    Kind::Reversal,
    Kind::Amendment,
];

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn p6_repeated_rows_are_ignored_and_counted(
        history in histories(EVERYTHING, 1..40),
        policy in policies(&METHODS),
        repeated in proptest::collection::vec(any::<Index>(), 1..5),
    ) {
        let mut more = history.clone();
        more.extend(repeated.iter().map(|place| place.get(&history).clone()));
        let (once, twice) = (value(&history, &policy).unwrap(), value(&more, &policy).unwrap());
        let (expected, found) = (once.counts(), twice.counts());
        prop_assert_eq!(found.duplicates, repeated.len() as u64);
        prop_assert_eq!(found.accepted, expected.accepted);
        prop_assert_eq!(found.rejected, expected.rejected + found.duplicates);
        let (once, twice) = (read(&once, &history, policy.scope), read(&twice, &more, policy.scope));
        prop_assert_eq!(once.lines, twice.lines);
        prop_assert_eq!(once.layers, twice.layers);
        prop_assert_eq!(once.balances, twice.balances);
    }

    #[test]
    fn p6_the_same_id_with_other_content_is_refused(
        history in histories(Shape { grouped: 0, ..EVERYTHING }, 1..40),
        policy in policies(&METHODS),
        changed in any::<Index>(),
        field in 0..4_u8,
    ) {
        let mut row = changed.get(&history).clone();
        match field {
            0 => row.at += 1,
            1 => row.lot = Some("another".to_owned()),
            2 => row.item.push('x'),
            _ => row.amount = Decimal::new(row.amount.map_or(7, |amount| amount.units() + 1), 2).ok(),
        }
        let mut more = history.clone();
        more.push(row);
        let found = value(&more, &policy).unwrap();
        let last = found.rejected().last().unwrap();
        prop_assert_eq!((last.0 as usize, last.1.code.code()), (history.len(), "COSTING_DUPLICATE_ID"));
        prop_assert_eq!(read(&found, &more, policy.scope).lines, books(&history, &policy).lines);
    }

    #[test]
    fn p7_a_group_of_slips_stands_or_falls_as_one(
        history in histories(Shape { wild: 5, ..GROUPS }, 1..40), policy in policies(&METHODS)
    ) {
        assert_atomic(&history, &policy)?;
    }

    #[test]
    fn p7_a_group_stands_or_falls_as_one(history in histories(GROUPS, 1..40), policy in policies(&METHODS)) {
        assert_atomic(&history, &policy)?;
    }

    #[test]
    fn p7_a_group_stands_or_falls_as_one_where_months_must_cover_their_issues(
        history in histories(GROUPS, 1..40), policy in policies(&[Method::PeriodicAverage])
    ) {
        assert_atomic(&history, &Policy { negative: Negative::Reject, ..policy })?;
    }
}

fn assert_atomic(history: &[Movement], policy: &Policy) -> Result<(), TestCaseError> {
    let found = books(history, policy);
    let mut members: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    for row in history {
        if let Some(group) = &row.group {
            members.entry(group).or_default().insert(found.rejected.contains_key(&row.id));
        }
    }
    prop_assert!(members.values().all(|fates| fates.len() == 1), "{:?}", members);
    // A movement that is a group of its own links nothing: it is rejected as any other.
    let is_linked =
        |group: &str| history.iter().filter(|row| row.group.as_deref() == Some(group)).count() > 1;
    let fallen: BTreeSet<&str> = members
        .into_iter()
        .filter(|(group, _)| is_linked(group))
        .filter(|(_, fates)| fates.contains(&true))
        .map(|(group, _)| group)
        .collect();
    // What refers to a movement that is left out is rejected either way.
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    for row in history {
        let refers = row.reference.as_deref().is_some_and(|id| gone.contains(id));
        if refers || row.group.as_deref().is_some_and(|group| fallen.contains(group)) {
            gone.insert(&row.id);
        }
    }
    let rest: Vec<Movement> = history.iter().filter(|row| !gone.contains(row.id.as_str())).cloned().collect();
    prop_assert_eq!(found.lines, books(&rest, policy).lines, "fallen: {:?}", fallen);
    Ok(())
}
