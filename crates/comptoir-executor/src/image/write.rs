//! Pixels to elements of a tensor.

use comptoir_types::simd::wide;
use half::f16;

use super::spec::{Colour, ImageSpec, Layout};
use crate::tensor::DType;

/// What each of the 256 grey levels of each channel becomes.
///
/// A grey level x is (x * scale - mean) / std, each operation in single precision and rounded once, as NumPy computes
/// it on float32 arrays; float16 is rounded from that, half to even. There are only 768 results, so they are computed
/// once and copied, but for planes of float32, which vectors compute faster than that.
#[derive(Debug)]
pub(super) struct Table {
    levels: Levels,
    colour: Colour,
    layout: Layout,
    formula: [Formula; 3],
}

/// What a grey level of a channel becomes.
#[derive(Debug, Clone, Copy)]
struct Formula {
    scale: f32,
    mean: f32,
    std: f32,
}

impl Formula {
    #[inline(always)]
    fn level(self, grey: u8) -> f32 {
        (f32::from(grey) * self.scale - self.mean) / self.std
    }
}

#[derive(Debug)]
enum Levels {
    U8,
    F16(Box<[[[u8; 2]; 256]; 3]>),
    F32(Box<[[[u8; 4]; 256]; 3]>),
}

impl Table {
    pub(super) fn new(spec: &ImageSpec) -> Self {
        let formula = std::array::from_fn(|channel| {
            let of = |values: &[f32], otherwise| values.get(channel).copied().unwrap_or(otherwise);
            Formula { scale: spec.scale, mean: of(&spec.mean, 0.0), std: of(&spec.std, 1.0) }
        });
        let level =
            |channel: usize, grey: u8| formula.get(channel).map_or(0.0, |one: &Formula| one.level(grey));
        let levels = match spec.dtype {
            DType::F16 => {
                Levels::F16(table(|channel, grey| f16::from_f32(level(channel, grey)).to_ne_bytes()))
            }
            DType::F32 => Levels::F32(table(|channel, grey| level(channel, grey).to_ne_bytes())),
            _ => Levels::U8,
        };
        Self { levels, colour: spec.colour, layout: spec.layout, formula }
    }

    /// Writes the elements of a picture; `row` has room for exactly them.
    pub(super) fn write(&self, picture: &[u8], row: &mut [u8]) {
        match &self.levels {
            Levels::U8
                if self.colour == Colour::Grey
                    || self.colour == Colour::Rgb && self.layout == Layout::Nhwc =>
            {
                row.copy_from_slice(picture);
            }
            Levels::U8 => self.put(picture, row, |_, grey| [grey]),
            Levels::F16(table) => self.put(picture, row, |channel, grey| look_up(table, channel, grey)),
            Levels::F32(_) if self.colour != Colour::Grey && self.layout == Layout::Nchw => {
                self.planes(picture, row);
            }
            Levels::F32(table) => self.put(picture, row, |channel, grey| look_up(table, channel, grey)),
        }
    }

    /// Planes of single precision.
    fn planes(&self, picture: &[u8], row: &mut [u8]) {
        let (pixels, _) = picture.as_chunks::<3>();
        let (elements, _) = row.as_chunks_mut::<4>();
        let (first, others) = elements.split_at_mut(pixels.len().min(elements.len()));
        let (second, third) = others.split_at_mut(pixels.len().min(others.len()));
        let [of_first, of_second, of_third] = self.formula;
        let mut planes = [(first, of_first), (second, of_second), (third, of_third)];
        if self.colour == Colour::Bgr {
            planes.reverse();
        }
        let [(red, of_red), (green, of_green), (blue, of_blue)] = planes;
        wide(
            #[inline(always)]
            || {
                for (((pixel, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
                    *red = of_red.level(pixel[0]).to_ne_bytes();
                    *green = of_green.level(pixel[1]).to_ne_bytes();
                    *blue = of_blue.level(pixel[2]).to_ne_bytes();
                }
            },
        );
    }

    fn put<const N: usize>(&self, picture: &[u8], row: &mut [u8], level: impl Fn(usize, u8) -> [u8; N]) {
        let (pixels, _) = picture.as_chunks::<3>();
        let (elements, _) = row.as_chunks_mut::<N>();
        let order = match self.colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
            Colour::Grey => {
                for (target, grey) in elements.iter_mut().zip(picture) {
                    *target = level(0, *grey);
                }
                return;
            }
        };
        match self.layout {
            Layout::Nhwc => {
                for (target, pixel) in elements.chunks_exact_mut(3).zip(pixels) {
                    for (channel, (target, from)) in target.iter_mut().zip(order).enumerate() {
                        *target = level(channel, pixel.get(from).copied().unwrap_or(0));
                    }
                }
            }
            Layout::Nchw => {
                for (channel, (plane, from)) in
                    elements.chunks_exact_mut(pixels.len().max(1)).zip(order).enumerate()
                {
                    for (target, pixel) in plane.iter_mut().zip(pixels) {
                        *target = level(channel, pixel.get(from).copied().unwrap_or(0));
                    }
                }
            }
        }
    }
}

fn table<const N: usize>(level: impl Fn(usize, u8) -> [u8; N]) -> Box<[[[u8; N]; 256]; 3]> {
    let mut table = Box::new([[[0; N]; 256]; 3]);
    for (channel, levels) in table.iter_mut().enumerate() {
        for (grey, target) in (0..=255).zip(levels) {
            *target = level(channel, grey);
        }
    }
    table
}

fn look_up<const N: usize>(table: &[[[u8; N]; 256]; 3], channel: usize, grey: u8) -> [u8; N] {
    table.get(channel).and_then(|levels| levels.get(usize::from(grey))).copied().unwrap_or([0; N])
}
