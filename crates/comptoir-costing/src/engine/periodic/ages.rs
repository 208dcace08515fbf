//! Stock at the end, with the ages that a moving average run gives it: ages do not depend on the cost.

use super::super::machine::Machine;
use super::super::run;
use super::super::{ABSENT, Discard, Event, KeyRules, Stock};
use super::{Cost, Periodic};
use crate::movement::Kind;
use crate::policy::{Amendment, LateCost, Method, Negative, Provisional, Rules};

impl Periodic<'_> {
    /// The stock of every key at the end. Ages do not depend on the cost, so a moving average run gives them.
    pub fn stocks(&self) -> Vec<Stock> {
        let aged = if self.context.track_ages { self.ages() } else { Vec::new() };
        let mut aged = aged.into_iter();
        let totals = self.totals.iter().zip(self.rules);
        totals
            .map(|(total, rules)| {
                let mut stock = Stock::new(Method::PeriodicAverage, rules.standard, self.context.track_ages);
                if let Some(other) = aged.next() {
                    stock.layers = other.layers;
                }
                stock.qty = total.qty;
                stock.value = total.value;
                stock.last = total.last;
                stock
            })
            .collect()
    }

    fn ages(&self) -> Vec<Stock> {
        let plain = |rules: &KeyRules| KeyRules {
            rules: Rules {
                method: Method::MovingAverage,
                negative: Negative::Carry,
                late_cost: LateCost::Prospective,
                amendment: Amendment::Append,
                provisional: Provisional::default(),
                ..rules.rules
            },
            ..*rules
        };
        let rules: Vec<KeyRules> = self.rules.iter().map(plain).collect();
        let referenced = vec![true; self.events.len()];
        let mut machine = Machine::new(self.context, &rules, &referenced, self.events);
        for ((index, event), effect) in (0u32..).zip(self.events).zip(&self.effects) {
            // What is rejected, or falls with its group, has no effect.
            if effect.cost == Cost::None || self.amend_estimate(&mut machine, event) {
                continue;
            }
            let event = self.counted(&machine, index, event);
            let _rejected = run::step(&mut machine, index, &event, &mut Discard);
        }
        machine.keys
    }

    /// The event, a stock count with the quantity that makes the difference it has here: amendments may stand before it.
    fn counted(&self, machine: &Machine<'_>, index: u32, event: &Event) -> Event {
        let there = machine.keys.get(event.key as usize).map_or(0, |stock| stock.qty);
        match self.effects.get(index as usize) {
            Some(effect) if event.kind == Kind::Count && effect.cost != Cost::None => {
                Event { qty: there + effect.qty, ..*event }
            }
            // Whatever goods cost: an average that is none of this method does not have to fit.
            _ => Event { amount: 0, ..*event },
        }
    }

    /// Amends an estimate that is taken back at the moment, which changes no stock; whether the event does that.
    fn amend_estimate(&self, machine: &mut Machine<'_>, event: &Event) -> bool {
        let target = event.reference as usize;
        if event.kind != Kind::Amendment || self.kind(target) != Some(Kind::ProvisionalReceipt) {
            return false;
        }
        let Some(entry) = machine.entries.get_mut(target) else {
            return false;
        };
        entry.open_qty = if event.qty == ABSENT { entry.open_qty } else { event.qty - entry.open_reversed };
        let is_out = entry.estimate_out;
        entry.qty = if is_out { entry.open_qty + entry.open_reversed } else { entry.qty };
        is_out
    }
}
