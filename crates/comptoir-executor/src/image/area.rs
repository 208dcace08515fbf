//! Resizing as OpenCV's `INTER_AREA` does.
//!
//! A smaller picture has in each pixel the mean of what that pixel covers, parts of pixels by their share. Where a side
//! grows, both sides are interpolated between two pixels each, the second of which counts by how far the result's pixel
//! reaches over it.

use super::decode::Pixels;

/// What a position of the result is made of, along one side: positions of the source from `first` on, with weights that
/// sum to 1.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

/// Resizes the picture into `target`.
pub(super) fn resize(pixels: &Pixels, to: (u32, u32), target: &mut Vec<u8>) {
    target.clear();
    let (from_x, from_y) = (pixels.width as usize, pixels.height as usize);
    let (to_x, to_y) = (to.0 as usize, to.1 as usize);
    if (from_x, from_y) == (to_x, to_y) {
        target.extend_from_slice(&pixels.levels);
        return;
    }
    let spans = if to_x <= from_x && to_y <= from_y { covered } else { between };
    let (across, down) = (spans(from_x, to_x), spans(from_y, to_y));
    if pixels.channels == 1 {
        weigh::<1>(&pixels.levels, from_x, &across, &down, target);
    } else {
        weigh::<3>(&pixels.levels, from_x, &across, &down, target);
    }
}

/// What each of `to` positions covers of `from` positions.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions, and weights from 0 to 1"
)]
fn covered(from: usize, to: usize) -> Vec<Span> {
    let scale = from as f64 / to as f64;
    let span = |at: usize| {
        let (start, end) = (at as f64 * scale, ((at + 1) as f64 * scale).min(from as f64));
        let first = start.floor() as usize;
        let last = (end.ceil() as usize).clamp(first + 1, from.max(first + 1));
        let share = |at: usize| (end.min((at + 1) as f64) - start.max(at as f64)).max(0.0) / (end - start);
        Span { first, weights: (first..last).map(|at| share(at) as f32).collect() }
    };
    (0..to).map(span).collect()
}

/// The two positions between which each of `to` positions lies. In OpenCV's own precision and order of operations: where
/// positions of both sides meet, these decide between neighbours.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions, and weights from 0 to 1"
)]
fn between(from: usize, to: usize) -> Vec<Span> {
    let growth = to as f64 / from as f64;
    let scale = 1.0 / growth;
    let span = |at: usize| {
        let first = ((at as f64 * scale).floor() as usize).min(from - 1);
        // How far this position reaches beyond the end of the first one.
        let beyond = ((at + 1) as f64 - (first + 1) as f64 * growth) as f32;
        let second = if beyond <= 0.0 || first + 1 == from { 0.0 } else { beyond.fract() };
        let weights = if second == 0.0 { vec![1.0] } else { vec![1.0 - second, second] };
        Span { first, weights }
    };
    (0..to).map(span).collect()
}

/// The weighted sums of a picture of `N` channels, rounded once.
fn weigh<const N: usize>(source: &[u8], width: usize, across: &[Span], down: &[Span], target: &mut Vec<u8>) {
    let (pixels, _) = source.as_chunks::<N>();
    let mut line = vec![[0.0_f32; N]; across.len()];
    let mut held = None;
    let mut sums = vec![[0.0_f32; N]; across.len()];
    for Span { first, weights } in down {
        sums.fill([0.0; N]);
        for (at, weight) in (*first..).zip(weights) {
            // The last row of one position is often the first of the next.
            if held != Some(at) {
                let row = pixels.get(at * width..(at + 1) * width).unwrap_or_default();
                weigh_row(row, across, &mut line);
                held = Some(at);
            }
            for (sum, levels) in sums.iter_mut().zip(&line) {
                for (sum, level) in sum.iter_mut().zip(levels) {
                    *sum += weight * level;
                }
            }
        }
        target.extend(sums.as_flattened().iter().map(|sum| to_level(*sum)));
    }
}

fn weigh_row<const N: usize>(row: &[[u8; N]], across: &[Span], line: &mut [[f32; N]]) {
    for (target, Span { first, weights }) in line.iter_mut().zip(across) {
        *target = [0.0; N];
        for (pixel, weight) in row.iter().skip(*first).zip(weights) {
            for (sum, level) in target.iter_mut().zip(pixel) {
                *sum += weight * f32::from(*level);
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn to_level(sum: f32) -> u8 {
    sum.round_ties_even().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(levels: &[u8], from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
        let mut pixels = Pixels::default();
        (pixels.width, pixels.height, pixels.channels) = (from.0, from.1, 1);
        pixels.levels = levels.to_vec();
        let mut target = Vec::new();
        resize(&pixels, to, &mut target);
        target
    }

    #[test]
    fn a_pixel_is_the_mean_of_what_it_covers() {
        assert_eq!(resized(&[10, 20, 30, 40, 50, 60], (6, 1), (3, 1)), [15, 35, 55]);
        assert_eq!(resized(&[0, 90, 0, 0, 90, 0, 0, 90, 0], (3, 3), (2, 3)), [30, 30, 30, 30, 30, 30]);
        assert_eq!(resized(&[1, 2, 3, 4], (2, 2), (2, 2)), [1, 2, 3, 4]);
        assert_eq!(resized(&[10, 20], (2, 1), (4, 2)), [10, 10, 20, 20, 10, 10, 20, 20]);
    }

    #[test]
    fn weights_sum_to_one_at_every_size() {
        for from in 1..40 {
            for to in 1..40 {
                for spans in [covered(from, to), between(from, to)] {
                    assert_eq!(spans.len(), to);
                    for Span { first, weights } in spans {
                        assert!(first + weights.len() <= from, "{from} {to}");
                        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{from} {to}");
                    }
                }
            }
        }
    }
}
