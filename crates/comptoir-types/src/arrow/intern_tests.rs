use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type, UInt64Type};
use arrow_array::{
    DictionaryArray, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray,
    NullArray, PrimitiveArray, StringArray, StringViewArray, UInt8Array, UInt32Array, UInt64Array,
};
use proptest::prelude::*;

use super::*;
use crate::error::ErrorCode;

/// All layouts of a column of text, each cut into chunks of `chunk` rows.
pub(in super::super) fn text_shapes(cells: &[Option<&str>], chunk: usize) -> Vec<Vec<ArrayRef>> {
    let pieces = || cells.chunks(chunk.max(1)).map(<[_]>::to_vec);
    let whole: ArrayRef = Arc::new(StringArray::from(cells.to_vec()));
    let slices = (0..cells.len()).step_by(chunk.max(1));
    vec![
        pieces().map(|cells| Arc::new(StringArray::from(cells)) as ArrayRef).collect(),
        slices.map(|start| whole.slice(start, chunk.max(1).min(cells.len() - start))).collect(),
        pieces().map(|cells| Arc::new(LargeStringArray::from(cells)) as ArrayRef).collect(),
        pieces().map(|cells| Arc::new(StringViewArray::from(cells)) as ArrayRef).collect(),
        pieces()
            .map(|cells| Arc::new(cells.into_iter().collect::<DictionaryArray<Int32Type>>()) as ArrayRef)
            .collect(),
        pieces().map(|cells| untidy_dictionary(&cells)).collect(),
        shared_dictionary(cells, chunk),
        // Every chunk in another layout.
        pieces()
            .enumerate()
            .map(|(at, cells)| match at % 3 {
                0 => Arc::new(StringViewArray::from(cells)) as ArrayRef,
                1 => untidy_dictionary(&cells),
                _ => Arc::new(LargeStringArray::from(cells)),
            })
            .collect(),
    ]
}

/// A dictionary with unused and repeated values and a null among its values.
fn untidy_dictionary(cells: &[Option<&str>]) -> ArrayRef {
    let mut values = vec![Some("never used"), None];
    values.extend(cells.iter().copied());
    let keys: PrimitiveArray<UInt64Type> = (0..cells.len())
        .map(|row| (row % 3 != 0 || cells[row].is_some()).then_some(row as u64 + 2))
        .collect();
    Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(values))))
}

/// Chunks that are slices of one array with one dictionary.
fn shared_dictionary(cells: &[Option<&str>], chunk: usize) -> Vec<ArrayRef> {
    let whole: DictionaryArray<Int32Type> = cells.iter().copied().collect();
    let starts = (0..cells.len()).step_by(chunk.max(1));
    starts
        .map(|start| Arc::new(whole.slice(start, chunk.max(1).min(cells.len() - start))) as ArrayRef)
        .collect()
}

/// The definition: a map from the cell to its code.
fn oracle<T: std::hash::Hash + Eq + Copy>(cells: &[Option<T>]) -> Interned {
    let mut known: HashMap<T, u32> = HashMap::new();
    let mut interned = Interned::default();
    for (row, cell) in cells.iter().enumerate() {
        let code = cell.map_or(NULL_CODE, |cell| {
            let next = u32::try_from(known.len()).unwrap();
            *known.entry(cell).or_insert_with(|| {
                interned.first.push(row as u64);
                next
            })
        });
        interned.codes.push(code);
    }
    interned
}

/// The same with one and with many ranges: the result must not depend on the number of threads.
fn check_ranges(chunks: &[ArrayRef], expected: &Interned) {
    assert_eq!(&intern(chunks, "item").unwrap(), expected);
    let column = KeyColumn::new(chunks, "item").unwrap();
    for length in [1, 3, 7] {
        let rows = column.rows();
        let ranges: Vec<_> = (0..rows).step_by(length).map(|start| start..rows.min(start + length)).collect();
        assert_eq!(&intern_ranges(&column, &ranges), expected, "ranges of {length}");
    }
}

