//! What a pipeline costs around a device: an empty job, a job of 602 kB rows on a device of 4 + 0.15 n ms, and the same
//! job with photos as its input.
//!
//! `cargo bench -p comptoir-executor --bench serving -- PHOTO.jpg ...` takes the photos that are named, and with
//! `--features turbojpeg` libjpeg-turbo decodes them.
//!
//! Each line: clients that wait for their result one after the other, requests a second, median and 99 % latency.
//! The bound of the empty job is the wake-up of sleeping threads, of which a request needs three; that of the device
//! is n / (4 + 0.15 n) ms for batches of n; that of photos is what decoding and resizing take, on all cores.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing, missing_docs)]

mod photos;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use comptoir_executor::Error;
use comptoir_executor::backend::{Simulated, SimulatedSpec, Tensors};
use comptoir_executor::image::{ImageSpec, ImageTransform, Profile};
use comptoir_executor::runtime::{Functions, Model, ModelSpec, Pipeline, PipelineSpec, RowMut, Rows, Stages};
use comptoir_executor::tensor::{DType, TensorSpec};

/// An empty job whose `postprocess` does nothing.
struct Empty;

impl Stages for Empty {
    type Item = ();
    type Context = ();
    type Predictions = ();
    type Output = ();

    fn preprocess(&self, (): (), _: &mut comptoir_executor::runtime::Slot<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn postprocess(&self, (): &(), _: usize, (): ()) -> Result<(), Error> {
        Ok(())
    }

    fn postprocess_is_quick(&self) -> bool {
        true
    }
}

fn main() {
    println!("{:28} {:>7} {:>12} {:>9} {:>9}", "job", "clients", "requests/s", "p50 us", "p99 us");
    for clients in [1, 16, 64] {
        let model = |_: &Rows| Ok(());
        let pipeline = Pipeline::start(PipelineSpec::default(), Empty, model, ModelSpec::default()).unwrap();
        measure("empty", &pipeline, clients, || ());
    }
    for clients in [1, 16, 64] {
        let pipeline = device(Simulated::new(SimulatedSpec { echo: 1, ..SimulatedSpec::default() }).unwrap());
        measure("602 kB rows, 4 + 0.15 n ms", &pipeline, clients, || 1.0);
        let stats = pipeline.stats();
        let size = stats.models[0].rows as f64 / stats.models[0].batches as f64;
        println!("{:28} device busy {:.1} %, rows a batch {size:.1}", "", stats.utilisation[0] * 100.0);
    }
    let names = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let read = |path: String| std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let files: Vec<Vec<u8>> = names.map(read).collect();
    if files.is_empty() {
        println!("no photos given: cargo bench -p comptoir-executor --bench serving -- PHOTO.jpg ...");
    } else {
        photos(&files);
    }
}

/// Photos that are decoded to 224x224, on the same device.
fn photos(files: &[Vec<u8>]) {
    for (name, profile) in [("opencv", Profile::Opencv), ("pillow", Profile::Pillow), ("fast", Profile::Fast)]
    {
        let spec = ImageSpec { profile, mean: [123.0; 3], std: [58.0; 3], ..ImageSpec::default() };
        let transform = ImageTransform::new(spec).unwrap();
        let stage = photos::stage_time(&transform, files);
        let cores = std::thread::available_parallelism().unwrap().get();
        println!(
            "{:28} {:.2} ms a photo on one core: at most {:.0} requests/s on {cores}",
            format!("photos, profile {name}"),
            stage.as_secs_f64() * 1e3,
            cores as f64 / stage.as_secs_f64()
        );
        let shapes = Some(vec![vec![transform.output()]]);
        let stages = photos::Photos { transform };
        let device = Simulated::new(SimulatedSpec { echo: 1000, ..SimulatedSpec::default() }).unwrap();
        let model = ModelSpec { shapes, ..ModelSpec::default() };
        let pipeline = Pipeline::start(PipelineSpec::default(), stages, device, model).unwrap();
        let next = std::sync::atomic::AtomicUsize::new(0);
        for clients in [1, 16, 64] {
            measure("", &pipeline, clients, || {
                files[next.fetch_add(1, Ordering::Relaxed) % files.len()].clone()
            });
        }
    }
}

/// Rows of the size of a picture, filled with one number.
fn device(model: impl Model<Tensors>) -> Pipeline<impl Stages<Item = f32, Output = f32>> {
    let shape = TensorSpec::new("image", DType::F32, &[3, 224, 224]);
    let spec = ModelSpec { shapes: Some(vec![vec![shape]]), ..ModelSpec::default() };
    let stages = Functions::new(
        |value: f32, row: &mut RowMut| {
            row.tensor_mut::<f32>(0)?.fill(value);
            Ok(())
        },
        |echo: &Tensors, row| Ok(echo.outputs[0].1.row::<f32>(row)?[0]),
    );
    Pipeline::start(PipelineSpec::default(), stages, model, spec).unwrap()
}

/// Runs clients for a second after a warm second, three times, and prints the median by rate.
fn measure<S: Stages>(job: &str, pipeline: &Pipeline<S>, clients: usize, item: impl Fn() -> S::Item + Sync) {
    let mut runs: Vec<(f64, Duration, Duration)> = (0..3).map(|_| run(pipeline, clients, &item)).collect();
    runs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (rate, p50, p99) = runs[1];
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!("{job:28} {clients:>7} {rate:>12.0} {:>9.1} {:>9.1}", micros(p50), micros(p99));
}

fn run<S: Stages>(
    pipeline: &Pipeline<S>,
    clients: usize,
    item: &(impl Fn() -> S::Item + Sync),
) -> (f64, Duration, Duration) {
    let stop = AtomicBool::new(false);
    let start = Instant::now();
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut latencies = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let start = Instant::now();
                        pipeline.submit(item()).unwrap().wait().unwrap();
                        latencies.push(start.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(1));
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    (rate, latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100])
}
