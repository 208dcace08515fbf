use comptoir_types::{Clock, Date, ErrorCode};
use proptest::prelude::*;

use super::super::samples::{date, layer};
use super::*;

const DAYS: Calendar = Calendar::utc(Clock::DAY);

fn on(text: &str) -> i64 {
    i64::from(date(text).days())
}

#[test]
fn an_age_equal_to_the_edge_belongs_to_the_bucket() {
    // 2021-12-10 less 2021-11-10 is 30 days: still in the first bucket; one day more is in the second.
    let layers = [
        layer(0, 7, on("2021-11-10"), 10, 100),
        layer(0, 7, on("2021-11-09"), 20, 300),
        layer(0, 7, on("2021-09-11"), 5, 50),
        layer(0, 7, on("2020-01-01"), 1, 9),
    ];
    let ageing = age(layers, date("2021-12-10"), &[30, 60, 90], DAYS).unwrap();
    assert_eq!(ageing.quantity, [[10], [20], [5], [1]]);
    assert_eq!(ageing.value, [[100], [300], [50], [9]]);
    // (10*30 + 20*31 + 5*90 + 709) / 36 = 2079 / 36 = 57.75
    assert_eq!(ageing.average_age, [Some(5775)]);
    assert_eq!(ageing.oldest, [Some(date("2020-01-01"))]);
    assert_eq!((ageing.closing_quantity[0], ageing.closing_value[0]), (36, 459));
}

#[test]
fn layers_of_a_real_batch_report_land_in_their_buckets() {
    // The open layers of a published stock ageing case; value is ten times the quantity.
    let open = [
        ("2021-08-01", 40),
        ("2021-09-20", 35),
        ("2021-09-25", 40),
        ("2021-10-20", 22),
        ("2021-10-25", 40),
        ("2021-11-20", 14),
        ("2021-11-25", 30),
    ];
    let layers = open.map(|(day, quantity)| layer(0, 0, on(day), quantity, quantity * 10));
    let ageing = age(layers, date("2021-12-10"), &[30, 60, 90], DAYS).unwrap();
    assert_eq!(ageing.totals.quantity, [44, 62, 75, 40]);
    assert_eq!(ageing.totals.value, [440, 620, 750, 400]);
    assert_eq!(ageing.totals.closing_quantity, 221);
}

#[test]
fn a_shortage_stands_in_its_own_column() {
    let day = on("2024-01-01");
    let layers = [layer(1, 0, day, -5, -50), layer(0, 0, day, 4, 40), layer(2, 0, day, 0, 3)];
    let ageing = age(layers, date("2024-01-11"), &[30], DAYS).unwrap();
    assert_eq!(ageing.item, [0, 1, 2]);
    assert_eq!(ageing.quantity, [[4, 0, 0], [0, 0, 0]]);
    assert_eq!(ageing.value, [[40, 0, 3], [0, 0, 0]]);
    assert_eq!(ageing.shortage_quantity, [0, -5, 0]);
    assert_eq!(ageing.shortage_value, [0, -50, 0]);
    assert_eq!(ageing.average_age, [Some(1000), None, None]);
    assert_eq!(ageing.oldest, [Some(date("2024-01-01")), None, None]);
    assert_eq!(ageing.totals.average_age, Some(1000));
}

#[test]
fn wrong_settings_and_layers_are_named() {
    let error = age([], Date::EPOCH, &[30, 30], DAYS).unwrap_err();
    assert_eq!(error.code(), "COSTING_AGEING_BUCKETS");
    let late = OpenLayer { row: 17, ..layer(0, 0, on("2024-05-02"), 1, 1) };
    let error = age([late], date("2024-05-01"), &[], DAYS).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 17: the layer is dated `2024-05-02`, after the ageing date `2024-05-01`"
    );
    let huge = layer(3, 0, 0, i64::MAX, 0);
    let error = age([huge, huge], Date::EPOCH, &[], DAYS).unwrap_err();
    assert_eq!(error.code(), "COSTING_REPORT_OVERFLOW");
    assert_eq!(age([], Date::EPOCH, &[], DAYS).unwrap().totals.oldest, None);
}

#[test]
fn buckets_have_names() {
    assert_eq!(bucket_labels(&[30, 60, 90]), ["0-30", "31-60", "61-90", ">90"]);
    assert_eq!(bucket_labels(&[0]), ["0-0", ">0"]);
    assert_eq!(bucket_labels(&[]), ["0-"]);
}

proptest! {
    /// P12: buckets and shortage are the closing quantity and value, and the order of the layers does not matter.
    #[test]
    fn nothing_is_lost_between_the_buckets(
        drawn in prop::collection::vec((0_u32..4, 0_u32..2, 0_i64..400, -1_000_i64..1_000, -9_999_i64..9_999), 0..60),
        edges in prop::collection::btree_set(0_u32..300, 0..5),
    ) {
        let layers: Vec<OpenLayer> =
            drawn.iter().map(|&(item, pool, at, quantity, value)| layer(item, pool, at, quantity, value)).collect();
        let edges: Vec<u32> = edges.into_iter().collect();
        let as_of = Date::EPOCH.add_days(400).unwrap();
        let ageing = age(layers.iter().copied(), as_of, &edges, DAYS).unwrap();
        for (row, (&item, &pool)) in ageing.item.iter().zip(&ageing.pool).enumerate() {
            let own = layers.iter().filter(|layer| (layer.item, layer.pool) == (item, pool));
            let closing = own.fold((0, 0), |sum, layer| (sum.0 + layer.quantity, sum.1 + layer.value));
            let quantity: i64 = ageing.quantity.iter().map(|column| column[row]).sum();
            let value: i64 = ageing.value.iter().map(|column| column[row]).sum();
            prop_assert_eq!(quantity + ageing.shortage_quantity[row], closing.0);
            prop_assert_eq!(value + ageing.shortage_value[row], closing.1);
            prop_assert_eq!((ageing.closing_quantity[row], ageing.closing_value[row]), closing);
        }
        let all: i128 = ageing.totals.value.iter().sum();
        prop_assert_eq!(all + ageing.totals.shortage_value, ageing.totals.closing_value);
        let backwards = age(layers.into_iter().rev(), as_of, &edges, DAYS).unwrap();
        prop_assert_eq!(backwards, ageing);
    }
}
