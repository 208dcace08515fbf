//! Pixels as bytes to normalised planes: the kernel, and the same on the CPU.

use comptoir_executor::image::{Colour, refusal};
use comptoir_executor::tensor::{DType, TensorSpec};
use half::f16;
use serde::{Deserialize, Serialize};

use crate::compiler::{Compiler, Image, Target};
use crate::error::Error;

/// What is done to the pixels of a batch. Rows are `uint8` of shape (height, width, 3) in the order red, green, blue, as
/// [`comptoir_executor::image::ImageSpec`] gives them with `dtype` `uint8` and layout `nhwc`; the result has planes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Normalise {
    /// Width of the pictures.
    pub width: usize,
    /// Height of the pictures.
    pub height: usize,
    /// Order of the planes.
    pub colour: Colour,
    /// Factor of each grey level, before mean and deviation.
    pub scale: f32,
    /// Mean of each plane, in the order of `colour`, after scaling.
    pub mean: [f32; 3],
    /// Deviation of each plane, in the order of `colour`, after scaling.
    pub std: [f32; 3],
    /// Type of the elements: `float16` or `float32`.
    pub dtype: DType,
}

impl Default for Normalise {
    fn default() -> Self {
        Self {
            width: 224,
            height: 224,
            colour: Colour::Rgb,
            scale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            dtype: DType::F16,
        }
    }
}

/// The source of the kernel.
const SOURCE: &str = include_str!("normalise.cu");

impl Normalise {
    /// Whether the settings can be used.
    ///
    /// # Errors
    /// [`Error::Config`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        let refused = |field, message| Err(Error::Config { field, message });
        if self.colour == Colour::Grey {
            let message =
                "must be rgb or bgr: pictures on the device have three bytes for a pixel".to_owned();
            return refused("colour", message);
        }
        if let Some((field, message)) = refusal([self.width, self.height], self.scale, self.mean, self.std) {
            return refused(field, message);
        }
        match self.dtype {
            DType::F16 | DType::F32 => Ok(()),
            other => refused("dtype", format!("must be float16 or float32, found {}", other.name())),
        }
    }

    /// The row that it takes.
    #[must_use]
    pub fn input(&self) -> TensorSpec {
        TensorSpec::new("image", DType::U8, &[self.height, self.width, 3])
    }

    /// The row that it gives.
    #[must_use]
    pub fn output(&self) -> TensorSpec {
        TensorSpec::new("image", self.dtype, &[3, self.height, self.width])
    }

    /// Pixels of a picture.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.width.saturating_mul(self.height)
    }

    /// Which byte of a pixel each plane has.
    const fn order(&self) -> [usize; 3] {
        match self.colour {
            Colour::Bgr => [2, 1, 0],
            // Grey is refused by `check`.
            Colour::Rgb | Colour::Grey => [0, 1, 2],
        }
    }

    /// Compiles the kernel.
    ///
    /// # Errors
    /// [`Error::Config`] as [`Normalise::check`], [`Error::Compile`] where the compiler refuses it.
    pub fn compile(&self, compiler: &Compiler, target: Target) -> Result<Image, Error> {
        let half = if self.dtype == DType::F16 { "1" } else { "0" };
        self.check()?;
        let [first, second, third] = self.order().map(|byte| byte.to_string());
        let macros = [("FIRST", &*first), ("SECOND", &*second), ("THIRD", &*third), ("HALF", half)];
        compiler.compile(SOURCE, &macros, target)
    }

    /// The same on the CPU: the elements of the batch as bytes, in the machine's order. `pictures` holds whole pictures;
    /// what is left over is not looked at.
    #[must_use]
    pub fn on_cpu(&self, pictures: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(pictures.len() * self.dtype.bytes());
        for picture in pictures.chunks_exact(self.pixels().saturating_mul(3).max(1)) {
            let (pixels, _) = picture.as_chunks::<3>();
            for ((from, mean), std) in self.order().into_iter().zip(self.mean).zip(self.std) {
                for pixel in pixels {
                    let grey = f32::from(pixel.get(from).copied().unwrap_or(0));
                    let value = (grey * self.scale - mean) / std;
                    match self.dtype {
                        DType::F16 => bytes.extend(f16::from_f32(value).to_ne_bytes()),
                        _ => bytes.extend(value.to_ne_bytes()),
                    }
                }
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_worked_out_by_hand() {
        let normalise = Normalise {
            width: 2,
            height: 1,
            scale: 0.5,
            mean: [1.0, 2.0, 3.0],
            std: [2.0, 4.0, 8.0],
            dtype: DType::F32,
            ..Normalise::default()
        };
        let numbers = |normalise: &Normalise| -> Vec<f32> {
            let bytes = normalise.on_cpu(&[2, 4, 6, 10, 20, 30]);
            bytes.chunks(4).map(|four| f32::from_ne_bytes(four.try_into().unwrap())).collect()
        };
        assert_eq!(numbers(&normalise), [0.0, 2.0, 0.0, 2.0, 0.0, 1.5]);
        let bgr = Normalise { colour: Colour::Bgr, ..normalise };
        assert_eq!(numbers(&bgr), [1.0, 7.0, 0.0, 2.0, -0.25, 0.25]);
        // A picture that is cut off is not looked at.
        assert_eq!(bgr.on_cpu(&[0; 11]).len(), 24);
    }

    #[test]
    fn sixteen_bits_are_rounded_from_single_precision() {
        let normalise = Normalise { width: 1, height: 1, scale: 1.0 / 255.0, ..Normalise::default() };
        let bytes = normalise.on_cpu(&[85, 255, 1]);
        let halves: Vec<f16> = bytes.chunks(2).map(|two| f16::from_ne_bytes([two[0], two[1]])).collect();
        assert_eq!(halves, [1.0 / 3.0, 1.0, 1.0 / 255.0].map(f16::from_f32));
        assert_eq!(halves[0].to_bits(), 0x3555);
    }
}
