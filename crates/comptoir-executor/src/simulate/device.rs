//! The device: its engines, and how batches with faulty rows are run.

use super::random::nanos;
use super::spec::{DeviceSpec, Faults};
use crate::policy::{Halves, Nanos};

/// The engines of an instance, for copies in, computation and copies out: when each is free.
#[derive(Debug, Clone, Default)]
pub(super) struct Engines([Nanos; 3]);

/// When a batch computes, and when its results are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) compute_start: Nanos,
    pub(super) compute_end: Nanos,
    pub(super) end: Nanos,
}

impl Engines {
    /// Takes the engines for a batch that leaves now.
    pub(super) fn run(
        &mut self,
        now: Nanos,
        copies: [Nanos; 2],
        compute: Nanos,
        stall: (Nanos, Nanos),
    ) -> Times {
        let [copy_in, engine, copy_out] = &mut self.0;
        *copy_in = now.max(*copy_in) + copies[0];
        let compute_start = (*copy_in).max(*engine);
        *engine = stalled(compute_start, compute, stall);
        let compute_end = *engine;
        *copy_out = compute_end.max(*copy_out) + copies[1];
        Times { compute_start, compute_end, end: *copy_out }
    }
}

/// When a computation ends that the device may stop for a while.
fn stalled(start: Nanos, compute: Nanos, (from, length): (Nanos, Nanos)) -> Nanos {
    let end = start + compute;
    let until = from + length;
    if length == 0 || end <= from || start >= until { end } else { until.max(start) - start.max(from) + end }
}

impl DeviceSpec {
    /// Time of the computation for a batch.
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    pub(super) fn compute_ms(&self, rows: usize) -> f64 {
        self.fixed_ms + self.per_row_ms * rows as f64
    }

    /// Time of the copies to the device and back.
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    pub(super) fn copies(&self, rows: usize) -> [Nanos; 2] {
        [self.copy_in_ms, self.copy_out_ms].map(|time| nanos(time * rows as f64))
    }
}

impl Faults {
    /// When the device stalls and for how long.
    pub(super) fn stall(&self) -> (Nanos, Nanos) {
        (nanos(self.stall_at_ms), nanos(self.stall_ms))
    }
}

/// How a batch is run when some of its rows make it fail: which rows fail in the end, and the sizes of the runs.
pub(super) fn runs(bad: &[bool], mut fails_once: bool) -> (Vec<bool>, Vec<usize>) {
    let mut halves = Halves::new(bad.len());
    let (mut failed, mut sizes) = (Vec::with_capacity(bad.len()), Vec::new());
    while let Some((start, rows)) = halves.next_part() {
        sizes.push(rows);
        let part = bad.get(start..start + rows).unwrap_or_default();
        let fails = std::mem::take(&mut fails_once) || part.contains(&true);
        if !(fails && halves.split((start, rows))) {
            failed.extend(part.iter().map(|_| fails));
        }
    }
    (failed, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_overlap_with_the_computation_of_another_batch() {
        let mut instance = Engines::default();
        let first = instance.run(0, [10, 5], 100, (0, 0));
        assert_eq!(first, Times { compute_start: 10, compute_end: 110, end: 115 });
        let second = instance.run(50, [10, 5], 100, (0, 0));
        assert_eq!(second, Times { compute_start: 110, compute_end: 210, end: 215 });
    }

    #[test]
    fn a_stall_makes_longer_what_it_touches() {
        let stall = (100, 50);
        let ends =
            [(0, 100), (50, 60), (120, 10), (150, 10)].map(|(start, time)| stalled(start, time, stall));
        assert_eq!(ends, [100, 160, 160, 160]);
    }

    #[test]
    fn a_bad_row_fails_alone_and_a_failure_that_goes_away_fails_none() {
        let bad = [false, false, true, false];
        assert_eq!(runs(&bad, false), (bad.to_vec(), vec![4, 2, 2, 1, 1]));
        assert_eq!(runs(&[false; 4], true), (vec![false; 4], vec![4, 2, 2]));
        assert_eq!(runs(&[false], true), (vec![true], vec![1]));
    }
}
