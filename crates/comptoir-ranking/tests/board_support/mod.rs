//! A small table and boards of it.
#![allow(dead_code, reason = "each test program uses some")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_wrap)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use comptoir_ranking::board::{Board, BoardResult, BoardSpec, Context};
use serde_json::{Value as Json, json};

/// Items `a`, `b`, ... with these scores, prices 10, 20, ... and brands `x` and `y` in turn.
pub fn table(scores: &[f64]) -> RecordBatch {
    let items: ArrayRef = Arc::new(
        (b'a'..).map(|item| Some((item as char).to_string())).take(scores.len()).collect::<StringArray>(),
    );
    let price: ArrayRef =
        Arc::new(Int64Array::from_iter_values((1..=scores.len() as i64).map(|price| price * 10)));
    let brand: ArrayRef =
        Arc::new((0..scores.len()).map(|row| Some(["x", "y"][row % 2])).collect::<StringArray>());
    let score: ArrayRef = Arc::new(Float64Array::from(scores.to_vec()));
    RecordBatch::try_from_iter([("item", items), ("price", price), ("brand", brand), ("s", score)]).unwrap()
}

pub fn spec(extra: &Json) -> BoardSpec {
    let mut spec = json!({"id": "b", "item": "item", "score": "s", "k": 3, "slack": 3});
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    BoardSpec::from_json(&spec.to_string()).unwrap()
}

pub fn run(extra: &Json, context: Context, table: &RecordBatch) -> BoardResult {
    let mut board = Board::new(spec(extra), context).unwrap();
    board.push(table).unwrap();
    board.finish().unwrap()
}

pub fn items(result: &BoardResult) -> Vec<String> {
    let items = result.table.column_by_name("item").unwrap().as_string::<i32>();
    items.iter().flatten().map(str::to_owned).collect()
}

pub fn doubles(result: &BoardResult, name: &str) -> Vec<f64> {
    result.table.column_by_name(name).unwrap().as_primitive::<Float64Type>().values().to_vec()
}
