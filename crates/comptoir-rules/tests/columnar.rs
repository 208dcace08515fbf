//! Columns give what the scalar evaluator gives: random typed tables in all layouts, random well-typed expressions,
//! every row. The scalar inputs are made beside the columns, not read from them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test ends where its claim fails"
)]

#[path = "columnar/cells.rs"]
mod cells;
#[path = "support/expressions.rs"]
mod expressions;
#[path = "columnar/host.rs"]
mod host;
#[path = "columnar/shared.rs"]
mod shared;
#[path = "columnar/sources.rs"]
mod sources;
#[path = "columnar/tables.rs"]
mod tables;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int8Array, Int64Array, RecordBatch, StringArray,
};
use comptoir_rules::{Env, EvalCode, EvalError, Fault, Program, Type, Value, Variables};
use expressions::Random;
use proptest::prelude::*;
use tables::Table;

fn same(program: &Program, table: &Table) {
    same_with(program, table, &Variables::new());
}

/// The same where inputs are shared by all rows; the rows of the table have them too.
fn same_with(program: &Program, table: &Table, shared: &Variables<'_>) {
    let source = program.source();
    let result =
        program.eval_batch_with(&table.batch, shared).unwrap_or_else(|error| panic!("{source}: {error}"));
    let faults: std::collections::HashMap<usize, String> = result
        .faults
        .iter()
        .map(|fault| (fault.row, format!("{} {}", fault.code(), fault.message())))
        .collect();
    assert_eq!(result.faults.len(), faults.len(), "{source}");
    for (row, input) in table.rows.iter().enumerate() {
        let outcome = program.eval(input);
        match (&outcome, faults.get(&row)) {
            (Ok(value), None) => {
                let found = cells::cell(result.array.as_ref(), row);
                assert_eq!(found, cells::show(value), "{source}: row {row} of {input:?}");
            }
            (Err(fault), Some(found)) => assert_eq!(*found, show(fault), "{source}: row {row}"),
            (Ok(value), Some(found)) => {
                let fits = !found.contains("does not fit the column");
                assert!(!fits, "{source}: row {row}: {value:?}, found {found}");
            }
            (Err(fault), None) => panic!("{source}: row {row}: {fault:?}, found a value, {input:?}"),
        }
    }
    let selection = program.select_with(&table.batch, shared).unwrap();
    let expected: Vec<u64> = (0_u64..)
        .zip(&table.rows)
        .filter(|(_, input)| matches!(program.eval(*input), Ok(Value::Bool(true))))
        .map(|(row, _)| row)
        .collect();
    assert_eq!(selection.rows.values().to_vec(), expected, "{source}");
}

fn show(fault: &Fault) -> String {
    match fault {
        Fault::Error(error) | Fault::Exhausted(error) => format!("{} {fault}", error.code.name()),
        Fault::Unknown(_) => format!("RULES_UNKNOWN_INPUT {fault}"),
    }
}

fn env() -> Env {
    tables::declare(Env::builder()).build().unwrap()
}

