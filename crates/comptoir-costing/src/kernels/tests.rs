//! The kernels against plain forms of the same definitions, in integers without bound.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;

/// Columns of movements with their days.
#[derive(Clone, Debug)]
struct History {
    item: Vec<u32>,
    qty: Vec<i64>,
    amount: Vec<i64>,
    day: Vec<i32>,
    items: usize,
}

impl History {
    fn movements(&self) -> Movements<'_> {
        Movements::new(&self.item, &self.qty, &self.amount, self.items).unwrap()
    }
}

/// `value * numerator / denominator`, half to even, by the definition.
fn share(value: i128, numerator: i128, denominator: i128) -> i128 {
    let product = value * numerator;
    let (floor, rest) = (product.div_euclid(denominator), product.rem_euclid(denominator));
    match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Equal => floor + (floor & 1),
        std::cmp::Ordering::Greater => floor + 1,
    }
}

/// Value and balance of each movement, by the definition of the moving average.
fn average_oracle(history: &History) -> Vec<(i128, i128)> {
    let mut stocks = vec![(0_i128, 0_i128); history.items];
    let rows = history.item.iter().zip(&history.qty).zip(&history.amount);
    rows.map(|((&item, &qty), &amount)| {
        let (on_hand, value) = &mut stocks[item as usize];
        let qty = i128::from(qty);
        let moved = if qty > 0 { amount.into() } else { -share(*value, -qty, *on_hand) };
        *on_hand += qty;
        *value += moved;
        (moved, *value)
    })
    .collect()
}

/// Layers of an item: row, quantity and value left.
type Layers = VecDeque<(usize, i128, i128)>;

/// Value and balance of each movement, and the open layers, by the definition of first in, first out.
fn fifo_oracle(history: &History) -> (Vec<(i128, i128)>, Vec<OpenLayer>) {
    let mut queues = vec![Layers::new(); history.items];
    let mut results = Vec::new();
    for (row, &item) in history.item.iter().enumerate() {
        let (layers, mut qty) = (&mut queues[item as usize], i128::from(history.qty[row]));
        let mut moved = 0;
        if qty > 0 {
            moved = history.amount[row].into();
            layers.push_back((row, qty, moved));
        }
        while qty < 0 {
            let (_, left, value) = layers.front_mut().unwrap();
            let taken = (-qty).min(*left);
            let cost = if taken == *left { *value } else { share(*value, taken, *left) };
            (*left, *value, qty, moved) = (*left - taken, *value - cost, qty + taken, moved - cost);
            if *left == 0 {
                layers.pop_front();
            }
        }
        results.push((moved, layers.iter().map(|layer| layer.2).sum()));
    }
    let open = queues.iter().flatten().map(|&(row, qty, value)| OpenLayer {
        item: history.item[row],
        day: history.day[row],
        qty: qty.try_into().unwrap(),
        value: value.try_into().unwrap(),
    });
    (results, open.collect())
}

/// How large the numbers of a history are: quantities and amounts up to these.
#[derive(Clone, Copy, Debug)]
struct Scale {
    qty: i64,
    amount: i64,
}

