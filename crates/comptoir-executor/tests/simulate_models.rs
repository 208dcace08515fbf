//! What holds for several models that share CPU threads and a device: properties of the pipeline in virtual time.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "places are those of the report, counts are small; a panic fails the test"
)]

use comptoir_executor::policy::{BatchPolicy, QueuePolicy};
use comptoir_executor::simulate::{
    Arrivals, Batch, DeviceSpec, Faults, Outcome, Report, Request, Scenario, Spread, TimeSpec, Weighted,
    simulate_models,
};
use proptest::prelude::*;

/// What models of one pipeline share: CPU threads, instances, depth.
type Shared = (usize, usize, usize);

fn arrivals() -> impl Strategy<Value = Arrivals> {
    prop_oneof![
        (50.0..8000.0).prop_map(|per_second| Arrivals::Poisson { per_second }),
        (50.0..8000.0).prop_map(|per_second| Arrivals::Regular { per_second }),
        (50.0..8000.0, 1..80_usize).prop_map(|(per_second, size)| Arrivals::Bursts { per_second, size }),
    ]
}

fn time(most: f64) -> impl Strategy<Value = TimeSpec> {
    let spread =
        prop_oneof![Just(Spread::Constant), (0.0..1.0).prop_map(Spread::Uniform), Just(Spread::Exponential)];
    (0.0..most, spread).prop_map(|(mean_ms, spread)| TimeSpec { mean_ms, spread })
}

fn faults() -> impl Strategy<Value = Faults> {
    (0.0..0.2, 0.0..0.1, 0.0..0.2, 0.0..0.1, 0.0..0.3).prop_map(
        |(preprocess_fails, row_fails, batch_fails, hiccup, cancel)| Faults {
            preprocess_fails,
            row_fails,
            batch_fails,
            hiccup,
            hiccup_ms: 40.0,
            cancel,
            cancel_after_ms: 10.0,
            ..Faults::default()
        },
    )
}

/// A model without deadlines and faults; copies only where lanes overlap them.
fn model((cpu_threads, instances, depth): Shared) -> impl Strategy<Value = Weighted> {
    let load = (any::<u64>(), arrivals(), time(1.0), 1..10_u32);
    let device = (0.0..6.0, 0.01..0.5, 0.0..0.3, 0.0..0.1);
    (load, 1..40_usize, device).prop_map(move |((seed, arrivals, preprocess, weight), max_size, device)| {
        let (fixed_ms, per_row_ms, jitter, copy) = device;
        let copy = if depth > 1 { copy } else { 0.0 };
        let device = DeviceSpec {
            fixed_ms,
            per_row_ms,
            jitter,
            copy_in_ms: copy,
            copy_out_ms: copy / 2.0,
            instances,
            depth,
        };
        let scenario = Scenario {
            seed,
            requests: 200,
            arrivals,
            cpu_threads,
            preprocess,
            queue_limit: 1000,
            batch: BatchPolicy { max_size, ..BatchPolicy::default() },
            device,
            ..Scenario::default()
        };
        Weighted { weight, scenario }
    })
}

/// Two to four models on one pipeline.
fn models() -> impl Strategy<Value = Vec<Weighted>> {
    (1..6_usize, 1..4_usize, 1..4_usize).prop_flat_map(|shared| prop::collection::vec(model(shared), 2..5))
}

/// The same with all that may go wrong.
fn troubled() -> impl Strategy<Value = Vec<Weighted>> {
    let trouble = (prop::option::of(time(60.0)), faults(), 1..300_usize, time(0.5), 1..8_usize);
    let priorities = [0.0..1.0, 0.1..1.0, 0.0..1.0, 0.0..1.0];
    (models(), prop::collection::vec((trouble, priorities), 4)).prop_map(|(mut models, troubles)| {
        for (Weighted { scenario, .. }, (trouble, priorities)) in models.iter_mut().zip(troubles) {
            let (deadline, faults, queue_limit, postprocess, min_size) = trouble;
            scenario.batch.min_size = min_size.min(scenario.batch.max_size);
            *scenario =
                Scenario { deadline, faults, queue_limit, postprocess, priorities, ..scenario.clone() };
        }
        models
    })
}

fn of(report: &Report, model: usize) -> impl Iterator<Item = &Request> {
    report.requests.iter().filter(move |request| request.model == model)
}

/// A request and one of its model that was taken before it although it came later, and is not of a higher priority, or
/// came later than the steps between their priorities allow.
fn passed_wrongly(report: &Report, model: usize) -> Option<(Request, Request)> {
    let step = QueuePolicy::default().step;
    let taken: Vec<_> = of(report, model).filter(|request| request.staged.is_some()).collect();
    let wrong = |first: &Request, later: &Request| {
        let steps = u64::from(later.priority.saturating_sub(first.priority));
        later.staged < first.staged && (steps == 0 || later.arrived > first.arrived + steps * step)
    };
    taken.iter().enumerate().find_map(|(place, first)| {
        taken.iter().skip(place + 1).find(|later| wrong(first, later)).map(|later| (**first, **later))
    })
}

