//! Histories as Arrow tables, in the encodings that producers send.

use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, Decimal32Array, Decimal64Array, Decimal128Array, Decimal256Array, DictionaryArray,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use comptoir_costing::Movement;
use comptoir_types::Decimal;

use crate::histories::QUANTITY_SCALE;

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub enum Text {
    Utf8,
    Large,
    View,
    Dictionary,
}

/// How numbers are laid out.
#[derive(Clone, Copy, Debug)]
pub enum Numbers {
    Decimal32,
    Decimal64,
    Decimal128,
    Decimal256,
    Text,
}

/// How a table is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    pub text: Text,
    pub numbers: Numbers,
}

/// The history as one record batch.
pub fn table(history: &[Movement], encoding: Encoding) -> RecordBatch {
    let words = |cell: fn(&Movement) -> Option<&str>| text(history.iter().map(cell).collect(), encoding.text);
    let decimals = |cell: fn(&Movement) -> Option<Decimal>, scale| {
        numbers(history.iter().map(cell).collect(), scale, encoding.numbers)
    };
    let columns = vec![
        ("movement_id", words(|row| Some(&row.id))),
        ("item", words(|row| Some(&row.item))),
        ("pool", words(|row| row.pool.as_deref())),
        ("at", times(history)),
        ("kind", kinds(history, encoding.text)),
        ("quantity", decimals(|row| row.quantity, QUANTITY_SCALE)),
        ("amount", decimals(|row| row.amount, 2)),
        ("unit_cost", decimals(|row| row.unit_cost, 3)),
        ("ref", words(|row| row.reference.as_deref())),
        ("lot", words(|row| row.lot.as_deref())),
        ("group", words(|row| row.group.as_deref())),
        ("class", words(|row| row.class.as_deref())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn text(cells: Vec<Option<&str>>, form: Text) -> ArrayRef {
    match form {
        Text::Utf8 => Arc::new(StringArray::from(cells)),
        Text::Large => Arc::new(LargeStringArray::from(cells)),
        Text::View => Arc::new(StringViewArray::from(cells)),
        Text::Dictionary => Arc::new(cells.into_iter().collect::<DictionaryArray<Int32Type>>()),
    }
}

fn kinds(history: &[Movement], form: Text) -> ArrayRef {
    let names: Vec<Option<&str>> = history.iter().map(|row| Some(row.kind.name())).collect();
    match form {
        Text::Dictionary => Arc::new(names.into_iter().collect::<DictionaryArray<Int8Type>>()),
        form => text(names, form),
    }
}

fn times(history: &[Movement]) -> ArrayRef {
    let ticks = history.iter().map(|row| row.at);
    Arc::new(ticks.map(Some).collect::<TimestampMicrosecondArray>())
}

fn numbers(cells: Vec<Option<Decimal>>, scale: u8, form: Numbers) -> ArrayRef {
    let units = |cell: &Option<Decimal>| cell.map(|number| number.rescale_exact(scale).unwrap().units());
    let exponent = i8::try_from(scale).unwrap();
    let units: Vec<Option<i64>> = cells.iter().map(units).collect();
    match form {
        Numbers::Decimal32 => {
            let narrow = units.iter().map(|cell| cell.map(|cell| i32::try_from(cell).unwrap()));
            Arc::new(narrow.collect::<Decimal32Array>().with_precision_and_scale(9, exponent).unwrap())
        }
        Numbers::Decimal64 => {
            Arc::new(Decimal64Array::from(units).with_precision_and_scale(18, exponent).unwrap())
        }
        Numbers::Decimal128 => {
            let wide = units.iter().map(|cell| cell.map(i128::from));
            Arc::new(wide.collect::<Decimal128Array>().with_precision_and_scale(38, exponent).unwrap())
        }
        Numbers::Decimal256 => {
            let wide = units.iter().map(|cell| cell.map(arrow_buffer::i256::from));
            Arc::new(wide.collect::<Decimal256Array>().with_precision_and_scale(76, exponent).unwrap())
        }
        Numbers::Text => {
            let texts: Vec<Option<String>> =
                cells.iter().map(|cell| cell.map(|number| number.to_string())).collect();
            Arc::new(StringArray::from(texts))
        }
    }
}
