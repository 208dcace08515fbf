//! How far the policy is from what is best: deadlines against a clairvoyant schedule, and use of the device.

use comptoir_executor::policy::BatchPolicy;
use comptoir_executor::simulate::{
    Arrivals, Batch, DeviceSpec, Faults, Outcome, Report, Scenario, Spread, TimeSpec, simulate,
};
use proptest::prelude::*;

fn quiet(seed: u64, arrivals: Arrivals, max_size: usize, device: DeviceSpec) -> Scenario {
    Scenario {
        seed,
        requests: 400,
        arrivals,
        queue_limit: 1000,
        batch: BatchPolicy { max_size, ..BatchPolicy::default() },
        device,
        ..Scenario::default()
    }
}

fn batch_ms(scenario: &Scenario, rows: usize) -> f64 {
    scenario.device.fixed_ms + scenario.device.per_row_ms * rows as f64
}

fn device() -> impl Strategy<Value = DeviceSpec> {
    (0.1..6.0, 0.01..0.5).prop_map(|(fixed_ms, per_row_ms)| DeviceSpec {
        fixed_ms,
        per_row_ms,
        ..DeviceSpec::default()
    })
}

fn arrivals() -> impl Strategy<Value = Arrivals> {
    prop_oneof![
        (50.0..4000.0).prop_map(|per_second| Arrivals::Poisson { per_second }),
        (50.0..4000.0, 1..80_usize).prop_map(|(per_second, size)| Arrivals::Bursts { per_second, size }),
    ]
}

/// Sizes and ends of the batches of a device that starts, whenever it is free, with all rows that are ready.
fn greedy(scenario: &Scenario, mut ready: Vec<u64>) -> Vec<(usize, u64)> {
    ready.sort_unstable();
    let (mut left, mut free, mut batches) = (ready.as_slice(), 0, Vec::new());
    while let Some(&first) = left.first() {
        let start = free.max(first);
        let waiting = left.iter().take_while(|&&at| at <= start).count();
        let (batch, behind) = left.split_at(waiting.min(scenario.batch.max_size));
        free = start + nanos(batch_ms(scenario, batch.len()));
        left = behind;
        batches.push((batch.len(), free));
    }
    batches
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than an hour")]
fn nanos(milliseconds: f64) -> u64 {
    (milliseconds * 1e6).round() as u64
}

fn ended(report: &Report) -> Vec<u64> {
    report.requests.iter().map(|request| request.ended).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// One CPU thread keeps rows in order, so rows become ready one after the other, as the reference takes them.
    #[test]
    fn without_deadlines_the_schedule_is_the_greedy_one(
        seed: u64, arrivals in arrivals(), max_size in 1..40_usize, device in device(),
    ) {
        let preprocess = TimeSpec::constant(0.1);
        let scenario = Scenario { cpu_threads: 1, preprocess, ..quiet(seed, arrivals, max_size, device) };
        let report = simulate(&scenario).unwrap();
        let ready = report.requests.iter().map(|request| request.ready.unwrap()).collect();
        let batches: Vec<_> = report.batches.iter().map(|batch| (batch.rows.len(), batch.end)).collect();
        let reference = greedy(&scenario, ready);
        prop_assert_eq!(batches.len(), reference.len());
        for ((rows, end), (other_rows, other_end)) in batches.into_iter().zip(reference) {
            // The reference adds up times that are rounded to the nanosecond.
            prop_assert!(rows == other_rows && end.abs_diff(other_end) <= 400, "{} {}", end, other_end);
        }
    }

    #[test]
    fn deadlines_are_met_that_the_greedy_schedule_meets_by_three_full_batches(
        seed: u64, arrivals in arrivals(), max_size in 1..40_usize, device in device(), deadline_ms in 1.0..300.0,
    ) {
        let free = quiet(seed, arrivals, max_size, device);
        let bound = nanos(3.0 * batch_ms(&free, max_size)) + 1000;
        let scenario = Scenario { deadline: Some(TimeSpec::constant(deadline_ms)), ..free.clone() };
        let (greedy, report) = (ended(&simulate(&free).unwrap()), simulate(&scenario).unwrap());
        // Until a request comes that the greedy schedule does not serve by that much, the schedules are the same.
        let tight = report.requests.iter().zip(&greedy).filter(|(request, ended)| **ended + bound > request.deadline.unwrap());
        let until = tight.map(|(request, _)| request.arrived).min().unwrap_or(u64::MAX);
        for (request, &ended) in report.requests.iter().zip(&greedy).filter(|(_, ended)| **ended <= until) {
            prop_assert_eq!((request.outcome, request.ended), (Outcome::Done, ended));
        }
    }

    #[test]
    fn an_overloaded_pipeline_goes_on_to_serve_nine_tenths_of_what_it_can(
        seed: u64, load in 1.1..4.0, jitter in 0.0..0.1, full_batches in 3.0..20.0,
        cpu_threads in 2..17_u32,
    ) {
        let device = DeviceSpec { jitter, ..DeviceSpec::default() };
        let mut scenario = quiet(seed, Arrivals::Poisson { per_second: 1.0 }, 32, device);
        // The device, or the threads that take 1 ms for a request.
        let most = (32.0 / batch_ms(&scenario, 32)).min(f64::from(cpu_threads)) * 1e3;
        scenario.arrivals = Arrivals::Poisson { per_second: load * most };
        scenario.requests = 3000;
        scenario.cpu_threads = cpu_threads as usize;
        scenario.preprocess = TimeSpec { mean_ms: 1.0, spread: Spread::Uniform(0.3) };
        scenario.deadline = Some(TimeSpec::constant(full_batches * batch_ms(&scenario, 32)));
        let summary = simulate(&scenario).unwrap().summary();
        prop_assert!(summary.done_per_second >= 0.9 * most, "{} of {}", summary.done_per_second, most);
    }

    #[test]
    fn the_device_computes_97_percent_of_the_time_while_work_is_queued(
        seed: u64, device in device(), instances in 1..4_usize, copies in prop::option::of(0.0..0.5), jitter in 0.0..0.1,
    ) {
        let mut scenario = quiet(seed, Arrivals::Regular { per_second: 1e7 }, 32, device);
        let row_ms = batch_ms(&scenario, 32) / 32.0;
        let (depth, share) = copies.map_or((1, 0.0), |share| (3, share));
        scenario.device = DeviceSpec {
            copy_in_ms: share * row_ms, copy_out_ms: share * row_ms, depth, instances, jitter, ..scenario.device
        };
        scenario.requests = 4000;
        scenario.queue_limit = 4000;
        scenario.cpu_threads = 16;
        scenario.preprocess = TimeSpec::constant(row_ms);
        scenario.faults = Faults { hiccup: 0.02, hiccup_ms: 20.0, ..Faults::default() };
        let report = simulate(&scenario).unwrap();
        for instance in 0..instances {
            let own: Vec<&Batch> = report.batches.iter().filter(|batch| batch.instance == instance).collect();
            // From the first full batch to the last one: before and behind there is no queue.
            let full = |batch: &&Batch| batch.rows.len() == 32;
            let (first, last) = (own.iter().position(full).unwrap(), own.iter().rposition(full).unwrap());
            let queued = &own[first..=last];
            let span = queued.last().unwrap().compute_end - queued[0].compute_start;
            let busy: u64 = queued.iter().map(|batch| batch.compute_end - batch.compute_start).sum();
            prop_assert!(busy as f64 >= 0.97 * span as f64, "{} of {}", busy, span);
        }
    }
}