/// Per batch: what it took of its instance, without its wait for the one before.
fn costs(report: &Report) -> Vec<u64> {
    let mut last_ends = vec![0; report.instances];
    let mut order: Vec<usize> = (0..report.batches.len()).collect();
    order.sort_by_key(|&batch| report.batches[batch].end);
    let mut costs = vec![0; order.len()];
    for number in order {
        let Batch { instance, start, end, .. } = report.batches[number];
        costs[number] = end - start.max(last_ends[instance]);
        last_ends[instance] = end;
    }
    costs
}

/// By how much more than its weight any model has got of the device, at most, while another had rows ready: in batches,
/// each the longest of its model.
fn excess(models: &[Weighted], report: &Report) -> f64 {
    let costs = costs(report);
    let share = |model: usize, cost: u64| cost as f64 / f64::from(models[model].weight);
    let longest = |model: usize| {
        let own = report.batches.iter().zip(&costs).filter(|(batch, _)| batch.model == model);
        own.map(|(_, &cost)| share(model, cost)).fold(0.0, f64::max)
    };
    let longest: Vec<f64> = (0..models.len()).map(longest).collect();
    let mut most = 0.0_f64;
    for request in report.requests.iter().filter(|request| request.batch.is_some()) {
        let from = request.ready.unwrap();
        let mut used = vec![0.0; models.len()];
        let waited = report.batches.iter().zip(&costs).take(request.batch.unwrap());
        for (batch, &cost) in waited.filter(|(batch, _)| batch.start >= from) {
            used[batch.model] += share(batch.model, cost);
        }
        for (other, theirs) in used.iter().enumerate().filter(|(other, _)| *other != request.model) {
            let batch = longest[other] + longest[request.model];
            most = most.max((theirs - used[request.model]) / batch.max(1.0));
        }
    }
    most
}

