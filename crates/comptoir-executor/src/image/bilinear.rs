//! Resizing as Pillow's `BILINEAR` does, bit for bit.
//!
//! A triangle as wide as two pixels of the smaller picture is laid over each position of the result; what it covers is
//! weighed in whole numbers of 2^-22, first along the lines, then down the columns, and rounded half up to a level each
//! time (Pillow's `src/libImaging/Resample.c`).

use comptoir_types::simd::wide;

use super::decode::Pixels;

/// Bits of a weight: a sum of levels by weights stays below 2^31.
const BITS: u32 = 22;

/// Sums that are made side by side: as many as a vector of the processor takes.
const LANES: usize = 8;

/// What each position of the result is made of, along one side.
#[derive(Default)]
struct Weights {
    /// The first positions of the source.
    first: Vec<usize>,
    /// As many weights for each, some of the last ones 0, so that a loop over them always takes as long.
    each: usize,
    all: Vec<i32>,
}

/// Memory of one thread.
#[derive(Default)]
pub(super) struct Scratch {
    weights: Weights,
    /// Some lines side by side: each position has the lanes of its pixels.
    packed: Vec<[u8; LANES]>,
    line_sums: Vec<[i32; LANES]>,
    sums: Vec<i32>,
}

/// The picture at another size.
pub(super) fn resize(pixels: &Pixels, scratch: &mut Scratch, to: (u32, u32)) -> Vec<u8> {
    if pixels.channels == 1 {
        both_ways(&Picture::<1>::new(pixels), scratch, to)
    } else {
        both_ways(&Picture::<3>::new(pixels), scratch, to)
    }
}

struct Picture<'a, const N: usize> {
    pixels: &'a [[u8; N]],
    width: usize,
    height: usize,
}

impl<'a, const N: usize> Picture<'a, N> {
    fn new(pixels: &'a Pixels) -> Self {
        let (width, height) = (pixels.width as usize, pixels.height as usize);
        Self { pixels: pixels.levels.as_chunks().0, width, height }
    }
}

fn both_ways<const N: usize>(picture: &Picture<'_, N>, scratch: &mut Scratch, to: (u32, u32)) -> Vec<u8> {
    let (width, height) = (to.0 as usize, to.1 as usize);
    let pixels = if columns_first(picture, width, height) {
        let low = resize_columns(picture, height, scratch);
        let low = Picture { pixels: &low, height, ..*picture };
        resize_lines(&low, width, scratch)
    } else {
        let narrow = resize_lines(picture, width, scratch);
        let narrow = Picture { pixels: &narrow, width, ..*picture };
        resize_columns(&narrow, height, scratch)
    };
    pixels.into_flattened()
}

/// Whether columns are weighed before lines, which changes what is rounded in between: as in Pillow from version 13 on, where the
/// height falls by more than twice of what the width does. Before, lines always came first.
const fn columns_first<const N: usize>(picture: &Picture<'_, N>, width: usize, height: usize) -> bool {
    picture.height > height && picture.height - height + 2 * width > 2 * picture.width
}

/// All lines at another width, as many at a time as there are lanes for. As in Pillow, a side that keeps its size is left alone.
fn resize_lines<const N: usize>(
    picture: &Picture<'_, N>,
    width: usize,
    scratch: &mut Scratch,
) -> Vec<[u8; N]> {
    if width == picture.width {
        return picture.pixels.to_vec();
    }
    let Scratch { weights, packed, line_sums: sums, .. } = scratch;
    weights.set(picture.width, width);
    let mut target = vec![[0; N]; width * picture.height];
    sums.resize(width, [0; LANES]);
    let side_by_side = LANES / N;
    let sources = picture.pixels.chunks(picture.width * side_by_side);
    for (lines, targets) in sources.zip(target.chunks_mut(width * side_by_side)) {
        packed.clear();
        packed.resize(picture.width + weights.each, [0; LANES]);
        for (line, pixels) in lines.chunks(picture.width).enumerate() {
            for (lanes, pixel) in packed.iter_mut().zip(pixels) {
                put(lanes, line, pixel);
            }
        }
        weigh_all(packed, weights, sums);
        for (line, target) in targets.chunks_mut(width).enumerate() {
            for (pixel, lanes) in target.iter_mut().zip(sums.iter()) {
                let Some(sums) = lanes.as_chunks::<N>().0.get(line) else { continue };
                *pixel = sums.map(to_level);
            }
        }
    }
    target
}

