//! The way of batches through a model, on the driver of the tests.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use comptoir_cuda::{
    Compute, CudaModel, CudaSpec, Device, DeviceBatch, DeviceOutput, Echo, Error, Normalise, Recording, Step,
    devices,
};
use comptoir_executor::backend::Tensors;
use comptoir_executor::image::Colour;
use comptoir_executor::policy::BatchPolicy;
use comptoir_executor::runtime::{Functions, Model, ModelSpec, Pipeline, PipelineSpec, RowMut};
use comptoir_executor::tensor::DType;
use comptoir_executor::{Error as Failure, runtime::Stages};
use comptoir_types::ErrorCode;
use support::{check_clean, fake, picture, small};

/// Pictures by their number in, the bytes of the prediction out.
fn stages() -> impl Stages<Item = u32, Output = Vec<u8>, Predictions = Tensors> {
    Functions::new(
        |seed: u32, row: &mut RowMut| {
            row.bytes_mut(0).copy_from_slice(&picture(seed));
            Ok(())
        },
        |tensors: &Tensors, row| {
            let (_, tensor) = &tensors.outputs[0];
            let each = tensor.bytes().len() / tensor.shape()[0];
            Ok(tensor.bytes()[row * each..(row + 1) * each].to_vec())
        },
    )
}

fn pipeline<C: Compute>(
    model: Arc<CudaModel<C>>,
    instances: usize,
    depth: usize,
) -> Pipeline<impl Stages<Item = u32, Output = Vec<u8>, Predictions = Tensors>> {
    struct Shared<C>(Arc<CudaModel<C>>);
    impl<C: Compute> Model<Tensors> for Shared<C> {
        fn infer(&self, lane: usize, batch: &comptoir_executor::runtime::Rows) -> Result<Tensors, Failure> {
            self.0.infer(lane, batch)
        }
        fn memory(&self) -> Option<Arc<dyn comptoir_executor::runtime::HostMemory>> {
            self.0.memory()
        }
    }
    let batch = BatchPolicy { max_size: 8, ..BatchPolicy::default() };
    let spec = PipelineSpec { cpu_threads: 2, instances, depth, batch, ..PipelineSpec::default() };
    let shapes = Some(vec![model.inputs().to_vec()]);
    // Without a warm-up, so that batches of every size are the first of theirs.
    let model_spec = ModelSpec { shapes, warm_up: false, ..ModelSpec::default() };
    Pipeline::start(spec, stages(), Shared(model), model_spec).unwrap()
}

/// Sends pictures, and holds what comes back against the CPU. Gives the errors of those that failed.
fn exchange<S: Stages<Item = u32, Output = Vec<u8>>>(
    pipeline: &Pipeline<S>,
    normalise: &Normalise,
    seeds: std::ops::Range<u32>,
) -> Vec<Failure> {
    let handles: Vec<_> = seeds.map(|seed| (seed, pipeline.submit(seed).unwrap())).collect();
    let mut failures = Vec::new();
    for (seed, handle) in handles {
        match handle.wait() {
            Ok(found) => assert_eq!(found, normalise.on_cpu(&picture(seed)), "picture {seed}"),
            Err(error) => failures.push(error),
        }
    }
    failures
}

#[test]
fn predictions_are_those_of_the_cpu_on_every_lane_and_in_every_form() {
    let fake = fake();
    for (dtype, colour) in [
        (DType::F32, Colour::Rgb),
        (DType::F32, Colour::Bgr),
        (DType::F16, Colour::Rgb),
        (DType::F16, Colour::Bgr),
    ] {
        for (instances, depth) in [(1, 1), (1, 3), (2, 2)] {
            let normalise = Normalise { dtype, colour, ..small() };
            let spec = CudaSpec { streams: instances, ..fake.spec(normalise.clone()) };
            let model = Arc::new(CudaModel::open(&spec, Echo).unwrap());
            let pipe = pipeline(Arc::clone(&model), instances, depth);
            for round in 0..20 {
                assert_eq!(exchange(&pipe, &normalise, round * 30..round * 30 + 30), []);
            }
            drop((pipe, model));
            check_clean(&fake);
        }
    }
    assert!(fake.replays() > 0);
    assert_eq!(fake.staged(), 0, "batches outside of page-locked memory");
}

/// Gives the normalised batch back, as a user's own code would: with trouble.
#[derive(Default)]
struct Trouble {
    calls: AtomicUsize,
    /// The call that fails, that panics, and that gives a wrong shape.
    bad: [Option<usize>; 3],
    recorded: bool,
}

