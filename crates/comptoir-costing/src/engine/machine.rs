//! The state machine: one event in, its line and its corrections out, or a rejection that changes nothing.

use hashbrown::HashMap;

use super::production::{Production, TakenOver, unpriced};
use super::stock::{Ratio, Stock, Switched};
use super::{ABSENT, Auto, Context, Correction, Entry, Event, Layer, Line, OVERFLOW, Sink, bounded};
use crate::movement::{Kind, Reason};
use crate::policy::{Method, Rules};
use crate::reject::{Fault, RejectCode};
use comptoir_types::decimal::mul_div;

/// The choices of one key, costs in units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyRules {
    pub rules: Rules,
    pub fallback: Option<i64>,
    pub standard: Option<i64>,
    /// First instant of the new method, if the method changes.
    pub switch_at: Option<i64>,
}

/// What a step did to its key. Corrections are kept aside until the line is posted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Posted {
    pub key: u32,
    pub quantity: i64,
    pub value: i64,
    pub variance: i64,
}

/// The standard cost that a revaluation replaced, and the quantity that it valued anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    pub standard: Option<i64>,
    pub qty: i64,
}

/// A change of value that follows from a step: of the key's stock, and of the entry whose cost it corrects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub key: u32,
    pub adjusts: u32,
    pub value: i64,
    pub reason: Reason,
}

/// State of all keys of one component.
#[derive(Clone, Debug)]
pub(crate) struct Machine<'a> {
    pub context: &'a Context,
    /// Choices by key.
    pub rules: &'a [KeyRules],
    pub keys: Vec<Stock>,
    /// What became of each event; empty when no event refers to another.
    pub entries: Vec<Entry>,
    /// Parts that left with events that others refer to, so that they can come back with their dates.
    pub parts: HashMap<u32, Vec<Layer>>,
    /// What arrived with transfers that others refer to, oldest first, so that it can be sent again.
    pub arrived: HashMap<u32, Vec<Layer>>,
    /// Whether an event is referred to; empty when none is.
    pub referenced: &'a [bool],
    pub production: HashMap<u32, Production>,
    /// What unpriced production receipts took over from their groups, by event.
    pub taken_over: HashMap<u32, TakenOver>,
    /// What revaluations that others refer to replaced, by event.
    pub replaced: HashMap<u32, Replaced>,
    /// What reversals took that had no invoice yet, by event.
    pub uninvoiced: HashMap<u32, i64>,
    /// Costs that came late, by event. An amount of the event holds them already.
    pub late: HashMap<u32, i64>,
    pub changes: Vec<Change>,
    /// Line that stands before the movement: an estimate taken back.
    pub before: Option<(u32, Reason, Posted)>,
    /// Event whose numbers turned out not to fit when the state had changed already: the machine is of no further use.
    pub spoilt: Option<u32>,
}

impl<'a> Machine<'a> {
    /// A machine before the first event. `events` gives the production groups; `linked` says whether entries must be kept.
    pub fn new(
        context: &'a Context,
        rules: &'a [KeyRules],
        referenced: &'a [bool],
        events: &[Event],
    ) -> Self {
        // The layer that a change of method makes is as old as the oldest goods: until then their ages are kept.
        let becomes_layered = |rules: &Rules| rules.switch.is_some_and(|switch| switch.method.keeps_layers());
        let stock = |KeyRules { rules, standard, .. }: &KeyRules| {
            Stock::new(rules.method, *standard, context.track_ages || becomes_layered(rules))
        };
        let keys = rules.iter().map(stock).collect();
        let linked = !referenced.is_empty();
        let production = if linked { unpriced(events) } else { HashMap::new() };
        let entries = if linked { vec![Entry::BLANK; events.len()] } else { Vec::new() };
        Self {
            context,
            rules,
            keys,
            entries,
            parts: HashMap::new(),
            arrived: HashMap::new(),
            referenced,
            production,
            taken_over: HashMap::new(),
            replaced: HashMap::new(),
            uninvoiced: HashMap::new(),
            late: HashMap::new(),
            changes: Vec::new(),
            before: None,
            spoilt: None,
        }
    }

    /// Posts one event to the sink, or rejects it.
    pub fn apply(&mut self, index: u32, event: &Event, sink: &mut impl Sink) -> Result<(), Fault> {
        let outcome = self.step(index, event).and_then(|posted| {
            let fits = self.check_fits(index, event, posted);
            self.spoilt = if fits.is_err() { Some(index) } else { None };
            fits.map(|()| posted)
        });
        let posted = match outcome {
            Ok(posted) => posted,
            Err(fault) => {
                self.changes.clear();
                self.before = None;
                if event.auto == Auto::No {
                    sink.reject(index, fault);
                }
                return Err(fault);
            }
        };
        self.record(index, event, posted);
        self.post_before(index, event.at, posted, sink);
        if event.auto == Auto::No {
            sink.movement(index, posted.key, self.line(posted));
        } else if posted.quantity != 0 || posted.value != 0 {
            let reason = if event.auto == Auto::EstimateOut {
                Reason::MonthStartReversal
            } else {
                Reason::Reestimated
            };
            let (line, adjusts) = (self.line(posted), event.reference);
            sink.correction(Correction {
                cause: adjusts,
                adjusts,
                reason,
                key: posted.key,
                at: event.at,
                line,
            });
        }
        self.post_changes(index, event.at, sink);
        Ok(())
    }

