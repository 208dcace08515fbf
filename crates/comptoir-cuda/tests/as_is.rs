//! Rows that are computed as they were copied: one or several inputs of any type, on the driver of the tests.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use comptoir_cuda::{
    Compute, CudaModel, CudaSpec, DeviceBatch, DeviceOutput, Echo, Error, Inputs, Recording,
};
use comptoir_executor::Error as Failure;
use comptoir_executor::backend::Tensors;
use comptoir_executor::policy::BatchPolicy;
use comptoir_executor::runtime::{
    Functions, HostMemory, Model, ModelSpec, Pipeline, PipelineSpec, RowMut, Rows, Stages,
};
use comptoir_executor::tensor::{DType, TensorSpec};
use comptoir_types::ErrorCode;
use support::{check_clean, fake, small};

/// An input of each type there is, one of them a single number, one empty.
fn every_type() -> Vec<TensorSpec> {
    vec![
        TensorSpec::new("ids", DType::I64, &[7]),
        TensorSpec::new("mask", DType::U8, &[7]),
        TensorSpec::new("at", DType::I32, &[]),
        TensorSpec::new("half", DType::F16, &[2, 3]),
        TensorSpec::new("single", DType::F32, &[3, 1, 2]),
        TensorSpec::new("double", DType::F64, &[1]),
        TensorSpec::new("nothing", DType::F32, &[0, 4]),
    ]
}

/// Bytes that follow from a number, for an input.
fn bytes(seed: u32, input: usize, len: usize) -> Vec<u8> {
    let first = seed.wrapping_mul(2_654_435_761).wrapping_add(u32::try_from(input).unwrap() * 97);
    (0..len).map(|at| first.wrapping_add(u32::try_from(at).unwrap() * 31).to_le_bytes()[1]).collect()
}

/// Rows by their number in; out come the names and bytes of the predictions.
fn stages() -> impl Stages<Item = u32, Output = Vec<(String, Vec<u8>)>, Predictions = Tensors> {
    Functions::new(
        |seed: u32, row: &mut RowMut| {
            for input in 0..row.inputs().len() {
                let len = row.bytes_mut(input).len();
                row.bytes_mut(input).copy_from_slice(&bytes(seed, input, len));
            }
            Ok(())
        },
        |tensors: &Tensors, row| {
            let part = |(name, tensor): &(String, comptoir_executor::backend::Tensor)| {
                let each = tensor.bytes().len() / tensor.shape()[0];
                (name.clone(), tensor.bytes()[row * each..(row + 1) * each].to_vec())
            };
            Ok(tensors.outputs.iter().map(part).collect())
        },
    )
}

fn expected(seed: u32, inputs: &[TensorSpec]) -> Vec<(String, Vec<u8>)> {
    let one =
        |(at, spec): (usize, &TensorSpec)| (spec.name.clone(), bytes(seed, at, spec.row_bytes().unwrap()));
    inputs.iter().enumerate().map(one).collect()
}

struct Shared<C>(Arc<CudaModel<C>>);

impl<C: Compute> Model<Tensors> for Shared<C> {
    fn infer(&self, lane: usize, batch: &Rows) -> Result<Tensors, Failure> {
        self.0.infer(lane, batch)
    }
    fn memory(&self) -> Option<Arc<dyn HostMemory>> {
        self.0.memory()
    }
}

fn pipeline<C: Compute>(
    model: &Arc<CudaModel<C>>,
    instances: usize,
    depth: usize,
) -> Pipeline<impl Stages<Item = u32, Output = Vec<(String, Vec<u8>)>, Predictions = Tensors>> {
    let batch = BatchPolicy { max_size: 8, ..BatchPolicy::default() };
    let spec = PipelineSpec { cpu_threads: 2, instances, depth, batch, ..PipelineSpec::default() };
    let shapes = Some(vec![model.inputs().to_vec()]);
    let model_spec = ModelSpec { shapes, warm_up: false, ..ModelSpec::default() };
    Pipeline::start(spec, stages(), Shared(Arc::clone(model)), model_spec).unwrap()
}

/// Settings without a compiler, which nothing but pictures needs.
fn spec(inputs: Vec<TensorSpec>) -> CudaSpec {
    let nvrtc = Some("/nowhere/libnvrtc.so".into());
    CudaSpec { inputs: Some(Inputs::AsIs(inputs)), nvrtc, ..CudaSpec::default() }
}

