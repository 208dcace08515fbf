//! Decoding in Rust.

use libjpeg_turbo_rs::{DecodeLimits, Decoder, PixelFormat, ScalingFactor};

use super::markers::Frame;
use super::{MOST_SCANS, Reduction};

/// Red, green and blue of a file whose size is known and allowed; an error is what people read.
pub(super) fn pixels_of(
    file: &[u8],
    frame: &Frame,
    reduction: Reduction,
    levels: &mut Vec<u8>,
) -> Result<(), String> {
    let said = |error: libjpeg_turbo_rs::JpegError| error.to_string();
    let limits = DecodeLimits {
        max_width: frame.width as usize,
        max_height: frame.height as usize,
        max_pixels: u64::from(frame.width) * u64::from(frame.height),
        max_scans: MOST_SCANS as usize,
        max_memory: None,
    };
    let mut decoder = Decoder::new_with_limits(file, limits).map_err(said)?;
    let header = decoder.header();
    if (usize::from(header.width), usize::from(header.height))
        != (frame.width as usize, frame.height as usize)
    {
        return Err("it has two sizes".to_owned());
    }
    decoder.set_output_format(PixelFormat::Rgb);
    decoder.set_scale(ScalingFactor::try_new(1, reduction.divisor()).map_err(said)?);
    // What libjpeg-turbo only warns of, such as data that is missing, is an error here.
    decoder.set_stop_on_warning(true);
    // As libjpeg-turbo by itself.
    decoder.set_block_smoothing(true);
    let (width, height) = reduction.size(frame);
    levels.resize(width as usize * height as usize * 3, 0);
    decoder.decode_image_into(levels).map_err(said)?;
    Ok(())
}
