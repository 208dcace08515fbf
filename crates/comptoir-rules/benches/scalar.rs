//! Four predicates on one event at a time, beside `cel` and `datalogic-rs`: `cargo bench -p comptoir-rules --bench
//! scalar`. Inputs are built before for all. Every answer is compared, then the best of several passes is printed.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]
#![allow(missing_docs)]

#[path = "scalar/events.rs"]
mod events;
#[path = "scalar/peers.rs"]
mod peers;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use comptoir_rules::value::{Row, Struct};
use comptoir_rules::{Env, Program, StructType, Type, Value};
use serde_json::Value as Json;

/// Few enough for the caches: the time of the evaluation is wanted, not that of the memory.
const EVENTS: usize = 200;
const ROUNDS: usize = 60;

/// A predicate in CEL and, where it has the operators, in JSON logic.
struct Predicate {
    name: &'static str,
    cel: String,
    json: Option<String>,
}

fn main() {
    let events = events::events(EVENTS);
    let env = environment();
    let engine = datalogic_rs::Engine::new();
    println!(
        "{:4} {:>10} {:>10} {:>10} {:>10} {:>6}",
        "", "slots ns", "cel", "datalogic", "compile us", "true"
    );
    for predicate in predicates() {
        let program = env.compile(&predicate.cel).unwrap();
        let inputs: Vec<Vec<Value<'_>>> = events.iter().map(|event| slots(&program, event)).collect();
        let cel = peers::Cel::new(&predicate.cel, &events);
        let mut datalogic = predicate.json.as_ref().map(|rule| peers::Datalogic::new(&engine, rule, &events));
        let mut hits = 0;
        for (index, input) in inputs.iter().enumerate() {
            let answer = program.test(input).unwrap();
            hits += usize::from(answer);
            assert_eq!(answer, cel.test(index), "{} differs from cel on event {index}", predicate.name);
            if let Some(datalogic) = &mut datalogic {
                assert_eq!(answer, datalogic.test(index), "{} differs on event {index}", predicate.name);
            }
        }
        // Contenders take turns, so that a busy moment of the machine hits all alike.
        let (mut own, mut theirs, mut other) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            own = own.min(pass(|event| program.test(&inputs[event]).unwrap()));
            if let Some(datalogic) = &mut datalogic {
                other = other.min(pass(|event| datalogic.test(event)));
            }
            theirs = theirs.min(pass(|event| cel.test(event)));
        }
        let other = datalogic.is_some().then_some(other);
        let compile = (0..20).map(|_| pass(|_| env.compile(black_box(&predicate.cel)).is_ok()));
        let compile = compile.fold(f64::INFINITY, f64::min) / 1000.0;
        let ratio = |time: f64| format!("{time:.0} ({:.1}x)", time / own);
        let other = other.map_or_else(|| "-".to_owned(), ratio);
        println!(
            "{:4} {own:>10.1} {:>16} {other:>14} {compile:>8.1} {:>5}%",
            predicate.name,
            ratio(theirs),
            hits * 100 / EVENTS
        );
    }
}

/// Nanoseconds for an event, in the best of some passes over all events.
fn pass(mut test: impl FnMut(usize) -> bool) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let started = Instant::now();
        for event in 0..EVENTS {
            black_box(test(black_box(event)));
        }
        best = best.min(started.elapsed().as_nanos() as f64 / EVENTS as f64);
    }
    best
}

fn environment() -> Env {
    let line = [("qty", Type::Int), ("price", Type::Double), ("category", Type::String)];
    let item =
        [("brand", Type::String), ("price", Type::Double), ("sku", Type::String), ("title", Type::String)];
    let lines = Type::list(Type::Struct("Line".into()));
    let order = [("pay", Type::Double), ("cost", Type::Double), ("coupon", Type::String), ("items", lines)];
    Env::builder()
        .structure(StructType::new("User", [("level", Type::Int)]))
        .structure(StructType::new("Item", item))
        .structure(StructType::new("Line", line))
        .structure(StructType::new("Order", order))
        .variable("user", Type::Struct("User".into()))
        .variable("item", Type::Struct("Item".into()))
        .variable("order", Type::Struct("Order".into()))
        .variable("whitelist", Type::list(Type::String))
        .build()
        .unwrap()
}

fn predicates() -> [Predicate; 4] {
    let brands: Vec<String> = (0..8).map(|brand| format!("'brand-{brand:02}'")).collect();
    let brands = brands.join(", ");
    let json_brands = brands.replace('\'', "\"");
    let and = |parts: &str| Some(format!("{{\"and\": [{parts}]}}"));
    [
        Predicate {
            name: "P1",
            cel: format!("user.level >= 3 && item.brand in [{brands}] && item.price >= 100.0"),
            json: and(&format!(
                r#"{{">=": [{{"var": "user.level"}}, 3]}}, {{"in": [{{"var": "item.brand"}}, [{json_brands}]]}}, {{">=": [{{"var": "item.price"}}, 100.0]}}"#
            )),
        },
        Predicate {
            name: "P2",
            cel: "order.pay < order.cost * 0.9 && !(order.coupon in whitelist)".into(),
            json: and(
                r#"{"<": [{"var": "order.pay"}, {"*": [{"var": "order.cost"}, 0.9]}]}, {"!": [{"in": [{"var": "order.coupon"}, {"var": "whitelist"}]}]}"#,
            ),
        },
        Predicate {
            name: "P3",
            cel: r#"item.sku.startsWith("SKU-EU-") && item.title.matches("(running|trail).*shoe")"#.into(),
            json: None,
        },
        Predicate {
            name: "P4",
            cel: "order.items.all(i, i.qty > 0 && i.price <= 900.0) && \
                  order.items.exists(i, i.category == 'electronics' && i.price > 500.0)"
                .into(),
            json: and(
                r#"{"all": [{"var": "order.items"}, {"and": [{">": [{"var": "qty"}, 0]}, {"<=": [{"var": "price"}, 900.0]}]}]}, {"some": [{"var": "order.items"}, {"and": [{"==": [{"var": "category"}, "electronics"]}, {">": [{"var": "price"}, 500.0]}]}]}"#,
            ),
        },
    ]
}

/// Values of the slots, with rows in place rather than shared: what a host with native rows gives.
fn slots<'a>(program: &Program, event: &'a Json) -> Vec<Value<'a>> {
    program.slots_from_json(event).into_iter().map(in_place).collect()
}

fn in_place(value: Value<'_>) -> Value<'_> {
    let Value::List(list) = value else { return value };
    let rows: Vec<Value<'_>> = list
        .iter()
        .map(|element| match element {
            Value::Struct(Struct::Shared(row)) => {
                let row: &'static Row<'static> = leak(row);
                Value::Struct(Struct::Row(row))
            }
            other => other,
        })
        .collect();
    Value::list(rows)
}

/// Benchmark inputs live as long as the process.
fn leak(row: Arc<Row<'_>>) -> &'static Row<'static> {
    let fields = row.of().fields().len();
    let owned = (0..fields).map(|index| row.get(index).clone().into_owned()).collect();
    Box::leak(Box::new(Row::new(row.of().clone(), owned)))
}
