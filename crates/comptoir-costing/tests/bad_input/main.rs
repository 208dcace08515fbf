//! Bad input, through tables and through rows: every bad row is named with a code and a message, and nothing else is lost.
#![cfg(feature = "arrow")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

mod shapes;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use comptoir_costing::arrow::value_batches;
use comptoir_costing::movement::Kind;
use comptoir_costing::policy::Ties;
use comptoir_costing::{Movement, Policy, value};

const DAY: i64 = 86_400_000_000;

/// `id kind quantity amount ref` of a row, `-` for null; one row a day unless an `@day` follows.
type Row = &'static str;

/// Row, code and beginning of the message.
type Expected = (i64, &'static str, &'static str);

fn cell(row: Row, place: usize) -> Option<&'static str> {
    row.split_whitespace().nth(place).filter(|cell| *cell != "-" && !cell.starts_with('@'))
}

fn at(row: Row, place: usize) -> Option<i64> {
    let day = row.split_whitespace().find_map(|cell| cell.strip_prefix('@'));
    match day {
        None => i64::try_from(place).ok(),
        Some("-") => None,
        Some(day) => day.parse().ok(),
    }
}

fn table(rows: &[Row]) -> RecordBatch {
    let text =
        |place| -> ArrayRef { Arc::new(rows.iter().map(|row| cell(row, place)).collect::<StringArray>()) };
    let times = rows.iter().enumerate().map(|(place, row)| at(row, place).map(|day| day.saturating_mul(DAY)));
    let items: ArrayRef =
        Arc::new(rows.iter().map(|row| cell(row, 0).map(|_| "mug")).collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([
        ("movement_id", text(0), true),
        ("item", items, true),
        ("at", Arc::new(times.collect::<TimestampMicrosecondArray>()) as ArrayRef, true),
        ("kind", text(1), true),
        ("quantity", text(2), true),
        ("amount", text(3), true),
        ("ref", text(4), true),
    ])
    .unwrap()
}

/// The rows for the interface without Arrow; `None` where a row cannot be written there.
fn movements(rows: &[Row]) -> Option<Vec<Movement>> {
    let movement = |(place, row): (usize, &Row)| {
        let kind = Kind::from_name(cell(row, 1)?)?;
        let number = |place| cell(row, place).map(|text| text.parse().ok());
        let (quantity, amount) = (number(2), number(3));
        if quantity == Some(None) || amount == Some(None) {
            return None;
        }
        let base = Movement::new(
            cell(row, 0)?,
            "mug",
            at(row, place)?.saturating_mul(DAY),
            kind,
            quantity.flatten(),
        );
        Some(Movement { amount: amount.flatten(), reference: cell(row, 4).map(str::to_owned), ..base })
    };
    rows.iter().enumerate().map(movement).collect()
}

fn policy() -> Policy {
    Policy { quantity_scale: Some(0), ties: Ties::Row, ..Policy::default() }
}

/// Checks the rejections of a table and, where it can be written so, of rows; all other rows must stand.
fn check(rows: &[Row], expected: &[Expected]) {
    let batch = table(rows);
    let tables = value_batches(&batch.schema(), vec![batch], &policy()).unwrap();
    let counts = tables.valuation().counts();
    assert_eq!(counts.accepted + counts.rejected, rows.len() as u64);
    assert_eq!(
        tables.valuation().postings_by_row().filter(|line| line.reason.is_none()).count() as u64,
        counts.accepted
    );
    let (_, rejected) = tables.rejected_table().unwrap();
    let mut found = Vec::new();
    for batch in &rejected {
        let row = batch.column_by_name("row").unwrap().as_primitive::<Int64Type>();
        let code = batch.column_by_name("code").unwrap().as_string::<i32>();
        let message = batch.column_by_name("message").unwrap().as_string::<i32>();
        found.extend((0..batch.num_rows()).map(|at| (row.value(at), code.value(at), message.value(at))));
    }
    same(&found, expected);
    if let Some(rows) = movements(rows) {
        let valuation = value(&rows, &policy()).unwrap();
        let messages: Vec<_> = valuation
            .rejected()
            .iter()
            .map(|(row, fault)| {
                (i64::from(*row), fault.code.code(), fault.message(Some(rows[*row as usize].kind), 0))
            })
            .collect();
        let found: Vec<_> =
            messages.iter().map(|(row, code, message)| (*row, *code, message.as_str())).collect();
        let codes = |list: &[Expected]| list.iter().map(|(row, code, _)| (*row, *code)).collect::<Vec<_>>();
        let codes_found: Vec<_> = found.iter().map(|(row, code, _)| (*row, *code)).collect();
        assert_eq!(codes_found, codes(expected));
    }
}

fn same(found: &[(i64, &str, &str)], expected: &[Expected]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((row, code, message), (wanted_row, wanted_code, wanted_message)) in found.iter().zip(expected) {
        assert_eq!((row, code), (wanted_row, wanted_code), "{message}");
        assert!(message.starts_with(wanted_message), "`{message}` is not `{wanted_message}`");
        assert!(!message.ends_with('.'), "{message}");
    }
}

#[test]
fn an_unknown_kind_is_quoted() {
    check(
        &["a receipt 1 1", "b sale 1", "c issue 1"],
        &[(1, "COSTING_UNKNOWN_KIND", "column `kind`: unknown kind: `sale`")],
    );
}

#[test]
fn nulls_name_their_column() {
    let rows = ["- receipt 1 1", "b - 1 1", "c receipt - 1", "d receipt 1 1 @-", "e receipt 1 -"];
    let expected = [
        (0, "COSTING_NULL_VALUE", "column `movement_id`"),
        (1, "COSTING_NULL_VALUE", "column `kind`"),
        (2, "COSTING_NULL_VALUE", "column `quantity`"),
        (3, "COSTING_NULL_VALUE", "column `at`"),
        (4, "COSTING_AMOUNT", "columns `amount` and `unit_cost`"),
    ];
    check(&rows, &expected);
}

#[test]
fn duplicates_are_told_apart_by_their_content() {
    let rows = ["a receipt 1 1 @0", "a receipt 1 1 @0", "a receipt 2 1 @0", "b issue 1 - @5"];
    let expected = [
        (1, "COSTING_DUPLICATE_IGNORED", "column `movement_id`: same content as row 0"),
        (2, "COSTING_DUPLICATE_ID", "column `movement_id`: already used with other content in row 0"),
    ];
    check(&rows, &expected);
}

#[test]
fn references_to_nothing_and_to_later_movements_are_refused() {
    let rows =
        ["a receipt 9 9", "b sales_return 1 - zz", "c sales_return 1 - d", "d issue 1", "e reversal - -"];
    let expected = [
        (1, "COSTING_REFERENCE_UNKNOWN", "column `ref`: no such movement in the input: `zz`"),
        (2, "COSTING_REFERENCE_LATER", "column `ref`: names this or a later movement: `d`"),
        (4, "COSTING_REFERENCE_MISSING", "column `ref`: reversal must name a movement"),
    ];
    check(&rows, &expected);
}

#[test]
fn quantities_below_their_least_are_refused() {
    let rows = ["a receipt 0 1", "b issue -3", "c opening 0 0", "d count -1", "e receipt 2 2", "f count 0"];
    let expected = [
        (0, "COSTING_QUANTITY_SIGN", "column `quantity`: receipt needs a positive quantity, found 0"),
        (1, "COSTING_QUANTITY_SIGN", "column `quantity`: issue needs a positive quantity, found -3"),
        (2, "COSTING_QUANTITY_SIGN", "column `quantity`: opening needs"),
        (3, "COSTING_QUANTITY_SIGN", "column `quantity`: count needs"),
    ];
    check(&rows, &expected);
}

#[test]
fn what_does_not_fit_is_refused_and_never_wraps() {
    let rows = [
        "a receipt 1 9999999999999999.99",
        "b receipt 1 0.01",
        "c receipt 1 99999999999999999999",
        "d receipt 1.5 1",
        "e receipt 1 0.001",
        "f issue 1",
    ];
    let expected = [
        (1, "COSTING_OVERFLOW", "a result exceeds 18 digits: the movement, or a stock"),
        (2, "COSTING_OVERFLOW", "column `amount`: exceeds 18 digits"),
        (3, "COSTING_EXCESS_SCALE", "column `quantity`: more decimal places than the policy's scale"),
        (4, "COSTING_EXCESS_SCALE", "column `amount`: more decimal places than the policy's scale"),
    ];
    check(&rows, &expected);
}

#[test]
fn what_is_no_number_is_shown_with_its_column() {
    let rows = ["a receipt 1 1,50", "b receipt one 1", "c receipt 1 1"];
    let expected = [
        (
            0,
            "COSTING_NUMBER_SYNTAX",
            "column `amount`: not a number: only digits, one sign and one point are read: `1,50`",
        ),
        (
            1,
            "COSTING_NUMBER_SYNTAX",
            "column `quantity`: not a number: only digits, one sign and one point are read: `one`",
        ),
    ];
    check(&rows, &expected);
}

#[test]
fn times_outside_the_calendar_are_refused() {
    let rows = ["a receipt 1 1 @-800000", "b receipt 1 1 @0", "c issue 1 - @3000000", "d issue 1 - @1"];
    let expected = [
        (0, "COSTING_TIME_RANGE", "column `at`: outside the years 1 to 9999"),
        (2, "COSTING_TIME_RANGE", "column `at`: outside the years 1 to 9999"),
    ];
    check(&rows, &expected);
}

#[test]
fn negative_stock_tells_what_was_there() {
    let rows = ["a receipt 2 2", "b issue 3", "c issue 2"];
    check(&rows, &[(1, "COSTING_NEGATIVE_STOCK", "issue of 3 exceeds the 2 on hand")]);
}
