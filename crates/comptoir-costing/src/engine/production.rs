//! Production receipts: each takes over its share of what its group issued before it and did not get back.

use comptoir_types::Rounding;

use super::machine::{Machine, Posted};
use super::{ABSENT, Event, share};
use crate::movement::Kind;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

/// Cost of the issues of a production group, to be taken over by its receipts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Production {
    /// Quantity issued and not brought back, over all items.
    pub issued: i64,
    /// Value issued and not taken over yet.
    pub value: i64,
    /// Quantity of receipts without an amount that are still to come.
    pub unpriced: i64,
}

impl Production {
    /// What a receipt of `qty` takes over; the last one takes the rest.
    pub fn share(&self, qty: i64, rounding: Rounding) -> i64 {
        if qty >= self.unpriced { self.value } else { share(self.value, qty, self.unpriced, rounding) }
    }

    pub const fn take(&mut self, qty: i64, value: i64) {
        self.value -= value;
        self.unpriced -= qty;
    }
}

impl Machine<'_> {
    /// Receipt from production: at its amount, else at its share of what its group issued.
    pub fn production_receipt(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        if event.amount != ABSENT {
            return self.receive(index, event, event.qty, event.amount);
        }
        let group = self.production.get(&event.group).filter(|group| event.group != NONE && group.issued > 0);
        let Some(group) = group.copied() else {
            return Err(nothing_issued(event));
        };
        let amount = group.share(event.qty, self.context.rounding);
        let (cost, rest) = self.with_late(index, amount)?;
        let posted = self.receive(index, event, event.qty, cost)?;
        self.pass_production(event, amount);
        Ok(Posted { variance: posted.variance + rest, ..posted })
    }

    /// Notes what a movement issues for a production group, or brings back or changes of what was issued.
    pub fn note_issued(&mut self, event: &Event, posted: Posted) {
        let group = match event.kind {
            Kind::ProductionIssue => event.group,
            Kind::Reversal | Kind::SalesReturn | Kind::Amendment => {
                self.entries.get(event.reference as usize).map_or(NONE, |entry| entry.group)
            }
            _ => NONE,
        };
        if group != NONE {
            let group = self.production.entry(group).or_default();
            group.issued = group.issued.saturating_sub(posted.quantity);
            group.value = group.value.saturating_sub(posted.value.saturating_add(posted.variance));
        }
    }

    /// Notes what a receipt has taken over from its production group.
    fn pass_production(&mut self, event: &Event, amount: i64) {
        if let Some(group) = self.production.get_mut(&event.group) {
            group.take(event.qty, amount);
        }
    }

    /// A movement of an item that another method values, or of a rejected group: it changes no stock here, but takes its share of what
    /// its group has issued.
    pub fn pass_by(&mut self, event: &Event) {
        let group = self.production.get(&event.group).copied();
        if let Some(group) = group.filter(|_| event.kind == Kind::ProductionReceipt && event.amount == ABSENT)
        {
            self.pass_production(event, group.share(event.qty, self.context.rounding));
        }
    }
}

/// Why a production receipt without an amount has no cost to take over.
pub(super) const fn nothing_issued(event: &Event) -> Fault {
    Fault::with(RejectCode::Amount, if event.group == NONE { 0 } else { event.qty }, 0)
}
