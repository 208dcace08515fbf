//! Damaged pictures: bytes changed, cut off, lengths that lie. Each gives a tensor or an error with its code, never a
//! panic, and takes no more memory than the limits allow.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod files;
mod memory;

use comptoir_executor::image::{
    Colour, Error, ImageSpec, ImageTransform, Interpolation, Limits, Profile, Scratch,
};
use comptoir_executor::tensor::DType;
use comptoir_types::ErrorCode;
use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};
use proptest::prelude::*;

const SIDE: u32 = 256;
const PIXELS: u64 = 20_000;

/// What a thread may hold beside the file: the pixels decoded (coefficients of a progressive file have two bytes for
/// each of three components, WebP keeps planes), once more while they are turned or made grey, and tables. A part of a
/// WebP file has a length of 24 bits, for which memory is taken before it is read.
const MOST_MEMORY: usize = 32 * 20_000 + (2 << 20) + (1 << 24);

#[derive(Debug, Clone)]
enum Damage {
    /// Bits of the byte at so many thousandths of the file.
    Flip(usize, u8),
    /// The byte there.
    Set(usize, u8),
    /// Everything from there on is gone.
    Cut(usize),
    /// Bytes there stand twice.
    Repeat(usize, usize),
    /// A length or size in the header, of so many.
    Lie(usize, u32),
}

