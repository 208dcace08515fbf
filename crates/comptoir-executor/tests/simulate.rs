//! What holds of the policy whatever comes: properties of the pipeline in virtual time.

use comptoir_executor::policy::{BatchPolicy, QueuePolicy};
use comptoir_executor::simulate::{
    Arrivals, DeviceSpec, Faults, Outcome, Report, Request, Scenario, Spread, TimeSpec, simulate,
};
use proptest::prelude::*;

fn arrivals() -> impl Strategy<Value = Arrivals> {
    prop_oneof![
        (50.0..8000.0).prop_map(|per_second| Arrivals::Poisson { per_second }),
        (50.0..8000.0).prop_map(|per_second| Arrivals::Regular { per_second }),
        (50.0..8000.0, 1..80_usize).prop_map(|(per_second, size)| Arrivals::Bursts { per_second, size }),
        prop::collection::vec(0.0..300.0, 1..200).prop_map(|mut times| {
            times.sort_by(f64::total_cmp);
            Arrivals::TraceMs(times)
        }),
    ]
}

fn time(most: f64) -> impl Strategy<Value = TimeSpec> {
    let spread =
        prop_oneof![Just(Spread::Constant), (0.0..1.0).prop_map(Spread::Uniform), Just(Spread::Exponential)];
    (0.0..most, spread).prop_map(|(mean_ms, spread)| TimeSpec { mean_ms, spread })
}

fn device() -> impl Strategy<Value = DeviceSpec> {
    (0.0..6.0, 0.0..0.5, 0.0..0.3, 0.0..0.1, 1..4_usize, 1..4_usize).prop_map(
        |(fixed_ms, per_row_ms, jitter, copy, instances, depth)| DeviceSpec {
            fixed_ms,
            per_row_ms,
            jitter,
            copy_in_ms: copy,
            copy_out_ms: copy / 2.0,
            instances,
            depth,
        },
    )
}

fn faults() -> impl Strategy<Value = Faults> {
    (0.0..0.2, 0.0..0.1, 0.0..0.2, 0.0..0.1, 0.0..100.0, 0.0..0.3).prop_map(
        |(preprocess_fails, row_fails, batch_fails, hiccup, stall, cancel)| Faults {
            preprocess_fails,
            row_fails,
            batch_fails,
            hiccup,
            hiccup_ms: 40.0,
            stall_at_ms: stall,
            stall_ms: stall,
            cancel,
            cancel_after_ms: 10.0,
        },
    )
}

fn batch() -> impl Strategy<Value = BatchPolicy> {
    (1..40_usize, 0.0..5.0, prop::collection::vec(1..40_usize, 0..3)).prop_map(
        |(max_size, max_delay_ms, preferred)| BatchPolicy {
            max_size,
            max_delay_ms,
            preferred: preferred.into_iter().filter(|size| *size <= max_size).collect(),
            ..BatchPolicy::default()
        },
    )
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let stages = (1..6_usize, time(3.0), prop_oneof![Just(TimeSpec::constant(0.0)), time(0.5)]);
    let load = (any::<u64>(), arrivals(), prop::option::of(time(60.0)), 1..300_usize);
    (load, stages, batch(), device(), faults(), [0.0..1.0, 0.1..1.0, 0.0..1.0, 0.0..1.0]).prop_map(
        |(load, stages, batch, device, faults, priorities)| Scenario {
            seed: load.0,
            requests: 300,
            arrivals: load.1,
            deadline: load.2,
            queue_limit: load.3,
            priorities,
            cpu_threads: stages.0,
            preprocess: stages.1,
            postprocess: stages.2,
            batch,
            device,
            faults,
        },
    )
}

/// Time in which a row was ready and in no batch although no lane of some instance had anything to do.
#[expect(clippy::indexing_slicing, reason = "the place of a batch is one of the report")]
fn idle_while_ready(report: &Report) -> u64 {
    let mut idle = 0;
    for instance in 0..report.instances {
        let batches = || report.batches.iter().filter(|batch| batch.instance == instance);
        let taken = |request: &Request| {
            let start = request.batch.map(|batch| report.batches[batch].start);
            (request.ready.unwrap_or(0), start.unwrap_or(0))
        };
        for (ready, start) in report.requests.iter().map(taken).filter(|(ready, start)| ready < start) {
            let mut at = ready;
            for batch in batches().filter(|batch| batch.start < start) {
                idle += batch.start.min(start).saturating_sub(at);
                at = at.max(batch.end);
            }
            idle += start.saturating_sub(at);
        }
    }
    idle
}

