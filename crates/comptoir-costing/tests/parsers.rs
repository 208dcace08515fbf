//! Random and damaged text and tables: every reader gives a value or an error that names a place, and none panics.
#![cfg(feature = "arrow")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal32Array, Decimal128Array,
    Decimal256Array, Float32Array, Float64Array, Int8Array, Int64Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt64Array, new_null_array,
};
use arrow_schema::DataType;
use comptoir_costing::arrow::value_batches;
use comptoir_costing::reports::VoucherTemplate;
use comptoir_costing::{Error, Policy};
use comptoir_types::{Date, Decimal, ErrorCode};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;

fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A damage to a text: at a place, so many characters go and a word comes.
#[derive(Clone, Debug)]
struct Damage {
    place: Index,
    gone: usize,
    word: &'static str,
}

const WORDS: &[&str] = &[
    "",
    "0",
    "-1",
    "null",
    "true",
    "~",
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    ",",
    "\"",
    "'",
    "\n",
    "\n  ",
    "\t",
    "&a",
    "*a",
    "<<",
    "|",
    "!!int",
    "1e999",
    "99999999999999999999999",
    "fifo",
    "method",
    "items",
    "classes",
    "switch",
    "version",
    "é",
    "\u{0}",
];

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let damage = (any::<Index>(), 0..6_usize, select(WORDS));
    proptest::collection::vec(damage.prop_map(|(place, gone, word)| Damage { place, gone, word }), 0..6)
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for damage in damages {
        let start = damage.place.index(letters.len() + 1);
        let end = (start + damage.gone).min(letters.len());
        letters.splice(start..end, damage.word.chars());
    }
    letters.into_iter().collect()
}

const POLICY_YAML: &str = "version: 1\nmethod: fifo\nnegative: cover\nreturns: {sales: original_cost, purchase: fifo_head}\n\
    fallback_cost: '12.5'\nutc_offset: '+08:00'\nopen_from: 2024-01-01\nclasses:\n  gold: {method: specific}\n\
    items:\n  mug: {method: standard, standard_cost: '3.20', switch: {from: 2024-06-01, method: fifo}}\n";

fn check_policy(read: Result<Policy, Error>) -> Result<(), TestCaseError> {
    match read {
        Ok(policy) => {
            let again = Policy::from_json(&policy.to_json().unwrap());
            prop_assert_eq!(again.unwrap(), policy);
        }
        Err(Error::Policy { path, message, .. }) => {
            // A field whose name is empty has an empty path; the message quotes it.
            let named = !path.is_empty() || message.contains("``");
            prop_assert!(named && !message.is_empty(), "path `{}`, message `{}`", path, message);
        }
        Err(other) => prop_assert!(false, "{}", other),
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn policies_from_any_text(text in ".{0,80}") {
        check_policy(Policy::from_json(&text))?;
        check_policy(Policy::from_yaml(&text))?;
    }

    #[test]
    fn policies_from_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let text = String::from_utf8_lossy(&bytes);
        check_policy(Policy::from_json(&text))?;
        check_policy(Policy::from_yaml(&text))?;
    }

    #[test]
    fn policies_from_damaged_text(damages in damages()) {
        check_policy(Policy::from_yaml(&damaged(POLICY_YAML, &damages)))?;
        let json = Policy::from_yaml(POLICY_YAML).unwrap().to_json().unwrap();
        check_policy(Policy::from_json(&damaged(&json, &damages)))?;
    }

    #[test]
    fn templates_from_damaged_text(damages in damages(), name in select(&["ifrs", "cas"])) {
        let template = if name == "cas" { VoucherTemplate::cas() } else { VoucherTemplate::default_ifrs() };
        let json = template.unwrap().to_json().unwrap();
        for read in [VoucherTemplate::from_json(&damaged(&json, &damages)), VoucherTemplate::from_yaml(&damaged(&json, &damages))] {
            match read {
                Ok(template) => prop_assert!(template.check().is_ok()),
                Err(error) => {
                    prop_assert!(error.code().starts_with("COSTING_TEMPLATE"), "{}", error);
                    prop_assert!(error.to_string().contains('`') || error.to_string().contains("template"), "{}", error);
                }
            }
        }
    }

    #[test]
    fn decimals_from_any_text(text in "[-+0-9., eE_x\u{662}]{0,24}") {
        match text.parse::<Decimal>() {
            Ok(number) => {
                let again: Decimal = number.to_string().parse().unwrap();
                prop_assert_eq!((again.units(), again.scale()), (number.units(), number.scale()));
                prop_assert!(number.units().unsigned_abs() < 10_u64.pow(18));
                let digits = text.trim_start_matches('+');
                let bare = digits.trim_start_matches('-').trim_start_matches('0');
                prop_assert!(number.is_zero() || number.to_string().contains(bare), "{} became {}", text, number);
            }
            Err(error) => prop_assert!(error.to_string().starts_with(&format!("`{text}`")), "{}", error),
        }
    }

    #[test]
    fn dates_from_any_text(text in "[-+0-9]{0,12}|[0-9]{4}-[0-9]{2}-[0-9]{2}|.{0,12}") {
        match text.parse::<Date>() {
            Ok(date) => prop_assert_eq!(date.to_string(), text),
            Err(error) => prop_assert!(error.to_string().contains(&format!("`{text}`")), "{}", error),
        }
    }
}

