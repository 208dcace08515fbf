//! Pipelines in real time: outcomes, faults, versions, closing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use comptoir_executor::Error;
use comptoir_executor::policy::BatchPolicy;
use comptoir_executor::runtime::{
    Endpoint, Functions, Model, Options, Pipeline, PipelineSpec, RowMut, Rows, Swap,
};
use support::{Doubling, block_on, doubler, doubling, gate, model_spec, one_thread};

#[test]
fn each_request_gets_its_own_result() {
    let pipeline = Pipeline::start(PipelineSpec::default(), doubling(), doubler(), model_spec()).unwrap();
    let handles: Vec<_> = (0..200).map(|number| pipeline.submit(number).unwrap()).collect();
    let results: Vec<i64> = handles.into_iter().map(|handle| handle.wait().unwrap()).collect();
    assert_eq!(results, (0..200).map(|number| 2 * number).collect::<Vec<_>>());
    let stats = pipeline.stats();
    assert_eq!((stats.models[0].outcomes.done, stats.models[0].rows), (200, 200));
}

#[test]
fn a_handle_is_a_future_and_has_timings() {
    let pipeline = Pipeline::start(PipelineSpec::default(), doubling(), doubler(), model_spec()).unwrap();
    assert_eq!(block_on(pipeline.submit(4).unwrap()), Ok(8));
    let (result, timings) = pipeline.submit(5).unwrap().wait_with_timings();
    assert_eq!((result, timings.batch_size), (Ok(10), 1));
    let (sender, receiver) = mpsc::channel();
    let callback = Box::new(move |result, _| sender.send(result).unwrap());
    pipeline.submit_with(6, &Options::default(), Some(callback)).unwrap();
    assert_eq!(receiver.recv().unwrap(), Ok(12));
}

#[test]
fn a_bad_item_fails_alone_in_every_stage() {
    let pipeline = Pipeline::start(PipelineSpec::default(), doubling(), doubler(), model_spec()).unwrap();
    let numbers = [1, -1, 2, 1_000_000, 3, 666, 4, -2];
    let handles: Vec<_> = numbers.map(|number| pipeline.submit(number).unwrap()).into();
    let results: Vec<_> = handles.into_iter().map(support::Handle::wait).collect();
    let texts: Vec<String> = results
        .iter()
        .map(|result| result.as_ref().map_or_else(ToString::to_string, ToString::to_string))
        .collect();
    assert_eq!(
        texts,
        [
            "2",
            "preprocess: -1 is below zero",
            "4",
            "infer: too large",
            "6",
            "postprocess: panicked: the number of the beast",
            "8",
            "preprocess: panicked: -2 is far below zero"
        ]
    );
}

#[test]
fn a_model_that_is_broken_costs_few_attempts() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let broken = move |_: &Rows| -> Result<Vec<i64>, Error> {
        counted.fetch_add(1, Ordering::Relaxed);
        Err(Error::stage("infer", "broken"))
    };
    let spec = comptoir_executor::runtime::ModelSpec { warm_up: false, ..model_spec() };
    let (open, gated) = gate(broken);
    let pipeline = Pipeline::start(one_thread(), doubling(), gated, spec).unwrap();
    let handles: Vec<_> = (1..=34).map(|number| pipeline.submit(number).unwrap()).collect();
    let arrived = |counts: &comptoir_executor::runtime::ModelStats| counts.ready as u64 + counts.rows;
    while arrived(&pipeline.stats().models[0]) < 34 {
        std::thread::yield_now();
    }
    open();
    for handle in handles {
        assert_eq!(handle.wait(), Err(Error::stage("infer", "broken")));
    }
    assert!(attempts.load(Ordering::Relaxed) < 60, "{attempts:?}");
}

#[test]
fn a_full_queue_refuses_at_once_and_cancelled_requests_make_room() {
    let (open, gated) = gate(doubler());
    let spec = PipelineSpec {
        queue_limit: 3,
        batch: BatchPolicy { max_size: 1, ..Default::default() },
        ..one_thread()
    };
    let pipeline = Pipeline::start(spec, doubling(), gated, model_spec()).unwrap();
    let mut handles = Vec::new();
    let error = loop {
        match pipeline.submit(1) {
            Ok(handle) => handles.push(handle),
            Err(error) => break error,
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(error.to_string(), "overloaded: 3 requests are waiting, and the limit is 3");
    assert!(handles.last().unwrap().cancel());
    handles.push(pipeline.submit(1).unwrap());
    open();
    let outcomes: Vec<_> = handles.into_iter().map(support::Handle::wait).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(Error::Cancelled)).count(), 1);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(2) | Err(Error::Cancelled))));
    let counts = pipeline.stats().models[0].outcomes;
    assert_eq!((counts.overloaded, counts.cancelled), (1, 1));
}

