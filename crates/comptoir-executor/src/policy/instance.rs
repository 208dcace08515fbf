//! What an instance of the device has under way, as far as batches are decided by it.

use super::{DeviceState, Nanos};

/// One instance on the device: what its lanes are running.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Per lane: when its batch is expected to end.
    running: Vec<Option<Nanos>>,
    /// When the last batch ended.
    last_end: Nanos,
    /// Time in which at least one batch was running, until `last_change`.
    busy: Nanos,
    last_change: Nanos,
}

impl Instance {
    pub(super) fn new(depth: usize) -> Self {
        Self { running: vec![None; depth], last_end: 0, busy: 0, last_change: 0 }
    }

    /// Time in which it had a batch, up to now.
    pub(crate) fn busy(&self, now: Nanos) -> Nanos {
        let running = self.running.iter().any(Option::is_some);
        self.busy + if running { now.saturating_sub(self.last_change) } else { 0 }
    }

    /// A lane without a batch.
    pub(super) fn free_lane(&self) -> Option<usize> {
        self.running.iter().position(Option::is_none)
    }

    /// When the batches under way are expected to have ended; none where there are none.
    pub(super) fn free_at(&self) -> Option<Nanos> {
        self.running.iter().flatten().copied().max()
    }

    /// What the policy is told.
    pub(super) fn state(&self, now: Nanos, copy_in: Nanos) -> DeviceState {
        let free_at = self.free_at();
        DeviceState { idle: free_at.is_none(), free_at: free_at.unwrap_or(now), copy_in }
    }

    /// A lane starts a batch that is expected to take `expected` behind those under way.
    pub(super) fn start(&mut self, place: usize, now: Nanos, expected: Nanos) {
        let free = self.free_at().unwrap_or(now).max(now);
        self.set(place, Some(free + expected), now);
    }

    /// The batch of a lane, which started at `start`, has ended. Gives its time without that in which it waited for the
    /// batch before.
    pub(super) fn end(&mut self, place: usize, start: Nanos, now: Nanos) -> Nanos {
        self.set(place, None, now);
        let began = start.max(self.last_end);
        self.last_end = now;
        now.saturating_sub(began)
    }

    fn set(&mut self, place: usize, until: Option<Nanos>, now: Nanos) {
        self.busy = self.busy(now);
        self.last_change = now;
        if let Some(lane) = self.running.get_mut(place) {
            *lane = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_measured_without_its_wait_for_the_one_before() {
        let mut instance = Instance::new(2);
        instance.start(0, 100, 50);
        assert_eq!(instance.state(110, 7), DeviceState { idle: false, free_at: 150, copy_in: 7 });
        instance.start(1, 120, 30);
        assert_eq!((instance.free_at(), instance.free_lane()), (Some(180), None));
        assert_eq!(instance.end(0, 100, 160), 60);
        assert_eq!(instance.end(1, 120, 190), 30);
        assert_eq!((instance.busy(500), instance.free_at(), instance.free_lane()), (90, None, Some(0)));
    }
}
