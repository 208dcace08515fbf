//! What is done to a picture, as data.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Error;
use crate::tensor::{DType, TensorSpec};

/// From a file to a tensor: decode, orient, resize, order of colours, normalise, layout. In this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageSpec {
    /// Whose pixels the result has.
    pub profile: Profile,
    /// Width of the result.
    pub width: u32,
    /// Height of the result.
    pub height: u32,
    /// How a picture of another shape comes to this size.
    pub fit: Fit,
    /// How pixels between those of the file are made.
    pub interpolation: Interpolation,
    /// What pixels outside the picture are, in the order `colour` says; only for [`Fit::Letterbox`]. One number stands
    /// for all channels, here and in `mean` and `std`.
    #[serde(deserialize_with = "per_channel")]
    pub fill: [u8; 3],
    /// Order of the channels, or grey.
    pub colour: Colour,
    /// Factor of each grey level, before mean and deviation; 1/255 is written as 0.00392156862745098.
    pub scale: f32,
    /// Mean of each channel, in the order of `colour`, after scaling.
    #[serde(deserialize_with = "per_channel")]
    pub mean: [f32; 3],
    /// Deviation of each channel, in the order of `colour`, after scaling.
    #[serde(deserialize_with = "per_channel")]
    pub std: [f32; 3],
    /// Order of the sides of the result.
    pub layout: Layout,
    /// Type of the elements: `uint8` (then scale, mean and deviation must be left alone), `float16` or `float32`.
    pub dtype: DType,
    /// Whether the orientation of a photo is followed; none: as the profile's library does.
    pub orientation: Option<Orientation>,
    /// What is refused before it is decoded.
    pub limits: Limits,
}

/// Whose pixels a result has: those that a model was trained with should be those that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Pillow: `convert("RGB").resize(size, BILINEAR)`, which takes the mean over what a pixel covers.
    Pillow,
    /// OpenCV: `resize(image, size, interpolation=INTER_LINEAR)`, which looks at four pixels.
    Opencv,
    /// As Pillow after `draft("RGB", size)`: JPEG is decoded at a half, a quarter or an eighth of its size where that is
    /// not below what it is resized to. Faster, and not the pixels of profile `pillow`.
    Fast,
}

/// How pixels between those of the file are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// `BILINEAR` of Pillow, `INTER_LINEAR` of OpenCV.
    Linear,
    /// `INTER_AREA` of OpenCV, the mean of what a pixel covers; only for [`Profile::Opencv`].
    Area,
}

/// How a picture comes to the size of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Each side by its own factor.
    Stretch,
    /// So that it covers the size, and the middle is cut out.
    Crop,
    /// So that it lies inside the size, in the middle, and the rest is filled.
    Letterbox,
}

/// Order of the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel, weighed as `convert("L")` of Pillow or `cvtColor(image, COLOR_BGR2GRAY)` of OpenCV does, before the
    /// picture is resized.
    Grey,
}

/// Order of the sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Channel, row, column.
    Nchw,
    /// Row, column, channel.
    Nhwc,
}

/// Whether the orientation that a camera writes into a photo is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// The picture is turned.
    Apply,
    /// The picture is taken as it lies in the file.
    Ignore,
}

/// What is refused before memory is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a file.
    pub bytes: usize,
    /// Pixels of a picture.
    pub pixels: u64,
    /// Width or height of a picture.
    pub side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 32 << 20, pixels: 40_000_000, side: 16_384 }
    }
}

impl Default for ImageSpec {
    fn default() -> Self {
        Self {
            profile: Profile::Pillow,
            width: 224,
            height: 224,
            fit: Fit::Stretch,
            interpolation: Interpolation::Linear,
            fill: [0; 3],
            colour: Colour::Rgb,
            scale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            layout: Layout::Nchw,
            dtype: DType::F32,
            orientation: None,
            limits: Limits::default(),
        }
    }
}

/// Far beyond what a model takes.
const MOST_SIDE: usize = 8192;