#[test]
fn what_is_cancelled_never_reaches_the_device() {
    let (open, gated) = gate(doubler());
    let pipeline = Pipeline::start(one_thread(), doubling(), gated, model_spec()).unwrap();
    let first = pipeline.submit(1).unwrap();
    while pipeline.stats().models[0].rows == 0 {
        std::thread::yield_now();
    }
    let others: Vec<_> = (0..20).map(|number| pipeline.submit(number).unwrap()).collect();
    drop(pipeline.submit(1).unwrap().cancel_on_drop());
    let cancelled = others.iter().filter(|handle| handle.cancel()).count();
    assert_eq!(cancelled, 20);
    assert!(!others[0].cancel());
    open();
    assert_eq!(first.wait(), Ok(2));
    assert_eq!(pipeline.submit(3).unwrap().wait(), Ok(6));
    assert_eq!(pipeline.stats().models[0].rows, 2);
}

#[test]
fn a_deadline_ends_a_request_wherever_it_is() {
    let (open, gated) = gate(doubler());
    let pipeline = Pipeline::start(one_thread(), doubling(), gated, model_spec()).unwrap();
    let soon =
        || Options { deadline: Some(Instant::now() + Duration::from_millis(30)), ..Options::default() };
    let handles: Vec<_> =
        (1..=80).map(|number| pipeline.submit_with(number, &soon(), None).unwrap()).collect();
    for handle in handles {
        let outcome = handle.wait();
        assert!(matches!(outcome, Err(Error::DeadlineExceeded { .. })), "{outcome:?}");
    }
    open();
    let past = Options { deadline: Some(Instant::now()), ..Options::default() };
    let error = pipeline.submit_with(1, &past, None).unwrap_err();
    assert_eq!(error.to_string(), "deadline exceeded at submission, 0 ms after submission");
    assert_eq!(pipeline.submit(1).unwrap().wait(), Ok(2));
    assert_eq!(pipeline.stats().models[0].outcomes.late, 81);
}

#[test]
fn a_stage_knows_the_deadline_and_is_late_not_failed_when_it_waits_for_it() {
    let pipeline = Pipeline::start(one_thread(), doubling(), doubler(), model_spec()).unwrap();
    for _ in 0..20 {
        let deadline = Some(Instant::now() + Duration::from_millis(5));
        let late = pipeline.submit_with(-3, &Options { deadline, ..Options::default() }, None).unwrap();
        let Err(Error::DeadlineExceeded { after, .. }) = late.wait() else { panic!("not late") };
        assert!(after >= Duration::from_millis(4), "{after:?}");
    }
    let error = pipeline.submit(-3).unwrap().wait().unwrap_err();
    assert_eq!(error.to_string(), "preprocess: -3 takes for ever");
    let outcomes = pipeline.stats().models[0].outcomes;
    assert_eq!((outcomes.late, outcomes.failed), (20, 1));
}

#[test]
fn closing_finishes_what_is_inside_or_says_that_it_is_closed() {
    let pipeline = Pipeline::start(PipelineSpec::default(), doubling(), doubler(), model_spec()).unwrap();
    let handles: Vec<_> = (0..100).map(|number| pipeline.submit(number).unwrap()).collect();
    assert!(pipeline.close(Duration::from_secs(10)));
    assert!(handles.into_iter().all(|handle| handle.wait().is_ok()));
    assert_eq!(pipeline.submit(1).unwrap_err(), Error::Closed);

    let (open, gated) = gate(doubler());
    let pipeline = Pipeline::start(one_thread(), doubling(), gated, model_spec()).unwrap();
    let handles: Vec<_> = (1..=100).map(|number| pipeline.submit(number).unwrap()).collect();
    // The model hangs; its requests have their outcome all the same.
    assert!(!pipeline.close(Duration::from_millis(20)));
    assert!(handles.into_iter().all(|handle| handle.wait() == Err(Error::Closed)));
    open();
}