fn damage() -> impl Strategy<Value = Damage> {
    let part = || 0..1000_usize;
    let number = prop_oneof![0..40_u32, any::<u32>(), Just(0xffff), Just(0xffff_ffff), Just(0x7fff_ffff)];
    prop_oneof![
        4 => (part(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        4 => (part(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => part().prop_map(Damage::Cut),
        1 => (part(), 1..64_usize).prop_map(|(at, count)| Damage::Repeat(at, count)),
        4 => (0..64_usize, number).prop_map(|(at, number)| Damage::Lie(at, number)),
    ]
}

/// A file, and where lengths and sizes stand in it: position and bytes.
struct Picture {
    file: Vec<u8>,
    numbers: Vec<(usize, usize)>,
}

impl Picture {
    fn damaged(&self, all: &[Damage]) -> Vec<u8> {
        let mut file = self.file.clone();
        for damage in all {
            let at = |part: usize| part * file.len() / 1000;
            match *damage {
                _ if file.is_empty() => {}
                Damage::Flip(part, bits) => {
                    let at = at(part);
                    file[at] ^= bits;
                }
                Damage::Set(part, byte) => {
                    let at = at(part);
                    file[at] = byte;
                }
                Damage::Cut(part) => file.truncate(at(part)),
                Damage::Repeat(part, count) => {
                    let at = at(part);
                    let again = file[at..file.len().min(at + count)].to_vec();
                    file.splice(at..at, again);
                }
                Damage::Lie(which, number) => {
                    let (at, bytes) = self.numbers[which % self.numbers.len()];
                    if let Some(target) = file.get_mut(at..at + bytes) {
                        target.copy_from_slice(&number.to_be_bytes()[4 - bytes..]);
                    }
                }
            }
        }
        if file.starts_with(b"\x89PNG") {
            files::mend_checks(&mut file);
        }
        file
    }
}

fn jpeg(is_progressive: bool, format: PixelFormat, subsampling: Subsampling) -> Picture {
    let levels = files::levels(45, 33, format.bytes_per_pixel());
    let file = Encoder::new(&levels, 45, 33, format)
        .subsampling(subsampling)
        .progressive(is_progressive)
        .restart_blocks(if is_progressive { 0 } else { 3 })
        .encode()
        .unwrap();
    let markers =
        (2..file.len() - 4).filter(|&at| file[at] == 0xff && !matches!(file[at + 1], 0 | 0xd0..=0xd9));
    let mut numbers: Vec<_> = markers.clone().map(|at| (at + 2, 2)).collect();
    let frames = markers.filter(|&at| matches!(file[at + 1], 0xc0 | 0xc2));
    numbers.extend(frames.flat_map(|at| [(at + 5, 2), (at + 7, 2), (at + 9, 1), (at + 11, 1)]));
    Picture { file, numbers }
}

fn png(colour: png::ColorType, depth: png::BitDepth) -> Picture {
    let file = files::png(colour, depth);
    let mut numbers = vec![(16, 4), (20, 4), (24, 1), (25, 1), (28, 1)];
    let mut at = 8;
    while at + 8 < file.len() {
        numbers.push((at, 4));
        at += 12 + u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    }
    Picture { file, numbers }
}

fn webp(file: Vec<u8>) -> Picture {
    // Sizes of the file and of the first chunks; width and height of the three kinds.
    Picture { file, numbers: vec![(4, 4), (16, 4), (20, 4), (21, 4), (24, 4), (26, 4), (27, 3), (34, 4)] }
}

fn pictures() -> Vec<Picture> {
    let mut lossless = Vec::new();
    let levels = files::levels(45, 33, 3);
    image_webp::WebPEncoder::new(&mut lossless).encode(&levels, 45, 33, image_webp::ColorType::Rgb8).unwrap();
    vec![
        jpeg(false, PixelFormat::Rgb, Subsampling::S420),
        jpeg(false, PixelFormat::Rgb, Subsampling::S444),
        jpeg(true, PixelFormat::Rgb, Subsampling::S422),
        jpeg(true, PixelFormat::Grayscale, Subsampling::S444),
        png(png::ColorType::Rgb, png::BitDepth::Eight),
        png(png::ColorType::Indexed, png::BitDepth::Two),
        png(png::ColorType::GrayscaleAlpha, png::BitDepth::Sixteen),
        webp(lossless),
        webp(include_bytes!("lossy.webp").to_vec()),
        webp(include_bytes!("lossy-alpha.webp").to_vec()),
    ]
}

fn transforms() -> Vec<ImageTransform> {
    let limits = Limits { pixels: PIXELS, side: SIDE, ..Limits::default() };
    let spec = ImageSpec { width: 16, height: 12, dtype: DType::U8, limits, ..ImageSpec::default() };
    let area = Interpolation::Area;
    [
        spec.clone(),
        ImageSpec { profile: Profile::Opencv, colour: Colour::Grey, interpolation: area, ..spec.clone() },
        ImageSpec { profile: Profile::Fast, ..spec },
    ]
    .map(|spec| ImageTransform::new(spec).unwrap())
    .into()
}

fn check(transform: &ImageTransform, file: &[u8]) {
    let mut row = vec![0; transform.output().row_bytes().unwrap()];
    let (result, most) = memory::most_during(|| {
        let mut scratch = Scratch::default();
        let placement = transform.prepare(&mut scratch, file)?;
        transform.write(&scratch, &mut row)?;
        Ok::<_, Error>(placement)
    });
    assert!(most <= MOST_MEMORY, "{most} bytes of memory: {result:?}");
    match result {
        Ok(placement) => {
            assert!(placement.width <= SIDE && placement.height <= SIDE);
            assert!(u64::from(placement.width) * u64::from(placement.height) <= PIXELS);
        }
        Err(error) => {
            let codes =
                ["FORMAT", "DAMAGED", "UNSUPPORTED", "LIMIT"].map(|name| format!("EXECUTOR_IMAGE_{name}"));
            assert!(codes.iter().any(|code| code == error.code()), "{error:?}");
        }
    }
}

#[test]
fn pictures_that_are_whole_are_tensors() {
    for (at, picture) in pictures().iter().enumerate() {
        for transform in transforms() {
            transform
                .prepare(&mut Scratch::default(), &picture.file)
                .unwrap_or_else(|error| panic!("{at}: {error}"));
            check(&transform, &picture.file);
        }
    }
}

#[test]
fn pictures_that_are_cut_anywhere_are_errors() {
    let transform = &transforms()[0];
    for (at, picture) in pictures().iter().enumerate() {
        // A PNG file without its last chunk has all its pixels.
        let pixels =
            if picture.file.starts_with(b"\x89PNG") { picture.file.len() - 16 } else { picture.file.len() };
        for end in 0..pixels {
            let result = transform.prepare(&mut Scratch::default(), &picture.file[..end]);
            assert!(result.is_err(), "picture {at}, {end} of {} bytes", picture.file.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn damaged_pictures_are_tensors_or_errors(
        which in 0..10_usize,
        all in prop::collection::vec(damage(), 1..5),
    ) {
        thread_local! {
            static ALL: (Vec<Picture>, Vec<ImageTransform>) = (pictures(), transforms());
        }
        ALL.with(|(pictures, transforms)| {
            let file = pictures[which].damaged(&all);
            for transform in transforms {
                check(transform, &file);
            }
        });
    }
}
