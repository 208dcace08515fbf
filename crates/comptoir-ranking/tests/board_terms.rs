//! Terms of scores and windows of metrics.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::cast_precision_loss)]

mod board_support;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use board_support::{doubles, items, run, spec, table};
use comptoir_ranking::board::{Board, Context};
use serde_json::{Value as Json, json};

#[test]
fn terms_are_normalised_weighted_and_shown() {
    let extra = json!({"show": {"terms": true, "organic": true}, "score": [
        {"name": "sales", "value": "s", "weight": 2, "normalise": ["log1p", "min_max"]},
        {"name": "price", "value": "price", "weight": -1, "normalise": {"z_score": {"mean": 20, "deviation": 10}}},
    ]});
    let result = run(&extra, Context::default(), &table(&[0.0, f64::exp_m1(1.0), f64::exp_m1(2.0)]));
    assert_eq!(items(&result), ["a", "b", "c"], "all scores are equal");
    let close = |found: Vec<f64>, wanted: [f64; 3]| {
        assert!(found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-12), "{found:?}");
    };
    close(doubles(&result, "term.sales"), [0.0, 1.0, 2.0]);
    close(doubles(&result, "term.price"), [1.0, 0.0, -1.0]);
    close(doubles(&result, "score"), [1.0, 1.0, 1.0]);
}

#[test]
fn evidence_age_and_outliers_have_their_formulas() {
    let score = |normalise: Json| {
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, 7 * 86_400_000_000]));
        let items_of: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let good: ArrayRef = Arc::new(Int64Array::from(vec![8, 8]));
        let all: ArrayRef = Arc::new(Int64Array::from(vec![10, 100]));
        let table =
            RecordBatch::try_from_iter([("item", items_of), ("good", good), ("all", all), ("at", time)])
                .unwrap();
        let extra = json!({"ties": [{"by": "item"}], "score": [{"name": "t", "value": "good", "normalise": normalise}]});
        let now = Context { now: Some("1970-01-08T00:00:00Z".to_owned()), ..Context::default() };
        let result = run(&extra, now, &table);
        let mut found: Vec<_> = items(&result).into_iter().zip(doubles(&result, "score")).collect();
        found.sort_by(|left, right| left.0.cmp(&right.0));
        [found[0].1, found[1].1]
    };
    use comptoir_ranking::normalise;
    let z = 1.959_963_984_540_054;
    assert_eq!(
        score(json!({"wilson": {"trials": "all"}})),
        [normalise::wilson_lower(8.0, 10.0, z), normalise::wilson_lower(8.0, 100.0, z)]
    );
    assert_eq!(
        score(json!({"bayesian": {"count": "all", "prior": 0.5, "weight": 10}})),
        [13.0 / 20.0, 13.0 / 110.0]
    );
    assert_eq!(score(json!({"half_life": {"since": "at", "days": 7}})), [4.0, 8.0]);
    assert_eq!(
        score(json!({"hacker_news": {"since": "at"}})),
        [normalise::hacker_news(8.0, 168.0, 1.8), normalise::hacker_news(8.0, 0.0, 1.8)]
    );
    assert_eq!(
        score(json!({"reddit_hot": {"since": "at"}})),
        [normalise::reddit_hot(8.0, 0.0), normalise::reddit_hot(8.0, 604_800.0)]
    );
    assert_eq!(score(json!([{"floor": {"of": "all", "least": 50}}])), [0.0, 8.0]);
    assert_eq!(score(json!([{"cap": {"high": 3}}, "log1p"])), [f64::ln_1p(3.0); 2]);
    assert_eq!(score(json!("percentile")), [0.5, 0.5]);
    assert_eq!(score(json!({"cap_quantile": {"high": 0.5}})), [8.0, 8.0]);
}

#[test]
fn windows_count_back_from_now() {
    let day = 86_400_000_000_i64;
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, day, 6 * day, 7 * day, 8 * day]));
    let items_of: ArrayRef = Arc::new(StringArray::from(vec!["a"; 5]));
    let units: ArrayRef = Arc::new(Int64Array::from(vec![1, 10, 100, 1000, 10_000]));
    let table = RecordBatch::try_from_iter([("item", items_of), ("units", units), ("at", time)]).unwrap();
    let extra = json!({"time": "at", "score": "week", "show": {"metrics": true}, "metrics": {
        "week": {"sum": "units", "window": "7d"}, "day": {"sum": "units", "window": "24h"}, "all": {"sum": "units"},
        "last": {"last": "units"}, "first_seen": {"min": "at"}, "name": {"max": "item + '!'"},
    }});
    let now = Context { now: Some("1970-01-08T00:00:00Z".to_owned()), ..Context::default() };
    let result = run(&extra, now, &table);
    let of = |name: &str| {
        let explanation = &result.explain("a", None).unwrap()[0];
        explanation.values[name].clone()
    };
    // Seven days before the start of day 7 is the start of day 0, which is outside.
    assert_eq!(
        (of("week"), of("day"), of("all"), of("last")),
        (json!(1110), json!(1000), json!(11_111), json!(10_000))
    );
    assert_eq!(of("name"), json!("a!"));
    assert!(of("first_seen").as_str().unwrap().starts_with("1970-01-01"), "{}", of("first_seen"));
    let error = Board::new(spec(&extra), Context::default()).unwrap().push(&table).unwrap_err().to_string();
    assert_eq!(error, "board spec, metrics.day.window: a window needs `now`: say for when the board is made");
}
