//! Resizing as OpenCV's `INTER_LINEAR` does, bit for bit.
//!
//! A pixel of the result lies between two by two of the source, which are weighed in whole numbers of 2^-11, first along the
//! lines, then down the columns. Products are cut off, not rounded, to what 16 bits hold, and the last two bits are rounded
//! half up (`resizeGeneric_` with `HResizeLinear` and `VResizeLinear` for 8 bits in OpenCV's
//! `modules/imgproc/src/resize.cpp`).

use comptoir_types::simd::wide;
use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, i16x8, u8x16};

use super::decode::Pixels;
use super::windows::{self, LEVELS, Padded, Sums};

/// What a weight of 1 is.
const ONE: f32 = 2048.0;

/// Memory of one thread.
#[derive(Default)]
pub(super) struct Scratch {
    grey: Sides<1>,
    colours: Sides<3>,
}

/// What positions of both sides are made of.
#[derive(Default)]
struct Sides<const N: usize> {
    from: (usize, usize),
    to: (usize, usize),
    /// For each pixel of a line, the first of its levels in the source, and the weights of the two pixels, once for each channel.
    across: Vec<(usize, [[i16; 2]; 4])>,
    padded: Padded,
    /// For each line of the result, the two of the source and their weights.
    down: Vec<[(usize, i32); 2]>,
    /// Two lines of the source at the new width, and which ones they are.
    lines: [Vec<Sums>; 2],
    held: [Option<usize>; 2],
    /// A line of the result.
    mixed: Vec<Sums>,
}

/// Resizes the picture into `target`.
pub(super) fn resize(pixels: &Pixels, scratch: &mut Scratch, to: (u32, u32), target: &mut Vec<u8>) {
    if (pixels.width, pixels.height) == to {
        target.clear();
        target.extend_from_slice(&pixels.levels);
    } else if pixels.channels == 1 {
        scratch.grey.resize(pixels, to, target);
    } else {
        scratch.colours.resize(pixels, to, target);
    }
}

impl<const N: usize> Sides<N> {
    fn resize(&mut self, pixels: &Pixels, to: (u32, u32), target: &mut Vec<u8>) {
        let from = (pixels.width as usize, pixels.height as usize);
        self.set(from, (to.0 as usize, to.1 as usize));
        let Self { across, padded, down, lines, held, mixed, to, .. } = self;
        *held = [None; 2];
        target.resize(to.0 * to.1 * N, 0);
        // From below, since the last lines that were decoded are still in the processor's cache.
        for (target, pair) in target.chunks_mut((to.0 * N).max(1)).zip(down).rev() {
            // What was the first line is often the second of the next.
            if held[0] == Some(pair[1].0) {
                lines.swap(0, 1);
                held.swap(0, 1);
            }
            for ((line, held), (at, _)) in lines.iter_mut().zip(held.iter_mut()).zip(&*pair) {
                if *held != Some(*at) {
                    weigh::<N>(Level::new(), padded.line(&pixels.levels, at * from.0 * N), across, line);
                    *held = Some(*at);
                }
            }
            let [one, other] = lines;
            mix(one, other, pair.map(|(_, weight)| weight), mixed);
            windows::pack::<N>(mixed, 2, target);
        }
    }

    fn set(&mut self, from: (usize, usize), to: (usize, usize)) {
        if (self.from, self.to) == (from, to) {
            return;
        }
        (self.from, self.to) = (from, to);
        let last = from.1 - 1;
        let line = |position: i64| usize::try_from(position).unwrap_or(0).min(last);
        wide(
            #[inline(always)]
            || {
                self.across.clear();
                self.across.extend(positions(from.0, to.0).map(|between| {
                    let (first, weights) = within(between, from.0);
                    (first * N, [weights.map(|weight| i16::try_from(weight).unwrap_or(i16::MAX)); 4])
                }));
                self.down.clear();
                self.down.extend(positions(from.1, to.1).map(|(first, share)| {
                    let [one, other] = weights(share);
                    [(line(first), one), (line(first + 1), other)]
                }));
            },
        );
        self.padded.reach = self.across.iter().map(|(first, _)| first + LEVELS).max().unwrap_or(0);
        self.lines.iter_mut().chain([&mut self.mixed]).for_each(|line| line.resize(to.0, Sums::default()));
    }
}

/// A line of the source at the new width, without its last four bits.
fn weigh<const N: usize>(level: Level, line: &[u8], across: &[(usize, [[i16; 2]; 4])], target: &mut [Sums]) {
    dispatch!(level, simd => weigh_line::<_, N>(simd, line, across, target));
}

