//! Stock that goes out, also beyond what is there.

use super::inflow::is_correctable;
use super::layers::{Layer, Own};
use super::machine::{Machine, Posted};
use super::stock::Short;
use super::{ABSENT, Event, OVERFLOW, bounded};
use crate::movement::Kind;
use crate::policy::{Method, Negative, ReturnCost};
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

impl Machine<'_> {
    /// Issue of any kind at the cost that the method gives it.
    pub fn issue(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let correctable = is_correctable(event.kind);
        let value = self.remove(index, event, event.qty, correctable)?;
        Ok(Posted { key: event.key, quantity: -event.qty, value: -value, variance: 0 })
    }

    /// Takes `qty` by the method and gives its value; beyond the stock as the policy says.
    pub fn remove(&mut self, index: u32, event: &Event, qty: i64, correctable: bool) -> Result<i64, Fault> {
        let rounding = self.context.rounding;
        let keeps_parts = self.referenced.get(index as usize).copied().unwrap_or(false);
        let short = self.shortage(index, event, qty, correctable)?;
        let there = qty - short.map_or(0, |short| short.qty);
        // Under `reject` only goods that await their invoice may be short: the books simply add up again when it comes.
        let carries = matches!(self.rule(event.key)?.rules.negative, Negative::Carry | Negative::Reject);
        let stock = self.key(event.key)?;
        let keeps_shorts = !carries && stock.method != Method::Standard;
        let mut parts = Vec::new();
        let mut value = 0;
        if there > 0 {
            value = if keeps_parts {
                stock.take(there, event.lot, rounding, &mut |part| parts.push(part))
            } else {
                stock.take(there, event.lot, rounding, &mut |_| ())
            };
        }
        if let Some(short) = short {
            stock.qty -= short.qty;
            stock.value -= short.value;
            value += short.value;
            if keeps_shorts {
                stock.shorts.push_back(short);
            }
            parts.push(Layer {
                qty: short.qty,
                value: short.value,
                at: event.at,
                origin: index,
                lot: event.lot,
                serial: u32::MAX,
            });
        }
        if keeps_parts {
            self.keep_parts(index, parts);
        }
        Ok(value)
    }

    /// Keeps the parts that left with a movement that others refer to.
    pub fn keep_parts(&mut self, index: u32, parts: Vec<Layer>) {
        self.parts.insert(index, parts);
    }

    /// What `qty` takes beyond the stock, valued at the last known cost; an error if the policy forbids it.
    fn shortage(
        &mut self,
        index: u32,
        event: &Event,
        qty: i64,
        correctable: bool,
    ) -> Result<Option<Short>, Fault> {
        let rules = self.rule(event.key)?.rules;
        let stock = self.key(event.key)?;
        if stock.method == Method::Specific && event.lot == NONE {
            return Err(Fault::new(RejectCode::LotRequired));
        }
        let there = stock.available(event.lot);
        if qty <= there {
            return Ok(None);
        }
        let allowed = stock.method != Method::Specific
            && (rules.negative != Negative::Reject || qty <= stock.qty + stock.awaiting);
        if !allowed {
            let found = if stock.method == Method::Specific { there } else { stock.qty };
            return Err(Fault::with(RejectCode::NegativeStock, qty, found));
        }
        let short = qty - there;
        let (ratio, standard, method) = (stock.shortage_ratio(), stock.standard, stock.method);
        let value = match (method, standard) {
            (Method::Standard, Some(cost)) => self.price(short, cost)?,
            _ => self.price_at(event.key, short, ratio)?,
        };
        let stock = self.key(event.key)?;
        bounded(stock.qty - qty)?;
        bounded(stock.value.checked_sub(value).ok_or(OVERFLOW)?)?;
        bounded(stock.value.max(0).checked_add(value).ok_or(OVERFLOW)?)?;
        Ok(Some(Short { event: index, qty: short, value, correctable }))
    }

    /// Goods that go back to the supplier. A credit in the row that differs from the stock value is variance.
    pub fn purchase_return(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let returns = self.rule(event.key)?.rules.returns;
        if event.reference == NONE {
            let value = match returns.purchase {
                ReturnCost::FifoHead => self.remove_oldest(index, event)?,
                _ => self.remove(index, event, event.qty, false)?,
            };
            return Ok(returned(event, value, value));
        }
        let origin = self.referred(index, event)?.with_invoices();
        if origin.qty < 0 {
            // A shortage that was brought from another system is nothing that came in.
            return Err(Fault::new(RejectCode::ReferenceKind));
        }
        if event.qty > origin.left() {
            return Err(Fault::with(RejectCode::ReferenceExceeded, event.qty, origin.left()));
        }
        // A shortage that the receipt covered does not change what the goods cost.
        let standard = self.key(event.key)?.method == Method::Standard;
        let cost = if standard { origin.value } else { origin.value + origin.variance };
        let wanted = part_of(cost, origin.qty, &origin, event.qty, self.context.rounding);
        let value = match returns.purchase {
            ReturnCost::OriginalCost => self.remove_original(index, event, event.qty, wanted)?,
            ReturnCost::CurrentCost => self.remove(index, event, event.qty, false)?,
            ReturnCost::FifoHead => self.remove_oldest(index, event)?,
        };
        self.note_taken(event.reference, event.qty, wanted);
        let credit = if returns.purchase == ReturnCost::OriginalCost {
            self.original_credit(event.key, wanted, value)?
        } else {
            value
        };
        Ok(returned(event, value, credit))
    }

    /// Takes the event's quantity from the oldest layers, under LIFO too.
    fn remove_oldest(&mut self, index: u32, event: &Event) -> Result<i64, Fault> {
        let rounding = self.context.rounding;
        let keeps_parts = self.referenced.get(index as usize).copied().unwrap_or(false);
        let stock = self.key(event.key)?;
        if event.qty > stock.qty || stock.method != Method::Lifo {
            return self.remove(index, event, event.qty, false);
        }
        let mut parts = Vec::new();
        let value = stock.take_oldest(event.qty, event.lot, rounding, &mut |part| parts.push(part));
        if keeps_parts {
            self.keep_parts(index, parts);
        }
        Ok(value)
    }

    /// What a return at original cost claims: the original value, for layers what they held.
    fn original_credit(&mut self, key: u32, wanted: i64, value: i64) -> Result<i64, Fault> {
        Ok(if self.key(key)?.method.keeps_layers() { value } else { wanted })
    }

    /// Takes `qty` out of what the event referred to brought: its own layers first, or its own value and age from an average.
    pub fn remove_original(
        &mut self,
        index: u32,
        event: &Event,
        qty: i64,
        wanted: i64,
    ) -> Result<i64, Fault> {
        let rounding = self.context.rounding;
        let stock = self.key(event.key)?;
        let lot = event.lot;
        let there = if stock.method == Method::Specific { stock.available(lot) } else { stock.qty };
        if qty > there {
            return self.remove(index, event, qty, false);
        }
        let keeps_parts = self.referenced.get(index as usize).copied().unwrap_or(false);
        let mut parts = Vec::new();
        let mut note = |part: Layer| {
            if keeps_parts {
                parts.push(part);
            }
        };
        let own = self.own_layers(index, event, qty, wanted)?;
        let stock = self.keys.get_mut(event.key as usize).ok_or(OVERFLOW)?;
        let value = if stock.method.keeps_layers() {
            stock.take_own(&own, qty, lot, rounding, &mut note)
        } else {
            // What came at another standard cost: what is there stands at the one that holds.
            let stands = stock.method != Method::Standard || event.reference >= stock.standard_since;
            stock.take_valued(&own, qty, stands.then_some(wanted), rounding, &mut note)
        };
        self.consume_parts(event.reference, qty);
        if keeps_parts {
            self.keep_parts(index, parts);
        }
        Ok(value)
    }

    /// The layers that an inflow brought. What arrived where it had left from lies in the layers that it had come from; a reversal takes
    /// what has no invoice first, which came last.
    fn own_layers(&mut self, index: u32, event: &Event, qty: i64, wanted: i64) -> Result<Vec<Own>, Fault> {
        let reference = event.reference;
        let arrived = self.returning_parts(reference, qty);
        if arrived.is_empty() {
            let open = if event.kind == Kind::Reversal { self.uninvoiced(index, event, qty) } else { 0 };
            let mut own = self.key(event.key)?.latest_of(reference, event.lot, open, None);
            let rest = qty - own.iter().map(|own| own.qty).sum::<i64>();
            // The layer of a count holds what was there before, too: what the count added leaves with its own value.
            let is_reset = self.entries.get(reference as usize).is_some_and(|entry| entry.reset);
            own.push(Own { origin: reference, serial: None, qty: rest, value: is_reset.then_some(wanted) });
            return Ok(own);
        }
        let own = |part: &Layer| Own {
            origin: part.origin,
            serial: Some(part.serial),
            qty: part.qty,
            value: Some(part.value),
        };
        Ok(arrived.iter().map(own).collect())
    }
}

/// The share of a movement's value that belongs to `qty` of what is left of it; the last part takes the rest.
pub(super) fn part_of(
    value: i64,
    qty: i64,
    entry: &super::Entry,
    part: i64,
    rounding: comptoir_types::Rounding,
) -> i64 {
    // A carried shortage may leave at a value of the wrong sign; it comes back as it left.
    let whole = if qty < 0 { -value } else { value };
    if part == entry.left() {
        return whole - entry.taken_value;
    }
    super::share(whole, part, qty.abs(), rounding)
}

/// A return: the stock falls by `value`; the supplier owes the row's amount, else `credit`.
fn returned(event: &Event, value: i64, credit: i64) -> Posted {
    let credit = if event.amount == ABSENT { credit } else { event.amount };
    Posted { key: event.key, quantity: -event.qty, value: -value, variance: value - credit }
}
