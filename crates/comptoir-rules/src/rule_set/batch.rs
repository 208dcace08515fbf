use super::{Decision, RuleSet};
use crate::host::Activation;

impl RuleSet {
    /// The decisions on many events, in their order.
    #[must_use]
    pub fn decide_batch<E: Activation>(&self, events: &[E]) -> Vec<Decision<'_>> {
        events.iter().map(|event| self.decide(event)).collect()
    }

    /// The places of the events for which a rule counts: choosing items or users.
    #[must_use]
    pub fn select<E: Activation>(&self, events: &[E]) -> Vec<usize> {
        let is_chosen = |event: &E| self.decide(event).fired().len() > 0;
        events.iter().enumerate().filter(|(_, event)| is_chosen(event)).map(|(place, _)| place).collect()
    }
}
