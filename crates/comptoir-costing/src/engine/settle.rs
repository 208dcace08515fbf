//! Provisional receipts (暂估) and the three ways in which their invoice settles them.

use super::machine::{Machine, Posted};
use super::{ABSENT, Auto, Entry, Event, OVERFLOW, bounded, share};
use crate::movement::Reason;
use crate::policy::{LateCost, Method, Provisional};
use crate::reject::{Fault, RejectCode};

/// What an invoice settles of a provisional receipt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    pub qty: i64,
    /// Estimate of that quantity.
    pub estimate: i64,
    /// Invoice less estimate.
    pub difference: i64,
}

impl Machine<'_> {
    /// The part of a provisional receipt that an invoice settles.
    pub fn settled_part(&self, entry: &Entry, event: &Event) -> Result<Settled, Fault> {
        let qty = if event.qty == ABSENT { entry.open_qty } else { event.qty };
        if qty > entry.open_qty || qty == 0 {
            return Err(Fault::with(RejectCode::ReferenceExceeded, qty, entry.open_qty));
        }
        let rounding = self.context.rounding;
        let estimate = if qty == entry.open_qty {
            entry.open_amount
        } else {
            share(entry.open_amount, qty, entry.open_qty, rounding)
        };
        Ok(Settled { qty, estimate, difference: bounded(event.amount - estimate)? })
    }

    /// Marks a part of a provisional receipt as invoiced.
    pub fn note_settled(&mut self, reference: u32, settled: Settled) {
        if let Some(entry) = self.entries.get_mut(reference as usize) {
            entry.settle(settled.qty, settled.estimate);
        }
    }

    /// Invoice for a provisional receipt, where the history is not calculated again.
    pub fn settle(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let entry = self.referred(index, event)?;
        let settled = self.settled_part(&entry, event)?;
        let rules = self.rule(entry.key)?.rules;
        if entry.estimate_out {
            return self.settle_out(event, &entry, settled);
        }
        let posted = if rules.late_cost == LateCost::StockCoverage {
            self.add_covered(entry.key, settled.difference, event.reference, settled.qty)?
        } else {
            self.add_value(entry.key, settled.difference, event.reference)?
        };
        if let Some(original) = self.entries.get_mut(event.reference as usize) {
            original.value += posted.value;
            original.variance += posted.variance;
        }
        self.note_settled(event.reference, settled);
        self.as_reversal(rules.provisional, event.reference, settled, posted)
    }

    /// Invoice for goods whose estimate is taken back already: they come in again, at what they cost.
    fn settle_out(&mut self, event: &Event, entry: &Entry, settled: Settled) -> Result<Posted, Fault> {
        let posted = self.receive_back(event, entry, settled.qty, event.amount)?;
        let is_standard = self.key(entry.key)?.method == Method::Standard;
        // Under the standard method the receipt keeps its value, and the invoice is a matter of its variance.
        let (value, variance) = if is_standard {
            (0, settled.difference)
        } else {
            (posted.value - settled.estimate, posted.variance)
        };
        let invoiced_value = bounded(entry.invoiced_value + bounded(value)?)?;
        let invoiced_variance = bounded(entry.invoiced_variance + variance)?;
        self.key(entry.key)?.awaiting -= settled.qty;
        self.note_settled(event.reference, settled);
        if let Some(original) = self.entries.get_mut(event.reference as usize) {
            (original.invoiced_value, original.invoiced_variance) = (invoiced_value, invoiced_variance);
        }
        Ok(posted)
    }

    /// Shows a settlement as estimate taken back and invoice posted, where the policy says so. Under the standard method both change the
    /// stock by its standard cost; what the estimate, and then the invoice, differs from that is variance.
    pub fn as_reversal(
        &mut self,
        way: Provisional,
        reference: u32,
        settled: Settled,
        posted: Posted,
    ) -> Result<Posted, Fault> {
        if way == Provisional::DifferenceOnInvoice {
            return Ok(posted);
        }
        let Settled { qty, estimate, .. } = settled;
        let stock = self.key(posted.key)?;
        let standard = stock.standard.filter(|_| stock.method == Method::Standard);
        let value = standard.map_or(Ok(estimate), |cost| self.price(qty, cost))?;
        let variance = bounded(estimate - value)?;
        let before = Posted { key: posted.key, quantity: -qty, value: -value, variance: -variance };
        self.before = Some((reference, Reason::EstimateReversed, before));
        Ok(Posted {
            quantity: qty,
            value: bounded(value + posted.value)?,
            variance: bounded(posted.variance + variance)?,
            ..posted
        })
    }

    /// Month-start reversal of what is still open, and its estimate at the end of the month.
    pub fn estimate(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let entry = *self.entries.get(event.reference as usize).ok_or(OVERFLOW)?;
        let idle =
            !entry.accepted || entry.open_qty == 0 || entry.estimate_out == (event.auto == Auto::EstimateOut);
        if idle {
            return Ok(Posted { key: event.key, ..Posted::default() });
        }
        let (qty, amount) = (entry.open_qty, entry.open_amount);
        let out = event.auto == Auto::EstimateOut;
        let posted = if out {
            let awaiting = self.key(event.key)?.awaiting;
            self.key(event.key)?.awaiting = awaiting + qty;
            match self.take_estimate(index, event, qty, amount) {
                Ok(posted) => posted,
                Err(fault) => {
                    self.key(event.key)?.awaiting = awaiting;
                    return Err(fault);
                }
            }
        } else {
            let posted = self.receive_back(event, &entry, qty, amount)?;
            self.key(event.key)?.awaiting -= qty;
            posted
        };
        if let Some(entry) = self.entries.get_mut(event.reference as usize) {
            entry.estimate_out = out;
        }
        Ok(posted)
    }

    /// Reversal of a receipt whose estimate is taken back: what has no invoice goes first. The books do not hold it, so nothing is posted of
    /// it, and it is not made again.
    pub fn reverse_estimate(&mut self, index: u32, event: &Event, qty: i64) -> Result<Posted, Fault> {
        let rounding = self.context.rounding;
        let before = *self.entries.get(event.reference as usize).ok_or(OVERFLOW)?;
        let mut entry = before;
        let open = entry.reverse_out(qty, rounding);
        if let Some(slot) = self.entries.get_mut(event.reference as usize) {
            *slot = entry;
        }
        self.key(entry.key)?.awaiting -= open;
        if open == qty {
            return Ok(Posted { key: entry.key, ..Posted::default() });
        }
        let posted = self.reverse_goods(index, event, &entry.with_invoices(), qty - open);
        if posted.is_err() {
            self.key(entry.key)?.awaiting += open;
            if let Some(slot) = self.entries.get_mut(event.reference as usize) {
                *slot = before;
            }
        }
        posted
    }

    /// What a reversal of `qty` takes that has no invoice. Calculated again, invoices have no place of their own: what had none the first
    /// time has none now.
    pub fn uninvoiced(&mut self, index: u32, event: &Event, qty: i64) -> i64 {
        let open = self.entries.get(event.reference as usize).map_or(0, |entry| qty.min(entry.open_qty));
        (*self.uninvoiced.entry(index).or_insert(open)).min(open)
    }

    /// Goods of a provisional receipt that the books hold again: beside those that it brought already, and of its age.
    fn receive_back(&mut self, event: &Event, entry: &Entry, qty: i64, amount: i64) -> Result<Posted, Fault> {
        self.receive(event.reference, &Event { at: entry.at, ..*event }, qty, amount)
    }

    /// Takes an estimate back at its own value, at the standard cost where there is one; what stock no longer holds is a shortage until the
    /// invoice comes.
    fn take_estimate(&mut self, index: u32, event: &Event, qty: i64, amount: i64) -> Result<Posted, Fault> {
        let stock = self.key(event.key)?;
        let (there, is_standard, standard) =
            (stock.available(event.lot), stock.method == Method::Standard, stock.standard);
        let wanted = match standard.filter(|_| is_standard) {
            Some(cost) => self.price(qty, cost)?,
            None => amount,
        };
        let taken = if qty <= there {
            self.take_latest(event, qty, wanted)?
        } else {
            self.remove(index, event, qty, false)?
        };
        let posted = Posted { key: event.key, quantity: -qty, value: -amount, variance: 0 };
        if qty <= there || is_standard {
            return Ok(Posted { value: -taken, variance: taken - amount, ..posted });
        }
        let stock = self.key(event.key)?;
        let difference = taken - amount;
        stock.value += difference;
        if let Some(short) = stock.shorts.back_mut().filter(|short| short.event == index) {
            short.value -= difference;
        }
        Ok(posted)
    }

    /// Takes the latest goods of a receipt: what has its invoice came before them.
    fn take_latest(&mut self, event: &Event, qty: i64, wanted: i64) -> Result<i64, Fault> {
        let rounding = self.context.rounding;
        let stock = self.key(event.key)?;
        let own = stock.latest_of(event.reference, event.lot, qty, Some(wanted));
        Ok(if stock.method.keeps_layers() {
            stock.take_own(&own, qty, event.lot, rounding, &mut |_| ())
        } else {
            stock.take_valued(&own, qty, Some(wanted), rounding, &mut |_| ())
        })
    }
}
