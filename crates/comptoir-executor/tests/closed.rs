//! What is left of a pipeline that was closed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use comptoir_executor::Error;
use comptoir_executor::policy::BatchPolicy;
use comptoir_executor::runtime::{ModelSpec, Pipeline, Swap};
use support::{doubler, doubling, gate, model_spec, one_thread};

#[test]
fn a_closed_pipeline_takes_no_version() {
    let pipeline = Pipeline::start(one_thread(), doubling(), doubler(), model_spec()).unwrap();
    assert!(pipeline.close(Duration::from_secs(10)));
    let code = Arc::new(doubler());
    let swap = Swap { model: None, version: "2".to_owned(), code, share: 1.0 };
    assert_eq!(pipeline.swap(swap), Err(Error::Closed));
}

#[test]
fn what_a_stage_still_held_at_the_end_leaves_when_the_stage_returns() {
    let (open, model) = gate(doubler());
    let pipeline = Pipeline::start(one_thread(), doubling(), model, model_spec()).unwrap();
    let handle = pipeline.submit(4).unwrap();
    while pipeline.stats().models[0].batches == 0 {
        std::thread::yield_now();
    }
    assert!(!pipeline.close(Duration::ZERO));
    assert_eq!((handle.wait(), pipeline.stats().live), (Err(Error::Closed), 1));
    open();
    let end = Instant::now() + Duration::from_secs(30);
    while pipeline.stats().live > 0 {
        assert!(Instant::now() < end, "it is still there");
        std::thread::yield_now();
    }
    assert!(pipeline.close(Duration::ZERO));
}

#[test]
fn a_batch_waits_for_its_least_size_until_nobody_can_come() {
    let batch = BatchPolicy { min_size: 3, max_delay_ms: 60_000.0, ..BatchPolicy::default() };
    let spec = ModelSpec { batch: Some(batch), ..model_spec() };
    let pipeline = Pipeline::start(one_thread(), doubling(), doubler(), spec).unwrap();
    let submit = |number| pipeline.submit(number).unwrap();
    let handles = [submit(1), submit(2)];
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(pipeline.stats().models[0].batches, 0);
    let (last, timings) = submit(3).wait_with_timings();
    assert_eq!((last, timings.batch_size), (Ok(6), 3));
    assert_eq!(handles.map(|handle| handle.wait().unwrap()), [2, 4]);
    let alone = submit(4);
    assert!(pipeline.close(Duration::from_secs(30)));
    assert_eq!(alone.wait(), Ok(8));
}
