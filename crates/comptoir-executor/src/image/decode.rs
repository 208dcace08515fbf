//! Files to pixels: JPEG, PNG and WebP to RGB or grey with 8 bits.

use std::io::Cursor;

use image_webp::WebPDecoder;
use png::{BitDepth, ColorType, Transformations};

use super::colour::{to_grey, to_rgb};
use super::jpeg::jpeg;
use super::spec::{Colour, ImageSpec, Limits, Profile};
use super::{Error, orient};

/// A decoded picture; its memory is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Width and height of the photo: more than those of the pixels where a JPEG file was decoded at a smaller size.
    pub(super) photo: (u32, u32),
    /// 3, or 1 for grey.
    pub(super) channels: usize,
    /// Red, green, blue or the grey of each pixel, row after row.
    pub(super) levels: Vec<u8>,
    /// What a decoder gives in another form.
    pub(super) other: Vec<u8>,
}

/// Decodes a file, and turns it as its camera says where the settings ask for that.
pub(super) fn decode(spec: &ImageSpec, file: &[u8], pixels: &mut Pixels) -> Result<(), Error> {
    limit("bytes", file.len() as u64, spec.limits.bytes as u64)?;
    pixels.channels = 3;
    let exif = match file {
        [0xff, 0xd8, 0xff, ..] => jpeg(spec, file, pixels)?,
        [0x89, b'P', b'N', b'G', ..] => png(spec, file, pixels)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(spec, file, pixels)?,
        _ => {
            let start: Vec<String> = file.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let start = if start.is_empty() { "nothing".to_owned() } else { start.join(" ") };
            return Err(Error::Format { start });
        }
    };
    if spec.follows_orientation()
        && let Some(orientation) = exif.as_deref().and_then(orient::orientation)
    {
        orient::apply(orientation, pixels);
    }
    if spec.colour == Colour::Grey {
        to_grey(spec.profile, pixels);
    }
    Ok(())
}

pub(super) fn limit(what: &'static str, found: u64, limit: u64) -> Result<(), Error> {
    if found > limit { Err(Error::Limit { what, found, limit }) } else { Ok(()) }
}

/// Checks the size that a header claims, before memory is taken for it.
pub(super) fn claim(limits: &Limits, width: u64, height: u64, pixels: &mut Pixels) -> Result<usize, Error> {
    limit("pixels on a side", width.max(height), u64::from(limits.side))?;
    limit("pixels", width.saturating_mul(height), limits.pixels)?;
    let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    (pixels.width, pixels.height) = (side(width), side(height));
    pixels.photo = (pixels.width, pixels.height);
    Ok(pixels.width as usize * pixels.height as usize)
}

/// What a camera wrote beside the picture.
pub(super) type Exif = Option<Vec<u8>>;

fn png(spec: &ImageSpec, file: &[u8], pixels: &mut Pixels) -> Result<Exif, Error> {
    let damaged = |error: png::DecodingError| Error::Damaged { format: "PNG", message: error.to_string() };
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (header.width, header.height);
    if spec.profile != Profile::Opencv
        && header.bit_depth == BitDepth::Sixteen
        && matches!(header.color_type, ColorType::Grayscale)
    {
        let message = "grey with 16 bits, of which Pillow makes white: convert it to 8 bits first".to_owned();
        return Err(Error::Unsupported { format: "PNG", message });
    }
    let count = claim(&spec.limits, u64::from(width), u64::from(height), pixels)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (colour, _) = reader.output_color_type();
    let channels = colour.samples();
    let size = reader.output_buffer_size().unwrap_or(count * channels);
    pixels.other.resize(size, 0);
    reader.next_frame(&mut pixels.other).map_err(damaged)?;
    let exif = reader.info().exif_metadata.as_ref().map(|exif| exif.to_vec());
    to_rgb(channels, count, pixels);
    Ok(exif)
}

fn webp(spec: &ImageSpec, file: &[u8], pixels: &mut Pixels) -> Result<Exif, Error> {
    let damaged =
        |error: image_webp::DecodingError| Error::Damaged { format: "WebP", message: error.to_string() };
    // The decoder makes up what is missing at the very end.
    let length = file.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    if file.len() < 8_usize.saturating_add(length as usize) {
        let message = "it ends too early".to_owned();
        return Err(Error::Damaged { format: "WebP", message });
    }
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let count = claim(&spec.limits, u64::from(width), u64::from(height), pixels)?;
    decoder.set_memory_limit(count.saturating_mul(16).max(1 << 20));
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    pixels.other.resize(count * channels, 0);
    decoder.read_image(&mut pixels.other).map_err(damaged)?;
    let exif = decoder.exif_metadata().ok().flatten();
    to_rgb(channels, count, pixels);
    Ok(exif)
}