/// A history without negative stock. Issues take a random share or, often, all of what is on hand.
fn history(max_rows: usize, max_items: usize) -> impl Strategy<Value = History> {
    let scale = prop_oneof![
        Just(Scale { qty: 4, amount: 20 }),
        Just(Scale { qty: 100_000, amount: 500_000_000 }),
        Just(Scale { qty: 1 << 30, amount: 1 << 46 }),
        Just(Scale { qty: 1 << 44, amount: 1 << 52 }),
        Just(Scale { qty: 1 << 50, amount: 1 << 53 }),
    ];
    let rows =
        proptest::collection::vec((any::<u32>(), any::<u64>(), any::<i64>(), any::<u8>()), 0..max_rows);
    (scale, 1..=max_items, rows).prop_map(|(scale, items, seeds)| {
        let mut on_hand = vec![0_i64; items];
        let mut history = History { item: vec![], qty: vec![], amount: vec![], day: vec![], items };
        for (row, (item, size, amount, choice)) in seeds.into_iter().enumerate() {
            let item = item as usize % items;
            let most = |limit: i64| 1 + i64::try_from(size % limit.unsigned_abs()).unwrap();
            let qty = match choice {
                _ if on_hand[item] == 0 => most(scale.qty),
                0..100 => most(scale.qty),
                100..130 => -on_hand[item],
                _ => -most(on_hand[item]),
            };
            on_hand[item] += qty;
            history.item.push(item.try_into().unwrap());
            history.qty.push(qty);
            history.amount.push(amount % scale.amount);
            history.day.push(i32::try_from(row / 7).unwrap());
        }
        history
    })
}

/// Runs in a pool of a number of threads.
fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

fn check_average(history: &History) -> Result<(), TestCaseError> {
    let rows = history.item.len();
    let (mut value, mut balance) = (vec![0; rows], vec![0; rows]);
    let stocks = moving_average(history.movements(), &mut value, &mut balance).unwrap();
    for (row, expected) in average_oracle(history).into_iter().enumerate() {
        prop_assert_eq!((value[row].into(), balance[row].into()), expected, "row {}", row);
    }
    let on_hand: i128 = stocks.iter().map(|stock| i128::from(stock.value)).sum();
    prop_assert_eq!(on_hand, value.iter().map(|&value| i128::from(value)).sum::<i128>());
    Ok(())
}

