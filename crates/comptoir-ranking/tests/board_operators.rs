//! Interventions, terms, constraints and pins of boards.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::cast_precision_loss)]

mod board_support;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use board_support::{items, run, spec, table};
use comptoir_ranking::board::{Board, BoardSpec, Context, UnmetReason};
use comptoir_types::ErrorCode;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn plain(extra: &Json) -> Vec<String> {
    items(&run(extra, Context::default(), &table(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0])))
}

#[test]
fn operators_hide_boost_bury_and_pin() {
    assert_eq!(plain(&json!({})), ["a", "b", "c"]);
    assert_eq!(
        plain(&json!({"interventions": [{"id": "h", "items": ["b"], "hide": true}]})),
        ["a", "c", "d"]
    );
    assert_eq!(
        plain(&json!({"interventions": [{"id": "h", "when": "brand == 'x'", "hide": true}]})),
        ["b", "d", "f"]
    );
    assert_eq!(plain(&json!({"interventions": [{"id": "p", "items": ["f"], "pin": 1}]})), ["f", "a", "b"]);
    let boost = json!({"interventions": [{"id": "u", "items": ["d"], "boost": {"factor": 3.0}}]});
    assert_eq!(plain(&boost), ["d", "a", "b"]);
    let bury = json!({"interventions": [{"id": "d", "items": ["a"], "bury": {"subtract": 100}}], "boost_bounds": {"addition": 2}});
    assert_eq!(plain(&bury), ["b", "a", "c"], "only 2 of the 100 may be subtracted");
    let many = json!({"interventions": [
        {"id": "u", "items": ["f"], "boost": {"factor": 8.0}}, {"id": "v", "items": ["f"], "boost": {"factor": 8.0}},
    ], "boost_bounds": {"factor": 5.5}});
    assert_eq!(plain(&many), ["a", "f", "b"], "1 x 5.5 and not x 64");
}

#[test]
fn hiding_is_stronger_than_pinning_and_so_is_eligibility() {
    let extra = json!({"eligibility": "price != 50", "interventions": [
        {"id": "h", "items": ["f"], "hide": true},
        {"id": "p", "items": ["e", "f", "d", "zz"], "pin": 1, "priority": 9},
    ]});
    let result = run(&extra, Context::default(), &table(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]));
    assert_eq!(items(&result), ["d", "a", "b"]);
    let found: Vec<_> = result.report.unpinned.iter().map(|pin| (pin.item.as_str(), pin.position)).collect();
    assert_eq!(found, [("e", 1), ("f", 2), ("d", 3), ("zz", 4)]);
    let json = serde_json::to_value(&result.report).unwrap();
    assert_eq!(json["unpinned"][0]["code"], "not_shown");
    assert_eq!((&json["unpinned"][2]["code"], &json["unpinned"][2]["to"]), (&json!("moved_up"), &json!(1)));
    assert_eq!(
        (&json["unpinned"][3]["code"], &json["unpinned"][3]["k"]),
        (&json!("beyond_board"), &json!(3))
    );
    assert_eq!(result.report.hidden, 1);
}

#[test]
fn two_pins_on_one_place_are_decided_by_priority_then_id() {
    let extra = json!({"interventions": [
        {"id": "q", "items": ["e"], "pin": 2}, {"id": "p", "items": ["f"], "pin": 2}, {"id": "r", "items": ["d"], "pin": 2},
    ]});
    let result = run(&extra, Context::default(), &table(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]));
    assert_eq!(items(&result), ["a", "f", "b"]);
    let json = serde_json::to_value(&result.report.unpinned).unwrap();
    let found: Vec<_> =
        json.as_array().unwrap().iter().map(|pin| (&pin["id"], &pin["code"], &pin["by"])).collect();
    assert_eq!(
        found,
        [(&json!("q"), &json!("taken"), &json!("p")), (&json!("r"), &json!("taken"), &json!("p"))]
    );
}

