//! A small job for tests: numbers are doubled, and some of them are trouble.
#![allow(dead_code)]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use comptoir_executor::Error;
use comptoir_executor::runtime::{Model, ModelSpec, PipelineSpec, Rows, Slot, Stages};
use comptoir_executor::tensor::{DType, TensorSpec};

pub type Handle = comptoir_executor::runtime::Handle<i64>;

/// Writes a number, reads its double.
pub struct Doubling;

pub fn doubling() -> Doubling {
    Doubling
}

impl Stages for Doubling {
    type Item = i64;
    type Context = i64;
    type Predictions = Vec<i64>;
    type Output = i64;

    fn preprocess(&self, number: i64, slot: &mut Slot<'_>) -> Result<i64, Error> {
        if number == -3 {
            let deadline = slot.deadline().ok_or_else(|| Error::stage("preprocess", "-3 takes for ever"))?;
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            return Err(Error::DeadlineExceeded { stage: "for -3", after: Duration::ZERO });
        }
        let row = slot.reserve()?.tensor_mut::<i64>(0)?;
        match number {
            -1 => return Err(Error::stage("preprocess", "-1 is below zero")),
            -2 => panic!("-2 is far below zero"),
            number => row[0] = number,
        }
        Ok(number)
    }

    fn postprocess(&self, doubles: &Vec<i64>, row: usize, number: i64) -> Result<i64, Error> {
        assert!(number != 666, "the number of the beast");
        Ok(doubles[row])
    }
}

/// A model that doubles and refuses millions.
pub fn doubler() -> impl Model<Vec<i64>> {
    |batch: &Rows| {
        let numbers = batch.tensor::<i64>(0)?;
        if numbers.iter().any(|&number| number >= 1_000_000) {
            return Err(Error::stage("infer", "too large"));
        }
        Ok(numbers.iter().map(|number| 2 * number).collect())
    }
}

pub fn model_spec() -> ModelSpec {
    let shapes = Some(vec![vec![TensorSpec::new("number", DType::I64, &[1])]]);
    ModelSpec { shapes, ..ModelSpec::default() }
}

pub fn one_thread() -> PipelineSpec {
    PipelineSpec { cpu_threads: 1, ..PipelineSpec::default() }
}

/// A model that, after its warm-up, waits until the gate is opened.
pub fn gate(inner: impl Model<Vec<i64>>) -> (impl Fn(), impl Model<Vec<i64>>) {
    let state = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&state);
    let open = move || {
        *state.0.lock().unwrap() = true;
        state.1.notify_all();
    };
    let model = move |batch: &Rows| {
        // Zeros are the warm-up, in which nobody waits.
        if batch.tensor::<i64>(0)?.iter().any(|&number| number != 0) {
            drop(other.1.wait_while(other.0.lock().unwrap(), |open| !*open).unwrap());
        }
        inner.infer(0, batch)
    };
    (open, model)
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
