//! Weighted sums along a line of pixels, many levels at a time.
//!
//! What a pixel of the result is made of lies side by side in its line. So a *window* of neighbouring levels is multiplied
//! at once with as many weights, each repeated for the channels, and what belongs to one channel is added afterwards.
//! Processors multiply pairs of 16 bits fastest, so a weight is taken apart into two of 11 bits, and the sums of both are
//! put together: the same number as in one piece.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, i16x16, i32x8, u8x16, u8x32};

/// Levels of a window, of which three channels use twelve.
pub(super) const LEVELS: usize = 16;
/// Bits of the lower part of a weight.
const FINE_BITS: u32 = 11;

/// The sums of a pixel's channels; lanes beyond these mean nothing.
pub(super) type Sums = [i32; 4];

/// What each pixel of a line is made of, for pictures of `N` channels: 1 or 3.
#[derive(Debug, Default)]
pub(super) struct Windows<const N: usize> {
    /// The first level of each pixel's windows.
    first: Vec<usize>,
    /// Windows of a pixel.
    each: usize,
    /// As many for each pixel, filled up with weights of 0.
    all: Vec<Weights>,
    padded: Padded,
}

/// Lines with as many levels as windows reach over, of which the last have weights of 0 and may lie beyond the picture.
#[derive(Debug, Default)]
pub(super) struct Padded {
    pub(super) reach: usize,
    memory: Vec<u8>,
}

impl Padded {
    /// The line that begins at level `start` of a picture, and what follows it.
    pub(super) fn line<'a>(&'a mut self, picture: &'a [u8], start: usize) -> &'a [u8] {
        let line = picture.get(start..).unwrap_or_default();
        if line.len() >= self.reach {
            return line;
        }
        self.memory.clear();
        self.memory.extend(line);
        self.memory.resize(self.reach, 0);
        &self.memory
    }
}

/// The weights of a window, in the order in which its levels are paired: `coarse` times 2^11, and `fine`.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Weights {
    coarse: [i16; LEVELS],
    fine: [i16; LEVELS],
}

/// Where a channel of a window's pixel is weighed: grey levels lie as they are; of three channels, those of two neighbouring pixels
/// make a pair, red by red, and the last pair of each half is not used.
const fn lane<const N: usize>(tap: usize, channel: usize) -> usize {
    if N == 1 { tap } else { tap / 2 * 8 + channel * 2 + tap % 2 }
}

impl<const N: usize> Windows<N> {
    /// Weights of a window.
    const TAPS: usize = if N == 1 { LEVELS } else { 4 };
    /// Levels from one window of a pixel to the next.
    const STEP: usize = Self::TAPS * N;

    /// Takes the weights of each pixel, from 0 to 2^22 and `most` at most, and where in the source the first of them belongs.
    pub(super) fn set<'a>(&mut self, most: usize, pixels: impl Iterator<Item = (usize, &'a [i32])>) {
        self.each = most.div_ceil(Self::TAPS).max(1);
        self.first.clear();
        self.all.clear();
        for (first, weights) in pixels {
            self.first.push(first * N);
            for window in 0..self.each {
                self.all.push(Self::window(weights.get(window * Self::TAPS..).unwrap_or_default()));
            }
        }
        let span = Self::STEP * (self.each - 1) + LEVELS;
        self.padded.reach = self.first.iter().max().map_or(0, |first| first + span);
    }

    fn window(weights: &[i32]) -> Weights {
        let mut window = Weights { coarse: [0; LEVELS], fine: [0; LEVELS] };
        for (tap, weight) in weights.iter().take(Self::TAPS).enumerate() {
            let coarse = i16::try_from(weight >> FINE_BITS).unwrap_or(i16::MAX);
            let fine = i16::try_from(weight & ((1 << FINE_BITS) - 1)).unwrap_or(i16::MAX);
            for lane in (0..N).map(|channel| lane::<N>(tap, channel)) {
                if let (Some(higher), Some(lower)) = (window.coarse.get_mut(lane), window.fine.get_mut(lane))
                {
                    (*higher, *lower) = (coarse, fine);
                }
            }
        }
        window
    }

    /// The sums of each pixel of the line that begins at level `start` of a picture. They wrap.
    pub(super) fn weigh(&mut self, picture: &[u8], start: usize, target: &mut [Sums]) {
        self.weigh_by(Level::new(), picture, start, target);
    }

    fn weigh_by(&mut self, level: Level, picture: &[u8], start: usize, target: &mut [Sums]) {
        let line = self.padded.line(picture, start);
        let (first, all, each) = (self.first.as_slice(), self.all.as_slice(), self.each);
        // Most pictures have one window or two, for which loops are unrolled.
        dispatch!(level, simd => match each {
            1 => weigh_line::<_, N>(simd, line, first, all.as_chunks::<1>().0, target),
            2 => weigh_line::<_, N>(simd, line, first, all.as_chunks::<2>().0, target),
            _ => weigh_line::<_, N>(simd, line, first, all.chunks(each), target),
        });
    }
}

