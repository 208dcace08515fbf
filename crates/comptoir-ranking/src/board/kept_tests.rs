use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::candidate::Parts;
use super::{Candidate, Kept, Spare};
use crate::board::numbers::Low;

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
            let parts = Parts { low: Low::None, ties: &[row.1], item: &[row.2], carried: &[row.3] };
            Candidate::of_parts(row.0, &parts, memory)
        })?;
        check(&rows, keep, cut, |row, memory| {
            let parts = Parts { low: Low::Half(row.1.into()), ties: &[], item: &[7, 7, 7, 7, 7, row.2], carried: &[] };
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
    fn the_order_is_that_of_the_parts(left: Listed, right: Listed, width in 0..3_u8) {
        // All candidates of a board have their scores in one form.
        let low = |row: &Listed| match width {
            0 => Low::None,
            1 => Low::Half((row.1.cast_unsigned() >> 64) as u64),
            _ => Low::Beyond(row.1),
        };
        let plain = |row: &Listed| {
            let score = (row.0, match low(row) {
                Low::None => 0,
                Low::Half(half) => half.into(),
                Low::Beyond(beyond) => beyond,
            });
            (std::cmp::Reverse(score), row.2, row.3)
        };
        fn of<'m>(row: &Listed, low: Low<u64, i128>, memory: &'m mut Vec<u8>) -> Candidate<'m> {
            Candidate::of_parts(row.0, &Parts { low, ties: &row.2, item: &row.3, carried: &[] }, memory)
        }
        let (mut one, mut two) = (Vec::new(), Vec::new());
        let (first, second) = (of(&left, low(&left), &mut one), of(&right, low(&right), &mut two));
        prop_assert_eq!(first.cmp(&second), plain(&left).cmp(&plain(&right)));
        prop_assert_eq!(first.is_tied(&second, usize::from(width) * 8), plain(&left).0 == plain(&right).0);
        prop_assert_eq!(first.item(), left.3);
        if let Low::Half(half) = low(&left) {
            prop_assert_eq!(first.low(), half);
        }
    }
}

/// Score, what it has beyond, tie keys and item.
type Listed = (i64, i128, [u8; 3], [u8; 3]);
