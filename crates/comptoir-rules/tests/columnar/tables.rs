//! Random tables in all layouts, with the same rows as scalar inputs.

use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type, UInt16Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal64Array, Decimal128Array, DictionaryArray,
    DurationMillisecondArray, DurationNanosecondArray, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, LargeListArray, LargeStringArray, ListArray, RecordBatch, StringArray,
    StringViewArray, StructArray, TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::Field;
use comptoir_rules::types::EnvBuilder;
use comptoir_rules::value::{Duration, Row, Struct, Timestamp};
use comptoir_rules::{DecimalValue, StructType, Type, Value, Variables};
use comptoir_types::WideDecimal;

use crate::expressions::Random;

pub struct Table {
    pub batch: RecordBatch,
    pub rows: Vec<Variables<'static>>,
}

/// A column in some layout, and its values.
type Made = (ArrayRef, Vec<Value<'static>>);

pub fn declare(builder: EnvBuilder) -> EnvBuilder {
    let texts = Type::list(Type::String);
    builder
        .structure(StructType::new("Stock", [("left", Type::Int)]))
        .structure(StructType::new(
            "Item",
            [
                ("price", Type::Double),
                ("brand", Type::String),
                ("tags", texts.clone()),
                ("stock", Type::Struct("Stock".into())),
            ],
        ))
        .structure(StructType::new(
            "Line",
            [("qty", Type::Int), ("price", Type::Double), ("category", Type::String), ("tags", texts)],
        ))
        .variable("i", Type::Int)
        .variable("j", Type::Int)
        .variable("u", Type::Uint)
        .variable("d", Type::Double)
        .variable("m", Type::Decimal)
        .variable("s", Type::String)
        .variable("t", Type::String)
        .variable("b", Type::Bool)
        .variable("at", Type::Timestamp)
        .variable("span", Type::Duration)
        .variable("l", Type::list(Type::Int))
        .variable("items", Type::list(Type::Struct("Line".into())))
        .variable("item", Type::Struct("Item".into()))
}

pub fn table(random: &mut Random, rows: usize) -> Table {
    let (before, behind) = (random.below(5), random.below(5));
    let all = before + rows + behind;
    let env = declare(comptoir_rules::Env::builder()).build().unwrap();
    let line = env.struct_type("Line").unwrap().clone();
    let item = env.struct_type("Item").unwrap().clone();
    let stock = env.struct_type("Stock").unwrap().clone();
    let mut columns: Vec<(&str, Made)> = vec![
        ("i", ints(random, all)),
        ("j", ints(random, all)),
        ("u", uints(random, all)),
        ("d", doubles(random, all)),
        ("m", decimals(random, all)),
        ("s", texts(random, all)),
        ("t", texts(random, all)),
        ("b", bools(random, all)),
        ("at", times(random, all)),
        ("span", spans(random, all)),
    ];
    let elements = |random: &mut Random, count| ints(random, count);
    columns.push(("l", lists(random, all, elements)));
    let lines = |random: &mut Random, count: usize| {
        let tags = lists(random, count, texts);
        let fields = [
            ("qty", ints(random, count)),
            ("price", doubles(random, count)),
            ("category", texts(random, count)),
            ("tags", tags),
        ];
        structs(random, &line, fields.into(), count)
    };
    columns.push(("items", lists(random, all, lines)));
    let left = ints(random, all);
    let stocks = structs(random, &stock, vec![("left", left)], all);
    let tags = lists(random, all, texts);
    let fields = vec![
        ("price", doubles(random, all)),
        ("brand", texts(random, all)),
        ("tags", tags),
        ("stock", stocks),
    ];
    columns.push(("item", structs(random, &item, fields, all)));
    finish(&columns, before, rows)
}

fn finish(columns: &[(&str, Made)], before: usize, rows: usize) -> Table {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.iter().map(|(name, (array, _))| (*name, array.clone(), true)),
    );
    let inputs = (before..before + rows).map(|row| {
        columns.iter().fold(Variables::new(), |variables, (name, (_, values))| {
            variables.with(*name, values[row].clone())
        })
    });
    Table { batch: batch.unwrap().slice(before, rows), rows: inputs.collect() }
}

/// Which rows are null: none, some, most or all.
fn nulls(random: &mut Random, rows: usize) -> Vec<bool> {
    let share = [0, 0, 0, 1, 5, 10][random.below(6)];
    (0..rows).map(|_| random.below(10) < share).collect()
}

fn some<T: Copy>(values: &[T], nulls: &[bool]) -> Vec<Option<T>> {
    values.iter().zip(nulls).map(|(value, null)| (!null).then_some(*value)).collect()
}

