//! Guards order lines: below the floor price, for nothing, in a strange quantity. A stricter set is compared with the
//! one in force before it takes its place.
//!
//! `cargo run --release -p comptoir-rules --example rule_set`
#![allow(clippy::print_stdout)]
#![allow(missing_docs)]

use comptoir_rules::rule_set::{RuleSet, RuleSetHandle, RuleSetSpec};
use serde_json::{Value as Json, json};

const RULES: &str = r#"
name: order guard
version: VERSION
environment:
  types: {Line: {id: int, sku: string, qty: int, price: decimal, floor: decimal, channel: string}}
  variables: {line: Line}
variables:
  - {name: least, expression: "line.floor * decimal('SHARE')"}
outputs: {action: string, short: decimal}
rules:
  - {id: zero-price, when: "line.price == decimal('0') && line.channel != 'sample'", outputs: {action: block}}
  - id: below-floor
    when: line.price > decimal('0') && line.price < variables.least
    outputs: {action: review, short: {cel: "line.floor - line.price"}}
  - {id: strange-quantity, when: "line.qty > 500 || line.qty <= 0", outputs: {action: review}}
  - {id: strange-in-shop, when: "line.channel == 'shop' && line.qty > 100", outputs: {action: review}, mode: shadow}
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let handle = RuleSetHandle::new(set("1", "0.9")?);
    let lines: Vec<Json> = lines(10_000);
    let current = handle.load();
    let events: Vec<_> = lines.iter().map(|line| current.json_event(line)).collect();
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for decision in &current.decide_batch(&events) {
        for rule in decision.fired().chain(decision.shadow()) {
            *counts.entry(rule).or_default() += 1;
        }
    }
    println!("{} lines, version {} ({}): {counts:?}", lines.len(), current.version(), current.hash());
    let first = current.select(&events).first().copied().unwrap_or(0);
    if let (Some(line), Some(event)) = (lines.get(first), events.get(first)) {
        println!("first: {line}\n  {}", current.decide(event).to_json());
        if let Some(why) = current.why_not("strange-quantity", event) {
            println!("  {why}");
        }
    }
    let stricter = set("2", "0.95")?;
    let diff = current.diff(&stricter, &events, Some("line.price * decimal(string(line.qty))"))?;
    let money = diff.amount.map(|amount| amount.to_string()).unwrap_or_default();
    println!("version 2 changes {} of {} lines, {money} at risk", diff.changed, diff.events);
    for (rule, change) in &diff.rules {
        println!("  {rule}: +{} -{}, lines {:?}", change.gained, change.lost, change.samples);
    }
    handle.swap(stricter);
    println!("in force: version {}", handle.load().version());
    Ok(())
}

fn set(version: &str, share: &str) -> Result<RuleSet, comptoir_rules::RuleSetError> {
    RuleSet::build(RuleSetSpec::from_yaml(&RULES.replace("VERSION", version).replace("SHARE", share))?)
}

/// Lines from a fixed seed: one in fifty is wrong in some way.
fn lines(count: u64) -> Vec<Json> {
    let mut state = 42_u64;
    let mut below = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let line = |id| {
        let floor = 100 + below(10_000);
        let price = match below(100) {
            0 => 0,
            1 => floor * 8 / 10,
            other => floor * (92 + other) / 100,
        };
        let qty = if below(200) == 0 { 1_000 } else { 1 + below(120) };
        let channel = ["shop", "web", "b2b", "sample"].get(usize::try_from(below(4)).unwrap_or(0));
        let money = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
        json!({"line": {
            "id": id, "sku": format!("S{}", below(500)), "qty": qty, "price": money(price), "floor": money(floor),
            "channel": channel,
        }})
    };
    (0..count).map(line).collect()
}