#[test]
fn constraints_shape_the_board_and_what_cannot_be_met_is_reported() {
    let quota = json!({"constraints": [{"id": "cheap", "band": {"when": "price >= 40", "at_least": 1, "of_first": 2}}]});
    assert_eq!(plain(&quota), ["a", "d", "b"]);
    let window =
        json!({"constraints": [{"id": "brands", "window": {"key": "brand", "most": 1, "width": 2}}]});
    assert_eq!(plain(&window), ["a", "b", "c"]);
    assert_eq!(plain(&json!({"k": 2, "constraints": [{"id": "one", "one_per": "brand"}]})), ["a", "b"]);
    let impossible =
        json!({"constraints": [{"id": "dear", "band": {"when": "price > 500", "least_share": "50%"}}]});
    let result = run(&impossible, Context::default(), &table(&[6.0, 5.0, 4.0, 3.0]));
    assert_eq!(items(&result), ["a", "b", "c"]);
    let unmet = &result.report.unmet[0].shortfall;
    assert_eq!((unmet.id.as_str(), unmet.position, unmet.found, unmet.least), ("dear", 2, 0, 1));
    assert_eq!(result.report.unmet[0].reason, UnmetReason::TooFew);
}

#[test]
fn a_constraint_that_is_not_met_has_a_reason() {
    // The prices of a, b and c differ from those that follow; of brands there are two.
    let best = |id: &str, priority: i32, item: &str| json!({"id": id, "priority": priority, "band": {"when": format!("item == '{item}'"), "at_least": 1, "of_first": 1}});
    let reasons = |extra: &Json| {
        let result = run(extra, Context::default(), &table(&[6.0, 5.0, 4.0, 3.0]));
        let reason = |unmet: &comptoir_ranking::board::Unmet| (unmet.shortfall.id.clone(), unmet.reason);
        (items(&result), result.report.unmet.iter().map(reason).collect::<Vec<_>>())
    };
    let (board, unmet) =
        reasons(&json!({"slack": 5, "constraints": [best("low", 1, "b"), best("high", 2, "c")]}));
    assert_eq!((board[0].as_str(), unmet), ("c", vec![("low".to_owned(), UnmetReason::CannotBeMet)]));
    let pinned = json!({
        "slack": 5, "constraints": [best("top", 1, "b")], "interventions": [{"id": "p", "items": ["a"], "pin": 1}],
    });
    let (board, unmet) = reasons(&pinned);
    assert_eq!((board[0].as_str(), unmet), ("a", vec![("top".to_owned(), UnmetReason::Pins)]));
}

#[test]
fn a_board_that_ends_early_is_reported() {
    let once = json!({"constraints": [{"id": "once", "one_per": "brand", "strict": true}], "slack": 5});
    let result = run(&once, Context::default(), &table(&[6.0, 5.0, 4.0, 3.0]));
    assert_eq!(items(&result), ["a", "b"]);
    let early = &result.report.ended_early[0];
    assert_eq!((early.by.as_slice(), early.places, early.of), (["once".to_owned()].as_slice(), 2, 3));
    assert!(result.report.unmet.is_empty());
}

#[test]
fn alike_items_are_moved_apart() {
    let diverse = json!({"diversity": {"lambda": 0.3, "key": "price"}, "k": 6});
    assert_eq!(plain(&diverse), ["a", "b", "c", "d", "e", "f"], "no two are alike");
    let diverse = json!({"diversity": {"lambda": 0.3, "key": "brand"}, "k": 3});
    assert_eq!(plain(&diverse), ["a", "b", "c"]);
    let vectors = arrow_array::FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(
        [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]].map(|vector| Some(vector.map(Some))),
        2,
    );
    let items_of: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let score: ArrayRef = Arc::new(Float64Array::from(vec![3.0, 2.9, 1.0]));
    let table =
        RecordBatch::try_from_iter([("item", items_of), ("v", Arc::new(vectors) as ArrayRef), ("s", score)])
            .unwrap();
    let result = run(&json!({"diversity": {"lambda": 0.4, "vector": "v"}}), Context::default(), &table);
    assert_eq!(items(&result), ["a", "c", "b"]);
}