    /// Whether all that a step is about to post, and what it leaves, stays within 18 digits. Most steps look before they change
    /// anything; sums of several numbers that fit each, as of what is there and what is short, show only here.
    fn check_fits(&self, index: u32, event: &Event, posted: Posted) -> Result<(), Fault> {
        let stock = self.keys.get(posted.key as usize).ok_or(OVERFLOW)?;
        for number in [posted.quantity, posted.value, posted.variance, stock.qty, stock.value] {
            bounded(number)?;
        }
        if let Some((_, _, before)) = self.before {
            let rest = [stock.qty - posted.quantity, stock.value - posted.value];
            [before.quantity, before.value, before.variance]
                .into_iter()
                .chain(rest)
                .try_for_each(|number| bounded(number).map(|_| ()))?;
        }
        let mut value = stock.value;
        for change in &self.changes {
            value = bounded(value + bounded(change.value)?)?;
            let entry = self.entries.get(change.adjusts as usize).map_or(0, |entry| entry.value);
            let own = if change.adjusts == index { posted.value } else { entry };
            bounded(own + change.value)?;
        }
        match self.entries.get(event.reference as usize) {
            Some(entry) => [entry.qty, entry.value, entry.variance, entry.taken_value]
                .into_iter()
                .try_for_each(|number| bounded(number).map(|_| ())),
            None => Ok(()),
        }
    }

    fn step(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        if event.auto != Auto::No {
            return self.estimate(index, event);
        }
        match event.kind {
            Kind::Receipt | Kind::ProvisionalReceipt => self.receive(index, event, event.qty, event.amount),
            Kind::Issue | Kind::CountLoss | Kind::ProductionIssue | Kind::TransferOut => {
                self.issue(index, event)
            }
            Kind::Opening => self.open(index, event),
            Kind::SalesReturn => self.sales_return(index, event),
            Kind::PurchaseReturn => self.purchase_return(index, event),
            Kind::TransferIn => self.transfer_in(index, event),
            Kind::Count => self.count(index, event),
            Kind::CountGain => self.count_gain(index, event),
            Kind::CostAdjustment => self.adjust_cost(event),
            Kind::Revaluation => self.revalue(index, event),
            Kind::ProductionReceipt => self.production_receipt(index, event),
            Kind::Reversal => self.reverse(index, event),
            Kind::Settlement => self.settle(index, event),
            Kind::Amendment => self.amend(index, event),
        }
    }

    /// Changes the method of a key whose switch has come, before its first movement under the new method.
    pub fn switch_method(
        &mut self,
        key: u32,
        at: i64,
        sink: &mut impl Sink,
        cause: u32,
    ) -> Result<(), Fault> {
        let rules = self.rule(key)?;
        let Some(switch) = rules.rules.switch else {
            return Ok(());
        };
        if rules.switch_at.is_none_or(|from| at < from) || self.key(key)?.switched.is_some() {
            return Ok(());
        }
        let posted = self.switch_to(key, switch)?;
        let stock = self.key(key)?;
        stock.standard_since = cause;
        stock.switched = Some(Switched { cause, value: posted.value });
        if posted.value != 0 {
            let line = self.line(posted);
            let at = rules.switch_at.unwrap_or(at);
            sink.correction(Correction {
                cause,
                adjusts: cause,
                reason: Reason::MethodSwitched,
                key,
                at,
                line,
            });
        }
        Ok(())
    }

    fn record(&mut self, index: u32, event: &Event, posted: Posted) {
        if event.auto != Auto::No {
            // Kept, so that calculating again finds what an estimate taken back would have been.
            let Posted { key, quantity: qty, value, variance } = posted;
            if let Some(entry) = self.entries.get_mut(index as usize) {
                *entry = Entry { accepted: true, key, qty, value, variance, ..Entry::BLANK };
            }
            return;
        }
        self.note_issued(event, posted);
        let group = self.issued_group(event);
        // What an appended amendment or a settlement changed is part of the movement that it refers to, and must not count twice.
        let estimate_out = self.entries.get(event.reference as usize).is_some_and(|entry| entry.estimate_out);
        let folded = event.kind == Kind::Amendment || (event.kind == Kind::Settlement && !estimate_out);
        let posted = if folded { Posted { key: posted.key, ..Posted::default() } } else { posted };
        let Some(entry) = self.entries.get_mut(index as usize) else {
            return;
        };
        entry.accepted = true;
        entry.key = posted.key;
        entry.qty = posted.quantity;
        entry.value = posted.value;
        entry.variance = posted.variance;
        entry.reference = event.reference;
        entry.reset = event.kind == Kind::Count && event.amount != ABSENT;
        if event.kind == Kind::ProvisionalReceipt {
            entry.open_qty = event.qty;
            // A landed cost is no part of an estimate.
            entry.open_amount = event.amount - self.late.get(&index).copied().unwrap_or(0);
            entry.at = event.at;
        }
        entry.group = group;
    }

