//! Plans against what can be computed by hand, and the simulator against formulas of queueing theory.

use comptoir_executor::plan::{Bottleneck, PlanSpec, plan};
use comptoir_executor::policy::BatchPolicy;
use comptoir_executor::simulate::{Arrivals, DeviceSpec, Scenario, Spread, TimeSpec, simulate};

fn device(fixed_ms: f64, per_row_ms: f64) -> DeviceSpec {
    DeviceSpec { fixed_ms, per_row_ms, ..DeviceSpec::default() }
}

fn size(max_size: usize) -> BatchPolicy {
    BatchPolicy { max_size, ..BatchPolicy::default() }
}

/// Mean wait of M/D/1: rho D / (2 (1 - rho)), by Pollaczek and Khinchine (Kleinrock, Queueing Systems I, 1975, 5.6).
#[test]
fn a_device_without_batches_waits_as_md1() {
    for load in [0.3, 0.6] {
        let scenario = Scenario {
            requests: 20_000,
            arrivals: Arrivals::Poisson { per_second: load * 500.0 },
            preprocess: TimeSpec::constant(0.0),
            batch: size(1),
            device: device(2.0, 0.0),
            ..Scenario::default()
        };
        let wait = simulate(&scenario).unwrap().summary().mean_ms - 2.0;
        let expected = load * 2.0 / (2.0 * (1.0 - load));
        assert!((wait / expected - 1.0).abs() < 0.05, "{load}: {wait} and {expected}");
    }
}

/// Mean wait of M/M/c: C(c, a) / (c mu - lambda), with Erlang's C (Kleinrock, Queueing Systems I, 1975, 3.5).
#[test]
fn cpu_threads_wait_as_erlang_says() {
    let (threads, mean_ms, per_second) = (3, 2.0, 1050.0);
    let scenario = Scenario {
        requests: 40_000,
        arrivals: Arrivals::Poisson { per_second },
        cpu_threads: threads,
        preprocess: TimeSpec { mean_ms, spread: Spread::Exponential },
        device: device(0.0, 0.0),
        ..Scenario::default()
    };
    let wait = simulate(&scenario).unwrap().summary().mean_ms - mean_ms;
    let offered: f64 = per_second * mean_ms / 1e3;
    let last = offered.powi(3) / 6.0 * 3.0 / (3.0 - offered);
    let erlang = last / (1.0 + offered + offered.powi(2) / 2.0 + last);
    let expected = erlang / (3.0 / mean_ms - per_second / 1e3);
    assert!((wait / expected - 1.0).abs() < 0.07, "{wait} and {expected}");
}

#[test]
fn regular_arrivals_below_the_rate_of_the_device_never_wait() {
    let trace_ms = (0..100).map(|number| f64::from(number) * 5.0).collect();
    let spec = PlanSpec { trace_ms: Some(trace_ms), device: device(3.0, 0.5), ..PlanSpec::default() };
    let plan = plan(&spec).unwrap();
    // 1 ms of CPU and 3.5 ms of the device for each; one every 5 ms; all over after 495 + 4.5 ms.
    assert_eq!((plan.load.p50_ms, plan.load.max_ms, plan.load.mean_batch), (4.5, 4.5, 1.0));
    assert!((plan.load.device_busy - 350.0 / 499.5).abs() < 1e-9);
    assert!((plan.load.cpu_busy - 100.0 / (2.0 * 499.5)).abs() < 1e-9);
    assert_eq!((plan.per_second, plan.holds), (200.0, true));
}

#[test]
fn a_burst_is_served_in_batches_one_after_the_other() {
    let scenario = PlanSpec {
        trace_ms: Some(vec![0.0; 10]),
        cpu_ms: 0.0,
        device: device(3.0, 1.0),
        batch: size(4),
        ..PlanSpec::default()
    };
    let load = plan(&scenario).unwrap().load;
    // The first is alone when the idle device takes it: 4 ms; then 4 rows and 4 rows in 7 ms each, and the last in 4.
    assert_eq!(load.batch_sizes.into_iter().collect::<Vec<_>>(), [(1, 2), (4, 2)]);
    assert_eq!((load.p50_ms, load.max_ms), (11.0, 22.0));
}