/// Why a size and the numbers of a normalisation cannot be used, wherever that runs: the field, and what is wrong with it.
#[must_use]
pub fn refusal(
    [width, height]: [usize; 2],
    scale: f32,
    mean: [f32; 3],
    std: [f32; 3],
) -> Option<(&'static str, String)> {
    for (field, side) in [("width", width), ("height", height)] {
        if !(1..=MOST_SIDE).contains(&side) {
            return Some((field, format!("must be from 1 to {MOST_SIDE}, found {side}")));
        }
    }
    if let Some(std) = std.iter().find(|std| !(std.is_finite() && **std > 0.0)) {
        return Some(("std", format!("must be more than 0, found {std}")));
    }
    let numbers = mean.into_iter().map(|mean| ("mean", mean)).chain([("scale", scale)]);
    let (field, number) = numbers.into_iter().find(|(_, number)| !number.is_finite())?;
    Some((field, format!("must be a number, found {number}")))
}

impl ImageSpec {
    /// Whether the settings can be used.
    ///
    /// # Errors
    /// [`Error::Config`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        let refused = |field: &'static str, message: String| Err(Error::Config { field, message });
        let sides = [self.width as usize, self.height as usize];
        if let Some((field, message)) = refusal(sides, self.scale, self.mean, self.std) {
            return refused(field, message);
        }
        if self.interpolation == Interpolation::Area && self.profile != Profile::Opencv {
            return refused("interpolation", "`area` is only for profile `opencv`".to_owned());
        }
        if let (Colour::Grey, Some(field)) = (self.colour, self.field_of_colours()) {
            return refused(field, "grey has one channel: give one number".to_owned());
        }
        match self.dtype {
            DType::F16 | DType::F32 => Ok(()),
            DType::U8 if self.is_plain() => Ok(()),
            DType::U8 => refused("dtype", "uint8 has no room for scale, mean and std".to_owned()),
            other => refused("dtype", format!("must be uint8, float16 or float32, found {}", other.name())),
        }
    }

    /// The tensor of a picture.
    #[must_use]
    pub fn output(&self) -> TensorSpec {
        let (width, height) = (self.width as usize, self.height as usize);
        let shape = match self.layout {
            Layout::Nchw => [self.channels(), height, width],
            Layout::Nhwc => [height, width, self.channels()],
        };
        TensorSpec::new("image", self.dtype, &shape)
    }

    /// Whether the orientation is followed.
    pub(super) fn follows_orientation(&self) -> bool {
        match self.orientation {
            Some(orientation) => orientation == Orientation::Apply,
            None => self.profile == Profile::Opencv,
        }
    }

    /// Channels of the result.
    pub(super) fn channels(&self) -> usize {
        if self.colour == Colour::Grey { 1 } else { 3 }
    }

    /// The fill as red, green, blue or grey.
    pub(super) fn fill_levels(&self) -> [u8; 3] {
        let [first, second, third] = self.fill;
        if self.colour == Colour::Bgr { [third, second, first] } else { [first, second, third] }
    }

    /// A field that has not the same number for each channel.
    fn field_of_colours(&self) -> Option<&'static str> {
        let differ = |[first, second, third]: [f32; 3]| first != second || second != third;
        if differ(self.fill.map(f32::from)) {
            return Some("fill");
        }
        [("mean", self.mean), ("std", self.std)]
            .into_iter()
            .find(|field| differ(field.1))
            .map(|field| field.0)
    }

    #[expect(clippy::float_cmp, reason = "only the defaults themselves change nothing")]
    fn is_plain(&self) -> bool {
        self.scale == 1.0 && self.mean == [0.0; 3] && self.std == [1.0; 3]
    }
}

/// One number for each channel, or one for all.
fn per_channel<'de, D: Deserializer<'de>, T: Deserialize<'de> + Copy>(from: D) -> Result<[T; 3], D::Error> {
    let numbers = Vec::<T>::deserialize(from)?;
    match *numbers {
        [one] => Ok([one; 3]),
        [first, second, third] => Ok([first, second, third]),
        _ => Err(D::Error::invalid_length(numbers.len(), &"1 or 3 numbers")),
    }
}