    /// Posts the estimate that a settlement takes back; it stands before the settlement's own line.
    fn post_before(&mut self, index: u32, at: i64, posted: Posted, sink: &mut impl Sink) {
        let Some((adjusts, reason, before)) = self.before.take() else {
            return;
        };
        let after = self.line(posted);
        let line = Line {
            quantity: before.quantity,
            value: before.value,
            on_hand: after.on_hand - posted.quantity,
            on_hand_value: after.on_hand_value - posted.value,
            variance: before.variance,
        };
        sink.correction(Correction { cause: index, adjusts, reason, key: posted.key, at, line });
    }

    /// Posts the corrections that the step has left, each with the stock after it.
    fn post_changes(&mut self, index: u32, at: i64, sink: &mut impl Sink) {
        let changes = std::mem::take(&mut self.changes);
        for change in &changes {
            let Some(stock) = self.keys.get_mut(change.key as usize) else {
                continue;
            };
            stock.value += change.value;
            if let Some(entry) = self.entries.get_mut(change.adjusts as usize) {
                entry.value += change.value;
            }
            let posted = Posted { key: change.key, quantity: 0, value: change.value, variance: 0 };
            let (line, key) = (self.line(posted), change.key);
            sink.correction(Correction {
                cause: index,
                adjusts: change.adjusts,
                reason: change.reason,
                key,
                at,
                line,
            });
        }
        self.changes = changes;
        self.changes.clear();
    }

    /// The line of what was posted, with the stock after it. Corrections still to come are not in the stock yet.
    pub fn line(&self, posted: Posted) -> Line {
        let (on_hand, on_hand_value) =
            self.keys.get(posted.key as usize).map_or((0, 0), |stock| (stock.qty, stock.value));
        Line {
            quantity: posted.quantity,
            value: posted.value,
            on_hand,
            on_hand_value,
            variance: posted.variance,
        }
    }

    pub fn key(&mut self, key: u32) -> Result<&mut Stock, Fault> {
        self.keys.get_mut(key as usize).ok_or(OVERFLOW)
    }

    pub fn rule(&self, key: u32) -> Result<&'a KeyRules, Fault> {
        self.rules.get(key as usize).ok_or(OVERFLOW)
    }

    /// The entry of the movement referred to, which must be an accepted one before this event.
    pub fn referred(&self, index: u32, event: &Event) -> Result<Entry, Fault> {
        if event.reference >= index {
            return Err(Fault::new(RejectCode::ReferenceLater));
        }
        match self.entries.get(event.reference as usize) {
            Some(entry) if entry.accepted => Ok(*entry),
            _ => Err(Fault::new(RejectCode::ReferenceRejected)),
        }
    }

    /// Notes that a part of an earlier movement came back.
    pub fn note_taken(&mut self, reference: u32, qty: i64, value: i64) {
        if let Some(entry) = self.entries.get_mut(reference as usize) {
            entry.taken_qty += qty;
            entry.taken_value += value;
        }
    }

    /// Value of a quantity at a unit cost in units.
    pub fn price(&self, qty: i64, unit_cost: i64) -> Result<i64, Fault> {
        let scaled = unit_cost.checked_mul(self.context.price_up).ok_or(OVERFLOW)?;
        mul_div(qty, scaled, self.context.price_down, self.context.rounding).ok_or(OVERFLOW).and_then(bounded)
    }

    /// Value of a quantity at an exact unit cost; at the standard cost of the standard method, at the fallback cost, else nothing, when
    /// none is known.
    pub fn price_at(&self, key: u32, qty: i64, ratio: Ratio) -> Result<i64, Fault> {
        if ratio.qty == 0 {
            let stock = self.keys.get(key as usize).ok_or(OVERFLOW)?;
            let standard = stock.standard.filter(|_| stock.method == Method::Standard);
            return standard.or(self.rule(key)?.fallback).map_or(Ok(0), |cost| self.price(qty, cost));
        }
        mul_div(ratio.value, qty, ratio.qty, self.context.rounding).ok_or(OVERFLOW).and_then(bounded)
    }
}
