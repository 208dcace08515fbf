//! Pictures through a pipeline in Rust: decoded natively into the rows of a batch, a model over the batch, one outcome
//! for each file.
//!
//! ```text
//! cargo run --release --example pictures -- photo.jpg other.png
//! ```
//!
//! The model stands in for a network: it gives the mean of each colour. A model in ONNX goes in its place as
//! `comptoir::executor::backend::OnnxModel::load(&spec)?`, whose predictions are `Tensors`.
#![allow(clippy::print_stdout)]

use std::cell::RefCell;
use std::error::Error as StdError;
use std::time::Duration;

use comptoir::executor::Error;
use comptoir::executor::image::{ImageSpec, ImageTransform, Layout, Scratch};
use comptoir::executor::runtime::{ModelSpec, Options, Pipeline, PipelineSpec, Rows, Slot, Stages};
use comptoir::types::ErrorCode;

/// What is done before and after the model.
struct Pictures {
    transform: ImageTransform,
}

thread_local! {
    /// Memory that each thread uses again for every picture.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Stages for Pictures {
    type Item = Vec<u8>;
    /// Width and height of the picture, which the result shall tell.
    type Context = (u32, u32);
    type Predictions = Vec<[f32; 3]>;
    type Output = String;

    fn preprocess(&self, file: Vec<u8>, slot: &mut Slot<'_>) -> Result<(u32, u32), Error> {
        SCRATCH.with_borrow_mut(|scratch| {
            let placement = self.transform.prepare(scratch, &file)?;
            // The row is taken only now, so that nobody waits for it while the file is decoded.
            self.transform.write(scratch, slot.reserve()?.bytes_mut(0))?;
            Ok((placement.width, placement.height))
        })
    }

    fn postprocess(&self, means: &Vec<[f32; 3]>, row: usize, size: (u32, u32)) -> Result<String, Error> {
        let [red, green, blue] = means.get(row).ok_or_else(|| Error::stage("postprocess", "no such row"))?;
        Ok(format!("{}x{}, mean colour {red:.0} {green:.0} {blue:.0}", size.0, size.1))
    }
}

/// The mean of each colour of each row.
fn means(batch: &Rows) -> Result<Vec<[f32; 3]>, Error> {
    let pixels = batch.tensor::<f32>(0)?;
    let row = pixels.len() / batch.len().max(1);
    Ok(pixels.chunks_exact(row).map(mean).collect())
}

fn mean(row: &[f32]) -> [f32; 3] {
    let (pixels, _) = row.as_chunks::<3>();
    let mut sums = [0.0_f32; 3];
    for pixel in pixels {
        for (sum, level) in sums.iter_mut().zip(pixel) {
            *sum += level;
        }
    }
    sums.map(|sum| sum / pixels.len() as f32)
}

fn main() -> Result<(), Box<dyn StdError>> {
    let transform = ImageTransform::new(ImageSpec { layout: Layout::Nhwc, ..ImageSpec::default() })
        .map_err(Error::from)?;
    let model = ModelSpec { shapes: Some(vec![vec![transform.output()]]), ..ModelSpec::default() };
    let spec = PipelineSpec { deadline_ms: Some(5000.0), ..PipelineSpec::default() };
    let pipeline = Pipeline::start(spec, Pictures { transform }, means, model)?;

    let mut requests = Vec::new();
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
        requests.push((path, pipeline.submit(file)?));
    }
    if requests.is_empty() {
        let request = pipeline.submit_with(RED.to_vec(), &Options::default(), None)?;
        requests.push(("a red pixel".to_owned(), request));
    }
    for (path, request) in requests {
        match request.wait() {
            Ok(found) => println!("{path}: {found}"),
            Err(error) => println!("{path}: {} {error}", error.code()),
        }
    }
    pipeline.close(Duration::from_secs(1));
    Ok(())
}

/// A PNG file of one red pixel.
const RED: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00,
    0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01,
    0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60,
    0x82,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_red_pixel_is_red_and_nonsense_is_an_error_of_its_own() {
        let transform =
            ImageTransform::new(ImageSpec { layout: Layout::Nhwc, ..ImageSpec::default() }).unwrap();
        let model = ModelSpec { shapes: Some(vec![vec![transform.output()]]), ..ModelSpec::default() };
        let pipeline =
            Pipeline::start(PipelineSpec::default(), Pictures { transform }, means, model).unwrap();
        let (red, nonsense) = (pipeline.submit(RED.to_vec()), pipeline.submit(vec![1, 2, 3]));
        assert_eq!(red.unwrap().wait().unwrap(), "1x1, mean colour 255 0 0");
        assert_eq!(nonsense.unwrap().wait().unwrap_err().code(), "EXECUTOR_IMAGE_FORMAT");
    }
}
