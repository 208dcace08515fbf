use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Int32Array, Int64Array, NullArray, StringArray, UInt16Array, UInt64Array};
use proptest::prelude::*;

use super::super::intern::tests::text_shapes;
use super::*;
use crate::error::ErrorCode;

fn oracle<T: std::hash::Hash + Eq>(ids: &[Option<T>]) -> Vec<(u64, u64)> {
    let mut first = HashMap::new();
    let rows = ids.iter().enumerate().filter_map(|(row, id)| id.as_ref().map(|id| (row as u64, id)));
    rows.filter_map(|(row, id)| {
        let before = *first.entry(id).or_insert(row);
        (before != row).then_some((row, before))
    })
    .collect()
}

fn integers(ids: &[Option<i64>]) -> Vec<ArrayRef> {
    vec![Arc::new(Int64Array::from(ids.to_vec()))]
}

#[test]
fn rising_dense_and_wide_integers_are_all_checked() {
    let rising: Vec<_> = (0..200_000).map(Some).collect();
    let shuffled: Vec<_> = (0..200_000_i64).map(|row| Some(row * 77_777 % 200_003)).collect();
    let wide: Vec<_> = (0..200_000_i64).map(|row| Some(row.wrapping_mul(0x1234_5678_9ABC_DEF1))).collect();
    for ids in [rising, shuffled, wide] {
        let mut ids: Vec<Option<i64>> = ids;
        assert_eq!(IdIndex::new(&integers(&ids), "id").unwrap().duplicates(), []);
        ids[150_000] = ids[7];
        ids[199_999] = ids[7];
        ids[80_000] = None;
        ids[90_000] = None;
        let index = IdIndex::new(&integers(&ids), "id").unwrap();
        assert_eq!(index.duplicates(), [(150_000, 7), (199_999, 7)]);
        assert_eq!(index.null_rows(), [80_000, 90_000]);
    }
}

#[test]
fn text_ids_are_checked_in_any_order() {
    let name = |number: u64| {
        format!("movement-{number:0width$}", width = if number.is_multiple_of(2) { 5 } else { 12 })
    };
    let ids: Vec<String> = (0..150_000_u64).map(|row| name(row * 77_777 % 200_003)).collect();
    let mut cells: Vec<Option<&str>> = ids.iter().map(|id| Some(id.as_str())).collect();
    let chunks = |cells: &[Option<&str>]| text_shapes(cells, 40_000);
    for shape in chunks(&cells) {
        assert_eq!(IdIndex::new(&shape, "id").unwrap().duplicates(), []);
    }
    (cells[100], cells[149_999]) = (cells[99], cells[3]);
    for shape in chunks(&cells) {
        assert_eq!(IdIndex::new(&shape, "id").unwrap().duplicates(), [(100, 99), (149_999, 3)]);
    }
}

#[test]
fn one_id_in_every_row_is_found_once_per_row() {
    let index = IdIndex::new(&integers(&vec![Some(i64::MAX); 70_000]), "id").unwrap();
    let found = index.duplicates();
    assert_eq!((found.len(), found[0], found[69_998]), (69_999, (1, 0), (69_999, 0)));
}

#[test]
fn references_of_another_width_are_resolved() {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), Some(-1), None, Some(5), Some(300)]));
    let index = IdIndex::new(&[ids], "movement_id").unwrap();
    let resolve = |refs: ArrayRef| index.resolve(&[refs], "ref").unwrap();
    assert_eq!(
        resolve(Arc::new(UInt16Array::from(vec![Some(300), None, Some(5), Some(6)]))),
        [4, NONE, 0, MISSING]
    );
    assert_eq!(resolve(Arc::new(Int32Array::from(vec![-1]))), [1]);
    assert_eq!(resolve(Arc::new(UInt64Array::from(vec![u64::MAX]))), [MISSING]);
    assert_eq!(resolve(Arc::new(NullArray::new(2))), [NONE, NONE]);
    let error = index.resolve(&[Arc::new(StringArray::from(vec!["5"]))], "ref").unwrap_err();
    assert_eq!(error.code(), "TYPES_COLUMN_TYPE");
    assert!(
        error.to_string().starts_with("column `ref`: expected the form of the ids it refers to, found text")
    );
}

#[test]
fn no_ids_at_all_leave_every_reference_missing() {
    let index = IdIndex::new(&[], "movement_id").unwrap();
    assert_eq!(
        index.resolve(&[Arc::new(StringArray::from(vec![Some("a"), None]))], "ref").unwrap(),
        [MISSING, NONE]
    );
    assert_eq!((index.duplicates(), index.null_rows(), index.rows()), (vec![], vec![], 0));
}

#[test]
fn ids_are_ordered_by_value_and_by_bytes() {
    let texts = ["", "\0", "a", "a\0", "a\0\0", "ab", "abcdefghijklmno", "abcdefghijklmnop", "abd", "b", "é"];
    let index = IdIndex::new(&[Arc::new(StringArray::from(texts.to_vec()))], "id").unwrap();
    for (row, text) in texts.iter().enumerate() {
        for (other, more) in texts.iter().enumerate() {
            assert_eq!(index.compare(row, other), text.as_bytes().cmp(more.as_bytes()), "{text:?} {more:?}");
        }
    }
    let values = vec![Some(i64::MIN), Some(-1), Some(0), Some(i64::MAX), None];
    let index = IdIndex::new(&integers(&values), "id").unwrap();
    assert!((1..5).all(|row| index.compare(row - 1, row).is_lt()));
}

proptest! {
    #[test]
    fn duplicates_and_references_match_the_definition(
        ids in prop::collection::vec(prop::option::weighted(0.9, "(a|b|longer than fifteen){0,2}"), 0..30),
        refs in prop::collection::vec(prop::option::weighted(0.6, "(a|b|longer than fifteen){0,2}"), 0..30),
        chunk in 1_usize..9,
    ) {
        let ids: Vec<Option<&str>> = ids.iter().map(Option::as_deref).collect();
        let refs: Vec<Option<&str>> = refs.iter().map(Option::as_deref).collect();
        let row = |text| ids.iter().position(|id| *id == Some(text)).map_or(MISSING, |row| u32::try_from(row).unwrap());
        let expected: Vec<u32> = refs.iter().map(|text| text.map_or(NONE, row)).collect();
        let nulls: Vec<u64> = (0..).zip(&ids).filter(|(_, id)| id.is_none()).map(|(row, _)| row).collect();
        for (shape, other) in text_shapes(&ids, chunk).iter().zip(text_shapes(&refs, chunk + 1).iter().rev()) {
            let index = IdIndex::new(shape, "movement_id").unwrap();
            prop_assert_eq!(index.duplicates(), oracle(&ids));
            prop_assert_eq!(index.null_rows(), nulls.clone());
            prop_assert_eq!(index.resolve(other, "ref").unwrap(), expected.clone());
        }
    }

    #[test]
    fn integer_duplicates_match_the_definition(
        ids in prop::collection::vec(prop::option::weighted(0.9, prop_oneof![-20_i64..20, any::<i64>()]), 0..40),
    ) {
        prop_assert_eq!(IdIndex::new(&integers(&ids), "id").unwrap().duplicates(), oracle(&ids));
    }
}
