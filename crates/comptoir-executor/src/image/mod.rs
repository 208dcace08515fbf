//! Pictures to tensors, with the pixels that Pillow or OpenCV would give.
//!
//! [`ImageTransform`] is compiled from an [`ImageSpec`] and used by many threads, each with a [`Scratch`] of its own.
//! Decoding and resizing fill the scratch; [`ImageTransform::write`] then writes the tensor straight into the row of a
//! batch.
//!
//! **Agreement.** Resizing agrees with the profile's library within 1 grey level. PNG and lossless WebP are decoded
//! exactly. JPEG is decoded by a pure Rust decoder whose pixels differ from libjpeg-turbo's by up to 4 grey levels,
//! 0.2 on average; tests/python/test_executor_image.py holds the sum of both.

mod decode;
mod error;
mod orient;
mod spec;
mod write;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

pub use error::Error;
pub use spec::{Colour, Fit, ImageSpec, Layout, Limits, Orientation, Profile};

use crate::tensor::TensorSpec;
use decode::{Pixels, decode};
use write::Table;

/// From files to tensors, compiled.
#[derive(Debug)]
pub struct ImageTransform {
    spec: ImageSpec,
    table: Table,
}

/// Memory that one thread uses again for each picture.
#[derive(Default)]
pub struct Scratch {
    pixels: Pixels,
    resizer: Resizer,
    /// The picture at its final size.
    resized: Vec<u8>,
    placement: Placement,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scratch").field("placement", &self.placement).finish_non_exhaustive()
    }
}

/// Where the picture lies in the tensor: pixel (x, y) of the photo is at (x * scale_x + left, y * scale_y + top).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Placement {
    /// Width of the photo, as it stands after its orientation.
    pub width: u32,
    /// Height of the photo.
    pub height: u32,
    /// Pixels of the tensor for a pixel of the photo, across.
    pub scale_x: f64,
    /// The same, down.
    pub scale_y: f64,
    /// Where the photo's left side lies; below 0 where it is cut off.
    pub left: f64,
    /// Where its upper side lies.
    pub top: f64,
}

impl ImageTransform {
    /// Compiles settings.
    ///
    /// # Errors
    /// [`Error::Config`] with the field.
    pub fn new(spec: ImageSpec) -> Result<Self, Error> {
        spec.check()?;
        let table = Table::new(&spec);
        Ok(Self { spec, table })
    }

    /// The tensor of a picture.
    #[must_use]
    pub fn output(&self) -> TensorSpec {
        self.spec.output()
    }

    /// Decodes and resizes a file into the scratch, and says where it lies.
    ///
    /// # Errors
    /// For a file that is no picture, damaged, or beyond the limits.
    pub fn prepare(&self, scratch: &mut Scratch, file: &[u8]) -> Result<Placement, Error> {
        // What was there is no picture any more, whatever comes of this one.
        scratch.resized.clear();
        decode(&self.spec, file, &mut scratch.pixels)?;
        self.resize(scratch)
    }

    /// Writes the tensor of the picture in the scratch.
    ///
    /// # Errors
    /// [`Error::Row`] where the row has another size than the tensor, [`Error::Empty`] where the scratch does not hold a
    /// picture that this transform has prepared.
    pub fn write(&self, scratch: &Scratch, row: &mut [u8]) -> Result<(), Error> {
        if scratch.resized.len() != self.spec.width as usize * self.spec.height as usize * 3 {
            return Err(Error::Empty);
        }
        let expected = self.output().row_bytes().unwrap_or(usize::MAX);
        if row.len() != expected {
            return Err(Error::Row { expected, found: row.len() });
        }
        self.table.write(&scratch.resized, row);
        Ok(())
    }

    /// Resizes as the profile's library does, into the middle of the result.
    fn resize(&self, scratch: &mut Scratch) -> Result<Placement, Error> {
        let Scratch { pixels, resizer, resized, placement } = scratch;
        let (width, height) = (self.spec.width, self.spec.height);
        let failed = |message: String| Error::Damaged { format: "picture", message };
        let inner = self.inner(pixels.width, pixels.height);
        // A thin picture that covers the size is huge before its middle is cut out.
        let (found, result) =
            (u64::from(inner.width) * u64::from(inner.height), u64::from(width) * u64::from(height));
        let limit = self.spec.limits.pixels.max(result);
        if found > limit {
            return Err(Error::Limit { what: "pixels after resizing", found, limit });
        }
        *placement = inner.placement;
        let source = ImageRef::new(pixels.width, pixels.height, &pixels.rgb, PixelType::U8x3)
            .map_err(|error| failed(error.to_string()))?;
        let algorithm = match self.spec.profile {
            Profile::Pillow => ResizeAlg::Convolution(FilterType::Bilinear),
            Profile::Opencv => ResizeAlg::Interpolation(FilterType::Bilinear),
        };
        let mut target = Image::new(inner.width, inner.height, PixelType::U8x3);
        resizer
            .resize(&source, &mut target, &ResizeOptions::new().resize_alg(algorithm))
            .map_err(|error| failed(error.to_string()))?;
        if (inner.width, inner.height) == (width, height) {
            *resized = target.into_vec();
        } else {
            place(target.buffer(), (inner.width, inner.height), (width, height), self.fill(), resized);
        }
        Ok(*placement)
    }

