//! Production receipts: each takes over its share of what its group issued before it and did not get back.

use comptoir_types::Rounding;
use hashbrown::HashMap;

use super::machine::{Machine, Posted};
use super::{ABSENT, Event, share};
use crate::movement::Kind;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

/// Cost of the issues of a production group, to be taken over by its receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// What a production receipt took over from its group and has not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TakenOver {
    pub group: u32,
    pub qty: i64,
    pub value: i64,
}

impl TakenOver {
    /// What a reversal of `qty` gives back; the last one gives the rest.
    fn give(&mut self, qty: i64, rounding: Rounding) -> i64 {
        let back = if qty >= self.qty { self.value } else { share(self.value, qty, self.qty, rounding) };
        self.qty -= qty;
        self.value -= back;
        back
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
        // More came back than its issues had cost: goods do not cost less than nothing, the rest is variance.
        let own = amount.max(0);
        let (cost, rest) = self.with_late(index, own)?;
        let posted = self.receive(index, event, event.qty, cost)?;
        self.pass_production(index, event, amount);
        Ok(Posted { variance: posted.variance + rest + (amount - own), ..posted })
    }

    /// Notes what a movement issues for a production group, or brings back or changes of what was issued; and what the reversal of a
    /// receipt gives back to it.
    pub fn note_issued(&mut self, event: &Event, posted: Posted) {
        let group = match event.kind {
            Kind::Amendment => self.entries.get(event.reference as usize).map_or(NONE, |entry| entry.group),
            _ => self.issued_group(event),
        };
        if group != NONE {
            let group = self.production.entry(group).or_default();
            group.issued = group.issued.saturating_sub(posted.quantity);
            group.value = group.value.saturating_sub(posted.value.saturating_add(posted.variance));
        }
        if event.kind == Kind::Reversal {
            self.give_back(event.reference, -posted.quantity);
        }
    }

    /// The production group for which a movement issues something, or of whose issues it brings something back.
    pub fn issued_group(&self, event: &Event) -> u32 {
        match event.kind {
            Kind::ProductionIssue => event.group,
            Kind::Reversal | Kind::SalesReturn => {
                self.entries.get(event.reference as usize).map_or(NONE, |entry| entry.group)
            }
            _ => NONE,
        }
    }

    /// Gives the cost of `qty` of a receipt back to its production group, for the receipts that follow.
    fn give_back(&mut self, receipt: u32, qty: i64) {
        let Some(taken) = self.taken_over.get_mut(&receipt) else { return };
        let back = taken.give(qty, self.context.rounding);
        if let Some(group) = self.production.get_mut(&taken.group) {
            group.value = group.value.saturating_add(back);
        }
    }

    /// Notes what a receipt has taken over from its production group.
    fn pass_production(&mut self, index: u32, event: &Event, amount: i64) {
        let taken = TakenOver { group: event.group, qty: event.qty, value: amount };
        self.taken_over.insert(index, taken);
        if let Some(group) = self.production.get_mut(&event.group) {
            group.take(event.qty, amount);
        }
    }

    /// A movement of an item that another method values, or of a rejected group: it changes no stock here, but takes its share of what
    /// its group has issued, or gives it back.
    pub fn pass_by(&mut self, index: u32, event: &Event) {
        match event.kind {
            Kind::ProductionReceipt if event.amount == ABSENT => {
                if let Some(group) = self.production.get(&event.group).copied() {
                    let amount = group.share(event.qty, self.context.rounding);
                    self.pass_production(index, event, amount);
                }
            }
            Kind::Reversal => {
                let left = self.taken_over.get(&event.reference).map_or(0, |taken| taken.qty);
                self.give_back(event.reference, if event.qty == ABSENT { left } else { event.qty.min(left) });
            }
            _ => {}
        }
    }
}

/// The production groups before the first event: what their receipts without an amount are to take.
pub(super) fn unpriced(events: &[Event]) -> HashMap<u32, Production> {
    let mut production: HashMap<u32, Production> = HashMap::new();
    for event in events.iter().filter(|event| is_unpriced(event)) {
        // What saturates is beyond the limit of 18 digits, and the receipt that takes it is refused.
        let group = production.entry(event.group).or_default();
        group.unpriced = group.unpriced.saturating_add(event.qty);
    }
    production
}

/// Whether a movement takes over its share of what its group issued.
pub(super) fn is_unpriced(event: &Event) -> bool {
    event.kind == Kind::ProductionReceipt && event.amount == ABSENT
}

/// Why a production receipt without an amount has no cost to take over.
pub(super) const fn nothing_issued(event: &Event) -> Fault {
    Fault::with(RejectCode::Amount, if event.group == NONE { 0 } else { event.qty }, 0)
}
