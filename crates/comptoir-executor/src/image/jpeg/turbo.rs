//! Decoding by libjpeg-turbo.

use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use super::markers::Frame;
use super::{MOST_SCANS, Reduction};

/// Red, green and blue of a file whose size is known and allowed; an error is what people read.
pub(super) fn pixels_of(
    file: &[u8],
    frame: &Frame,
    reduction: Reduction,
    levels: &mut Vec<u8>,
) -> Result<(), String> {
    let said = |error: turbojpeg::Error| error.to_string();
    let mut decoder = Decompressor::new().map_err(said)?;
    decoder.set_scan_limit(MOST_SCANS).map_err(said)?;
    let header = decoder.read_header(file).map_err(said)?;
    if (header.width, header.height) != (frame.width as usize, frame.height as usize) {
        return Err("it has two sizes".to_owned());
    }
    decoder.set_scaling_factor(ScalingFactor::new(1, reduction.divisor() as usize)).map_err(said)?;
    let (width, height) = reduction.size(frame);
    let (width, height) = (width as usize, height as usize);
    levels.resize(width * height * 3, 0);
    let target = Image { pixels: &mut levels[..], width, height, pitch: width * 3, format: PixelFormat::RGB };
    // What libjpeg-turbo warns of, such as data that is missing, it gives as an error after decoding: the first warning.
    match decoder.decompress(file, target) {
        Err(turbojpeg::Error::TurboJpegError(warning)) if is_padding(&warning) => Ok(()),
        result => result.map_err(said),
    }
}

/// Whether nothing is wrong but bytes between the last scan and the end marker, which some cameras write.
fn is_padding(warning: &str) -> bool {
    warning.ends_with("extraneous bytes before marker 0xd9")
}
