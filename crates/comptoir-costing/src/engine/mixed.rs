//! Components in which groups link items under the periodic average with items under other methods.
//!
//! Each item is valued by its own method. A perpetual method knows the cost of a movement when it happens, a month's cost is known at
//! its end: so the perpetual items come first, and what they issue for production is known to the months. The other way round there is
//! no cost to be had: a production receipt under a perpetual method cannot take over what an item under the periodic average issued.

use hashbrown::{HashMap, HashSet};

use super::periodic;
use super::run::{Banned, Book, Outcome, Spoilt, run_perpetual, silenced};
use super::{ABSENT, Context, Event, KeyRules, Sink, Stock};
use crate::movement::Kind;
use crate::policy::Method;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

/// Values the perpetual items of a component, then its months.
pub(super) fn run_mixed(
    context: &Context,
    rules: &[KeyRules],
    referenced: &[bool],
    events: &[Event],
    (banned, refused): (&Banned, &HashSet<u32>),
    book: &mut Book,
) -> Result<Vec<Stock>, Spoilt> {
    let is_monthly = |event: &Event| {
        rules.get(event.key as usize).is_some_and(|key| key.rules.method == Method::PeriodicAverage)
    };
    let mut gone = refused.clone();
    for index in without_cost(events, &is_monthly) {
        gone.insert(index);
        book.reject(index, Fault::new(RejectCode::NotWithPeriodic));
    }
    let perpetual: Vec<Event> =
        events.iter().map(|event| if is_monthly(event) { silenced(event) } else { *event }).collect();
    let mut stocks = run_perpetual(context, rules, referenced, &perpetual, (banned, &gone), book)?;
    let known = production_costs(&perpetual, book);
    let months = periodic::run_periodic(context, rules, events, &known, (banned, &gone), book)?;
    for ((stock, month), key) in stocks.iter_mut().zip(months).zip(rules) {
        if key.rules.method == Method::PeriodicAverage {
            *stock = month;
        }
    }
    Ok(stocks)
}

/// Production receipts under a perpetual method that would take over the cost of a month.
fn without_cost(events: &[Event], is_monthly: &impl Fn(&Event) -> bool) -> Vec<u32> {
    let mut monthly: HashSet<u32> = HashSet::new();
    let mut found = Vec::new();
    for (index, event) in (0u32..).zip(events).filter(|(_, event)| event.group != NONE) {
        match event.kind {
            Kind::ProductionIssue if is_monthly(event) => {
                monthly.insert(event.group);
            }
            Kind::ProductionReceipt
                if event.amount == ABSENT && !is_monthly(event) && monthly.contains(&event.group) =>
            {
                found.push(index);
            }
            _ => {}
        }
    }
    found
}

/// By event, the quantity and cost that the perpetual items gave to production groups and took from them.
fn production_costs(perpetual: &[Event], book: &Book) -> HashMap<u32, (i64, i64)> {
    let is_issue = |event: &Event| event.kind == Kind::ProductionIssue && event.group != NONE;
    let takes_part = |event: &Event| match event.kind {
        Kind::ProductionReceipt => event.amount == ABSENT && event.group != NONE,
        Kind::Reversal | Kind::SalesReturn | Kind::Amendment => {
            perpetual.get(event.reference as usize).is_some_and(is_issue)
        }
        _ => is_issue(event),
    };
    let events = (0u32..).zip(perpetual).zip(&book.outcomes);
    events
        .filter(|((_, event), _)| event.key != NONE && takes_part(event))
        .filter_map(|((index, _), outcome)| match outcome {
            Outcome::Posted(_, line) => Some((index, (line.quantity, line.value + line.variance))),
            _ => None,
        })
        .collect()
}
