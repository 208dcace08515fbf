//! Histories of several ranges of rows: what is valued row by row, what passes in waves, what is sorted, and the kernels give the same
//! books.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{
    ArrayRef, Decimal64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use comptoir_costing::arrow::{TableValuation, value_batches};
use comptoir_costing::kernels::{Movements, fifo, moving_average};
use comptoir_costing::policy::{Method, Policy};
use comptoir_types::Date;

const ROWS: usize = 280_000;
const ITEMS: u32 = 1_000;

/// Seeded receipts and issues. Item 7 goes short at a late row; every other item stays in stock. Item 11 is worth more than floats
/// can estimate.
struct History {
    item: Vec<u32>,
    /// Negative for an issue.
    qty: Vec<i64>,
    amount: Vec<i64>,
}

fn history() -> History {
    let mut stock = vec![0_i64; ITEMS as usize];
    let mut history = History { item: Vec::new(), qty: Vec::new(), amount: Vec::new() };
    let mut state = 20_261_125_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for row in 0..ROWS {
        let item = if row == ROWS - 5_000 { 7 } else { u32::try_from(random(u64::from(ITEMS))).unwrap() };
        let on_hand = &mut stock[item as usize];
        let wanted = i64::try_from(random(60)).unwrap() + 1;
        let short = row == ROWS - 5_000;
        let qty = match () {
            () if short => -*on_hand - 1,
            () if random(100) < 55 && wanted <= *on_hand => -wanted,
            () => wanted,
        };
        *on_hand += if short { 0 } else { qty };
        history.item.push(item);
        history.qty.push(qty);
        let price = i64::try_from(random(50_000)).unwrap() * if item == 11 { 1_000_000_007 } else { 1 };
        history.amount.push(if qty > 0 { qty * price } else { 0 });
    }
    history
}

/// The rows of the history in an order, as an Arrow batch.
fn batch(history: &History, order: &[u32]) -> RecordBatch {
    let rows = || order.iter().map(|row| *row as usize);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("movement_id", Arc::new(Int64Array::from_iter_values(order.iter().map(|row| i64::from(*row))))),
        (
            "item",
            Arc::new(
                rows().map(|row| Some(format!("item{:04}", history.item[row]))).collect::<StringArray>(),
            ),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                rows().map(|row| at(row) * 86_400_000_000 / 600),
            )),
        ),
        (
            "kind",
            Arc::new(
                rows()
                    .map(|row| Some(if history.qty[row] > 0 { "receipt" } else { "issue" }))
                    .collect::<StringArray>(),
            ),
        ),
        ("quantity", Arc::new(rows().map(|row| history.qty[row].abs()).collect::<Int64Array>())),
        ("amount", Arc::new(amounts(history, order))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// Several rows share an instant.
fn at(row: usize) -> i64 {
    i64::try_from(row / 3).unwrap()
}

fn amounts(history: &History, order: &[u32]) -> Decimal64Array {
    let amount = |row: &u32| {
        let row = *row as usize;
        (history.qty[row] > 0).then_some(history.amount[row])
    };
    order.iter().map(amount).collect::<Decimal64Array>().with_precision_and_scale(18, 2).unwrap()
}

fn run(batch: &RecordBatch, method: Method) -> TableValuation {
    let policy = Policy { method, ties: comptoir_costing::policy::Ties::Id, ..Policy::default() };
    value_batches(&batch.schema(), vec![batch.clone()], &policy).unwrap()
}

/// Value and value on hand by movement id.
fn lines(valuation: &TableValuation) -> Vec<(i64, i128, i128)> {
    let (_, batches) = valuation.postings_table().unwrap();
    let mut lines = Vec::new();
    for batch in batches {
        let ids = batch.column_by_name("movement_id").unwrap().as_primitive::<Int64Type>();
        let column =
            |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Decimal128Type>().clone();
        let (value, after) = (column("value"), column("on_hand_value"));
        lines.extend((0..ids.len()).map(|row| (ids.value(row), value.value(row), after.value(row))));
    }
    lines.sort_unstable();
    lines
}

/// What the kernels give for all items but the one that goes short.
fn kernel_lines(history: &History, method: Method) -> Vec<(i64, i128, i128)> {
    let rows: Vec<usize> = (0..ROWS).filter(|row| history.item[*row] != 7).collect();
    let pick = |column: &[i64]| rows.iter().map(|row| column[*row]).collect::<Vec<i64>>();
    let item: Vec<u32> = rows.iter().map(|row| history.item[*row]).collect();
    let (qty, amount) = (pick(&history.qty), pick(&history.amount));
    let movements = Movements::new(&item, &qty, &amount, ITEMS as usize).unwrap();
    let (mut value, mut balance) = (vec![0; rows.len()], vec![0; rows.len()]);
    if method == Method::Fifo {
        fifo(movements, &mut value, &mut balance).unwrap();
    } else {
        moving_average(movements, &mut value, &mut balance).unwrap();
    }
    let line = |(row, (value, balance)): (&usize, (&i64, &i64))| {
        (i64::try_from(*row).unwrap(), i128::from(*value), i128::from(*balance))
    };
    rows.iter().zip(value.iter().zip(&balance)).map(line).collect()
}

#[test]
fn waves_sorting_and_kernels_agree() {
    let history = history();
    let ordered: Vec<u32> = (0..).take(ROWS).collect();
    let mut shuffled = ordered.clone();
    // A step prime to the number of rows visits each once.
    shuffled.iter_mut().for_each(|row| *row = u32::try_from(u64::from(*row) * 7_919 % ROWS as u64).unwrap());
    for method in [Method::MovingAverage, Method::Fifo] {
        let (one, other) =
            (run(&batch(&history, &ordered), method), run(&batch(&history, &shuffled), method));
        let own = lines(&one);
        assert_eq!(own.len(), ROWS - 1, "one movement is short");
        assert_eq!(own, lines(&other), "{method:?}: the order of rows");
        let of_seven = |id: i64| history.item[usize::try_from(id).unwrap()] == 7;
        let others: Vec<_> = own.into_iter().filter(|(id, ..)| !of_seven(*id)).collect();
        assert_eq!(others, kernel_lines(&history, method), "{method:?}: the kernels");
        assert_eq!(one.valuation().counts().rejected, 1);
        let day = Date::from_days(100).unwrap();
        let layers = |valuation: &TableValuation| {
            valuation
                .valuation()
                .layers_as_of(day)
                .unwrap()
                .iter()
                .map(|layer| (layer.at, layer.quantity, layer.value))
                .collect::<Vec<_>>()
        };
        let (mut one, mut other) = (layers(&one), layers(&other));
        one.sort_unstable();
        other.sort_unstable();
        assert!(one.len() > 1_000);
        assert_eq!(one, other, "{method:?}: ages");
    }
}

#[test]
fn one_thread_that_values_and_waves_give_the_same_tables() {
    let history = history();
    let ordered: Vec<u32> = (0..).take(ROWS).collect();
    let batch = batch(&history, &ordered);
    let tables = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let valuation = run(&batch, Method::MovingAverage);
            (valuation.postings_table().unwrap(), valuation.balances_table().unwrap())
        })
    };
    // Alone, with another that writes, and in waves.
    let [alone, together, waves] = [1, 2, 6].map(tables);
    assert!(alone == together, "two threads");
    assert!(alone == waves, "six threads");
}
