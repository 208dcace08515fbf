//! When a batch leaves, and how large it is.

use serde::{Deserialize, Serialize};

use super::{LatencyModel, Nanos};
use crate::error::Error;

/// How batches are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchPolicy {
    /// Rows of the largest batch.
    pub max_size: usize,
    /// Rows that a batch waits for although the device is idle, at most for `max_delay_ms`. At 1 an idle device never
    /// waits.
    pub min_size: usize,
    /// How long the first row of a batch waits for `min_size` rows, in milliseconds.
    pub max_delay_ms: f64,
    /// Sizes that the device likes: a batch of at least the smallest of them is cut to the largest that fits, and the
    /// rows behind stay for the next one. Empty: any size.
    pub preferred: Vec<usize>,
}

impl Default for BatchPolicy {
    fn default() -> Self {
        Self { max_size: 32, min_size: 1, max_delay_ms: 2.0, preferred: Vec::new() }
    }
}

/// A row that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// When its request came.
    pub arrived: Nanos,
    /// When the row was full.
    pub ready: Nanos,
    /// When its result is of no use any more.
    pub deadline: Option<Nanos>,
}

/// An instance of the model on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceState {
    /// Whether no batch is under way.
    pub idle: bool,
    /// When the batches under way are expected to have ended.
    pub free_at: Nanos,
    /// How long before `free_at` a batch may be started so that its input is there when the device is free; 0 where
    /// nothing is copied.
    pub copy_in: Nanos,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Start a batch of the first `rows` rows.
    Dispatch {
        /// Its size.
        rows: usize,
    },
    /// The rows are due, but the device is busy: ask again at this time, or when something has changed.
    Hold {
        /// When the device can take them.
        until: Nanos,
    },
    /// More rows are waited for: ask again at this time, or when something has changed.
    Wait {
        /// When to ask again at the latest.
        until: Option<Nanos>,
    },
}

impl Decision {
    /// Whether the rows are a batch, now or as soon as the device is free.
    #[must_use]
    pub const fn is_due(self) -> bool {
        matches!(self, Self::Dispatch { .. } | Self::Hold { .. })
    }

    /// When to ask again; none where it depends on something else.
    #[must_use]
    pub const fn until(self) -> Option<Nanos> {
        match self {
            Self::Dispatch { .. } => None,
            Self::Hold { until } => Some(until),
            Self::Wait { until } => until,
        }
    }
}

impl BatchPolicy {
    /// Whether the settings can be used.
    ///
    /// # Errors
    /// [`Error::Config`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        let Self { max_size, min_size, max_delay_ms, preferred } = self;
        if *max_size == 0 || *max_size > MOST_ROWS {
            return Err(Error::config(
                "batch.max_size",
                format!("must be from 1 to {MOST_ROWS}, found {max_size}"),
            ));
        }
        if *min_size == 0 || min_size > max_size {
            let message = format!("must be from 1 to max_size, which is {max_size}, found {min_size}");
            return Err(Error::config("batch.min_size", message));
        }
        if !(0.0..=MOST_DELAY_MS).contains(max_delay_ms) {
            let message = format!("must be from 0 to {MOST_DELAY_MS}, found {max_delay_ms}");
            return Err(Error::config("batch.max_delay_ms", message));
        }
        match preferred.iter().find(|&&size| size == 0 || size > *max_size) {
            Some(size) => Err(Error::config(
                "batch.preferred",
                format!("sizes must be from 1 to max_size, which is {max_size}, found {size}"),
            )),
            None => Ok(()),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be from 0 to a day"
    )]
    fn max_delay(&self) -> Nanos {
        (self.max_delay_ms * 1e6) as Nanos
    }
}

const MOST_ROWS: usize = 65_536;
const MOST_DELAY_MS: f64 = 86_400_000.0;