#[test]
fn an_intervention_counts_in_its_scope_its_time_and_its_share() {
    let with = |scope: Json| {
        let mut hide = json!({"id": "h", "items": ["a"], "hide": true});
        hide.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
        json!({"interventions": [hide]})
    };
    let now = |text: &str| Context { now: Some(text.to_owned()), ..Context::default() };
    let first = |scope: Json, context: Context| {
        let result = run(&with(scope), context, &table(&[3.0, 2.0, 1.0]));
        let reason = serde_json::to_value(&result.report.interventions[0].reason).unwrap();
        (items(&result)[0].clone(), reason["code"].as_str().unwrap_or("").to_owned())
    };
    let is =
        |left: (String, String), item: &str, code: &str| assert_eq!(left, (item.to_owned(), code.to_owned()));
    let spring = json!({"valid_from": "2024-03-01T00:00:00Z", "valid_until": "2024-06-01T00:00:00Z"});
    is(first(spring.clone(), now("2024-02-29T23:59:59Z")), "a", "not_yet");
    is(first(spring.clone(), now("2024-03-01T00:00:00Z")), "b", "");
    is(first(spring.clone(), now("2024-06-01T00:00:00Z")), "a", "over");
    let forced = Context { force: [("h".to_owned(), true)].into(), ..now("2025-01-01T00:00:00Z") };
    is(first(spring, forced), "b", "");
    is(first(json!({"boards": ["other"]}), Context::default()), "a", "other_board");
    is(first(json!({"boards": ["other", "b"]}), Context::default()), "b", "");
    let gold = json!({"audience": "audience.tier == 'gold'"});
    let tier = |tier: &str| Context {
        audience: Some(json!({"tier": tier}).as_object().unwrap().clone()),
        ..Context::default()
    };
    is(first(gold.clone(), Context::default()), "a", "no_audience");
    is(first(gold.clone(), tier("gold")), "b", "");
    is(first(gold.clone(), tier("iron")), "a", "other_audience");
    let none = Context { audience: Some(serde_json::Map::new()), ..Context::default() };
    is(first(gold, none), "a", "audience_fault");
    is(first(json!({"share": "100%"}), Context::default()), "a", "no_unit");
}

#[test]
fn a_raised_share_keeps_those_who_are_in() {
    let inside = |share: &str, unit: usize| {
        let extra = json!({"interventions": [{"id": "h", "items": ["a"], "hide": true, "share": share}]});
        let context = Context { unit: Some(format!("user {unit}")), ..Context::default() };
        items(&run(&extra, context, &table(&[3.0, 2.0])))[0] == "b"
    };
    let counts =
        ["1%", "20%", "100%"].map(|share| (0..300).filter(|unit| inside(share, *unit)).collect::<Vec<_>>());
    assert!(counts[0].iter().all(|unit| counts[1].contains(unit)));
    assert!((30..90).contains(&counts[1].len()));
    assert_eq!(counts[2].len(), 300);
}

