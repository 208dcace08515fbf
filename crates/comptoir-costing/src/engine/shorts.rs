//! Reversal of what left without being there: it ends its own shortage, as far as no receipt has covered it.

use super::machine::{Machine, Posted};
use super::{Entry, Event, bounded, share};
use crate::policy::{Method, Negative};
use crate::reject::Fault;

/// Quantity and value of a shortage that is not covered yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenShort {
    qty: i64,
    value: i64,
}

impl Machine<'_> {
    /// What is still short of the movement that the event refers to, where receipts cover shortages one by one.
    pub fn own_short(&mut self, event: &Event) -> Result<Option<OpenShort>, Fault> {
        let covers = matches!(self.rule(event.key)?.rules.negative, Negative::Cover | Negative::Variance);
        if !covers || self.key(event.key)?.method == Method::Standard {
            return Ok(None);
        }
        let stock = self.key(event.key)?;
        let own = stock.shorts.iter().find(|short| short.event == event.reference);
        Ok(own.map(|short| OpenShort { qty: short.qty, value: short.value }))
    }

    /// Takes back an outflow of which a part is still short. That part comes back first and at the value at which it left: it covers no
    /// other shortage, and corrects no cost. The rest comes back as it left.
    pub fn reverse_short(
        &mut self,
        index: u32,
        event: &Event,
        qty: i64,
        variance: i64,
        origin: &Entry,
        short: OpenShort,
    ) -> Result<Posted, Fault> {
        let rounding = self.context.rounding;
        let of = |value: i64, part: i64, whole: i64| {
            if part == whole { value } else { share(value, part, whole, rounding) }
        };
        let back = qty.min(short.qty);
        let back_value = of(short.value, back, short.qty);
        let rest = qty - back;
        let there = bounded(-origin.value - origin.taken_value - short.value)?;
        let rest_value = if rest == 0 { 0 } else { of(there, rest, origin.left() - short.qty) };
        let stock = self.key(event.key)?;
        bounded(stock.qty + qty)?;
        let value = bounded(back_value + rest_value)?;
        bounded(stock.value + value)?;
        self.end_short(event, back, back_value)?;
        let mut posted = Posted { key: event.key, quantity: back, value: back_value, variance: -variance };
        if rest > 0 {
            let put = self.put_back(index, event, rest, rest_value, variance);
            // The shortage has ended already: a sum that does not fit now leaves a state of no use.
            self.spoilt = if put.is_err() { Some(index) } else { self.spoilt };
            let put = put?;
            posted = Posted { quantity: back + rest, value: back_value + put.value, ..put };
        }
        self.note_taken(event.reference, qty, value);
        Ok(posted)
    }

    /// Ends a part of the shortage, and takes it out of the parts that left.
    fn end_short(&mut self, event: &Event, qty: i64, value: i64) -> Result<(), Fault> {
        let rounding = self.context.rounding;
        let stock = self.key(event.key)?;
        stock.qty += qty;
        stock.value += value;
        for short in stock.shorts.iter_mut().filter(|short| short.event == event.reference) {
            short.qty -= qty;
            short.value -= value;
        }
        stock.shorts.retain(|short| short.qty > 0);
        if let Some(parts) = self.parts.get_mut(&event.reference) {
            if let Some(own) = parts.iter_mut().find(|part| part.origin == event.reference) {
                own.value -= share(own.value, qty.min(own.qty), own.qty, rounding);
                own.qty -= qty.min(own.qty);
            }
            parts.retain(|part| part.qty > 0);
        }
        Ok(())
    }
}
