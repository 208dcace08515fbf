//! Files to pixels: JPEG, PNG and WebP to RGB with 8 bits.

use std::io::Cursor;

use image_webp::WebPDecoder;
use png::{BitDepth, ColorType, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::spec::{ImageSpec, Limits, Profile};
use super::{Error, orient};

/// A decoded picture; its memory is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Red, green, blue of each pixel, row after row.
    pub(super) rgb: Vec<u8>,
    /// What a decoder gives in another form.
    other: Vec<u8>,
}

/// Decodes a file, and turns it as its camera says where the settings ask for that.
pub(super) fn decode(spec: &ImageSpec, file: &[u8], pixels: &mut Pixels) -> Result<(), Error> {
    limit("bytes", file.len() as u64, spec.limits.bytes as u64)?;
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
    Ok(())
}

fn limit(what: &'static str, found: u64, limit: u64) -> Result<(), Error> {
    if found > limit { Err(Error::Limit { what, found, limit }) } else { Ok(()) }
}

/// Checks the size that a header claims, before memory is taken for it.
fn claim(limits: &Limits, width: u64, height: u64, pixels: &mut Pixels) -> Result<usize, Error> {
    limit("pixels on a side", width.max(height), u64::from(limits.side))?;
    limit("pixels", width.saturating_mul(height), limits.pixels)?;
    let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    (pixels.width, pixels.height) = (side(width), side(height));
    Ok(pixels.width as usize * pixels.height as usize)
}

type Exif = Option<Vec<u8>>;

fn jpeg(spec: &ImageSpec, file: &[u8], pixels: &mut Pixels) -> Result<Exif, Error> {
    let damaged = |message: String| Error::Damaged { format: "JPEG", message };
    let side = spec.limits.side as usize;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(side.max(65_535))
        .set_max_height(side.max(65_535))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(|error| damaged(error.to_string()))?;
    let info = decoder.info().ok_or_else(|| damaged("it has no header".to_owned()))?;
    let count = claim(&spec.limits, u64::from(info.width), u64::from(info.height), pixels)?;
    match decoder.input_colorspace() {
        Some(ColorSpace::CMYK | ColorSpace::YCCK) => {
            let message = "it is in print colours (CMYK): convert it to RGB first".to_owned();
            return Err(Error::Unsupported { format: "JPEG", message });
        }
        _ => pixels.rgb.resize(count * 3, 0),
    }
    decoder.decode_into(&mut pixels.rgb).map_err(|error| damaged(error.to_string()))?;
    // The decoder makes up what is missing at the very end.
    if !jpeg_has_end(file) {
        return Err(damaged("it ends too early: there is no end marker".to_owned()));
    }
    Ok(decoder.exif().cloned())
}

/// Whether the end marker stands behind the start of the first scan. A preview inside the header has one of its own.
fn jpeg_has_end(file: &[u8]) -> bool {
    const END: [u8; 2] = [0xff, 0xd9];
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    loop {
        // Segments: 0xff, kind, two bytes of length that count themselves.
        match file.get(at..at + 4) {
            Some([0xff, START_OF_SCAN, ..]) => break,
            // Any number of 0xff may stand before a kind.
            Some([0xff, 0xff, ..]) => at += 1,
            Some(&[0xff, _, high, low]) => at += 2 + usize::from(u16::from_be_bytes([high, low])),
            _ => return false,
        }
    }
    file.get(at..).is_some_and(|scans| scans.windows(2).rev().any(|pair| pair == END))
}

fn png(spec: &ImageSpec, file: &[u8], pixels: &mut Pixels) -> Result<Exif, Error> {
    let damaged = |error: png::DecodingError| Error::Damaged { format: "PNG", message: error.to_string() };
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (header.width, header.height);
    if spec.profile == Profile::Pillow
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

/// Red, green and blue of pixels with 1 (grey), 2 (grey, alpha), 3 or 4 channels. Alpha is left out, as both Pillow's
/// `convert("RGB")` and OpenCV's `IMREAD_COLOR` do.
fn to_rgb(channels: usize, count: usize, pixels: &mut Pixels) {
    if channels == 3 {
        std::mem::swap(&mut pixels.rgb, &mut pixels.other);
        pixels.rgb.truncate(count * 3);
        return;
    }
    pixels.rgb.resize(count * 3, 0);
    let sources = pixels.other.chunks_exact(channels);
    for (target, source) in pixels.rgb.as_chunks_mut::<3>().0.iter_mut().zip(sources) {
        *target = match *source {
            [red, green, blue, _] => [red, green, blue],
            [grey, ..] => [grey; 3],
            [] => [0; 3],
        };
    }
}