#[test]
fn a_model_that_cannot_be_warmed_is_an_error_at_the_start() {
    let model = |batch: &Rows| -> Result<Vec<i64>, Error> {
        if batch.len() > 8 { Err(Error::stage("infer", "out of memory")) } else { Ok(vec![0; batch.len()]) }
    };
    let error = Pipeline::start(PipelineSpec::default(), doubling(), model, model_spec()).unwrap_err();
    let expected = "warm-up: model `model` failed on a batch of 32 rows of zeros: out of memory";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_version_takes_over_under_load_and_no_request_is_lost() {
    let pipeline = Pipeline::start(PipelineSpec::default(), doubling(), doubler(), model_spec()).unwrap();
    let stop = AtomicBool::new(false);
    let (mut old, mut new) = (0, 0);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = [0, 0];
                    while !stop.load(Ordering::Relaxed) {
                        match pipeline.submit(5).unwrap().wait().unwrap() {
                            10 => seen[0] += 1,
                            15 => seen[1] += 1,
                            other => panic!("{other}"),
                        }
                    }
                    seen
                })
            })
            .collect();
        let tripler = |batch: &Rows| Ok(batch.tensor::<i64>(0)?.iter().map(|number| 3 * number).collect());
        let code: Arc<dyn Model<Vec<i64>>> = Arc::new(tripler);
        let swap = |share| Swap { model: None, version: "2".to_owned(), code: Arc::clone(&code), share };
        pipeline.swap(swap(0.5)).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let versions = pipeline.stats().models.remove(0).versions;
        assert_eq!((versions.len(), versions[1].name.as_str(), versions[1].share), (2, "2", 0.5));
        assert!(versions[1].rows > 0);
        pipeline.set_share(None, 1.0).unwrap();
        assert!(pipeline.drain_versions(Duration::from_secs(5)));
        std::thread::sleep(Duration::from_millis(20));
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            let seen = client.join().unwrap();
            (old, new) = (old + seen[0], new + seen[1]);
        }
        assert_eq!(pipeline.submit(5).unwrap().wait(), Ok(15));
    });
    assert!(old > 0 && new > 0, "{old} {new}");
    assert_eq!(pipeline.stats().models[0].outcomes.done, old + new + 1);
    assert!(pipeline.set_share(None, 0.5).unwrap_err().to_string().contains("no version is taking over"));
}

#[test]
fn a_version_that_fails_its_warm_up_changes_nothing() {
    let pipeline = Pipeline::start(PipelineSpec::default(), doubling(), doubler(), model_spec()).unwrap();
    let code = Arc::new(|_: &Rows| -> Result<Vec<i64>, Error> { Err(Error::stage("infer", "no")) });
    let swap = Swap { model: None, version: "2".to_owned(), code, share: 1.0 };
    assert!(pipeline.swap(swap).unwrap_err().to_string().starts_with("warm-up: "));
    assert_eq!(pipeline.submit(5).unwrap().wait(), Ok(10));
}

