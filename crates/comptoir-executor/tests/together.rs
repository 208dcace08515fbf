//! Rows that go through `postprocess` at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use std::sync::{Arc, Mutex};

use comptoir_executor::Error;
use comptoir_executor::runtime::{Pipeline, Predicted, Slot, Stages};
use support::{doubler, doubling, model_spec, one_thread};

/// Doubles numbers, as many at once as there are, and notes how many that were.
struct Grouped {
    sizes: Arc<Mutex<Vec<usize>>>,
    lost: usize,
}

impl Stages for Grouped {
    type Item = i64;
    type Context = i64;
    type Predictions = Vec<i64>;
    type Output = i64;

    fn preprocess(&self, number: i64, slot: &mut Slot<'_>) -> Result<i64, Error> {
        doubling().preprocess(number, slot)
    }

    fn postprocess(&self, doubles: &Vec<i64>, row: usize, number: i64) -> Result<i64, Error> {
        doubling().postprocess(doubles, row, number)
    }

    fn postprocess_at_once(&self) -> usize {
        4
    }

    fn postprocess_rows(&self, rows: Vec<Predicted<Self>>) -> Vec<Result<i64, Error>> {
        self.sizes.lock().unwrap().push(rows.len());
        let kept = rows.len() - self.lost;
        let outcome = |row: Predicted<Self>| match row.context {
            7 => Err(Error::stage("postprocess", "7 is odd")),
            _ => self.postprocess(&row.predictions, row.row, row.context),
        };
        rows.into_iter().take(kept).map(outcome).collect()
    }
}

/// The outcomes of numbers that reach the model in one batch, and the sizes of the groups.
fn outcomes(numbers: &[i64], lost: usize) -> (Vec<Result<i64, Error>>, Vec<usize>) {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let stages = Grouped { sizes: Arc::clone(&sizes), lost };
    let mut spec = one_thread();
    spec.batch.min_size = numbers.len();
    spec.batch.max_delay_ms = 1e4;
    let pipeline = Pipeline::start(spec, stages, doubler(), model_spec()).unwrap();
    let handles: Vec<_> = numbers.iter().map(|&number| pipeline.submit(number).unwrap()).collect();
    let results = handles.into_iter().map(support::Handle::wait).collect();
    let outcomes = pipeline.stats().models[0].outcomes;
    assert_eq!(outcomes.done + outcomes.failed, numbers.len() as u64);
    drop(pipeline);
    let sizes = sizes.lock().unwrap().clone();
    (results, sizes)
}

#[test]
fn each_row_of_a_group_has_its_own_outcome() {
    let (results, sizes) = outcomes(&[5, 6, 7, 8], 0);
    let odd = Err(Error::stage("postprocess", "7 is odd"));
    assert_eq!((results, sizes), (vec![Ok(10), Ok(12), odd, Ok(16)], vec![4]));
}

#[test]
fn no_group_is_larger_than_the_stages_say() {
    let (results, sizes) = outcomes(&[1, 2, 3, 4, 5, 6], 0);
    assert_eq!(results, [2, 4, 6, 8, 10, 12].map(Ok));
    assert_eq!(sizes, [4, 2]);
}

#[test]
fn a_panic_in_a_group_is_told_to_all_its_rows() {
    let (results, _) = outcomes(&[5, 666], 0);
    let beast = Err(Error::stage("postprocess", "panicked: the number of the beast"));
    assert_eq!(results, [beast.clone(), beast]);
}

#[test]
fn a_row_that_a_group_leaves_out_ends_all_the_same() {
    let (results, _) = outcomes(&[5, 6], 1);
    assert_eq!(results[0], Ok(10));
    assert!(matches!(results[1], Err(Error::Internal(_))));
}
