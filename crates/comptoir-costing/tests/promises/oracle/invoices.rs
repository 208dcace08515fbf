//! Invoices of provisional receipts: what they settle, and what becomes of it where history is not calculated again.

use comptoir_costing::movement::{Kind, Reason};
use comptoir_costing::policy::Provisional;

use super::rounding::share;
use super::{Event, Lines, Oracle, Outcome, Piece, Posted};

/// What an invoice settles of a provisional receipt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    receipt: usize,
    qty: i128,
    estimate: i128,
    /// Invoice less estimate.
    pub difference: i128,
}

impl Oracle<'_> {
    /// The part of its receipt that an invoice settles, all that is open where it names no quantity.
    pub(super) fn settled(&self, event: &Event) -> Result<Settled, &'static str> {
        let receipt = event.reference.unwrap();
        let open = self.done[receipt].as_ref().ok_or("COSTING_REFERENCE_REJECTED")?.open;
        let qty = event.qty.unwrap_or(open.qty);
        if qty > open.qty || qty == 0 {
            return Err("COSTING_REFERENCE_EXCEEDED");
        }
        let estimate = share(open.amount, qty, open.qty, self.policy.rounding);
        Ok(Settled { receipt, qty, estimate, difference: event.amount.unwrap() - estimate })
    }

    /// Notes what an invoice settled: it is no estimate any more.
    pub(super) fn note_settled(&mut self, place: usize, settled: Settled) {
        let open = &mut self.done[settled.receipt].as_mut().unwrap().open;
        open.qty -= settled.qty;
        open.amount -= settled.estimate;
        self.settled.insert(place, settled);
    }

    /// The difference goes to the stock that there is, and is part of what the receipt cost.
    pub(super) fn settle(&mut self, place: usize, event: &Event) -> Outcome {
        let settled = self.settled(event)?;
        let posted = self.add_late(event, settled.difference, Some(settled.qty));
        let receipt = self.done[settled.receipt].as_mut().unwrap();
        receipt.value += posted.value;
        receipt.variance += posted.variance;
        self.note_settled(place, settled);
        Ok(self.shown(settled, posted))
    }

    /// The line of an invoice, which under `reverse_on_invoice` brings the goods again that the line before it took back.
    pub(super) fn shown(&mut self, settled: Settled, posted: Posted) -> Posted {
        if self.policy.provisional != Provisional::ReverseOnInvoice {
            return posted;
        }
        let Settled { receipt, qty, estimate, .. } = settled;
        self.before = Some((receipt, qty, estimate));
        Posted { qty, value: estimate + posted.value, ..posted }
    }

    /// The line of a movement, and that of the estimate which it took back before.
    pub(super) fn with_estimate(&mut self, place: usize, posted: Posted) -> Lines {
        let taken_back = self.before.take().map(|(receipt, qty, estimate)| {
            let posted = Posted { qty: -qty, value: -estimate, variance: 0 };
            (receipt, Some(Reason::EstimateReversed), posted)
        });
        taken_back.into_iter().chain([(place, None, posted)]).collect()
    }

    /// The pieces of what a movement brought that leave: those without an invoice before the others, where it is reversed.
    pub(super) fn brought(&self, event: &Event, qty: i128) -> Vec<Piece> {
        let origin = event.reference.unwrap();
        let open = self.done[origin].as_ref().unwrap().open.qty;
        let open = if event.kind == Kind::Reversal { open.min(qty) } else { 0 };
        let parts = [open, qty - open].into_iter().filter(|qty| *qty > 0);
        parts.map(|qty| Piece::new(qty, 0, 0, origin)).collect()
    }

    /// What is reversed of a provisional receipt awaits no invoice; what had none goes first.
    pub(super) fn close_estimate(&mut self, receipt: usize, qty: i128) {
        let rounding = self.policy.rounding;
        let open = &mut self.done[receipt].as_mut().unwrap().open;
        let closed = qty.min(open.qty);
        if closed > 0 {
            open.amount -= share(open.amount, closed, open.qty, rounding);
            open.qty -= closed;
            open.reversed += closed;
        }
    }
}