/// Whether a row would miss its deadline even if it started now and alone.
#[must_use]
pub fn late(now: Nanos, row: &Ready, latency: &LatencyModel) -> bool {
    row.deadline.is_some_and(|deadline| now.saturating_add(latency.estimate(1)) > deadline)
}

/// What to do with the ready rows of a model, given in the order in which they leave.
///
/// An idle device starts at once, unless `min_size` says otherwise. A device that is busy gets its next batch when it
/// is free, or earlier by the time that its input takes to be copied; a full batch is not held back for copying. A
/// batch is made no larger than lets its earliest deadline be met, where a smaller one meets it. Where no more
/// rows are `coming`, as at the end of a pipeline, waiting for `min_size` is of no use and ends.
#[must_use]
pub fn decide(
    now: Nanos,
    ready: &[Ready],
    coming: bool,
    device: DeviceState,
    latency: &LatencyModel,
    policy: &BatchPolicy,
) -> Decision {
    let Some(first) = ready.first() else { return Decision::Wait { until: None } };
    let most = ready.len().min(policy.max_size);
    let full = most == policy.max_size;
    let turn = device.free_at.saturating_sub(device.copy_in);
    let busy = !device.idle && now < turn && !(full && device.copy_in > 0);
    if most < policy.min_size && coming {
        let delay = first.ready.saturating_add(policy.max_delay());
        let until = delay.min(last_start(ready, latency, policy.min_size));
        if now < until {
            return Decision::Wait { until: Some(if busy { turn.max(until) } else { until }) };
        }
    }
    if busy {
        return Decision::Hold { until: turn };
    }
    let start = if device.idle { now } else { now.max(device.free_at) };
    Decision::Dispatch { rows: size(start, ready.get(..most).unwrap_or_default(), latency, policy) }
}

/// The moment from which a batch of `rows` rows misses the first of the deadlines.
fn last_start(ready: &[Ready], latency: &LatencyModel, rows: usize) -> Nanos {
    let first = ready.iter().filter_map(|row| row.deadline).min();
    first.map_or(Nanos::MAX, |deadline| deadline.saturating_sub(latency.estimate(rows)))
}

