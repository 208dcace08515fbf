//! Stages from photos to the class with the largest output.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use comptoir_executor::Error;
use comptoir_executor::backend::Tensors;
use comptoir_executor::image::{ImageTransform, Scratch};
use comptoir_executor::runtime::{Slot, Stages};

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

pub struct Photos {
    pub transform: ImageTransform,
}

impl Stages for Photos {
    type Item = Vec<u8>;
    type Context = ();
    type Predictions = Tensors;
    type Output = usize;

    fn preprocess(&self, file: Vec<u8>, slot: &mut Slot<'_>) -> Result<(), Error> {
        SCRATCH.with_borrow_mut(|scratch| {
            self.transform.prepare(scratch, &file)?;
            self.transform.write(scratch, slot.reserve()?.bytes_mut(0))?;
            Ok(())
        })
    }

    fn postprocess(&self, outputs: &Tensors, row: usize, (): ()) -> Result<usize, Error> {
        let scores = outputs.outputs[0].1.row::<f32>(row)?;
        Ok((0..scores.len()).max_by(|one, other| scores[*one].total_cmp(&scores[*other])).unwrap())
    }
}

/// What the stage before the model takes for a photo on one core: the median.
pub fn stage_time(transform: &ImageTransform, files: &[Vec<u8>]) -> Duration {
    let mut scratch = Scratch::default();
    let mut row = vec![0; transform.output().row_bytes().unwrap()];
    let mut times: Vec<Duration> = (0..200)
        .map(|at| {
            let start = Instant::now();
            transform.prepare(&mut scratch, &files[at % files.len()]).unwrap();
            transform.write(&scratch, &mut row).unwrap();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}