#[inline(always)]
fn weigh_line<S: Simd, const N: usize>(
    simd: S,
    line: &[u8],
    first: &[usize],
    windows: impl IntoIterator<Item = impl AsRef<[Weights]>>,
    target: &mut [Sums],
) {
    // Each level as the lower byte of 16 bits.
    let mut order = [0; 2 * LEVELS];
    for level in 0..Windows::<N>::STEP {
        if let Some(place) = order.get_mut(lane::<N>(level / N, level % N) * 2) {
            *place = level.to_le_bytes()[0];
        }
    }
    let order = u8x32::load_array(simd, order);
    for ((target, first), windows) in target.iter_mut().zip(first).zip(windows) {
        let (mut coarse, mut fine) = (i32x8::splat(simd, 0), i32x8::splat(simd, 0));
        let mut at = *first;
        for weights in windows.as_ref() {
            // Every line has been padded to its reach.
            let Some(levels) = line.get(at..).and_then(|levels| levels.first_chunk::<LEVELS>()) else {
                break;
            };
            at = at.wrapping_add(Windows::<N>::STEP);
            let pairs = paired::<S, N>(simd, levels, order);
            coarse += pairs.pairwise_dot_product(i16x16::load_array_ref(simd, &weights.coarse));
            fine += pairs.pairwise_dot_product(i16x16::load_array_ref(simd, &weights.fine));
        }
        let (low, high) = ((coarse << FINE_BITS) + fine).split();
        let mut sums = (low + high).to_array();
        if N == 1 {
            sums = [sums.into_iter().fold(0, i32::wrapping_add); 4];
        }
        *target = sums;
    }
}

/// The levels of a window as pairs of 16 bits.
#[inline(always)]
fn paired<S: Simd, const N: usize>(simd: S, levels: &[u8; LEVELS], order: u8x32<S>) -> i16x16<S> {
    let levels = u8x16::load_array_ref(simd, levels);
    if N == 1 {
        let (low, high) = levels.widen();
        low.combine(high).bitcast()
    } else {
        let levels = simd.swizzle_dyn_within_blocks_u8x32(u8x32::block_splat(levels), order);
        levels.bitcast::<i16x16<S>>() & 0xff
    }
}

/// Makes levels of the sums of a line, `N` for each pixel, side by side: each sum without its last `bits`, rounded half up, and
/// at most 255.
pub(super) fn pack<const N: usize>(line: &[Sums], bits: u32, target: &mut [u8]) {
    pack_by::<N>(Level::new(), line, bits, target);
}

fn pack_by<const N: usize>(level: Level, line: &[Sums], bits: u32, target: &mut [u8]) {
    dispatch!(level, simd => pack_line::<_, N>(simd, line, bits, target));
}

