//! JPEG files, with the pixels that libjpeg-turbo gives: Pillow and OpenCV decode with it.
//!
//! Sizes, kinds and ends are read from the markers before a decoder sees the file, so both decoders refuse the same
//! files with the same errors. Feature `turbojpeg` takes libjpeg-turbo itself in the place of the decoder in Rust.

mod markers;
#[cfg_attr(feature = "turbojpeg", allow(dead_code, reason = "compared with the other decoder in tests"))]
mod rust;
#[cfg(feature = "turbojpeg")]
mod turbo;

use super::decode::{Exif, Pixels, claim, limit};
use super::spec::{ImageSpec, Profile};
use super::{Error, fit, orient};
use markers::Frame;

#[cfg(not(feature = "turbojpeg"))]
use rust::pixels_of;
#[cfg(feature = "turbojpeg")]
use turbo::pixels_of;

/// Scans of a progressive file: each costs the time of the whole picture, however short it is.
const MOST_SCANS: u32 = 100;

/// How much smaller a file is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reduction {
    Whole,
    Half,
    Quarter,
    Eighth,
}

impl Reduction {
    const ALL: [Self; 4] = [Self::Eighth, Self::Quarter, Self::Half, Self::Whole];

    fn divisor(self) -> u32 {
        match self {
            Self::Whole => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// Width and height after decoding.
    fn size(self, frame: &Frame) -> (u32, u32) {
        (frame.width.div_ceil(self.divisor()), frame.height.div_ceil(self.divisor()))
    }
}

/// Decodes a JPEG file.
pub(super) fn jpeg(spec: &ImageSpec, file: &[u8], pixels: &mut Pixels) -> Result<Exif, Error> {
    let damaged = |message: String| Error::Damaged { format: "JPEG", message };
    let unsupported = |message: &str| Error::Unsupported { format: "JPEG", message: message.to_owned() };
    let header = markers::read(file);
    let frame = header.frame.ok_or_else(|| damaged("it has no header".to_owned()))?;
    claim(&spec.limits, u64::from(frame.width), u64::from(frame.height), pixels)?;
    if frame.width == 0 || frame.height == 0 {
        return Err(damaged("it has no width or no height".to_owned()));
    }
    if frame.components == 4 {
        return Err(unsupported("it is in print colours (CMYK): convert it to RGB first"));
    }
    if !frame.is_usual {
        return Err(unsupported(
            "it is lossless, hierarchical or not of 8 bits: convert it to a usual one first",
        ));
    }
    limit("scans", u64::from(header.scans), u64::from(MOST_SCANS))?;
    if !header.has_end {
        return Err(damaged("it ends too early: there is no end marker".to_owned()));
    }
    let reduction = reduction(spec, &frame, header.exif);
    (pixels.width, pixels.height) = reduction.size(&frame);
    pixels_of(file, &frame, reduction, &mut pixels.levels).map_err(damaged)?;
    Ok(header.exif.map(<[u8]>::to_vec))
}

/// The size at which a file is decoded: that which `draft` of Pillow takes for the size that it is resized to.
fn reduction(spec: &ImageSpec, frame: &Frame, exif: Option<&[u8]>) -> Reduction {
    if spec.profile != Profile::Fast {
        return Reduction::Whole;
    }
    let orientation = exif.filter(|_| spec.follows_orientation()).and_then(orient::orientation).unwrap_or(1);
    let (width, height) = if orient::is_on_side(orientation) {
        (frame.height, frame.width)
    } else {
        (frame.width, frame.height)
    };
    let inner = fit::inner(spec, (width, height));
    let times = (width / inner.width.max(1)).min(height / inner.height.max(1));
    Reduction::ALL.into_iter().find(|reduction| reduction.divisor() <= times).unwrap_or(Reduction::Whole)
}

#[cfg(test)]
mod tests {
    use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling, compress};

    use super::*;

    fn spec(profile: Profile, width: u32, height: u32) -> ImageSpec {
        ImageSpec { profile, width, height, ..ImageSpec::default() }
    }

    fn decoded(spec: &ImageSpec, file: &[u8]) -> Result<Pixels, Error> {
        let mut pixels = Pixels::default();
        jpeg(spec, file, &mut pixels)?;
        Ok(pixels)
    }

    /// A picture of shapes and noise.
    pub(super) fn levels(width: usize, height: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 27).to_le_bytes()[0]
        });
        let at = (0..height).flat_map(|y| (0..width * 3).map(move |x| (x * x / 40 + y * 3).to_le_bytes()[0]));
        at.zip(noise).map(|(shape, noise)| (shape / 2).wrapping_add(noise)).collect()
    }

    #[test]
    fn profile_fast_decodes_at_the_smallest_size_that_is_not_below_the_target() {
        let file = compress(&levels(161, 119), 161, 119, PixelFormat::Rgb, 90, Subsampling::S420).unwrap();
        let size = |profile, width, height| {
            let pixels = decoded(&spec(profile, width, height), &file).unwrap();
            assert_eq!(pixels.photo, (161, 119));
            assert_eq!(pixels.levels.len(), (pixels.width * pixels.height * 3) as usize);
            (pixels.width, pixels.height)
        };
        assert_eq!(size(Profile::Fast, 100, 100), (161, 119));
        assert_eq!(size(Profile::Fast, 80, 59), (81, 60));
        assert_eq!(size(Profile::Fast, 80, 60), (161, 119));
        assert_eq!(size(Profile::Fast, 40, 29), (41, 30));
        assert_eq!(size(Profile::Fast, 3, 3), (21, 15));
        assert_eq!(size(Profile::Pillow, 3, 3), (161, 119));
    }

    #[test]
    fn hostile_files_are_refused_before_they_are_decoded() {
        let mut file = compress(&levels(16, 16), 16, 16, PixelFormat::Rgb, 90, Subsampling::S444).unwrap();
        let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        for (at, bytes, code) in [
            (frame + 5, &[0xff, 0xdc, 0xff, 0xdc][..], "EXECUTOR_IMAGE_LIMIT"),
            (frame + 5, &[0x40, 0x00, 0x40, 0x00][..], "EXECUTOR_IMAGE_LIMIT"),
            (frame + 5, &[0, 0, 0, 16][..], "EXECUTOR_IMAGE_DAMAGED"),
            (frame + 5, &[0, 32, 0, 32][..], "EXECUTOR_IMAGE_DAMAGED"),
            (frame + 4, &[12][..], "EXECUTOR_IMAGE_UNSUPPORTED"),
            (frame + 1, &[0xc3][..], "EXECUTOR_IMAGE_UNSUPPORTED"),
            (frame + 9, &[4][..], "EXECUTOR_IMAGE_UNSUPPORTED"),
        ] {
            let mut hostile = file.clone();
            hostile[at..at + bytes.len()].copy_from_slice(bytes);
            let error = decoded(&spec(Profile::Pillow, 8, 8), &hostile).unwrap_err();
            assert_eq!(comptoir_types::ErrorCode::code(&error), code, "{bytes:?}: {error}");
        }
        // A scan that says nothing, again and again.
        let end = file.len() - 2;
        let empty = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];
        file.splice(end..end, empty.repeat(100));
        let error = decoded(&spec(Profile::Pillow, 8, 8), &file).unwrap_err();
        assert_eq!(error, Error::Limit { what: "scans", found: 101, limit: 100 });
    }

    #[test]
    fn bytes_around_the_end_do_no_harm_and_missing_ones_do() {
        let levels = levels(45, 33);
        for is_progressive in [false, true] {
            let encoder = Encoder::new(&levels, 45, 33, PixelFormat::Rgb).progressive(is_progressive);
            let file = encoder.encode().unwrap();
            let spec = spec(Profile::Pillow, 45, 33);
            let expected = decoded(&spec, &file).unwrap().levels;
            let (scans, end) = file.split_at(file.len() - 2);
            for changed in [[scans, &[0; 16], end].concat(), [&file[..], b"behind"].concat()] {
                assert!(decoded(&spec, &changed).unwrap().levels == expected);
            }
            let early = [&scans[..scans.len() - 100], end].concat();
            let error = decoded(&spec, &early).map(|pixels| pixels.photo).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn every_kind_of_file_is_decoded_at_its_size() {
        for (width, height) in [(1, 1), (7, 3), (16, 16), (161, 119)] {
            let levels = levels(width, height);
            for subsampling in [Subsampling::S444, Subsampling::S422, Subsampling::S420] {
                for is_progressive in [false, true] {
                    let file = Encoder::new(&levels, width, height, PixelFormat::Rgb)
                        .subsampling(subsampling)
                        .progressive(is_progressive)
                        .encode()
                        .unwrap();
                    for side in [1, 20, 200] {
                        check(&spec(Profile::Fast, side, side), &file, levels.len());
                    }
                }
            }
        }
    }

    fn check(spec: &ImageSpec, file: &[u8], bytes: usize) {
        let pixels = decoded(spec, file).unwrap();
        assert!(pixels.levels.len() <= bytes);
        #[cfg(feature = "turbojpeg")]
        {
            let frame = markers::read(file).frame.unwrap();
            let reduction = reduction(spec, &frame, None);
            let mut others = Vec::new();
            rust::pixels_of(file, &frame, reduction, &mut others).unwrap();
            assert!(pixels.levels == others, "{frame:?} {reduction:?}");
        }
    }
}
