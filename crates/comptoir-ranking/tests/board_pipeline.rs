//! The whole order of operations of a board against an oracle that tries every arrangement.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use comptoir_ranking::board::{Board, BoardResult, BoardSpec, Context};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// An item with all that the board reads.
#[derive(Debug, Clone)]
struct Item {
    name: char,
    score: i64,
    price: i64,
    brand: u8,
    stock: i64,
}

/// What the oracle knows of the spec.
#[derive(Debug, Clone)]
struct Asked {
    k: usize,
    hidden: Vec<char>,
    /// Twice the score.
    boosted: Vec<char>,
    /// The lower and upper bound of cheap items among the first `of`.
    band: Option<(usize, usize, usize)>,
    /// At most so many of a brand in a window.
    window: Option<(usize, usize)>,
    /// Item and position.
    pins: Vec<(char, usize)>,
}

fn table(items: &[Item]) -> RecordBatch {
    let numbers =
        |of: &dyn Fn(&Item) -> i64| -> ArrayRef { Arc::new(items.iter().map(of).collect::<Int64Array>()) };
    let names: ArrayRef =
        Arc::new(items.iter().map(|item| Some(item.name.to_string())).collect::<StringArray>());
    RecordBatch::try_from_iter([
        ("item", names),
        ("s", numbers(&|item| item.score)),
        ("price", numbers(&|item| item.price)),
        ("brand", numbers(&|item| i64::from(item.brand))),
        ("stock", numbers(&|item| item.stock)),
    ])
    .unwrap()
}

fn spec(asked: &Asked, slack: usize) -> BoardSpec {
    let texts = |items: &[char]| items.iter().map(char::to_string).collect::<Vec<_>>();
    let mut interventions: Vec<Json> = Vec::new();
    if !asked.hidden.is_empty() {
        interventions.push(json!({"id": "hide", "items": texts(&asked.hidden), "hide": true}));
    }
    if !asked.boosted.is_empty() {
        interventions.push(json!({"id": "boost", "items": texts(&asked.boosted), "boost": {"factor": 2.0}}));
    }
    for (place, (item, position)) in asked.pins.iter().enumerate() {
        interventions
            .push(json!({"id": format!("pin {place}"), "items": [item.to_string()], "pin": position}));
    }
    let mut constraints: Vec<Json> = Vec::new();
    if let Some((least, most, of)) = asked.band {
        let band = json!({"when": "price < 3", "at_least": least, "at_most": most, "of_first": of});
        constraints.push(json!({"id": "cheap", "band": band}));
    }
    if let Some((most, width)) = asked.window {
        constraints.push(json!({"id": "brand", "window": {"key": "brand", "most": most, "width": width}}));
    }
    let spec = json!({
        "id": "b", "item": "item", "eligibility": "stock > 0", "score": "s", "k": asked.k, "slack": slack,
        "interventions": interventions, "constraints": constraints,
    });
    BoardSpec::from_json(&spec.to_string()).unwrap()
}

fn run(items: &[Item], asked: &Asked) -> BoardResult {
    let mut board = Board::new(spec(asked, 20), Context::default()).unwrap();
    board.push(&table(items)).unwrap();
    board.finish().unwrap()
}

fn shown(result: &BoardResult) -> Vec<char> {
    let items = result.table.column_by_name("item").unwrap().as_string::<i32>();
    items.iter().flatten().map(|item| item.chars().next().unwrap()).collect()
}

/// Eligible and not hidden, in organic order.
fn organic(items: &[Item], asked: &Asked) -> Vec<Item> {
    let mut kept: Vec<Item> =
        items.iter().filter(|item| item.stock > 0 && !asked.hidden.contains(&item.name)).cloned().collect();
    // A score below zero is divided.
    let score = |item: &Item| match asked.boosted.contains(&item.name) {
        true if item.score < 0 => item.score,
        true => item.score * 4,
        false => item.score * 2,
    };
    kept.sort_by_key(|item| (-score(item), item.name));
    kept
}

fn meets(board: &[&Item], asked: &Asked, members: usize) -> bool {
    let band = asked.band.is_none_or(|(least, most, of)| {
        (1..=board.len()).all(|prefix| {
            let cheap = board[..prefix].iter().filter(|item| item.price < 3).count();
            // Where there are too few, all that there are; on a board that ends before, all of it counts.
            let counts = prefix >= of || prefix == board.len();
            (!counts || cheap >= least.min(members)) && (prefix > of || cheap <= most)
        })
    });
    band && asked.window.is_none_or(|(most, width)| {
        (0..board.len()).all(|last| {
            let window = &board[(last + 1).saturating_sub(width)..=last];
            window.iter().filter(|item| item.brand == board[last].brand).count() <= most
        })
    })
}

