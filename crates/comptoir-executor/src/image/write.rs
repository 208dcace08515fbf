//! Pixels to elements of a tensor.

use half::f16;

use super::spec::{Colour, ImageSpec, Layout};
use crate::tensor::DType;

/// What each of the 256 grey levels of each channel becomes.
///
/// A grey level x is (x * scale - mean) / std, each operation in single precision and rounded once, as NumPy computes
/// it on float32 arrays; float16 is rounded from that, half to even. There are only 768 results, so they are computed
/// once and copied.
#[derive(Debug)]
pub(super) struct Table {
    levels: Levels,
    colour: Colour,
    layout: Layout,
}

#[derive(Debug)]
enum Levels {
    U8,
    F16(Box<[[[u8; 2]; 256]; 3]>),
    F32(Box<[[[u8; 4]; 256]; 3]>),
}

impl Table {
    pub(super) fn new(spec: &ImageSpec) -> Self {
        let level = |channel: usize, grey: u8| {
            let (mean, std) = (spec.mean.get(channel), spec.std.get(channel));
            (f32::from(grey) * spec.scale - mean.copied().unwrap_or(0.0)) / std.copied().unwrap_or(1.0)
        };
        let levels = match spec.dtype {
            DType::F16 => {
                Levels::F16(table(|channel, grey| f16::from_f32(level(channel, grey)).to_ne_bytes()))
            }
            DType::F32 => Levels::F32(table(|channel, grey| level(channel, grey).to_ne_bytes())),
            _ => Levels::U8,
        };
        Self { levels, colour: spec.colour, layout: spec.layout }
    }

    /// Writes the elements of a picture; `row` has room for exactly them.
    pub(super) fn write(&self, picture: &[u8], row: &mut [u8]) {
        match &self.levels {
            Levels::U8 => self.put(picture, row, |_, grey| [grey]),
            Levels::F16(table) => self.put(picture, row, |channel, grey| look_up(table, channel, grey)),
            Levels::F32(table) => self.put(picture, row, |channel, grey| look_up(table, channel, grey)),
        }
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
