//! Ten million empty and 200,000 requests with rows of 602 kB through one pipeline each: memory and descriptors of the
//! process before and after. It ends with status 1 where they have grown by more than a few pages.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};

use comptoir_executor::Error;
use comptoir_executor::runtime::{Functions, ModelSpec, Pipeline, PipelineSpec, RowMut, Rows, Stages};
use comptoir_executor::tensor::{DType, TensorSpec};

const CLIENTS: u64 = 64;
/// Growth that the allocator may keep for itself, in kB.
const SLACK_KB: u64 = 8 * 1024;

fn main() {
    // `cargo bench` gives arguments of its own; a number n makes it n times shorter.
    let shorter =
        std::env::args().filter_map(|argument| argument.parse::<u64>().ok()).next().unwrap_or(1).max(1);
    let empty = soak("empty", &[], 10_000_000 / shorter);
    let real = soak("602 kB rows", &[3, 224, 224], 200_000 / shorter);
    std::process::exit(i32::from(!(empty && real)));
}

fn soak(name: &str, shape: &[usize], requests: u64) -> bool {
    let shapes = Some(vec![vec![TensorSpec::new("x", DType::F32, shape)]]);
    let stages = Functions::new(
        |value: f32, row: &mut RowMut| {
            row.tensor_mut::<f32>(0)?.fill(value);
            Ok(())
        },
        |sums: &Vec<f32>, row| Ok(sums[row]),
    );
    let model = |batch: &Rows| -> Result<Vec<f32>, Error> {
        let elements = batch.tensor::<f32>(0)?;
        Ok(elements.chunks(elements.len() / batch.len()).map(|row| row[0]).collect())
    };
    let spec = ModelSpec { shapes, ..ModelSpec::default() };
    let pipeline = Pipeline::start(PipelineSpec::default(), stages, model, spec).unwrap();
    run(&pipeline, requests / 20);
    let before = (resident_kb(), descriptors());
    run(&pipeline, requests);
    let after = (resident_kb(), descriptors());
    println!(
        "{name}: {requests} requests; resident {} -> {} kB, descriptors {} -> {}",
        before.0, after.0, before.1, after.1
    );
    let stats = pipeline.stats();
    assert_eq!(stats.models[0].outcomes.done, stats.models[0].submitted);
    after.0 <= before.0 + SLACK_KB && after.1 == before.1
}

fn run<S: Stages<Item = f32, Output = f32>>(pipeline: &Pipeline<S>, requests: u64) {
    let left = AtomicU64::new(requests);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                while take() {
                    let value = client as f32;
                    assert_eq!(pipeline.submit(value).unwrap().wait(), Ok(value));
                }
            });
        }
    });
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