#[inline(always)]
fn weigh_line<S: Simd, const N: usize>(
    simd: S,
    line: &[u8],
    across: &[(usize, [[i16; 2]; 4])],
    target: &mut [Sums],
) {
    // Levels of two neighbouring pixels, channel by channel, each as the lower byte of 16 bits.
    let order = u8x16::from_fn(simd, |byte| (byte / 4 % N + byte / 2 % 2 * N).to_le_bytes()[0]);
    for (target, (first, weights)) in target.iter_mut().zip(across) {
        // Every line has been padded to this.
        let Some(levels) = line.get(*first..).and_then(|levels| levels.first_chunk::<LEVELS>()) else {
            continue;
        };
        let levels = simd.swizzle_dyn_within_blocks_u8x16(u8x16::load_array_ref(simd, levels), order);
        let pairs = levels.bitcast::<i16x8<S>>() & 0xff;
        let [[a, b], [c, d], [e, f], [g, h]] = *weights;
        let weights = i16x8::load_array(simd, [a, b, c, d, e, f, g, h]);
        *target = (pairs.pairwise_dot_product(weights) >> 4_u32).to_array();
    }
}

/// Two lines, weighed: four times the level.
fn mix(one: &[Sums], other: &[Sums], weights: [i32; 2], target: &mut [Sums]) {
    wide(
        #[inline(always)]
        || {
            let lines = one.as_flattened().iter().zip(other.as_flattened());
            for (target, (one, other)) in target.as_flattened_mut().iter_mut().zip(lines) {
                // Lines stay below 2^15, so that nothing wraps.
                let (one, other) = (one.wrapping_mul(weights[0]) >> 16, other.wrapping_mul(weights[1]) >> 16);
                *target = one.wrapping_add(other);
            }
        },
    );
}

/// The positions of the source before which each of `to` positions lies, and how far beyond them, from 0 to 1. In OpenCV's own
/// precision and order of operations.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "positions, and a part of one")]
fn positions(from: usize, to: usize) -> impl Iterator<Item = (i64, f32)> {
    let scale = 1.0 / (to as f64 / from as f64);
    (0..to).map(move |at| {
        let position = ((at as f64 + 0.5) * scale - 0.5) as f32;
        let first = position.floor();
        (first as i64, position - first)
    })
}

/// The same along a line, where what lies beyond its ends is that end.
#[inline(always)]
fn within((first, share): (i64, f32), from: usize) -> (usize, [i32; 2]) {
    match usize::try_from(first) {
        Ok(first) if first + 1 < from => (first, weights(share)),
        Ok(_) => (from - 1, weights(0.0)),
        Err(_) => (0, weights(0.0)),
    }
}

/// The weights of two neighbours, of which the second counts by this share.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most 2048")]
fn weights(share: f32) -> [i32; 2] {
    [1.0 - share, share].map(|share| (share * ONE).round_ties_even() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_that_is_halved_has_the_mean_of_each_pair() {
        let mut pixels = Pixels { width: 4, height: 2, channels: 1, ..Pixels::default() };
        pixels.levels = vec![0, 10, 20, 31, 0, 10, 20, 31];
        let mut target = Vec::new();
        resize(&pixels, &mut Scratch::default(), (2, 1), &mut target);
        assert_eq!(target, [5, 26]);
    }

    #[test]
    fn a_line_is_that_of_a_plain_loop_by_every_set_of_instructions() {
        fn check<const N: usize>() {
            let line = windows::tests::noise(40 * N);
            let across: Vec<_> = (0..24)
                .map(|at| {
                    (at * N, [[i16::try_from(at * 80).unwrap(), 2048 - i16::try_from(at * 80).unwrap()]; 4])
                })
                .collect();
            for level in windows::tests::levels() {
                let mut target = vec![Sums::default(); across.len()];
                weigh::<N>(level, &line, &across, &mut target);
                for (sums, (first, [[one, other], ..])) in target.iter().zip(&across) {
                    for (channel, sum) in sums.iter().take(N).enumerate() {
                        let [a, b] = [first + channel, first + N + channel].map(|at| i32::from(line[at]));
                        assert_eq!(*sum, (a * i32::from(*one) + b * i32::from(*other)) >> 4, "{level:?}");
                    }
                }
            }
        }
        check::<1>();
        check::<3>();
    }

    #[test]
    fn a_scratch_keeps_no_line_of_another_picture() {
        let picture =
            |level| Pixels { width: 3, height: 3, channels: 3, levels: vec![level; 27], ..Pixels::default() };
        let (mut scratch, mut target) = (Scratch::default(), Vec::new());
        for (level, to) in [(9, (2, 2)), (200, (2, 2)), (7, (5, 5)), (8, (3, 3))] {
            resize(&picture(level), &mut scratch, to, &mut target);
            assert_eq!(target, vec![level; (to.0 * to.1 * 3) as usize]);
        }
    }
}