proptest! {
    #![proptest_config(expressions::config())]

    #[test]
    fn every_row_as_in_the_scalar_evaluator(seed: u64, depth in 1_usize..5, ty in 0_usize..9, rows in 0_usize..80) {
        let mut random = Random(seed);
        let table = tables::table(&mut random, rows);
        let source = sources::expression(&mut random, sources::TYPES[ty], depth);
        let program = env().compile(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        same(&program, &table);
    }

    #[test]
    fn expressions_of_the_oracle(seed: u64, depth in 1_usize..5, ty in 0_usize..4, rows in 0_usize..40) {
        let mut random = Random(seed);
        let table = tables::table(&mut random, rows);
        let source = expressions::typed(&mut random, ['i', 'b', 's', 'l'][ty], depth);
        let program = env().compile(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        same(&program, &table);
    }

    #[test]
    fn inputs_of_all_rows(seed: u64, depth in 0_usize..3, rows in 1_usize..80) {
        let mut random = Random(seed);
        let mut table = tables::table(&mut random, rows);
        let (env, shared) = shared::inputs(&mut random);
        let with = |row: &Variables<'static>| {
            shared.iter().fold(row.clone(), |row, (name, value)| row.with(*name, value.clone()))
        };
        table.rows = table.rows.iter().map(with).collect();
        let source = shared::expression(&mut random, depth);
        let program = env.compile(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        same_with(&program, &table, &with(&Variables::new()));
    }

    #[test]
    fn functions_over_columns(seed: u64, depth in 0_usize..3, rows in 0_usize..80) {
        let mut random = Random(seed);
        let table = tables::table(&mut random, rows);
        let (source, may_not_fit) = host::expression(&mut random, depth);
        let programs = [host::Form::Columns, host::Form::Rows].map(|form| {
            let env = host::declare(tables::declare(Env::builder()), form).build().unwrap();
            env.compile(&source).unwrap_or_else(|error| panic!("{source}: {error}"))
        });
        same(&programs[0], &table);
        if !may_not_fit {
            let [columns, rows] = programs.each_ref().map(|program| program.eval_batch(&table.batch).unwrap());
            prop_assert_eq!(columns.array.as_ref(), rows.array.as_ref(), "{}", source);
            let messages = |result: &comptoir_rules::BatchResult<'_>| {
                result.faults.iter().map(|fault| (fault.row, fault.message())).collect::<Vec<_>>()
            };
            prop_assert_eq!(messages(&columns), messages(&rows), "{}", source);
        }
    }

    #[test]
    fn anything_unchecked(seed: u64, depth in 1_usize..4, rows in 0_usize..20) {
        let mut random = Random(seed);
        let table = tables::table(&mut random, rows);
        let source = expressions::any(&mut random, depth);
        let names = ["x", "y", "m"];
        if let Ok(program) = env().compile_unchecked(&source)
            && program.slots().iter().all(|slot| !names.contains(&&*slot.name))
        {
            let program = program.with_budget(100_000);
            let result = program.eval_batch(&table.batch).unwrap();
            prop_assert_eq!(result.array.len(), rows);
        }
    }
}

#[test]
fn blocks_of_many_rows() {
    for seed in 0..6 {
        let mut random = Random(seed * 7919 + 3);
        let rows = 6_000 + random.below(12_000);
        let table = tables::table(&mut random, rows);
        for ty in ['b', 'b', 'b', 'd', 'l'] {
            let source = sources::expression(&mut random, ty, 4);
            same(&env().compile(&source).unwrap(), &table);
        }
    }
}

#[test]
fn threads_do_not_change_a_result() {
    let mut random = Random(5);
    let table = tables::table(&mut random, 70_000);
    let program = env().compile("i > 3 && items.exists(x, x.qty > 2) || s.startsWith('a')").unwrap();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(|| program.eval_batch(&table.batch).unwrap());
    let many = pool(3).install(|| program.eval_batch(&table.batch).unwrap());
    assert_eq!(&one.array, &many.array);
    assert!(one.faults.rows().eq(many.faults.rows()));
}

#[test]
fn a_spent_budget_is_an_error_of_its_row() {
    let table = tables::table(&mut Random(1), 300);
    for budget in [0, 1, 2, 3, 5, 8, 13, 30, 100] {
        for source in
            ["i + j > 3", "s + t == 'x'", "items.all(x, x.qty > 0)", "s.matches('a.*b')", "size(l) > 1"]
        {
            same(&env().compile(source).unwrap().with_budget(budget), &table);
        }
        for source in
            ["s in codes", "size(codes) > 4", "t in codes.map(c, c + s)", "codes.exists(c, c == 'b')"]
        {
            let texts = ["a", "abc", "a text that is long"].map(Value::str);
            let shared = Variables::new().with("codes", Value::list(texts.to_vec()));
            let env =
                tables::declare(Env::builder()).variable("codes", Type::list(Type::String)).build().unwrap();
            let mut table = tables::table(&mut Random(2), 40);
            for row in &mut table.rows {
                *row = row.clone().with("codes", Value::list(texts.to_vec()));
            }
            same_with(&env.compile(source).unwrap().with_budget(budget), &table, &shared);
        }
    }
}

/// A null whose key has a value: that value must not decide.
#[test]
fn a_null_of_a_small_dictionary_has_no_prefix() {
    let keys = Int8Array::new(vec![0, 1, 0].into(), Some(vec![true, true, false].into()));
    let values = StringArray::from(vec!["abc", "b", "not used", "not used either"]);
    let column: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::new(keys, Arc::new(values)));
    let batch = RecordBatch::try_from_iter([("s", column)]).unwrap();
    let program = env().compile("s.startsWith('') ? 1 : 2").unwrap();
    let result = program.eval_batch(&batch).unwrap();
    assert_eq!(result.faults.rows().collect::<Vec<_>>(), [2]);
    let expected = Int64Array::from(vec![Some(1), Some(1), None]);
    assert_eq!(result.array.as_ref(), &expected as &dyn Array);
}

#[test]
fn a_missing_column_is_named() {
    let table = tables::table(&mut Random(1), 3);
    let env = tables::declare(Env::builder()).variable("itms", comptoir_rules::Type::Int).build().unwrap();
    let error = env.compile("itms > 3 && i > 2").unwrap().eval_batch(&table.batch).unwrap_err();
    assert_eq!(error.to_string(), "column `itms` is missing: did you mean `items`?");
    let env = Env::builder().variable("s", comptoir_rules::Type::Int).build().unwrap();
    let error = env.compile("s > 3").unwrap().eval_batch(&table.batch).unwrap_err();
    assert!(error.to_string().starts_with("column `s`: expected an integer, found "), "{error}");
}

