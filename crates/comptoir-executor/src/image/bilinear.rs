//! Resizing as Pillow's `BILINEAR` does, bit for bit.
//!
//! A triangle as wide as two pixels of the smaller picture is laid over each position of the result; what it covers is
//! weighed in whole numbers of 2^-22, first along the lines, then down the columns, and rounded half up to a level each
//! time (Pillow's `src/libImaging/Resample.c`).

use std::ops::Range;

use comptoir_types::simd::wide;

use super::decode::Pixels;
use super::windows::{self, Sums, Windows};

/// Bits of a weight: a sum of levels by weights stays below 2^31.
const BITS: u32 = 22;
/// What is added before the bits are cut off, to round half up.
const HALF: i32 = 1 << (BITS - 1);
/// Columns that are weighed together: their sums stay in registers.
const COLUMNS: usize = 32;

/// Memory of one thread.
#[derive(Default)]
pub(super) struct Scratch {
    grey: Sides<1>,
    colours: Sides<3>,
    /// The picture of which one side has its final size.
    between: Vec<u8>,
}

impl Scratch {
    /// The memory that is as large as a picture.
    pub(super) fn memory(&mut self) -> &mut Vec<u8> {
        &mut self.between
    }
}

/// The weights of both sides.
#[derive(Default)]
struct Sides<const N: usize> {
    across: Weights,
    windows: Windows<N>,
    down: Weights,
    /// A line at the new width.
    line: Vec<Sums>,
}

/// What each position of the result is made of, along one side.
#[derive(Default)]
struct Weights {
    from: usize,
    to: usize,
    /// The first position of the source, and where its weights begin and end.
    each: Vec<(usize, Range<usize>)>,
    all: Vec<i32>,
}

/// Resizes the picture into `target`.
pub(super) fn resize(pixels: &Pixels, scratch: &mut Scratch, to: (u32, u32), target: &mut Vec<u8>) {
    let Scratch { grey, colours, between } = scratch;
    if pixels.channels == 1 {
        both_ways(pixels, grey, between, to, target);
    } else {
        both_ways(pixels, colours, between, to, target);
    }
}

fn both_ways<const N: usize>(
    pixels: &Pixels,
    sides: &mut Sides<N>,
    between: &mut Vec<u8>,
    to: (u32, u32),
    target: &mut Vec<u8>,
) {
    let from = (pixels.width as usize, pixels.height as usize);
    let to = (to.0 as usize, to.1 as usize);
    sides.set(from, to);
    if columns_first(from, to) {
        resize_columns(&pixels.levels, from.0 * N, &sides.down, between);
        sides.resize_lines(between, from.0, target);
    } else {
        sides.resize_lines(&pixels.levels, from.0, between);
        resize_columns(between, to.0 * N, &sides.down, target);
    }
}

/// Whether columns are weighed before lines, which changes what is rounded in between: as in Pillow from version 13 on, where the
/// height falls by more than twice of what the width does. Before, lines always came first.
const fn columns_first(from: (usize, usize), to: (usize, usize)) -> bool {
    from.1 > to.1 && from.1 - to.1 + 2 * to.0 > 2 * from.0
}

impl<const N: usize> Sides<N> {
    fn set(&mut self, from: (usize, usize), to: (usize, usize)) {
        if self.across.set(from.0, to.0) {
            self.windows.set(self.across.most(), self.across.iter());
        }
        self.down.set(from.1, to.1);
    }

    /// All lines at the new width. As in Pillow, a side that keeps its size is left alone.
    fn resize_lines(&mut self, levels: &[u8], from: usize, target: &mut Vec<u8>) {
        let width = self.across.to;
        if width == from {
            target.clear();
            target.extend_from_slice(levels);
            return;
        }
        let height = levels.len() / (from * N).max(1);
        target.resize(width * height * N, 0);
        self.line.resize(width, Sums::default());
        for (number, target) in target.chunks_mut((width * N).max(1)).enumerate().rev() {
            self.windows.weigh(levels, number * from * N, &mut self.line);
            windows::pack::<N>(&self.line, BITS, target);
        }
    }
}

/// All columns at the new height; a line has so many bytes.
fn resize_columns(levels: &[u8], line_bytes: usize, down: &Weights, target: &mut Vec<u8>) {
    if down.from == down.to {
        target.clear();
        target.extend_from_slice(levels);
        return;
    }
    target.resize(line_bytes * down.to, 0);
    for (target, (first, weights)) in target.chunks_mut(line_bytes.max(1)).zip(down.iter()) {
        let lines = levels.get(first * line_bytes..).unwrap_or_default();
        wide(
            #[inline(always)]
            || {
                let (blocks, rest) = target.as_chunks_mut::<COLUMNS>();
                let mut at = 0_usize;
                for block in blocks {
                    weigh_columns(lines, line_bytes, at, weights, block);
                    at = at.wrapping_add(COLUMNS);
                }
                for level in rest {
                    weigh_columns(lines, line_bytes, at, weights, std::array::from_mut(level));
                    at = at.wrapping_add(1);
                }
            },
        );
    }
}

/// Some columns of one line of the result, from byte `at` on.
#[inline(always)]
fn weigh_columns<const C: usize>(
    lines: &[u8],
    line_bytes: usize,
    mut at: usize,
    weights: &[i32],
    target: &mut [u8; C],
) {
    let mut sums = [HALF; C];
    for weight in weights {
        let Some(levels) = lines.get(at..).and_then(|levels| levels.first_chunk::<C>()) else { break };
        at = at.wrapping_add(line_bytes);
        for (sum, level) in sums.iter_mut().zip(levels) {
            *sum = sum.wrapping_add(i32::from(*level).wrapping_mul(*weight));
        }
    }
    for (level, sum) in target.iter_mut().zip(sums) {
        *level = to_level(sum);
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of levels is a level")]
const fn to_level(sum: i32) -> u8 {
    let level = sum >> BITS;
    // Thousands of weights that are all rounded up may sum to more than 1.
    if level > 255 { 255 } else { level as u8 }
}

impl Weights {
    /// The weights of `from` positions in each of `to`; says whether they are others than before.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions, and weights from 0 to 1"
    )]
    fn set(&mut self, from: usize, to: usize) -> bool {
        if (self.from, self.to) == (from, to) {
            return false;
        }
        (self.from, self.to) = (from, to);
        self.each.clear();
        self.all.clear();
        let scale = from as f64 / to as f64;
        // Where a picture grows, the triangle is laid over the source.
        let reach = scale.max(1.0);
        let mut triangle = Vec::new();
        for at in 0..to {
            let centre = (at as f64 + 0.5) * scale;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let end = ((centre + reach + 0.5) as usize).min(from);
            let height = |at: usize| (1.0 - ((at as f64 - centre + 0.5) * (1.0 / reach)).abs()).max(0.0);
            triangle.clear();
            triangle.extend((first..end).map(height));
            let sum: f64 = triangle.iter().sum();
            let whole = |height: &f64| (height / sum * f64::from(1 << BITS) + 0.5) as i32;
            let start = self.all.len();
            self.all.extend(triangle.iter().map(whole));
            self.each.push((first, start..self.all.len()));
        }
        true
    }

    /// Weights of the position that has most.
    fn most(&self) -> usize {
        self.each.iter().map(|(_, range)| range.len()).max().unwrap_or(0)
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.each.iter().map(|(first, range)| (*first, self.all.get(range.clone()).unwrap_or_default()))
    }
}
