//! Rows for which there is no memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use comptoir_executor::Error;
use comptoir_executor::runtime::{ModelSpec, Pipeline, Slot, Stages};
use comptoir_executor::tensor::{DType, TensorSpec};
use support::{doubler, model_spec, one_thread};

/// Takes the size of its row from the item.
struct Sized;

impl Stages for Sized {
    type Item = usize;
    type Context = ();
    type Predictions = Vec<i64>;
    type Output = i64;

    fn preprocess(&self, size: usize, slot: &mut Slot<'_>) -> Result<(), Error> {
        slot.reserve_for(&[TensorSpec::new("x", DType::I64, &[size])])?.tensor_mut::<i64>(0)?[0] = 21;
        Ok(())
    }

    fn postprocess(&self, doubles: &Vec<i64>, row: usize, (): ()) -> Result<i64, Error> {
        Ok(doubles[row])
    }
}

#[test]
fn rows_without_memory_are_an_error_of_their_request_or_of_the_start() {
    let spec = || ModelSpec { shapes: None, ..model_spec() };
    let pipeline = Pipeline::start(one_thread(), Sized, doubler(), spec()).unwrap();
    let error = pipeline.submit(1 << 50).unwrap().wait().unwrap_err();
    assert_eq!(error.to_string(), "`inputs.x`: 32 rows of shape [1125899906842624] do not fit into memory");
    // It has not declared the shape.
    assert_eq!(pipeline.submit(1).unwrap().wait(), Ok(42));
    let shapes = Some(vec![vec![TensorSpec::new("x", DType::I64, &[1 << 50])]]);
    let error = Pipeline::start(one_thread(), Sized, doubler(), ModelSpec { shapes, ..spec() }).unwrap_err();
    assert!(error.to_string().ends_with("do not fit into memory"), "{error}");
}