#[inline(always)]
fn pack_line<S: Simd, const N: usize>(simd: S, line: &[Sums], bits: u32, target: &mut [u8]) {
    const TOGETHER: usize = 8;
    let order = u8x32::from_fn(simd, |byte| {
        let byte = byte % LEVELS;
        if byte < 4 * N { (byte / N * 4 + byte % N).to_le_bytes()[0] } else { 0 }
    });
    let half = 1 << (bits - 1);
    let mut at = 0_usize;
    let (blocks, _) = line.as_flattened().as_chunks::<8>();
    let (blocks, _) = blocks.as_chunks::<{ TOGETHER / 2 }>();
    for [a, b, c, d] in blocks {
        let levels = |sums| ((i32x8::load_array_ref(simd, sums) + half) >> bits).min(255);
        let (low, high) = (levels(a).saturating_narrow(levels(b)), levels(c).saturating_narrow(levels(d)));
        let levels: u8x32<S> = low.narrow(high).bitcast();
        let (low, high) = simd.swizzle_dyn_within_blocks_u8x32(levels, order).split();
        // The bytes behind the pixels are those of the next ones, written afterwards.
        for levels in [low, high] {
            let room = target.get_mut(at..).and_then(|target| target.first_chunk_mut::<LEVELS>());
            let Some(room) = room else { break };
            levels.store_array(room);
            at = at.wrapping_add(TOGETHER / 2 * N);
        }
    }
    let rest = line.get(at / N..).unwrap_or_default();
    for (target, sums) in target.get_mut(at..).unwrap_or_default().chunks_exact_mut(N).zip(rest) {
        for (level, sum) in target.iter_mut().zip(sums) {
            *level = u8::try_from(sum.wrapping_add(half) >> bits).unwrap_or(u8::MAX);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// All sets of instructions that this machine has.
    pub(in super::super) fn levels() -> Vec<Level> {
        let mut levels = vec![Level::baseline(), Level::new()];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(Level::new().as_sse4_2().map(Level::Sse4_2));
            levels.extend(Level::new().as_avx2().map(Level::Avx2));
        }
        levels
    }

    /// Numbers that look random.
    pub(in super::super) fn noise(count: usize) -> Vec<u8> {
        let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(7), step).map(|state| state.to_be_bytes()[0]).take(count).collect()
    }

    fn check<const N: usize>(from: usize, most: usize) {
        let picture = noise(from * 2 * N);
        let weight = |at: usize| (i32::from(picture[at % picture.len()]) << 14) + 3;
        let pixels: Vec<(usize, Vec<i32>)> =
            (0..from).map(|first| (first, (first..from.min(first + most)).map(weight).collect())).collect();
        let mut windows = Windows::<N>::default();
        windows.set(most, pixels.iter().map(|(first, weights)| (*first, weights.as_slice())));
        for (level, start) in levels().into_iter().flat_map(|level| [(level, 0), (level, from * N)]) {
            let mut sums = vec![Sums::default(); from];
            windows.weigh_by(level, &picture, start, &mut sums);
            let mut packed = vec![0; from * N];
            pack_by::<N>(level, &sums, 22, &mut packed);
            for ((first, weights), (sums, packed)) in pixels.iter().zip(sums.iter().zip(packed.chunks(N))) {
                for channel in 0..N {
                    let term = |(at, weight): (usize, &i32)| {
                        i32::from(picture[start + (first + at) * N + channel]).wrapping_mul(*weight)
                    };
                    let expected = weights.iter().enumerate().map(term).fold(0, i32::wrapping_add);
                    assert_eq!(sums[channel], expected, "{level:?} {N} {from} {most} {first}");
                    let expected = u8::try_from((expected.wrapping_add(1 << 21) >> 22).clamp(-1, 255));
                    assert!(expected.is_err() || expected == Ok(packed[channel]), "{level:?} {expected:?}");
                }
            }
        }
    }

    #[test]
    fn sums_are_those_of_a_plain_loop_by_every_set_of_instructions() {
        for from in [1, 2, 7, 8, 9, 33] {
            for most in [1, 2, 4, 5, 8, 9, 16, 17, 33] {
                check::<1>(from, most);
                check::<3>(from, most);
            }
        }
    }
}
