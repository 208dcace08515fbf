//! What is left of a pipeline that was closed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use comptoir_executor::Error;
use comptoir_executor::runtime::{Pipeline, Swap};
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