fn check_fifo(history: &History) -> Result<(), TestCaseError> {
    let rows = history.item.len();
    let (expected, open) = fifo_oracle(history);
    for threads in [1, 3] {
        let (mut value, mut balance) = (vec![0; rows], vec![0; rows]);
        with_threads(threads, || fifo(history.movements(), &mut value, &mut balance)).unwrap();
        for (row, &expected) in expected.iter().enumerate() {
            prop_assert_eq!(
                (value[row].into(), balance[row].into()),
                expected,
                "row {} threads {}",
                row,
                threads
            );
        }
        let layers = with_threads(threads, || closing_layers(history.movements(), &history.day)).unwrap();
        prop_assert_eq!(&layers, &open);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn average_of_few_items(history in history(3_000, 20)) {
        check_average(&history)?;
    }

    #[test]
    fn average_of_few_movements_per_item(mut history in history(3_000, 600)) {
        // Above the bound from which rows are valued in blocks.
        history.items += 10_000;
        check_average(&history)?;
    }

    #[test]
    fn first_in_first_out(history in history(3_000, 700)) {
        check_fifo(&history)?;
    }

    #[test]
    fn first_in_first_out_of_few_items(history in history(600, 3)) {
        check_fifo(&history)?;
    }

    #[test]
    fn ages_sum_to_the_stock(history in history(600, 30), as_of in -20_i32..120) {
        let layers = closing_layers(history.movements(), &history.day).unwrap();
        let buckets = age_buckets(&layers, as_of, &[0, 10, 30]).unwrap();
        let total = |of: fn(&AgeBucket) -> i128| buckets.iter().map(of).sum::<i128>();
        prop_assert_eq!(total(|bucket| bucket.qty), layers.iter().map(|layer| i128::from(layer.qty)).sum::<i128>());
        prop_assert_eq!(total(|bucket| bucket.value), layers.iter().map(|layer| i128::from(layer.value)).sum::<i128>());
        let young = layers.iter().filter(|layer| as_of - layer.day < 10 && as_of >= layer.day);
        prop_assert_eq!(buckets[1].qty, young.map(|layer| i128::from(layer.qty)).sum::<i128>());
    }
}

/// A long history in which quantities and amounts repeat without a common period.
fn long_history(rows: u32, items: u32, unit: i64) -> History {
    let mut history =
        History { item: vec![], qty: vec![], amount: vec![], day: vec![], items: items as usize };
    let mut on_hand = vec![0_i64; items as usize];
    for row in 0..rows {
        let item = row.wrapping_mul(2_654_435_761) >> 7;
        let item = (item % items).min((item >> 9) % items);
        let on_hand = &mut on_hand[item as usize];
        let wanted = i64::from(row % 59 + 1) * unit;
        let is_receipt = *on_hand == 0 || row % 5 < 2;
        let qty = if is_receipt { i64::from(row % 97 + 1) * unit } else { -wanted.min(*on_hand) };
        *on_hand += qty;
        history.item.push(item);
        history.qty.push(qty);
        history.amount.push(i64::from(row % 7_919) * 1_013 - 9);
        history.day.push(i32::try_from(row / 1_000).unwrap());
    }
    history
}

#[test]
fn long_histories_agree() {
    // Longer than the stretches in which the walk back selects rows.
    let history = long_history(400_000, 5_000, 1_000);
    check_average(&history).unwrap();
    check_fifo(&history).unwrap();
}

#[test]
fn large_quantities_take_the_general_form() {
    // Totals beyond 2^50, 2^53 and 2^63, on hand beyond 2^50 in some rows.
    for unit in [1 << 37, 1 << 42, 1 << 44] {
        let history = long_history(3_000, 3, unit);
        check_average(&history).unwrap();
        check_fifo(&history).unwrap();
    }
}

#[test]
fn balances_at_the_limit() {
    // A quantity on hand that reaches 10^18 in the last row, by steps that each fit.
    let (item, amount) = ([0; 5], [1; 5]);
    let qty = [AMOUNT_LIMIT / 4, AMOUNT_LIMIT / 4, AMOUNT_LIMIT / 4, AMOUNT_LIMIT / 4 - 1, 1];
    assert_eq!(errors(&item, &qty, &amount, 1), KernelError::AmountRange { column: "qty", row: 4 });
    let layers = closing_layers(Movements::new(&item[..4], &qty[..4], &amount[..4], 1).unwrap(), &[0; 4]);
    assert_eq!(layers.unwrap().iter().map(|layer| layer.qty).sum::<i64>(), AMOUNT_LIMIT - 1);
}

#[test]
fn balances_of_value_beyond_the_limit_go_unnoticed_in_closing_layers() {
    // As documented: 10^18 in value by receipts below 2^49, which `fifo` refuses.
    let rows = 2_000;
    let (item, qty, amount) = (vec![0; rows], vec![1; rows], vec![(1 << 49) - 1; rows]);
    let movements = Movements::new(&item, &qty, &amount, 1).unwrap();
    let (mut value, mut balance) = (vec![0; rows], vec![0; rows]);
    let row = usize::try_from(AMOUNT_LIMIT / ((1 << 49) - 1)).unwrap();
    let refused = KernelError::AmountRange { column: "amount", row };
    assert_eq!(fifo(movements, &mut value, &mut balance).unwrap_err(), refused);
    let layers = closing_layers(movements, &vec![0; rows]).unwrap();
    assert_eq!(layers.len(), rows);
    assert_eq!(age_buckets(&layers, 0, &[]).unwrap()[0].value, i128::from(amount[0]) * 2_000);
}

#[test]
fn ages_at_the_ends_of_the_calendar() {
    let layer = |day| OpenLayer { item: 0, day, qty: 1, value: 1 };
    let layers = [layer(i32::MIN), layer(i32::MAX), layer(0)];
    let counts = |as_of, edges: &[i32]| -> Vec<i128> {
        age_buckets(&layers, as_of, edges).unwrap().iter().map(|bucket| bucket.qty).collect()
    };
    assert_eq!(counts(i32::MAX, &[i32::MIN, 0, i32::MAX]), [0, 0, 1, 2]);
    assert_eq!(counts(i32::MIN, &[i32::MIN, 0, i32::MAX]), [1, 1, 1, 0]);
    let many: Vec<i32> = (0..100).collect();
    assert_eq!(counts(50, &many)[51], 1);
}

/// The outcome of each kernel, which must be the same error.
fn errors(item: &[u32], qty: &[i64], amount: &[i64], items: usize) -> KernelError {
    let movements = Movements::new(item, qty, amount, items).unwrap();
    let (mut value, mut balance) = (vec![0; item.len()], vec![0; item.len()]);
    let average = moving_average(movements, &mut value, &mut balance).unwrap_err();
    assert_eq!(fifo(movements, &mut value, &mut balance).unwrap_err(), average);
    assert_eq!(closing_layers(movements, &vec![0; item.len()]).unwrap_err(), average);
    average
}

#[test]
fn wrong_rows_are_named() {
    assert_eq!(
        errors(&[0, 3, 9], &[1, 1, -1], &[1; 3], 3),
        KernelError::ItemCode { row: 1, code: 3, items: 3 }
    );
    assert_eq!(errors(&[0, 0, 9], &[1, 0, -1], &[1; 3], 3), KernelError::ZeroQty { row: 1 });
    let negative = KernelError::NegativeStock { row: 1, on_hand: 5, issued: 6 };
    assert_eq!(errors(&[2, 2, 2], &[5, -6, 10], &[1; 3], 3), negative);
    let too_much = KernelError::AmountRange { column: "amount", row: 1 };
    assert_eq!(errors(&[0, 0], &[1, 1], &[1, AMOUNT_LIMIT], 1), too_much);
    assert_eq!(errors(&[0, 0], &[1, 1], &[AMOUNT_LIMIT - 1, 1], 1), too_much);
    assert_eq!(errors(&[0, 0], &[1, 1], &[1, i64::MIN], 1), too_much);
    let too_many = KernelError::AmountRange { column: "qty", row: 0 };
    assert_eq!(errors(&[0], &[AMOUNT_LIMIT], &[1], 1), too_many);
    assert_eq!(errors(&[0], &[i64::MIN], &[1], 1), too_many);
}

#[test]
fn a_wrong_row_after_many_blocks_is_named() {
    let rows = 100_000_u32;
    let item: Vec<u32> = (0..rows).map(|row| row % 5_000).collect();
    let mut qty = vec![1_i64; rows as usize];
    qty[77_777] = -100;
    let on_hand = 77_777 / 5_000;
    assert_eq!(
        errors(&item, &qty, &vec![1; rows as usize], 5_000),
        KernelError::NegativeStock { row: 77_777, on_hand, issued: 100 }
    );
}

#[test]
fn columns_have_one_length() {
    let expected = KernelError::Length { column: "qty", found: 1, expected: 2 };
    assert_eq!(Movements::new(&[0, 0], &[1], &[1, 1], 1).unwrap_err(), expected);
    let movements = Movements::new(&[0], &[1], &[1], 1).unwrap();
    let expected = KernelError::Length { column: "balance", found: 0, expected: 1 };
    assert_eq!(moving_average(movements, &mut [0], &mut []).unwrap_err(), expected);
    assert_eq!(fifo(movements, &mut [0], &mut []).unwrap_err(), expected);
    assert_eq!(expected.to_string(), "column `balance` has 0 rows where column `item` has 1");
}

#[test]
fn nothing_is_valued_as_nothing() {
    let movements = Movements::new(&[], &[], &[], 0).unwrap();
    assert_eq!(moving_average(movements, &mut [], &mut []).unwrap(), []);
    fifo(movements, &mut [], &mut []).unwrap();
    assert_eq!(closing_layers(movements, &[]).unwrap(), []);
}

#[test]
fn edges_must_ascend() {
    assert_eq!(age_buckets(&[], 0, &[30, 30]), None);
    assert_eq!(age_buckets(&[], 0, &[]), Some(vec![AgeBucket::default()]));
}