#[test]
fn integers_of_every_width_give_the_same_codes() {
    let cells = [Some(7_i8), None, Some(3), Some(7), Some(120), Some(3)];
    let expected = oracle(&cells);
    macro_rules! array {
        ($array:ty, $native:ty) => {{
            let cells = cells.iter().map(|cell| cell.map(|cell| <$native>::try_from(cell).unwrap()));
            Arc::new(cells.collect::<$array>()) as ArrayRef
        }};
    }
    let keys: PrimitiveArray<Int8Type> = cells.iter().map(|cell| cell.map(|cell| cell % 4)).collect();
    let dictionary = DictionaryArray::new(keys, Arc::new(Int64Array::from(vec![120, 0, 0, 7])));
    for array in [
        array!(Int8Array, i8),
        array!(Int16Array, i16),
        array!(Int32Array, i32),
        array!(Int64Array, i64),
        array!(UInt8Array, u8),
        array!(UInt32Array, u32),
        array!(UInt64Array, u64),
    ] {
        check_ranges(&[array], &expected);
    }
    assert_eq!(intern(&[Arc::new(dictionary)], "item").unwrap().codes, [0, NULL_CODE, 0, 0, 1, 0]);
}

#[test]
fn extreme_integers_are_told_apart() {
    let cells = [i64::MIN, i64::MAX, -1, 0, 1, i64::MIN];
    check_ranges(&[Arc::new(Int64Array::from(cells.to_vec()))], &oracle(&cells.map(Some)));
    let cells = [u64::MAX, 0, 1 << 63, u64::MAX];
    check_ranges(&[Arc::new(UInt64Array::from(cells.to_vec()))], &oracle(&cells.map(Some)));
}

#[test]
fn a_column_of_nulls_and_an_empty_one_have_no_codes() {
    let nulls =
        intern(&[Arc::new(NullArray::new(3)), Arc::new(StringArray::from(vec!["a"]))], "pool").unwrap();
    assert_eq!((nulls.codes, nulls.first), (vec![NULL_CODE, NULL_CODE, NULL_CODE, 0], vec![3]));
    assert_eq!(intern(&[], "pool").unwrap(), Interned::default());
    let all_null: ArrayRef = Arc::new(Int32Array::from(vec![None, None]));
    assert_eq!(intern(&[all_null], "pool").unwrap().codes, [NULL_CODE; 2]);
}

#[test]
fn other_types_and_mixed_chunks_are_refused() {
    let message = |chunks: &[ArrayRef]| {
        let error = intern(chunks, "item").unwrap_err();
        assert_eq!(error.code(), "TYPES_COLUMN_TYPE");
        error.to_string()
    };
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    assert!(
        message(&[Arc::new(Float64Array::from(vec![1.0]))])
            .contains("column `item`: expected text, integers")
    );
    assert!(message(&[text, Arc::new(Int32Array::from(vec![1]))]).contains("found int32"));
}

#[test]
fn many_rows_on_several_threads_match_the_definition() {
    // Lengths around the 12 bytes of a view, the 15 bytes of a key and beyond; 200,000 rows make several ranges.
    let name = |number: u64| format!("{number}{}", "x".repeat(usize::try_from(number % 23).unwrap()));
    let cells: Vec<Option<String>> = (0..200_000_u64)
        .map(|row| (row % 97 != 0).then(|| name(row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 47)))
        .collect();
    let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
    let expected = oracle(&cells);
    for chunks in text_shapes(&cells, 70_000) {
        assert!(intern(&chunks, "item").unwrap() == expected);
    }
}

#[test]
fn a_sparse_column_matches_the_definition() {
    let names: Vec<String> = (0..100_000).map(|row| format!("lot {}", row % 777)).collect();
    let cells = names.iter().enumerate().map(|(row, name)| (row % 31 == 5).then_some(name.as_str()));
    let cells: Vec<Option<&str>> = cells.collect();
    let expected = oracle(&cells);
    for chunks in text_shapes(&cells, 30_000) {
        assert!(intern(&chunks, "lot").unwrap() == expected);
    }
}

proptest! {
    #[test]
    fn text_matches_the_definition(
        cells in prop::collection::vec(prop::option::weighted(0.9, "(a|b|\\x00|é){0,18}"), 0..40),
        chunk in 1_usize..12,
    ) {
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        let expected = oracle(&cells);
        for chunks in text_shapes(&cells, chunk) {
            check_ranges(&chunks, &expected);
        }
    }

    #[test]
    fn integers_match_the_definition(
        cells in prop::collection::vec(prop::option::weighted(0.9, prop_oneof![-9_i64..9, any::<i64>()]), 0..40),
        chunk in 1_usize..12,
    ) {
        let chunks: Vec<ArrayRef> =
            cells.chunks(chunk).map(|cells| Arc::new(Int64Array::from(cells.to_vec())) as ArrayRef).collect();
        check_ranges(&chunks, &oracle(&cells));
    }
}