/// A request and one that was taken before it although it came later, and is not of a higher priority, or came later
/// than the steps between their priorities allow.
fn passed_wrongly(report: &Report) -> Option<(Request, Request)> {
    let step = QueuePolicy::default().step;
    let taken: Vec<_> = report.requests.iter().filter(|request| request.staged.is_some()).collect();
    let wrong = |first: &Request, later: &Request| {
        let steps = u64::from(later.priority.saturating_sub(first.priority));
        later.staged < first.staged && (steps == 0 || later.arrived > first.arrived + steps * step)
    };
    taken.iter().enumerate().find_map(|(place, first)| {
        taken.iter().skip(place + 1).find(|later| wrong(first, later)).map(|later| (**first, **later))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Twice as much comes as one thread can do, most of it of the highest priority, for four times as long as the
    /// lowest priority may be passed.
    #[test]
    fn a_flood_of_the_highest_priority_does_not_starve_the_lowest(seed: u64, lowest in 0.02..0.3) {
        let scenario = Scenario {
            seed,
            requests: 1200,
            arrivals: Arrivals::Poisson { per_second: 200.0 },
            priorities: [lowest, 0.1, 0.1, 1.0],
            cpu_threads: 1,
            preprocess: TimeSpec { mean_ms: 10.0, spread: Spread::Uniform(0.5) },
            queue_limit: 1200,
            ..Scenario::default()
        };
        let report = simulate(&scenario).unwrap();
        prop_assert_eq!(passed_wrongly(&report), None);
        prop_assert_eq!(report.summary().done, 1200);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_request_has_one_outcome_and_is_in_one_batch_at_most(scenario in scenario()) {
        let report = simulate(&scenario).unwrap();
        prop_assert_eq!(&report, &simulate(&scenario).unwrap());
        let summary = report.summary();
        let outcomes = [summary.done, summary.failed, summary.late, summary.overloaded, summary.cancelled];
        prop_assert_eq!(outcomes.iter().sum::<usize>(), report.requests.len());
        let mut in_batches: Vec<usize> = report.batches.iter().flat_map(|batch| batch.rows.clone()).collect();
        let rows = in_batches.len();
        in_batches.sort_unstable();
        in_batches.dedup();
        prop_assert_eq!(in_batches.len(), rows);
        for (number, request) in report.requests.iter().enumerate() {
            prop_assert_eq!(request.batch.is_some(), in_batches.binary_search(&number).is_ok());
            if request.outcome == Outcome::Done {
                let batch = &report.batches[request.batch.unwrap()];
                prop_assert!(request.ready.unwrap() <= batch.start && batch.end <= request.ended);
                prop_assert!(request.deadline.is_none_or(|deadline| request.ended <= deadline));
            }
        }
    }

    #[test]
    fn requests_of_a_priority_are_taken_in_order_and_nobody_is_passed_by_who_comes_too_late(
        scenario in scenario(),
    ) {
        prop_assert_eq!(passed_wrongly(&simulate(&scenario).unwrap()), None);
    }

    #[test]
    fn no_instance_is_idle_while_a_row_is_ready(scenario in scenario()) {
        prop_assert_eq!(idle_while_ready(&simulate(&scenario).unwrap()), 0);
    }

    #[test]
    fn batches_keep_their_limit_and_their_preferred_sizes(scenario in scenario()) {
        let report = simulate(&scenario).unwrap();
        let preferred = &scenario.batch.preferred;
        for rows in report.batches.iter().map(|batch| batch.rows.len()) {
            prop_assert!(rows <= scenario.batch.max_size);
            let small = preferred.iter().all(|&size| rows < size);
            prop_assert!(small || preferred.contains(&rows), "{} of {:?}", rows, preferred);
        }
    }
}
