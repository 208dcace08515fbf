//! Explanations of the places of items.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod board_support;

use board_support::{items, run, table};
use comptoir_ranking::arrange::PinFault;
use comptoir_ranking::board::{Absence, Context, Reason};
use serde_json::json;

#[test]
fn an_item_is_explained() {
    let extra = json!({"ties": [{"by": "price"}], "interventions": [
        {"id": "h", "items": ["b"], "hide": true}, {"id": "u", "when": "brand == 'y'", "boost": {"factor": 2}},
        {"id": "p", "items": ["c"], "pin": 1},
    ], "k": 2, "slack": 1, "eligibility": "price < 60"});
    let table = table(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
    let result = run(&extra, Context::default(), &table);
    assert_eq!(items(&result), ["c", "a"]);
    let of = |item: &str| result.explain_in(&table, item, None).unwrap().remove(0);
    let pinned = of("c");
    assert_eq!((pinned.position, pinned.organic_position, pinned.absence), (Some(1), Some(3), None));
    assert_eq!(
        (pinned.interventions[0].id.as_str(), pinned.interventions[0].effect.as_str()),
        ("p", "pin to 1")
    );
    let displaced = of("d");
    let by_pin = Absence::Displaced { by: vec!["p".to_owned()] };
    assert_eq!((displaced.organic_position, displaced.absence), (Some(2), Some(by_pin)));
    assert_eq!((displaced.score, displaced.organic_score), (Some(json!(6.0)), Some(json!(3.0))));
    assert_eq!(displaced.ties, [("price".to_owned(), json!(40))]);
    assert_eq!(displaced.values["brand"], json!("y"));
    assert_eq!(of("b").absence, Some(Absence::Hidden { by: vec!["h".to_owned()] }));
    assert_eq!(of("f").absence, Some(Absence::NotEligible));
    assert_eq!(result.explain_in(&table, "zz", Some(&[])).unwrap()[0].absence, Some(Absence::NotFound));
    assert_eq!(result.explain("e", Some(&[])).unwrap()[0].absence, Some(Absence::TooLow));
}

#[test]
fn an_explanation_says_what_was_done_and_what_was_not() {
    let table = table(&[6.0, 5.0, 4.0, 3.0]);
    let now = Context { now: Some("2026-11-01T00:00:00Z".to_owned()), ..Context::default() };
    let extra = json!({
        "interventions": [
            {"id": "one", "items": ["d", "b"], "pin": 1}, {"id": "two", "items": ["c"], "pin": 1},
            {"id": "up", "items": ["c"], "boost": {"factor": 8.0}}, {"id": "more", "when": "item == 'c'", "boost": {"factor": 5.0}},
            {"id": "later", "when": "price == 30", "hide": true, "valid_from": "2026-12-01T00:00:00Z"},
        ],
    });
    let result = run(&extra, now.clone(), &table);
    let of = |item: &str| result.explain(item, None).unwrap().remove(0);
    let told = of("c");
    let boost = told.boost.unwrap();
    assert_eq!((boost.factor, boost.addition, boost.is_bounded), (10.0, 0.0, true));
    assert_eq!((told.score, told.organic_score), (Some(json!(40.0)), Some(json!(4.0))));
    let effects: Vec<_> =
        told.interventions.iter().map(|one| (one.id.as_str(), &one.fault, &one.reason)).collect();
    let taken = Some(PinFault::Taken { by: "one".to_owned() });
    let expected = [
        ("more", &None, &None),
        ("two", &taken, &None),
        ("up", &None, &None),
        ("later", &None, &Some(Reason::NotYet)),
    ];
    assert_eq!(effects, expected);
    assert_eq!(of("b").interventions[0].effect, "pin to 2", "the second of the list");
    assert_eq!(of("a").absence, Some(Absence::Displaced { by: vec!["one".to_owned()] }));
    assert_eq!(of("d").boost, None);
    // A window gives the place of an item to another one.
    let apart = json!({"k": 2, "constraints": [{"id": "apart", "window": {"key": "cheap", "most": 1, "width": 2}}],
        "metrics": {"s": {"sum": "s"}, "cheap": {"max": "price < 25"}}});
    let result = run(&apart, now, &table);
    let told = result.explain("b", None).unwrap().remove(0);
    assert_eq!(told.absence, Some(Absence::Displaced { by: vec!["apart".to_owned()] }));
}

#[test]
fn without_explanations_only_what_is_shown_is_kept() {
    let table = table(&[6.0, 5.0, 4.0, 3.0]);
    let extra = json!({
        "interventions": [{"id": "up", "when": "price == 40", "boost": {"factor": 8.0}}, {"id": "p", "items": ["c"], "pin": 1}],
        "constraints": [{"id": "brand", "window": {"key": "brand", "most": 1, "width": 2}}], "k": 3,
    });
    let with = |show: &serde_json::Value| {
        let mut extra = extra.clone();
        extra["show"] = show.clone();
        run(&extra, Context::default(), &table)
    };
    let (explained, plain) = (with(&json!({})), with(&json!({"explain": false})));
    assert_eq!(plain.table, explained.table);
    assert_eq!(plain.report, explained.report);
    let of = |result: &comptoir_ranking::board::BoardResult| result.explain("c", None).unwrap().remove(0);
    let (told, short) = (of(&explained), of(&plain));
    assert_eq!(told.values.keys().collect::<Vec<_>>(), ["brand", "price", "s"]);
    assert_eq!(short.values.keys().collect::<Vec<_>>(), ["brand"], "the constraint reads it");
    assert_eq!((short.position, &short.score), (told.position, &told.score));
    assert_eq!((short.organic_score, short.boost.is_none()), (None, true));
}
