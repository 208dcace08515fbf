//! P6 the same movement twice changes nothing, P7 groups stand or fall together.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use comptoir_costing::arrow::{TableValuation, value_batches};
use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{Method, Negative, Policy};
use comptoir_costing::{Movement, Valuation, value};
use comptoir_types::Decimal;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::books::{Books, books, cases, read};
use crate::determinism::cut;
use crate::histories::{EVERYTHING, QUANTITY_SCALE, SOUND, Shape, histories, shuffled};
use crate::policies::{METHODS, policies};
use crate::tables::{Encoding, Numbers, Text, table};

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
        history in histories(Shape { grouped: 0, wild: 0, ..EVERYTHING }, 1..40),
        policy in policies(&METHODS),
        changed in any::<Index>(),
        field in 0..4_u8,
    ) {
        let mut row = changed.get(&history).clone();
        match field {
            0 => row.at += 1,
            1 => row.lot = Some("z".to_owned()),
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

    /// Of rows with one id, what they say decides which counts; of an item's rows with several classes, the first in time does.
    #[test]
    fn p6_which_row_of_an_id_counts_does_not_depend_on_the_rows(
        (history, other) in histories(EVERYTHING, 1..30)
            .prop_flat_map(|history| {
                let edits = proptest::collection::vec((any::<Index>(), 0..7_u8), 1..8);
                (Just(history), edits).prop_map(|(history, edits)| with_repeats(history, &edits))
            })
            .prop_flat_map(shuffled),
        policy in policies(&METHODS),
    ) {
        let (one, two) = (value(&history, &policy).unwrap(), value(&other, &policy).unwrap());
        prop_assert_eq!(fates(&one, &history), fates(&two, &other));
        let (one, two) = (read(&one, &history, policy.scope), read(&two, &other, policy.scope));
        assert_same_books(one, two)?;
    }

    /// As above for tables: the other one has its rows in another order, encoding and cut.
    #[test]
    fn p6_which_row_of_an_id_counts_does_not_depend_on_the_table(
        (history, other) in histories(EVERYTHING, 1..30)
            .prop_flat_map(|history| {
                let fields = select(&[0_u8, 1, 2, 3, 4, 6]);
                let edits = proptest::collection::vec((any::<Index>(), fields), 1..8);
                (Just(history), edits).prop_map(|(history, edits)| with_repeats(history, &edits))
            })
            .prop_flat_map(shuffled),
        policy in policies(&METHODS),
        encodings in [encodings(), encodings()],
        cuts in proptest::collection::vec(any::<Index>(), 0..4),
    ) {
        let policy = Policy { quantity_scale: Some(QUANTITY_SCALE), ..policy };
        let [plain, coded] = encodings;
        let one = value_table(vec![table(&history, plain)], &policy);
        let two = value_table(cut(&table(&other, coded), &cuts), &policy);
        let (one, two) = (one.valuation(), two.valuation());
        prop_assert_eq!(fates(one, &history), fates(two, &other));
        prop_assert_eq!(fates(one, &history), fates(&value(&history, &policy).unwrap(), &history));
        assert_same_books(read(one, &history, policy.scope), read(two, &other, policy.scope))?;
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

fn encodings() -> impl Strategy<Value = Encoding> {
    let text = select(&[Text::Utf8, Text::Large, Text::View, Text::Dictionary]);
    let numbers = select(&[Numbers::Decimal64, Numbers::Decimal128, Numbers::Decimal256, Numbers::Text]);
    (text, numbers).prop_map(|(text, numbers)| Encoding { text, numbers })
}

fn value_table(batches: Vec<RecordBatch>, policy: &Policy) -> TableValuation {
    value_batches(&batches[0].schema(), batches, policy).unwrap()
}

/// What is rejected, by what the rows say.
fn fates(valuation: &Valuation, rows: &[Movement]) -> Vec<(String, &'static str)> {
    let rejected = valuation.rejected().iter();
    let fates = rejected.map(|(row, fault)| (format!("{:?}", rows[*row as usize]), fault.code.code()));
    let mut fates: Vec<_> = fates.collect();
    fates.sort_unstable();
    fates
}

fn assert_same_books(mut one: Books, mut two: Books) -> Result<(), TestCaseError> {
    // The lot of a line is looked up by an id, which here names several rows.
    for line in one.lines.iter_mut().chain(&mut two.lines) {
        line.key.2 = None;
    }
    prop_assert_eq!((one.lines, one.balances, one.layers), (two.lines, two.balances, two.layers));
    Ok(())
}

/// The history with rows that have the ids of others, the same or another content, and classes.
fn with_repeats(mut history: Vec<Movement>, edits: &[(Index, u8)]) -> Vec<Movement> {
    for (place, field) in edits {
        let mut row = place.get(&history).clone();
        match field {
            0 => row.at += 1,
            1 => row.lot = Some("a".to_owned()),
            2 => row.item.push('x'),
            3 => row.amount = Decimal::new(row.amount.map_or(7, |amount| amount.units() - 1), 2).ok(),
            4 => row.class = Some("fresh".to_owned()),
            5 => row.quantity = Decimal::new(1, 9).ok(),
            _ => {}
        }
        history.push(row);
    }
    history
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