#[test]
fn inputs_of_every_type_lie_on_the_device_as_they_were_written() {
    let fake = fake();
    let (launches, replays) = (fake.launches(), fake.replays());
    for inputs in [every_type(), vec![TensorSpec::new("x", DType::F32, &[5])]] {
        for (instances, depth) in [(1, 1), (1, 3), (2, 2)] {
            let spec = CudaSpec { streams: instances, ..spec(inputs.clone()) };
            let model = Arc::new(CudaModel::open(&spec, Echo).unwrap());
            assert_eq!(model.inputs(), inputs);
            let pipe = pipeline(&model, instances, depth);
            // One at first, so that larger batches find the memory of the lane too small.
            for count in [1, 3, 30, 30, 1, 30] {
                let handles: Vec<_> = (0..count).map(|seed| (seed, pipe.submit(seed).unwrap())).collect();
                for (seed, handle) in handles {
                    assert_eq!(handle.wait().unwrap(), expected(seed, &inputs), "row {seed}");
                }
            }
            drop((pipe, model));
            check_clean(&fake);
        }
    }
    assert_eq!(fake.launches(), launches, "no kernel runs between the copies");
    assert!(fake.replays() > replays);
    assert_eq!(fake.staged(), 0, "batches outside of page-locked memory");
}

/// Gives the first input back, and notes what it saw.
#[derive(Default)]
struct Watch {
    calls: AtomicUsize,
    seen: Mutex<Vec<(TensorSpec, u64)>>,
    takes: Option<Vec<TensorSpec>>,
    rows_too_many: usize,
}

impl Compute for Watch {
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Failure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let inputs: Vec<_> = batch.inputs().collect();
        let seen = inputs.iter().map(|one| (TensorSpec::new(one.name, one.dtype, &one.shape), one.address));
        *self.seen.lock().unwrap() = seen.collect();
        let mut shape = inputs[0].shape.clone();
        shape[0] += self.rows_too_many;
        let owner = Box::new(batch.keeper());
        // SAFETY: memory of the batch, held by its keeper.
        Ok(vec![unsafe { DeviceOutput::new("first", inputs[0].dtype, shape, inputs[0].address, owner) }])
    }

    fn takes(&self) -> Option<&[TensorSpec]> {
        self.takes.as_deref()
    }

    fn recording(&self) -> Recording {
        Recording::Once
    }
}

fn two() -> Vec<TensorSpec> {
    vec![TensorSpec::new("ids", DType::I64, &[7]), TensorSpec::new("mask", DType::I64, &[7])]
}

#[test]
fn a_batch_says_of_each_input_where_and_what_it_is_and_is_recorded() {
    let fake = fake();
    let replays = fake.replays();
    let model = Arc::new(CudaModel::open(&spec(two()), Watch::default()).unwrap());
    let pipe = pipeline(&model, 1, 1);
    for seed in 0..9 {
        let found = pipe.submit(seed).unwrap().wait().unwrap();
        assert_eq!(found, [("first".to_owned(), bytes(seed, 0, 56))]);
    }
    let seen = model.compute().seen.lock().unwrap().clone();
    let said: Vec<_> = seen.iter().map(|(spec, _)| spec.clone()).collect();
    assert_eq!(said, ["ids", "mask"].map(|name| TensorSpec::new(name, DType::I64, &[1, 7])));
    assert_ne!(seen[0].1, seen[1].1);
    // Once as it is, once recorded; the other batches are replays.
    assert_eq!((model.compute().calls.load(Ordering::Relaxed), fake.replays() - replays), (2, 8));
    drop((pipe, model));
    check_clean(&fake);
}

#[test]
fn an_output_with_another_first_side_is_an_error_of_its_batch() {
    let fake = fake();
    let model =
        Arc::new(CudaModel::open(&spec(two()), Watch { rows_too_many: 1, ..Watch::default() }).unwrap());
    let pipe = pipeline(&model, 1, 2);
    for _ in 0..3 {
        let text = pipe.submit(1).unwrap().wait().unwrap_err().to_string();
        assert!(text.contains("output `first` of shape [2, 7] has not one row for each of the 1"), "{text}");
    }
    drop((pipe, model));
    check_clean(&fake);
}