#[test]
fn many_threads_submit_cancel_and_close_and_every_request_has_one_outcome() {
    for round in 0..20 {
        let spec = PipelineSpec { queue_limit: 50, ..PipelineSpec::default() };
        let pipeline = Pipeline::start(spec, doubling(), doubler(), model_spec()).unwrap();
        let (outcomes, barrier) = (AtomicUsize::new(0), Barrier::new(65));
        let accepted = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..64_i64 {
                let (pipeline, outcomes, barrier, accepted) = (&pipeline, &outcomes, &barrier, &accepted);
                scope.spawn(move || {
                    barrier.wait();
                    for number in 0..20_i64 {
                        let limit = Duration::from_micros(200 + 500 * (number.unsigned_abs() % 5));
                        let deadline = (thread % 3 == 0).then(|| Instant::now() + limit);
                        let options =
                            Options { deadline, priority: u8::try_from(thread % 4).ok(), model: None };
                        let Ok(handle) = pipeline.submit_with(number, &options, None) else { continue };
                        accepted.fetch_add(1, Ordering::Relaxed);
                        if thread % 7 == 0 {
                            handle.cancel();
                        }
                        match handle.wait() {
                            Ok(result) => assert_eq!(result, 2 * number),
                            Err(Error::Cancelled | Error::Closed | Error::DeadlineExceeded { .. }) => {}
                            Err(other) => panic!("{other}"),
                        }
                        outcomes.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            barrier.wait();
            std::thread::sleep(Duration::from_micros(300 * round));
            pipeline.close(Duration::from_millis(round % 3));
        });
        let counts = pipeline.stats().models.remove(0);
        let sum = counts.outcomes.done
            + counts.outcomes.failed
            + counts.outcomes.late
            + counts.outcomes.overloaded
            + counts.outcomes.cancelled
            + counts.outcomes.closed;
        assert_eq!((outcomes.into_inner(), sum), (accepted.into_inner(), counts.submitted));
        assert_eq!(counts.submitted, 64 * 20);
    }
}

#[test]
fn models_share_a_pipeline_by_name() {
    let endpoint = |name: &str, factor: i64| Endpoint {
        spec: comptoir_executor::runtime::ModelSpec { name: name.to_owned(), ..model_spec() },
        stages: Doubling,
        model: Arc::new(move |batch: &Rows| -> Result<Vec<i64>, Error> {
            Ok(batch.tensor::<i64>(0)?.iter().map(|number| factor * number).collect())
        }) as Arc<dyn Model<Vec<i64>>>,
        version: "1".to_owned(),
    };
    let models = vec![endpoint("double", 2), endpoint("triple", 3)];
    let pipeline = Pipeline::start_all(PipelineSpec::default(), models).unwrap();
    let to = |name: &str| Options { model: Some(name.to_owned()), ..Options::default() };
    assert_eq!(pipeline.submit_with(7, &to("triple"), None).unwrap().wait(), Ok(21));
    assert_eq!(pipeline.submit_with(7, &to("double"), None).unwrap().wait(), Ok(14));
    let error = pipeline.submit_with(7, &to("tripel"), None).unwrap_err();
    assert_eq!(error.to_string(), "there is no model `tripel`: known are `double`, `triple`");
    let twice = vec![endpoint("a", 1), endpoint("a", 2)];
    let error = Pipeline::start_all(PipelineSpec::default(), twice).unwrap_err();
    assert_eq!(error.to_string(), "`models[1].name`: `a` is there twice");
}

#[test]
fn a_higher_priority_goes_first_while_the_queue_is_long() {
    let (open, gated) = gate(doubler());
    let spec = PipelineSpec { batch: BatchPolicy { max_size: 1, ..Default::default() }, ..one_thread() };
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let written = Arc::clone(&order);
    let stages = Functions::new(
        move |number: i64, row: &mut RowMut| {
            written.lock().unwrap().push(number);
            row.tensor_mut::<i64>(0)?[0] = number;
            Ok(())
        },
        |numbers: &Vec<i64>, row| Ok(numbers[row]),
    );
    let pipeline = Pipeline::start(spec, stages, gated, model_spec()).unwrap();
    let submit = |number, priority| {
        let options = Options { priority: Some(priority), ..Options::default() };
        pipeline.submit_with(number, &options, None).unwrap()
    };
    let mut handles: Vec<_> = (1..=9).map(|number| submit(number, 1)).collect();
    handles.extend([submit(100, 3), submit(101, 0)]);
    open();
    handles.into_iter().for_each(|handle| drop(handle.wait()));
    let order = order.lock().unwrap().clone();
    let place = |number: i64| order.iter().position(|&other| other == number).unwrap();
    assert!(place(100) < place(9) && place(101) == 10, "{order:?}");
    assert!(pipeline.submit_with(1, &Options { priority: Some(9), ..Options::default() }, None).is_err());
}

#[test]
fn copies_of_one_batch_overlap_with_the_computation_of_another() {
    use comptoir_executor::backend::{Simulated, SimulatedSpec, Tensors};
    let spec = PipelineSpec {
        depth: 2,
        trace_events: 1000,
        batch: BatchPolicy { max_size: 4, ..Default::default() },
        ..PipelineSpec::default()
    };
    let times = SimulatedSpec { fixed_ms: 4.0, per_row_ms: 0.0, copy_in_ms: 0.5, copy_out_ms: 0.5, echo: 1 };
    let stages = Functions::new(
        |number: i64, row: &mut RowMut| {
            row.tensor_mut::<i64>(0)?[0] = number;
            Ok(())
        },
        |echo: &Tensors, row| Ok(echo.outputs[0].1.row::<i64>(row)?[0]),
    );
    let pipeline = Pipeline::start(spec, stages, Simulated::new(times).unwrap(), model_spec()).unwrap();
    let handles: Vec<_> = (0..80).map(|number| pipeline.submit(number).unwrap()).collect();
    let results: Vec<i64> = handles.into_iter().map(|handle| handle.wait().unwrap()).collect();
    assert_eq!(results, (0..80).collect::<Vec<_>>());
    let trace = pipeline.trace();
    let spans: Vec<(f64, f64)> = trace["traceEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["cat"] == "device")
        .map(|event| {
            (event["ts"].as_f64().unwrap(), event["ts"].as_f64().unwrap() + event["dur"].as_f64().unwrap())
        })
        .collect();
    let overlaps = |one: &(f64, f64), other: &(f64, f64)| one.0 < other.1 && other.0 < one.1;
    let shared = spans.iter().enumerate().filter(|(at, span)| {
        spans.iter().enumerate().any(|(other_at, other)| other_at != *at && overlaps(span, other))
    });
    assert!(shared.count() * 10 >= spans.len() * 8, "{spans:?}");
}