fn values<T: Copy>(cells: &[Option<T>], make: impl Fn(T) -> Value<'static>) -> Vec<Value<'static>> {
    cells.iter().map(|cell| cell.map_or(Value::Null, &make)).collect()
}

fn ints(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let small: Vec<i64> = (0..rows).map(|_| random.below(9) as i64 - 3).collect();
    let extreme = [i64::MIN, i64::MAX, -1, 0, 1];
    let large: Vec<i64> =
        small.iter().map(|value| if *value > 3 { extreme[random.below(5)] } else { *value }).collect();
    let (cells, wide) = (some(&small, &nulls), some(&large, &nulls));
    let positive: Vec<Option<i64>> = cells.iter().map(|cell| cell.map(i64::abs)).collect();
    let (array, cells): (ArrayRef, _) = match random.below(8) {
        0 => (Arc::new(cells.iter().map(|cell| cell.map(|value| value as i8)).collect::<Int8Array>()), cells),
        1 => {
            (Arc::new(cells.iter().map(|cell| cell.map(|value| value as i16)).collect::<Int16Array>()), cells)
        }
        2 => {
            (Arc::new(cells.iter().map(|cell| cell.map(|value| value as i32)).collect::<Int32Array>()), cells)
        }
        3 => (
            Arc::new(positive.iter().map(|cell| cell.map(|value| value as u8)).collect::<UInt8Array>()),
            positive,
        ),
        4 => (
            Arc::new(positive.iter().map(|cell| cell.map(|value| value as u32)).collect::<UInt32Array>()),
            positive,
        ),
        5 => {
            let keys: Int8Array = cells.iter().map(|cell| cell.map(|value| (value + 3) as i8)).collect();
            let distinct = Int64Array::from((-3..6).collect::<Vec<i64>>());
            (Arc::new(DictionaryArray::<Int8Type>::new(keys, Arc::new(distinct))), cells)
        }
        _ => (Arc::new(Int64Array::from(wide.clone())), wide),
    };
    (array, values(&cells, Value::Int))
}

fn uints(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let numbers: Vec<u64> = (0..rows).map(|_| [0, 1, 5, 7, u64::MAX, 1 << 63][random.below(6)]).collect();
    let cells = some(&numbers, &nulls);
    (Arc::new(UInt64Array::from(cells.clone())), values(&cells, Value::Uint))
}

fn doubles(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let pool = [0.0, -0.0, 1.5, -1.5, 100.0, 99.5, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let numbers: Vec<f64> = (0..rows).map(|_| pool[random.below(10)]).collect();
    let narrow: Vec<f32> = numbers.iter().map(|number| *number as f32).collect();
    match random.below(4) {
        0 => {
            let cells = some(&narrow, &nulls);
            (Arc::new(Float32Array::from(cells.clone())), values(&cells, |value| Value::Double(value.into())))
        }
        _ => {
            let cells = some(&numbers, &nulls);
            (Arc::new(Float64Array::from(cells.clone())), values(&cells, Value::Double))
        }
    }
}

fn decimals(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let scale = [0_u8, 2, 4, 18][random.below(4)];
    let units: Vec<i64> =
        (0..rows).map(|_| [0, 1, -1, 150, 15_000, i64::MAX / 10, -99_999][random.below(7)]).collect();
    let cells = some(&units, &nulls);
    let of = |units: i64| Value::Decimal(DecimalValue::from(WideDecimal::new(units.into(), scale).unwrap()));
    let made = values(&cells, of);
    let array: ArrayRef = if random.below(2) == 0 {
        Arc::new(Decimal64Array::from(cells).with_precision_and_scale(18, scale as i8).unwrap())
    } else {
        let wide: Vec<Option<i128>> = cells.iter().map(|cell| cell.map(i128::from)).collect();
        Arc::new(Decimal128Array::from(wide).with_precision_and_scale(38, scale as i8).unwrap())
    };
    (array, made)
}

/// Texts that the literals of `sources.rs` have too; some differ behind their first four, eight or twelve bytes only.
const TEXTS: [&str; 17] = [
    "",
    "a",
    "abc",
    "ab",
    "é",
    "a\0",
    "ab\nc",
    "abcdefgh",
    "abcdefghi",
    "abcdefghj",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrst",
    "xyz",
    "abcx",
    "red trail shoe",
];

/// The values of a dictionary: all texts, some twice, a null, and sometimes many that no row has.
fn distinct(random: &mut Random) -> Vec<Option<String>> {
    let unused = [0, 0, 20, 300][random.below(4)];
    let texts = TEXTS.iter().map(|text| Some((*text).to_owned()));
    let again = TEXTS.iter().take(5).map(|text| Some((*text).to_owned()));
    texts
        .chain([None])
        .chain(again)
        .chain((0..unused).map(|number| Some(format!("unused {number}"))))
        .collect()
}

fn texts(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    // Often there are few different texts, so that columns are equal to each other.
    let different = [2, 4, TEXTS.len(), TEXTS.len()][random.below(4)];
    let first = random.below(TEXTS.len());
    let picked: Vec<usize> = (0..rows).map(|_| (first + random.below(different)) % TEXTS.len()).collect();
    let cells: Vec<Option<&'static str>> =
        picked.iter().zip(&nulls).map(|(at, null)| (!null).then_some(TEXTS[*at])).collect();
    let array: ArrayRef = match random.below(6) {
        0 => Arc::new(StringArray::from(cells.clone())),
        1 => Arc::new(LargeStringArray::from(cells.clone())),
        2 => Arc::new(StringViewArray::from(cells.clone())),
        3 => Arc::new(cells.iter().copied().collect::<DictionaryArray<Int32Type>>()),
        4 => Arc::new(cells.iter().copied().collect::<DictionaryArray<UInt16Type>>()),
        _ => {
            // Nulls are values of the dictionary too.
            let values: StringArray = distinct(random).into_iter().collect();
            let again = random.below(2) == 0;
            let keys: UInt16Array = picked
                .iter()
                .zip(&nulls)
                .map(|(at, null)| match (*null, again && *at < 5) {
                    (true, _) => Some(TEXTS.len() as u16),
                    (false, true) => Some((TEXTS.len() + 1 + at) as u16),
                    (false, false) => Some(*at as u16),
                })
                .collect();
            Arc::new(DictionaryArray::<UInt16Type>::new(keys, Arc::new(values)))
        }
    };
    (array, cells.iter().map(|cell| cell.map_or(Value::Null, Value::str)).collect())
}

fn bools(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let flags: Vec<bool> = (0..rows).map(|_| random.below(2) == 0).collect();
    let cells = some(&flags, &nulls);
    (Arc::new(BooleanArray::from(cells.clone())), values(&cells, Value::Bool))
}

fn times(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let seconds: Vec<i64> =
        (0..rows).map(|_| [0, 1, -1, 1_709_208_000, -2_000_000_000][random.below(5)]).collect();
    let cells = some(&seconds, &nulls);
    let of = |nanos: u32| move |seconds| Value::Timestamp(Timestamp::new(seconds, nanos).unwrap());
    let scaled = |unit: i64, rest: i64| {
        cells.iter().map(|cell| cell.map(|seconds| seconds * unit + rest)).collect::<Vec<_>>()
    };
    match random.below(3) {
        0 => (Arc::new(TimestampSecondArray::from(scaled(1, 0))), values(&cells, of(0))),
        1 => (Arc::new(TimestampMicrosecondArray::from(scaled(1_000_000, 7))), values(&cells, of(7_000))),
        _ => (Arc::new(TimestampNanosecondArray::from(scaled(1_000_000_000, 1))), values(&cells, of(1))),
    }
}

fn spans(random: &mut Random, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let ticks: Vec<i64> = (0..rows).map(|_| [0, 1, -1, 90_000, 4_000_000_000_000][random.below(5)]).collect();
    let cells = some(&ticks, &nulls);
    match random.below(2) {
        0 => {
            let made = values(&cells, |ticks| Value::Duration(Duration::from_nanos(ticks * 1_000_000)));
            (Arc::new(DurationMillisecondArray::from(cells)), made)
        }
        _ => {
            let made = values(&cells, |ticks| Value::Duration(Duration::from_nanos(ticks)));
            (Arc::new(DurationNanosecondArray::from(cells)), made)
        }
    }
}

fn lists(random: &mut Random, rows: usize, elements: impl Fn(&mut Random, usize) -> Made) -> Made {
    let nulls = nulls(random, rows);
    let longest = [1, 4, 4, 70][random.below(4)];
    let lengths: Vec<usize> = (0..rows).map(|_| random.below(longest)).collect();
    // Elements before the first list belong to none.
    let before = random.below(3);
    let (array, values) = elements(random, lengths.iter().sum::<usize>() + before);
    let (array, values) = (array.slice(before, array.len() - before), &values[before..]);
    let mut at = 0;
    let mut made = Vec::with_capacity(rows);
    for (length, null) in lengths.iter().zip(&nulls) {
        let list = values[at..at + length].to_vec();
        made.push(if *null { Value::Null } else { Value::list(list) });
        at += length;
    }
    let valid = Some(NullBuffer::from_iter(nulls.iter().map(|null| !null)));
    let field = Arc::new(Field::new("item", array.data_type().clone(), true));
    let array: ArrayRef = if random.below(3) == 0 {
        Arc::new(LargeListArray::new(field, OffsetBuffer::from_lengths(lengths), array, valid))
    } else {
        Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), array, valid))
    };
    (array, made)
}

fn structs(random: &mut Random, of: &Arc<StructType>, fields: Vec<(&str, Made)>, rows: usize) -> Made {
    let nulls = nulls(random, rows);
    let made = (0..rows)
        .map(|row| {
            if nulls[row] {
                return Value::Null;
            }
            let cells = of.fields().iter().map(|field| {
                let (_, (_, values)) = fields.iter().find(|(name, _)| **name == *field.name).unwrap();
                values[row].clone()
            });
            Value::Struct(Struct::Shared(Arc::new(Row::new(of.clone(), cells.collect()))))
        })
        .collect();
    let types: Vec<Field> =
        fields.iter().map(|(name, (array, _))| Field::new(*name, array.data_type().clone(), true)).collect();
    let columns = fields.into_iter().map(|(_, (array, _))| array).collect();
    let valid = NullBuffer::from_iter(nulls.iter().map(|null| !null));
    let array = StructArray::try_new_with_length(types.into(), columns, Some(valid), rows).unwrap();
    (Arc::new(array), made)
}