/// Puts a pixel of the line of this number into its lanes.
#[inline(always)]
fn put<const N: usize>(lanes: &mut [u8; LANES], line: usize, pixel: &[u8; N]) {
    if let Some(target) = lanes.as_chunks_mut::<N>().0.get_mut(line) {
        *target = *pixel;
    }
}

#[inline(never)]
fn weigh_all(packed: &[[u8; LANES]], weights: &Weights, sums: &mut [[i32; LANES]]) {
    wide(
        #[inline(always)]
        || {
            for (sums, (first, weights)) in sums.iter_mut().zip(weights.iter()) {
                *sums = weigh(packed.get(first..).unwrap_or_default(), weights);
            }
        },
    );
}

/// The weighted sums of each lane. Sums of weights are 2^22 but for rounding, so that nothing overflows.
#[inline(always)]
fn weigh(levels: &[[u8; LANES]], weights: &[i32]) -> [i32; LANES] {
    let mut sums = [1 << (BITS - 1); LANES];
    for (levels, weight) in levels.iter().zip(weights) {
        for (sum, level) in sums.iter_mut().zip(levels) {
            *sum = i32::wrapping_add(*sum, i32::from(*level).wrapping_mul(*weight));
        }
    }
    sums
}

/// All columns at another height.
fn resize_columns<const N: usize>(
    picture: &Picture<'_, N>,
    height: usize,
    scratch: &mut Scratch,
) -> Vec<[u8; N]> {
    if height == picture.height {
        return picture.pixels.to_vec();
    }
    let Scratch { weights, sums, .. } = scratch;
    weights.set(picture.height, height);
    sums.resize(picture.width * N, 0);
    let mut target = vec![[0; N]; picture.width * height];
    for (target, (first, weights)) in target.chunks_mut(picture.width).zip(weights.iter()) {
        let lines = picture.pixels.chunks(picture.width).skip(first).zip(weights);
        wide(
            #[inline(always)]
            || {
                sums.fill(1 << (BITS - 1));
                for (line, weight) in lines {
                    for (sum, level) in sums.iter_mut().zip(line.as_flattened()) {
                        *sum = sum.wrapping_add(i32::from(*level).wrapping_mul(*weight));
                    }
                }
                for (level, sum) in target.as_flattened_mut().iter_mut().zip(sums.iter()) {
                    *level = to_level(*sum);
                }
            },
        );
    }
    target
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of levels is a level")]
const fn to_level(sum: i32) -> u8 {
    let level = sum >> BITS;
    // Thousands of weights that are all rounded up may sum to more than 1.
    if level > 255 { 255 } else { level as u8 }
}

impl Weights {
    /// The weights of `from` positions in each of `to`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions, and weights from 0 to 1"
    )]
    fn set(&mut self, from: usize, to: usize) {
        self.first.clear();
        self.all.clear();
        let scale = from as f64 / to as f64;
        // Where a picture grows, the triangle is laid over the source.
        let reach = scale.max(1.0);
        self.each = 2 * reach.ceil() as usize + 1;
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
            self.all.extend(triangle.iter().map(whole));
            self.first.push(first);
            self.all.resize(self.first.len() * self.each, 0);
        }
    }

    #[inline(always)]
    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.first.iter().copied().zip(self.all.chunks(self.each.max(1)))
    }
}
