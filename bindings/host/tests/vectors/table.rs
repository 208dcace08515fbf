//! Tables from text.
//!
//! The first line names the columns, `name:type`. Each further line is a row of cells between spaces: `-` is null, `''`
//! empty text, `\s` a space. A blank line begins the next batch.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, LargeStringArray, PrimitiveArray, RecordBatch, StringArray,
    StringViewArray,
};
use arrow_schema::{DataType, Field, Schema};
use comptoir::rules::value::Timestamp;
use comptoir::types::Date;
use comptoir_host::Table;

/// Cells of a column.
type Cells = [Option<String>];

/// A table from its text.
pub fn parse(text: &str) -> Table {
    let (header, rows) = text.split_once('\n').unwrap();
    let columns: Vec<(&str, &str)> =
        header.split_whitespace().map(|column| column.split_once(':').unwrap()).collect();
    let parts: Vec<&str> = if rows.trim().is_empty() { Vec::new() } else { rows.split("\n\n").collect() };
    let mut batches: Vec<Vec<ArrayRef>> = parts.iter().map(|part| arrays(&columns, part)).collect();
    let empty = arrays(&columns, "");
    let fields = columns
        .iter()
        .zip(&empty)
        .map(|((name, _), array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batches = batches.drain(..).map(|columns| RecordBatch::try_new(schema.clone(), columns).unwrap());
    Table { batches: batches.collect(), schema }
}

fn arrays(columns: &[(&str, &str)], part: &str) -> Vec<ArrayRef> {
    let rows: Vec<Vec<&str>> = part.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in &rows {
        assert_eq!(row.len(), columns.len(), "cells of {row:?}");
    }
    let cells = |index: usize| rows.iter().map(|row| cell(row[index])).collect::<Vec<_>>();
    columns.iter().enumerate().map(|(index, (_, kind))| array(kind, &cells(index))).collect()
}

fn cell(text: &str) -> Option<String> {
    match text {
        "-" => None,
        "''" => Some(String::new()),
        text => Some(text.replace("\\s", " ")),
    }
}

fn array(kind: &str, cells: &Cells) -> ArrayRef {
    match kind.split_once(['(', '[']) {
        Some((name, rest)) => with_argument(name, &rest[..rest.len() - 1], cells),
        None => plain(kind, cells),
    }
}

fn plain(kind: &str, cells: &Cells) -> ArrayRef {
    let texts = || cells.iter().map(Option::as_deref);
    match kind {
        "bool" => Arc::new(cells.iter().map(|cell| Some(cell.as_ref()? == "true")).collect::<BooleanArray>()),
        "utf8" => Arc::new(texts().collect::<StringArray>()),
        "large_utf8" => Arc::new(texts().collect::<LargeStringArray>()),
        "utf8_view" => Arc::new(texts().collect::<StringViewArray>()),
        "dictionary" => dictionary::<Int32Type>(cells),
        "dictionary8" => dictionary::<Int8Type>(cells),
        "list" => list(cells),
        "int8" => numbers::<Int8Type>(cells, read),
        "int16" => numbers::<Int16Type>(cells, read),
        "int32" => numbers::<Int32Type>(cells, read),
        "int64" => numbers::<Int64Type>(cells, read),
        "uint8" => numbers::<UInt8Type>(cells, read),
        "uint32" => numbers::<UInt32Type>(cells, read),
        "uint64" => numbers::<UInt64Type>(cells, read),
        "float32" => numbers::<Float32Type>(cells, read),
        "float64" => numbers::<Float64Type>(cells, read),
        "date32" => numbers::<Date32Type>(cells, days),
        "date64" => numbers::<Date64Type>(cells, |cell| i64::from(days(cell)) * 86_400_000),
        "duration_us" => numbers::<DurationMicrosecondType>(cells, read),
        time => with_argument(time, "", cells),
    }
}

fn with_argument(name: &str, argument: &str, cells: &Cells) -> ArrayRef {
    let zone = (!argument.is_empty()).then(|| argument.to_owned());
    let wide = || argument.split_once(',').map(|(digits, scale)| (read(digits), read(scale))).unwrap();
    let units = |cell: &str| units(cell, wide().1);
    match name {
        "timestamp_s" => Arc::new(times::<TimestampSecondType>(cells, 1).with_timezone_opt(zone)),
        "timestamp_ms" => Arc::new(times::<TimestampMillisecondType>(cells, 1_000).with_timezone_opt(zone)),
        "timestamp_us" => {
            Arc::new(times::<TimestampMicrosecondType>(cells, 1_000_000).with_timezone_opt(zone))
        }
        "timestamp_ns" => {
            Arc::new(times::<TimestampNanosecondType>(cells, 1_000_000_000).with_timezone_opt(zone))
        }
        "decimal32" => {
            let array = primitives::<Decimal32Type>(cells, |cell| units(cell).try_into().unwrap());
            Arc::new(array.with_data_type(DataType::Decimal32(wide().0, wide().1)))
        }
        "decimal64" => {
            let array = primitives::<Decimal64Type>(cells, |cell| units(cell).try_into().unwrap());
            Arc::new(array.with_data_type(DataType::Decimal64(wide().0, wide().1)))
        }
        "decimal128" => {
            let array = primitives::<Decimal128Type>(cells, units);
            Arc::new(array.with_data_type(DataType::Decimal128(wide().0, wide().1)))
        }
        other => panic!("unknown type `{other}`"),
    }
}

fn dictionary<K: ArrowDictionaryKeyType>(cells: &Cells) -> ArrayRef {
    Arc::new(cells.iter().map(Option::as_deref).collect::<DictionaryArray<K>>())
}

/// Lists of texts between commas; `[]` is an empty one.
fn list(cells: &Cells) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for cell in cells {
        for text in cell.iter().flat_map(|cell| cell.split(',')).filter(|text| *text != "[]") {
            builder.values().append_value(text);
        }
        builder.append(cell.is_some());
    }
    Arc::new(builder.finish())
}

fn numbers<T: ArrowPrimitiveType>(cells: &Cells, number: impl Fn(&str) -> T::Native) -> ArrayRef {
    Arc::new(primitives::<T>(cells, number))
}

fn primitives<T: ArrowPrimitiveType>(cells: &Cells, number: impl Fn(&str) -> T::Native) -> PrimitiveArray<T> {
    cells.iter().map(|cell| cell.as_deref().map(&number)).collect()
}

fn times<T: ArrowPrimitiveType<Native = i64>>(cells: &Cells, ticks: i64) -> PrimitiveArray<T> {
    primitives(cells, |cell| {
        let text = if cell.len() == 10 { format!("{cell}T00:00:00Z") } else { format!("{cell}Z") };
        let time: Timestamp = text.parse().unwrap();
        time.seconds() * ticks + i64::from(time.nanos()) / (1_000_000_000 / ticks)
    })
}

fn read<T: std::str::FromStr>(cell: &str) -> T {
    cell.parse().unwrap_or_else(|_| panic!("cell `{cell}`"))
}

fn days(cell: &str) -> i32 {
    read::<Date>(cell).days()
}

/// A decimal as whole units of its scale, which it must not exceed.
fn units(cell: &str, scale: i8) -> i128 {
    let (whole, part) = cell.split_once('.').unwrap_or((cell, ""));
    let places = usize::try_from(scale).unwrap();
    assert!(part.len() <= places, "cell `{cell}` has more than {places} places");
    read(&format!("{whole}{part:0<places$}"))
}
