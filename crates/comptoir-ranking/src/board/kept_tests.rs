use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Candidate, Kept, Parts, Spare};

/// Score, tie key, item, what is carried.
type Row = (i64, u8, u8, u8);

/// A candidate with memory of its own.
type Owned = (std::cmp::Reverse<i64>, u64, Vec<u8>);

fn owned(candidate: Candidate<'_>) -> Owned {
    (std::cmp::Reverse(candidate.key), candidate.word, candidate.rest.to_vec())
}

fn check(
    rows: &[Row],
    keep: usize,
    cut: usize,
    candidate: impl for<'m> Fn(&Row, &'m mut Vec<u8>) -> Candidate<'m>,
) -> Result<(), TestCaseError> {
    let (mut spare, mut memory) = (Spare::default(), Vec::new());
    let mut gather = |rows: &[Row], spare: &mut Spare| {
        let mut kept = Kept::default();
        for row in rows {
            if row.0 >= kept.floor() {
                kept.offer(candidate(row, &mut memory), keep, spare);
            }
        }
        kept
    };
    let (left, right) = rows.split_at(cut.min(rows.len()));
    let (mut kept, other) = (gather(left, &mut spare), gather(right, &mut spare));
    kept.merge(&other, keep, &mut spare);
    kept.finish(keep, &mut spare);

    let (mut best, mut wanted): (BTreeMap<u8, Owned>, Kept) = Default::default();
    for row in rows {
        let new = candidate(row, &mut memory);
        wanted.want(new);
        let new = owned(new);
        best.entry(row.2).and_modify(|known| *known = known.clone().min(new.clone())).or_insert(new);
    }
    let mut expected: Vec<_> = best.into_values().collect();
    expected.sort();
    let mut every = Kept::default();
    every.follow(wanted);
    prop_assert_eq!(every.iter().map(owned).collect::<Vec<_>>(), expected.clone());
    let beside = expected.split_off(keep.min(expected.len()));
    prop_assert_eq!(kept.iter().map(owned).collect::<Vec<_>>(), expected.clone());
    kept.follow(every);
    prop_assert_eq!(kept.iter().map(owned).collect::<Vec<_>>(), [expected, beside].concat());
    Ok(())
}

proptest! {
    #[test]
    fn the_best_row_of_each_item_counts(
        rows in prop::collection::vec((0..12_i64, 0..3_u8, 0..60_u8, 0..2_u8), 0..300),
        keep in 1..8_usize,
        cut in 0..300_usize,
    ) {
        check(&rows, keep, cut, |row, memory| {
            let parts = Parts { low: None, ties: &[row.1], item: &[row.2], carried: &[row.3] };
            Candidate::of_parts(row.0, &parts, memory)
        })?;
        check(&rows, keep, cut, |row, memory| {
            let parts = Parts { low: Some(row.1.into()), ties: &[], item: &[7, 7, 7, 7, 7, row.2], carried: &[] };
            Candidate::of_parts(row.0, &parts, memory)
        })?;
        // Of several lengths.
        check(&rows, keep, cut, |row, memory| {
            memory.clear();
            memory.extend([row.3; 3].iter().take(1 + usize::from(row.3)));
            Candidate::of_word(row.0, row.2.into(), memory)
        })?;
        check(&rows, keep, cut, |row, _| Candidate::of_word(row.0, row.2.into(), &[]))?;
    }

    #[test]
    fn items_that_come_once_are_cut_in_one_step(
        rows in prop::collection::vec((0..12_i64, 0..3_u8, 0..1_u8, 0..2_u8), 0..250),
        keep in 1..60_usize,
        cut in 0..250_usize,
    ) {
        let rows: Vec<Row> = (0..).zip(rows).map(|(item, row)| (row.0, row.1, item, row.3)).collect();
        check(&rows, keep, cut, |row, memory| {
            *memory = vec![row.3];
            Candidate::of_word(row.0, row.2.into(), memory)
        })?;
    }

    #[test]
    fn the_order_is_that_of_the_parts(left: (i64, Option<u64>, [u8; 3], [u8; 3]), right: (i64, Option<u64>, [u8; 3], [u8; 3])) {
        let low = |row: &(i64, Option<u64>, [u8; 3], [u8; 3])| left.1.and(right.1).and(row.1);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        let parts = |row: &(i64, Option<u64>, [u8; 3], [u8; 3])| {
            (row.0, low(row), row.2, row.3)
        };
        fn of<'m>((key, low, ties, item): &(i64, Option<u64>, [u8; 3], [u8; 3]), memory: &'m mut Vec<u8>) -> Candidate<'m> {
            Candidate::of_parts(*key, &Parts { low: *low, ties, item, carried: &[] }, memory)
        }
        let plain = |row: &(i64, Option<u64>, [u8; 3], [u8; 3])| {
            (std::cmp::Reverse((row.0, low(row))), row.2, row.3)
        };
        let (first, second) = (of(&parts(&left), &mut one), of(&parts(&right), &mut two));
        prop_assert_eq!(first.cmp(&second), plain(&left).cmp(&plain(&right)));
        prop_assert_eq!((first.low(), first.item().to_vec()), (low(&left).unwrap_or(first.low()), left.3.to_vec()));
    }
}