#[test]
fn inputs_for_the_whole_batch_and_unknown_ones() {
    let table = tables::table(&mut Random(1), 50);
    let env = tables::declare(Env::builder())
        .variable("codes", comptoir_rules::Type::list(comptoir_rules::Type::String))
        .build()
        .unwrap();
    let program = env.compile("s in codes || i == 3").unwrap();
    let codes = Value::list(vec![Value::str("a"), Value::str("abc")]);
    let shared = Variables::new().with("codes", codes.clone());
    let result = program.eval_batch_with(&table.batch, &shared).unwrap();
    for (row, input) in table.rows.iter().enumerate() {
        let input = input.clone().with("codes", codes.clone());
        match program.eval(&input) {
            Ok(value) => assert_eq!(cells::cell(result.array.as_ref(), row), cells::show(&value)),
            Err(_) => assert!(result.faults.rows().any(|fault| fault == row)),
        }
    }
    let unknown = Value::Unknown(std::sync::Arc::new(comptoir_rules::UnknownSet::of("codes")));
    let shared = Variables::new().with("codes", unknown);
    let result = program.eval_batch_with(&table.batch, &shared).unwrap();
    assert!(!result.faults.is_empty());
    assert!(result.faults.iter().any(|fault| fault.code() == "RULES_UNKNOWN_INPUT"));
}

/// How a function over columns is called: for the rows that need it, a block at a time, and never after it failed.
#[test]
fn calls_of_functions_over_columns() {
    let calls = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = calls.clone();
    let (name, overload) = comptoir_rules::Overload::parse("big(int): bool").unwrap();
    let big = move |args: &[ArrayRef], rows: usize| {
        seen.lock().unwrap().push(rows);
        let values = args[0].as_primitive::<arrow_array::types::Int64Type>();
        Ok(Arc::new(values.iter().map(|value| Some(value? >= 90)).collect::<BooleanArray>()) as ArrayRef)
    };
    let env = Env::builder()
        .variable("i", Type::Int)
        .function(name, overload.bind_columns(big, 1).unwrap())
        .build()
        .unwrap();
    let column: ArrayRef = Arc::new((0..20_000).map(|row| row % 100).collect::<Int64Array>());
    let batch = RecordBatch::try_from_iter([("i", column)]).unwrap();
    let selected = env.compile("big(i) && i > 80").unwrap().select(&batch).unwrap().rows;
    assert_eq!(selected.len(), 2_000);
    let calls = std::mem::take(&mut *calls.lock().unwrap());
    assert_eq!((calls.len(), calls.iter().sum::<usize>()), (3, 3_800), "{calls:?}");
}

#[test]
fn functions_over_columns_that_are_wrong() {
    type Made = fn() -> Result<ArrayRef, EvalError>;
    let wrong: [(Made, &str); 3] = [
        (|| Ok(Arc::new(Int64Array::from(vec![1]))), "function `f(int): int`: gave 1 values for 2 rows"),
        (
            || Ok(Arc::new(StringArray::from(vec!["a", "b"]))),
            "function `f(int): int`: gave a column of utf8, expected an integer",
        ),
        (|| Err(EvalError::new(EvalCode::Host, "the service is down")), "the service is down"),
    ];
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("i", column)]).unwrap();
    for (made, message) in wrong {
        let (name, overload) = comptoir_rules::Overload::parse("f(int): int").unwrap();
        let overload = overload.bind_columns(move |_: &[ArrayRef], _| made(), 1).unwrap();
        let env = Env::builder().variable("i", Type::Int).function(name, overload).build().unwrap();
        for source in ["f(i)", "i > 0 || f(i) > 1"] {
            let result = env.compile(source).unwrap().eval_batch(&batch).map(|result| result.array);
            match source {
                "f(i)" => assert_eq!(result.unwrap_err().to_string(), message),
                // No row needs it.
                _ => assert_eq!(result.unwrap().null_count(), 0),
            }
        }
    }
    for signature in ["f(dyn): int", "f(int): map(string, int)", "f(list(?T)): int", "f(): Item"] {
        let (_, overload) = comptoir_rules::Overload::parse(signature).unwrap();
        let error = overload.bind_columns(|args: &[ArrayRef], _| Ok(args[0].clone()), 1).unwrap_err();
        assert!(error.to_string().contains("are not given to functions"), "{error}");
    }
}
