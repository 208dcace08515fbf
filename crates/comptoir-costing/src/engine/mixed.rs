//! Components in which groups link items under the periodic average with items under other methods.
//!
//! Each item is valued by its own method. A perpetual method knows the cost of a movement when it happens, a month's cost is known at
//! its end: so the perpetual items come first, and what they issue for production is known to the months. The other way round there is
//! no cost to be had: a production receipt under a perpetual method cannot take over what an item under the periodic average issued.

use comptoir_types::Rounding;
use hashbrown::HashSet;

use super::periodic::{self, Known, KnownCorrection, group_of};
use super::run::{Banned, Book, Outcome, Spoilt, run_perpetual, silenced};
use super::{ABSENT, Context, Event, KeyRules, Sink, Stock, share};
use crate::movement::{Kind, Reason};
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
    let known = production_costs(&perpetual, book, context.rounding);
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

/// What the perpetual items gave to production groups and took from them, and what was corrected of it.
fn production_costs(perpetual: &[Event], book: &Book, rounding: Rounding) -> Known {
    let mut known = Known::default();
    for (place, outcome) in book.outcomes.iter().enumerate() {
        let event = perpetual.get(place).filter(|event| event.key != NONE);
        let (Some(event), Outcome::Posted(_, line), Ok(index)) = (event, outcome, u32::try_from(place))
        else {
            continue;
        };
        if group_of(perpetual, place).is_some() {
            let cost =
                given_back(&known, event, line.quantity, rounding).unwrap_or(line.value + line.variance);
            known.costs.insert(index, (line.quantity, cost));
        }
    }
    let of_cost = book.corrections.iter().filter(|correction| correction.reason != Reason::MethodSwitched);
    let corrections = of_cost.filter_map(|correction| {
        let (place, adjusts) = (correction.cause as usize, correction.adjusts as usize);
        let group = group_of(perpetual, adjusts)?;
        Some(KnownCorrection {
            place,
            adjusts,
            group,
            cost: correction.line.value + correction.line.variance,
        })
    });
    known.corrections = corrections.collect();
    known.corrections.sort_by_key(|correction| correction.place);
    known
}

/// What the reversal of an unpriced receipt gives back: of what that took over, without the costs that came late for it.
fn given_back(known: &Known, event: &Event, quantity: i64, rounding: Rounding) -> Option<i64> {
    let (qty, cost) = *known.costs.get(&event.reference).filter(|(qty, _)| *qty > 0 && quantity < 0)?;
    Some(-share(cost, -quantity, qty, rounding))
}