impl Compute for Trouble {
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Failure> {
        let call = Some(self.calls.fetch_add(1, Ordering::Relaxed));
        let [fails, panics, wrong] = self.bad;
        assert_ne!(call, panics, "a defect");
        if call == fails {
            return Err(Failure::stage("infer", "too dark"));
        }
        let [input] = batch.inputs().collect::<Vec<_>>().try_into().unwrap();
        let mut shape = input.shape;
        shape[0] += usize::from(call == wrong);
        let owner = Box::new(batch.keeper());
        // SAFETY: the tensor of the batch, held by its keeper.
        Ok(vec![unsafe { DeviceOutput::new("out", input.dtype, shape, input.address, owner) }])
    }

    fn recording(&self) -> Recording {
        if self.recorded { Recording::Once } else { Recording::Never }
    }
}

#[test]
fn trouble_in_the_users_code_ends_only_its_batch() {
    let fake = fake();
    for kind in 0..3 {
        for at in 0..3 {
            for recorded in [false, true] {
                let mut bad = [None; 3];
                bad[kind] = Some(at);
                let trouble = Trouble { bad, recorded, ..Trouble::default() };
                let model = Arc::new(CudaModel::open(&fake.spec(small()), trouble).unwrap());
                let pipe = pipeline(Arc::clone(&model), 1, 2);
                let mut failed = 0;
                for seed in 0..8 {
                    failed += exchange(&pipe, &small(), seed..seed + 1).len();
                }
                // Requests went one by one, so that each was a batch, which is not tried again.
                // A recorded computation is called twice on each lane, and one lane may have had them all.
                let least = usize::from(!recorded || at < 2);
                assert!(
                    (least..=1).contains(&failed),
                    "kind {kind}, call {at}, recorded {recorded}: {failed}"
                );
                drop((pipe, model));
                check_clean(&fake);
            }
        }
    }
}

#[test]
fn a_call_to_the_driver_that_fails_ends_only_its_batch_and_leaks_nothing() {
    let fake = fake();
    let calls = [
        "cuStreamCreate",
        "cuEventCreate",
        "cuEventRecord",
        "cuEventSynchronize",
        "cuStreamWaitEvent",
        "cuMemAlloc_v2",
        "cuMemHostAlloc",
        "cuMemcpyHtoDAsync_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuLaunchKernel",
        "cuStreamBeginCapture_v2",
        "cuStreamEndCapture",
        "cuGraphInstantiateWithFlags",
        "cuGraphLaunch",
        "cuEventElapsedTime",
    ];
    for call in calls {
        for after in 0..6 {
            let model = Arc::new(CudaModel::open(&fake.spec(small()), Echo).unwrap());
            let pipe = pipeline(Arc::clone(&model), 1, 2);
            fake.fail(call, after, if call.contains("Alloc") { 2 } else { 700 });
            let failures = exchange(&pipe, &small(), 0..12);
            // A batch that fails is tried again in halves, so what fails once is mostly not seen at all.
            for failure in &failures {
                let text = failure.to_string();
                assert!(text.contains("the NVIDIA driver says") || text.contains("out of memory"), "{text}");
            }
            fake.fail("", 0, 0);
            assert_eq!(exchange(&pipe, &small(), 20..40), [], "after {call}");
            drop((pipe, model));
            check_clean(&fake);
        }
    }
}

/// Says when it is called, and returns when it is let go.
struct Gate {
    called: mpsc::SyncSender<()>,
    go: Mutex<mpsc::Receiver<()>>,
    inner: Trouble,
}

impl Compute for Gate {
    fn schedule(&self, batch: &DeviceBatch<'_>) -> Result<Vec<DeviceOutput>, Failure> {
        self.called.send(()).unwrap();
        self.go.lock().unwrap().recv().unwrap();
        self.inner.schedule(batch)
    }
}