#[test]
fn a_call_to_the_driver_that_fails_leaks_nothing() {
    let fake = fake();
    for call in ["cuMemAlloc_v2", "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuStreamEndCapture"] {
        for after in 0..16 {
            let model = Arc::new(CudaModel::open(&spec(every_type()), Echo).unwrap());
            let pipe = pipeline(&model, 1, 2);
            fake.fail(call, after, if call.contains("Alloc") { 2 } else { 700 });
            let handles: Vec<_> = (0..12).map(|seed| (seed, pipe.submit(seed).unwrap())).collect();
            for (seed, handle) in handles {
                match handle.wait() {
                    Ok(found) => assert_eq!(found, expected(seed, &every_type())),
                    Err(error) => {
                        let text = error.to_string();
                        assert!(text.contains("driver says") || text.contains("out of memory"), "{text}");
                    }
                }
            }
            fake.fail("", 0, 0);
            assert_eq!(pipe.submit(5).unwrap().wait().unwrap(), expected(5, &every_type()), "after {call}");
            drop((pipe, model));
            check_clean(&fake);
        }
    }
}

#[test]
fn rows_in_another_order_or_of_another_kind_are_refused() {
    let fake = fake();
    let swapped: Vec<_> = two().into_iter().rev().collect();
    let one = vec![TensorSpec::new("x", DType::F32, &[7])];
    for (declared, text) in [(swapped, "found `mask` int64 [7], `ids` int64 [7]"), (one, "found float32 [7]")]
    {
        let model = CudaModel::open(&spec(two()), Echo).unwrap();
        let model_spec = ModelSpec { shapes: Some(vec![declared]), ..ModelSpec::default() };
        let error = Pipeline::start(PipelineSpec::default(), stages(), model, model_spec).unwrap_err();
        let expected = "`inputs`: expected rows of `ids` int64 [7], `mask` int64 [7]";
        assert_eq!(error.to_string(), format!("{expected}, {text}"));
    }
    check_clean(&fake);
}

#[test]
fn inputs_that_cannot_be_used_are_refused_before_a_device_is_looked_for() {
    let x = || TensorSpec::new("x", DType::F32, &[2]);
    for (inputs, text) in [
        (vec![], "`inputs`: must be at least one"),
        (vec![x(), x()], "`inputs`: two are named `x`"),
        (vec![x(), TensorSpec::new("", DType::F32, &[2])], "`inputs`: input 1 has no name"),
        (
            vec![TensorSpec::new("x", DType::F64, &[usize::MAX])],
            "`inputs`: a row of `x`, float64 [18446744073709551615], does not fit into memory",
        ),
    ] {
        let error = CudaModel::open(&spec(inputs), Echo).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.code(), "EXECUTOR_CUDA_CONFIG");
    }
}

#[test]
fn what_is_given_is_held_against_what_the_computation_takes() {
    let fake = fake();
    let open = |spec: &CudaSpec, takes: Vec<TensorSpec>| {
        let watch = Watch { takes: Some(takes), ..Watch::default() };
        CudaModel::open(spec, watch).map(|model| model.inputs().to_vec())
    };
    let planes = |dtype| vec![TensorSpec::new("pixels", dtype, &[3, 5, 7])];
    let refused = |message: &str| Err(Error::Config { field: "inputs", message: message.to_owned() });
    // One input may have any name, several go by theirs in any order, and what is not set is what is taken.
    assert_eq!(open(&fake.spec(small()), planes(DType::F16)).unwrap().len(), 1);
    assert_eq!(open(&spec(two()), two().into_iter().rev().collect()), Ok(two()));
    assert_eq!(open(&CudaSpec { inputs: None, ..spec(vec![]) }, two()), Ok(two()));
    let twice = [two(), two()].concat();
    assert_eq!(open(&CudaSpec { inputs: None, ..spec(vec![]) }, twice), refused("two are named `ids`"));
    assert_eq!(
        open(&fake.spec(small()), planes(DType::F32)),
        refused(
            "the model's input `pixels` takes float32 [3, 5, 7], and pictures are normalised to float16 [3, 5, 7]: set \
             width, height and dtype to the model's, if it takes pictures"
        )
    );
    assert_eq!(
        open(&spec(vec![TensorSpec::new("x", DType::F32, &[4])]), planes(DType::F32)),
        refused("the model's input `pixels` takes float32 [3, 5, 7], and is given float32 [4]")
    );
    assert_eq!(
        open(&spec(two()), planes(DType::F32)),
        refused("the model takes float32 [3, 5, 7], and is given `ids` int64 [7], `mask` int64 [7]")
    );
    let mut other = two();
    other[1].name = "types".to_owned();
    assert_eq!(
        open(&spec(other), two()),
        refused("the model's input `mask` takes int64 [7], and nothing of that name is given")
    );
    let silent = CudaModel::open(&CudaSpec { inputs: None, ..spec(vec![]) }, Echo).map(|_| vec![]);
    assert_eq!(silent, refused("must be given: the computation does not say what it takes"));
    check_clean(&fake);
}