#[test]
fn a_wrong_intervention_is_named_by_its_field() {
    let error = |extra: Json| {
        let mut spec = json!({"id": "b", "item": "item", "score": "s", "k": 3});
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        match BoardSpec::from_json(&spec.to_string()) {
            Err(error) => error.to_string(),
            Ok(spec) => match Board::new(spec, Context::default()) {
                Err(error) => error.to_string(),
                Ok(mut board) => board.push(&table(&[1.0])).unwrap_err().to_string(),
            },
        }
    };
    let one = |intervention: Json| error(json!({"interventions": [intervention]}));
    assert!(
        one(json!({"id": "x", "items": ["a"]})).contains("interventions[0]: `x`: expected exactly one of")
    );
    assert!(one(json!({"id": "x", "items": ["a"], "pin": 0})).contains("interventions[0].pin"));
    assert!(one(json!({"id": "x", "when": "true", "pin": 1})).contains("a pin needs `items`"));
    assert!(
        one(json!({"id": "x", "items": ["a"], "boost": {"factor": 0.5}})).contains("interventions[0].boost")
    );
    assert!(one(json!({"id": "x", "items": ["a"], "boost": {"add": 1}})).contains("needs a bound"));
    assert!(
        one(json!({"id": "x", "when": "prize > 1", "hide": true}))
            .contains("interventions[0].when: 1:1: undeclared name `prize`")
    );
    assert!(
        one(json!({"id": "x", "items": ["a"], "hide": true, "valid_from": "soon"}))
            .contains("interventions[0].valid_from")
    );
    let never = json!({
        "id": "x", "items": ["a"], "hide": true,
        "valid_from": "2026-12-01T00:00:00Z", "valid_until": "2026-11-01T00:00:00Z",
    });
    assert!(one(never).contains("interventions[0].valid_until: `x`: it never counts"));
    assert!(one(json!({"id": "x", "items": ["a"], "hide": true, "share": "200%"})).contains("share"));
    let twice = json!({"id": "x", "items": ["a"], "hide": true});
    assert!(error(json!({"interventions": [twice, twice]})).contains("interventions[1].id"));
    let term = |term: Json| error(json!({"score": [term]}));
    assert!(term(json!({"name": "t", "value": "s", "normalise": "logg"})).contains("score[0].normalise"));
    assert!(term(json!({"name": "t", "value": "s", "normalise": "cap"})).contains("needs settings"));
    assert!(
        term(json!({"name": "t", "value": "item"}))
            .contains("score[0].value: expected a number, found string")
    );
    assert!(
        term(json!({"name": "t", "value": "s", "normalise": {"half_life": {"since": "s", "days": 1}}}))
            .contains("ages need `now`")
    );
    let of_column = |extra: Json, path: &str| {
        let expected = format!(
            "column `s`: expected text, an integer, a decimal, a date, a time or a boolean, found float64: the board spec reads it in {path}"
        );
        assert_eq!(error(extra), expected);
    };
    of_column(json!({"constraints": [{"id": "c", "one_per": "s"}]}), "constraints[0].one_per");
    let window = json!({"key": "s", "most": 1, "width": 2});
    of_column(json!({"constraints": [{"id": "c", "window": window}]}), "constraints[0].window.key");
    of_column(json!({"diversity": {"lambda": 0.5, "key": "s"}}), "diversity.key");
    assert_eq!(
        error(json!({"diversity": {"lambda": 0.5, "vector": "s"}})),
        "column `s`: expected lists of floats, found float64: the board spec reads it in diversity.vector"
    );
    assert!(
        error(json!({"constraints": [{"id": "c", "band": {"when": "price"}}]}))
            .contains("constraints[0].band")
    );
    assert!(error(json!({"diversity": {"lambda": 2, "key": "brand"}})).contains("diversity.lambda"));
    let forced = Context { force: [("y".to_owned(), true)].into(), ..Context::default() };
    assert_eq!(Board::new(spec(&json!({})), forced).unwrap_err().code(), "RANKING_SPEC");
}

