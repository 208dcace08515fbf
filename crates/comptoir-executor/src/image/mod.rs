//! Pictures to tensors, with the pixels that Pillow or OpenCV would give.
//!
//! [`ImageTransform`] is compiled from an [`ImageSpec`] and used by many threads, each with a [`Scratch`] of its own.
//! Decoding and resizing fill the scratch; [`ImageTransform::write`] then writes the tensor straight into the row of a
//! batch.
//!
//! **Agreement.** JPEG, PNG and lossless WebP are decoded to the pixels that the profile's library gives, bit for bit;
//! resizing gives exactly Pillow's and OpenCV's, and `INTER_AREA` agrees within 1 grey level: tests/python/test_executor_image.py and
//! test_executor_resize.py.

mod area;
mod bilinear;
mod colour;
mod decode;
mod error;
mod fit;
mod jpeg;
mod linear;
mod orient;
mod spec;
mod windows;
mod write;

pub use error::Error;
pub use fit::Placement;
pub use spec::{Colour, Fit, ImageSpec, Interpolation, Layout, Limits, Orientation, Profile, refusal};

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
    bilinear: bilinear::Scratch,
    linear: linear::Scratch,
    /// The picture at its new size, before it is placed in the middle of the result.
    inner: Vec<u8>,
    /// The picture at its final size.
    resized: Vec<u8>,
    placement: Placement,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scratch").field("placement", &self.placement).finish_non_exhaustive()
    }
}

/// Memory of a picture, in bytes, that a thread keeps for the next one. One picture of many millions of pixels takes so long to
/// decode that fresh memory does not matter to it, but should not be held by every thread that ever saw one.
const KEPT: usize = 16 << 20;

impl Scratch {
    /// Frees large memory of which the picture at its final size has no need.
    fn give_back(&mut self) {
        let Self { pixels, bilinear, inner, .. } = self;
        for memory in [&mut pixels.levels, &mut pixels.other, inner, bilinear.memory()] {
            if memory.capacity() > KEPT {
                *memory = Vec::new();
            }
        }
    }
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
        let placement = decode(&self.spec, file, &mut scratch.pixels).and_then(|()| self.resize(scratch));
        scratch.give_back();
        placement
    }

    /// Writes the tensor of the picture in the scratch.
    ///
    /// # Errors
    /// [`Error::Row`] where the row has another size than the tensor, [`Error::Empty`] where the scratch does not hold a
    /// picture that this transform has prepared.
    pub fn write(&self, scratch: &Scratch, row: &mut [u8]) -> Result<(), Error> {
        if scratch.resized.len()
            != self.spec.width as usize * self.spec.height as usize * self.spec.channels()
        {
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
        let Scratch { pixels, bilinear, linear, inner: levels, resized, placement } = scratch;
        let inner = fit::inner(&self.spec, pixels.photo);
        // A thin picture that covers the size is huge before its middle is cut out.
        let (width, height) = (self.spec.width, self.spec.height);
        let (found, result) =
            (u64::from(inner.width) * u64::from(inner.height), u64::from(width) * u64::from(height));
        let limit = self.spec.limits.pixels.max(result);
        if found > limit {
            return Err(Error::Limit { what: "pixels after resizing", found, limit });
        }
        *placement = inner.placement;
        let to = (inner.width, inner.height);
        let is_whole = to == (width, height);
        let target = if is_whole { &mut *resized } else { &mut *levels };
        match self.spec.interpolation {
            Interpolation::Area => area::resize(pixels, to, target),
            Interpolation::Linear => match self.spec.profile {
                Profile::Pillow | Profile::Fast => bilinear::resize(pixels, bilinear, to, target),
                Profile::Opencv => linear::resize(pixels, linear, to, target),
            },
        }
        if !is_whole {
            let fill = self.spec.fill_levels();
            match pixels.channels {
                1 => fit::place::<1>(levels, to, (width, height), fill, resized),
                _ => fit::place::<3>(levels, to, (width, height), fill, resized),
            }
        }
        Ok(*placement)
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
    fn a_thread_does_not_hold_the_memory_of_a_huge_picture() {
        let (width, height) = (16_000, 380);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::NoCompression);
        let levels = vec![7; (width * height * 3) as usize];
        encoder.write_header().unwrap().write_image_data(&levels).unwrap();
        let transform = ImageTransform::new(ImageSpec::default()).unwrap();
        let mut scratch = Scratch::default();
        let held = |scratch: &mut Scratch| {
            let Scratch { pixels, bilinear, inner, .. } = scratch;
            [&mut pixels.levels, &mut pixels.other, inner, bilinear.memory()].map(|memory| memory.capacity())
        };
        for end in [file.len(), file.len() - 30] {
            assert_eq!(transform.prepare(&mut scratch, &file[..end]).is_ok(), end == file.len());
            assert!(held(&mut scratch).iter().all(|bytes| *bytes <= KEPT));
        }
        transform.prepare(&mut scratch, RED).unwrap();
        assert!(held(&mut scratch)[0] > 0);
    }

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