/// The first arrangement in organic order that meets all constraints.
fn arranged<'i>(kept: &'i [Item], asked: &Asked) -> Option<Vec<&'i Item>> {
    fn search<'i>(
        kept: &'i [Item],
        board: &mut Vec<&'i Item>,
        length: usize,
        holds: &dyn Fn(&[&'i Item]) -> bool,
    ) -> bool {
        if board.len() == length {
            return holds(board);
        }
        for item in kept {
            if board.iter().all(|other| other.name != item.name) {
                board.push(item);
                if search(kept, board, length, holds) {
                    return true;
                }
                board.pop();
            }
        }
        false
    }
    let length = asked.k.min(kept.len());
    let members = kept.iter().filter(|item| item.price < 3).count().min(length);
    let mut board = Vec::new();
    search(kept, &mut board, length, &|board| meets(board, asked, members)).then_some(board)
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let one = (-3..4_i64, 1..5_i64, 0..3_u8, prop_oneof![5 => Just(1_i64), 1 => Just(0)]);
    prop::collection::vec(one, 0..7).prop_map(|rows| {
        let item =
            |(name, (score, price, brand, stock)): (char, _)| Item { name, score, price, brand, stock };
        ('a'..).zip(rows).map(item).collect()
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let names = || prop::collection::vec(prop::char::range('a', 'g'), 0..2);
    let band = prop::option::of((0..3_usize, 0..3_usize, 1..5_usize))
        .prop_map(|band| band.map(|(least, more, of)| (least.min(of), least.min(of) + more, of)));
    let window =
        prop::option::of((1..3_usize, 1..3_usize)).prop_map(|w| w.map(|(most, more)| (most, most + more)));
    let pins = prop::collection::vec((prop::char::range('a', 'h'), 1..6_usize), 0..3);
    (1..5_usize, names(), names(), band, window, pins)
        .prop_map(|(k, hidden, boosted, band, window, pins)| Asked { k, hidden, boosted, band, window, pins })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn without_pins_it_is_the_first_arrangement_that_meets_all(items in items(), asked in asked()) {
        let asked = Asked { pins: Vec::new(), ..asked };
        let result = run(&items, &asked);
        let kept = organic(&items, &asked);
        match arranged(&kept, &asked) {
            Some(board) => {
                let names: Vec<char> = board.iter().map(|item| item.name).collect();
                prop_assert_eq!(shown(&result), names);
                // Only a lower bound for which there were too few is left to report.
                prop_assert!(result.report.unmet.iter().all(|unmet| unmet.shortfall.id == "cheap" && unmet.shortfall.found < unmet.shortfall.least));
            }
            None => {
                prop_assert!(!result.report.unmet.is_empty());
                prop_assert_eq!(shown(&result).len(), asked.k.min(kept.len()));
            }
        }
    }

    #[test]
    fn pins_stand_where_they_are_to_or_are_reported(items in items(), asked in asked()) {
        let result = run(&items, &asked);
        let board = shown(&result);
        let may_show: BTreeSet<char> = organic(&items, &asked).iter().map(|item| item.name).collect();
        prop_assert!(board.iter().all(|item| may_show.contains(item)), "what is hidden or not eligible is never shown");
        prop_assert_eq!(board.iter().collect::<BTreeSet<_>>().len(), board.len(), "no item stands twice");
        for (place, (item, position)) in asked.pins.iter().enumerate() {
            let id = format!("pin {place}");
            let stands = board.get(position - 1) == Some(item);
            let is_reported = result.report.unpinned.iter().any(|unpinned| unpinned.id == id);
            // One that lost against another pin on the same item and place is reported all the same.
            prop_assert!(stands || is_reported, "{} {:?} {:?}", id, board, result.report.unpinned);
        }
        let reported: BTreeSet<&str> = result.report.unpinned.iter().map(|unpinned| unpinned.id.as_str()).collect();
        prop_assert_eq!(reported.len(), result.report.unpinned.len(), "each pin is reported once");
    }

    #[test]
    fn what_a_board_breaks_is_reported(items in items(), asked in asked()) {
        let result = run(&items, &asked);
        let board = shown(&result);
        let board: Vec<&Item> =
            board.iter().map(|name| items.iter().find(|item| item.name == *name).unwrap()).collect();
        // Here a bound asks for its number whether or not there are enough.
        let unmet: BTreeSet<&str> = result.report.unmet.iter().map(|unmet| unmet.shortfall.id.as_str()).collect();
        let only = |band, window| Asked { band, window, ..asked.clone() };
        prop_assert_eq!(!meets(&board, &only(asked.band, None), usize::MAX), unmet.contains("cheap"));
        prop_assert_eq!(!meets(&board, &only(None, asked.window), usize::MAX), unmet.contains("brand"));
    }

    #[test]
    fn a_shorter_board_without_constraints_is_the_beginning_of_a_longer_one(items in items(), asked in asked()) {
        let asked = Asked { band: None, window: None, pins: Vec::new(), ..asked };
        let longer = Asked { k: asked.k + 2, ..asked.clone() };
        let (short, long) = (shown(&run(&items, &asked)), shown(&run(&items, &longer)));
        prop_assert_eq!(&short[..], &long[..short.len()]);
    }

    #[test]
    fn it_is_the_same_board_without_explanations(items in items(), asked in asked()) {
        let mut spec = spec(&asked, 20);
        spec.show.explain = false;
        let mut board = Board::new(spec, Context::default()).unwrap();
        board.push(&table(&items)).unwrap();
        let (plain, explained) = (board.finish().unwrap(), run(&items, &asked));
        prop_assert_eq!(plain.table, explained.table);
        prop_assert_eq!(plain.report, explained.report);
    }

    #[test]
    fn an_explanation_agrees_with_the_board(items in items(), asked in asked()) {
        let result = run(&items, &asked);
        let board = shown(&result);
        let kept = organic(&items, &asked);
        for item in &items {
            let explanation = result.explain_in(&table(&items), &item.name.to_string(), Some(&[])).unwrap().remove(0);
            let position = board.iter().position(|other| *other == item.name).map(|place| place as u32 + 1);
            prop_assert_eq!(explanation.position, position);
            prop_assert_eq!(explanation.absence.is_none(), position.is_some());
            let organic = kept.iter().position(|other| other.name == item.name).map(|place| place + 1);
            prop_assert_eq!(explanation.organic_position, organic);
        }
    }
}