/// What would be an error in December is one in November.
#[test]
fn an_intervention_is_compiled_whether_or_not_it_counts_today() {
    let at = |now: &str| Context { now: Some(now.to_owned()), ..Context::default() };
    let error = |intervention: Json| {
        let extra = json!({"interventions": [intervention]});
        let mut board = Board::new(spec(&extra), at("2026-11-01T00:00:00Z")).unwrap();
        board.push(&table(&[1.0])).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let later = |field: &str, value: Json| {
        let mut one = json!({"id": "x", "hide": true, "valid_from": "2026-12-01T00:00:00Z"});
        one[field] = value;
        one
    };
    assert!(error(later("when", json!("prize > 1"))).contains("interventions[0].when: 1:1: undeclared name"));
    assert!(error(later("when", json!("price"))).contains("expected a condition"));
    assert_eq!(error(later("items", json!(["a"]))), "");
    let other = |when: &str| json!({"id": "x", "hide": true, "boards": ["new"], "when": when});
    assert_eq!(error(other("only_there > 1")), "", "a column of the other board");
}

#[test]
fn scores_stay_exact_whether_or_not_a_boost_counts() {
    let (item, score): (ArrayRef, ArrayRef) = (
        Arc::new(StringArray::from(vec!["small", "large"])),
        Arc::new(arrow_array::Int64Array::from(vec![1 << 60, (1 << 60) + 1])),
    );
    let table = RecordBatch::try_from_iter([("item", item), ("s", score)]).unwrap();
    let boost = |now: &str| {
        let one = json!({
            "id": "x", "when": "item == 'none'", "boost": {"factor": 2.0}, "valid_from": "2026-12-01T00:00:00Z",
        });
        let context = Context { now: Some(now.to_owned()), ..Context::default() };
        run(&json!({"interventions": [one]}), context, &table)
    };
    assert_eq!(items(&boost("2026-11-01T00:00:00Z")), ["large", "small"]);
    // Both are shown as the same double then, and their order is still exact, so that no cut falls between equal scores.
    let boosted = boost("2026-12-01T00:00:00Z");
    assert_eq!(items(&boosted), ["large", "small"]);
    let one = json!({"id": "x", "items": ["small"], "boost": {"add": 2.0}});
    let bounds = json!({"addition": 5.0});
    let boosted =
        run(&json!({"k": 1, "interventions": [one], "boost_bounds": bounds}), Context::default(), &table);
    assert_eq!(items(&boosted), ["small"], "one more than the other");
    assert!(boosted.report.cut_ties.is_empty());
    let score = |result: &comptoir_ranking::board::BoardResult| {
        result.table.column_by_name("score").unwrap().data_type().clone()
    };
    assert_eq!(score(&boost("2026-11-01T00:00:00Z")), arrow_schema::DataType::Int64);
    assert_eq!(score(&boost("2026-12-01T00:00:00Z")), arrow_schema::DataType::Float64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_result_does_not_depend_on_how_rows_are_shared_out(
        scores in prop::collection::vec(-3..4_i8, 1..20), cut in 0..20_usize, lambda in 0..4_u8,
    ) {
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let table = table(&scores);
        let extra = json!({
            "score": [{"name": "z", "value": "s", "normalise": "z_score"}, {"name": "p", "value": "s", "normalise": "percentile"}],
            "interventions": [
                {"id": "h", "when": "price == 30", "hide": true}, {"id": "u", "when": "brand == 'x'", "boost": {"factor": 1.5}},
                {"id": "p", "items": ["d", "c"], "pin": 2},
            ],
            "diversity": {"lambda": f64::from(lambda) / 4.0, "key": "brand"},
            "constraints": [{"id": "w", "window": {"key": "brand", "most": 2, "width": 3}}],
            "show": {"terms": true, "organic": true, "columns": ["price"]}, "k": 5,
        });
        let whole = run(&extra, Context::default(), &table);
        let (left, right) = (cut.min(scores.len()), scores.len() - cut.min(scores.len()));
        let mut boards = [table.slice(0, left), table.slice(left, right)].map(|part| {
            let mut board = Board::new(spec(&extra), Context::default()).unwrap();
            board.push(&part).unwrap();
            board
        });
        boards.reverse();
        let [mut first, second] = boards;
        first.merge(second).unwrap();
        let merged = first.finish().unwrap();
        prop_assert_eq!(&whole.table, &merged.table);
        prop_assert_eq!(&whole.report, &merged.report);
        let positions = whole.table.column_by_name("position").unwrap().as_primitive::<UInt32Type>();
        let expected: Vec<u32> = (1..).take(whole.table.num_rows()).collect();
        prop_assert_eq!(positions.values().to_vec(), expected);
    }

    #[test]
    fn hiding_is_filtering(
        scores in prop::collection::vec(-3..4_i8, 1..12), price in 1..12_i64, step in 0..5_usize,
    ) {
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let mut rest = json!({"constraints": [{"id": "w", "window": {"key": "brand", "most": 1, "width": 2}}]});
        let cap = json!({"cap_quantile": {"low": 0.25, "high": 0.75}});
        let steps = [json!("min_max"), json!("z_score"), json!("percentile"), cap];
        if let Some(step) = steps.get(step) {
            rest["score"] = json!([{"name": "t", "value": "s", "normalise": [step]}]);
        }
        let mut hide = rest.clone();
        hide["interventions"] = json!([{"id": "h", "when": format!("price == {}", price * 10), "hide": true}]);
        let mut filter = rest;
        filter["eligibility"] = json!(format!("price != {}", price * 10));
        let [hidden, filtered] = [hide, filter].map(|extra| run(&extra, Context::default(), &table(&scores)));
        prop_assert_eq!(hidden.table, filtered.table);
        prop_assert_eq!(hidden.report.hidden, filtered.report.not_eligible);
    }
}
