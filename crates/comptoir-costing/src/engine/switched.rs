//! Changes of method where the history is calculated again: they take place in the same stock, and what they post is compared.

use super::machine::{Machine, Posted};
use super::stock::Switched;

/// A change of method that the books have made, also where no movement of the history as it should have been stands behind it.
pub(super) struct DueSwitch {
    pub key: u32,
    pub at: i64,
    pub cause: u32,
}

/// Changes of method that have taken place by an instant.
pub(super) fn switched_keys(machine: &Machine<'_>, at: i64) -> Vec<DueSwitch> {
    let keys = (0u32..).zip(&machine.keys);
    keys.filter_map(|(key, stock)| stock.switched.map(|Switched { cause, .. }| DueSwitch { key, at, cause }))
        .collect()
}

/// What changes of method post in the history as it should have been beyond what they did, each with the event before which it took
/// place: a cost that came late was part of the stock that they valued.
pub(super) fn switch_differences(
    machine: &Machine<'_>,
    anew: &Machine<'_>,
) -> impl Iterator<Item = (u32, Posted)> {
    (0u32..).zip(machine.keys.iter().zip(&anew.keys)).filter_map(|(key, (old, new))| {
        let (old, new) = (old.switched?, new.switched?);
        let posted = Posted { key, value: new.value - old.value, ..Posted::default() };
        (posted.value != 0).then_some((old.cause, posted))
    })
}