/// Columns of all sorts, with values that mean something to none or to some of them.
fn array(form: u8, rows: usize, cell: i64) -> ArrayRef {
    let small = i8::try_from(cell.rem_euclid(100)).unwrap();
    let words = ["receipt", "issue", "r1", "1", "", "12.5", "zz"];
    let word = |row: usize| Some(words[(row + usize::try_from(small).unwrap()) % words.len()]);
    macro_rules! of {
        ($array:ty, $value:expr) => {
            Arc::new((0..rows).map(|_| Some($value)).collect::<$array>()) as ArrayRef
        };
    }
    match form {
        0 => Arc::new((0..rows).map(word).collect::<StringArray>()),
        1 => Arc::new((0..rows).map(word).collect::<LargeStringArray>()),
        2 => Arc::new((0..rows).map(word).collect::<StringViewArray>()),
        3 => of!(Int8Array, small),
        4 => of!(Int64Array, cell),
        5 => of!(UInt64Array, cell.unsigned_abs()),
        6 => of!(Float32Array, f32::from(small)),
        7 => of!(Float64Array, f64::NAN),
        8 => Arc::new((0..rows).map(|row| Some(row % 2 == 0)).collect::<BooleanArray>()),
        9 => of!(Date32Array, i32::from(small) * 20_000_000),
        10 => of!(Date64Array, cell),
        11 => of!(TimestampSecondArray, cell),
        12 => of!(TimestampMillisecondArray, cell),
        13 => of!(TimestampNanosecondArray, cell),
        14 => of!(Decimal32Array, i32::from(small)),
        15 => of!(Decimal128Array, i128::from(cell) * i128::from(cell)),
        16 => of!(Decimal256Array, arrow_buffer::i256::from_i128(i128::from(cell))),
        17 => Arc::new((0..rows).map(|_| Some(b"ab")).collect::<BinaryArray>()),
        18 => new_null_array(&DataType::Null, rows),
        19 => new_null_array(&DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), rows),
        _ => new_null_array(
            &DataType::Dictionary(Box::new(DataType::Int64), Box::new(DataType::Float64)),
            rows,
        ),
    }
}

const COLUMNS: [&str; 13] = [
    "movement_id",
    "item",
    "at",
    "kind",
    "quantity",
    "amount",
    "unit_cost",
    "pool",
    "ref",
    "lot",
    "group",
    "class",
    "document",
];

/// For each column: whether it is there (0 is not), its form and its value.
fn columns() -> impl Strategy<Value = Vec<(u8, u8, i64)>> {
    let usual = [0, 0, 12, 0, 4, 15, 15, 0, 0, 0, 0, 0, 0_u8];
    let column = |usual: u8| {
        (0..12_u8, prop_oneof![2 => Just(usual), 1 => 0..=20_u8], prop_oneof![0..3_i64, any::<i64>()])
    };
    usual.map(column).into_iter().collect::<Vec<_>>()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn tables_of_any_schema(columns in columns(), rows in 0..6_usize, twice in 0..20_u8) {
        let mut fields: Vec<(&str, ArrayRef, bool)> = Vec::new();
        for (name, (there, form, cell)) in COLUMNS.iter().zip(columns) {
            if there > 0 {
                fields.push((name, array(form, rows, cell), true));
            }
        }
        if twice == 0 && !fields.is_empty() {
            fields.push(fields[0].clone());
        }
        prop_assume!(!fields.is_empty());
        let batch = RecordBatch::try_from_iter_with_nullable(fields).unwrap();
        match value_batches(&batch.schema(), vec![batch], &Policy::default()) {
            Ok(tables) => {
                let counts = tables.valuation().counts();
                prop_assert_eq!(counts.accepted + counts.rejected, rows as u64);
                tables.postings_table().unwrap();
                tables.balances_table().unwrap();
                let (_, rejected) = tables.rejected_table().unwrap();
                prop_assert_eq!(rejected.iter().map(RecordBatch::num_rows).sum::<usize>() as u64, counts.rejected);
            }
            Err(error) => {
                prop_assert!(error.code().starts_with("TYPES_"), "{}", error);
                prop_assert!(error.to_string().contains("column `"), "{}", error);
            }
        }
    }
}

/// Aliases that unfold to millions of nodes end in an error, not in a full memory.
#[test]
fn aliases_do_not_explode() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", vec![alias; 9].join(", "));
    }
    assert!(Policy::from_yaml(&text).is_err());
    assert!(VoucherTemplate::from_yaml(&text).is_err());
}

#[test]
fn deep_nesting_is_an_error() {
    for text in ["[", "{\"a\":", "- ", "? "] {
        let text = text.repeat(100_000);
        assert!(Policy::from_json(&text).is_err());
        assert!(Policy::from_yaml(&text).is_err());
        assert!(VoucherTemplate::from_yaml(&text).is_err());
    }
}
