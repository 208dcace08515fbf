//! A picture of 640x480 to a row of 224x224 in float32, step by step on one thread.
//!
//! `cargo bench -p comptoir-executor --bench image -- PHOTO.jpg ...` times the photos that are named; with
//! `--features turbojpeg`, libjpeg-turbo decodes them. What bounds it:
//! decoding, which is arithmetic in the entropy decoder and the inverse transforms; 921 kB are written and read once.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing, missing_docs)]

use std::time::{Duration, Instant};

use comptoir_executor::image::{ImageSpec, ImageTransform, Profile, Scratch};

fn main() {
    let files: Vec<Vec<u8>> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .map(|path| std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
        .collect();
    if files.is_empty() {
        println!("no photos given: cargo bench -p comptoir-executor --bench image -- PHOTO.jpg ...");
        return;
    }
    println!("{:20} {:>10} {:>10}", "profile", "step", "ms a photo");
    for (name, profile) in [("pillow", Profile::Pillow), ("opencv", Profile::Opencv), ("fast", Profile::Fast)]
    {
        let spec = ImageSpec { profile, mean: [123.0; 3], std: [58.0; 3], ..ImageSpec::default() };
        let transform = ImageTransform::new(spec).unwrap();
        let mut row = vec![0; transform.output().row_bytes().unwrap()];
        let mut scratch = Scratch::default();
        let mut prepare = Vec::new();
        let mut write = Vec::new();
        for file in files.iter().cycle().take(400) {
            let start = Instant::now();
            transform.prepare(&mut scratch, file).unwrap();
            let middle = Instant::now();
            transform.write(&scratch, &mut row).unwrap();
            prepare.push(middle - start);
            write.push(middle.elapsed());
        }
        print(name, "prepare", &mut prepare);
        print(name, "write", &mut write);
    }
}

fn print(profile: &str, step: &str, times: &mut [Duration]) {
    times.sort_unstable();
    println!("{profile:20} {step:>10} {:>10.3}", times[times.len() / 2].as_secs_f64() * 1e3);
}