#[test]
fn capacities_are_those_of_the_stages() {
    let spec = PlanSpec {
        per_second: Some(100.0),
        requests: 100,
        cpu_ms: 4.0,
        cpu_threads: 3,
        ..PlanSpec::default()
    };
    let cpu = plan(&spec).unwrap();
    assert_eq!((cpu.cpu_per_second, cpu.bottleneck), (750.0, Bottleneck::Cpu));
    // A batch of 32 takes 4 + 32 x 0.15 = 8.8 ms.
    assert!((cpu.device_per_second - 32e3 / 8.8).abs() < 1e-6);
    assert_eq!(
        cpu.options.first().map(|change| (change.field.as_str(), change.per_second)),
        Some(("cpu_threads", 1000.0))
    );
    let device = plan(&PlanSpec { cpu_ms: 0.1, ..spec }).unwrap();
    assert_eq!(device.bottleneck, Bottleneck::Device);
    assert_eq!(device.options.first().map(|change| change.field.as_str()), Some("device.instances"));
}

#[test]
fn the_highest_rate_holds_and_a_little_more_does_not() {
    let spec = PlanSpec {
        per_second: Some(500.0),
        requests: 1000,
        deadline_ms: Some(12.0),
        cpu_ms: 0.5,
        ..PlanSpec::default()
    };
    let highest = plan(&spec).unwrap().highest_per_second.unwrap();
    let holds = |per_second| {
        let scenario = PlanSpec { per_second: Some(per_second), ..spec.clone() }.scenario().unwrap();
        simulate(&scenario).unwrap().summary().done >= 990
    };
    assert!(holds(highest) && !holds(highest * 1.02), "{highest}");
}

#[test]
fn a_deadline_that_no_request_meets_is_named() {
    let spec =
        PlanSpec { per_second: Some(10.0), requests: 100, deadline_ms: Some(3.0), ..PlanSpec::default() };
    let plan = plan(&spec).unwrap();
    assert_eq!((plan.highest_per_second, plan.holds), (None, false));
    assert_eq!(plan.advice[0], "the deadline of 3 ms cannot be met: a request alone takes 5.15 ms");
}

#[test]
fn loads_that_say_nothing_are_refused_by_their_field() {
    let refused = |spec: PlanSpec| plan(&spec).unwrap_err().to_string();
    assert_eq!(refused(PlanSpec::default()), "`per_second`: give per_second or trace_ms");
    let zero = PlanSpec { per_second: Some(0.0), ..PlanSpec::default() };
    assert_eq!(refused(zero), "`per_second`: must be above 0, found 0");
    let rare = PlanSpec { per_second: Some(1e-300), ..PlanSpec::default() };
    assert!(refused(rare).starts_with("`per_second`: 10000 requests would come in more than a century"));
    let trace = PlanSpec { trace_ms: Some(vec![2.0, 1.0]), ..PlanSpec::default() };
    let message = "`trace_ms`: must be in ascending order, from 0 to 2678400000: time 1 is 1.0 after 2.0";
    assert_eq!(refused(trace), message);
    let empty = PlanSpec { trace_ms: Some(vec![]), ..PlanSpec::default() };
    assert!(refused(empty).starts_with("`trace_ms`: must be from 1 to"));
    let load = PlanSpec { per_second: Some(10.0), ..PlanSpec::default() };
    let slow = PlanSpec { cpu_ms: -1.0, ..load.clone() };
    assert_eq!(refused(slow), "`cpu_ms`: must be from 0 to 86400000, found -1");
    let late = PlanSpec { deadline_ms: Some(-2.0), ..load.clone() };
    assert_eq!(refused(late), "`deadline_ms`: must be from 0 to 86400000, found -2");
    let wide = PlanSpec { cpu_spread: Spread::Uniform(2.0), ..load };
    assert_eq!(refused(wide), "`cpu_spread.uniform`: must be from 0 to 1, found 2");
    let unknown = serde_json::from_str::<PlanSpec>(r#"{"per_secnd": 3}"#).unwrap_err().to_string();
    assert!(unknown.starts_with("unknown field `per_secnd`"), "{unknown}");
}