fn wait_for(what: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(5);
    while !what() {
        assert!(Instant::now() < until, "it does not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_batch_is_copied_in_while_another_is_scheduled() {
    let fake = fake();
    let (called, calls) = mpsc::sync_channel(8);
    let (go, gone) = mpsc::channel();
    let gate = Gate { called, go: Mutex::new(gone), inner: Trouble::default() };
    let model = Arc::new(CudaModel::open(&fake.spec(small()), gate).unwrap());
    let pipe = pipeline(Arc::clone(&model), 1, 2);
    let before = fake.copies_in();
    let first = pipe.submit(1).unwrap();
    calls.recv().unwrap();
    let second = pipe.submit(2).unwrap();
    wait_for(|| fake.copies_in() == before + 2);
    assert!(calls.try_recv().is_err(), "batches of one stream are scheduled one after the other");
    go.send(()).unwrap();
    go.send(()).unwrap();
    for (handle, seed) in [(first, 1), (second, 2)] {
        assert_eq!(handle.wait().unwrap(), small().on_cpu(&picture(seed)));
    }
    drop((pipe, model));
    check_clean(&fake);
}

#[test]
fn a_batch_is_scheduled_while_another_is_waited_for() {
    let fake = fake();
    let model = Arc::new(CudaModel::open(&fake.spec(small()), Trouble::default()).unwrap());
    let pipe = pipeline(Arc::clone(&model), 1, 2);
    let before = fake.launches();
    // The first batch does not come back before the second is on its way to the device.
    fake.hold(before + 2);
    let first = pipe.submit(1).unwrap();
    wait_for(|| fake.launches() == before + 1);
    let second = pipe.submit(2).unwrap();
    for (handle, seed) in [(first, 1), (second, 2)] {
        assert_eq!(handle.wait().unwrap(), small().on_cpu(&picture(seed)));
    }
    drop((pipe, model));
    fake.hold(0);
    check_clean(&fake);
}

#[test]
fn the_timeline_has_the_three_steps_of_each_batch_in_their_order() {
    let fake = fake();
    let spec = CudaSpec { trace_events: 9, ..fake.spec(small()) };
    let model = Arc::new(CudaModel::open(&spec, Echo).unwrap());
    let pipe = pipeline(Arc::clone(&model), 1, 1);
    for seed in 0..5 {
        exchange(&pipe, &small(), seed..seed + 1);
    }
    drop(pipe);
    let spans = model.timeline();
    let steps: Vec<Step> = spans.iter().map(|span| span.step).collect();
    assert_eq!(steps, [Step::CopyIn, Step::Compute, Step::CopyOut].repeat(3));
    assert!(spans.iter().all(|span| span.rows == 1 && span.start_ms < span.end_ms));
    assert!(spans.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms));
    assert!(model.copy_in(2) > std::time::Duration::ZERO);
}

#[test]
fn rows_of_another_kind_are_refused() {
    let fake = fake();
    let model = CudaModel::open(&fake.spec(small()), Echo).unwrap();
    let other = CudaModel::open(&fake.spec(Normalise { width: 8, ..small() }), Echo).unwrap();
    let shapes = Some(vec![other.inputs().to_vec()]);
    let error = Pipeline::start(
        PipelineSpec::default(),
        stages(),
        model,
        ModelSpec { shapes, ..ModelSpec::default() },
    );
    let text = error.unwrap_err().to_string();
    assert_eq!(text, "`inputs`: expected rows of uint8 [5, 7, 3], found uint8 [5, 8, 3]");
}

#[test]
fn what_is_missing_is_named() {
    let fake = fake();
    assert_eq!(devices().unwrap()[0].name, "fake 0");
    assert_eq!(Device::open(0).unwrap().info().capability, (9, 0));
    fake.set(11_040, 1);
    assert_eq!(devices(), Err(Error::DriverTooOld { found: 11_040, needed: 12_000 }));
    fake.set(12_020, 0);
    assert_eq!(devices(), Err(Error::NoDevice));
    fake.set(12_020, 2);
    let error = Device::open(2).unwrap_err();
    assert_eq!(error.to_string(), "`device`: there is no device 2: the driver sees 2, counted from 0");
    fake.set(12_020, 1);
    fake.fail("cuInit", 0, 803);
    let error = devices().unwrap_err();
    assert_eq!(error.code(), "EXECUTOR_CUDA_NO_DRIVER");
    assert!(error.to_string().contains("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"), "{error}");
    let spec = CudaSpec { nvrtc: Some("/nowhere/libnvrtc.so".into()), ..fake.spec(small()) };
    assert_eq!(CudaModel::open(&spec, Echo).unwrap_err().code(), "EXECUTOR_CUDA_NO_COMPILER");
    let spec = CudaSpec { streams: 0, ..fake.spec(small()) };
    assert_eq!(
        CudaModel::open(&spec, Echo).unwrap_err().to_string(),
        "`streams`: must be from 1 to 64, found 0"
    );
    check_clean(&fake);
}