    /// The size that the whole picture is resized to, and where that lies.
    fn inner(&self, width: u32, height: u32) -> Inner {
        let ratio = |to: u32, from: u32| f64::from(to) / f64::from(from.max(1));
        let (across, down) = (ratio(self.spec.width, width), ratio(self.spec.height, height));
        let factor = match self.spec.fit {
            Fit::Stretch => None,
            Fit::Crop => Some(across.max(down)),
            Fit::Letterbox => Some(across.min(down)),
        };
        let side = |from: u32, to: u32| match factor {
            None => to,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a size of the result"
            )]
            Some(factor) => ((f64::from(from) * factor).round() as u32).max(1),
        };
        let (inner_width, inner_height) = (side(width, self.spec.width), side(height, self.spec.height));
        let offset = |inner: u32, outer: u32| {
            // Whole pixels, the smaller half first, as `place` lays them.
            ((i64::from(outer) - i64::from(inner)).div_euclid(2)) as f64
        };
        let placement = Placement {
            width,
            height,
            scale_x: ratio(inner_width, width),
            scale_y: ratio(inner_height, height),
            left: offset(inner_width, self.spec.width),
            top: offset(inner_height, self.spec.height),
        };
        Inner { width: inner_width, height: inner_height, placement }
    }

    /// The fill as red, green, blue.
    fn fill(&self) -> [u8; 3] {
        let [first, second, third] = self.spec.fill;
        match self.spec.colour {
            Colour::Rgb => [first, second, third],
            Colour::Bgr => [third, second, first],
        }
    }
}

struct Inner {
    width: u32,
    height: u32,
    placement: Placement,
}

/// Lays a picture into the middle of another size: cut off where it is larger, filled where it is smaller.
fn place(source: &[u8], inner: (u32, u32), outer: (u32, u32), fill: [u8; 3], target: &mut Vec<u8>) {
    let span = |inner: u32, outer: u32| {
        let gap = (i64::from(outer) - i64::from(inner)).div_euclid(2);
        let skip = usize::try_from(-gap).unwrap_or(0);
        let at = usize::try_from(gap).unwrap_or(0);
        (skip, at, inner.min(outer) as usize)
    };
    let (skip_x, at_x, width) = span(inner.0, outer.0);
    let (skip_y, at_y, height) = span(inner.1, outer.1);
    target.clear();
    target.extend(fill.iter().cycle().take(outer.0 as usize * outer.1 as usize * 3));
    let (source_row, target_row) = (inner.0 as usize * 3, outer.0 as usize * 3);
    let rows = source.chunks_exact(source_row).skip(skip_y).take(height);
    for (to, from) in target.chunks_exact_mut(target_row).skip(at_y).zip(rows) {
        let from = from.get(skip_x * 3..(skip_x + width) * 3);
        let to = to.get_mut(at_x * 3..(at_x + width) * 3);
        if let (Some(from), Some(to)) = (from, to) {
            to.copy_from_slice(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG file of one red pixel.
    const RED: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\
\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

    #[test]
    fn only_what_was_prepared_is_written() {
        let transform = |side| {
            let spec = ImageSpec {
                width: side,
                height: side,
                dtype: crate::tensor::DType::U8,
                ..ImageSpec::default()
            };
            ImageTransform::new(spec).unwrap()
        };
        let (small, large) = (transform(2), transform(3));
        let (mut scratch, mut row) = (Scratch::default(), [9_u8; 12]);
        assert_eq!(small.write(&scratch, &mut row), Err(Error::Empty));
        small.prepare(&mut scratch, RED).unwrap();
        assert_eq!(small.write(&scratch, &mut row[1..]), Err(Error::Row { expected: 12, found: 11 }));
        small.write(&scratch, &mut row).unwrap();
        assert_eq!(row, [255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(large.write(&scratch, &mut [0; 27]), Err(Error::Empty));
        // A file that fails does not leave the picture before it behind.
        small.prepare(&mut scratch, &RED[..40]).unwrap_err();
        assert_eq!(small.write(&scratch, &mut row), Err(Error::Empty));
    }
}