/// Per model, divided by its weight: what its batches took of the device while all models had more than they could do,
/// and the longest of these batches.
fn shares(models: &[Weighted], report: &Report) -> (Vec<f64>, Vec<f64>) {
    let last = |model| report.batches.iter().rfind(|batch| batch.model == model);
    let until = (0..models.len()).filter_map(last).map(|batch| batch.start).min().unwrap();
    let (mut used, mut longest) = (vec![0.0; models.len()], vec![0.0_f64; models.len()]);
    for (batch, cost) in report.batches.iter().zip(costs(report)) {
        let share = cost as f64 / f64::from(models[batch.model].weight);
        longest[batch.model] = longest[batch.model].max(share);
        if batch.start < until {
            used[batch.model] += share;
        }
    }
    (used, longest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_request_has_one_outcome_and_is_in_one_batch_of_its_model_at_most(models in troubled()) {
        let report = simulate_models(&models).unwrap();
        prop_assert_eq!(&report, &simulate_models(&models).unwrap());
        let summary = report.summary();
        let outcomes = [summary.done, summary.failed, summary.late, summary.overloaded, summary.cancelled];
        prop_assert_eq!(outcomes.iter().sum::<usize>(), 200 * models.len());
        let mut batch_of = vec![None; report.requests.len()];
        for (number, batch) in report.batches.iter().enumerate() {
            prop_assert!(batch.rows.len() <= models[batch.model].scenario.batch.max_size);
            for &row in &batch.rows {
                prop_assert_eq!(batch_of[row].replace(number), None);
                prop_assert_eq!(report.requests[row].model, batch.model);
            }
        }
        for (request, batch) in report.requests.iter().zip(batch_of) {
            prop_assert_eq!(request.batch, batch);
            if request.outcome == Outcome::Done {
                let batch = &report.batches[batch.unwrap()];
                prop_assert!(request.ready.unwrap() <= batch.start && batch.end <= request.ended);
                prop_assert!(request.deadline.is_none_or(|deadline| request.ended <= deadline));
            }
        }
    }

    #[test]
    fn requests_of_a_model_and_priority_are_taken_in_order(models in troubled()) {
        let report = simulate_models(&models).unwrap();
        for model in 0..models.len() {
            prop_assert_eq!(passed_wrongly(&report, model), None);
        }
    }

    #[test]
    fn no_model_starves(models in models()) {
        let report = simulate_models(&models).unwrap();
        prop_assert_eq!(report.summary().done, report.requests.len());
        let lanes = report.instances * models[0].scenario.device.depth;
        let excess = excess(&models, &report);
        prop_assert!(excess <= lanes as f64, "{} batches of each with {} lanes", excess, lanes);
    }

    /// All requests come at once and only the device takes time; some batches hang for a while or are run again.
    #[test]
    fn models_that_want_all_of_the_device_share_it_by_weight(
        models in models(), row_fails in 0.0..0.02, batch_fails in 0.0..0.5, hiccup in 0.0..0.2,
    ) {
        let mut models = models;
        for (number, Weighted { scenario, .. }) in models.iter_mut().enumerate() {
            scenario.requests = 2000;
            scenario.queue_limit = 2000;
            scenario.arrivals = Arrivals::TraceMs(vec![0.0; 2000]);
            scenario.preprocess = TimeSpec::constant(0.0);
            // Only one of them is troubled: it pays for its trouble, the others do not.
            let faults = Faults { row_fails, batch_fails, hiccup, hiccup_ms: 20.0, ..Faults::default() };
            scenario.faults = if number == 0 { faults } else { Faults::default() };
        }
        let report = simulate_models(&models).unwrap();
        let lanes = (report.instances * models[0].scenario.device.depth) as f64;
        let (used, longest) = shares(&models, &report);
        for one in 0..models.len() {
            for other in 0..one {
                let bound = lanes * (longest[one] + longest[other]);
                let apart = (used[one] - used[other]).abs();
                prop_assert!(apart <= bound, "{} and {} of {:?}", apart, bound, used);
            }
        }
    }

    /// More comes for each model than its share of the device can do, in batches of 32 rows of whatever time.
    #[test]
    fn overloaded_models_go_on_to_serve_nine_tenths_of_what_they_can(
        seed: u64, times in prop::collection::vec((1.0..6.0, 0.05..0.3, 1.1..3.0), 2..5), full_batches in 4.0..20.0,
        weight in 1..9_u32,
    ) {
        let count = times.len() as f64;
        let round: f64 = times.iter().map(|(fixed_ms, per_row_ms, _)| fixed_ms + 32.0 * per_row_ms).sum();
        let mut most = 0.0;
        let models: Vec<Weighted> = times.iter().map(|&(fixed_ms, per_row_ms, load)| {
            let share = 32e3 / (fixed_ms + 32.0 * per_row_ms) / count;
            most += share;
            let scenario = Scenario {
                seed,
                requests: (share * load * 3.0) as usize,
                arrivals: Arrivals::Poisson { per_second: load * share },
                cpu_threads: 16,
                queue_limit: 10_000,
                deadline: Some(TimeSpec::constant(full_batches * round)),
                device: DeviceSpec { fixed_ms, per_row_ms, ..DeviceSpec::default() },
                ..Scenario::default()
            };
            Weighted { weight, scenario }
        }).collect();
        let done = simulate_models(&models).unwrap().summary().done_per_second;
        prop_assert!(done >= 0.9 * most, "{} of {}", done, most);
    }

    /// Copies overlap with the computation, and one model has a full batch at any time: the other never has.
    #[test]
    fn a_model_whose_batches_are_never_full_has_its_turn_beside_full_ones(
        seed: u64, depth in 2..4_usize, instances in 1..3_usize,
    ) {
        let model = |arrivals: Arrivals, requests: usize| Scenario {
            seed,
            requests,
            arrivals,
            cpu_threads: 4,
            preprocess: TimeSpec::constant(0.0),
            queue_limit: 20_000,
            device: DeviceSpec { copy_in_ms: 0.02, instances, depth, ..DeviceSpec::default() },
            ..Scenario::default()
        };
        let flood = model(Arrivals::TraceMs(vec![0.0; 20_000]), 20_000);
        let trickle = model(Arrivals::Poisson { per_second: 200.0 }, 100);
        let models = [flood, trickle].map(|scenario| Weighted { weight: 1, scenario });
        let report = simulate_models(&models).unwrap();
        let waits = of(&report, 1).map(|request| report.batches[request.batch.unwrap()].start - request.ready.unwrap());
        // Whatever is under way, and a batch of the flood for each lane: 8.8 ms each.
        let most = waits.max().unwrap();
        prop_assert!(most <= 8_800_000 * (depth as u64 + 1), "{} ms", most / 1_000_000);
    }
}

#[test]
fn what_models_share_must_be_the_same_for_all() {
    let model = |depth| {
        let device = DeviceSpec { depth, ..DeviceSpec::default() };
        Weighted { weight: 1, scenario: Scenario { device, ..Scenario::default() } }
    };
    let refused = |models: &[Weighted]| simulate_models(models).unwrap_err().to_string();
    let other = [model(1), model(2)];
    assert_eq!(refused(&other), "`models[1].device.depth`: is shared, and 1 in models[0], found 2");
    let wrong = [model(1), model(0)];
    assert_eq!(refused(&wrong), "`models[1].device.depth`: must be from 1 to 16, found 0");
    let weightless = [Weighted { weight: 0, ..model(1) }];
    assert_eq!(refused(&weightless), "`models[0].weight`: must be at least 1");
    assert_eq!(refused(&[]), "`models`: a pipeline needs at least one model");
}