/// The largest batch that meets the deadlines of its rows; all rows where no size meets them.
fn size(start: Nanos, ready: &[Ready], latency: &LatencyModel, policy: &BatchPolicy) -> usize {
    let mut rows = ready.len();
    if ready.iter().any(|row| row.deadline.is_some()) {
        let meets = |rows: &usize| {
            let end = start.saturating_add(latency.estimate(*rows));
            let deadlines = ready.iter().take(*rows).filter_map(|row| row.deadline);
            deadlines.min().is_none_or(|deadline| end <= deadline)
        };
        // Larger batches end later and have more deadlines: sizes that meet theirs are the smaller ones.
        let met = (1..=rows).take_while(meets).last();
        rows = met.unwrap_or(rows);
    }
    policy.preferred.iter().copied().filter(|&size| size <= rows).max().unwrap_or(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IDLE: DeviceState = DeviceState { idle: true, free_at: 0, copy_in: 0 };

    fn rows(count: usize) -> Vec<Ready> {
        (0..count as Nanos).map(|at| Ready { arrived: at, ready: at, deadline: None }).collect()
    }

    fn policy(max_size: usize) -> BatchPolicy {
        BatchPolicy { max_size, ..BatchPolicy::default() }
    }

    fn ask(now: Nanos, ready: &[Ready], coming: bool, device: DeviceState, policy: &BatchPolicy) -> Decision {
        decide(now, ready, coming, device, &LatencyModel::new(100, 10), policy)
    }

    #[test]
    fn an_idle_device_takes_what_there_is() {
        assert_eq!(ask(50, &rows(3), true, IDLE, &policy(8)), Decision::Dispatch { rows: 3 });
        assert_eq!(ask(50, &rows(30), true, IDLE, &policy(8)), Decision::Dispatch { rows: 8 });
        assert_eq!(ask(50, &[], true, IDLE, &policy(8)), Decision::Wait { until: None });
    }

    #[test]
    fn a_busy_device_gets_its_batch_in_time_for_the_copy() {
        let busy = DeviceState { idle: false, free_at: 900, copy_in: 200 };
        assert_eq!(ask(600, &rows(3), true, busy, &policy(8)), Decision::Hold { until: 700 });
        assert_eq!(ask(700, &rows(3), true, busy, &policy(8)), Decision::Dispatch { rows: 3 });
        // A full batch can be copied now: nothing would join it.
        assert_eq!(ask(600, &rows(8), true, busy, &policy(8)), Decision::Dispatch { rows: 8 });
    }

    #[test]
    fn a_least_size_is_waited_for_but_not_for_ever_nor_for_nobody() {
        let policy = BatchPolicy { max_size: 8, min_size: 4, max_delay_ms: 0.001, preferred: vec![] };
        assert_eq!(ask(500, &rows(3), true, IDLE, &policy), Decision::Wait { until: Some(1000) });
        assert_eq!(ask(1000, &rows(3), true, IDLE, &policy), Decision::Dispatch { rows: 3 });
        assert_eq!(ask(500, &rows(3), false, IDLE, &policy), Decision::Dispatch { rows: 3 });
        assert_eq!(ask(500, &rows(4), true, IDLE, &policy), Decision::Dispatch { rows: 4 });
        let mut urgent = rows(3);
        urgent[1].deadline = Some(640);
        assert_eq!(ask(499, &urgent, true, IDLE, &policy), Decision::Wait { until: Some(500) });
    }

    #[test]
    fn preferred_sizes_cut_and_small_batches_leave_as_they_are() {
        let policy = BatchPolicy { preferred: vec![4, 8], ..policy(16) };
        let sizes = [3, 4, 7, 8, 15].map(|count| ask(50, &rows(count), false, IDLE, &policy));
        assert_eq!(sizes, [3, 4, 4, 8, 8].map(|rows| Decision::Dispatch { rows }));
    }

    #[test]
    fn settings_are_refused_by_their_field() {
        let refused = |policy: BatchPolicy| policy.check().unwrap_err().to_string();
        assert_eq!(refused(policy(0)), "`batch.max_size`: must be from 1 to 65536, found 0");
        assert_eq!(
            refused(BatchPolicy { min_size: 9, ..policy(8) }),
            "`batch.min_size`: must be from 1 to max_size, which is 8, found 9"
        );
        assert!(
            refused(BatchPolicy { max_delay_ms: f64::NAN, ..policy(8) }).starts_with("`batch.max_delay_ms`")
        );
        assert!(refused(BatchPolicy { preferred: vec![4, 9], ..policy(8) }).ends_with("found 9"));
    }

    proptest! {
        #[test]
        fn a_batch_is_not_so_large_that_it_misses_what_a_smaller_one_meets(
            deadlines in prop::collection::vec(prop::option::of(0_u64..1500), 1..40),
            max_size in 1_usize..40,
        ) {
            let latency = LatencyModel::new(100, 10);
            let ready: Vec<Ready> =
                deadlines.iter().map(|&deadline| Ready { arrived: 0, ready: 0, deadline }).collect();
            let Decision::Dispatch { rows } = decide(500, &ready, false, IDLE, &latency, &policy(max_size)) else {
                return Err(TestCaseError::fail("an idle device waits"));
            };
            prop_assert!(rows >= 1 && rows <= ready.len().min(max_size));
            let met = |size: usize| {
                ready.iter().take(size).flat_map(|row| row.deadline).all(|by| 500 + latency.estimate(size) <= by)
            };
            let largest = (1..=ready.len().min(max_size)).filter(|&size| met(size)).max();
            prop_assert_eq!(rows, largest.unwrap_or(ready.len().min(max_size)));
        }
    }
}
